"""MISC_CHECK: when the program runs, what its end means, and keepalived's lines to the letter."""

import pytest

from pykeepalived.checkers.effects import FollowerEffect, RunCheckScript, ServerJudged, ServerWeighed
from pykeepalived.checkers.misc import MiscChecker
from pykeepalived.config.blocks.checkers import CheckTiming, MiscCheck
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.effects import Level, Log
from pykeepalived.events import ScriptExited, Tick
from pykeepalived.units import SECOND
from tests.support.names import Names

RS, VS = "[127.0.0.11]:tcp:80", "[10.9.0.100]:tcp:80"
NAMES = Names(RS, RS, VS)
SCRIPT = Script(("/opt/check", "a", "b c"))
SUBJECT = f"Misc check for [{RS} VS {VS}] by [/opt/check]"
FIVE, KILLED = ScriptExited(5), ScriptExited(None, signal=9)
TIMED_OUT = ScriptExited(None, signal=15, timed_out=True)
VANISHED = ScriptExited(127, obstacle="No such file or directory")


def block(*, dynamic: bool = False, timeout: int = 10 * SECOND, **timing: object) -> MiscCheck:
    of_all = {"retry": 0, "delay_before_retry": SECOND, "delay_loop": 10 * SECOND, **timing}
    return MiscCheck(
        misc_path=SCRIPT,
        misc_dynamic=dynamic,
        timeout=timeout,
        timing=CheckTiming(**of_all),  # type: ignore[arg-type]  # names of CheckTiming
    )


class Trial:
    """A checker under simulated time. Its server has weight 10."""

    def __init__(self, check: MiscCheck, former: MiscChecker | None = None, weight: int = 10) -> None:
        self.checker = MiscChecker(check, weight, NAMES, 0, former)
        self.now = 0
        self.started_at: list[int] = []
        self.effects: list[FollowerEffect] = []

    def run(self, event: ScriptExited, took: int = 0) -> list[str]:
        """One run, and the lines it made, with weights and verdicts in their places."""
        deadline = self.checker.next_deadline()
        assert deadline is not None
        self.now = max(self.now, deadline)
        assert self.checker.handle(Tick(), self.now) == [RunCheckScript(SCRIPT, self.checker._check.timeout)]
        self.started_at.append(self.now // SECOND)
        assert self.checker.next_deadline() is None
        self.now += took
        self.effects = self.checker.handle(event, self.now)
        return [_told(effect) for effect in self.effects]


def _told(effect: FollowerEffect) -> str:
    match effect:
        case Log():
            return effect.message
        case ServerWeighed(offset, silent):
            return f"weight {offset:+}{' silently' if silent else ''}"
        case ServerJudged(up, changed):
            return f"{'up' if up else 'down'}{'' if changed else ' as before'}"
        case _:
            return repr(effect)


@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.misc_path")
def test_success_is_told_once() -> None:
    trial = Trial(block())
    assert trial.run(ScriptExited(0)) == [f"{SUBJECT} succeeded.", "up as before"]
    assert trial.run(ScriptExited(0)) == []
    assert trial.started_at == [0, 10]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (FIVE, "failed with retry disabled (exited with status 5)."),
        (ScriptExited(1), "failed with retry disabled (exited with status 1)."),
        (ScriptExited(3, timed_out=True), "failed with retry disabled (exited with status 3)."),
        (KILLED, "failed with retry disabled (due to signal 9)."),
        (TIMED_OUT, "timed out with retry disabled."),
    ],
)
def test_a_failure_takes_the_server_down(event: ScriptExited, line: str) -> None:
    trial = Trial(block())
    assert trial.run(event) == [f"{SUBJECT} {line}", "down"]
    assert trial.run(event) == []
    assert trial.run(ScriptExited(0)) == [f"{SUBJECT} succeeded.", "up"]


def test_one_that_ends_well_when_it_is_told_to_has_succeeded() -> None:
    assert Trial(block()).run(ScriptExited(0, timed_out=True)) == [f"{SUBJECT} succeeded.", "up as before"]


@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.retry")
@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.delay_before_retry")
@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.log_all_failures")
def test_a_living_server_has_its_retries_and_each_can_be_told() -> None:
    trial = Trial(block(retry=2, log_all_failures=True))
    trial.run(ScriptExited(0))
    assert trial.run(FIVE) == [f"{SUBJECT} failed, will do 2 retries (exited with status 5)."]
    assert trial.run(KILLED) == [f"{SUBJECT} failed on retry 1/2 (due to signal 9)."]
    assert trial.run(TIMED_OUT) == [f"{SUBJECT} timed out after 2 retries.", "down"]
    assert trial.run(FIVE) == []
    assert trial.started_at == [0, 10, 11, 12, 22]


def test_a_single_retry_and_no_word_of_tries_unless_asked_for() -> None:
    trial = Trial(block(retry=1))
    trial.run(ScriptExited(0))
    assert trial.run(FIVE) == []
    assert trial.run(FIVE) == [f"{SUBJECT} failed after 1 retry (exited with status 5).", "down"]


def test_the_very_first_failure_is_believed_and_told_as_keepalived_tells_it() -> None:
    trial = Trial(block(retry=2, log_all_failures=True))
    assert trial.run(FIVE) == [f"{SUBJECT} failed after 2 retries (exited with status 5).", "down"]
    assert trial.run(FIVE) == []
    assert trial.started_at == [0, 10]


@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.alpha")
def test_alpha_starts_down() -> None:
    trial = Trial(block(alpha=True))
    assert not trial.checker.up
    assert trial.run(FIVE) == [f"{SUBJECT} failed with retry disabled (exited with status 5).", "down as before"]
    assert trial.run(ScriptExited(0)) == [f"{SUBJECT} succeeded.", "up"]


@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.misc_timeout")
@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.delay_loop")
def test_the_next_run_counts_from_the_start_and_is_never_a_second_one() -> None:
    trial = Trial(block(retry=1, timeout=30 * SECOND))
    trial.run(ScriptExited(0), took=4 * SECOND)
    trial.run(ScriptExited(0), took=25 * SECOND)  # from 10 to 35: it is due already
    assert trial.checker.handle(Tick(), trial.now - 1) == []
    trial.run(FIVE, took=3 * SECOND)  # a retry counts from the start, too
    trial.run(ScriptExited(0))
    assert trial.started_at == [0, 10, 35, 38]


def test_nothing_runs_twice_and_no_end_counts_twice() -> None:
    trial = Trial(block())
    assert len(trial.checker.handle(Tick(), 0)) == 1
    assert trial.checker.handle(Tick(), 100 * SECOND) == []
    trial.checker.handle(ScriptExited(0), SECOND)
    assert trial.checker.handle(ScriptExited(1), SECOND) == []


@pytest.mark.keyword("virtual_server.real_server.MISC_CHECK.misc_dynamic")
def test_dynamic_weights() -> None:
    """As keepalived 2.2.7 had it: the weight before the verdict, and back to the server's own without a word."""
    trial = Trial(block(dynamic=True, retry=1))
    assert trial.run(ScriptExited(7)) == ["weight -5", f"{SUBJECT} succeeded.", "up as before"]
    assert trial.run(ScriptExited(7)) == []
    assert trial.run(ScriptExited(255)) == ["weight +243"]
    assert trial.run(ScriptExited(2)) == ["weight -10"]
    assert trial.run(ScriptExited(0)) == ["weight +0"]
    assert trial.run(ScriptExited(9)) == ["weight -3"]
    assert trial.run(ScriptExited(1)) == []
    assert trial.checker.offset == -3
    assert trial.run(ScriptExited(1)) == [
        f"{SUBJECT} failed after 1 retry (exited with status 1).",
        "down",
        "weight +0 silently",
    ]
    assert trial.run(ScriptExited(9)) == ["weight -3", f"{SUBJECT} succeeded.", "up"]


@pytest.mark.parametrize("end", [KILLED, TIMED_OUT, ScriptExited(1)])
def test_a_weight_is_right_after_a_signal(end: ScriptExited) -> None:
    trial = Trial(block(dynamic=True))
    trial.run(ScriptExited(9))
    assert trial.run(end)[1:] == ["down", "weight +0 silently"]
    assert trial.run(ScriptExited(5))[0] == "weight -7"


def test_without_dynamic_any_status_but_0_is_a_failure() -> None:
    trial = Trial(block())
    assert trial.run(ScriptExited(2))[-1] == "down"
    assert trial.checker.offset == 0


def test_a_program_that_cannot_be_run_says_nothing_of_the_server() -> None:
    trial = Trial(block())
    trial.run(ScriptExited(0))
    line = f"{SUBJECT} cannot be run: No such file or directory. The service stays up until it can."
    assert trial.run(VANISHED) == [line]
    [log] = trial.effects
    assert isinstance(log, Log)
    assert log.level is Level.ERROR
    assert trial.run(VANISHED) == []
    assert trial.checker.report().result == "could not be run: No such file or directory"
    assert trial.run(ScriptExited(0)) == []
    assert trial.run(VANISHED) == [line]
    # one that runs, and ends with a shell's status for that, is a failure
    assert trial.run(ScriptExited(127))[-1] == "down"


def test_a_reload_keeps_what_is_believed_and_the_weight() -> None:
    trial = Trial(block(dynamic=True))
    trial.run(ScriptExited(7))
    after = Trial(block(dynamic=True, retry=3), trial.checker)
    assert (after.checker.up, after.checker.has_run, after.checker.offset) == (True, True, -5)
    assert after.run(ScriptExited(7)) == []
    # status 0 before the reload: the configured weight stays, as keepalived's does not
    trial.run(ScriptExited(0))
    after = Trial(block(dynamic=True), trial.checker)
    assert after.checker.offset == 0
    assert after.run(ScriptExited(0)) == []
    # the weight that the program asked for is the same when the configured one changes
    trial.run(ScriptExited(7))
    assert Trial(block(dynamic=True), trial.checker, weight=3).checker.offset == 2


def test_a_failure_while_the_process_stood_still_does_not_count() -> None:
    trial = Trial(block())
    trial.run(ScriptExited(0))
    trial.now = 10 * SECOND
    trial.checker.handle(Tick(), trial.now)
    assert trial.checker.stood_still()
    trial.now += 3600 * SECOND
    assert trial.checker.handle(TIMED_OUT, trial.now) == []
    assert trial.checker.up
    assert trial.checker.next_deadline() == trial.now  # at once
    assert not trial.checker.stood_still()
    trial.checker.handle(Tick(), trial.now)
    assert trial.checker.stood_still()  # again: two in a row would keep a dead server for ever
    assert trial.checker.handle(TIMED_OUT, trial.now)[-1] == ServerJudged(
        False, True, "MISC_CHECK /opt/check timed out"
    )


def test_what_it_remembers() -> None:
    trial = Trial(block(timeout=4 * SECOND))
    report = trial.checker.report()
    assert (report.check, report.result, report.last_run_at, report.due_at) == ("MISC_CHECK", "not run yet", None, 0)
    assert trial.checker.overdue_at() == 10 * SECOND
    trial.run(TIMED_OUT, took=5 * SECOND)
    report = trial.checker.report()
    assert (report.last_run_at, report.duration, report.due_at) == (0, 5 * SECOND, 10 * SECOND)
    assert (report.up, report.result, report.running_since) == (False, "timed out", None)
    trial.checker.handle(Tick(), 10 * SECOND)
    report = trial.checker.report()
    assert (report.running_since, report.due_at, report.last_run_at) == (10 * SECOND, 14 * SECOND, 0)
    assert trial.checker.overdue_at() == 28 * SECOND  # its end: timeout, the time to kill it, and as long as a loop
