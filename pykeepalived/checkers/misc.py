"""MISC_CHECK: success is a program that ends with status 0. With ``misc_dynamic`` the statuses 2 to 255 are success as
well, and the server's weight is the status less 2.

The next run counts from the start of the last, and never comes before that has ended. A program that could not be run
says nothing of the server.
"""

from pykeepalived.checkers.belief import Belief, Verdict
from pykeepalived.checkers.effects import FollowerEffect, RunCheckScript, ServerJudged, ServerWeighed
from pykeepalived.checkers.probe import Names
from pykeepalived.checkers.report import NOT_YET, CheckReport, grace
from pykeepalived.config.blocks.followers import MiscCheck
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import ScriptExited, Tick
from pykeepalived.units import SECOND

_TO_KILL = 4 * SECOND  # a program whose time is over is gone by then

_WEIGHT_0 = 2  # the status that asks for weight 0; 1 is the one that is always a failure


class MiscChecker:
    """``handle`` facts, ask ``next_deadline`` when to tell it a Tick."""

    __slots__ = (
        "_belief",
        "_check",
        "_due_at",
        "_ended_at",
        "_excused",
        "_names",
        "_result",
        "_running",
        "_said_impossible",
        "_started_at",
        "_status",
        "_took",
        "_was_excused",
        "_weight",
    )

    def __init__(
        self, check: MiscCheck, weight: int, names: Names, first_at: int, former: "MiscChecker | None" = None
    ) -> None:
        """``weight`` is the server's own. ``former`` is the checker of the configuration before: its belief is kept."""
        self._check = check
        self._weight = weight
        self._names = names
        self._belief = Belief(check.timing)
        self._due_at = first_at
        self._running = False
        self._excused = False
        self._was_excused = False
        self._said_impossible = ""  # why it could not be run, as it was said
        self._status = 0  # the last success's, for the weight it asked for
        self._started_at = 0
        self._ended_at: int | None = None
        self._took = 0
        self._result = NOT_YET
        if former is not None:
            self._belief.up = former._belief.up
            self._belief.has_run = former._belief.has_run
            self._belief.failures = min(former._belief.failures, check.timing.retry)
            self._status = former._status
            self._ended_at, self._took, self._result = former._ended_at, former._took, former._result

    def recall(self, up: bool, status: int) -> None:
        """What a process that died believed, and the status that the weight is from."""
        self._belief.recall(up)
        self._status = status

    @property
    def status(self) -> int:
        """The status that the weight is from; 0 where it is the server's own."""
        return self._status if self.offset else 0

    @property
    def up(self) -> bool:
        """What is believed now."""
        return self._belief.up

    @property
    def has_run(self) -> bool:
        """Whether that was ever shown."""
        return self._belief.has_run

    @property
    def offset(self) -> int:
        """What it adds to the server's weight."""
        return self._status - _WEIGHT_0 - self._weight if self._check.misc_dynamic and self._status else 0

    def next_deadline(self) -> int | None:
        """When a Tick is wanted; none while the program runs: its end is told."""
        return None if self._running else self._due_at

    def overdue_at(self) -> int:
        """From when on that nothing has happened is an alarm."""
        due_at = self._started_at + self._check.timeout + _TO_KILL if self._running else self._due_at
        return due_at + grace(self._check.timing.delay_loop)

    def stood_still(self) -> bool:
        """The process did not run for a while: a failure of the run at hand, if there is one, does not count; but never
        two in a row.
        """
        self._excused = self._running and not self._was_excused
        return self._running

    def report(self) -> CheckReport:
        """What it remembers."""
        return CheckReport(
            "MISC_CHECK",
            self._names.real_server,
            self._names.virtual_server,
            self.up,
            self._result,
            None if self._ended_at is None else self._ended_at - self._took,
            self._took,
            self._started_at if self._running else None,
            self._started_at + self._check.timeout if self._running else self._due_at,
        )

    def handle(self, event: Tick | ScriptExited, now: int) -> list[FollowerEffect]:
        """Time has passed, or the program has ended."""
        if isinstance(event, Tick):
            if self._running or now < self._due_at:
                return []
            self._running = True
            self._started_at = now
            return [RunCheckScript(self._check.misc_path, self._check.timeout)]
        if not self._running:
            return []
        effects: list[FollowerEffect] = []
        self._running = False
        self._ended_at = now
        self._took = now - self._started_at
        excused, self._excused = self._excused, False
        self._was_excused = False
        if event.obstacle:
            self._impossible(event.obstacle, now, effects)
            return effects
        self._said_impossible = ""
        if self._is_success(event):
            self._passed(event.status or 0, now, effects)
        elif excused:
            self._was_excused = True
            self._result = "failed while this process stood still: not counted"
            self._due_at = now
        else:
            self._failed(event, now, effects)
        return effects

    def _is_success(self, event: ScriptExited) -> bool:
        if event.status is None:
            return False
        return event.status == 0 or (self._check.misc_dynamic and event.status >= _WEIGHT_0)

    def _passed(self, status: int, now: int, effects: list[FollowerEffect]) -> None:
        self._again(self._check.timing.delay_loop, now)
        before, self._status = self.offset, status
        offset = self.offset
        self._result = f"succeeded (exited with status {status})" if status else "succeeded"
        if offset != before:
            effects.append(ServerWeighed(offset))
        was_up = self._belief.up
        if self._belief.passed() is Verdict.AS_BEFORE:
            return
        effects.append(self._log(f"{self._subject()} succeeded."))
        effects.append(ServerJudged(True, not was_up, f"MISC_CHECK {self._program()} succeeded"))

    def _failed(self, event: ScriptExited, now: int, effects: list[FollowerEffect]) -> None:
        timing = self._check.timing
        was_up = self._belief.up
        verdict = self._belief.failed()
        how, suffix = _how(event)
        self._result = how + suffix
        if verdict is Verdict.RETRY:
            self._again(timing.delay_before_retry, now)
            if timing.log_all_failures:
                line = f"{self._subject()} {how}{self._retries_to_come()}{suffix}."
                effects.append(self._log(line, self._result))
            return
        self._again(timing.delay_loop, now)
        if verdict is Verdict.DOWN:
            effects.append(self._log(f"{self._subject()} {how}{_retries_done(timing.retry)}{suffix}.", self._result))
            effects.append(ServerJudged(False, was_up, f"MISC_CHECK {self._program()} {self._result}"))
            if self.offset:
                # the server comes back with its own weight; of one that is out nobody needs to hear it
                self._status = 0
                effects.append(ServerWeighed(0, silent=True))

    def _impossible(self, obstacle: str, now: int, effects: list[FollowerEffect]) -> None:
        self._again(self._check.timing.delay_loop, now)
        self._result = f"could not be run: {obstacle}"
        if obstacle != self._said_impossible:
            self._said_impossible = obstacle
            state = "up" if self.up else "down"
            line = f"{self._subject()} cannot be run: {obstacle}. The service stays {state} until it can."
            effects.append(self._log(line, self._result, level=Level.ERROR))

    def _again(self, pause: int, now: int) -> None:
        self._due_at = max(now, self._started_at + pause)

    def _retries_to_come(self) -> str:
        failures, retry = self._belief.failures, self._check.timing.retry
        return f", will do {_retries(retry)}" if failures == 1 else f" on retry {failures - 1}/{retry}"

    def _program(self) -> str:
        return self._check.misc_path.argv[0]

    def _subject(self) -> str:
        names = self._names
        return f"Misc check for [{names.real_server} VS {names.virtual_server}] by [{self._program()}]"

    def _log(self, line: str, cause: str = "", *, level: Level = Level.INFO) -> Log:
        fields: tuple[tuple[str, str], ...] = (
            ("VIRTUAL_SERVER", self._names.virtual_server),
            ("REAL_SERVER", self._names.real_server),
        )
        if cause:
            fields += (("CAUSE", cause),)
        return Log(line, level, Kind.CHECK, fields=fields)


def _how(event: ScriptExited) -> tuple[str, str]:
    """In keepalived's words: what became of it, and what goes behind the retries."""
    if event.status is not None:
        return "failed", f" (exited with status {event.status})"
    if event.timed_out:
        return "timed out", ""
    return "failed", f" (due to signal {event.signal})"


def _retries_done(retry: int) -> str:
    """As keepalived has it: also where the first failure of all was believed at once."""
    return f" after {_retries(retry)}" if retry else " with retry disabled"


def _retries(count: int) -> str:
    return "1 retry" if count == 1 else f"{count} retries"
