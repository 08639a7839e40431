"""Checks without end: descriptors, alarms and memory stay as they are, and no collector is needed for that."""

import gc
import socket
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from pykeepalived.config.blocks.checkers import (
    AnyChecker,
    CheckTiming,
    DnsCheck,
    HttpGet,
    HttpsUrl,
    HttpUrl,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    Target,
    TcpCheck,
    UdpCheck,
)
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import RealServer, VirtualServer
from pykeepalived.events import ScriptExited
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeScripts
from tests.unit.daemon.test_checker_process import Director, virtual

LOCAL = ip_address("127.0.0.1")
TIMING = CheckTiming(retry=1, delay_before_retry=SECOND, delay_loop=SECOND, warmup=0)
DEAD = 9  # a port where nobody is
A_LOOP = 12  # checks
DAY = 86400 * SECOND


class QuickScripts(FakeScripts):
    """Programs that end in the next turn, now so and now so."""

    def __init__(self, soon: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._soon = soon
        self.count = 0

    def run(
        self,
        script: Script,  # noqa: ARG002 - the port's
        arguments: tuple[str, ...] = (),  # noqa: ARG002 - likewise
        *,
        timeout: int | None = None,  # noqa: ARG002 - likewise
        on_exit: Callable[[ScriptExited], None] | None = None,
    ) -> int:
        self.count += 1
        if on_exit is not None:
            exited = ScriptExited(self.count % 3 // 2)
            self._soon(lambda: on_exit(exited))
        return self.count


@pytest.fixture
def director() -> Iterator[Director]:
    director = Director()
    director.scripts = QuickScripts(director.reactor.soon)
    yield director
    director.stop()
    for server in director.servers:
        server.close()
    director.reactor.close()


def every_kind(director: Director, silent: int, timing: CheckTiming = TIMING) -> VirtualServer:
    """One check of each kind, and those that meet trouble."""
    plain, web, cut = director.web(), director.web(b"HTTP/1.0 200 OK\r\n\r\nhello"), director.web(b"220 ")
    at = {each: Target(LOCAL, each, connect_timeout=SECOND // 2) for each in (DEAD, silent)}
    at |= {each.port: Target(LOCAL, each.port, connect_timeout=SECOND // 2) for each in (plain, web, cut)}
    url = HttpUrl(path="/", regex="h.l+o")
    checks: list[AnyChecker] = [
        TcpCheck(at[plain.port], timing),
        TcpCheck(at[DEAD], timing),
        HttpGet(target=at[web.port], timing=timing, url=(url,)),
        HttpGet(target=at[cut.port], timing=timing, url=(url,)),
        SslGet(target=at[web.port], timing=timing, url=(HttpsUrl(path="/"),)),
        SmtpCheck(target=at[cut.port], timing=timing, helo_name="h"),
        UdpCheck(target=at[silent], timing=timing),
        UdpCheck(target=at[DEAD], timing=timing),
        DnsCheck(target=at[DEAD], timing=timing),
        DnsCheck(target=at[silent], timing=timing),
        PingCheck(at[DEAD], timing),
        MiscCheck(misc_path=Script(("/check",)), timing=timing, timeout=SECOND),
    ]
    assert len(checks) == A_LOOP
    servers = (RealServer(address=LOCAL, port=1000 + number, checkers=(check,)) for number, check in enumerate(checks))
    return virtual(*servers)


class Held:
    """What the process has."""

    def __init__(self, director: Director) -> None:
        gc.collect()
        self.descriptors = len(list(Path("/proc/self/fd").iterdir()))
        self.alarms = len(director.reactor._heap)
        self.objects = len(gc.get_objects())
        self.blocks = sys.getallocatedblocks()


@pytest.mark.parametrize("count", [2_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_what_is_held_does_not_depend_on_how_many_checks_were_made(director: Director, count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        director.start(every_kind(director, silent.getsockname()[1]))
        director.reactor.run_for(60 * SECOND)  # everything has been met once
        director.lines()
        assert isinstance(director.scripts, QuickScripts)
        made = director.scripts.count
        before = Held(director)
        gc.disable()
        try:
            for _ in range(count // A_LOOP // 50 + 1):
                director.reactor.run_for(50 * SECOND)
                director.journal.entries.clear()
                director.kernel.batches.clear()
                director.fifo.clear()
                director.statuses.clear()
                for server in director.servers:
                    server.peers.clear()
                objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
        finally:
            gc.enable()
        assert director.scripts.count - made >= count // A_LOOP
        after = Held(director)
    assert abs(after.descriptors - before.descriptors) <= A_LOOP  # those of checks under way
    assert abs(after.alarms - before.alarms) <= 2 * A_LOOP
    assert objects - before.objects < 1000
    assert blocks - before.blocks < 10_000


def test_checks_that_are_gone_are_not_held_until_they_would_have_been_due(director: Director) -> None:
    """An address that comes and goes suspends and activates checks, each time with others in their place."""
    web = director.web()
    slow = CheckTiming(delay_loop=DAY, warmup=DAY)
    check = TcpCheck(Target(LOCAL, web.port), slow)
    servers = [RealServer(address=LOCAL, port=1000 + number, checkers=(check,)) for number in range(20)]
    service = director.start(virtual(*servers))
    [served] = service._served.values()
    before = Held(director)
    for _ in range(50):
        service._turned(served, here=False)
        service._turned(served, here=True)
        director.journal.entries.clear()
    after = Held(director)
    assert after.objects - before.objects < 5 * 1000  # an alarm each, and nothing behind it
