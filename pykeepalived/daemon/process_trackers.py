"""The vrrp_track_processes of the VRRP process: who of the running programs is meant, and whether there are enough.

The kernel tells of forks, executions, names and ends by its process events. Where it does not, /proc is looked through
at a measured pace for what is new, and a pidfd tells the end of what was found.
"""

import os
import socket
from collections.abc import Callable, Iterable
from functools import partial

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel import process_table
from pykeepalived.kernel.netlink import Overrun
from pykeepalived.kernel.process_events import Kind as Event
from pykeepalived.kernel.process_events import ProcessEvents, open_socket
from pykeepalived.trackers.process import Change, Effect, ProcessTracker
from pykeepalived.units import MILLISECOND, SECOND

_PACE = 10 * MILLISECOND  # between two readings of events: a machine that compiles forks thousands of times a second
_ROUND_EVERY = SECOND  # without events
_LOOKED_AT_A_STEP = 20
_STEP = 10 * MILLISECOND
_MOST_ENDS = 64  # watched by a pidfd each: sockets need descriptors as well


class ProcessTrackers:
    """All processes that some instance or group follows. ``told`` gets name, up and cause."""

    def __init__(
        self,
        reactor: Reactor,
        journal: Journal,
        told: Callable[[str, bool, str], None],
        listener: socket.socket | None = None,
    ) -> None:
        self._reactor = reactor
        self._journal = journal
        self._told = told
        self._socket = listener  # made before another network namespace was entered
        self._trackers: dict[str, tuple[ProcessTracker, Alarm]] = {}
        self._known: dict[int, tuple[str, ...]] = {}  # the trackers that a process counts for, in their order
        self._ends: dict[int, int] = {}  # pidfds, where there are no events
        self._events: ProcessEvents | None = None
        self._listen_again = reactor.alarm(self._read)
        self._round = reactor.alarm(self._next_step)
        self._left: list[int] = []
        self._unread = False  # something could not be read: another round is owed
        self._refused = False

    # --- what is followed ---------------------------------------------------------------------------------------

    def replace(self, configs: Iterable[VrrpTrackProcess], global_defs: GlobalDefs) -> dict[str, bool]:
        """Follow these from now on; whether each has its quorum now."""
        former, self._trackers = self._trackers, {}
        wanted = {config.name: config for config in configs}
        changed: set[str] = set()
        if not wanted:
            self._close(former)
            return {}
        for name, config in wanted.items():
            kept = former.pop(name, None)
            if kept is None:
                tracker = ProcessTracker(config, set())
                kept = tracker, self._reactor.alarm(partial(self._due, tracker))
                changed.add(name)
            elif kept[0].config != config:
                kept[0].take(config)
                changed.add(name)
            self._trackers[name] = kept
        for _, alarm in former.values():
            alarm.set(None)
        self._listen(global_defs)
        self._find(changed)
        return {name: tracker.up for name, (tracker, _) in self._trackers.items()}

    def stop(self) -> None:
        """Follow nothing any more."""
        self._close(self._trackers)
        self._trackers = {}

    def _close(self, former: dict[str, tuple[ProcessTracker, Alarm]]) -> None:
        for _, alarm in former.values():
            alarm.set(None)
        self._round.set(None)
        self._listen_again.set(None)
        for pid in list(self._ends):
            self._forget_end(pid)
        self._known.clear()
        self._left = []
        if self._events is not None:
            self._reactor.unwatch(self._events.fileno())
            self._events.close()
            self._events = None

    def _find(self, changed: set[str]) -> None:
        """Look at every process for trackers that are new or changed, and take what is found as it is, without delays.
        The others go on with what they know.
        """
        for name in changed:
            tracker, alarm = self._trackers[name]
            tracker.pids = set()
            tracker.deadline = None
            alarm.set(None)
        for pid in {*self._known, *self._pids()}:
            before = self._known.pop(pid, ())
            found: tuple[str, ...] = ()
            try:
                if changed and (fitting := self._fitting(pid)) and not process_table.has_ended(pid):
                    found = fitting
            except OSError:
                self._look_again()
            names = tuple(each for each in self._trackers if each in (found if each in changed else before))
            if not names:
                self._forget_end(pid)
                continue
            self._known[pid] = names
            self._watch_end(pid)
            for name in changed.intersection(names):
                self._trackers[name][0].pids.add(pid)
        for name in changed:
            tracker = self._trackers[name][0]
            tracker.up = tracker.achieved

    def _fitting(self, pid: int) -> tuple[str, ...]:
        """The trackers that mean this process, in the order of the configuration."""
        wants_name = wants_line = False
        for tracker, _ in self._trackers.values():
            if tracker.pattern.full_command:
                wants_line = True
            else:
                wants_name = True
        name = process_table.name(pid) if wants_name else b""
        line = process_table.command_line(pid) if wants_line else b""
        return tuple(key for key, (tracker, _) in self._trackers.items() if tracker.pattern.fits(name, line))

    # --- what happens to processes ------------------------------------------------------------------------------

    def _forked(self, parent: int, child: int) -> None:
        """The child is what its parent is, until it executes another program."""
        if (names := self._known.get(parent)) is not None:
            self._known[child] = names
            for name in names:
                tracker = self._trackers[name][0]
                self._carry_out(tracker, tracker.appeared(child, Change.FORKED, self._reactor.now()))

    def _changed(self, pid: int, change: Change = Change.OTHER) -> None:
        """It may be called otherwise than before."""
        before = self._known.get(pid, ())
        try:
            names = self._fitting(pid)
            if names == before or process_table.has_ended(pid):  # of the end we hear otherwise
                return
        except OSError:
            self._look_again()
            return
        if names:
            self._known[pid] = names
            self._watch_end(pid)
        else:
            del self._known[pid]
            self._forget_end(pid)
        now = self._reactor.now()
        for name, (tracker, _) in self._trackers.items():
            if (name in names) is not (name in before):
                happens = tracker.appeared if name in names else tracker.vanished
                self._carry_out(tracker, happens(pid, change, now))

    def _ended(self, pid: int) -> None:
        self._forget_end(pid)
        for name in self._known.pop(pid, ()):
            tracker = self._trackers[name][0]
            self._carry_out(tracker, tracker.vanished(pid, Change.ENDED, self._reactor.now()))

    def _due(self, tracker: ProcessTracker) -> None:
        self._carry_out(tracker, tracker.tick(self._reactor.now()))

    def _carry_out(self, tracker: ProcessTracker, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Log):
                self._journal.log(effect)
            else:
                self._told(effect.name, effect.up, effect.cause)
        known = self._trackers.get(tracker.config.name)
        if known is not None and known[0] is tracker:
            known[1].set(tracker.deadline)

    # --- the kernel's events ------------------------------------------------------------------------------------

    def _listen(self, global_defs: GlobalDefs) -> None:
        """Hear of processes from the kernel, or look by ourselves."""
        names = not all(tracker.pattern.full_command for tracker, _ in self._trackers.values())
        size, force = global_defs.process_monitor_rcv_bufs, global_defs.process_monitor_rcv_bufs_force
        if self._events is not None:
            self._events.configure(names=names, receive_bytes=size, force=force)
            return
        if self._refused:
            self._round.set(self._reactor.now() + _ROUND_EVERY)
            return
        try:
            self._socket = self._socket or open_socket()
            self._events = ProcessEvents(self._socket, names=names, receive_bytes=size, force=force)
        except KernelError as error:
            self._refused = True
            message = f"The kernel does not tell of processes here ({error}): /proc is looked through once a second"
            self._journal.log(Log(message, Level.NOTICE, Kind.TRACKER))
            self._round.set(self._reactor.now() + _ROUND_EVERY)
        else:
            self._watch(self._events)

    def _watch(self, events: ProcessEvents) -> None:
        try:
            self._reactor.watch(events.fileno(), self._read)
        except OSError:  # a little later, and what has come meanwhile is read then
            self._listen_again.set(self._reactor.now() + _ROUND_EVERY)

    def _read(self) -> None:
        """The first event after a pause is read at once, those that follow are read together."""
        events = self._events
        if events is None:
            return
        self._reactor.unwatch(events.fileno())
        busy = False
        try:
            for what, pid, parent in events.events():
                busy = True
                if what == Event.FORK:
                    self._forked(parent, pid)
                elif what != Event.EXIT:
                    self._changed(pid)
                elif pid in self._known:
                    self._ended(pid)
        except Overrun:
            self._begin_round()
        finally:
            if self._events is events:
                if busy:
                    self._listen_again.set(self._reactor.now() + _PACE)
                else:
                    self._watch(events)

    # --- looking by ourselves -----------------------------------------------------------------------------------

    def _begin_round(self) -> None:
        """Look at every process, some at a time; what is not there any more has ended."""
        self._unread = False
        self._left = self._pids()
        if self._unread:
            return
        for pid in self._known.keys() - set(self._left):
            self._ended(pid)
        self._round.set(self._reactor.now() + _STEP)

    def _look_again(self) -> None:
        """Something could not be read just now: another round tells, after the one under way."""
        self._unread = True
        if not self._left:
            self._round.set(self._reactor.now() + _ROUND_EVERY)

    def _pids(self) -> list[int]:
        try:
            return process_table.pids()
        except OSError:
            self._look_again()
            return []

    def _has_ended(self, pid: int) -> bool:
        try:
            return process_table.has_ended(pid)
        except OSError:
            self._look_again()
            return False

    def _next_step(self) -> None:
        if not self._left:
            self._begin_round()
        step, self._left = self._left[:_LOOKED_AT_A_STEP], self._left[_LOOKED_AT_A_STEP:]
        for pid in step:
            if pid in self._known and self._has_ended(pid):
                self._ended(pid)
            else:
                self._changed(pid, Change.FORKED)  # perhaps a fork that will execute another program
        now = self._reactor.now()
        if self._left:
            self._round.set(now + _STEP)
        elif self._events is None or self._unread:
            self._round.set(now + _ROUND_EVERY)

    def _watch_end(self, pid: int) -> None:
        """Without events a pidfd tells the end; where there is none, the next round does."""
        if self._events is not None or pid in self._ends or len(self._ends) >= _MOST_ENDS:
            return
        try:
            self._ends[pid] = fd = os.pidfd_open(pid)
            self._reactor.watch(fd, partial(self._ended, pid))
        except OSError:
            self._forget_end(pid)

    def _forget_end(self, pid: int) -> None:
        fd = self._ends.pop(pid, None)
        if fd is not None:
            self._reactor.unwatch(fd)
            os.close(fd)
