"""The linkbeat: interfaces whose link is asked for once a second, one after the other, spread over that second."""

from collections.abc import Callable

from pykeepalived.config.blocks.interfaces import METHODS, Method
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.kernel.ports import LinkProber
from pykeepalived.units import SECOND
from pykeepalived.vrrp.events import LinkbeatChanged
from pykeepalived.vrrp.link_states import Polled


class Linkbeat:
    """Polls, and tells of changes."""

    def __init__(
        self,
        prober: Callable[[], LinkProber],
        reactor: Reactor,
        journal: Journal,
        tell: Callable[[LinkbeatChanged], None],
    ) -> None:
        self._open = prober
        self._prober: LinkProber | None = None
        self._failing = False  # as was said
        self._reactor = reactor
        self._journal = journal
        self._tell = tell
        self._polled: dict[str, Method] = {}
        self._ways: dict[str, Method] = {}
        self._last: dict[str, bool] = {}
        self._round: list[str] = []
        self._alarm = reactor.alarm(self._poll_next)

    def replace(self, polled: Polled) -> None:
        """Poll these interfaces; new ones are asked at once."""
        former, self._polled = self._polled, dict(polled)
        for name in [name for name in former if polled.get(name) != former[name]]:
            self.forget(name)
        self._round = []
        for name in self._polled:
            if name not in self._last:
                self._poll(name)
        self._again()

    def forget(self, name: str) -> None:
        """The interface was replaced by another of its name: ask anew, by the first way that works."""
        self._ways.pop(name, None)
        self._last.pop(name, None)

    def close(self) -> None:
        """Poll no more."""
        self._alarm.set(None)
        if self._prober is not None:
            self._prober.close()
            self._prober = None

    def _again(self) -> None:
        count = len(self._polled)
        self._alarm.set(self._reactor.now() + SECOND // count if count else None)

    def _poll_next(self) -> None:
        if not self._round:
            self._round = list(self._polled)
        if self._round:
            self._poll(self._round.pop())
        self._again()

    def _poll(self, name: str) -> None:
        prober = self._prober or self._begin()
        if prober is None:
            return
        way = self._ways.get(name) or self._find_way(name, prober)
        up = prober.link(name, way) if way else None
        if up is None and way:  # many drivers answer nobody while the interface is set down
            up = prober.link(name, "IOCTL")
        if up is not None and up != self._last.get(name):
            self._last[name] = up
            self._tell(LinkbeatChanged(name, up))

    def _begin(self) -> LinkProber | None:
        """What asks. Where it cannot be had, which is said once, it is tried again at each turn."""
        try:
            self._prober = self._open()
        except OSError as error:
            if not self._failing:
                self._failing = True
                text = f"Linkbeat: no link can be asked for yet: {error.strerror}"
                self._journal.log(Log(text, Level.ERROR, Kind.TRACKER))
        return self._prober

    def _find_way(self, name: str, prober: LinkProber) -> Method:
        """The configured way, else the first that works; empty while the interface answers to none."""
        configured = self._polled[name]
        for way in (configured, *METHODS):
            if way and prober.link(name, way) is not None:
                if configured and way != configured:
                    text = f"({name}): Configured linkbeat type {configured} not supported, using {way}"
                    self._journal.log(Log(text, Level.WARNING, Kind.TRACKER))
                self._ways[name] = way
                return way
        return ""
