"""The parent's side of scripts: starts them as their user, ends them when their time is over, tells how they ended.

Only commands that stand in the configuration are started, with plain words behind them and never through a shell. Each
runs in a session of its own, so that its whole process group can be ended.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.daemon.script_orders import ScriptOrders
from pykeepalived.daemon.systemd import OWN_VARIABLES
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import ScriptExited
from pykeepalived.units import SECOND

MOST = 512  # notifications running at once: a storm must end somewhere; and so many of what has a time limit

CANNOT_RUN = 127  # the status of a script that could not be started, as a shell has it

_TERM_TO_KILL = 2 * SECOND
_KILL_TO_KILL = (2 * SECOND, 10 * SECOND)  # the first wait for a killed one, then every further
_STATUS = 2 * SECOND  # from the end of a script until its starter has told the status

_WAITED = "those of its user that were to start before it did not start in time"
_UNTOLD = "nobody told how it ended, while another one of its user hung at its start"
_STARTER_GONE = "the process that started it has ended"

OnExit = Callable[[ScriptExited], None]

_TIMED_OUT = ScriptExited(None, signal.SIGTERM, timed_out=True)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a script inherits: nothing that changes how programs are loaded, nothing that is between systemd and us."""
    return {
        name: value
        for name, value in environment.items()
        if name != "IFS" and not name.startswith("LD_") and name not in OWN_VARIABLES
    }


class _Running:
    """One script that runs, or is to."""

    __slots__ = (
        "alarm",
        "kills",
        "number",
        "on_exit",
        "pid",
        "pidfd",
        "reads",
        "script",
        "started_at",
        "timed_out",
        "timeout",
        "unwanted",
    )

    def __init__(
        self, number: int, script: Script, started_at: int, timeout: int | None, on_exit: OnExit | None, *, reads: bool
    ) -> None:
        self.number = number
        self.script = script
        self.pid = 0  # until it has begun
        self.pidfd = -1  # until it has begun, and when it has ended
        self.started_at = started_at
        self.timeout = timeout
        self.on_exit = on_exit
        self.reads = reads
        self.alarm: Alarm | None = None
        self.timed_out = False
        self.unwanted = False  # to be ended as soon as it has begun
        self.kills = 0


class ScriptRunner:
    """All scripts of the daemon that run now."""

    def __init__(self, reactor: Reactor, journal: Journal, environment: Mapping[str, str], most: int = MOST) -> None:
        self._most = most
        self._reactor = reactor
        self._journal = journal
        self._orders = ScriptOrders(
            reactor, journal, clean_environment(environment), self._begun, self._refused, self._finished, self._lost
        )
        self._number = 0
        self._allowed: frozenset[Script] = frozenset()
        self._before: frozenset[Script] = frozenset()
        self._running: dict[int, _Running] = {}
        self._refusing: set[bool] = set()  # notifications, or what has a time limit
        self._said: dict[Script, str] = {}  # why a script cannot be run, as it was logged
        self._idle: Callable[[], None] | None = None
        self._last_alarm = reactor.alarm(self._last_call)
        self._last_since = 0

    def allow(self, scripts: Iterable[Script]) -> None:
        """These may be run from now on, and those of the configuration before (its last notifications)."""
        self._before, self._allowed = self._allowed, frozenset(scripts)
        self._said.clear()
        self._orders.retire()

    def __len__(self) -> int:
        return len(self._running)

    def starters(self) -> list[int]:
        """The processes that start them."""
        return self._orders.starters()

    def run(
        self,
        script: Script,
        arguments: tuple[str, ...],
        timeout: int | None,
        on_exit: OnExit | None,
        *,
        reads: bool = False,
    ) -> int:
        """Start ``script``; gives its number, 0 if it cannot be. ``on_exit`` comes later, never from within this call.
        Whether it has begun is not known yet; its time counts from then on, and also while it waits for that.

        One that ``reads`` what we write lives as long as we do.
        """
        self._number += 1
        running = _Running(self._number, script, self._reactor.now(), timeout, on_exit, reads=reads)
        if script not in self._allowed and script not in self._before:
            self._cannot(running, "it does not stand in the configuration")
            return 0
        notifies = timeout is None  # those that hang for ever leave room for what is watched, and that for them
        if sum((each.timeout is None) is notifies for each in self._running.values()) >= self._most:
            said = notifies in self._refusing
            self._refusing.add(notifies)
            self._cannot(running, f"{self._most} scripts run already", own=False, said=said)
            return 0
        if not notifies and any(each.kills > 1 and each.script == script for each in self._running.values()):
            if on_exit is not None:
                self._reactor.soon(lambda: on_exit(_TIMED_OUT))  # it hangs still: another one would hang as well
            return 0
        self._refusing.discard(notifies)
        self._running[running.number] = running
        self._set_alarm(running, timeout)
        self._orders.add(running.number, script, arguments)
        return running.number if running.number in self._running else 0

    def end(self, number: int) -> None:
        """Send TERM to the script that ``run`` gave ``number``, if it still runs."""
        running = self._running.get(number)
        if running is not None:
            running.unwanted = True
            self._signal(running, signal.SIGTERM)

    def cut_short(self, number: int) -> None:
        """The time of the script that ``run`` gave ``number`` is over now, if it still runs."""
        running = self._running.get(number)
        if running is not None and not running.timed_out:
            running.timeout = 0
            self._set_alarm(running, 0)

    def finish(self, since: int, grace: int, idle: Callable[[], None]) -> None:
        """The daemon stops: those started at or after ``since``, and those that read what we write, have ``grace`` ns
        to end; then all are gone.
        """
        self._idle = idle
        self._last_since = since
        self._last_alarm.set(self._reactor.now() + grace)
        self._look_idle()

    def release(self) -> None:
        """In a forked child: the descriptors are the parent's, the scripts too."""
        for running in self._running.values():
            if running.pidfd >= 0:
                os.close(running.pidfd)
        self._running.clear()
        self._orders.release()

    def _look_idle(self) -> None:
        if self._idle is None:
            return
        if any(each.reads or each.started_at >= self._last_since for each in self._running.values()):
            return
        self._last_call()

    def _last_call(self) -> None:
        """Nothing of ours stays behind: what ran long before gets TERM, what should have ended gets KILL."""
        self._last_alarm.set(None)
        for running in self._running.values():
            self._signal(running, signal.SIGKILL if running.started_at >= self._last_since else signal.SIGTERM)
        self._orders.close()
        idle, self._idle = self._idle, None
        if idle is not None:
            idle()

    def _begun(self, number: int, pid: int) -> None:
        """It runs. From now on until its status is asked for, its process id is its own."""
        running = self._running[number]
        running.pid = pid
        try:
            running.pidfd = os.pidfd_open(pid)
            self._reactor.watch(running.pidfd, lambda: self._ended(running))
        except OSError as error:  # whoever waits for its end must hear of it
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
            self._orders.take_status(number)
            self._refused(number, str(error.strerror), own=False)
            return
        self._set_alarm(running, _TERM_TO_KILL if running.timed_out else running.timeout)
        if running.timed_out or running.unwanted:
            self._signal(running, signal.SIGTERM)

    def _refused(self, number: int, reason: str, own: bool) -> None:
        """It could not be started, for a reason of its ``own`` or not."""
        running = self._running[number]
        self._forget(running)
        self._cannot(running, reason, own=own)
        self._look_idle()

    def _ended(self, running: _Running) -> None:
        """Its process has ended; it is still there to be asked, so its group's number cannot be another's yet."""
        if running.timed_out:
            self._signal(running, signal.SIGKILL)  # what it left behind
        self._let_go(running)
        if running.alarm is not None and running.alarm.due_at is not None:
            running.alarm.set(max(running.alarm.due_at, self._reactor.now() + _STATUS))
        self._orders.take_status(running.number)

    def _finished(self, number: int, status: int) -> None:
        running = self._running.get(number)
        if running is None:
            return
        self._forget(running)
        if self._said:
            self._said.pop(running.script, None)
        if os.WIFSIGNALED(status):
            self._tell(running, ScriptExited(None, os.WTERMSIG(status), running.timed_out))
        else:
            # one that traps TERM and ends by itself is judged by its status
            self._tell(running, ScriptExited(os.WEXITSTATUS(status)))
        self._look_idle()

    def _lost(self, number: int) -> None:
        """Its starter has died, so nobody will know how it ends."""
        running = self._running.get(number)
        if running is None:
            return
        with contextlib.suppress(OSError):  # it has ended: the process id may be another's
            signal.pidfd_send_signal(running.pidfd, 0)
            self._signal(running, signal.SIGKILL if running.timed_out else signal.SIGTERM)
        self._forget(running)
        self._tell(running, _TIMED_OUT if running.timed_out else ScriptExited(None, obstacle=_STARTER_GONE))
        self._look_idle()

    def _forget(self, running: _Running) -> None:
        self._let_go(running)
        if running.alarm is not None:
            running.alarm.set(None)
            running.alarm = None  # it knows the run: no cycle may stay, for there is no collector
        del self._running[running.number]

    def _let_go(self, running: _Running) -> None:
        if running.pidfd >= 0:
            self._reactor.unwatch(running.pidfd)
            os.close(running.pidfd)
            running.pidfd = -1

    @staticmethod
    def _tell(running: _Running, exited: ScriptExited) -> None:
        on_exit, running.on_exit = running.on_exit, None
        if on_exit is not None:
            on_exit(exited)

    def _set_alarm(self, running: _Running, timeout: int | None) -> None:
        if timeout is not None:
            if running.alarm is None:
                running.alarm = self._reactor.alarm(lambda: self._overdue(running))
            running.alarm.set(self._reactor.now() + timeout)

    def _overdue(self, running: _Running) -> None:
        assert running.alarm is not None  # noqa: S101 - only its own alarm calls
        if running.pidfd < 0:
            self._give_up(running)
            return
        now = self._reactor.now()
        if not running.timed_out:
            running.timed_out = True
            self._signal(running, signal.SIGTERM)
            running.alarm.set(now + _TERM_TO_KILL)
            return
        if running.kills:
            text = f"Script {running.script} child (PID {running.pid}) failed to terminate after kill"
            self._journal.log(Log(text, Level.WARNING, Kind.SCRIPT))
            self._tell(running, _TIMED_OUT)  # it may wait for a dead disk for ever: whoever waits for it need not
        self._signal(running, signal.SIGKILL)
        running.alarm.set(now + _KILL_TO_KILL[min(running.kills, 1)])
        running.kills += 1

    def _give_up(self, running: _Running) -> None:
        """Its time is over and it has not begun, or its starter cannot say how it ended: whoever waits need not."""
        withdrawn = self._orders.withdraw(running.number)
        exited = _TIMED_OUT
        if (withdrawn or running.pid) and running.timeout and not running.timed_out:  # others hang, not this one
            exited = ScriptExited(None, obstacle=_UNTOLD if running.pid else _WAITED)
            self._say_cannot(running, exited.obstacle)
        running.timed_out = True
        self._tell(running, exited)
        if withdrawn:
            self._forget(running)
            self._look_idle()

    @staticmethod
    def _signal(running: _Running, number: int) -> None:
        if running.pidfd >= 0:
            with contextlib.suppress(OSError):
                os.killpg(running.pid, number)

    def _cannot(self, wanted: _Running, reason: str, *, own: bool = True, said: bool = False) -> None:
        """Tell whoever waits for it. A reason that is not its ``own`` says nothing of it: there is no status."""
        if not said:
            self._say_cannot(wanted, reason)
        on_exit = wanted.on_exit
        if on_exit is not None:
            self._reactor.soon(lambda: on_exit(ScriptExited(CANNOT_RUN if own else None, obstacle=reason)))

    def _say_cannot(self, wanted: _Running, reason: str) -> None:
        """Each time of a notification; once for a reason of what runs again and again, and has a time limit."""
        if wanted.timeout is not None:
            if self._said.get(wanted.script) == reason:
                return
            self._said[wanted.script] = reason
        self._journal.log(Log(f"Script '{wanted.script}' cannot be run: {reason}", Level.ERROR, Kind.SCRIPT))
