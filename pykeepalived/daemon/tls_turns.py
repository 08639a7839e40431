"""Whose turn it is with TLS: handshakes are so dear that a processor cannot make all that may be due.

Few sessions begin in a beat, and none while many steps of others wait. So each that has begun goes on soon, however
many are due; the others wait in line, where no server waits with them.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from pykeepalived.daemon.beats import BEAT, on_beat
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.units import SECOND, seconds_text

_STEPS_A_TURN = 4  # of handshakes; one costs as much as a dozen checks of TCP
_FEW = 16  # steps that wait: with more no session begins
_A_BEAT = 20  # sessions that may begin: more than any processor can go on with
_LONG = 5 * SECOND  # that sessions wait for their beginning
_SHORT = SECOND


class Waiting(Protocol):
    """Who waits in line."""

    def called_up(self) -> None:
        """It is its turn."""


class TlsTurns:
    """The turns of all sessions of a process, whatever their settings."""

    def __init__(self, reactor: Reactor, log: Callable[[Log], None]) -> None:
        self._reactor = reactor
        self._log = log
        self._steps: deque[Callable[[], None]] = deque()
        self._working = False
        self._line: OrderedDict[Waiting, int] = OrderedDict()  # since when; who leaves is not looked for
        self._line_alarm = reactor.alarm(self._call_up)
        self._beat = 0
        self._left = 0  # of those that may begin in it
        self._crowded = False

    def may_begin(self) -> bool:
        """Whether a session may begin at once; then it counts as begun."""
        return not self._line and self._has_room()

    def wait_in_line(self, session: Waiting) -> None:
        """Call it up when it is its turn."""
        now = self._reactor.now()
        if not self._line:
            self._line_alarm.set(on_beat(now + 1))
        self._line[session] = now

    def leave_line(self, session: Waiting) -> None:
        """Its try has ended; nothing happens if it does not wait."""
        self._line.pop(session, None)

    def soon(self, step: Callable[[], None]) -> None:
        """Take the step of a handshake in one of the next turns."""
        self._steps.append(step)
        if not self._working:
            self._working = True
            self._reactor.soon(self._work)

    def _has_room(self) -> bool:
        beat = self._reactor.now() // BEAT
        if beat != self._beat:
            self._beat, self._left = beat, _A_BEAT
        if not self._left or len(self._steps) >= _FEW:
            return False
        self._left -= 1
        return True

    def _call_up(self) -> None:
        try:
            while self._line and self._has_room():
                session, since = self._line.popitem(last=False)
                self._look_at_line(self._reactor.now() - since)
                session.called_up()
        finally:
            if self._line:
                self._line_alarm.set(on_beat(self._reactor.now() + 1))

    def _work(self) -> None:
        try:
            for _ in range(min(_STEPS_A_TURN, len(self._steps))):
                self._steps.popleft()()
        finally:
            self._working = bool(self._steps)
            if self._working:
                self._reactor.soon(self._work)

    def _look_at_line(self, waited: int) -> None:
        """Once when it is long, and once when it is short again."""
        if waited > _LONG and not self._crowded:
            self._crowded = True
            text = (
                f"{len(self._line) + 1} SSL checks wait for this process, for {seconds_text(waited // SECOND * SECOND)}"
                " by now: it cannot make more handshakes. Each is made in its turn, and no server fails by that; but"
                " deaths are found so much later. A longer delay_loop, or TCP_CHECK, mends it"
            )
            self._log(Log(text, Level.ERROR, Kind.STALL))
        elif waited < _SHORT and self._crowded:
            self._crowded = False
            self._log(Log("SSL checks are made in time again", Level.NOTICE, Kind.STALL))
