"""UDP_CHECK, DNS_CHECK and PING_CHECK with real sockets, all at once, against servers that do everything wrong."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.config.blocks.checkers import CheckTiming, DnsCheck, PingCheck, Target, UdpCheck
from pykeepalived.config.kinds_lvs import HexPattern
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import Beats
from pykeepalived.daemon.check_run import CheckRun, Means
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Log
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.director import CHECKOUT
from tests.support.hostile_datagrams import DNS, PING, PORT, TABLES, TIMEOUT, UDP, address, prepare
from tests.support.names import Names
from tests.support.netns import Host, Network, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

WATCHED = 2700 * MILLISECOND
TIMING = CheckTiming(retry=0, warmup=0, log_all_failures=True)
SOON = replace(TIMING, delay_loop=250 * MILLISECOND)
"""There is a second try, into which the late answer of the first one comes."""
RESCHEDULED = "Rescheduling."
PONG = HexPattern(b"PONG", b"\xff\xff\xff\xff")

NO_ROUTE = "No route to host"
DENIED = {4: NO_ROUTE, 6: "Permission denied"}
ERRORS = {"closed": "Connection refused", "unreachable": NO_ROUTE, "filtered": "Operation not permitted"}

# why each fails; the others succeed
ANY_FAILURES: dict[str, str] = ERRORS
PONG_FAILURES: dict[str, str] = {
    **ERRORS,
    **dict.fromkeys(("silent", "stranger", "other-port", "late"), "no reply within 1 s"),
    "echo": "the reply begins with 6b656570",
    **dict.fromkeys(("wrong", "wrong-then-right", "flood"), "the reply begins with 474f4e47"),
    "nul": "the reply begins with 00000000",
    "256": "the reply has more than 255 bytes",
    "largest": "the reply has more than 255 bytes",
}
DNS_FAILURES: dict[str, str] = {
    **ERRORS,
    **dict.fromkeys(("silent", "stranger", "other-port", "late"), "no answer within 1 s"),
    **dict.fromkeys(("wrong-id", "nul", "flood"), "none: id"),
    **dict.fromkeys(("wrong-question", "wrong-type", "no-question", "two-questions"), "none: question"),
    **dict.fromkeys(("loop-in-question", "header-only", "half-a-question"), "none: question"),
    **dict.fromkeys(("wrong-then-servfail", "no-question-servfail"), "rcode 2"),
    **{f"rcode-{code}": f"rcode {code}" for code in range(1, 16)},
    "no-qr": "none: no-response",
    "opcode": "none: opcode",
    **dict.fromkeys(("empty", "short"), "none: too-short"),
    "garbage": "",
}
PING_FAILURES: dict[str, str] = {
    **dict.fromkeys(("silent", "wrong-ident", "wrong-sequence", "sequence-before"), "no reply within 1 s"),
    **dict.fromkeys(("wrong-data", "no-data", "short", "request", "code", "stranger"), "no reply within 1 s"),
    **dict.fromkeys(("late", "flood"), "no reply within 1 s"),
    "host-unreachable": NO_ROUTE,
    "port-unreachable": "Connection refused",
    "time-exceeded": NO_ROUTE,
}


@dataclass(frozen=True)
class Case:
    """A checker, and why it must fail; None if it must not."""

    check: CheckerBlock
    failure: str | None


def target(kind: str, name: str, version: int) -> Target:
    return Target(ip_address(address(kind, name, version)), PORT, connect_timeout=int(TIMEOUT * SECOND))


def timing(name: str) -> CheckTiming:
    return SOON if name == "late" else TIMING


def datagram_cases() -> Iterator[tuple[str, Case]]:
    """Every server of UDP and DNS, over both families."""
    for version in (4, 6):
        denied = {"prohibited": DENIED[version]}
        for name in UDP:
            plain = UdpCheck(target=target("udp", name, version), timing=timing(name))
            yield f"udp-{version}-{name}", Case(plain, (ANY_FAILURES | denied).get(name))
            wanting = replace(plain, require_reply=PONG)
            yield f"udp-{version}-pong-{name}", Case(wanting, (PONG_FAILURES | denied).get(name))
        for name in DNS:
            asking = DnsCheck(
                target=target("dns", name, version), timing=timing(name), name="www.example.org", type="AAAA"
            )
            yield f"dns-{version}-{name}", Case(asking, (DNS_FAILURES | denied).get(name))


def ping_cases(kind: str) -> Iterator[tuple[str, Case]]:
    """Every server of ICMP, over both families."""
    for version in (4, 6):
        failures = PING_FAILURES | {"prohibited": DENIED[version]}
        if version == 4:  # of ICMPv6 the kernel makes all checksums
            failures |= {"bad-checksum": "no reply within 1 s"}
        for name in PING:
            check = PingCheck(target("ping", name, version), timing(name))
            yield f"{kind}-{version}-{name}", Case(check, failures.get(name))


def bound_cases(kind: str) -> Iterator[tuple[str, Case]]:
    """Good servers, asked from where the file says; an address that is not ours says nothing of the server."""
    for version, ours, other in ((4, "127.0.0.99", "192.0.2.1"), (6, "::1", "2001:db8::1")):
        options: dict[str, tuple[dict[str, object], str | None]] = {
            "bindto": ({"bindto": ip_address(ours)}, None),
            "bind-port": ({"bindto": ip_address(ours), "bind_port": 7000 + version}, None),
            "bind-if": ({"bind_if": "lo"}, None),
            "fwmark": ({"fwmark": 5}, None),
            "bindto-not-ours": ({"bindto": ip_address(other)}, RESCHEDULED),
            "bind-if-none": ({"bind_if": "eth7"}, RESCHEDULED),
        }
        for word, (words, failure) in options.items():
            to_echo, to_name, to_ping = (
                replace(target(kind, name, version), **words)  # type: ignore[arg-type]  # names of Target
                for kind, name in (("udp", "echo"), ("dns", "good"), ("ping", "good"))
            )
            yield f"bound-{version}-{kind}-{word}", Case(PingCheck(to_ping, TIMING), failure)
            if kind == "ping":
                yield f"bound-{version}-udp-{word}", Case(UdpCheck(target=to_echo, timing=TIMING), failure)
                yield f"bound-{version}-dns-{word}", Case(DnsCheck(target=to_name, timing=TIMING), failure)


# ping: datagram sockets; raw: the group may not have them, as where nobody has set the sysctl
ROUNDS = {
    "ping": dict((*ping_cases("ping"), *bound_cases("ping"))),
    "raw": dict((*datagram_cases(), *ping_cases("raw"), *bound_cases("raw"))),
}
CASES = {name: case for cases in ROUNDS.values() for name, case in cases.items()}


class Outcome:
    """What one checker told."""

    def __init__(self) -> None:
        self.verdicts: list[ServerJudged] = []
        self.lines: list[str] = []

    def judged(self, verdict: ServerJudged | ServerWeighed) -> None:
        assert isinstance(verdict, ServerJudged)
        self.verdicts.append(verdict)

    def log(self, line: Log) -> None:
        self.lines.append(line.message)


def watch(cases: dict[str, Case], outcomes: dict[str, Outcome]) -> list[Exception]:
    """Run them side by side for a while; what went wrong."""
    errors: list[Exception] = []
    reactor = Reactor(errors.append)
    attempts, beats = Attempts(reactor), Beats(reactor)
    started_at = reactor.now()
    runs = []
    for name, case in cases.items():
        outcome = outcomes[name] = Outcome()
        checker = Checker(case.check, Names(name, name, "VS"), started_at)
        means = Means(beats, attempts, outcome.log, lambda _cause: None)
        runs.append(CheckRun(means, case.check, checker, outcome.judged))
    reactor.alarm(reactor.stop).set(started_at + WATCHED)
    reactor.run()
    for run in runs:
        run.close()
    reactor.close()
    return errors


def play(host: Host, name: str, outcomes: dict[str, Outcome], folder: Path) -> list[Exception]:
    """One round in its own namespace."""
    host.run("sh", "-ec", prepare(*TABLES))
    groups = "0\t0" if name == "ping" else "1\t0"
    host.run("sysctl", "-qw", f"net.ipv4.ping_group_range={groups}")
    with contextlib.ExitStack() as stack:
        for kind in TABLES:
            stack.enter_context(serving(host, kind, folder))
        errors = host.inside(lambda: watch(ROUNDS[name], outcomes))
    assert host.run("sysctl", "-n", "net.ipv4.ping_group_range").strip() == groups  # nobody touched it
    return errors


@contextlib.contextmanager
def serving(host: Host, kind: str, folder: Path) -> Iterator[None]:
    """The servers of one kind."""
    argv = [sys.executable, "-m", "tests.support.hostile_datagrams", kind, str(folder)]
    with host.popen(argv, stdout=subprocess.PIPE, cwd=CHECKOUT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.kill()


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    with Network() as network, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        hosts = {name: network.host(name) for name in ROUNDS}
        played = [pool.submit(play, hosts[name], name, found, Path(folder)) for name in ROUNDS]
        assert [each.result() for each in played] == [[], []]
    return found


@pytest.mark.parametrize("name", CASES)
def test_verdict(outcomes: dict[str, Outcome], name: str) -> None:
    case, outcome = CASES[name], outcomes[name]
    if case.failure == RESCHEDULED:
        assert outcome.verdicts == []
        (line,) = outcome.lines
        assert "socket bind failed (" in line
        assert RESCHEDULED in line
        return
    assert [verdict.up for verdict in outcome.verdicts] == [case.failure is None], outcome.lines
    if case.failure is not None:
        assert case.failure in outcome.verdicts[0].reason


def test_there_are_enough_of_them() -> None:
    wrong = {name for table in (UDP, DNS, PING) for name in table}
    assert len(wrong) > 60
    assert {len(table) > 20 for table in (UDP, DNS, PING)} == {True}
