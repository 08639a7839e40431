"""A checker: one probe run again and again, and what is believed of the server by it.

It knows no socket and no clock, and draws nothing: its owner passes the time of the first try, warm-up included.
"""

from dataclasses import dataclass

from pykeepalived.checkers.belief import Belief, Verdict
from pykeepalived.checkers.effects import CheckEffect, ServerJudged
from pykeepalived.checkers.events import CheckEvent
from pykeepalived.checkers.http import HttpProbe
from pykeepalived.checkers.probe import Failed, Impossible, Passed, Probe
from pykeepalived.checkers.tcp import TcpProbe
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.config.blocks.checkers import TcpCheck
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import Tick

_NOTHING: list[CheckEffect] = []


@dataclass(frozen=True, slots=True)
class Names:
    """How a checker's target and servers are called in logs."""

    target: str
    real_server: str
    virtual_server: str


class Checker:
    """``handle`` facts, ask ``next_deadline`` when to tell it a Tick."""

    __slots__ = ("_belief", "_due_at", "_names", "_probe", "_running", "_said_impossible", "_timing")

    offset = 0  # no probe moves the weight

    def __init__(self, check: CheckerBlock, names: Names, first_at: int, former: "Checker | None" = None) -> None:
        """``former`` is the checker of the configuration before, whose belief is kept."""
        self._names = names
        self._timing = check.timing
        self._belief = Belief(check.timing)
        self._probe = probe_of(check, names.target)
        self._running = False
        self._due_at = first_at
        self._said_impossible = False
        if former is not None:
            self._belief.up = former._belief.up
            self._belief.has_run = former._belief.has_run
            self._belief.failures = min(former._belief.failures, check.timing.retry)
            if self._belief.has_run and not self._belief.up:
                self._probe.believed_down()

    @property
    def up(self) -> bool:
        """What is believed now."""
        return self._belief.up

    @property
    def has_run(self) -> bool:
        """Whether that was ever shown."""
        return self._belief.has_run

    def next_deadline(self) -> int:
        """When a Tick is wanted."""
        return self._probe.next_deadline() if self._running else self._due_at

    def handle(self, event: CheckEvent, now: int) -> list[CheckEffect]:
        """Take a fact; answer with orders."""
        if self._running:
            steps = self._probe.handle(event, now)
        elif isinstance(event, Tick) and now >= self._due_at:
            self._running = True
            steps = self._probe.begin(now)
        else:
            return _NOTHING
        effects: list[CheckEffect] = []
        for step in steps:
            if isinstance(step, Passed):
                self._passed(step, now, effects)
            elif isinstance(step, Failed):
                self._failed(step, now, effects)
            elif isinstance(step, Impossible):
                self._impossible(step, now, effects)
            else:
                effects.append(step)
        return effects

    def _passed(self, outcome: Passed, now: int, effects: list[CheckEffect]) -> None:
        self._running = False
        self._said_impossible = False
        self._due_at = now + self._timing.delay_loop
        belief = self._belief
        if not outcome.whole:
            belief.failures = 0
            if not belief.up:
                if outcome.line:
                    effects.append(self._log(outcome.line))
                if self._probe.hurries:
                    self._due_at = now
            return
        was_up = belief.up
        if belief.passed() is Verdict.AS_BEFORE:
            return
        if outcome.line and not was_up:
            effects.append(self._log(outcome.line))
        effects.append(self._log(self._probe.success_line))
        effects.append(ServerJudged(True, not was_up, f"{self._probe.failure_name} of {self._names.target} succeeded"))

    def _failed(self, outcome: Failed, now: int, effects: list[CheckEffect]) -> None:
        self._running = False
        self._said_impossible = False
        timing = self._timing
        first = not self._belief.has_run
        was_up = self._belief.up
        verdict = self._belief.failed()
        if first or was_up:
            effects.append(self._log(outcome.line, outcome.reason, detail=not timing.log_all_failures))
        if verdict is Verdict.RETRY:
            self._due_at = now + timing.delay_before_retry
            return
        self._due_at = now + max(timing.delay_loop, self._probe.pause_when_down)
        self._probe.believed_down()
        if verdict is Verdict.DOWN:
            end = f"after {timing.retry} retries." if timing.retry and not first else ""
            failure = f"{self._probe.failure_name} on service {self._names.target} failed"
            effects.append(self._log(f"{failure} {end}" if end else f"{failure}.", outcome.reason))
            effects.append(ServerJudged(False, was_up, f"{self._probe.failure_name}: {outcome.reason}"))

    def _impossible(self, outcome: Impossible, now: int, effects: list[CheckEffect]) -> None:
        self._running = False
        self._due_at = now + self._timing.delay_loop
        if not self._said_impossible:
            self._said_impossible = True
            effects.append(self._log(outcome.line, detail=outcome.shared, level=Level.WARNING))

    def _log(self, line: str, cause: str = "", *, detail: bool = False, level: Level = Level.INFO) -> Log:
        names = self._names
        fields: tuple[tuple[str, str], ...] = (
            ("VIRTUAL_SERVER", names.virtual_server),
            ("REAL_SERVER", names.real_server),
        )
        if cause:
            fields += (("CAUSE", cause),)
        return Log(line, level, Kind.CHECK, detail, fields)


def probe_of(check: CheckerBlock, target: str) -> Probe:
    """The probe that a checker block of the configuration asks for."""
    return TcpProbe(check, target) if isinstance(check, TcpCheck) else HttpProbe(check, target)
