"""DNS_CHECK against a name server as people run them (NSD, unpacked and never installed), dying and coming back."""

import subprocess
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.config.blocks.checkers import DNS_TYPES, CheckTiming, DnsCheck, Target
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import Beats
from pykeepalived.daemon.check_run import CheckRun, Means
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.units import MILLISECOND, SECOND
from tests.support import nsd
from tests.support.director import CHECKOUT
from tests.support.names import Names
from tests.support.netns import Host, Network, why_not

PORT = 5353
PROGRAM = next((place for place in (CHECKOUT / ".lab/bin/nsd", Path("/usr/sbin/nsd")) if place.exists()), None)

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.skipif(PROGRAM is None, reason="needs NSD: run script/test, which unpacks it"),
]

TIMING = CheckTiming(retry=0, delay_loop=100 * MILLISECOND, warmup=0)


def check(name: str, kind: str = "A", address: str = "127.0.0.1") -> DnsCheck:
    target = Target(ip_address(address), PORT, connect_timeout=5 * SECOND)
    return DnsCheck(target=target, timing=TIMING, name=name, type=kind)


GOOD = {kind: check("www.example.org", kind) for kind in DNS_TYPES}
GOOD |= {
    "ipv6": check("www.EXAMPLE.org.", address="::1"),
    "alias": check("alias.example.org"),
    "zone": check("example.org"),
}
BAD = {"no-such-name": check("nobody.example.org"), "not-its-zone": check(".")}


class NameServer:
    """NSD in one host."""

    def __init__(self, host: Host, folder: Path) -> None:
        self._host = host
        self._argv = [str(PROGRAM), *nsd.write(folder, [f"127.0.0.1@{PORT}", f"::1@{PORT}"])]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it answers soon."""
        self._process = self._host.popen(self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """End it and its children."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Host, NameServer]]:
    with Network() as network:
        host = network.host("dns")
        host.run("ip", "link", "set", "lo", "up")
        name_server = NameServer(host, tmp_path)
        try:
            yield host, name_server
        finally:
            name_server.stop()


def test_a_name_server_lives_dies_and_comes_back(server: tuple[Host, NameServer]) -> None:
    host, name_server = server
    verdicts: dict[str, list[ServerJudged]] = {name: [] for name in (*GOOD, *BAD)}

    def teller(name: str) -> Callable[[ServerJudged | ServerWeighed], None]:
        def tell(verdict: ServerJudged | ServerWeighed) -> None:
            assert isinstance(verdict, ServerJudged)
            verdicts[name].append(verdict)

        return tell

    def until(wanted: list[bool]) -> list[str]:
        """Names whose verdicts are not those, when all should be."""
        return [name for name in GOOD if [each.up for each in verdicts[name]] != wanted]

    def play() -> None:
        errors: list[Exception] = []
        reactor = Reactor(errors.append)
        attempts, beats = Attempts(reactor), Beats(reactor)
        runs = []
        for name, block in (*GOOD.items(), *BAD.items()):
            checker = Checker(block, Names(name, name, "VS"), reactor.now())
            means = Means(beats, attempts, lambda _line: None, lambda _cause: None)
            runs.append(CheckRun(means, block, checker, teller(name)))
        wake = reactor.alarm(lambda: wake.set(reactor.now() + 20 * MILLISECOND))
        wake.set(reactor.now())
        try:
            for step, wanted in (
                (None, [False]),
                (name_server.start, [False, True]),
                (name_server.stop, [False, True, False]),
                (name_server.start, [False, True, False, True]),
            ):
                if step is not None:
                    step()
                end = time.monotonic() + 60
                while until(wanted):
                    assert time.monotonic() < end, (wanted, verdicts)
                    reactor.turn()
        finally:
            for run in runs:
                run.close()
            reactor.close()
        assert errors == []

    host.inside(play)
    assert {verdict.reason for name in GOOD for verdict in verdicts[name] if not verdict.up} == {
        "DNS_CHECK: Connection refused"
    }
    for name in BAD:
        assert not any(each.up for each in verdicts[name])
