"""The loader: its outcome, and every way in which it can fail to have one."""

import os
import re
import signal
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon import loader, signals
from pykeepalived.daemon.loader import Compiled, Loader, Outcome, read_value, write_value
from pykeepalived.errors import ConfigError
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.descriptors import descriptors_left


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_outcome_and_the_parts_come_over() -> None:
    before = descriptors()
    part = Configuration(global_defs=GlobalDefs(router_id="r"))
    run = Loader(lambda: Compiled(Outcome(start_code=os.getpid()), {"vrrp": part, "none": part}), ("vrrp", "checkers"))
    got = run.wait()
    assert got.start_code not in {0, os.getpid()}
    assert read_value(run.files["vrrp"]) == part
    assert read_value(run.files["vrrp"]) == part  # as often as wanted
    with pytest.raises(ConfigError):
        read_value(run.files["checkers"])
    run.close()
    assert descriptors() == before


def test_one_that_cannot_be_started_leaves_nothing() -> None:
    before = descriptors()
    refused = 0
    for spare in range(5):
        try:
            with descriptors_left(spare):
                Loader(silent, ("vrrp", "checkers")).give_up()
        except OSError:
            refused += 1
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, 0)
        assert descriptors() == before
    assert refused == 4


def fault() -> Compiled:
    raise ValueError("bad")


def greedy() -> Compiled:
    bytearray(loader.MEMORY_LIMIT)
    return Compiled(Outcome())


def silent() -> Compiled:
    os._exit(0)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (fault, "the loader failed: ValueError: bad"),
        (greedy, "the configuration needs more than 2048 MiB of memory"),
        (silent, "the loader ended without a word"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "the loader was ended by SIGSEGV"),
        (lambda: os.kill(os.getpid(), signal.SIGRTMIN + 5), "the loader was ended by signal 39"),
        (lambda: time.sleep(60), "reading the configuration took longer than"),
    ],
)
def test_a_loader_that_fails_is_a_clear_message(read: Callable[[], Compiled], message: str) -> None:
    before = descriptors()
    limit = 300 * MILLISECOND if "longer" in message else 10 * SECOND
    with pytest.raises(ConfigError, match=message):
        Loader(read, ("vrrp",), limit).wait()
    assert descriptors() == before


def test_signals_to_the_whole_service_do_not_end_it() -> None:
    def read() -> Compiled:
        for number in (signal.SIGHUP, *signals.DUMPS):
            os.kill(os.getpid(), number)
        return Compiled(Outcome(start_code=7))

    assert Loader(read, ()).wait().start_code == 7


def test_work_that_is_not_wanted_any_more_leaves_nothing() -> None:
    before = descriptors()
    begin = time.monotonic()
    Loader(lambda: time.sleep(60), ("frames",)).give_up()  # type: ignore[arg-type, return-value]
    assert time.monotonic() - begin < 5
    assert descriptors() == before


def test_values_travel_as_they_are() -> None:
    address = IPv4Address("10.9.0.1")
    values = [address, address, IPv4Address("255.255.255.255"), IPv6Address("fe80::1"), re.compile("a+"), "text"]
    descriptor = os.memfd_create("values")
    try:
        write_value(descriptor, values)
        back = read_value(descriptor)
    finally:
        os.close(descriptor)
    assert back == values
    assert back[0] is back[1]
