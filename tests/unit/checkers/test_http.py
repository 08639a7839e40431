"""HTTP_GET's regex and remarks, and what is different over TLS."""

from ipaddress import ip_address

import pytest

from pykeepalived.checkers.effects import OpenSession
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    HandshakeFailed,
    HeldUp,
    PeerClosed,
    WentOn,
)
from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet, HttpsUrl, HttpUrl, SslGet, Target
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from tests.support.trial import RS, VS, Trial

TARGET = Target(ip_address("127.0.0.11"), 80, connect_timeout=5 * SECOND)
TIMING = CheckTiming(retry=0, delay_before_retry=SECOND, delay_loop=10 * SECOND, log_all_failures=True)
UP = f"Remote Web server {RS} succeed on service."
DOWN = f"HTTP_CHECK on service {RS} failed."


def http(url: HttpUrl) -> HttpGet:
    return HttpGet(target=TARGET, timing=TIMING, url=(url,))


def https(*urls: HttpsUrl, enable_sni: bool = False, sni_name: str | None = None) -> SslGet:
    return SslGet(target=TARGET, timing=TIMING, url=urls, enable_sni=enable_sni, sni_name=sni_name)


def response(*pieces: bytes) -> list[CheckEvent]:
    return [Connected(), *map(DataReceived, pieces), PeerClosed()]


HEAD = b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n"


@pytest.mark.keyword("virtual_server.real_server.HTTP_GET.url.regex")
@pytest.mark.parametrize(
    ("unwanted", "body", "up"), [(0, b"all well", 1), (0, b"bad", 0), (1, b"bad", 1), (1, b"well", 0)]
)
def test_the_pattern_must_be_there_or_must_not(unwanted: int, body: bytes, up: int) -> None:
    trial = Trial(http(HttpUrl(path="/x", regex="we+l", regex_no_match=bool(unwanted))))
    assert trial.attempt(*response(HEAD, body))[1] == ([UP] if up else [f"Regex match failed server {RS}.", DOWN])


def test_status_and_digest_are_judged_before_the_pattern() -> None:
    trial = Trial(http(HttpUrl(path="/x", regex="z", digest=bytes(16))))
    assert trial.attempt(*response(b"HTTP/1.0 500 X\r\n\r\n"))[1][0] == f"HTTP status code error to server {RS}."
    trial = Trial(http(HttpUrl(path="/x", regex="z", digest=bytes(16))))
    assert trial.attempt(*response(HEAD, b"z"))[1][0] == f"MD5 digest error to server {RS}."


def test_a_header_that_comes_with_the_body_is_searched_as_well() -> None:
    """As keepalived does it; of a response without a body nothing is searched."""
    assert Trial(http(HttpUrl(path="/x", regex="Server"))).attempt(*response(HEAD + b"z"))[1] == [UP]
    assert Trial(http(HttpUrl(path="/x", regex="Server"))).attempt(*response(HEAD, b"z"))[1][1] == DOWN
    assert Trial(http(HttpUrl(path="/x", regex="Server"))).attempt(*response(HEAD))[1][1] == DOWN


def test_a_search_that_was_given_up_is_said_once() -> None:
    trial = Trial(http(HttpUrl(path="/x", regex="(a+)+$")))
    bad = response(HEAD, b"a" * 40 + b"!x")
    first = trial.attempt(*bad)[1]
    assert first[0].startswith(f"http_check for RS {RS} VS {VS} url /x: the search for regex was given up: it took")
    assert first[1:] == [f"Regex match failed server {RS}.", DOWN]
    assert trial.attempt(*bad)[1] == []


def test_a_length_that_lies_is_said_once() -> None:
    trial = Trial(http(HttpUrl(path="/x")))
    lies = response(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n", b"hello")
    line = f"http_check for RS {RS} VS {VS} url /x: content_length (9) does not match received bytes (5)"
    assert trial.attempt(*lies)[1] == [line, UP]
    assert trial.attempt(*lies)[1] == []


def test_nothing_came_and_something_came_are_told_apart() -> None:
    for pieces, line in (([], "Timeout WEB read"), ([HEAD], "Timeout HTTP read")):
        trial = Trial(http(HttpUrl(path="/x")))
        trial.attempt(Connected(), *map(DataReceived, pieces))
        trial.now += 5 * SECOND
        trial.tell(Tick())
        assert trial.lines()[0] == f"{line} server {RS}."


@pytest.mark.parametrize(
    ("enable", "sni_name", "virtualhost", "told"),
    [
        (False, None, "shop", None),
        (True, None, "shop", "shop"),
        (True, "own", "shop", "own"),
        (True, None, None, None),
    ],
)
def test_the_name_that_is_told(enable: bool, sni_name: str | None, virtualhost: str | None, told: str | None) -> None:
    url = HttpsUrl(path="/x", virtualhost=virtualhost, tls_compliant=True)
    trial = Trial(https(url, HttpsUrl(path="/y"), enable_sni=enable, sni_name=sni_name))
    assert trial.tell(Tick()) == [OpenSession(told, compliant=True)]
    for event in response(HEAD):
        trial.tell(event)
    trial.now = trial.checker.next_deadline()
    assert trial.tell(Tick()) == [OpenSession(sni_name, compliant=False)]


RESET = ConnectionFailed("Connection reset by peer")


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([RESET], f"Connection failed server {RS}."),
        ([HandshakeFailed("x")], f"SSL handshake/communication error connecting to server {RS}."),
        ([Connected(), PeerClosed()], f"SSL read error from server {RS}."),
        ([Connected(), RESET], f"Read, no data received from  server {RS}."),
        ([Connected(), DataReceived(b"HTTP/1.0 2"), RESET], f"Read, no data received from  server {RS}."),
        ([Connected(), DataReceived(HEAD), RESET], UP),
        ([Connected(), DataReceived(HEAD), PeerClosed()], UP),
    ],
)
def test_how_a_session_ends(events: list[CheckEvent], line: str) -> None:
    """A response that has come is judged, however its session ended."""
    trial = Trial(https(HttpsUrl(path="/x")))
    assert trial.attempt(*events)[1][0] == line


def test_over_tls_the_whole_response_has_connect_timeout() -> None:
    trial = Trial(https(HttpsUrl(path="/x")))
    trial.attempt(Connected(), DataReceived(HEAD))
    trial.now += 4 * SECOND
    trial.tell(DataReceived(b"x"))
    trial.now += SECOND
    trial.tell(Tick())
    assert trial.lines() == [f"Timeout SSL read server {RS}.", DOWN]


def test_while_this_process_holds_it_up_a_server_s_time_stands_still_and_the_watch_s_goes_on() -> None:
    trial = Trial(https(HttpsUrl(path="/x")))
    trial.attempt(HeldUp())
    alarm_at = trial.checker.overdue_at()
    for _ in range(4):
        trial.now += 9 * SECOND
        trial.tell(Tick())
        assert trial.checker.overdue_at() == alarm_at
        assert trial.checker.next_deadline() > trial.now
    trial.tell(WentOn())
    trial.now += 5 * SECOND - 1
    trial.tell(Tick())
    assert trial.lines() == []
    trial.now += 1
    trial.tell(Tick())
    assert trial.lines() == [f"Timeout connecting server {RS}.", DOWN]
