"""The parent's side of scripts: starts them as their user, ends them when their time is over, tells how they ended.

Only commands that stand in the configuration are started, with plain words behind them and never through a shell. Each
runs in a session of its own, so that its whole process group can be ended.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon import signals
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.daemon.systemd import OWN_VARIABLES
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import ScriptExited
from pykeepalived.kernel import processes
from pykeepalived.units import SECOND

MOST = 512  # running at once; a tracker's script comes again, a storm of notifications must end somewhere

CANNOT_RUN = 127  # the status of a script that could not be started, as a shell has it

_TERM_TO_KILL = 2 * SECOND
_KILL_TO_KILL = (2 * SECOND, 10 * SECOND)  # the first wait for a killed one, then every further

OnExit = Callable[[ScriptExited], None]


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a script inherits: nothing that changes how programs are loaded, nothing that is between systemd and us."""
    return {
        name: value
        for name, value in environment.items()
        if name != "IFS" and not name.startswith("LD_") and name not in OWN_VARIABLES
    }


class _Running:
    """One script that runs."""

    __slots__ = ("alarm", "errors", "kills", "on_exit", "pid", "pidfd", "reads", "script", "started_at", "timed_out")

    def __init__(
        self, script: Script, pid: int, errors: int, started_at: int, on_exit: OnExit | None, *, reads: bool
    ) -> None:
        self.script = script
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.errors = errors
        self.started_at = started_at
        self.on_exit = on_exit
        self.reads = reads
        self.alarm: Alarm | None = None
        self.timed_out = False
        self.kills = 0


class ScriptRunner:
    """All scripts of the daemon that run now."""

    def __init__(self, reactor: Reactor, journal: Journal, environment: Mapping[str, str], most: int = MOST) -> None:
        self._most = most
        self._reactor = reactor
        self._journal = journal
        self._environment = clean_environment(environment)
        self._allowed: frozenset[Script] = frozenset()
        self._before: frozenset[Script] = frozenset()
        self._running: dict[int, _Running] = {}
        self._refusing = False
        self._said: dict[Script, str] = {}  # why a script cannot be run, as it was logged
        self._idle: Callable[[], None] | None = None
        self._last_alarm = reactor.alarm(self._last_call)
        self._last_since = 0

    def allow(self, scripts: Iterable[Script]) -> None:
        """These may be run from now on, and those of the configuration before (its last notifications)."""
        self._before, self._allowed = self._allowed, frozenset(scripts)
        self._said.clear()

    def __len__(self) -> int:
        return len(self._running)

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

        One that ``reads`` what we write lives as long as we do.
        """
        if script not in self._allowed and script not in self._before:
            self._cannot(script, "it does not stand in the configuration", on_exit)
            return 0
        if len(self._running) >= self._most:
            if not self._refusing:
                self._refusing = True
                self._cannot(script, f"{self._most} scripts run already", on_exit)
            elif on_exit is not None:
                self._answer(on_exit, f"{self._most} scripts run already")
            return 0
        self._refusing = False
        try:
            running = self._begin(script, arguments, on_exit, reads=reads)
        except OSError as error:
            self._cannot(script, error.strerror or str(error), on_exit)
            return 0
        self._running[running.pid] = running
        if timeout is not None:
            running.alarm = self._reactor.alarm(lambda: self._overdue(running))
            running.alarm.set(running.started_at + timeout)
        return running.pid

    def _begin(self, script: Script, arguments: tuple[str, ...], on_exit: OnExit | None, *, reads: bool) -> _Running:
        """Started and watched, or not at all: whoever waits for its end must hear of it. Raises OSError."""
        pid, errors = _start(script, arguments, self._environment)
        try:
            running = _Running(script, pid, errors, self._reactor.now(), on_exit, reads=reads)
            try:
                self._reactor.watch(running.pidfd, lambda: self._ended(running))
            except OSError:
                os.close(running.pidfd)
                raise
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(errors)
            raise
        return running

    def end(self, number: int) -> None:
        """Send TERM to the script that ``run`` gave ``number``, if it still runs."""
        if number in self._running:
            self._signal(self._running[number], signal.SIGTERM)

    def cut_short(self, number: int) -> None:
        """The time of the script that ``run`` gave ``number`` is over now, if it still runs."""
        running = self._running.get(number)
        if running is None or running.timed_out:
            return
        if running.alarm is None:
            running.alarm = self._reactor.alarm(lambda: self._overdue(running))
        self._overdue(running)

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
            os.close(running.pidfd)
            os.close(running.errors)
        self._running.clear()

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
        idle, self._idle = self._idle, None
        if idle is not None:
            idle()

    def _ended(self, running: _Running) -> None:
        """Its process has ended; it is still there to be asked, so its group's number cannot be another's yet."""
        if running.timed_out:
            self._signal(running, signal.SIGKILL)  # what it left behind
        _, status = os.waitpid(running.pid, 0)
        self._reactor.unwatch(running.pidfd)
        os.close(running.pidfd)
        if running.alarm is not None:
            running.alarm.set(None)
            running.alarm = None  # it knows the run: no cycle may stay, for there is no collector
        del self._running[running.pid]
        errno = os.read(running.errors, 16)
        os.close(running.errors)
        obstacle = os.strerror(int(errno)) if errno else ""
        if obstacle:
            self._say_cannot(running.script, obstacle, comes_again=running.on_exit is not None)
        elif self._said:
            self._said.pop(running.script, None)
        if running.on_exit is not None:
            if obstacle:
                running.on_exit(ScriptExited(CANNOT_RUN, obstacle=obstacle))
            elif os.WIFSIGNALED(status):
                number = os.WTERMSIG(status)
                running.on_exit(ScriptExited(None, number, running.timed_out))
            else:
                # one that traps TERM and ends by itself is judged by its status
                running.on_exit(ScriptExited(os.WEXITSTATUS(status)))
        self._look_idle()

    def _overdue(self, running: _Running) -> None:
        assert running.alarm is not None  # noqa: S101 - only its own alarm calls
        now = self._reactor.now()
        if not running.timed_out:
            running.timed_out = True
            self._signal(running, signal.SIGTERM)
            running.alarm.set(now + _TERM_TO_KILL)
            return
        if running.kills:
            text = f"Script {running.script} child (PID {running.pid}) failed to terminate after kill"
            self._journal.log(Log(text, Level.WARNING, Kind.SCRIPT))
        self._signal(running, signal.SIGKILL)
        running.alarm.set(now + _KILL_TO_KILL[min(running.kills, 1)])
        running.kills += 1

    @staticmethod
    def _signal(running: _Running, number: int) -> None:
        try:
            os.killpg(running.pid, number)
        except OSError:  # so young that it has no session yet
            with contextlib.suppress(OSError):
                os.kill(running.pid, number)

    def _cannot(self, script: Script, reason: str, on_exit: OnExit | None) -> None:
        self._say_cannot(script, reason, comes_again=on_exit is not None)
        if on_exit is not None:
            self._answer(on_exit, reason)

    def _say_cannot(self, script: Script, reason: str, *, comes_again: bool) -> None:
        """Each time of a notification; once for a reason of what runs again and again."""
        if comes_again and self._said.get(script) == reason:
            return
        if comes_again:
            self._said[script] = reason
        self._journal.log(Log(f"Script '{script}' cannot be run: {reason}", Level.ERROR, Kind.SCRIPT))

    def _answer(self, on_exit: OnExit, reason: str) -> None:
        self._reactor.soon(lambda: on_exit(ScriptExited(CANNOT_RUN, obstacle=reason)))


def _start(script: Script, arguments: tuple[str, ...], environment: dict[str, str]) -> tuple[int, int]:
    """Fork and run; (pid, a pipe that carries the errno if the command itself could not be run)."""
    errors, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(script, arguments, environment, parent, writer)
    except OSError:
        os.close(errors)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writer)
    return pid, errors


def _become(
    script: Script, arguments: tuple[str, ...], environment: dict[str, str], parent: int, errors: int
) -> NoReturn:
    """The rest of the new process's life on our side."""
    try:
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        if (os.geteuid(), os.getegid()) != (script.uid, script.gid) or script.uid != 0 or script.groups:
            os.setgroups(script.groups)
            os.setresgid(script.gid, script.gid, script.gid)
            os.setresuid(script.uid, script.uid, script.uid)
        # after the change of user, which clears it
        processes.die_with_parent(parent, signal.SIGTERM)
        signal.set_wakeup_fd(-1)
        signals.reset()
        os.execve(script.argv[0], [*script.argv, *arguments], environment)  # noqa: S606 - wanted: no shell
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's code
        with contextlib.suppress(BaseException):
            os.write(errors, str(error.errno if isinstance(error, OSError) else 0).encode())
    os._exit(CANNOT_RUN)
