"""What was begun with sockets, connections and questions, and how is seen what has become of it.

Watching a socket costs two system calls, and a wake-up of its own. So all that was begun together is looked at
together, with one call: at once, for what is near has answered by then; after a moment; and on the next beat. Only what
is not decided then goes to the reactor.
"""

import select
from collections.abc import Callable
from typing import Protocol

from pykeepalived.daemon.beats import on_beat
from pykeepalived.daemon.connections import Connection
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.units import MILLISECOND

READABLE = select.POLLIN | select.POLLRDHUP
WRITABLE = select.POLLOUT
BROKEN = select.POLLERR | select.POLLHUP
ENDED = select.POLLRDHUP

_A_TURN = 64  # looked at before others get their turn


class Attempt(Protocol):
    """What has begun something with a socket. By the time it is told it may have another one, or none."""

    def ready(self, connection: Connection, happened: int) -> None:
        """What it waits for has come; ``happened`` are poll's bits."""

    def wait(self, connection: Connection) -> None:
        """Nothing has come so soon: have it watched."""


_Begun = tuple[Attempt, Connection, int]


class Attempts:
    """``add`` what has begun."""

    def __init__(self, reactor: Reactor) -> None:
        last = _Look(reactor, lambda now: on_beat(now + 1), _watch)
        second = _Look(reactor, lambda now: now + MILLISECOND, last.add)
        self._first = _Look(reactor, None, second.add)

    def add(self, attempt: Attempt, connection: Connection, awaited: int) -> None:
        """An attempt that is not decided yet; it waits for READABLE or WRITABLE."""
        self._first.add((attempt, connection, awaited))


class _Look:
    """Looks at many together when it is ``due`` (None: in the next turn); ``then`` takes those that still wait."""

    def __init__(self, reactor: Reactor, due: Callable[[int], int] | None, then: Callable[[_Begun], None]) -> None:
        self._reactor = reactor
        self._due = due
        self._then = then
        self._alarm = reactor.alarm(self._look)
        self._begun: list[_Begun] = []

    def add(self, begun: _Begun) -> None:
        """One more."""
        if not self._begun:
            if self._due is None:
                self._reactor.soon(self._look)
            else:
                self._alarm.set(self._due(self._reactor.now()))
        self._begun.append(begun)

    def _look(self) -> None:
        begun, self._begun = self._begun[:_A_TURN], self._begun[_A_TURN:]
        if self._begun:
            self._reactor.soon(self._look)
        waiting: dict[int, _Begun] = {}
        poll = select.poll()
        for each in begun:
            number = each[1].fileno()
            if number >= 0:  # not closed meanwhile
                waiting[number] = each
                poll.register(number, each[2])
        try:
            for number, happened in poll.poll(0):
                attempt, connection, _ = waiting.pop(number)
                attempt.ready(connection, happened)
            while waiting:
                self._then(waiting.popitem()[1])
        finally:  # one may have gone wrong; the others must not be taken for silent servers
            for each in waiting.values():
                self.add(each)


def _watch(begun: _Begun) -> None:
    attempt, connection, _ = begun
    attempt.wait(connection)
