"""SMTP_CHECK: the dialogue, and every way it can go wrong."""

from ipaddress import ip_address

import pytest

from pykeepalived.checkers.effects import CloseConnection, SendBytes
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    LocalFailure,
    PeerClosed,
)
from pykeepalived.config.blocks.checkers import CheckTiming, SmtpCheck, Target
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from tests.support.trial import RS, Trial

SERVER = "server [127.0.0.11]:25"
TARGET = Target(ip_address("127.0.0.11"), 25, connect_timeout=5 * SECOND)
TIMING = CheckTiming(retry=0, delay_loop=10 * SECOND, log_all_failures=True)

GREETING, HELO, BYE = DataReceived(b"220 mail\r\n"), DataReceived(b"250 well\r\n"), DataReceived(b"221 bye\r\n")


def smtp(timing: CheckTiming = TIMING) -> SmtpCheck:
    return SmtpCheck(target=TARGET, timing=timing, helo_name="probe.example")


@pytest.mark.keyword("virtual_server.real_server.SMTP_CHECK.helo_name")
def test_the_dialogue() -> None:
    trial = Trial(smtp())
    trial.begin()
    assert trial.tell(Connected()) == [SendBytes(b"")]
    assert trial.tell(GREETING) == [SendBytes(b"HELO probe.example\r\n")]
    assert trial.tell(HELO) == [SendBytes(b"QUIT\r\n")]
    assert trial.tell(BYE)[0] == CloseConnection()
    assert trial.lines() == [f"Remote SMTP server {RS} succeed on service."]
    assert trial.attempt(Connected(), GREETING, HELO, DataReceived(b"whatever\n"))[1] == []


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([ConnectionFailed("Connection refused")], "Could not connect to"),
        ([Connected(), PeerClosed()], "Read failure from"),
        ([Connected(), ConnectionFailed("Connection reset by peer")], "Read failure from"),
        ([Connected(), DataReceived(b"220-mail\r\n220 more\r\n")], "Bad greeting banner from"),
        ([Connected(), DataReceived(b"554 no\r\n")], "Bad greeting banner from"),
        ([Connected(), DataReceived(b"220 " + b"x" * 600)], "Bad greeting banner from"),
        ([Connected(), GREETING, DataReceived(b"250-mail\r\n250 more\r\n")], "Bad HELO response from"),
        ([Connected(), GREETING, DataReceived(b"550 no\r\n")], "Bad HELO response from"),
        ([Connected(), GREETING, PeerClosed()], "Read failure from"),
        ([Connected(), GREETING, HELO, PeerClosed()], "Read failure from"),
        ([Connected(), GREETING, HELO, DataReceived(b"x" * 600)], "Read failure from"),
    ],
)
def test_failures_say_where(events: list[CheckEvent], line: str) -> None:
    assert Trial(smtp()).attempt(*events)[1] == [f"SMTP_CHECK {line} {SERVER}"]


def test_what_comes_too_early_is_no_answer() -> None:
    trial = Trial(smtp())
    early = DataReceived(b"220 mail\r\n250 well\r\n221 bye\r\n")
    assert trial.attempt(Connected(), early)[1] == []
    trial.now += 5 * SECOND
    trial.tell(Tick())
    assert trial.lines() == [f"SMTP_CHECK Read timeout from {SERVER}"]


def test_each_wait_and_the_whole_are_bounded() -> None:
    trial = Trial(smtp())
    trial.begin()
    assert trial.checker.next_deadline() == 5 * SECOND
    trial.now = 5 * SECOND
    trial.tell(Tick())
    assert trial.lines() == [f"SMTP_CHECK Connection timeout to {SERVER}"]
    trial = Trial(smtp())
    trial.attempt(Connected())
    for _ in range(3):
        trial.now += 4 * SECOND
        trial.tell(DataReceived(b"2"))
    trial.now = trial.checker.next_deadline()
    trial.tell(Tick())
    assert trial.lines() == [f"SMTP_CHECK Read timeout from {SERVER}"]
    assert trial.verdicts[-1].reason == "SMTP_CHECK: the greeting did not come within 10 s"


def test_trouble_of_our_own_is_no_failure() -> None:
    trial = Trial(smtp())
    [line] = trial.attempt(LocalFailure("bind", "Cannot assign requested address"))[1]
    assert line.startswith("SMTP_CHECK socket bind failed (Cannot assign requested address). Rescheduling.")
    assert trial.verdicts == []
