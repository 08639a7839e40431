"""keepalived and pykeepalived against the same hostile servers of UDP, DNS and ICMP: lines side by side."""

import contextlib
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.checkers import without_ipvs
from tests.support import keepalived, pykeepalived
from tests.support.director import CHECKOUT, Director, Make
from tests.support.hostile_datagrams import PORT, TABLES, address, prepare
from tests.support.netns import Network, why_not

pytestmark = [
    pytest.mark.root,
    pytest.mark.long,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.skipif(keepalived.why_not() is not None, reason=str(keepalived.why_not())),
]

CHECKS = {"udp": "UDP_CHECK {\nrequire_reply 504f4e47", "dns": "DNS_CHECK {\nname example.org", "ping": "PING_CHECK {"}
GOOD_SECONDS, BAD_SECONDS = 6.0, 8.0

# told differently on purpose (docs/differences.md), or by chance
OTHERWISE = {
    "udp": {"filtered"},  # keepalived says the verdict alone
    "dns": {
        *("wrong-question", "wrong-type", "wrong-then-servfail", "no-question", "two-questions", "opcode"),
        *("loop-in-question", "short", "header-only", "half-a-question"),  # no answers to what was asked
        "unreachable",  # known at once, not after the wait
        "garbage",  # of chance
        "flood",  # keepalived may read on and on, and judge late
    },
    "ping": {
        *("wrong-sequence", "sequence-before", "wrong-data", "no-data", "code", "stranger", "flood"),  # of others
        *("host-unreachable", "port-unreachable", "prohibited", "time-exceeded"),  # known at once
    },
}


def config(kind: str) -> str:
    lines = ["virtual_server 10.99.0.1 80 {", "delay_loop 1", "lvs_sched rr", "protocol UDP", "warmup 0"]
    lines += ["retry 1", "delay_before_retry 1", "connect_timeout 1"]
    for name in TABLES[kind]:
        lines += [f"real_server {address(kind, name)} {PORT} {{", CHECKS[kind], "log_all_failures", "}", "}"]
    return "\n".join([*lines, "}", ""])


def told(log: str, kind: str) -> dict[str, list[str]]:
    """The lines of the checkers about each server, the address left out."""
    found: dict[str, list[str]] = {}
    for name in TABLES[kind]:
        place = re.escape(f"[{address(kind, name)}]")
        lines = [line.split(": ", 1)[1] for line in log.splitlines() if re.search(place, line)]
        wanted = ("CHECK ", "CHECK_", "UDP check", "UDP conn", "ICMP", "DNS_CHECK", "Adding", "Removing")
        found[name] = [re.sub(place, "@", line) for line in lines if line.startswith(wanted)]
    return found


def play(make: Make, kind: str) -> dict[str, list[str]]:
    """All servers good for a while, then hostile, then good again."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        good = folder / "good"
        good.mkdir()
        host = stack.enter_context(Network()).host("checker")
        host.run("sh", "-ec", prepare(kind))
        argv = [sys.executable, "-m", "tests.support.hostile_datagrams", kind, str(good)]
        servers = stack.enter_context(host.popen(argv, stdout=subprocess.PIPE, cwd=CHECKOUT))
        stack.callback(servers.kill)
        assert servers.stdout is not None
        assert servers.stdout.readline() == b"ready\n"
        for name in TABLES[kind]:
            (good / name).touch()
        director = Director(host, without_ipvs(make, folder), folder / "daemon", config(kind), options=["-C", "-D"])
        with director:
            director.start()
            time.sleep(GOOD_SECONDS)
            for name in TABLES[kind]:
                (good / name).unlink()
            time.sleep(BAD_SECONDS)
            for name in TABLES[kind]:
                (good / name).touch()
            time.sleep(GOOD_SECONDS)
            director.stop()
        return told(director.log_file.read_text(), kind)


@pytest.mark.parametrize("kind", TABLES)
def test_both_tell_the_same(kind: str) -> None:
    makes = keepalived.make(), pykeepalived.make()
    with ThreadPoolExecutor() as pool:
        theirs, ours = pool.map(lambda make: play(make, kind), makes)
    differing = {name for name in TABLES[kind] if theirs[name] != ours[name]} - OTHERWISE[kind]
    assert not differing, {name: (theirs[name], ours[name]) for name in differing}
    assert sum(bool(lines) for lines in ours.values()) > 15
