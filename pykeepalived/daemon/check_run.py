"""One checker at work: its wakes, its transport, and the carrying of facts and orders between them."""

import os
from collections.abc import Callable

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import (
    CloseConnection,
    OpenConnection,
    OpenSession,
    SendBytes,
    ServerJudged,
    ServerWeighed,
)
from pykeepalived.checkers.events import CheckEvent, LocalFailure
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import BEAT, Beats, on_beat, pause_end
from pykeepalived.daemon.transports import Tls, Transport, transport_for
from pykeepalived.effects import Log
from pykeepalived.errors import NO_ROOM
from pykeepalived.events import Tick

_TICK = Tick()  # made once: thousands of checks a second share it


class Means:
    """What the checks of a process share: ``log`` is told lines, ``starved`` a want of descriptors in words."""

    __slots__ = ("attempts", "beats", "log", "starved", "tls")

    def __init__(
        self,
        beats: Beats,
        attempts: Attempts,
        log: Callable[[Log], None],
        starved: Callable[[str], None],
        tls: Tls | None = None,
    ) -> None:
        self.beats = beats
        self.attempts = attempts
        self.log = log
        self.starved = starved
        self.tls = tls or Tls(beats.reactor, None, log)


class CheckRun:
    """``judged`` is told verdicts. There are thousands: what only a try needs is made for the try."""

    __slots__ = ("_judged", "_means", "_transport", "block", "checker", "woken_at")

    def __init__(
        self,
        means: Means,
        block: CheckerBlock,
        checker: Checker,
        judged: Callable[[ServerJudged | ServerWeighed], None],
    ) -> None:
        self.block = block
        self.checker = checker
        self.woken_at: int | None = None
        self._means: Means | None = means
        self._judged = judged
        self._transport: Transport | None = None  # it knows us: no cycle may stay, for there is no collector
        self._pause(means.beats, means.beats.reactor.now())

    def close(self) -> None:
        """End for good."""
        self._hang_up()
        if self._means is not None:
            self._means.beats.forget(self)
            self._means = None

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self._means is not None

    def wake(self) -> None:
        """Do what is due."""
        self._tell(_TICK)

    def _tell(self, first: CheckEvent) -> None:
        """Tell the checker a fact, and carry out what it orders."""
        means = self._means
        if means is None:
            return
        checker = self.checker
        now = means.beats.reactor.now() // BEAT * BEAT  # what is counted from a beat falls on a beat
        began = not checker.running  # most tries have ended before it is worth while to see to their time
        event: CheckEvent | None = first
        try:
            while event is not None:
                fact, event = event, None
                if isinstance(fact, LocalFailure) and fact.shared:
                    means.starved(fact.reason)
                for effect in checker.handle(fact, now):
                    if isinstance(effect, CloseConnection):
                        self._hang_up()
                    elif isinstance(effect, OpenConnection):
                        event = self._open(means)
                    elif isinstance(effect, SendBytes):
                        event = None if self._transport is None else self._transport.send(effect.data)
                    elif isinstance(effect, OpenSession):
                        event = self._open(means, effect)
                    elif isinstance(effect, (ServerJudged, ServerWeighed)):
                        self._judged(effect)
                    else:
                        means.log(effect)
        except Exception as error:
            if not self._end_try(error, first):
                raise
        if self._means is None:
            return
        if not checker.running:
            self._pause(means.beats, now)
        elif self.woken_at is not None or (isinstance(first, Tick) and not began):
            self._watch_time(means.beats)

    def _end_try(self, error: Exception, told: CheckEvent) -> bool:
        """What went wrong here says nothing of the server: the try ends, and the next one comes in its time. Gives
        whether it was a want of descriptors, which may be met wherever a module or a library is loaded.
        """
        number = error.errno if isinstance(error, OSError) else None
        want = self.checker.running and number in NO_ROOM
        if not isinstance(told, LocalFailure):
            reason = os.strerror(number) if number else str(error)
            self._tell(LocalFailure("set-up", reason, shared=want))
        return want

    def _pause(self, beats: Beats, now: int) -> None:
        """Until the next try."""
        self.checker.due_at = beat = pause_end(now, self.checker.due_at)
        beats.wake(self, beat)

    def _watch_time(self, beats: Beats) -> None:
        """Of a try that takes longer than most; who is woken before its deadline asks again."""
        deadline = self.checker.next_deadline()
        if self.woken_at is None or deadline < self.woken_at:
            beats.wake(self, on_beat(deadline))

    def _open(self, means: Means, wish: OpenSession | None = None) -> CheckEvent | None:
        transport = transport_for(self.block, means.beats.reactor, means.attempts, self._tell, means.tls, wish)
        self._transport = transport
        return transport.open()

    def _hang_up(self) -> None:
        transport = self._transport
        if transport is not None:
            self._transport = None
            transport.close()
