"""Random histories of a few routers on one link: what may go wrong, and what must hold all the same.

One history is one seed: two to five hosts, one or two instances (then in a sync group) of one kind
(``cluster_plans``), loss, delay, duplication, reordering, partitions, pauses, and what may happen to a host
(``cluster_mishaps``). A stranger sends wrong packets (``cluster_stranger``). In the end everything is healed, and order
must return.

The link keeps no more than it needs: ten thousand histories take less than a minute.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from errno import ENETDOWN
from ipaddress import IPv4Address

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.kinds import IP
from pykeepalived.effects import Kind, Log
from pykeepalived.kernel.ports import Datagram
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp import carried, statics
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.authentication import Stamps
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    BlockAddresses,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    SendAdvert,
    UnblockAddresses,
)
from pykeepalived.vrrp.events import (
    AddressAdded,
    Event,
    InterfaceChanged,
    StaticTried,
    TrackFileChanged,
    TrackScriptChanged,
)
from pykeepalived.vrrp.identity import ReceiverKey, receiver_of
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Backup, Master
from pykeepalived.vrrp.tracking import FILE as FILES
from tests.support.cluster_mishaps import GENTLE, ROUGH
from tests.support.cluster_plans import FILE, INTERFACE, SCRIPT, Plan, configuration_of, kind_of, plan_of
from tests.support.cluster_stranger import datagram, forged

START = 1_000_000_000_000
CHAOS = 9 * SECOND
HEALING = 8 * SECOND  # more than a learnt interval's wait and the listening after a pause
WALL = 1_700_000_000 * SECOND  # the time of day is so far ahead of the link's
_REMEMBERED = 8

CAUSES = {
    "start": ("started", "interface", "sync group", "script", "tracked file"),
    "tick": (
        "10.0.0.",
        "no advert",
        "no IPv4 advert",
        "no other router",
        "only adverts",
        "started as owner",
        "sync group",
    ),
    "advert": ("advert from", "sync group", "10."),
    "interface": ("interface", "sync group", "script"),
    "address": ("somebody removed", "sync group", "interface", "address"),
    "route": ("somebody removed route", "sync group"),
    "script": ("script", "sync group", "started", "interface", "tracked file"),
    "file": ("track", "sync group"),
    "reload": (
        "the configuration was reloaded",
        "started",
        "no longer",
        "script",
        "interface",
        "sync group",
        "tracked",
    ),
    "stop": ("the daemon stops",),
}
"""What the cause of a transition may begin with, by what happened."""


class InvariantError(AssertionError):
    """Something that must hold did not."""


@dataclass(slots=True)
class Host:
    """One host: kernel (link, addresses) and process (the core)."""

    name: str
    address: IPv4Address
    plan: Plan
    routers: Routers
    up: bool = True
    running: bool = False
    begun: bool = False
    paused: bool = False
    script_up: bool = True
    number: int = 0  # in the file
    clock: int = 0  # ahead of the link's
    holds: set[IP] = field(default_factory=set)
    blocked: set[IP] = field(default_factory=set)  # held, but dropped by the firewall
    routes: set[RouteEntry] = field(default_factory=set)
    queued: list[Datagram] = field(default_factory=list)
    receiver: ReceiverKey | None = None
    stamps: dict[str, Stamps] = field(default_factory=dict)
    judged: deque[Datagram] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """What its process has judged, where that proves that it is new."""
    ring_at: int = 0  # when a tick is in the queue for it
    fuse: int | None = None  # the process dies after so many more orders


class Cluster:
    """A history."""

    def __init__(self, seed: int, *, stranger: bool = True) -> None:
        self.random = chance = random.Random(seed)
        self.seed = seed
        self.now = START
        self.events = 0
        self.transitions = 0
        self.intrusions = 0
        self.loss = self.twice = 0.0
        self.slowest = 0
        self.apart: dict[str, int] = {}  # which part of the link a host is on
        self.heap: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self.order = 0
        self.encoded: dict[SendAdvert, list[tuple[bytes | None, Datagram]]] = {}
        self.kind = kind_of(chance)
        self.gentle = chance.random() < 0.3  # nothing is lost, late or stands still
        self.interval = SECOND // 2 if "advert_int" in self.kind.options else SECOND
        self.two_since: dict[str, int] = {}
        self.stranger = random.Random(~seed) if stranger else None
        count = chance.randint(2, 5)
        self.hosts = [self._host(number, count) for number in range(1, count + 1)]

    def _host(self, number: int, count: int) -> Host:
        plan = plan_of(self.kind, number, count, self.random)
        host = Host(f"r{number}", IPv4Address(f"10.0.0.{number}"), plan, Routers(configuration_of(plan)))
        host.clock = self.random.randrange(10**12)
        return host

    # --- the whole history --------------------------------------------------------------------------------------

    def play(self) -> None:
        """Chaos, healing, and what must hold in the end."""
        chance = self.random
        for host in self.hosts:
            self.at(chance.randrange(SECOND), self.start, host)
        actions = GENTLE if self.gentle else GENTLE + ROUGH
        for _ in range(chance.randint(2, 12)):
            action = chance.choice(actions)
            self.at(SECOND + chance.randrange(CHAOS - SECOND), action, self, chance.choice(self.hosts))
        if self.stranger is not None:
            for _ in range(5 if self.kind.proves else 2):
                self.at(self.stranger.randrange(CHAOS + HEALING), self.intrude)
        self.run(CHAOS)
        self.heal()
        self.run(HEALING + (2 * SECOND if "preempt_delay" in self.kind.options else 0))
        self.judge()

    def heal(self) -> None:
        """Everything works again."""
        self.loss = self.twice = 0.0
        self.slowest = 0
        self.apart.clear()
        for host in self.hosts:
            host.fuse = None
            if host.paused:
                self.resume(host)
            if not host.up:
                self.link(host, up=True)
            if not host.running:
                self.start(host)
            if not host.script_up:
                self.tell_script(host, up=True)
            self.write(host, 0)

    def judge(self) -> None:
        """One MASTER for each instance, the right one; each holds what it must and nothing else."""
        for name in self.hosts[0].routers.routers:
            masters = [host for host in self.hosts if isinstance(host.routers.routers[name].state, Master)]
            if len(masters) != 1:
                raise InvariantError(f"{name} has MASTERs {[host.name for host in masters]}")
            best = max(self.hosts, key=lambda host: (host.routers.routers[name].priority, host.address))
            higher = best.routers.routers[name].priority > masters[0].routers.routers[name].priority
            if higher and "nopreempt" not in self.kind.options:
                raise InvariantError(f"{name}: MASTER {masters[0].name} although {best.name} is better")
        for host in self.hosts:
            self.holds_what_it_must(host)

    @staticmethod
    def holds_what_it_must(host: Host) -> None:
        """A MASTER holds its addresses and routes, the others hold none; what is static is always there."""
        configuration = host.routers.configuration if host.running else None
        masters = [router.instance for router in host.routers.routers.values() if isinstance(router.state, Master)]
        objects = {entry for instance in masters for entry in carried.everything(instance)}
        objects.update(statics.everything(configuration) if configuration else ())
        addresses = {entry.address for entry in objects if isinstance(entry, AddressEntry)}
        routes = {entry for entry in objects if isinstance(entry, RouteEntry)}
        blocked = {entry.address for instance in masters for entry in carried.not_accepted(instance)}
        for what, has, must in (
            ("holds", host.holds, addresses),
            ("has routes", host.routes, routes),
            ("blocks", host.blocked, blocked),
        ):
            if has != must:
                raise InvariantError(f"{host.name} {what} {sorted(map(str, has))} and must {sorted(map(str, must))}")

    # --- time ---------------------------------------------------------------------------------------------------

    def at(self, delay: int, action: Callable[..., None], *arguments: object) -> None:
        """Do something later."""
        self.order += 1
        heapq.heappush(self.heap, (self.now + delay, self.order, action, arguments))

    def run(self, length: int) -> None:
        """Let time pass."""
        heap, end = self.heap, self.now + length
        while heap and heap[0][0] < end:
            self.now, _, action, arguments = heapq.heappop(heap)
            self.events += 1
            action(*arguments)
        self.now = end

    def ring(self, host: Host, ring_at: int) -> None:
        """A deadline of a host may have been reached."""
        if host.ring_at != ring_at:
            return
        host.ring_at = 0
        if host.running and not host.paused:
            self.obey(host, host.routers.tick_all(self.now + host.clock), "tick")

    def wind(self, host: Host) -> None:
        """See that the host is rung at its next deadline."""
        deadline = host.routers.next_deadline()
        if deadline is None:
            return
        at = max(deadline - host.clock, self.now)
        if host.ring_at == 0 or at < host.ring_at:
            host.ring_at = at
            self.at(at - self.now, self.ring, host, at)

    # --- what a host is told and does ---------------------------------------------------------------------------

    def tell(self, host: Host, event: Event, what: str) -> None:
        """A fact that the kernel tells the process, when there is one that listens."""
        if host.running:
            self.obey(host, host.routers.handle(event, self.now + host.clock), what)

    def obey(self, host: Host, effects: list[Effect], what: str) -> None:
        """Carry orders out, as far as the process gets."""
        before = self.transitions
        tried: list[StaticTried] = []
        for effect in effects:
            if host.fuse is not None:
                if host.fuse <= 0:
                    host.running, host.fuse, host.paused = False, None, False
                    host.queued.clear()
                    return
                host.fuse -= 1
            if isinstance(effect, Log):
                if effect.kind is Kind.VRRP_TRANSITION:
                    self.transitions += 1
                    self.has_cause(effect, what)
            elif isinstance(effect, SendAdvert):
                self.send(host, effect)
            else:
                self.change(host, effect, tried)
        for each in tried:
            self.tell(host, each, what)
        if host.running:
            self.wind(host)
        if self.gentle and self.transitions != before:
            self.two_are_one_soon()

    @staticmethod
    def change(host: Host, effect: Effect, tried: list[StaticTried]) -> None:
        """What the kernel does; ``tried`` is what it is to tell of static objects."""
        if isinstance(effect, AddAddresses):
            host.holds.update(entry.address for entry in effect.entries)
            router = host.routers.routers.get(effect.instance)
            if router is not None and not host.blocked.issuperset(
                entry.address for entry in effect.entries if entry in carried.not_accepted(router.instance)
            ):
                raise InvariantError(f"{host.name} has {effect.entries} before they are blocked")
        elif isinstance(effect, RemoveAddresses):
            host.holds.difference_update(entry.address for entry in effect.entries)
        elif isinstance(effect, BlockAddresses):
            host.blocked.update(entry.address for entry in effect.entries)
        elif isinstance(effect, UnblockAddresses):
            host.blocked.difference_update(entry.address for entry in effect.entries)
            instance = host.routers.routers[effect.instance].instance
            if not host.holds.isdisjoint(entry.address for entry in carried.not_accepted(instance)):
                raise InvariantError(f"{host.name} has {effect.entries} when they are blocked no longer")
        elif isinstance(effect, AddRoutes) and host.up:
            host.routes.update(effect.entries)
        elif isinstance(effect, RemoveRoutes):
            host.routes.difference_update(effect.entries)
        if isinstance(effect, AddAddresses | AddRoutes) and effect.instance == statics.NOBODY:
            errno = 0 if host.up or isinstance(effect, AddAddresses) else ENETDOWN
            tried += [StaticTried(entry, errno) for entry in effect.entries]

    def two_are_one_soon(self) -> None:
        """Where nothing is lost, two MASTERs have heard each other after an interval."""
        for name in self.hosts[0].routers.routers:
            masters = [
                host
                for host in self.hosts
                if host.running and host.up and isinstance(host.routers.routers[name].state, Master)
            ]
            since = self.two_since.pop(name, None)
            if len(masters) > 1:
                self.two_since[name] = since = self.now if since is None else since
            if since is not None and self.now - since > self.interval + MILLISECOND:
                raise InvariantError(f"{name} had two MASTERs for {self.now - since} ns")

    def has_cause(self, line: Log, what: str) -> None:
        """No transition without a cause, and the cause fits what happened."""
        cause = dict(line.fields).get("CAUSE", "")
        if not cause.startswith(CAUSES[what]):
            raise InvariantError(f"{line.message} upon {what}, by {cause!r}")

    def send(self, host: Host, order: SendAdvert) -> None:
        """An advert goes to everybody on the same part of the link."""
        if not host.up:
            return
        for destination, packet in self.packets(host, order):
            for other in self.hosts:
                if other is not host and (destination is None or destination == other.address.packed):
                    self.carry(host, other, packet, order.instance)

    def packets(self, host: Host, order: SendAdvert) -> list[tuple[bytes | None, Datagram]]:
        """Each with its receiver; None: everybody."""
        made = self.encoded.get(order)
        instance = host.routers.routers[order.instance].instance
        if made is None:
            sequence, settings = order.sequence, instance.auth_hmac
            if settings is not None:
                sequence = host.stamps.setdefault(order.instance, Stamps()).next(settings, self.now + WALL)
            made = [
                (destination if instance.unicast else None, datagram(instance, order.source, destination, data))
                for destination, data in messages(instance, order.priority, order.source, sequence=sequence)
            ]
            if not self.kind.proves:
                self.encoded[order] = made
        return made

    def carry(self, sender: Host, host: Host, packet: Datagram, instance: str) -> None:
        """The link takes a packet along, late, twice or not at all."""
        chance = self.random
        copies = 1 if not self.loss or chance.random() >= self.loss else 0
        if copies and self.twice and chance.random() < self.twice:
            copies = 2
        for _ in range(copies):
            delay = MILLISECOND // 20 + (chance.randrange(self.slowest) if self.slowest else 0)
            self.at(delay, self.deliver, sender, host, packet, instance)

    def deliver(self, sender: Host, host: Host, packet: Datagram, instance: str) -> None:
        """A packet arrives, or is lost with the link."""
        if not host.up or self.apart.get(sender.name, 0) != self.apart.get(host.name, 0) or not host.running:
            return
        if host.paused:
            host.queued.append(packet)
            return
        self.hear(host, packet, instance)

    def read(self, host: Host, packet: Datagram) -> list[Effect]:
        """The process reads a packet."""
        if host.receiver is None:
            host.receiver = receiver_of(host.routers.configuration.vrrp_instance[0])
        host.routers.clock.offset = WALL - host.clock
        return host.routers.advert(host.receiver, packet, self.now + host.clock)

    def hear(self, host: Host, packet: Datagram, instance: str) -> None:
        """The process reads a packet: a MASTER that hears a better one is MASTER no longer."""
        router = host.routers.routers[instance]
        judged = isinstance(router.state, (Backup, Master))
        self.obey(host, self.read(host, packet), "advert")
        if not host.running:
            return
        if self.kind.proves and judged:
            host.judged.append(packet)
            if router.reception.refused:
                return
        heard = (packet.data[2], packet.source)
        if isinstance(router.state, Master) and heard > (router.priority, router.source) and heard[0] != 0:
            raise InvariantError(f"{host.name} stays MASTER of {instance} though it has heard {heard}")

    def intrude(self) -> None:
        """A stranger sends something to a host, which must not heed it."""
        assert self.stranger is not None
        host = self.stranger.choice(self.hosts)
        if not host.running or host.paused or not host.up:
            return
        if host.judged and self.stranger.random() < 0.7:
            packet = self.stranger.choice(host.judged)
        else:
            instance = self.stranger.choice(host.routers.configuration.vrrp_instance)
            packet = forged(self.stranger, instance, host.address.packed, self.now + WALL)
        self.intrusions += 1
        routers = host.routers.routers.values()
        before = [(id(router.state), router.deadline, router.priority) for router in routers]
        effects = self.read(host, packet)
        if any(not isinstance(effect, Log) for effect in effects) or before != [
            (id(router.state), router.deadline, router.priority) for router in routers
        ]:
            raise InvariantError(f"{host.name} heeds a stranger: {packet}")

    # --- what happens -------------------------------------------------------------------------------------------

    def start(self, host: Host) -> None:
        """A process starts; it finds what a former one left."""
        if host.running:
            return
        host.running, host.paused, host.ring_at = True, False, 0
        if host.begun:
            host.routers = Routers(configuration_of(host.plan))
        routers, host.begun = host.routers, True
        host.receiver = None
        host.judged.clear()
        host.stamps.clear()
        routers.learn((FILES, FILE), host.number)
        now = self.now + host.clock
        routers.handle(InterfaceChanged(INTERFACE, up=host.up), now)
        for address in (host.address, *host.holds):
            routers.handle(AddressAdded(INTERFACE, address, 24), now)
        self.obey(host, routers.start(now), "start")
        if host.running and self.kind.script:
            self.at(self.random.randrange(MILLISECOND * 50), self.tell_script, host)

    def tell_script(self, host: Host, up: bool | None = None) -> None:
        """The track script's verdict."""
        host.script_up = host.script_up if up is None else up
        if self.kind.script:
            self.tell(host, TrackScriptChanged(SCRIPT, up=host.script_up), "script")

    def write(self, host: Host, number: int) -> None:
        """A number is written to the file that is tracked."""
        if number != host.number:
            host.number = number
            if self.kind.file:
                self.tell(host, TrackFileChanged(FILE, number), "file")

    def link(self, host: Host, *, up: bool) -> None:
        """The host's link fails or returns."""
        host.up = up
        if not up:
            host.routes.clear()  # the kernel says nothing of them
        self.tell(host, InterfaceChanged(INTERFACE, up=up), "interface")

    def resume(self, host: Host) -> None:
        """The process runs again: what waits is read first."""
        if not host.paused:
            return
        host.paused = False
        queued, host.queued = host.queued, []
        for packet in queued:
            if host.running:
                self.hear(host, packet, f"V{packet.data[1]}")
        if host.running:
            self.obey(host, host.routers.tick_all(self.now + host.clock), "tick")
