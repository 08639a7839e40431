"""A checker: one probe run again and again, and what is believed of the server by it.

It knows no socket and no clock, and draws nothing: its owner passes the time of the first try, warm-up included.
"""

from pykeepalived.checkers.belief import Belief, Verdict
from pykeepalived.checkers.dns import DnsProbe
from pykeepalived.checkers.effects import CheckEffect, CloseConnection, OpenConnection, ServerJudged
from pykeepalived.checkers.events import CheckEvent
from pykeepalived.checkers.http import HttpProbe
from pykeepalived.checkers.ping import PingProbe
from pykeepalived.checkers.probe import OPEN, Failed, Impossible, Names, Outcome, Passed, Probe, Remark
from pykeepalived.checkers.report import NOT_YET, CheckReport, grace
from pykeepalived.checkers.smtp import SmtpProbe
from pykeepalived.checkers.tcp import TcpProbe
from pykeepalived.checkers.udp import UdpProbe
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.config.blocks.checkers import DnsCheck, PingCheck, SmtpCheck, TcpCheck, UdpCheck
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import Tick

_NOTHING: list[CheckEffect] = []
_OPEN: list[CheckEffect] = [OpenConnection()]
_HANG_UP: list[CheckEffect] = [CloseConnection()]


class Checker(Belief):
    """What is believed of a server, and how that comes about: ``handle`` facts, ask ``next_deadline`` when to tell it a
    Tick. While it is not ``running``, its owner may move ``due_at``, the time of its next try, somewhat.
    """

    __slots__ = (
        "_began_at",
        "_ended_at",
        "_excused",
        "_names",
        "_outcome",
        "_probe",
        "_remark",
        "_said_impossible",
        "_took",
        "_was_excused",
        "due_at",
        "running",
    )

    offset = 0  # no probe moves the weight

    def __init__(self, check: CheckerBlock, names: Names, first_at: int, former: "Checker | None" = None) -> None:
        """``former`` is the checker of the configuration before, whose belief is kept."""
        super().__init__(check.timing)
        self._names = names
        self._probe = probe_of(check, names)
        self.running = False
        self.due_at = first_at
        self._said_impossible = ""  # why a try could not be made, as it was said
        self._remark = ""
        self._excused = False  # a failure of the try at hand does not count
        self._was_excused = False  # nor did that of the one before: the next one counts
        self._began_at = 0
        self._ended_at: int | None = None
        self._took = 0
        self._outcome: Outcome | None = None
        if former is not None:
            self.up = former.up
            self.has_run = former.has_run
            self.failures = min(former.failures, check.timing.retry)
            self._ended_at, self._took, self._outcome = former._ended_at, former._took, former._outcome
            if self.has_run and not self.up:
                self._probe.believed_down()

    def next_deadline(self) -> int:
        """When a Tick is wanted."""
        return self._probe.next_deadline() if self.running else self.due_at

    def overdue_at(self) -> int:
        """From when on that nothing has happened is an alarm."""
        return self._promised_at() + grace(self.timing.delay_loop)

    def _promised_at(self) -> int:
        """The next deadline, and nothing is an excuse."""
        held = self._probe.held if self.running and isinstance(self._probe, HttpProbe) else 0
        return self.next_deadline() - held

    def stood_still(self) -> bool:
        """The process did not run for a while: a failure of the try at hand, if there is one, does not count; but never
        two in a row, or a machine that stands still again and again would keep dead servers for ever.
        """
        self._excused = self.running and not self._was_excused
        return self.running

    def report(self) -> CheckReport:
        """What it remembers."""
        names = self._names
        return CheckReport(
            self._probe.failure_name,
            names.real_server,
            names.virtual_server,
            self.up,
            _words(self._outcome),
            None if self._ended_at is None else self._ended_at - self._took,
            self._took,
            self._began_at if self.running else None,
            self._promised_at(),
        )

    def handle(self, event: CheckEvent, now: int) -> list[CheckEffect]:
        """Take a fact; answer with orders."""
        if self.running:
            steps = self._probe.handle(event, now)
            if not steps:
                return _NOTHING
            if len(steps) == 2 and isinstance(passed := steps[1], Passed) and passed.whole and self._is_settled():
                self._ended(passed, now)
                self.due_at = now + self.timing.delay_loop
                return _HANG_UP
        elif isinstance(event, Tick) and now >= self.due_at:
            self.running = True
            self._began_at = now
            steps = self._probe.begin(now)
            if steps is OPEN:
                return _OPEN
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
            elif isinstance(step, Remark):
                if step.text != self._remark:
                    self._remark = step.text
                    where = f"RS {self._names.real_server} VS {self._names.virtual_server}"
                    effects.append(self._log(f"{step.check} for {where} {step.text}"))
            else:
                effects.append(step)
        return effects

    def _is_settled(self) -> bool:
        """Another success changes nothing: so it is with nearly all."""
        return (
            self.up
            and self.has_run
            and not (self.failures or self._excused or self._was_excused or self._said_impossible)
        )

    def _ended(self, outcome: Outcome, now: int) -> None:
        self.running = False
        self._outcome = outcome
        self._ended_at = now
        self._took = now - self._began_at
        self._began_at = 0  # a number less to keep

    def _passed(self, outcome: Passed, now: int, effects: list[CheckEffect]) -> None:
        self._ended(outcome, now)
        self._excused = self._was_excused = False
        self._said_impossible = ""
        self.due_at = now + self.timing.delay_loop
        if not outcome.whole:
            self.failures = 0
            if outcome.line and not self.up:
                effects.append(self._log(outcome.line))
            if self._probe.hurries and not (self.up and self.has_run):
                self.due_at = now
            return
        was_up = self.up
        if self.passed() is Verdict.AS_BEFORE:
            return
        if outcome.line and not was_up:
            effects.append(self._log(outcome.line))
        if line := self._probe.success_line:
            effects.append(self._log(line))
        effects.append(ServerJudged(True, not was_up, f"{self._probe.failure_name} of {self._names.target} succeeded"))

    def _failed(self, outcome: Failed, now: int, effects: list[CheckEffect]) -> None:
        self._ended(outcome, now)
        self._said_impossible = ""
        self._was_excused, self._excused = self._excused, False
        if self._was_excused:
            self.due_at = now
            line = f"{outcome.line} This process stood still meanwhile: tried again."
            effects.append(self._log(line, outcome.reason, detail=True))
            return
        timing = self.timing
        first = not self.has_run
        was_up = self.up
        verdict = self.failed()
        retries = 0 if first else timing.retry
        final = self._probe.verdict_line(outcome.line, retries) if verdict is Verdict.DOWN else ""
        if (first or was_up) and not final.startswith(outcome.line):
            effects.append(self._log(outcome.line, outcome.reason, detail=not timing.log_all_failures))
        if verdict is Verdict.RETRY:
            self.due_at = now + timing.delay_before_retry
            return
        self.due_at = now + max(timing.delay_loop, self._probe.pause_when_down)
        self._probe.believed_down()
        if verdict is Verdict.DOWN:
            effects.append(self._log(final, outcome.reason))
            if was_up or not self._probe.silent_when_down:
                effects.append(ServerJudged(False, was_up, f"{self._probe.failure_name}: {outcome.reason}"))

    def _impossible(self, outcome: Impossible, now: int, effects: list[CheckEffect]) -> None:
        self._ended(outcome, now)
        self._excused = False
        self.due_at = now + self.timing.delay_loop
        if outcome.line != self._said_impossible:
            self._said_impossible = outcome.line
            names = self._names
            whose = f"Service {names.real_server} for VS {names.virtual_server}"
            line = f"{outcome.line} {whose} stays {'up' if self.up else 'down'} until it can be checked."
            effects.append(self._log(line, detail=outcome.shared, level=Level.WARNING))

    def _log(self, line: str, cause: str = "", *, detail: bool = False, level: Level = Level.INFO) -> Log:
        names = self._names
        fields: tuple[tuple[str, str], ...] = (
            ("VIRTUAL_SERVER", names.virtual_server),
            ("REAL_SERVER", names.real_server),
        )
        if cause:
            fields += (("CAUSE", cause),)
        return Log(line, level, Kind.CHECK, detail, fields)


def probe_of(check: CheckerBlock, names: Names) -> Probe:
    """The probe that a checker block of the configuration asks for."""
    if isinstance(check, TcpCheck):
        return TcpProbe(check, names)
    target = names.target
    if isinstance(check, UdpCheck):
        return UdpProbe(check, target)
    if isinstance(check, DnsCheck):
        return DnsProbe(check, target)
    if isinstance(check, PingCheck):
        return PingProbe(check, target, names.virtual_server)
    if isinstance(check, SmtpCheck):
        return SmtpProbe(check, target)
    return HttpProbe(check, target)


def _words(outcome: Outcome | None) -> str:
    match outcome:
        case None:
            return NOT_YET
        case Passed():
            return outcome.line or "succeeded"
        case Failed():
            return f"failed: {outcome.reason}"
        case Impossible():
            return f"not tried: {outcome.line}"
