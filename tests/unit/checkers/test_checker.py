"""Checkers: when they try, what they say, and when a server is believed up or down."""

from ipaddress import ip_address

import pytest

from pykeepalived.checkers.effects import CloseConnection, ServerJudged
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    LocalFailure,
    PeerClosed,
)
from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet, HttpUrl, Target, TcpCheck
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from tests.support.trial import RS, VS, Trial

TARGET = Target(ip_address("127.0.0.11"), 80, connect_timeout=5 * SECOND)
TIMING = CheckTiming(retry=1, delay_before_retry=SECOND, delay_loop=10 * SECOND)
REFUSED = ConnectionFailed("Connection refused")
MD5_OF_HELLO = bytes.fromhex("5d41402abc4b2a76b9719d911017c592")


def http(*urls: HttpUrl, timing: CheckTiming = TIMING, fast_recovery: bool = False) -> HttpGet:
    return HttpGet(target=TARGET, timing=timing, url=urls or (HttpUrl(path="/x"),), fast_recovery=fast_recovery)


def answer(status: int = 200, body: bytes = b"hello") -> list[CheckEvent]:
    return [Connected(), DataReceived(b"HTTP/1.0 %d X\r\n\r\n" % status + body), PeerClosed()]


# TCP_CHECK


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.delay_loop")
def test_tcp_success_closes_at_once_and_is_told_once() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING), first_at=3 * SECOND)
    trial.begin()
    assert trial.tell(Connected())[0] == CloseConnection()
    assert trial.lines() == [f"TCP connection to {RS} success."]
    assert trial.verdicts == [ServerJudged(True, False, f"TCP_CHECK of {RS} succeeded")]
    assert trial.attempt(Connected()) == (13, [])
    assert trial.attempt(Connected()) == (23, [])
    assert len(trial.verdicts) == 1


def test_nothing_happens_before_the_first_time() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING), first_at=3 * SECOND)
    trial.now = 3 * SECOND - 1
    assert trial.tell(Tick()) == []
    assert trial.tell(Connected()) == []
    assert trial.checker.next_deadline() == 3 * SECOND


def test_tcp_first_failure_takes_no_retry() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING))
    assert trial.attempt(REFUSED) == (0, [f"TCP_CHECK on service {RS} failed."])
    assert trial.verdicts == [ServerJudged(False, True, "TCP_CHECK: connection: Connection refused")]
    assert trial.attempt(REFUSED) == (10, [])
    assert trial.attempt(Connected()) == (20, [f"TCP connection to {RS} success."])
    assert trial.verdicts[-1].up
    assert trial.verdicts[-1].changed


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.retry")
@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.delay_before_retry")
def test_tcp_retries_a_living_server() -> None:
    timing = CheckTiming(retry=2, delay_before_retry=3 * SECOND, delay_loop=10 * SECOND)
    trial = Trial(TcpCheck(TARGET, timing))
    trial.attempt(Connected())
    assert trial.attempt(REFUSED) == (10, [])
    assert trial.attempt(REFUSED) == (13, [])
    assert trial.attempt(REFUSED) == (16, [f"TCP_CHECK on service {RS} failed after 2 retries."])
    assert trial.verdicts[-1] == ServerJudged(False, True, "TCP_CHECK: connection: Connection refused")
    assert trial.attempt(REFUSED) == (26, [])


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.alpha")
def test_tcp_alpha_first_results() -> None:
    alpha = CheckTiming(alpha=True, delay_loop=10 * SECOND)
    trial = Trial(TcpCheck(TARGET, alpha))
    assert not trial.checker.up
    assert trial.attempt(REFUSED)[1] == [f"TCP_CHECK on service {RS} failed."]
    assert trial.verdicts == [ServerJudged(False, False, "TCP_CHECK: connection: Connection refused")]
    trial = Trial(TcpCheck(TARGET, alpha))
    trial.attempt(Connected())
    assert trial.verdicts == [ServerJudged(True, True, f"TCP_CHECK of {RS} succeeded")]


@pytest.mark.keyword("virtual_server.real_server.HTTP_GET.alpha")
def test_http_observed_first_failure_of_an_alpha_server_is_told_to_nobody() -> None:
    alpha = CheckTiming(alpha=True, delay_loop=10 * SECOND)
    for verdicts, timing in (0, alpha), (1, TIMING):
        trial = Trial(http(timing=timing))
        assert trial.attempt(REFUSED)[1] == [f"HTTP_CHECK on service {RS} failed."]
        assert not trial.checker.up
        assert trial.checker.has_run
        assert len(trial.verdicts) == verdicts


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.connect_timeout")
def test_tcp_timeout() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING))
    trial.attempt(Connected())
    trial.begin()
    began = trial.now
    assert trial.checker.next_deadline() == began + 5 * SECOND
    trial.now = began + 5 * SECOND - 1
    assert trial.tell(Tick()) == []
    trial.now = began + 5 * SECOND
    assert trial.tell(Tick())[0] == CloseConnection()
    assert trial.lines(detail=True) == [f"TCP connection to {RS} timeout."]
    assert trial.checker.next_deadline() == trial.now + SECOND


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.log_all_failures")
def test_a_process_that_stands_still_again_and_again_keeps_no_dead_server() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING))
    trial.attempt(Connected())
    for _ in range(4):
        trial.begin()
        trial.checker.stood_still()
        trial.tell(REFUSED)
    assert [verdict.up for verdict in trial.verdicts] == [True, False]
    assert trial.started_at == [0, 10 * SECOND, 10 * SECOND, 11 * SECOND, 11 * SECOND]


def test_every_failed_try_is_logged_on_wish_while_the_server_is_up() -> None:
    timing = CheckTiming(retry=1, delay_loop=10 * SECOND, log_all_failures=True)
    trial = Trial(TcpCheck(TARGET, timing))
    trial.attempt(Connected())
    failed = f"TCP connection to {RS} failed."
    assert trial.attempt(REFUSED)[1] == [failed]
    assert trial.attempt(REFUSED)[1] == [failed, f"TCP_CHECK on service {RS} failed after 1 retries."]
    assert trial.attempt(REFUSED)[1] == []


def test_entries_name_server_and_cause() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING))
    trial.begin()
    trial.tell(REFUSED)
    assert trial.entries[-1].fields == (
        ("VIRTUAL_SERVER", VS),
        ("REAL_SERVER", RS),
        ("CAUSE", "connection: Connection refused"),
    )


def test_trouble_of_our_own_changes_no_belief_and_is_said_once() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING))
    trouble = LocalFailure("bind", "Cannot assign requested address")
    stays = f"Service {RS} for VS {VS} stays up until it can be checked."
    line = f"TCP socket bind failed (Cannot assign requested address). Rescheduling. {stays}"
    assert trial.attempt(trouble) == (0, [line])
    assert trial.attempt(trouble) == (10, [])
    assert trial.verdicts == []
    assert trial.attempt(Connected())[0] == 20
    assert trial.attempt(LocalFailure("create", "Too many open files", shared=True)) == (30, [])
    assert trial.attempt(trouble) == (40, [line])
    other = f"TCP socket connect failed (Operation not permitted). Rescheduling. {stays}"
    assert trial.attempt(LocalFailure("connect", "Operation not permitted")) == (50, [other])
    assert trial.checker.up


def test_want_of_descriptors_is_only_detail_here() -> None:
    trial = Trial(TcpCheck(TARGET, TIMING))
    assert trial.attempt(LocalFailure("create", "Too many open files", shared=True)) == (0, [])
    assert trial.verdicts == []


def test_belief_outlives_a_new_timing() -> None:
    former = Trial(TcpCheck(TARGET, TIMING))
    former.attempt(REFUSED)
    again = Trial(TcpCheck(TARGET, CheckTiming(retry=3)), former=former.checker)
    assert not again.checker.up
    assert again.checker.has_run
    assert again.attempt(Connected())[1] == [f"TCP connection to {RS} success."]


# HTTP_GET


def test_http_first_success() -> None:
    trial = Trial(http())
    assert trial.attempt(*answer()) == (0, [f"Remote Web server {RS} succeed on service."])
    assert trial.sent == [b"GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.11:80\r\n\r\n"]
    assert trial.verdicts == [ServerJudged(True, False, f"HTTP_CHECK of {RS} succeeded")]


@pytest.mark.keyword("virtual_server.real_server.HTTP_GET.url.virtualhost")
def test_http_virtualhost_stands_as_it_is() -> None:
    trial = Trial(http(HttpUrl(path="/", virtualhost="www.x.org")))
    trial.attempt(*answer())
    assert b"\r\nHost: www.x.org\r\n" in trial.sent[0]


def test_http_host_of_ipv6() -> None:
    block = HttpGet(target=Target(ip_address("2001:db8::1"), 8080), timing=TIMING, url=(HttpUrl(path="/"),))
    trial = Trial(block)
    trial.attempt(*answer())
    assert b"\r\nHost: [2001:db8::1]:8080\r\n" in trial.sent[0]


def test_http_observed_recovery_of_two_urls() -> None:
    """delay_loop 2: success of /x at t, of /x at +2, of /y at +4, then up."""
    timing = CheckTiming(retry=1, delay_before_retry=SECOND, delay_loop=2 * SECOND)
    trial = Trial(http(HttpUrl(path="/x"), HttpUrl(path="/y"), timing=timing))
    assert trial.attempt(*answer()) == (0, [])
    assert trial.attempt(*answer()) == (2, [f"Remote Web server {RS} succeed on service."])
    assert trial.attempt(*answer(500)) == (4, [])
    assert trial.attempt(*answer(500)) == (5, [f"HTTP_CHECK on service {RS} failed after 1 retries."])
    assert trial.verdicts[-1] == ServerJudged(False, True, "HTTP_CHECK: url /x: status code 500")
    assert trial.attempt(*answer(500)) == (7, [])
    success = f"HTTP status code success to {RS} url"
    assert trial.attempt(*answer()) == (9, [f"{success}(/x)"])
    assert trial.attempt(*answer()) == (11, [f"{success}(/x)"])
    assert not trial.checker.up
    assert trial.attempt(*answer()) == (13, [f"{success}(/y)", f"Remote Web server {RS} succeed on service."])
    assert trial.checker.up
    asked = [sent.split()[1] for sent in trial.sent]
    assert asked == [b"/x", b"/y", b"/x", b"/x", b"/x", b"/x", b"/x", b"/y"]


def test_http_observed_recovery_of_one_url_needs_two_successes() -> None:
    trial = Trial(http())
    trial.attempt(*answer(500))
    trial.attempt(*answer())
    assert not trial.checker.up
    trial.attempt(*answer())
    assert trial.checker.up


def test_http_urls_take_turns() -> None:
    trial = Trial(http(HttpUrl(path="/x"), HttpUrl(path="/y")))
    for _ in range(4):
        trial.attempt(*answer())
    assert [sent.split()[1] for sent in trial.sent] == [b"/x", b"/y", b"/x", b"/y"]
    assert trial.started_at == [0, 10 * SECOND, 20 * SECOND, 30 * SECOND]


@pytest.mark.keyword("virtual_server.real_server.HTTP_GET.fast_recovery")
def test_http_fast_recovery_asks_back_to_back() -> None:
    trial = Trial(http(HttpUrl(path="/x"), HttpUrl(path="/y"), fast_recovery=True))
    trial.attempt(*answer(500))
    assert [trial.attempt(*answer())[0] for _ in range(3)] == [10, 10, 10]
    assert trial.checker.up
    assert trial.attempt(*answer())[0] == 20


@pytest.mark.keyword("virtual_server.real_server.HTTP_GET.fast_recovery")
def test_http_observed_fast_recovery_concerns_the_start_too() -> None:
    trial = Trial(http(HttpUrl(path="/x"), HttpUrl(path="/y"), HttpUrl(path="/z"), fast_recovery=True))
    assert [trial.attempt(*answer())[0] for _ in range(5)] == [0, 0, 0, 10, 20]
    assert trial.verdicts == [ServerJudged(True, False, f"HTTP_CHECK of {RS} succeeded")]


def test_http_failure_during_recovery_starts_it_anew() -> None:
    trial = Trial(http(HttpUrl(path="/x"), HttpUrl(path="/y")))
    trial.attempt(*answer(500))
    trial.attempt(*answer())  # /x, which failed
    trial.attempt(*answer())  # /x of the round
    trial.attempt(*answer(404))  # /y
    for _ in range(2):
        trial.attempt(*answer())  # /y, then /x
        assert not trial.checker.up
    trial.attempt(*answer())
    assert trial.checker.up
    assert [sent.split()[1] for sent in trial.sent[3:]] == [b"/y", b"/y", b"/x", b"/y"]


def test_http_dead_server_waits_for_the_longer_delay() -> None:
    timing = CheckTiming(delay_before_retry=30 * SECOND, delay_loop=10 * SECOND)
    trial = Trial(http(timing=timing))
    trial.attempt(*answer(500))
    assert trial.attempt(*answer(500))[0] == 30


@pytest.mark.keyword("virtual_server.real_server.HTTP_GET.url.status_code")
@pytest.mark.parametrize(("status", "up"), [(199, False), (200, True), (299, True), (300, False), (404, True)])
def test_http_status_ranges(status: int, up: bool) -> None:
    trial = Trial(http(HttpUrl(path="/x", status_code=((200, 299), (404, 404)))))
    trial.attempt(*answer(status))
    assert trial.checker.up is up


@pytest.mark.keyword("virtual_server.real_server.HTTP_GET.url.digest")
@pytest.mark.parametrize(("body", "up"), [(b"hello", True), (b"hello ", False), (b"", False)])
def test_http_digest(body: bytes, up: bool) -> None:
    trial = Trial(http(HttpUrl(path="/x", digest=MD5_OF_HELLO)))
    trial.attempt(*answer(200, body))
    assert trial.checker.up is up


def test_http_status_is_judged_before_the_digest() -> None:
    timing = CheckTiming(log_all_failures=True)
    trial = Trial(http(HttpUrl(path="/x", digest=bytes(16)), timing=timing))
    assert trial.attempt(*answer(500))[1][0] == f"HTTP status code error to server {RS}."
    trial = Trial(http(HttpUrl(path="/x", digest=bytes(16)), timing=timing))
    assert trial.attempt(*answer(200))[1][0] == f"MD5 digest error to server {RS}."


@pytest.mark.parametrize(
    ("events", "line", "reason"),
    [
        ([REFUSED], f"Connection failed server {RS}.", "connection: Connection refused"),
        ([Connected(), PeerClosed()], f"Read, no data received from  server {RS}.", "no response"),
        (
            [Connected(), DataReceived(b"HTTP/1.0 200 OK\r\n"), PeerClosed()],
            f"Read, no data received from  server {RS}.",
            "no response",
        ),
        (
            [Connected(), DataReceived(b"HTTP/1.0 200 OK\r\n\r\nx"), ConnectionFailed("Connection reset by peer")],
            f"Read error with server {RS}.",
            "connection: Connection reset by peer",
        ),
        (
            [Connected(), DataReceived(b"x" * 70000)],
            f"Read, no data received from  server {RS}.",
            "header-too-long: more than 65536 bytes",
        ),
    ],
)
def test_http_failures_say_why(events: list[CheckEvent], line: str, reason: str) -> None:
    trial = Trial(http(timing=CheckTiming(log_all_failures=True)))
    assert trial.attempt(*events)[1] == [line, f"HTTP_CHECK on service {RS} failed."]
    assert trial.verdicts[-1].reason == f"HTTP_CHECK: url /x: {reason}"


def test_http_timeouts() -> None:
    trial = Trial(http(timing=CheckTiming(log_all_failures=True)))
    trial.begin()
    trial.now += 5 * SECOND
    trial.tell(Tick())
    assert trial.lines()[0] == f"Timeout connecting server {RS}."
    trial.begin()
    trial.tell(Connected())
    trial.now += 5 * SECOND
    assert trial.tell(Tick())[0] == CloseConnection()
    assert trial.checker.next_deadline() == trial.now + 60 * SECOND


def test_http_server_that_drips_is_not_waited_for_beyond_the_loop() -> None:
    """Each piece comes in time, but the whole takes longer than delay_loop."""
    trial = Trial(http())
    trial.attempt(*answer())
    trial.begin()
    began = trial.now
    trial.tell(Connected())
    while trial.now < began + 30 * SECOND and trial.checker.next_deadline() > trial.now:
        trial.tell(DataReceived(b"H"))
        trial.now = min(trial.now + 4 * SECOND, trial.checker.next_deadline())
        if trial.now == trial.checker.next_deadline():
            assert trial.tell(Tick())[0] == CloseConnection()
            break
    assert trial.now == began + 10 * SECOND
    assert trial.checker.next_deadline() == trial.now + SECOND


def test_http_slow_but_steady_response_is_good() -> None:
    trial = Trial(http())
    trial.begin()
    trial.tell(Connected())
    for piece in (b"HTTP/1.0 ", b"200 OK\r\n\r\n"):
        trial.now += 4 * SECOND
        assert trial.tell(Tick()) == []
        trial.tell(DataReceived(piece))
    trial.tell(PeerClosed())
    assert trial.verdicts[-1].up
