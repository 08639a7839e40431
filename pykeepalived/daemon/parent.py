"""The parent: supervises the protocol processes, reloads, stops, speaks to systemd, runs scripts.

It knows nothing of protocols. A process that dies is started again from memory; a new configuration is read by a
loader and handed on unread; a broken one changes nothing.
"""

import gc
import os
import resource
import signal
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from pykeepalived import __version__
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.daemon import channel, frame
from pykeepalived.daemon.channel import Channel, Message
from pykeepalived.daemon.child import ChildOptions
from pykeepalived.daemon.children import Child, bury_strangers
from pykeepalived.daemon.exit_status import EXIT_FATAL, EXIT_OK, PERMANENT
from pykeepalived.daemon.faults import Faults
from pykeepalived.daemon.fifos import NotifyFifos
from pykeepalived.daemon.journal import Lines
from pykeepalived.daemon.loader import MEMORY, Loader, Outcome, Read
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.roles import Role
from pykeepalived.daemon.scripts import ScriptRunner
from pykeepalived.daemon.signals import DUMPS, Signals
from pykeepalived.daemon.succession import Succession
from pykeepalived.daemon.systemd import Systemd
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import ConfigError
from pykeepalived.kernel import processes
from pykeepalived.kernel.frames import FrameTemplates, Template
from pykeepalived.kernel.pidfile import PidFile
from pykeepalived.records import record
from pykeepalived.units import SECOND, seconds_text

_BEAT = 10 * SECOND  # how often the children are asked whether they still turn
_STOP_SCRIPTS = SECOND  # behaviour of keepalived: what notifies of the stop has one second

# settings that a running daemon cannot change
_FIXED = ("net_namespace", "net_namespace_ipvs", "instance", "use_pid_dir", "disable_local_igmp")

NO_FRAMES = FrameTemplates(Template(b"", (), ()), Template(b"", (), ()), 0, 0)


@record(frozen=True, slots=True)
class Plan:
    """What the parent is given: who may run, under which names, and how configurations are read."""

    roles: tuple[Role, ...]
    read: Read
    pid_files: Mapping[str, str]
    idents: Mapping[str, str]
    options: ChildOptions
    environment: Mapping[str, str]
    all_roles: bool = False
    dont_respawn: bool = False
    ignore_sigint: bool = False
    prepare: Callable[[Role, Outcome], None] = lambda role, outcome: None  # noqa: ARG005 - before a role starts
    pid_file: PidFile | None = None  # a child lets go of it
    process_events: socket.socket | None = None  # for a VRRP process in another network namespace
    first_namespace: int | None = None  # the network namespace of the start, when another was entered
    reload_time: int = 30 * SECOND  # how long a process may take to apply its new part


class Parent:
    """The supervisor."""

    def __init__(self, plan: Plan, lines: Lines, systemd: Systemd) -> None:
        self._plan = plan
        self._journal = lines
        self._systemd = systemd
        self._faults = Faults(lines)
        self.reactor = Reactor(self._faults)
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, *DUMPS)
        self._signals = Signals(self.reactor, numbers, self._signalled)
        self._scripts = ScriptRunner(self.reactor, lines, plan.environment)
        self._fifos = NotifyFifos(tuple(role.key for role in plan.roles), self._scripts, lines)
        self._children: dict[str, Child] = {}
        self._successions = {
            role.key: Succession(role, self.reactor, partial(self._start, role), self._log) for role in plan.roles
        }
        self._wanted: frozenset[str] = frozenset()
        self._memory: int | None = None  # descriptor of what the next reading may keep
        self._outcome: Outcome | None = None
        self._frames = NO_FRAMES
        self._loader: Loader | None = None
        self._loader_alarm = self.reactor.alarm(self._loader_late)
        self._reload_alarm = self.reactor.alarm(self._reload_late)
        self._reload_again = False
        self._awaited: set[str] = set()  # roles whose start or reload is not complete yet
        self._started = False
        self._applying = False  # a reload reached the processes, and not all have answered
        self._announce = True  # READY=1 is owed: after the start, after each reload
        self._stopping_since: int | None = None
        self._exit_code = EXIT_OK
        self._last_word = ""
        self._beat_time = min(_BEAT, systemd.watchdog // 2) if systemd.watchdog else _BEAT
        self._beat_alarm = self.reactor.alarm(self._beat)
        self._beat_number = 0

    def run(self, outcome: Outcome, parts: Mapping[str, int]) -> int:
        """Start with a configuration that was read, until the end; gives the exit status."""
        self._accept(outcome, parts)
        processes.give_back_free_memory()
        gc.freeze()  # without a last collection: it finds nothing, and would write to every page
        gc.disable()
        self._start_wanted()
        if not self._wanted:
            self._warn("Warning - keepalived has no configuration to run")
        self._look_complete()
        self._beat_alarm.set(self.reactor.now() + self._beat_time)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self.reactor.run()
        return self._exit_code

    # Children

    def _accept(self, outcome: Outcome, parts: Mapping[str, int]) -> None:
        parts = dict(parts)
        self._forget()
        memory = parts.pop(MEMORY, None)
        if memory is not None and os.fstat(memory).st_size:
            self._memory = memory
        elif memory is not None:
            os.close(memory)  # nothing may be kept
        for key, descriptor in parts.items():
            self._successions[key].take(descriptor, amends=key in outcome.amended)
        if any(succession.is_long for succession in self._successions.values()):
            self._forget()
        self._outcome = outcome
        self._frames = outcome.frames or self._frames
        self._scripts.allow(outcome.scripts)
        self._fifos.replace(outcome.global_defs)
        keys = frozenset(role.key for role in self._plan.roles)
        self._wanted = keys if self._plan.all_roles else keys & outcome.parts
        for role in self._plan.roles:
            if role.key in self._wanted:
                role.warm()

    def _forget(self) -> None:
        """The next reading is of the whole file."""
        if self._memory is not None:
            os.close(self._memory)
            self._memory = None

    def _start_wanted(self) -> None:
        for role in self._plan.roles:
            if role.key in self._wanted and role.key not in self._children:
                self._start(role)

    def _start(self, role: Role, *, to_leave: bool = False) -> None:
        """Fork one protocol process, if it is wanted or has to leave in good order."""
        succession = self._successions[role.key]
        succession.wait_no_more()
        if role.key in self._children:
            return
        if not to_leave and (self._stopping_since is not None or role.key not in self._wanted):
            return
        assert self._outcome is not None  # noqa: S101 - accepted before anything starts
        self._plan.prepare(role, self._outcome)
        try:
            ours, theirs = channel.pair()
        except OSError as error:
            self._cannot_start(role, error)
            return
        birth = frame.Birth(
            role=role,
            end=theirs,
            parts=succession.first_parts,
            pid_file=self._plan.pid_files[role.key],
            process_name=self._process_name(role, self._outcome.global_defs),
            parent=os.getpid(),
            options=self._plan.options,
            frames=self._frames,
            lines=self._journal.named(self._plan.idents[role.key]),
            process_events=self._plan.process_events,
            first_namespace=self._plan.first_namespace,
            keepsake=succession.keepsake,
            to_leave=to_leave,
            ipvs_namespace=self._outcome.global_defs.net_namespace_ipvs,
        )
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                ours.close()
                frame.live(birth, lambda: self._release(role.key))
        except OSError as error:
            ours.close()
            self._cannot_start(role, error)
            return
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        try:
            child = self._attend(role, pid, ours)
        except OSError as error:  # nobody would hear of it
            ours.close()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._cannot_start(role, error)
            return
        child.only_leaves = to_leave
        self._children[role.key] = child
        self._awaited.add(role.key)
        self._log(f"Starting {role.name} child process, pid={pid}")
        if succession.forget_former() and not to_leave:
            self._tell_reload(child)

    def _attend(self, role: Role, pid: int, end: socket.socket) -> Child:
        """Hear what a new process says, and of its end."""
        child = Child(role, pid, self.reactor.now(), self.reactor.alarm(lambda: self._force(child)))
        try:
            self.reactor.watch(child.pidfd, lambda: self._died(child))
            child.channel = Channel(
                self.reactor,
                end,
                lambda message, descriptor: self._received(child, message, descriptor),
                lambda: None,  # the end of the process is told by its pidfd
                lambda reason: self._warn(f"{role.name} process: control socket: {reason}"),
            )
        except OSError:
            self.reactor.unwatch(child.pidfd)
            os.close(child.pidfd)
            raise
        return child

    def _cannot_start(self, role: Role, error: OSError) -> None:
        self._log(f"{role.name} process cannot be started: {error.strerror}", Level.ALERT)
        self._start_later(role, lived=0)

    @staticmethod
    def _process_name(role: Role, global_defs: GlobalDefs) -> str:
        given = {"vrrp": global_defs.vrrp_process_name, "checkers": global_defs.checker_process_name}
        return given.get(role.key) or role.process_name

    def _release(self, key: str) -> None:
        """In a forked child: give back every descriptor of the parent's."""
        # first of all: the epoll instance is shared with the parent, and what were taken out of it here would be
        # missing there
        self.reactor.close()
        self._signals.close()
        self._scripts.release()
        self._fifos.release()
        if self._plan.pid_file is not None:
            self._plan.pid_file.leave_to_parent()
        for child in self._children.values():
            os.close(child.pidfd)
            if child.channel is not None:
                child.channel.close()
        for other, succession in self._successions.items():
            if other == key:
                succession.be_born()
            else:
                succession.close()
        self._forget()
        if self._loader is not None:
            self._loader.close()
            os.close(self._loader.pidfd)

    def _died(self, child: Child) -> None:
        """A protocol process has ended."""
        role = child.role
        child.force_alarm.set(None)
        self.reactor.unwatch(child.pidfd)
        os.close(child.pidfd)
        if child.channel is not None:
            child.channel.drain()  # its last orders, such as the scripts that tell of the stop
            child.channel.close()
        child.end_scripts(self._scripts)
        _, status = os.waitpid(child.pid, 0)
        del self._children[role.key]
        self._awaited.discard(role.key)
        lived = self.reactor.now() - child.started_at
        may_have_left = status != 0 and not child.only_leaves  # what it had made: it was killed, or went wrong
        if self._stopping_since is not None:
            if may_have_left and self._exit_code == EXIT_OK:
                self._call_once_more(role)
            self._look_stopped()
            return
        if child.leaving:
            if not status:
                self._successions[role.key].settle()
            elif may_have_left and role.key not in self._wanted:
                self._dismiss(role)
            self._start(role)  # perhaps it is wanted again by now
        elif os.WIFEXITED(status) and os.WEXITSTATUS(status) in PERMANENT:
            self._exit_code = os.WEXITSTATUS(status)
            word = PERMANENT[self._exit_code]
            self._log(f"{role.name} exited with permanent error {word}. Terminating", Level.ERROR)
            self._stop()
            return
        else:
            self._died_unasked(child, status, lived)
        self._look_complete()

    def _died_unasked(self, child: Child, status: int, lived: int) -> None:
        role = child.role
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            self._warn(f"pid {child.pid} exited due to signal {number} ({signal.strsignal(number)})")
        else:
            self._warn(f"pid {child.pid} exited with status {os.WEXITSTATUS(status)}")
        if self._plan.dont_respawn:
            self._log(f"{role.name} child process({child.pid}) died: Exiting", Level.ALERT)
            self._exit_code = EXIT_FATAL  # a supervisor starts us again after a failure, not after a stop
            self._stop()
            return
        self._log(f"{role.name} child process({child.pid}) died: Respawning", Level.ALERT)
        self._start_later(role, lived)

    def _start_later(self, role: Role, lived: int) -> None:
        self._successions[role.key].died(lived)
        self._tell_status()

    def _received(self, child: Child, message: Message, descriptor: int | None) -> None:
        if descriptor is not None:
            os.close(descriptor)  # no message to the parent carries one
        match message["type"]:
            case "ready":
                child.ready = True
                if not child.behind:
                    self._awaited.discard(child.role.key)
                    self._look_complete()
            case "reloaded":
                self._awaited.discard(child.role.key)
                child.behind = False
                if message["whole"]:
                    self._successions[child.role.key].forget_former()
                else:
                    self._forget()  # nobody knows what that process has now
                    self._last_word = "last reload went wrong half way: a restart is needed"
                self._look_complete()
            case "leaving":
                if child.leaving:
                    child.force_alarm.set(self.reactor.now() + self._wait_time())
            case "anew":
                if not child.leaving:
                    self._tell_to_stop(child)  # when it has ended it is started again
            case "pong":
                self._answered(child)
            case "status":
                child.status = message["text"][:200]
                self._tell_status()
            case "run":
                child.run_script(self._scripts, message)
            case "end":
                child.end_script(self._scripts, message["id"])
            case "fifo":
                self._fifos.write(child.role.key, message["line"])
            case other:
                self._warn(f"{child.role.name} process: '{other}' is not for the parent")

    # Is everybody well?

    def _beat(self) -> None:
        """Ask all children; the watchdog hears of us only while all of them answered the time before."""
        now = self.reactor.now()
        self._beat_alarm.set(now + self._beat_time)
        well = True
        for child in self._children.values():
            if not child.answered:
                well = well and self._stopping_since is not None
                if not child.hung and child.ready:
                    child.hung = True
                    text = f"{child.role.name} process has not answered for {seconds_text(now - child.asked_at)}"
                    self._log(text, Level.ERROR, Kind.STALL)
        if well:
            self._systemd.alive()
        loader = (self._loader.pid,) if self._loader is not None else ()
        bury_strangers({*self._scripts.starters(), *(child.pid for child in self._children.values()), *loader})
        self._beat_number += 1
        for child in self._children.values():
            if child.answered and child.channel is not None:
                child.answered = False
                child.asked_at = now
                child.channel.send({"type": "ping", "number": self._beat_number})

    def _answered(self, child: Child) -> None:
        child.answered = True
        if child.hung:
            child.hung = False
            text = f"{child.role.name} process answers again after {seconds_text(self.reactor.now() - child.asked_at)}"
            self._log(text, Level.WARNING, Kind.STALL)

    # Reload

    def _reload(self) -> None:
        if self._stopping_since is not None:
            return
        if self._loader is not None or self._awaited:
            self._reload_again = True
            self._limit_wait()
            return
        self._log("Reloading ...", kind=Kind.CONFIGURATION)
        self._systemd.reloading()
        self._announce = True
        self._read()

    def _read(self) -> None:
        wanted = self._frames is NO_FRAMES
        try:
            memory = self._memory
            keys = (*(role.key for role in self._plan.roles), MEMORY)
            self._loader = Loader(lambda: self._plan.read(wanted, memory), keys)
            self.reactor.watch(self._loader.pidfd, self._loaded)
        except OSError as error:
            if self._loader is not None:  # nobody would hear of its end
                self._loader.give_up()
                self._loader = None
            self._refuse_reload(f"the loader cannot be started: {error.strerror}")
            return
        self._loader_alarm.set(self.reactor.now() + self._loader.limit)

    def _loader_late(self) -> None:
        if self._loader is not None:
            self._loader.too_late()

    def _loaded(self) -> None:
        """The loader has ended."""
        loader, self._loader = self._loader, None
        if loader is None:
            return
        self._loader_alarm.set(None)
        self.reactor.unwatch(loader.pidfd)
        try:
            outcome = loader.result()
        except ConfigError as error:
            if self._stopping_since is not None:
                return
            if self._memory is None:
                self._refuse_reload(str(error))
                return
            self._forget()
            self._log(f"The configuration is read once more, all of it: {error}", Level.WARNING, Kind.CONFIGURATION)
            self._read()
            return
        if self._stopping_since is not None:
            loader.close()
            return
        for line in outcome.findings:
            self._journal.log(line)
        if new := self._new_mistakes(outcome):
            loader.close()
            count = "1 error" if len(new) == 1 else f"{len(new)} errors"
            first = "" if len(new) == 1 else ", the first"
            self._refuse_reload(f"{count}{first}: {new[0]}")
            return
        outcome = self._without_fixed(outcome)
        self._log_not_effective(outcome)
        parts, loader.files = dict(loader.files), {}
        self._apply(outcome, parts)

    def _new_mistakes(self, outcome: Outcome) -> list[str]:
        """Those that the running configuration does not have: with the others it has been running."""
        assert self._outcome is not None  # noqa: S101 - a reload follows a start
        known = Counter(what for what, _ in self._outcome.mistakes)
        new = []
        for what, told in outcome.mistakes:
            if not known[what]:
                new.append(told)
            known[what] -= bool(known[what])
        return new

    def _refuse_reload(self, reason: str) -> None:
        text = f"New configuration refused, the running configuration stays: {reason}"
        self._log(text, Level.WARNING, Kind.CONFIGURATION)
        self._last_word = "last reload refused"
        self._limit_wait()
        self._look_complete()

    def _without_fixed(self, outcome: Outcome) -> Outcome:
        """What only a restart can change stays as it is, and is said."""
        assert self._outcome is not None  # noqa: S101 - a reload follows a start
        now = self._outcome.global_defs
        keep = {name: getattr(now, name) for name in _FIXED if getattr(now, name) != getattr(outcome.global_defs, name)}
        for name in keep:
            self._warn(f"Cannot change {name} at a reload - please restart keepalived")
        return replace(outcome, global_defs=replace(outcome.global_defs, **keep)) if keep else outcome

    def _apply(self, outcome: Outcome, parts: Mapping[str, int]) -> None:
        self._last_word = ""
        self._accept(outcome, parts)
        for role in self._plan.roles:
            child = self._children.get(role.key)
            if role.key not in self._wanted:
                self._dismiss(role)
            elif child is not None and not child.leaving:
                self._plan.prepare(role, outcome)
                self._tell_reload(child)
        self._start_wanted()
        if not self._wanted:
            self._warn("Warning - keepalived has no configuration to run")
        self._applying = True
        self._reload_alarm.set(self.reactor.now() + self._plan.reload_time)
        self._look_complete()

    def _tell_reload(self, child: Child) -> None:
        """Have it take the newest part."""
        role = child.role
        told = child.channel is not None and child.channel.send(
            {"type": "reload"}, self._successions[role.key].parts[-1]
        )
        if told:
            self._awaited.add(role.key)
            child.behind = not child.ready
        else:
            self._forget()  # what amends this one would be lost on it
            self._last_word = f"last reload did not reach the {role.name} process"

    def _limit_wait(self) -> None:
        """For those that are awaited, when somebody waits for them: until all are complete, or it is too late."""
        if self._reload_alarm.due_at is None:
            self._reload_alarm.set(self.reactor.now() + self._plan.reload_time)

    def _reload_late(self) -> None:
        """A process that does not answer must not keep the next reload waiting for ever."""
        waited = seconds_text(self._plan.reload_time)
        for role in self._plan.roles:
            if role.key not in self._awaited:
                continue
            if self._applying:
                text = f"{role.name} process has not completed the reload for {waited}"
                self._log(text, Level.ERROR, Kind.STALL)
                self._last_word = f"last reload is not complete in the {role.name} process"
                self._forget()  # it may go wrong yet
            child = self._children.get(role.key)
            if child is None or child.ready or child.leaving:
                continue
            if self.reactor.now() - child.started_at >= self._plan.reload_time:  # else it has come in the meantime
                text = f"{role.name} process has not got ready for {waited}: it is ended, and started again"
                self._log(text, Level.ERROR, Kind.STALL)
                child.signal(signal.SIGKILL)  # what it has found is left as it is for the next one
        self._awaited.clear()
        self._look_complete()

    def _dismiss(self, role: Role) -> None:
        """The new configuration has nothing for this role to do. What a process that died has made goes as well."""
        if self._successions[role.key].has_left:
            self._start(role, to_leave=True)
        child = self._children.get(role.key)
        if child is not None:
            self._log(f"{role.name} process has nothing to do any more: stopping it")
            self._tell_to_stop(child)

    def _tell_to_stop(self, child: Child) -> None:
        child.leaving = True
        child.signal(signal.SIGTERM)
        child.force_alarm.set(self.reactor.now() + self._wait_time())

    def _look_complete(self) -> None:
        """Say so when a start or a reload is through."""
        if self._awaited or self._loader is not None or self._stopping_since is not None:
            return
        self._reload_alarm.set(None)
        if not self._started:
            self._started = True
            self._log("Startup complete")
        if self._applying:
            self._applying = False
            if self._last_word:
                self._log(f"The {self._last_word}", Level.ERROR, Kind.CONFIGURATION)
            else:
                self._log("New configuration applied", kind=Kind.CONFIGURATION)
        if self._announce:
            self._announce = False
            self._systemd.ready(self._status())
        if self._reload_again:
            self._reload_again = False
            self._reload()

    # Status

    def _status(self) -> str:
        phrases = []
        for role in self._plan.roles:
            child = self._children.get(role.key)
            if child is not None:
                phrases.append(child.status or f"{role.name} process running")
            elif role.key in self._wanted:
                phrases.append(f"{role.name} process died, to be started again")
        if not phrases:
            phrases.append("nothing to do: the configuration is empty")
        if self._last_word:
            phrases.append(self._last_word)
        return "; ".join(phrases)

    def _tell_status(self) -> None:
        if self._started and self._stopping_since is None and self._loader is None:
            self._systemd.status(self._status())

    # Signals and the end

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._reload()
        elif number == signal.SIGTERM or (number == signal.SIGINT and not self._plan.ignore_sigint):
            self._stop()
        elif number in DUMPS:
            self._log(f"Signal {number} (dump of {DUMPS[number]}): not effective yet in pykeepalived")

    def _wait_time(self) -> int:
        return self._outcome.global_defs.child_wait_time if self._outcome is not None else 5 * SECOND

    def _stop(self) -> None:
        """Stop all children; the rest follows when they have ended."""
        if self._stopping_since is not None:
            return
        self._stopping_since = self.reactor.now()
        self._log("Stopping")
        self._systemd.stopping()
        if self._loader is not None:
            self._loader.too_late()
        for succession in self._successions.values():
            succession.wait_no_more()
        for child in self._children.values():
            self._tell_to_stop(child)
        for role in self._plan.roles if self._exit_code == EXIT_OK else ():
            self._call_once_more(role)  # after a failure a supervisor starts us again: all stays for the next daemon
        self._look_stopped()

    def _call_once_more(self, role: Role) -> None:
        """A process that died may have made something: one comes once more, and takes it away."""
        options = self._plan.options
        stays = {"vrrp": options.dont_release_vrrp, "checkers": options.dont_release_ipvs}.get(role.key)
        succession = self._successions[role.key]
        if role.key in self._children or not succession.has_left or stays:
            return
        assert self._outcome is not None  # noqa: S101 - something ran
        try:
            succession.prepare_to_leave(self._outcome.global_defs)
            self._start(role, to_leave=True)
        except OSError as error:  # the stop goes on
            self._warn(f"What the {role.name} process had made stays: {error.strerror}")
        if child := self._children.get(role.key):
            self._tell_to_stop(child)

    def _force(self, child: Child) -> None:
        if self._children.get(child.role.key) is child:
            self._log(f"{child.role.name} process failed to die - forcing termination", Level.ERROR)
            child.signal(signal.SIGKILL)

    def _look_stopped(self) -> None:
        if not self._children and self._stopping_since is not None:
            self._fifos.close()
            self._scripts.finish(self._stopping_since, _STOP_SCRIPTS, self._end_of_all)

    def _end_of_all(self) -> None:
        ours, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        self._log(
            f"CPU usage (self/children) user: {ours.ru_utime:.6f}/{theirs.ru_utime:.6f}"
            f" system: {ours.ru_stime:.6f}/{theirs.ru_stime:.6f}"
        )
        self._log(f"Stopped Keepalived v{__version__}")
        self.reactor.stop()

    # Words

    def _log(self, text: str, level: Level = Level.INFO, kind: Kind = Kind.PROCESS) -> None:
        self._journal.log(Log(text, level, kind))

    def _warn(self, text: str) -> None:
        self._log(text, Level.WARNING)

    def _log_not_effective(self, outcome: Outcome) -> None:
        for word in outcome.not_effective:
            self._log(f"{word}: not effective yet in pykeepalived", Level.NOTICE, Kind.CONFIGURATION)
