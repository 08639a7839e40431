"""One checker at work: its alarm, its transport, and the carrying of facts and orders between them."""

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
from pykeepalived.daemon.beats import BEAT, on_beat
from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.daemon.tcp_stream import Attempts
from pykeepalived.daemon.transports import Encrypted, Tls, Transport, transport_for
from pykeepalived.effects import Log
from pykeepalived.events import Tick

_TICK = Tick()  # made once: thousands of checks a second share it


class CheckRun:
    """``judged`` is told verdicts, ``log`` lines, ``starved`` a want of descriptors or memory in words."""

    __slots__ = ("_alarm", "_judged", "_log", "_reactor", "_starved", "_transport", "block", "checker")

    def __init__(
        self,
        reactor: Reactor,
        attempts: Attempts,
        block: CheckerBlock,
        checker: Checker,
        judged: Callable[[ServerJudged | ServerWeighed], None],
        log: Callable[[Log], None],
        starved: Callable[[str], None],
        tls: Tls | None = None,
    ) -> None:
        self.block = block
        self.checker = checker
        self._reactor = reactor
        self._judged = judged
        self._log = log
        self._starved = starved
        self._transport: Transport | None = transport_for(block, reactor, attempts, self._tell, tls)
        self._alarm: Alarm | None = reactor.alarm(self.wake)
        self._alarm.set(on_beat(checker.next_deadline()))

    def close(self) -> None:
        """End for good. Transport and alarm know us: no cycle may stay, for there is no collector."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._alarm is not None:
            self._alarm.end()
            self._alarm = None

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self._alarm is not None

    def wake(self) -> None:
        """Do what is due."""
        self._tell(_TICK)

    def _tell(self, first: CheckEvent) -> None:
        """Tell the checker a fact, and carry out what it orders."""
        transport = self._transport
        if transport is None:
            return
        event: CheckEvent | None = first
        now = self._reactor.now() // BEAT * BEAT  # what is counted from a beat falls on a beat
        while event is not None:
            fact, event = event, None
            for effect in self.checker.handle(fact, now):
                if isinstance(effect, (OpenConnection, OpenSession)):
                    event = self._open(transport, effect)
                elif isinstance(effect, CloseConnection):
                    transport.close()
                elif isinstance(effect, SendBytes):
                    event = transport.send(effect.data)
                elif isinstance(effect, (ServerJudged, ServerWeighed)):
                    self._judged(effect)
                else:
                    self._log(effect)
        if self._alarm is not None:
            self._alarm.set(on_beat(self.checker.next_deadline()))

    def _open(self, transport: Transport, order: OpenConnection | OpenSession) -> CheckEvent | None:
        if isinstance(order, OpenSession) and isinstance(transport, Encrypted):
            transport.wish(order)
        event = transport.open()
        if isinstance(event, LocalFailure) and event.shared:
            self._starved(event.reason)
        return event
