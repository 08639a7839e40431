"""UDP_CHECK, DNS_CHECK and PING_CHECK: what is sent, what decides, and what is said."""

import struct
from dataclasses import replace
from ipaddress import ip_address

import pytest

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import CheckEffect, CloseConnection, OpenConnection, SendBytes, ServerJudged
from pykeepalived.checkers.events import CheckEvent, Connected, ConnectionFailed, DataReceived, LocalFailure
from pykeepalived.config.blocks.checkers import CheckTiming, DnsCheck, PingCheck, Target, UdpCheck
from pykeepalived.config.kinds_lvs import HexPattern
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.wire import dns
from tests.support.names import Names

RS, VS = "[127.0.0.11]:udp:53", "[10.9.0.100]:udp:53"
TARGET = Target(ip_address("127.0.0.11"), 53, connect_timeout=5 * SECOND)
TIMING = CheckTiming(retry=2, delay_before_retry=SECOND, delay_loop=10 * SECOND, log_all_failures=True)
NONCE = 0x1122334455667788
CONNECTED = Connected(NONCE)
SILENCE = Tick()
REFUSED = ConnectionFailed("Connection refused", 111)
UNROUTABLE = ConnectionFailed("Network is unreachable", 101)
NOT_SENT = LocalFailure("send", "Operation not permitted")

UDP = UdpCheck(target=TARGET, timing=TIMING)
PONG = replace(UDP, require_reply=HexPattern(b"PO\x40", b"\xff\xff\xf0"), min_reply_length=2, max_reply_length=6)
ANY = replace(UDP, require_reply=HexPattern())
DNS = DnsCheck(target=TARGET, timing=TIMING, type="A", name="example.org")
PING = PingCheck(TARGET, TIMING)
PING_6 = PingCheck(replace(TARGET, connect_ip=ip_address("fd00::11")), TIMING)

Block = UdpCheck | DnsCheck | PingCheck


class Trial:
    """A checker under simulated time."""

    def __init__(self, block: Block) -> None:
        self.checker = Checker(block, Names(RS, RS, VS), 0)
        self.now = 0
        self.lines: list[str] = []
        self.causes: list[str] = []
        self.verdicts: list[bool] = []
        self.sent: list[bytes] = []

    def tell(self, event: CheckEvent) -> list[CheckEffect]:
        """Tell it, and note what it says."""
        effects = self.checker.handle(event, self.now)
        for effect in effects:
            if isinstance(effect, Log):
                self.lines.append(effect.message)
                self.causes += [value for name, value in effect.fields if name == "CAUSE"]
            elif isinstance(effect, ServerJudged):
                self.verdicts.append(effect.up)
            elif isinstance(effect, SendBytes):
                self.sent.append(effect.data)
        return effects

    def attempt(self, *events: CheckEvent) -> list[CheckEffect]:
        """One try: each fact a millisecond after the other, a Tick when it is due. The last answer."""
        self.now = max(self.now, self.checker.next_deadline())
        assert self.tell(Tick()) == [OpenConnection()]
        answer: list[CheckEffect] = []
        for event in events:
            self.now = self.checker.next_deadline() if event is SILENCE else self.now + 1_000_000
            answer = self.tell(event)
        return answer


def answered(
    flags: int = 0x8180, number: int = NONCE & 0xFFFF, question: bytes = dns.question(DNS.name, DNS.type)
) -> DataReceived:
    return DataReceived(struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0) + question)


def echoed(kind: int = 0, sequence: int = 1, nonce: int = NONCE, code: int = 0, number: int = 9) -> DataReceived:
    return DataReceived(struct.pack(">BBHHHQ", kind, code, 0, number, sequence, nonce))


PASSES: dict[str, tuple[Block, list[CheckEvent]]] = {
    "udp-silence": (UDP, [SILENCE]),
    "udp-any": (UDP, [DataReceived(b"whatever" * 100)]),
    "udp-empty": (UDP, [DataReceived(b"")]),
    "udp-reply": (PONG, [DataReceived(b"PONG")]),
    "udp-wildcard": (PONG, [DataReceived(b"POOL")]),
    "udp-shorter-than-the-pattern": (PONG, [DataReceived(b"PO")]),
    "udp-any-length": (ANY, [DataReceived(b"x" * 300)]),
    "dns": (DNS, [answered()]),
    "dns-truncated": (DNS, [answered(0x8380)]),
    "dns-after-others": (DNS, [answered(number=1), DataReceived(b""), answered(question=b"\0\0\1\0\1"), answered()]),
    "ping": (PING, [echoed()]),
    "ping-other-identifier": (PING, [echoed(number=77)]),  # the kernel's affair
    "ping-after-others": (PING, [echoed(nonce=1), echoed(sequence=2), echoed(8), DataReceived(b""), echoed()]),
    "ping-ipv6": (PING_6, [echoed(0), echoed(129)]),
}
UP = {
    "udp": [f"UDP connection to {RS} success."],
    "dns": [],
    "ping": [f"ICMP connection to {RS} success."],
}


@pytest.mark.parametrize("name", PASSES)
def test_success(name: str) -> None:
    block, events = PASSES[name]
    trial = Trial(block)
    assert CloseConnection() in trial.attempt(CONNECTED, *events)
    assert trial.verdicts == [True]
    assert trial.lines == UP[name.partition("-")[0]]
    trial.attempt(CONNECTED, *([SILENCE] if name == "udp-silence" else []))
    assert trial.verdicts == [True]


FAILED = f"UDP connection to {RS} failed."
MISMATCH = f"UDP check to {RS} reply data mismatch."
FAILURES: dict[str, tuple[Block, list[CheckEvent], str]] = {
    "udp-refused": (UDP, [CONNECTED, REFUSED], FAILED),
    "udp-unroutable": (UDP, [UNROUTABLE], FAILED),
    "udp-not-sent": (UDP, [CONNECTED, NOT_SENT], FAILED),
    "udp-silence": (ANY, [CONNECTED, SILENCE], FAILED),
    "udp-other": (PONG, [CONNECTED, DataReceived(b"GONG")], MISMATCH),
    "udp-short": (PONG, [CONNECTED, DataReceived(b"P")], MISMATCH),
    "udp-long": (PONG, [CONNECTED, DataReceived(b"PONG PONG")], MISMATCH),
    "dns-silence": (DNS, [CONNECTED, SILENCE], f"DNS_CHECK ({RS}) read timeout from socket"),
    "dns-other-id": (DNS, [CONNECTED, answered(number=1), SILENCE], f"DNS_CHECK ({RS}) read timeout from socket"),
    "dns-error": (DNS, [CONNECTED, answered(0x8183)], f"DNS_CHECK ({RS}) read error occurred. (rcode = 3)"),
    "dns-refused": (
        DNS,
        [CONNECTED, REFUSED],
        f"DNS_CHECK ({RS}) failed to read socket; errno 111 (Connection refused)",
    ),
    "dns-unroutable": (DNS, [UNROUTABLE], f"DNS_CHECK ({RS}) network unreachable for [127.0.0.11]:53"),
    "dns-not-sent": (DNS, [CONNECTED, NOT_SENT], f"DNS_CHECK ({RS}) failed to write socket."),
    "ping-silence": (PING, [CONNECTED, SILENCE], f"ICMP connection to address {RS} timeout."),
    "ping-other": (PING, [CONNECTED, echoed(nonce=NONCE ^ 1), SILENCE], f"ICMP connection to address {RS} timeout."),
    "ping-error": (PING, [CONNECTED, UNROUTABLE], f"ICMP connection to address {RS} failed."),
    "ping-not-sent": (PING, [CONNECTED, NOT_SENT], f"ICMP connection to address {RS} failed."),
}
VERDICTS = {
    "udp": (f"UDP_CHECK on service {RS} failed.", f"UDP_CHECK on service {RS} failed after 2 retries."),
    "ping": (f"ICMP CHECK on service {RS} failed.", f"ICMP CHECK on service {RS} of {VS} failed after 2 retries."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_the_first_failure_is_believed(name: str) -> None:
    block, events, line = FAILURES[name]
    trial = Trial(block)
    assert CloseConnection() in trial.attempt(*events)
    assert trial.verdicts == [False]
    kind = name.partition("-")[0]
    assert trial.lines == ([line] if kind == "dns" else [line, VERDICTS[kind][0]])
    assert all(trial.causes)
    trial.attempt(*events)  # of a dead server nothing more is said
    assert len(trial.lines) == (1 if kind == "dns" else 2)


@pytest.mark.parametrize("name", FAILURES)
def test_a_living_server_has_its_retries(name: str) -> None:
    block, events, line = FAILURES[name]
    kind = name.partition("-")[0]
    trial = Trial(block)
    good = {"udp": [DataReceived(b"PONG")], "dns": [answered()], "ping": [echoed()]}[kind]
    trial.attempt(CONNECTED, *good)
    before = len(trial.lines)
    began = trial.now
    for _ in range(3):
        # a reply to an earlier ping would not count
        trial.attempt(*events)
    assert trial.verdicts == [True, False]
    last = [f"{line} after 2 retries"] if kind == "dns" else [line, VERDICTS[kind][1]]
    assert trial.lines[before:] == [line, line, *last]
    assert trial.now - began >= 12 * SECOND


@pytest.mark.parametrize("block", [UDP, DNS, PING])
def test_what_is_our_own_trouble_says_nothing_of_the_server(block: Block) -> None:
    trial = Trial(block)
    trial.attempt(LocalFailure("bind", "Cannot assign requested address"))
    assert trial.verdicts == []
    (line,) = trial.lines
    assert "socket bind failed (Cannot assign requested address). Rescheduling." in line
    trial.attempt(CONNECTED, LocalFailure("send", "No buffer space available", shared=True))
    assert trial.verdicts == []


def test_what_is_sent_over_udp() -> None:
    trial = Trial(UDP)
    trial.attempt(CONNECTED, SILENCE)
    assert trial.sent == [b"keepalived check - keepalived ch"]
    trial = Trial(replace(UDP, payload=b"\1\2"))
    trial.attempt(CONNECTED, SILENCE)
    assert trial.sent == [b"\1\2"]


def test_each_query_has_its_own_id() -> None:
    trial = Trial(DNS)
    trial.attempt(CONNECTED, answered())
    trial.attempt(Connected(5), answered(), SILENCE)  # the answer of the try before
    assert [each[:2] for each in trial.sent] == [b"\x77\x88", b"\0\5"]
    assert trial.lines == [f"DNS_CHECK ({RS}) read timeout from socket"]
    assert trial.causes == ["no answer within 5 s (what came was none: id)"]


def test_each_ping_has_its_own_number_and_nonce() -> None:
    trial = Trial(PING)
    trial.attempt(CONNECTED, echoed())
    trial.attempt(Connected(5), echoed(sequence=2), echoed(nonce=5), echoed(sequence=2, nonce=5))
    first, second = (struct.unpack_from(">BBHHHQ", each) for each in trial.sent)
    assert (first[0], *first[3:]) == (8, 0x7788, 1, NONCE)
    assert (second[0], *second[3:]) == (8, 5, 2, 5)
    assert trial.verdicts == [True]
    assert {len(each) for each in trial.sent} == {136}  # as keepalived's
