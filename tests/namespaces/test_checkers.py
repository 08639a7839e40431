"""Checkers with real sockets and real time, against servers of every kind on the other end of a link."""

import contextlib
import hashlib
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

import pytest

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet, HttpUrl, Target, TcpCheck
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import Beats
from pykeepalived.daemon.check_run import CheckRun, Means
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Log
from pykeepalived.units import MILLISECOND, SECOND
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not
from tests.support.names import Names

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

NEAR, FAR = "10.99.0.1", "10.99.0.2"
NEAR6, FAR6 = "fd00:99::1", "fd00:99::2"
LINK_LOCAL = "fe80::99"
NOBODY = "10.99.0.77"
REFUSED_PORT = 8099
FIREWALL = (
    f"table inet firewall {{ chain in {{ type filter hook input priority 0;"
    f" tcp dport {REFUSED_PORT} reject with icmp type prot-unreachable; }}; }}"
)
BODY = b"hello, checker\n" * 20_000
DIGEST = hashlib.md5(BODY, usedforsecurity=False).digest()
OK = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)

TIMING = CheckTiming(retry=0, delay_loop=700 * MILLISECOND, warmup=0, log_all_failures=True)
TIMEOUT = 400 * MILLISECOND
WATCHED = 1500 * MILLISECOND

Answer = Callable[[socket.socket], None]


def respond(data: bytes) -> Answer:
    """A server that reads the request, answers, and closes."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return answer


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_after_a_response(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhalf")
    time.sleep(0.1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(connection: socket.socket) -> None:
    connection.recv(65536)
    for octet in OK * 3:
        time.sleep(0.05)
        connection.sendall(bytes([octet]))


def silent(connection: socket.socket) -> None:
    connection.recv(65536)
    time.sleep(2)


def flood(connection: socket.socket) -> None:
    connection.recv(65536)
    while True:
        connection.sendall(b"X-More: " + b"y" * 8000 + b"\r\n")


SERVERS: dict[int, Answer] = {
    8001: respond(OK + BODY),
    8002: respond(b"HTTP/1.0 503 Busy\r\n\r\n"),
    8003: respond(OK + b"x" + BODY),
    8004: reset,
    8005: reset_after_a_response,
    8006: drip,
    8007: silent,
    8008: flood,
    8009: respond(b""),
    8010: respond(b"HTTP/1.0 200 OK\r\nServer: half a hea"),
    8011: respond(b"HTTP/1.0 302 Found\r\n\r\n"),
    8012: respond(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10),
}


def tcp(address: str, port: int, timing: CheckTiming = TIMING, **options: object) -> TcpCheck:
    target = Target(ip_address(address), port, connect_timeout=TIMEOUT)
    return TcpCheck(replace(target, **options), timing)  # type: ignore[arg-type]  # names of Target


def http(port: int, **options: object) -> HttpGet:
    url = replace(HttpUrl(path="/index.html"), **options)  # type: ignore[arg-type]  # names of HttpUrl
    return HttpGet(target=Target(ip_address(FAR), port, connect_timeout=TIMEOUT), timing=TIMING, url=(url,))


@dataclass(frozen=True)
class Case:
    """A checker, what it must come to, and a word of the reason."""

    check: TcpCheck | HttpGet
    up: bool | None
    reason: str = ""


CASES = {
    "tcp": Case(tcp(FAR, 8001), True),
    "tcp-ipv6": Case(tcp(FAR6, 8001), True),
    "tcp-link-local": Case(tcp(LINK_LOCAL, 8001, bind_if="eth0"), True),
    "tcp-bindto": Case(tcp(FAR, 8001, bindto=ip_address(NEAR)), True),
    "tcp-bindto-ipv6": Case(tcp(FAR6, 8001, bindto=ip_address(NEAR6)), True),
    "tcp-bindto-and-port": Case(tcp(FAR, 8001, bindto=ip_address(NEAR), bind_port=7777), True),
    "tcp-bindto-not-ours": Case(tcp(FAR, 8001, bindto=ip_address(FAR)), None, "bind"),
    "tcp-bind-if": Case(tcp(FAR, 8001, bind_if="eth0"), True),
    "tcp-bind-if-wrong": Case(tcp(FAR, 8001, bind_if="lo"), False, "timeout"),
    "tcp-bind-if-none": Case(tcp(FAR, 8001, bind_if="eth7"), None, "bind"),
    "tcp-mark": Case(tcp(FAR, 8001, fwmark=5), True),
    "tcp-mark-with-a-rule": Case(tcp(FAR, 8001, fwmark=7), False, "Network is unreachable"),
    "tcp-refused": Case(tcp(FAR, 9), False, "Connection refused"),
    "tcp-refused-ipv6": Case(tcp(FAR6, 9), False, "Connection refused"),
    "tcp-refused-by-a-firewall": Case(tcp(FAR, REFUSED_PORT), False, "Protocol not available"),
    "tcp-timeout": Case(tcp(NOBODY, 80), False, "no connection within 400 ms"),
    "tcp-no-network": Case(tcp("192.0.2.1", 80), False, "Network is unreachable"),
    "http": Case(http(8001), True),
    "http-digest": Case(http(8001, digest=DIGEST), True),
    "http-503": Case(http(8002), False, "status code 503"),
    "http-503-wanted": Case(http(8002, status_code=((503, 503),)), True),
    "http-302": Case(http(8011), False, "status code 302"),
    "http-other-digest": Case(http(8003, digest=DIGEST), False, "MD5 digest"),
    "http-reset": Case(http(8004), False, "reset"),
    "http-reset-late": Case(http(8005), False, "reset"),
    "http-drip": Case(http(8006), False, "more than 700 ms"),
    "http-silent": Case(http(8007), False, "nothing came for 400 ms"),
    "http-flood": Case(http(8008), False, "header-too-long"),
    "http-early-close": Case(http(8009), False, "no response"),
    "http-half-a-header": Case(http(8010), False, "no response"),
    "http-not-http": Case(http(8012), False, "no response"),
    "http-refused": Case(http(9), False, "Connection refused"),
}


class Outcome:
    """What one checker told."""

    def __init__(self) -> None:
        self.verdicts: list[ServerJudged] = []
        self.lines: list[str] = []
        self.judged_at = 0

    def judged(self, verdict: ServerJudged | ServerWeighed) -> None:
        assert isinstance(verdict, ServerJudged)
        self.verdicts.append(verdict)
        self.judged_at = time.monotonic_ns()

    def log(self, line: Log) -> None:
        self.lines.append(line.message)


@contextlib.contextmanager
def serving(namespace: Namespace) -> Iterator[list[tuple[str, int]]]:
    """All servers, on both families; gives the addresses of those who connected."""
    peers: list[tuple[str, int]] = []
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def talk(connection: socket.socket, answer: Answer) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(3)
            answer(connection)

    def accept(listener: socket.socket, answer: Answer) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            peers.append(peer[:2])
            thread = threading.Thread(target=talk, args=(connection, answer))
            thread.start()
            threads.append(thread)

    def listen(port: int) -> socket.socket:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)

    for port, answer in SERVERS.items():
        listener = namespace.call(lambda port=port: listen(port))  # type: ignore[misc]  # bound by its default
        listeners.append(listener)
        thread = threading.Thread(target=accept, args=(listener, answer))
        thread.start()
        threads.append(thread)
    try:
        yield peers
    finally:
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in threads:
            thread.join()


@dataclass
class Round:
    """All cases, run side by side for a while."""

    outcomes: dict[str, Outcome]
    peers: list[tuple[str, int]]
    started_at: int


@pytest.fixture(scope="module")
def round_() -> Round:
    outcomes = {name: Outcome() for name in CASES}
    errors: list[Exception] = []

    def watch() -> int:
        reactor = Reactor(errors.append)
        attempts, beats = Attempts(reactor), Beats(reactor)
        started_at = reactor.now()
        runs = []
        for name, case in CASES.items():
            outcome = outcomes[name]
            checker = Checker(case.check, Names(name, name, "VS"), started_at)
            means = Means(beats, attempts, outcome.log, lambda _cause: None)
            runs.append(CheckRun(means, case.check, checker, outcome.judged))
        reactor.alarm(reactor.stop).set(started_at + WATCHED)
        reactor.run()
        for run in runs:
            run.close()
        reactor.close()
        return started_at

    with veth_pair() as (left, right):
        for namespace, address, address6 in ((left, NEAR, NEAR6), (right, FAR, FAR6)):
            namespace.ip(f"address add {address}/24 dev eth0")
            namespace.ip(f"address add {address6}/64 dev eth0 nodad")
        right.ip(f"address add {LINK_LOCAL}/64 dev eth0 nodad")
        left.ip("rule add fwmark 7 unreachable")
        subprocess.run(["ip", "netns", "exec", right.name, "nft", FIREWALL], check=True)
        with serving(right) as peers:
            started_at = left.call(watch)
    assert errors == []
    return Round(outcomes, peers, started_at)


@pytest.mark.parametrize("name", CASES)
def test_verdict(round_: Round, name: str) -> None:
    case, outcome = CASES[name], round_.outcomes[name]
    if case.up is None:
        assert outcome.verdicts == []
        assert any(case.reason in line for line in outcome.lines)
        return
    assert [verdict.up for verdict in outcome.verdicts] == [case.up], outcome.lines
    if not case.up:
        told = " ".join((outcome.verdicts[0].reason, *outcome.lines))
        assert case.reason in told


def test_probes_come_from_where_they_were_told_to(round_: Round) -> None:
    assert (f"::ffff:{NEAR}", 7777) in round_.peers
    assert NEAR6 in {address for address, _ in round_.peers}


@pytest.mark.parametrize(
    ("name", "after"),
    [("tcp", 0), ("tcp-refused", 0), ("tcp-timeout", TIMEOUT), ("http-drip", 700 * MILLISECOND)],
)
def test_verdicts_come_in_time(round_: Round, name: str, after: int) -> None:
    late = round_.outcomes[name].judged_at - round_.started_at - after
    assert 0 <= late < SECOND // 4
