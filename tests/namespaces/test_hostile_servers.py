"""Checks over TCP and TLS against servers of every bad kind: the right verdict, the right line, in bounded time."""

import time

import pytest

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import Beats
from pykeepalived.daemon.check_run import CheckRun, Means
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.transports import Tls
from pykeepalived.effects import Log
from pykeepalived.units import MILLISECOND, SECOND
from tests.config.reading import read
from tests.support import hostile_expected, hostile_servers
from tests.support.names import Names
from tests.support.netns import Network, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

WATCHED = 60 * SECOND  # at most
APART = 4 * MILLISECOND
TIMING = "retry 0\nlog_all_failures\ndelay_loop 3\nconnect_timeout 2\nwarmup 0\n"
RECOVERS = {name for name in hostile_servers.CASES if "-recovers" in name}
FREE = {"tcp-reset-at-once", "smtp-greeting-in-pieces"}  # up or down, by the hair of a moment


class Outcome:
    """What one checker told."""

    def __init__(self, *, recovers: bool) -> None:
        self.recovers = recovers
        self.verdicts: list[bool] = []
        self.lines: list[str] = []

    def judged(self, verdict: ServerJudged | ServerWeighed) -> None:
        assert isinstance(verdict, ServerJudged)
        self.verdicts.append(verdict.up)

    def done(self) -> bool:
        """Nothing more is asked of it."""
        return bool(self.verdicts) and (not self.recovers or any(" success to " in line for line in self.lines))

    def log(self, line: Log) -> None:
        self.lines.append(line.message)


def target(name: str) -> str:
    return f"[{hostile_servers.address(name)}]:tcp:{hostile_servers.PORT}"


@pytest.fixture(scope="module")
def round_() -> dict[str, Outcome]:
    """All cases side by side for a while."""
    (virtual,) = read(hostile_servers.config(TIMING)).configuration.virtual_server
    outcomes = {name: Outcome(recovers=name in RECOVERS) for name in hostile_servers.CASES}
    errors: list[Exception] = []
    turns: list[int] = []

    def watch() -> None:
        reactor = Reactor(errors.append)
        beats, attempts = Beats(reactor), Attempts(reactor)
        tls = Tls(reactor, None, lambda line: errors.append(ValueError(line.message)))
        runs: list[CheckRun] = []
        for (name, outcome), server in zip(outcomes.items(), virtual.real_server, strict=True):
            (check,) = server.probes
            checker = Checker(check, Names(target(name), target(name), "VS"), reactor.now() + len(runs) * APART)
            means = Means(beats, attempts, outcome.log, lambda _cause: None, tls)
            runs.append(CheckRun(means, check, checker, outcome.judged))
        end_at = reactor.now() + WATCHED
        while reactor.now() < end_at and not all(map(Outcome.done, outcomes.values())):
            began = time.thread_time_ns()
            reactor.turn()
            turns.append(time.thread_time_ns() - began)
        for run in runs:
            run.close()
        reactor.close()

    with Network() as network:
        host = network.host("checker")
        with hostile_servers.serving(host):
            host.inside(watch)
    assert errors == []
    assert max(turns) < SECOND // 2
    return outcomes


LINES = hostile_expected.lines()
GOOD = ("Remote ", "TCP connection to {} success.")


def test_every_server_has_its_line() -> None:
    assert set(LINES) | hostile_expected.either() | RECOVERS | FREE == set(hostile_servers.CASES)
    assert len(LINES) > 200


@pytest.mark.parametrize("name", sorted(LINES))
def test_the_verdict_and_the_line_are_right(round_: dict[str, Outcome], name: str) -> None:
    outcome = round_[name]
    said = [line for line in outcome.lines if not line.startswith("http_check for ")]
    address, port = hostile_servers.address(name), hostile_servers.PORT
    there = f"[{address}]:{port}" if LINES[name].startswith("SMTP_CHECK") else target(name)
    assert said[:1] == [LINES[name].format(there)], outcome.lines
    assert outcome.verdicts == [LINES[name].startswith(GOOD)]


@pytest.mark.parametrize("name", sorted(hostile_expected.either()))
def test_a_server_that_goes_at_once_is_down(round_: dict[str, Outcome], name: str) -> None:
    assert round_[name].verdicts == [False]


@pytest.mark.parametrize("name", sorted(RECOVERS))
def test_a_server_that_recovers_is_asked_again(round_: dict[str, Outcome], name: str) -> None:
    """All of it after delay_before_retry and delay_loop: within the time watched the first good answer is told."""
    shown = (
        "Regex match"
        if "regex" in name or "whole" in name
        else "MD5 digest"
        if "digest" in name
        else "HTTP status code"
    )
    assert round_[name].verdicts[:1] == [False]
    assert f"{shown} success to {target(name)} url(/)" in round_[name].lines
