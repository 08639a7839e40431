"""The adverts that one virtual router sends: when, what is in each order, and its number where AH wants one."""

from pykeepalived.vrrp.authentication import Ah
from pykeepalived.vrrp.effects import Effect, SendAdvert
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.standing import Standing
from pykeepalived.vrrp.statistics import Statistics


class OwnAdverts:
    """Orders to send. The sequence of AH is counted together with that of the adverts heard, so by ``reception``."""

    __slots__ = ("_reception", "_standing", "_statistics", "phase", "ready", "source")

    def __init__(self, standing: Standing, reception: Reception, statistics: Statistics) -> None:
        self._standing = standing
        self._reception = reception
        self._statistics = statistics
        self.source = b""
        """Where they come from: nothing can go out without it."""
        self.ready: SendAdvert | None = None
        """The order given last, as long as the next one is the same."""
        self.phase = 0
        """They are due at multiples of this; 0: at any time."""

    def change(self, source: bytes | None = None) -> None:
        """Something in them is another from now on: the source, the standing, or the peers' checksum."""
        self.source = self.source if source is None else source
        self.ready = None

    @property
    def used_up(self) -> bool:
        """Whether nobody would accept a further one: that was the last number AH has."""
        authentication = self._reception.authentication
        return isinstance(authentication, Ah) and authentication.used_up

    def begin(self) -> None:
        """We become MASTER."""
        if isinstance(self._reception.authentication, Ah):
            self._reception.authentication.begin()

    def next(self) -> SendAdvert:
        """The next one."""
        if self.ready is not None:
            return self.ready
        made = self._made(self._standing.priority)
        if not made.sequence:  # else the next one has another number
            self.ready = made
        return made

    def due_after(self, now: int) -> int:
        """When the next one is due: an interval later, or a little before, together with others'."""
        at = now + self._standing.instance.advert_int
        return at - at % self.phase if self.phase else at

    def foreseen(self) -> SendAdvert | None:
        """The first one that is sent as MASTER, where it is known before."""
        return self.next() if self.source and self._reception.authentication is None else None

    def send(self, effects: list[Effect]) -> None:
        """Order the next one."""
        self._statistics.advert_sent += 1
        effects.append(self.next())

    def resign(self, effects: list[Effect]) -> None:
        """Order one of priority 0."""
        self._statistics.advert_sent += 1
        effects.append(self._made(0))

    def _made(self, priority: int) -> SendAdvert:
        authentication, source = self._reception.authentication, self.source
        sequence = authentication.next(source) if isinstance(authentication, Ah) else 0
        return SendAdvert(self._standing.instance.name, priority, source, sequence, self._reception.old_checksum)
