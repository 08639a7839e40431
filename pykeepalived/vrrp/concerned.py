"""Whom a fact concerns: the virtual routers of a host by socket, tracker, interface, address, route and rule.

Made anew with each configuration, so that an event costs what it concerns and no more.
"""

from collections.abc import Iterable

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.kinds import IP
from pykeepalived.vrrp import carried
from pykeepalived.vrrp.identity import ReceiverKey, receivers_of
from pykeepalived.vrrp.inbox import Inbox
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.tracking import INTERFACE, Tracked, Tracker

Place = tuple[str | None, IP, int]
"""Interface, address and prefix length."""


class Concerned:
    """Virtual routers by what they run on, follow and carry."""

    __slots__ = ("_carriers", "_with_source", "addresses", "followers", "inboxes", "on_interface", "places", "routing")

    def __init__(self, routers: Iterable[VirtualRouter]) -> None:
        self.inboxes: dict[ReceiverKey, Inbox] = {}
        self.followers: dict[Tracker, list[tuple[VirtualRouter, Tracked]]] = {}
        self.on_interface: dict[str, list[VirtualRouter]] = {}
        self._with_source: list[VirtualRouter] = []
        self._carriers: dict[str | None, list[VirtualRouter]] = {}
        self.places: dict[Place, list[tuple[VirtualRouter, AddressEntry]]] = {}
        self.routing: dict[RouteEntry | RuleEntry, list[VirtualRouter]] = {}
        for router in routers:
            self._add(router)
        self.addresses = frozenset(address for _, address, _ in self.places)
        """All that some instance holds as MASTER, wherever."""

    def uses(self, interface: str) -> bool:
        """Whether an instance runs on it, or follows it."""
        return interface in self.on_interface or (INTERFACE, interface) in self.followers

    def senders_from(self, interface: str) -> list[VirtualRouter]:
        """Whoever may send from an address of that interface: a configured source may be on any."""
        return [*self.on_interface.get(interface, ()), *self._with_source]

    def carriers_on(self, interface: str) -> Iterable[VirtualRouter]:
        """Whoever carries addresses or routes on it as MASTER, or routes that name no interface."""
        return dict.fromkeys((*self._carriers.get(interface, ()), *self._carriers.get(None, ())))

    def _add(self, router: VirtualRouter) -> None:
        instance = router.instance
        for receiver in () if instance.lacks_peers else receivers_of(instance):
            inbox = self.inboxes.setdefault(receiver, Inbox())
            inbox.setdefault(instance.virtual_router_id, []).append(router)
        for name in instance.links:
            self.on_interface.setdefault(name, []).append(router)
        if instance.source is not None:
            self._with_source.append(router)
        for tracked in router.standing.tracked:
            self.followers.setdefault(tracked.tracker, []).append((router, tracked))
        links = {entry.dev for entry in carried.addresses(instance)}
        for dev in links | {route.dev for route in instance.virtual_routes}:
            self._carriers.setdefault(dev, []).append(router)
        for entry in carried.addresses(instance):
            place = (entry.dev, entry.address, entry.prefix_length)
            self.places.setdefault(place, []).append((router, entry))
        for route in instance.virtual_routes:
            self.routing.setdefault(route, []).append(router)
        for rule in instance.virtual_rules:
            self.routing.setdefault(rule, []).append(router)
