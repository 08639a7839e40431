"""A simulated link of routers: the same core, no clock. Time jumps from one deadline or delivery to the next.

A host can be paused (its process stands still, packets queue up), cut off from others, and lose or receive late what is
sent to it. Chance comes from a seed.
"""

import heapq
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.authentication import Stamps
from pykeepalived.vrrp.effects import AddAddresses, Announce, Effect, RemoveAddresses, ReplaceRouters, SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved, InterfaceChanged
from pykeepalived.vrrp.identity import ReceiverKey, receiver_of
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire import ah


@dataclass(frozen=True, slots=True)
class Received:
    """What a receive socket hands up."""

    source: bytes
    destination: bytes
    ttl: int
    data: bytes
    length: int
    headers: bytes = b""


_IPV4 = struct.Struct("!BBHHHBBH4s4s")


def received(instance: VrrpInstance, source: bytes, destination: bytes, data: bytes) -> Received:
    """What a receive socket hands up of a message as it is given to a send socket: under AH its ICV is filled in."""
    if instance.auth_type != "AH":
        return Received(source, destination, 255, data, len(data))
    header = _IPV4.pack(0x45, 0xC0, 20 + len(data), 1, 0, 255, ah.IPPROTO_AH, 0, source, destination)
    datagram = bytearray(header + data)
    ah.Key(instance.auth_pass).seal(datagram, multicast=not instance.unicast)
    headers, message = bytes(datagram[:44]), bytes(datagram[44:])
    return Received(source, destination, 255, message, len(message), headers)


@dataclass(slots=True)
class Hop:
    """How the link treats packets: the chance of loss, and the shortest and longest delay."""

    loss: float = 0.0
    delay: tuple[int, int] = (50_000, 50_000)


class SimulatedHost:
    """One host: its core, the addresses it holds, and what it said."""

    def __init__(self, name: str, configuration: Configuration, address: IPv4Interface | IPv6Interface) -> None:
        self.name = name
        self.routers = Routers(configuration)
        self.address = address
        self.up = True
        self.running = False
        self.paused_until: int | None = None
        self.queued: list[tuple[ReceiverKey, Received]] = []
        self.holds: set[str] = set()
        self.log: list[tuple[int, Log]] = []
        self.effects: list[tuple[int, Effect]] = []
        self.sent = 0
        self.stamps: dict[str, Stamps] = {}
        self.fuse: int | None = None  # the process dies after so many more effects

    def state(self, instance: str) -> str:
        """The state of one instance."""
        return self.routers.routers[instance].state.name

    def said(self, text: str) -> list[int]:
        """When lines with ``text`` were logged."""
        return [at for at, line in self.log if text in line.message]


@dataclass(slots=True)
class MasterSpan:
    """A time during which a set of hosts was MASTER of an instance."""

    since: int
    hosts: frozenset[str]


class Link:
    """The link and its clock."""

    def __init__(self, seed: int = 0, hop: Hop | None = None, *, keep_effects: bool = False) -> None:
        self.now = 1_000_000_000_000
        self.random = random.Random(seed)
        self.hop = hop or Hop()
        self.hosts: dict[str, SimulatedHost] = {}
        self.cut: set[frozenset[str]] = set()
        self.delivered: Callable[[int, str, str, int], None] | None = None
        self.spans: dict[str, list[MasterSpan]] = {}
        self._queue: list[tuple[int, int, str, str, ReceiverKey, Received]] = []
        self._order = 0
        self._keep_effects = keep_effects
        self._plans: list[tuple[int, int, Callable[[], None]]] = []
        self.events = 0

    def add(self, name: str, configuration: Configuration, address: str) -> SimulatedHost:
        """A host with ``address`` on the interface of its instances; not started."""
        where = IPv6Interface(address) if ":" in address else IPv4Interface(address)
        host = self.hosts[name] = SimulatedHost(name, configuration, where)
        for interface in {instance.interface for instance in configuration.vrrp_instance}:
            host.routers.handle(InterfaceChanged(interface, up=True), self.now)
            host.routers.handle(AddressAdded(interface, where.ip, where.network.prefixlen), self.now)
        return host

    # --- what may be done to it ---------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start hosts, all if none is named."""
        for name in names or self.hosts:
            host = self.hosts[name]
            host.running = True
            self._carry_out(host, host.routers.start(self.now))

    def stop(self, name: str) -> None:
        """SIGTERM."""
        host = self.hosts[name]
        self._carry_out(host, host.routers.stop(self.now))
        host.running = False

    def crash(self, name: str, after: int) -> None:
        """The process dies after ``after`` more effects; its addresses stay with the kernel."""
        self.hosts[name].fuse = after

    def restart(self, name: str, configuration: Configuration) -> None:
        """A new process on the same host, which finds what the former one left."""
        host = self.hosts[name]
        host.routers = Routers(configuration)
        host.running, host.fuse, host.paused_until = True, None, None
        for interface in {instance.interface for instance in configuration.vrrp_instance}:
            host.routers.handle(InterfaceChanged(interface, up=host.up), self.now)
            for address in (host.address, *sorted(map(IPv4Interface, host.holds))):
                host.routers.handle(AddressAdded(interface, address.ip, address.network.prefixlen), self.now)
        self._carry_out(host, host.routers.start(self.now))

    def kill(self, name: str) -> None:
        """The host is gone at once, and its addresses with it."""
        host = self.hosts[name]
        host.running = False
        host.up = False
        host.holds.clear()
        self._note_masters()

    def pause(self, name: str, length: int) -> None:
        """The process stands still; what is sent to it queues up."""
        self.hosts[name].paused_until = self.now + length

    def interface(self, name: str, interface: str, *, up: bool) -> None:
        """A host's link goes up or down."""
        host = self.hosts[name]
        host.up = up
        self._carry_out(host, host.routers.handle(InterfaceChanged(interface, up=up), self.now))

    def tell(self, name: str, event: AddressAdded | AddressRemoved) -> None:
        """Any other fact."""
        host = self.hosts[name]
        self._carry_out(host, host.routers.handle(event, self.now))

    def reload(self, name: str, configuration: Configuration) -> None:
        """SIGHUP."""
        host = self.hosts[name]
        self._carry_out(host, replace(host.routers, configuration, self.now))

    def separate(self, left: str, right: str) -> None:
        """Nothing passes between two hosts any more."""
        self.cut.add(frozenset((left, right)))

    def join(self, left: str, right: str) -> None:
        """They hear each other again."""
        self.cut.discard(frozenset((left, right)))

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Do something at a time of the run."""
        self._order += 1
        heapq.heappush(self._plans, (when, self._order, action))

    # --- what can be asked --------------------------------------------------------------------------------------

    def masters(self, instance: str) -> frozenset[str]:
        """Who is MASTER now."""
        return frozenset(
            host.name for host in self.hosts.values() if host.running and host.up and host.state(instance) == "MASTER"
        )

    def longest(self, instance: str, count: int) -> int:
        """The longest time during which at least ``count`` hosts were MASTER without a pause."""
        longest, since = 0, None
        for span in [*self.spans.get(instance, ()), MasterSpan(self.now, frozenset())]:
            if len(span.hosts) >= count:
                since = span.since if since is None else since
            elif since is not None:
                longest, since = max(longest, span.since - since), None
        return longest

    # --- time ---------------------------------------------------------------------------------------------------

    def run(self, length: int) -> None:
        """Let ``length`` nanoseconds pass."""
        end = self.now + length
        while True:
            due = [(self._queue[0][0], 0, "")] if self._queue else []
            if self._plans:
                due.append((self._plans[0][0], 1, ""))
            for host in self.hosts.values():
                if not host.running:
                    continue
                deadline = host.routers.next_deadline()
                if host.paused_until is not None:
                    due.append((host.paused_until, 2, host.name))
                elif deadline is not None:
                    due.append((deadline, 3, host.name))
            at, what, name = min(due, default=(end, 9, ""))
            if at >= end:
                self.now = end
                return
            self.now = max(self.now, at)
            self.events += 1
            if what == 0:
                self._deliver()
            elif what == 1:
                heapq.heappop(self._plans)[2]()
            elif what == 2:
                self._wake(self.hosts[name])
            else:
                self._carry_out(self.hosts[name], self.hosts[name].routers.handle(Tick(), self.now))

    def _wake(self, host: SimulatedHost) -> None:
        """The process runs again: sockets first, deadlines after."""
        host.paused_until = None
        queued, host.queued = host.queued, []
        for receiver, packet in queued:
            self._carry_out(host, host.routers.advert(receiver, packet, self.now))
        self._carry_out(host, host.routers.handle(Tick(), self.now))

    def _deliver(self) -> None:
        _, _, sender, name, receiver, packet = heapq.heappop(self._queue)
        host = self.hosts[name]
        if not host.running or not host.up or frozenset((sender, name)) in self.cut:
            return
        if host.paused_until is not None:
            host.queued.append((receiver, packet))
            return
        if self.delivered is not None:
            self.delivered(self.now, sender, name, packet.data[2])
        self._carry_out(host, host.routers.advert(receiver, packet, self.now))

    def _carry_out(self, host: SimulatedHost, effects: list[Effect]) -> None:
        changed = False
        for effect in effects:
            if host.fuse is not None:
                host.fuse -= 1
                if host.fuse < 0:
                    host.running = False
                    self._note_masters()
                    return
            if self._keep_effects:
                host.effects.append((self.now, effect))
            match effect:
                case SendAdvert():
                    self._send(host, effect)
                case AddAddresses(_, entries):
                    host.holds.update(str(entry.address) for entry in entries)
                case RemoveAddresses(_, entries):
                    host.holds.difference_update(str(entry.address) for entry in entries)
                case Log():
                    host.log.append((self.now, effect))
                    changed = changed or "STATE" in effect.message
                case Announce() | ReplaceRouters():
                    changed = True
                case _:
                    pass
        if changed:
            self._note_masters()

    def _send(self, host: SimulatedHost, order: SendAdvert) -> None:
        instance = host.routers.routers[order.instance].instance
        host.sent += 1
        if not host.up:
            return
        sequence = order.sequence
        if instance.auth_hmac is not None:
            wall = self.now + host.routers.clock.offset
            sequence = host.stamps.setdefault(order.instance, Stamps()).next(instance.auth_hmac, wall)
        for destination, data in messages(
            instance, order.priority, order.source, sequence=sequence, old_checksum=order.old_checksum
        ):
            packet = received(instance, order.source, destination, data)
            for other in self.hosts.values():
                if other is host or (instance.unicast and other.address.ip.packed != destination):
                    continue
                if self.hop.loss and self.random.random() < self.hop.loss:
                    continue
                low, high = self.hop.delay
                at = self.now + (low if low == high else self.random.randint(low, high))
                self._order += 1
                group = None if instance.unicast else instance.mcast_group
                source = other.address.ip if instance.unicast else None
                known = other.routers.inboxes
                receiver = receiver_of(instance)._replace(group=group, unicast_source=source)
                if receiver not in known and instance.unicast:
                    receiver = receiver._replace(unicast_source=None)
                heapq.heappush(self._queue, (at, self._order, host.name, other.name, receiver, packet))

    def _note_masters(self) -> None:
        names = {name for host in self.hosts.values() for name in host.routers.routers}
        for name in names:
            hosts = frozenset(
                host.name
                for host in self.hosts.values()
                if host.running
                and host.up
                and name in host.routers.routers
                and host.routers.routers[name].state.name == "MASTER"
            )
            spans = self.spans.setdefault(name, [])
            if not spans or spans[-1].hosts != hosts:
                spans.append(MasterSpan(self.now, hosts))
