"""Which starter starts which script: one starter for each user, orders in turn, and what if it hangs.

A program on a dead file server keeps its starter for as long as that server is dead. Then another starter takes the
further orders, up to a few; a file that hangs already is not tried again meanwhile.
"""

import errno
import os
from collections import deque
from collections.abc import Callable, Mapping

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon import script_starter
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.script_starter import Identity, Order, Starter
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import NO_ROOM
from pykeepalived.units import SECOND

MOST_HANGING = 4
"""Starters of one user."""

_LOOK = SECOND // 2  # while somebody waits for a starter
_LOOKS = 5  # at one that is at the same order, then it hangs; not by the clock: it may have stood still with us

_GOODBYE = SECOND // 5  # for all starters, at the end of the daemon

_HANGS = "its file cannot be read: a start of it hangs already"
_ALL_HANG = f"{MOST_HANGING} other scripts of this user hang while they are started"

_PASSING = NO_ROOM | {errno.EAGAIN, errno.ETXTBSY}
"""What the machine lacks just now, or a program that is being written: that says nothing of the script."""


class ScriptOrders:
    """All starters. What becomes of an order is told by its number: ``begun`` with the process id, or ``refused`` with
    the reason, and whether that is the script's own. One that has begun is ``ended`` with its status, once that was
    asked for, or ``lost`` with its starter.
    """

    def __init__(
        self,
        reactor: Reactor,
        journal: Journal,
        environment: Mapping[str, str],
        begun: Callable[[int, int], None],
        refused: Callable[[int, str, bool], None],
        ended: Callable[[int, int], None],
        lost: Callable[[int], None],
    ) -> None:
        self._reactor = reactor
        self._journal = journal
        self._environment = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
        self._begun = begun
        self._refused = refused
        self._ended = ended
        self._lost = lost
        self._starters: list[Starter] = []
        self._waiting: dict[Identity, deque[Order]] = {}
        self._starter_of: dict[int, Starter] = {}  # scripts that have begun
        self._alarm = reactor.alarm(self._look)

    def starters(self) -> list[int]:
        """Their process ids."""
        return [starter.pid for starter in self._starters]

    def add(self, number: int, script: Script, arguments: tuple[str, ...]) -> None:
        """Have it started, in its turn."""
        try:
            order = script_starter.order(number, (*script.argv, *arguments))
        except OSError as error:
            self._refused(number, str(error.strerror), True)
            return
        identity = Identity(script.uid, script.gid, script.groups)
        self._waiting.setdefault(identity, deque()).append(order)
        self._serve(identity)

    def withdraw(self, number: int) -> bool:
        """Take back an order; False when a starter has got it."""
        for waiting in self._waiting.values():
            for order in waiting:
                if order.number == number:
                    waiting.remove(order)
                    return True
        return False

    def take_status(self, number: int) -> None:
        """The script of this number has ended: have its status told."""
        if number in self._starter_of:
            self._starter_of[number].take_status(number)

    def retire(self) -> None:
        """All starters as they are: those that come after them inherit what has changed."""
        for starter in self._starters.copy():
            starter.retired = True
            self._look_idle(starter)
        self._serve_all()

    def close(self) -> None:
        """The daemon ends, and so do the starters, and what they have started."""
        deadline = self._reactor.now() + _GOODBYE
        self._alarm.set(None)
        self._waiting.clear()
        for starter in self._starters:
            starter.dismiss()
        for starter in self._starters:
            starter.see_off(deadline - self._reactor.now())
        self._starters.clear()

    def release(self) -> None:
        """In a forked child: the starters are the parent's."""
        for starter in self._starters:
            starter.release()
        self._starters.clear()

    def _serve(self, identity: Identity) -> None:
        """Somebody waits: for whoever is free, or for another starter, if those that are there hang."""
        working = [each for each in self._starters if each.identity == identity and not each.retired]
        starter = next((each for each in working if each.current is None), None)
        if starter is None:
            hanging = self._hanging(identity)
            if not all(each in hanging for each in working):
                self._look_soon()
                return
            if len(hanging) >= MOST_HANGING:
                self._refuse_all(identity, _ALL_HANG, own=False)
                return
            try:
                starter = Starter(self._reactor, identity, self._environment, self._answered, self._gone)
            except OSError as error:
                self._refuse_all(identity, str(error.strerror), own=False)
                return
            self._starters.append(starter)
        self._next(starter)
        if self._waiting[identity]:
            self._look_soon()

    def _serve_all(self) -> None:
        for identity, waiting in list(self._waiting.items()):
            if waiting:
                self._serve(identity)

    def _next(self, starter: Starter) -> None:
        """It is free: the next order for it."""
        waiting = self._waiting[starter.identity]
        while waiting and starter.current is None:
            order = waiting.popleft()
            if order.path in (each.current.path for each in self._hanging(starter.identity) if each.current):
                self._refused(order.number, _HANGS, True)
            else:
                starter.start(order)

    def _refuse_all(self, identity: Identity, reason: str, *, own: bool) -> None:
        waiting = self._waiting[identity]
        while waiting:
            self._refused(waiting.popleft().number, reason, own)

    def _answered(self, starter: Starter, number: int, value: int) -> None:
        order = starter.current
        if order is None or order.number != number:
            if self._starter_of.pop(number, None) is not None:
                starter.running -= 1
                self._ended(number, value)
        else:
            starter.current = None
            if value > 0:
                starter.running += 1
                self._starter_of[number] = starter
                self._begun(number, value)
            else:
                self._refused(number, os.strerror(-value), -value not in _PASSING)
            if not starter.retired:
                self._next(starter)
        self._look_idle(starter)

    def _look_idle(self, starter: Starter) -> None:
        """One that is not needed any more leaves."""
        if starter.current is not None or starter.running:
            return
        if not starter.retired:  # it may have come because another one hung
            starter.retired = any(
                each is not starter and each.current is None and each.identity == starter.identity and not each.retired
                for each in self._starters
            )
        if starter.retired:
            starter.dismiss()

    # One that hangs

    def _hanging(self, identity: Identity) -> list[Starter]:
        """Those of this user that hang; retired ones too."""
        return [each for each in self._starters if each.identity == identity and each.current and each.waited >= _LOOKS]

    def _look_soon(self) -> None:
        if self._alarm.due_at is None:
            self._alarm.set(self._reactor.now() + _LOOK)

    def _look(self) -> None:
        """Somebody waits, or did a moment ago: look who is at the same order still."""
        for starter in self._starters:
            starter.waited += 1
            if starter.waited == _LOOKS and starter.current is not None:
                text = f"Script {starter.current.path} does not start: its file cannot be read"
                self._journal.log(Log(text, Level.WARNING, Kind.SCRIPT))
        self._serve_all()

    # One that died

    def _gone(self, starter: Starter) -> None:
        """It has left, or has died: nobody can be asked any more how its scripts end."""
        self._starters.remove(starter)
        current = starter.current
        lost = [number for number, each in self._starter_of.items() if each is starter]
        if starter.obstacle and current is not None:
            self._refused(current.number, starter.obstacle, True)
            self._refuse_all(starter.identity, starter.obstacle, own=True)
        elif not starter.retired or current is not None or lost:
            lost += [current.number] if current is not None else []
            how = f"signal {os.WTERMSIG(starter.status)}" if os.WIFSIGNALED(starter.status) else "by itself"
            who = f"The process that starts scripts of user {starter.identity.uid} (PID {starter.pid})"
            text = f"{who} has ended ({how}), scripts that ended with it: {len(lost)}"
            self._journal.log(Log(text, Level.ERROR, Kind.SCRIPT))
            for number in lost:
                self._starter_of.pop(number, None)
                self._lost(number)
        if self._waiting.get(starter.identity):
            self._serve(starter.identity)
