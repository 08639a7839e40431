"""The vrrp_scripts of the VRRP process: their machines, their alarms, their runs."""

from collections.abc import Callable, Iterable
from functools import partial

from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.reactor import Alarm
from pykeepalived.effects import Log
from pykeepalived.events import ScriptExited, Tick
from pykeepalived.trackers.script import Effect, RunTrackScript, ScriptTracker
from pykeepalived.vrrp.events import TrackScriptChanged


class ScriptTrackers:
    """All scripts that some instance or group follows."""

    def __init__(self, context: ChildContext, believed: Callable[[TrackScriptChanged], None]) -> None:
        self._context = context
        self._believed = believed
        self._trackers: dict[str, tuple[ScriptTracker, Alarm]] = {}

    def replace(self, scripts: Iterable[VrrpScript], followed: frozenset[str]) -> None:
        """Run these from now on; those that ran before go on."""
        former, self._trackers = self._trackers, {}
        now = self._context.reactor.now()
        for script in scripts:
            if script.name not in followed:
                continue
            known = former.pop(script.name, None)
            if known is not None:
                self._trackers[script.name] = known
                self._carry_out(known[0], known[0].replace(script, now))
            else:
                tracker = ScriptTracker(script)
                alarm = self._context.reactor.alarm(partial(self._due, tracker))
                self._trackers[script.name] = (tracker, alarm)
                self._carry_out(tracker, tracker.start(now))
        for _, alarm in former.values():
            alarm.set(None)

    def stop(self) -> None:
        """Run nothing any more."""
        self.replace((), frozenset())

    def _due(self, tracker: ScriptTracker) -> None:
        self._carry_out(tracker, tracker.handle(Tick(), self._context.reactor.now()))

    def _exited(self, tracker: ScriptTracker, event: ScriptExited) -> None:
        if self._alarm_of(tracker) is not None:
            self._carry_out(tracker, tracker.handle(event, self._context.reactor.now()))

    def _alarm_of(self, tracker: ScriptTracker) -> Alarm | None:
        known = self._trackers.get(tracker.script.name)
        return known[1] if known is not None and known[0] is tracker else None

    def _carry_out(self, tracker: ScriptTracker, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Log():
                    self._context.journal.log(effect)
                case RunTrackScript(script):
                    self._context.scripts.run(
                        script.script, timeout=script.timeout, on_exit=partial(self._exited, tracker)
                    )
                case _:
                    self._believed(TrackScriptChanged(effect.name, effect.up, effect.cause))
        alarm = self._alarm_of(tracker)
        if alarm is not None:
            alarm.set(tracker.next_deadline())
