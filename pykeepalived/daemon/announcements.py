"""Bursts of gratuitous ARP and unsolicited NA, cut into turns so that they never delay an advert.

When bursts come is the core's decision; here their frames wait for their turn: all addresses of a round, then the next.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.kinds import IP
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Level, Log
from pykeepalived.kernel.ports import Announcer, Interface

FRAMES_A_TURN = 32


@dataclass(slots=True)
class _Burst:
    instance: str
    places: tuple[tuple[str, IP], ...]
    rounds: int
    next: int = 0


class Announcements:
    """The frames of all instances that wait to be sent."""

    def __init__(
        self,
        announcer: Announcer,
        reactor: Reactor,
        journal: Journal,
        interface: Callable[[str], Interface | None],
        forwards: Callable[[str], bool],
        *,
        detail: bool = False,
    ) -> None:
        self._announcer = announcer
        self._reactor = reactor
        self._journal = journal
        self._interface = interface
        self._forwards = forwards
        self._detail = detail
        self._bursts: deque[_Burst] = deque()
        self._share = FRAMES_A_TURN
        self._turning = False
        self._refused: dict[str, int] = {}

    def burst(self, instance: str, entries: tuple[AddressEntry, ...], rounds: int) -> None:
        """Announce ``entries`` ``rounds`` times."""
        places = tuple((entry.dev or "", entry.address) for entry in entries)
        if self._detail:
            for dev, address in places:
                kind = "gratuitous ARPs" if address.version == 4 else "Unsolicited Neighbour Adverts"
                self._journal.log(Log(f"({instance}) Sending/queueing {kind} on {dev} for {address}", detail=True))
        self._begin(instance, places, rounds)

    def once(self, instance: str, interface: str, address: IP) -> None:
        """Announce one address of our own once."""
        if self._detail:
            kind = "gratuitous ARP" if address.version == 4 else "unsolicited neighbour advert"
            self._journal.log(Log(f"{instance}: sending {kind} for {address}", detail=True))
        self._begin(instance, ((interface, address),), 1)

    def cancel(self, instance: str) -> None:
        """Forget an instance's frames."""
        self._bursts = deque(burst for burst in self._bursts if burst.instance != instance)

    def rename(self, names: dict[str, str]) -> None:
        """Instances have new names."""
        for burst in self._bursts:
            burst.instance = names.get(burst.instance, burst.instance)

    def close(self) -> None:
        """Forget everything."""
        self._bursts.clear()
        self._announcer.close()

    def _begin(self, instance: str, places: tuple[tuple[str, IP], ...], rounds: int) -> None:
        self._bursts.append(_Burst(instance, places, rounds))
        self._send()

    def _turn(self) -> None:
        self._turning = False
        self._share = FRAMES_A_TURN
        self._send()

    def _send(self) -> None:
        while self._bursts and self._share > 0:
            burst = self._bursts[0]
            self._share -= 1
            round_, place = divmod(burst.next, len(burst.places))
            if round_ >= burst.rounds:
                self._bursts.popleft()
                continue
            burst.next += 1
            self._announce(*burst.places[place])
        if not self._turning and (self._bursts or self._share < FRAMES_A_TURN):
            self._turning = True
            self._reactor.soon(self._turn)

    def _announce(self, dev: str, address: IP) -> None:
        interface = self._interface(dev)
        if interface is None:
            return
        if self._detail:
            kind = "gratuitous ARP" if address.version == 4 else "unsolicited Neighbour Advert"
            self._journal.log(Log(f"Sending {kind} on {dev} for {address}", detail=True))
        router = address.version == 6 and self._forwards(dev)
        code = self._announcer.announce(interface, address, router=router)
        if code != self._refused.get(dev, 0):
            self._refused[dev] = code
            if code:
                self._journal.log(Log(f"Cannot announce {address} on {dev}: errno {code}", Level.ERROR))
