"""The beats on which checks are done: those that are due about together share a wake-up, which costs more than a check.

The shortest beat is that of connections that are looked at, and of timeouts: tries that begin together end together.
Pauses end on wider ones, in proportion: with few checks it is the wider beat that saves most.
"""

import contextlib
import heapq
from typing import Protocol

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.units import MILLISECOND

BEAT = 10 * MILLISECOND

_WIDEST = 10  # in beats; delays of whole seconds are multiples of it
_SHARE = 10  # of a pause, that it may be shortened by
_A_TURN = 64  # woken before the sockets are looked at again; fewer where that takes longer than a beat


def on_beat(instant: int) -> int:
    """The first beat that is not before it."""
    return -(-instant // BEAT) * BEAT


def pause_end(now: int, instant: int) -> int:
    """The beat on which a pause ends: somewhat early if it is long, so that checks keep to the beat they are on however
    long each takes.
    """
    beats = (instant - now) // (_SHARE * BEAT)
    if beats < 1:
        return on_beat(instant)
    width = (min(_WIDEST, beats)) * BEAT
    return instant // width * width


class Sleeper(Protocol):
    """Who wants to be woken on a beat."""

    woken_at: int | None  # the beat; whoever has moved or cleared it is not woken on the former one

    def wake(self) -> None:
        """It is time."""


class Beats:
    """Wakes many, with one alarm for all of a beat."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self._alarm = reactor.alarm(self._ring)
        self._order: list[int] = []  # a heap of the beats that somebody waits for
        self._sleepers: dict[int, list[Sleeper]] = {}
        reactor.may_be_late(2 * _WIDEST * BEAT)

    def wake(self, sleeper: Sleeper, beat: int) -> None:
        """Have it woken then, unless it is to be woken earlier: it says then again what it wants."""
        known = sleeper.woken_at
        if known is not None and known <= beat:
            return
        sleeper.woken_at = beat
        others = self._sleepers.get(beat)
        if others is not None:
            others.append(sleeper)
            return
        self._sleepers[beat] = [sleeper]
        heapq.heappush(self._order, beat)
        if self._order[0] == beat:
            self._alarm.set(beat)

    def forget(self, sleeper: Sleeper) -> None:
        """It is gone: nothing holds it until its beat."""
        beat, sleeper.woken_at = sleeper.woken_at, None
        if beat is not None:
            with contextlib.suppress(ValueError):
                self._sleepers.get(beat, []).remove(sleeper)

    def _ring(self) -> None:
        """Wake those whose beat has come; after some of them others get their turn."""
        left = _A_TURN
        now = self.reactor.now()
        order = self._order
        try:
            while left and order and order[0] <= now:
                left = self._wake(order[0], left, now + BEAT)
        finally:  # one of them may have gone wrong
            if order and order[0] <= now:
                self.reactor.soon(self._ring)
            elif order:
                self._alarm.set(order[0])

    def _wake(self, beat: int, left: int, until: int) -> int:
        """So many of a beat, at most; how many more there is room for. Who is woken late may be told that its time is
        over when its answer has come: the sockets must have been read shortly before.
        """
        sleepers = self._sleepers[beat]
        while sleepers:
            if not left or self.reactor.now() > until:
                return 0
            sleeper = sleepers.pop()
            if sleeper.woken_at == beat:
                left -= 1
                sleeper.woken_at = None
                sleeper.wake()
        heapq.heappop(self._order)  # the first still: none is before it
        del self._sleepers[beat]
        return left
