"""Whatever a server sends to an HTTP or SMTP check, in whatever pieces: a verdict, and nothing kept that grows."""

import contextlib
import random
from ipaddress import ip_address

import pytest

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    HandshakeFailed,
    PeerClosed,
)
from pykeepalived.config.blocks.checkers import Checker as Block
from pykeepalived.config.blocks.checkers import (
    CheckTiming,
    HttpGet,
    HttpsUrl,
    HttpUrl,
    SmtpCheck,
    SslGet,
    Target,
)
from pykeepalived.errors import DecodeError
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.wire import http, smtp
from tests.support.names import Names

TARGET = Target(ip_address("192.0.2.1"), 80, connect_timeout=SECOND)
TIMING = CheckTiming(retry=1, delay_loop=5 * SECOND, log_all_failures=True)
NAMES = Names("T", "R", "V")
DIGESTED = HttpUrl(path="/", digest=bytes(16))
BLOCKS: list[Block] = [
    HttpGet(target=TARGET, timing=TIMING, url=(HttpUrl(path="/"), DIGESTED)),
    HttpGet(target=TARGET, timing=TIMING, url=(HttpUrl(path="/", regex="(a|b)+c$"),), fast_recovery=True),
    HttpGet(target=TARGET, timing=TIMING, url=(HttpUrl(path="/", regex="é.", regex_options=("utf",)),)),
    SslGet(target=TARGET, timing=TIMING, url=(HttpsUrl(path="/", regex="a.*b", regex_no_match=True),)),
    SmtpCheck(target=TARGET, timing=TIMING, helo_name="probe"),
]
PIECES = (
    *(b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 ", b"200 ", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\0", b"\t"),
    *(b"Content-Length: ", b"7\r\n", b"99999999999999999999", b"-1", b"+5\r\n", b"abc", b"\xc3", b"\xa9x", b"\xff"),
    *(b"220 mail\r\n", b"220-", b"250 well\r\n", b"221 ", b"554 no\r\n", b"x" * 600, b"ab" * 3000),
)


def bytes_of(draw: random.Random) -> bytes:
    if draw.random() < 0.2:
        return draw.randbytes(draw.randrange(1, 80))
    return b"".join(draw.choices(PIECES, k=draw.randrange(1, 6)))


def event_of(draw: random.Random) -> CheckEvent:
    turn = draw.random()
    if turn < 0.80:
        return DataReceived(bytes_of(draw))
    if turn < 0.90:
        return PeerClosed()
    if turn < 0.94:
        return ConnectionFailed("reset")
    return draw.choice((Tick(), Connected(), HandshakeFailed("alert")))


def kept(checker: Checker) -> int:
    """Bytes that the running try holds."""
    probe = checker._probe
    reader = getattr(probe, "_reader", None)
    search = getattr(probe, "_search", None)
    held = len(getattr(reader, "_head", b"")) + len(getattr(reader, "_held", b""))
    return held + len(getattr(search, "_kept", b""))


def talk(draw: random.Random, inputs: int) -> int:
    """So many inputs to all checkers in turn; how many of them came to a verdict."""
    checkers = [Checker(block, NAMES, 0) for block in BLOCKS]
    now = done = 0
    while done < inputs:
        checker = checkers[done % len(checkers)]
        now = max(now, checker.next_deadline())
        checker.handle(Tick(), now)
        checker.handle(Connected(), now)
        for _ in range(draw.randrange(1, 12)):
            now += draw.randrange(SECOND // 2)
            checker.handle(event_of(draw), now)
            done += 1
            assert kept(checker) <= http.HEADER_LIMIT + 65536 + smtp.LINE_LIMIT
    return sum(checker.has_run for checker in checkers)


def test_any_dialogue_comes_to_an_end() -> None:
    assert talk(random.Random(5), 6000) == len(BLOCKS)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_a_million_inputs(seed: int) -> None:
    assert talk(random.Random(seed), 250_000) == len(BLOCKS)


def parse(draw: random.Random) -> None:
    reader = http.ResponseReader(digest=True)
    line = smtp.LineReader()
    for _ in range(draw.randrange(1, 8)):
        data = bytes_of(draw)
        with contextlib.suppress(DecodeError):
            reader.feed(data)
            reader.finish()
        with contextlib.suppress(DecodeError):
            line.feed(data)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_a_million_responses(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(250_000):
        parse(draw)


def test_some_responses() -> None:
    draw = random.Random(9)
    for _ in range(3000):
        parse(draw)
