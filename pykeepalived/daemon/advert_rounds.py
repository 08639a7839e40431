"""The adverts of many MASTERs that only repeat themselves, sent without asking each of them.

Hundreds of instances advertise at few phases of their interval (`vrrp/own_adverts.py`). Those of one phase are a round:
one alarm, and messages that lie ready for the kernel. A member learns by `Port.catch_up`, before anything is decided,
how often it has advertised meanwhile, and leaves as soon as it has anything else to say or to do.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.kernel.ports import Advert, AdvertBundle

if TYPE_CHECKING:
    from pykeepalived.daemon.vrrp_sockets import Port

Bundler = Callable[[Sequence[Advert]], AdvertBundle]


class Round:
    """Instances of one interval and phase. ``sent`` counts how often they have advertised together."""

    __slots__ = ("_bundle", "_places", "alarm", "due_at", "interval", "members", "sent", "until")

    def __init__(self, due_at: int, interval: int, alarm: Alarm) -> None:
        self.due_at = due_at
        self.interval = interval
        self.alarm = alarm
        self.until: int | None = None  # somebody's next duty beyond its adverts
        self.sent = 0
        self.members: dict[Port, None] = {}
        self._bundle: AdvertBundle | None = None
        self._places: list[tuple[Port, bytes]] = []

    def join(self, port: "Port", until: int | None) -> None:
        """Advertise for it as well."""
        self.members[port] = None
        self._bundle = None
        self.ends_by(until)

    def leave(self, port: "Port") -> None:
        """Advertise without it."""
        del self.members[port]
        self._bundle = None

    def ends_by(self, until: int | None) -> None:
        """Somebody has a duty then."""
        if until is not None and (self.until is None or until < self.until):
            self.until = until
        self.arm()

    def arm(self) -> None:
        """Ring for the adverts, or for a duty before them."""
        self.alarm.set(self.due_at if self.until is None else min(self.due_at, self.until))

    def let_go(self, now: int | None) -> None:
        """Those whose duty is due see to it themselves; all of them with None."""
        self.until = None
        for port in list(self.members):
            until = port.router.duty_at
            if now is None or (until is not None and until <= now):
                port.leave_round()
                port.arm()
            else:
                self.ends_by(until)

    def send(self, bundler: Bundler) -> list[tuple["Port", bytes, int]]:
        """Advertise. Which were refused: destination and errno."""
        if self._bundle is None:
            adverts = [(port, advert) for port in self.members for advert in port.adverts()]
            self._places = [(port, advert.destination) for port, advert in adverts]
            self._bundle = bundler([advert for _, advert in adverts])
        self.sent += 1
        self.due_at += self.interval
        self.arm()
        return [(*self._places[place], code) for place, code in self._bundle.send()]


class AdvertRounds:
    """All rounds. ``refused`` is told of adverts that the kernel did not take."""

    def __init__(
        self, reactor: Reactor, bundler: Bundler, refused: Callable[[list[tuple["Port", bytes, int]]], None]
    ) -> None:
        self._reactor = reactor
        self._bundler = bundler
        self._refused = refused
        self._rounds: dict[tuple[int, int], Round] = {}

    def join(self, port: "Port") -> bool:
        """Advertise for it from its next deadline on. Whether it only repeats itself from now on."""
        due_at, interval = port.router.deadline, port.instance.advert_int
        if due_at is None or not port.repeats(due_at):
            return False
        key = interval, due_at % interval
        found = self._rounds.get(key)
        if found is not None and found.due_at < due_at:
            self._due(key)  # it is time for the others as well
            found = self._rounds.get(key)
        if found is None:
            found = self._rounds[key] = Round(due_at, interval, self._reactor.alarm(partial(self._due, key)))
        elif found.due_at != due_at:
            return False  # one of them is late
        port.enter(found)
        return True

    def _due(self, key: tuple[int, int]) -> None:
        """Send, after whoever has a duty was let go; if this is so late that each must judge, all are."""
        found, now = self._rounds[key], self._reactor.now()
        late = now >= found.due_at + found.interval
        if late or (found.until is not None and found.until <= now):
            found.let_go(None if late else now)
        if not found.members:
            found.alarm.end()
            del self._rounds[key]
        elif found.due_at > now:
            found.arm()
        elif refused := found.send(self._bundler):
            self._refused(refused)
