"""Bursts of gratuitous ARP and unsolicited NA, cut into turns so that they never delay an advert.

When bursts come is the core's decision; here their frames wait for their turn: all addresses of a round, then the next.
Where messages are spaced (``vrrp/pacing.py``) they wait for their time as well. Neither queue grows without bound:
what is asked for faster than it can be sent is left out, and said once.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import strerror

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import IP
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Level, Log
from pykeepalived.kernel.ports import Announcer, Interface
from pykeepalived.units import SECOND, seconds_text
from pykeepalived.vrrp.pacing import Lane, Message, Pacing

FRAMES_A_TURN = 32
BURSTS_EACH = 4
"""How many bursts of one instance may wait: promotion, second one, refresh, answer to an advert of lower priority."""


_ROUTER_FOR = SECOND // 10  # /proc is not asked before each frame


@dataclass(slots=True)
class _Burst:
    """One round of announcements after another."""

    instance: str
    entries: Sequence[AddressEntry]
    rounds: int
    next: int = 0
    cancelled: bool = False


class Announcements:
    """The frames of all instances that wait to be sent. ``physical`` tells the base of a VMAC."""

    def __init__(
        self,
        configuration: Configuration,
        announcer: Announcer,
        reactor: Reactor,
        journal: Journal,
        interface: Callable[[str], Interface | None],
        physical: Callable[[str], str],
        forwards: Callable[[str], bool],
        *,
        detail: bool = False,
    ) -> None:
        self._announcer = announcer
        self._reactor = reactor
        self._journal = journal
        self._interface = interface
        self._physical = physical
        self._forwards = forwards
        self._detail = detail
        self._pacing = Pacing(configuration, physical)
        self._bursts: deque[_Burst] = deque()
        self._waiting: dict[str, list[_Burst]] = {}  # by instance
        self._alarm = reactor.alarm(self._send)
        self._share = FRAMES_A_TURN
        self._turning = False
        self._refused: dict[str, int] = {}
        self._routes: dict[str, bool] = {}  # which interfaces are a router's, as was asked at
        self._asked_at = 0
        self._slow: set[str] = set()  # which instances ask too often, as was said
        self._gone: set[tuple[str | None, IP]] = set()  # removed while something waited, and not announced since

    def burst(self, instance: str, entries: Sequence[AddressEntry], rounds: int) -> None:
        """Announce ``entries`` ``rounds`` times."""
        waiting = self._waiting.setdefault(instance, [])
        if len(waiting) >= BURSTS_EACH:
            self._say_slow(
                instance,
                f"({instance}) {len(waiting)} bursts of announcements wait: further ones are left out"
                " (raise garp_master_refresh, or lower the repeats; or stop who sends adverts of lower priority)",
            )
            return
        self._gone.difference_update((entry.dev, entry.address) for entry in entries)
        burst = _Burst(instance, entries, rounds)
        waiting.append(burst)
        self._bursts.append(burst)
        self._send()

    def once(self, instance: str, interface: str, address: IP) -> None:
        """Announce one address of our own once, at once."""
        if self._detail:
            kind = "gratuitous ARP" if address.version == 4 else "unsolicited neighbour advert"
            self._journal.log(Log(f"{instance}: sending {kind} for {address}", detail=True))
        self._announce_from(interface, address)

    def forget(self, entries: Sequence[AddressEntry]) -> None:
        """These are removed: another host may have them from now on."""
        if self._bursts or self._pacing.deadline is not None:
            self._gone.update((entry.dev, entry.address) for entry in entries)

    def cancel(self, instance: str) -> None:
        """Forget an instance's frames."""
        for burst in self._waiting.pop(instance, ()):
            burst.cancelled = True
        self._pacing.cancel(instance)
        self._slow.discard(instance)

    def configure(self, configuration: Configuration, names: Mapping[str, str]) -> None:
        """A reload: instances may have new names, messages other times between them."""
        for burst in self._bursts:
            burst.instance = names.get(burst.instance, burst.instance)
        self._waiting = {names.get(name, name): waiting for name, waiting in self._waiting.items()}
        self._slow.clear()
        former, self._pacing = self._pacing, Pacing(configuration, self._physical)
        for message in self._pacing.inherit(former, names, self._reactor.now()):
            self._announce_from(message.interface, message.address)
        self._alarm.set(self._pacing.deadline)

    def close(self) -> None:
        """Forget everything."""
        self._bursts.clear()
        self._pacing = Pacing(Configuration(), self._physical)
        self._alarm.set(None)
        self._announcer.close()

    def _turn(self) -> None:
        self._turning = False
        self._share = FRAMES_A_TURN
        self._send()

    def _send(self) -> None:
        """What may go now, within this turn's share."""
        now = self._reactor.now()
        if now - self._asked_at > _ROUTER_FOR:
            self._asked_at = now
            self._routes.clear()
        while self._share > 0 and (message := self._pacing.due(now)) is not None:
            self._share -= 1
            if (message.interface, message.address) not in self._gone:
                self._announce_from(message.interface, message.address)
        while self._share > 0 and self._bursts:
            self._share -= 1
            self._step(self._bursts[0], now)
        self._alarm.set(self._pacing.deadline if self._share > 0 else None)
        if self._gone and not self._bursts and self._pacing.deadline is None:
            self._gone.clear()
        if not self._turning and (self._bursts or self._share < FRAMES_A_TURN):
            self._turning = True
            self._reactor.soon(self._turn)

    def _step(self, burst: _Burst, now: int) -> None:
        """One address of a burst, or the burst's end."""
        round_, place = divmod(burst.next, len(burst.entries))
        if burst.cancelled or round_ >= burst.rounds:
            self._bursts.popleft()
            self._over(burst)
            return
        burst.next += 1
        entry = burst.entries[place]
        dev = entry.dev or ""
        interface = self._interface(dev)
        if interface is None or not interface.arp or (entry.dev, entry.address) in self._gone:
            return
        if round_ == 0 and self._detail:
            kind = "gratuitous ARPs" if entry.address.version == 4 else "Unsolicited Neighbour Adverts"
            text = f"({burst.instance}) Sending/queueing {kind} on {dev} for {entry.address}"
            self._journal.log(Log(text, detail=True))
        if not self._pacing.idle:
            message = Message(burst.instance, dev, entry.address)
            if round_ == 0 and (lane := self._pacing.behind(message)) is not None:
                self._say_behind(message, lane)
            if not self._pacing.offer(message, now):
                return
        self._announce(interface, entry.address)

    def _over(self, burst: _Burst) -> None:
        waiting = self._waiting.get(burst.instance)
        if waiting is None or burst.cancelled:
            return
        waiting.remove(burst)
        if not waiting:
            del self._waiting[burst.instance]

    def _announce_from(self, dev: str, address: IP) -> None:
        """An announcement that waited: its link may be gone."""
        interface = self._interface(dev)
        if interface is not None:
            self._announce(interface, address)

    def _announce(self, interface: Interface, address: IP) -> None:
        dev = interface.name
        if self._detail:
            kind = "gratuitous ARP" if address.version == 4 else "unsolicited Neighbour Advert"
            self._journal.log(Log(f"Sending {kind} on {dev} for {address}", detail=True))
        code = self._announcer.announce(interface, address, router=address.version == 6 and self._is_router(dev))
        if code != self._refused.get(dev, 0):
            self._refused[dev] = code
            if code:
                self._journal.log(Log(f"Cannot announce {address} on {dev}: {strerror(code)}", Level.ERROR))

    def _is_router(self, dev: str) -> bool:
        known = self._routes.get(dev)
        if known is None:
            known = self._routes[dev] = self._forwards(dev)
        return known

    def _say_behind(self, message: Message, lane: Lane) -> None:
        self._say_slow(
            message.instance,
            f"({message.instance}) {message.address} on {message.interface} is to be announced again before its turn"
            f" has come: {lane.keyword} lets one of {len(lane.waiting)} go every {seconds_text(lane.interval)}"
            f" (lower {lane.keyword}, or raise garp_master_refresh and garp_master_delay)",
        )

    def _say_slow(self, instance: str, text: str) -> None:
        if instance not in self._slow:
            self._slow.add(instance)
            self._journal.log(Log(text, Level.WARNING, fields=(("VRRP_INSTANCE", instance),)))
