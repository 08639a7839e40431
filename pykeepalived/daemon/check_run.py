"""One checker at work: its wakes, its transport, and the carrying of facts and orders between them."""

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
from pykeepalived.config.blocks.checkers import SslGet
from pykeepalived.daemon.beats import BEAT, Beats, pause_end, timeout_end
from pykeepalived.daemon.tcp_stream import Attempts
from pykeepalived.daemon.transports import Encrypted, Tls, Transport, transport_for
from pykeepalived.effects import Log
from pykeepalived.events import Tick

_NEVER = 1 << 63
_TICK = Tick()  # made once: thousands of checks a second share it


class CheckRun:
    """``judged`` is told verdicts, ``log`` lines, ``starved`` a want of descriptors or memory in words."""

    __slots__ = ("_beats", "_judged", "_log", "_starved", "_transport", "block", "checker", "woken_at")

    def __init__(
        self,
        beats: Beats,
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
        self.woken_at: int | None = None
        self._beats = beats
        self._judged = judged
        self._log = log
        self._starved = starved
        tell = self._hear if isinstance(block, SslGet) else self._tell
        self._transport: Transport | None = transport_for(block, beats.reactor, attempts, tell, tls)
        self._sleep(beats.reactor.now())

    def close(self) -> None:
        """End for good. The transport knows us: no cycle may stay, for there is no collector."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._beats.forget(self)

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self._transport is not None

    def wake(self) -> None:
        """Do what is due."""
        self._tell(_TICK)

    def _hear(self, event: CheckEvent) -> None:
        """From a transport that opens later than it is told to."""
        if isinstance(event, LocalFailure) and event.shared:
            self._starved(event.reason)
        self._tell(event)

    def _tell(self, first: CheckEvent) -> None:
        """Tell the checker a fact, and carry out what it orders."""
        transport = self._transport
        if transport is None:
            return
        checker = self.checker
        now = self._beats.reactor.now() // BEAT * BEAT  # what is counted from a beat falls on a beat
        event: CheckEvent | None = first
        while event is not None:
            fact, event = event, None
            for effect in checker.handle(fact, now):
                if isinstance(effect, CloseConnection):
                    transport.close()
                elif isinstance(effect, OpenConnection):
                    event = self._open(transport)
                elif isinstance(effect, SendBytes):
                    event = transport.send(effect.data)
                elif isinstance(effect, OpenSession):
                    if isinstance(transport, Encrypted):
                        transport.wish(effect)
                    event = self._open(transport)
                elif isinstance(effect, (ServerJudged, ServerWeighed)):
                    self._judged(effect)
                else:
                    self._log(effect)
        if self._transport is not None:
            self._sleep(now)

    def _sleep(self, now: int) -> None:
        """Until the next deadline; who is woken earlier asks again."""
        checker = self.checker
        if not checker.running:
            checker.due_at = beat = pause_end(now, checker.due_at)
            self._beats.wake(self, beat)
        elif (deadline := checker.next_deadline()) < (self.woken_at or _NEVER):
            self._beats.wake(self, timeout_end(now, deadline))

    def _open(self, transport: Transport) -> CheckEvent | None:
        event = transport.open()
        if isinstance(event, LocalFailure) and event.shared:
            self._starved(event.reason)
        return event
