"""A protocol process from fork to exit: what is around its service.

It gives up what it does not need, loads its part of the configuration, runs the service in a reactor, and leaves in
good order when told to: by TERM, by INT, or because the parent is gone.
"""

import errno
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pykeepalived.config import difference
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.channel import Channel, Message
from pykeepalived.daemon.child import BfdListener, ChildContext, ChildOptions, Service
from pykeepalived.daemon.exit_status import EXIT_CONFIG, EXIT_MISSING_PERMISSION, EXIT_OK, EXIT_PROGRAM_ERROR
from pykeepalived.daemon.faults import Faults, describe
from pykeepalived.daemon.fifos import configured
from pykeepalived.daemon.journal import Lines
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.daemon.loader import amended, read_part, read_value
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.roles import STOP_SIGNALS, Role
from pykeepalived.daemon.scheduling import Scheduling
from pykeepalived.daemon.script_client import ScriptClient
from pykeepalived.daemon.signals import DUMPS, Signals
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import ConfigError, KernelError, ProcessError
from pykeepalived.kernel import capabilities, processes
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.kernel.frames import FrameTemplates
from pykeepalived.kernel.pidfile import AlreadyRunning, PidFile
from pykeepalived.records import record
from pykeepalived.units import MILLISECOND, SECOND

if TYPE_CHECKING:  # netlink is not for the loaders
    from pykeepalived.kernel.namespaces import NamedNamespace
    from pykeepalived.kernel.netlink import Opener

_FORMER_ONE = 5 * SECOND  # how long a former process of this role may take to leave
_SIGN_OF_LIFE = SECOND // 10  # between two words that a long stop goes on
_LAST_RESORT = 30 * SECOND  # a service that does not finish its stop, with no parent to end it
_CHANGES_SAID = 50
_READS_FILES = frozenset({Capability.DAC_READ_SEARCH})  # tracked files are other programs', a key may be anybody's


@record(frozen=True, slots=True)
class Birth:
    """What a child is given at its fork."""

    role: Role
    end: socket.socket  # the child's end of the control socket
    parts: tuple[int, ...]  # descriptors of its pickled part, and of what amends it
    pid_file: str
    process_name: str
    parent: int
    options: ChildOptions
    frames: FrameTemplates
    lines: Lines
    process_events: socket.socket | None = None
    first_namespace: int | None = None  # a descriptor, when the daemon has entered another network namespace
    keepsake: int | None = None  # a descriptor, for what outlives a process that dies
    ipvs_namespace: str | None = None  # net_namespace_ipvs of the daemon's start: a reload does not change it
    to_leave: bool = False  # it only takes away what one that died has left


class Frame:
    """A running protocol process."""

    def __init__(self, birth: Birth) -> None:
        self._birth = birth
        self._journal = birth.lines
        self._faults = Faults(self._journal)
        self._reactor = Reactor(self._faulty)
        self._signals = Signals(self._reactor, (*STOP_SIGNALS, signal.SIGHUP, *DUMPS), self._signalled)
        self._channel = Channel(self._reactor, birth.end, self._received, self._orphaned, self._refused)
        self._scheduling = Scheduling(birth.role, self._reactor, self._journal)
        self._scripts = ScriptClient(self._reactor, self._channel, self._journal)
        self._service: Service | None = None
        self._part = Configuration()
        self._stopping = False
        self._end_status = EXIT_OK
        self._whole = True  # the reload under way
        self._ready = False
        self._status = ""
        self._has_fifos = False
        self._lost_lines = False
        self._told_leaving_at = 0
        self._ipvs_namespace: NamedNamespace | None = None
        self._last_resort = self._reactor.alarm(self._give_up)

    def live(self) -> int:
        """Everything from here to the exit status."""
        pid_file = self._own_pid_file()
        try:
            return self._work()
        except ConfigError as error:
            self._journal.log(Log(str(error), Level.ERROR, Kind.CONFIGURATION))
            return EXIT_CONFIG
        except (OSError, KernelError) as error:
            self._journal.log(Log(f"Cannot start: {describe(error)}", Level.ERROR, Kind.PROCESS))
            return EXIT_MISSING_PERMISSION if error.errno in (errno.EPERM, errno.EACCES) else EXIT_PROGRAM_ERROR
        finally:
            if pid_file is not None:
                pid_file.remove()

    def _work(self) -> int:
        birth = self._birth
        part = read_part(birth.parts)
        self._has_fifos = bool(configured(birth.role.key, part.global_defs))
        for descriptor in birth.parts:
            os.close(descriptor)
        processes.set_timer_slack(1)  # wake when it is time
        if birth.to_leave:
            self._journal.log(Log("Started only to take away what the process before it has left", kind=Kind.PROCESS))
        context = ChildContext(
            self._reactor,
            self._journal,
            self._scripts,
            birth.options,
            birth.frames,
            self._tell_ready,
            self._tell_status,
            self._tell_fifos,
            lambda: self._has_fifos,
            self._tell_leaving,
            birth.process_events,
            self._ipvs_sockets(birth.ipvs_namespace),
            Keepsake(birth.keepsake),
            self._ipvs_namespace,
            self._tell_anew,
            birth.to_leave,
        )
        self._service = birth.role.make(context, part)  # takes what needs more rights than the work does
        needed = self._scheduling.start(part.global_defs) | to_read_files(part)
        try:
            capabilities.keep_only(birth.role.capabilities | needed)
        except KernelError as error:
            self._journal.log(Log(f"Privileges could not be dropped: {error}", Level.WARNING, Kind.PROCESS))
        self._part = part
        if birth.options.dump_conf:
            self._dump(part)
        # the garbage collector stays off, as the parent left it: a last run here would only write to shared pages
        with self._scheduling.long_work(), self._journal.together():
            self._service.start()
        if birth.to_leave:
            self._reactor.soon(self._stop)  # before anything is due
        processes.give_back_free_memory()  # what reading its part has needed
        self._reactor.run()
        self._channel.flush(self._part.global_defs.child_wait_time)  # so long the parent waits for the end
        self._stopped()
        return self._end_status

    def _ipvs_sockets(self, namespace: str | None) -> "Opener | None":
        """What opens sockets where the IPVS table is; another namespace can be entered only before privileges go."""
        door = self._birth.first_namespace
        if namespace is None or (not namespace and door is None):
            return None
        from pykeepalived.kernel import namespaces  # noqa: PLC0415 - few have their IPVS elsewhere

        try:
            if namespace or door is None:
                self._ipvs_namespace = namespaces.NamedNamespace(namespace)
                door = self._ipvs_namespace.open()
            return namespaces.SocketsElsewhere(door, namespaces.FOR_IPVS)
        except KernelError as error:
            if error.errno != errno.ENOENT:
                self._ipvs_namespace = None  # nothing to wait for: it would be refused again
            awaited = self._ipvs_namespace is not None and self._birth.role.key == "checkers"
            until = "there is one" if awaited else "the daemon is started again"
            text = f"net_namespace_ipvs {namespace}: {error} - IPVS is not used until {until}"
            self._journal.log(Log(text.replace("  ", " "), Level.ERROR, Kind.IPVS))
            return namespaces.Nowhere(error.errno)

    def _own_pid_file(self) -> PidFile | None:
        """The role's pid file. A process of a former daemon may still be leaving: wait for it."""
        deadline = time.monotonic_ns() + _FORMER_ONE
        while True:
            try:
                file = PidFile(Path(self._birth.pid_file))
                file.write()
            except AlreadyRunning as other:
                if time.monotonic_ns() > deadline:
                    self._journal.log(Log(f"Going on without a pid file: {other}", Level.WARNING, Kind.PROCESS))
                    return None
                time.sleep(10 * MILLISECOND / SECOND)
            except (OSError, ProcessError) as error:
                self._journal.log(Log(str(error), Level.WARNING, Kind.PROCESS))
                return None
            else:
                return file

    def _tell_ready(self) -> None:
        if not self._ready:
            self._ready = True
            self._channel.send({"type": "ready"})

    def _tell_status(self, text: str) -> None:
        if text != self._status:
            self._status = text
            self._channel.send({"type": "status", "text": text})

    def _tell_fifos(self, line: str) -> None:
        if not self._has_fifos or self._channel.send({"type": "fifo", "line": line}):
            self._lost_lines = False
        elif not self._lost_lines:
            self._lost_lines = True
            text = "Lines for the notify FIFOs are lost: the parent process does not take them"
            self._journal.log(Log(text, Level.ERROR, Kind.SCRIPT))

    def _tell_leaving(self) -> None:
        now = self._reactor.now()
        if now > self._told_leaving_at + _SIGN_OF_LIFE:
            self._told_leaving_at = now
            self._channel.send({"type": "leaving"})

    def _tell_anew(self) -> None:
        self._channel.send({"type": "anew"})

    def _received(self, message: Message, descriptor: int | None) -> None:
        if descriptor is not None and message["type"] != "reload":
            os.close(descriptor)
        match message["type"]:
            case "ping":
                self._channel.send({"type": "pong", "number": message["number"]})
            case "exited":
                self._scripts.exited(message)
            case "reload":
                self._reload(descriptor)
            case "bfd" if isinstance(self._service, BfdListener):
                self._service.bfd_changed(message["name"], up=message["up"])
            case other:
                self._refused(f"'{other}' is not for a child")

    def _reload(self, descriptor: int | None) -> None:
        if self._service is None or self._stopping:
            return
        if descriptor is None:  # the kernel has dropped it
            text = "Not reloaded: no descriptor was left for the new configuration (LimitNOFILE=): reload once more"
            self._journal.log(Log(text, Level.ERROR, Kind.CONFIGURATION))
            self._channel.send({"type": "reloaded", "whole": False})
            return
        self._journal.log(Log("Reloading", kind=Kind.CONFIGURATION))
        self._whole = True
        try:
            part = amended(self._part, read_value(descriptor))
            self._say_changes(part)
            self._scheduling.apply(part.global_defs)
            self._has_fifos = bool(configured(self._birth.role.key, part.global_defs))
            with self._scheduling.long_work(), self._journal.together():
                self._service.reload(part)
        except Exception as error:  # noqa: BLE001 - what runs goes on
            self._faulty(error)
        os.close(descriptor)
        if self._whole:
            self._journal.log(Log("Reload complete", kind=Kind.CONFIGURATION))
        else:
            self._journal.log(Log("The reload went wrong half way", Level.ERROR, Kind.CONFIGURATION))
        self._channel.send({"type": "reloaded", "whole": self._whole})

    def _dump(self, part: Configuration) -> None:
        from pykeepalived.report import configuration  # noqa: PLC0415 - only where it is asked for

        for line in configuration.lines(part):
            self._journal.log(Log(line, kind=Kind.CONFIGURATION))

    def _say_changes(self, part: Configuration) -> None:
        """What this reload does, object by object."""
        changes = difference.lines(difference.difference(self._part, part))
        self._part = part
        for change in changes[:_CHANGES_SAID]:
            self._journal.log(Log(f"Reload: {change}", kind=Kind.CONFIGURATION))
        if len(changes) > _CHANGES_SAID:
            self._journal.log(Log(f"Reload: {len(changes) - _CHANGES_SAID} more changes", kind=Kind.CONFIGURATION))
        if not changes:
            self._journal.log(Log("Reload: nothing changed", kind=Kind.CONFIGURATION))

    def _signalled(self, number: int) -> None:
        if number in STOP_SIGNALS:
            # Ctrl-C reaches the whole group; the parent decides about INT and sends TERM
            if number == signal.SIGTERM or not self._channel.open:
                self._stop()
        elif number in DUMPS:
            text = f"Signal {number} (dump of {DUMPS[number]}): not effective yet in pykeepalived"
            self._journal.log(Log(text, kind=Kind.PROCESS))

    def _orphaned(self) -> None:
        if not self._stopping:
            text = "The parent process is gone: stopping"
            self._journal.log(Log(text, Level.ERROR, Kind.PROCESS))
        self._scripts.lost()
        self._stop()

    def _refused(self, reason: str) -> None:
        self._journal.log(Log(f"Control socket: {reason}", Level.WARNING, Kind.PROCESS))

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._last_resort.set(self._reactor.now() + _LAST_RESORT)
        if self._service is None:
            self._reactor.stop()
            return
        try:
            with self._journal.together():
                self._service.stop(self._reactor.stop)
        except Exception as error:  # noqa: BLE001 - the exit must come whatever happens
            self._faulty(error)
            self._reactor.stop()

    def _faulty(self, error: Exception) -> None:
        self._faults(error)
        self._whole = False
        if self._stopping:
            self._end_status = EXIT_PROGRAM_ERROR  # what it had made may be there still

    def _give_up(self) -> None:
        self._journal.log(Log("The stop takes too long: leaving as it is", Level.ERROR, Kind.PROCESS))
        self._end_status = EXIT_PROGRAM_ERROR
        self._reactor.stop()

    def _stopped(self) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        if self._birth.options.log_detail:
            text = f"Stopped - used {used.ru_utime:.6f} user time, {used.ru_stime:.6f} system time"
            self._journal.log(Log(text, kind=Kind.PROCESS))
        else:
            self._journal.log(Log("Stopped", kind=Kind.PROCESS))


def to_read_files(part: Configuration) -> frozenset[Capability]:
    """What the process needs for files that it reads later."""
    return _READS_FILES if part.track_file or part.ssl is not None else frozenset()


def live(birth: Birth, release: Callable[[], None]) -> None:
    """The child's side of a fork; never returns. ``release`` gives back what is the parent's."""
    status = EXIT_PROGRAM_ERROR
    try:
        release()
        processes.set_name(birth.process_name)
        frame = Frame(birth)
        # after the signals are ours: a parent that is gone already makes us leave in good order
        processes.die_with_parent(birth.parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        status = frame.live()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else EXIT_PROGRAM_ERROR
    except MemoryError:
        status = 204
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's code
        birth.lines.log(Log(f"Program error: {describe(error)}", Level.CRIT, Kind.PROCESS))
    finally:
        os._exit(status)
