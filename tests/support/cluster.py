"""Random histories of a few routers on one link: what may go wrong, and what must hold all the same.

One history is one seed: two to five hosts, one or two instances (then in a sync group), trackers, loss, delay,
duplication, reordering, partitions, pauses, jumps of a host's clock, links that fail, stolen addresses, reloads, and
processes that die in the middle of their orders. In the end everything is healed, and order must return.

The link keeps no more than it needs: ten thousand histories take less than a minute.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import IP
from pykeepalived.effects import Kind, Log
from pykeepalived.kernel.ports import Datagram
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.effects import AddAddresses, Effect, RemoveAddresses, SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved, Event, InterfaceChanged, TrackScriptChanged
from pykeepalived.vrrp.identity import ReceiverKey
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Master
from tests.support.scenario import make_configuration

START = 1_000_000_000_000
CHAOS = 9 * SECOND
HEALING = 8 * SECOND  # more than a delay to preempt, a learnt interval's wait and the listening after a pause
INTERFACE = "eth0"
SCRIPT = "chk"

CAUSES = {
    "start": ("started", "interface", "sync group", "script"),
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
    "script": ("script", "sync group", "started", "interface"),
    "reload": ("the configuration was reloaded", "started", "no longer", "script", "interface", "sync group"),
    "stop": ("the daemon stops",),
}
"""What the cause of a transition may begin with, by what happened."""


class InvariantError(AssertionError):
    """Something that must hold did not."""


@lru_cache(maxsize=4096)
def _configuration(lines: tuple[str, ...]) -> Configuration:
    return make_configuration(*lines)


@dataclass(slots=True)
class Plan:
    """How a host is configured."""

    priority: int
    options: str
    instances: int
    script: str

    def configuration(self) -> Configuration:
        """One instance, or two in a group."""
        lines = ["vrrp_script " + SCRIPT] if self.script else []
        for number in range(1, self.instances + 1):
            tracked = f" track_script={SCRIPT}{self.script}" if self.script else ""
            address = f"virtual_ipaddress=10.0.0.{100 + number}/24"
            settings = f"virtual_router_id={number} priority={self.priority} {address}{self.options}{tracked}"
            lines.append(f"instance V{number} {settings}")
        if self.instances > 1:
            names = ",".join(f"V{number}" for number in range(1, self.instances + 1))
            lines.append(f"group G group={names}")
        return _configuration(tuple(lines))


@dataclass(slots=True)
class Host:
    """One host: kernel (link, addresses) and process (the core)."""

    name: str
    address: IPv4Address
    plan: Plan
    routers: Routers
    up: bool = True
    running: bool = False
    paused: bool = False
    script_up: bool = True
    clock: int = 0  # ahead of the link's
    holds: set[IP] = field(default_factory=set)
    queued: list[tuple[ReceiverKey, Datagram]] = field(default_factory=list)
    ring_at: int = 0  # when a tick is in the queue for it
    fuse: int | None = None  # the process dies after so many more orders


class Cluster:
    """A history."""

    def __init__(self, seed: int) -> None:
        self.random = chance = random.Random(seed)
        self.seed = seed
        self.now = START
        self.events = 0
        self.transitions = 0
        self.loss = self.twice = 0.0
        self.slowest = 0
        self.apart: dict[str, int] = {}  # which part of the link a host is on
        self.heap: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self.order = 0
        self.encoded: dict[SendAdvert, tuple[tuple[bytes, bytes], ...]] = {}
        instances = chance.choice((1, 1, 2))
        self.options = chance.choice(
            (
                "",
                " version=3",
                " nopreempt",
                " preempt_delay=1.5",
                " version=3 advert_int=0.5",
                " garp_lower_prio_repeat=0",
            )
        )
        self.script = chance.choice(("", "", ":0", ":-40", ":30"))
        self.gentle = chance.random() < 0.3  # nothing is lost, late or stands still
        self.interval = SECOND // 2 if "advert_int" in self.options else SECOND
        self.two_since: dict[str, int] = {}
        self.hosts = [self._host(number, instances) for number in range(1, chance.randint(2, 5) + 1)]

    def _host(self, number: int, instances: int) -> Host:
        chance = self.random
        priority = 255 if number == 1 and chance.random() < 0.1 else chance.choice((50, 100, 100, 150, 200))
        plan = Plan(priority, self.options, instances, self.script)
        host = Host(f"r{number}", IPv4Address(f"10.0.0.{number}"), plan, Routers(plan.configuration()))
        host.clock = chance.randrange(10**12)
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
        self.run(CHAOS)
        self.heal()
        self.run(HEALING)
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

    def judge(self) -> None:
        """One MASTER for each instance, the right one; each holds what it must and nothing else."""
        for name in self.hosts[0].routers.routers:
            masters = [host for host in self.hosts if isinstance(host.routers.routers[name].state, Master)]
            if len(masters) != 1:
                raise InvariantError(f"{name} has MASTERs {[host.name for host in masters]}")
            best = max(self.hosts, key=lambda host: (host.routers.routers[name].priority, host.address))
            higher = best.routers.routers[name].priority > masters[0].routers.routers[name].priority
            if higher and "nopreempt" not in self.options:
                raise InvariantError(f"{name}: MASTER {masters[0].name} although {best.name} is better")
        for host in self.hosts:
            self.holds_what_it_must(host)

    @staticmethod
    def holds_what_it_must(host: Host) -> None:
        """A MASTER holds its addresses, the others hold none."""
        must = {
            entry.address
            for router in host.routers.routers.values()
            if isinstance(router.state, Master)
            for entry in router.entries
        }
        if host.holds != must:
            raise InvariantError(
                f"{host.name} holds {sorted(map(str, host.holds))} and must hold {sorted(map(str, must))}"
            )

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
            elif isinstance(effect, AddAddresses):
                host.holds.update(entry.address for entry in effect.entries)
            elif isinstance(effect, RemoveAddresses):
                host.holds.difference_update(entry.address for entry in effect.entries)
        if host.running:
            self.wind(host)
        if self.gentle and self.transitions != before:
            self.two_are_one_soon()

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
        made = self.encoded.get(order)
        instance = host.routers.routers[order.instance].instance
        if made is None:
            made = self.encoded[order] = messages(instance, order.priority, order.source)
        ((destination, data),) = made
        packet = Datagram(order.source, destination, 255, data, len(data))
        chance = self.random
        for other in self.hosts:
            if other is host:
                continue
            copies = 1 if not self.loss or chance.random() >= self.loss else 0
            if copies and self.twice and chance.random() < self.twice:
                copies = 2
            for _ in range(copies):
                delay = MILLISECOND // 20 + (chance.randrange(self.slowest) if self.slowest else 0)
                self.at(delay, self.deliver, host, other, packet, order.instance)

    def deliver(self, sender: Host, host: Host, packet: Datagram, instance: str) -> None:
        """A packet arrives, or is lost with the link."""
        if not host.up or self.apart.get(sender.name, 0) != self.apart.get(host.name, 0) or not host.running:
            return
        receiver = next(iter(host.routers.inboxes))
        if host.paused:
            host.queued.append((receiver, packet))
            return
        self.hear(host, receiver, packet, instance)

    def hear(self, host: Host, receiver: ReceiverKey, packet: Datagram, instance: str) -> None:
        """The process reads a packet: a MASTER that hears a better one is MASTER no longer."""
        self.obey(host, host.routers.advert(receiver, packet, self.now + host.clock), "advert")
        if not host.running or instance not in host.routers.routers:
            return
        router = host.routers.routers[instance]
        heard = (packet.data[2], packet.source)
        if isinstance(router.state, Master) and heard > (router.priority, router.source) and heard[0] != 0:
            raise InvariantError(f"{host.name} stays MASTER of {instance} though it has heard {heard}")

    # --- what happens -------------------------------------------------------------------------------------------

    def start(self, host: Host) -> None:
        """A process starts; it finds what a former one left."""
        if host.running:
            return
        host.running, host.paused, host.ring_at = True, False, 0
        host.routers = routers = Routers(host.plan.configuration())
        now = self.now + host.clock
        routers.handle(InterfaceChanged(INTERFACE, up=host.up), now)
        for address in (host.address, *host.holds):
            routers.handle(AddressAdded(INTERFACE, address, 24), now)
        self.obey(host, routers.start(now), "start")
        if host.running and host.plan.script:
            self.at(self.random.randrange(MILLISECOND * 50), self.tell_script, host)

    def tell_script(self, host: Host, up: bool | None = None) -> None:
        """The track script's verdict."""
        host.script_up = host.script_up if up is None else up
        if host.plan.script:
            self.tell(host, TrackScriptChanged(SCRIPT, up=host.script_up), "script")

    def link(self, host: Host, *, up: bool) -> None:
        """The host's link fails or returns."""
        host.up = up
        self.tell(host, InterfaceChanged(INTERFACE, up=up), "interface")

    def resume(self, host: Host) -> None:
        """The process runs again: what waits is read first."""
        if not host.paused:
            return
        host.paused = False
        queued, host.queued = host.queued, []
        for receiver, packet in queued:
            if host.running:
                self.hear(host, receiver, packet, f"V{packet.data[1]}")
        if host.running:
            self.obey(host, host.routers.tick_all(self.now + host.clock), "tick")


# --- what may happen to a host --------------------------------------------------------------------------------------


def pause(cluster: Cluster, host: Host) -> None:
    """The process stands still for a while."""
    if host.running and not host.paused:
        host.paused = True
        cluster.at(cluster.random.randrange(MILLISECOND, 6 * SECOND), cluster.resume, host)


def leap(cluster: Cluster, host: Host) -> None:
    """The machine was asleep: its clock jumps."""
    host.clock += cluster.random.randrange(10 * SECOND)
    if host.running and not host.paused:
        cluster.obey(host, host.routers.tick_all(cluster.now + host.clock), "tick")


def part(cluster: Cluster, host: Host) -> None:
    """The host is alone, or the link falls into halves."""
    for other in cluster.hosts if cluster.random.random() < 0.5 else [host]:
        cluster.apart[other.name] = cluster.random.randrange(2)
    cluster.at(cluster.random.randrange(5 * SECOND), cluster.apart.clear)


def fail(cluster: Cluster, host: Host) -> None:
    """The link goes down and up."""
    cluster.link(host, up=False)
    cluster.at(cluster.random.randrange(4 * SECOND), lambda: cluster.link(host, up=True))


def judge_ill(cluster: Cluster, host: Host) -> None:
    """The track script fails, and succeeds again."""
    cluster.tell_script(host, up=False)
    cluster.at(cluster.random.randrange(4 * SECOND), cluster.tell_script, host, True)


def lossy(cluster: Cluster, host: Host) -> None:
    """The link loses, doubles, delays and reorders."""
    del host
    chance = cluster.random
    cluster.loss, cluster.twice = chance.choice((0, 0.1, 0.5)), chance.choice((0, 0.2))
    cluster.slowest = chance.choice((0, 10, 400)) * MILLISECOND


def crash(cluster: Cluster, host: Host) -> None:
    """The process dies after so many more orders, and is started again."""
    if host.running:
        host.fuse = cluster.random.randrange(12)
        cluster.at(cluster.random.randrange(4 * SECOND), cluster.start, host)


def stop(cluster: Cluster, host: Host) -> None:
    """SIGTERM; started again later."""
    if host.running and not host.paused:
        cluster.obey(host, host.routers.stop(cluster.now + host.clock), "stop")
        if host.running and host.holds:
            raise InvariantError(f"{host.name} has stopped and holds {host.holds}")
        host.running = False
        cluster.at(cluster.random.randrange(4 * SECOND), cluster.start, host)


def steal(cluster: Cluster, host: Host) -> None:
    """Somebody deletes a virtual address."""
    if host.holds:
        address = cluster.random.choice(sorted(host.holds))
        host.holds.discard(address)
        cluster.tell(host, AddressRemoved(INTERFACE, address, 24), "address")


def reload(cluster: Cluster, host: Host) -> None:
    """SIGHUP with another priority."""
    if host.running and not host.paused:
        host.plan.priority = cluster.random.choice((50, 100, 150, 200))
        cluster.obey(host, replace(host.routers, host.plan.configuration(), cluster.now + host.clock), "reload")


GENTLE = (fail, judge_ill, stop, steal, reload)
ROUGH = (pause, leap, part, lossy, crash)
