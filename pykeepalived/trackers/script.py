"""One vrrp_script: when it runs, and what its results let us believe.

A counter runs from 0 to rise + fall - 1; from ``rise`` on the script counts as up. It starts at rise - 1: the first
result decides at once. With ``init_fail`` it starts at 0, as after a failure. A run that has used up its timeout is
followed by the next as soon as it has ended, so that hanging is noticed as soon as failing.
"""

from dataclasses import dataclass

from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import ScriptExited, Tick


@dataclass(frozen=True, slots=True)
class RunTrackScript:
    """Run the script, and tell its end."""

    script: VrrpScript


@dataclass(frozen=True, slots=True)
class ScriptBelieved:
    """The script counts as up, or down, from now on."""

    name: str
    up: bool
    cause: str


Effect = Log | RunTrackScript | ScriptBelieved


class ScriptTracker:
    """The rise and fall of one script. ``up`` is None until the first result, unless ``init_fail`` says otherwise."""

    __slots__ = ("_counter", "_owed", "_running", "_status", "_timeout_at", "deadline", "script", "up")

    def __init__(self, script: VrrpScript) -> None:
        self.script = script
        self.up: bool | None = False if script.init_fail else None
        self.deadline: int | None = None
        self._counter = 0 if script.init_fail else script.rise - 1
        self._running = False
        self._timeout_at = 0
        self._owed = False  # the next run was due when this one's time was over
        self._status = 0

    def start(self, now: int) -> list[Effect]:
        """The first run is at once."""
        self.deadline = now
        return self.handle(Tick(), now)

    def next_deadline(self) -> int | None:
        """When it runs next."""
        return self.deadline

    def handle(self, event: Tick | ScriptExited, now: int) -> list[Effect]:
        """Time has passed, or a run has ended."""
        effects: list[Effect] = []
        if isinstance(event, Tick):
            self._tick(now, effects)
        else:
            self._running = False
            if event.status is not None or event.signal is not None:  # else nobody knows: it counts as it did
                self._exited(event, effects)
            if self._owed and self.deadline is not None:
                self.deadline = now + self.script.interval
                self._run(now, effects)
        return effects

    def replace(self, script: VrrpScript, now: int) -> list[Effect]:
        """A reload: the belief stays, a shorter interval counts at once."""
        self.script = script
        self._counter = min(self._counter, script.rise + script.fall - 1)
        if self.up is None:
            self._counter = script.rise - 1
        else:
            self._counter = max(self._counter, script.rise) if self.up else min(self._counter, script.rise - 1)
        if self.deadline is not None:
            self.deadline = min(self.deadline, now + script.interval)
        if self.up is None:
            return []
        belief = "successful" if self.up else "unsuccessful"
        return [self._log(f"VRRP_Script({script.name}) considered {belief} on reload")]

    def _tick(self, now: int, effects: list[Effect]) -> None:
        if self.deadline is None or now < self.deadline:
            return
        due_at = self.deadline
        self.deadline += self.script.interval
        if self.deadline <= now:
            self.deadline = now + self.script.interval
        if self._running:
            if now >= self._timeout_at:
                self._owed = True
                return
            message = f"Track script {self.script.name} is already running, expect idle - skipping run"
            effects.append(self._log(message))
            return
        self._run(due_at, effects)

    def _run(self, due_at: int, effects: list[Effect]) -> None:
        self._running = True
        self._owed = False
        self._timeout_at = due_at + self.script.timeout
        effects.append(RunTrackScript(self.script))

    def _exited(self, event: ScriptExited, effects: list[Effect]) -> None:
        name = self.script.name
        if event.status is not None:  # also one that ended by itself after it was told to
            if event.status != self._status:
                self._status = event.status
                effects.append(self._log(f"Script `{name}` now returning {event.status}"))
            success = event.status == 0
            how, cause = f"failed (exited with status {event.status})", f"exited with status {event.status}"
        elif event.timed_out:
            success, how, cause = False, "timed_out", "took longer than its timeout"
        else:
            success = False
            how, cause = f"failed (due to signal {event.signal})", f"died of signal {event.signal}"
        script = self.script
        if success:
            full = script.rise + script.fall - 1
            self._counter = full if self.up or self._counter + 1 >= script.rise else self._counter + 1
            if not self.up and self._counter >= script.rise:
                self.up = True
                effects.append(self._log(f"VRRP_Script({name}) succeeded"))
                effects.append(ScriptBelieved(name, up=True, cause=f"script {name} succeeds"))
            return
        self._counter = self._counter - 1 if self.up else 0
        if self.up is None or (self.up and self._counter < script.rise):
            self.up = False
            self._counter = 0
            effects.append(self._log(f"VRRP_Script({name}) {how}"))
            effects.append(ScriptBelieved(name, up=False, cause=f"script {name} {cause}"))

    @staticmethod
    def _log(message: str) -> Log:
        return Log(message, Level.INFO, Kind.TRACKER)
