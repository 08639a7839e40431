"""A reload: the routers of a host take a new configuration by difference. What did not change is not touched.

Instances are the same when VRID, family, interface, and unicast source or multicast group are; then state, timers and
counters stay. All removals of what MASTERs carry come before all additions, so that an address may move from one
instance to another; what somebody else has from now on is not removed.
"""

from collections.abc import Iterable, Sequence

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import Identity, VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import IP
from pykeepalived.vrrp import carried, lines, statics
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    Announce,
    BlockAddresses,
    Effect,
    NotifyGroup,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    ReplaceRouters,
    UnblockAddresses,
    Word,
)
from pykeepalived.vrrp.group import SyncGroup
from pykeepalived.vrrp.route_changes import route_change
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Backup, Fault, Master

_CAUSE = "the configuration was reloaded"


def replace(host: Routers, configuration: Configuration, now: int) -> list[Effect]:
    """Apply ``configuration``. Masters send an advert before and after."""
    effects: list[Effect] = []
    for router in host.routers.values():
        router.confirm(now, effects)
        router.hold()
    routers, gone = _match(host.routers.values(), configuration.vrrp_instance)
    kept = [(router, router.instance) for router in routers.values() if not router.held]
    blocked = [
        (router, carried.not_accepted(router.instance))
        for router in host.routers.values()
        if isinstance(router.state, Master)
    ]
    held = frozenset(
        entry
        for instance, router in routers.items()
        if isinstance(router.state, Master)
        for entry in carried.everything(instance)
    ) | frozenset(statics.everything(configuration))
    for router in gone:
        word = Word.DELETED if router.instance.notify_deleted_set else Word.FAULT
        router.stop(word, "no longer configured", now, effects, keep=held)
        router.group = None  # each knows the other: nobody collects cycles here
    names = {group.name for group in configuration.vrrp_sync_group}
    effects += [NotifyGroup(name, Word.FAULT) for name in host.groups if name not in names]
    former_routers = {id(router): router for router in host.routers.values()}
    effects.append(
        ReplaceRouters(
            tuple((router.name, instance) for instance, router in routers.items() if id(router) in former_routers),
            tuple(instance for instance, router in routers.items() if id(router) not in former_routers),
            configuration.vrrp_sync_group,
        )
    )
    for instance, router in routers.items():
        if router.instance is not instance:
            router.configure(instance, now)
    host.statics.replace(configuration, effects, held)
    host.take(configuration, routers)
    masters_after = [router for router in routers.values() if isinstance(router.state, Master)]
    _block([entry for router, entries in blocked if router not in gone for entry in entries], masters_after, effects)
    _move(kept, held, now, effects)
    _unblock(
        [(router, [entry for entry in entries if router not in gone or entry in held]) for router, entries in blocked],
        masters_after,
        effects,
    )
    for order in effects:
        if isinstance(order, RemoveAddresses):
            host.leave(order.entries)
    for router in routers.values():
        host.assess(router)
    for router, _ in kept:
        router.reweigh(_CAUSE, effects)
    for router, _ in kept:
        _settle(router, now, effects)
    for group in host.groups.values():
        _settle_group(group, now, effects)
    for router in host.routers.values():
        router.confirm(now, effects)
        if id(router) not in former_routers:
            carried.give_back(router.instance, effects, held)
        router.lend_source(effects)
    host.begin(now, effects)
    return effects


def _match(
    former: Iterable[VirtualRouter], instances: Sequence[VrrpInstance]
) -> tuple[dict[VrrpInstance, VirtualRouter], list[VirtualRouter]]:
    """The router of each instance, known or new, and the routers that none has. Unicast instances may share all that
    makes an instance the same: then the name tells them apart, and a name that is gone makes room for a new one.
    """
    known: dict[Identity, dict[str, VirtualRouter]] = {}
    for router in former:
        known.setdefault(router.instance.identity, {})[router.name] = router
    names: dict[Identity, set[str]] = {}
    for instance in instances:
        names.setdefault(instance.identity, set()).add(instance.name)
    routers: dict[VrrpInstance, VirtualRouter] = {}
    for instance in instances:
        alike = known.get(instance.identity, {})
        renamed = next((name for name in alike if name not in names[instance.identity]), "")
        router_before = alike.pop(instance.name, None) or alike.pop(renamed, None)
        routers[instance] = VirtualRouter(instance) if router_before is None else router_before
    return routers, [router for alike in known.values() for router in alike.values()]


def _move(
    kept: list[tuple[VirtualRouter, VrrpInstance]], held: frozenset[carried.Carried], now: int, effects: list[Effect]
) -> None:
    """Give back what MASTERs have no longer, then take what is new; ``held`` is what somebody has from now on."""
    masters = [(router, before) for router, before in kept if isinstance(router.state, Master)]
    for router, before in masters:
        _give_back(router, before, held, effects)
    for router, before in masters:
        _take(router, before, held, now, effects)


def _give_back(
    router: VirtualRouter, before: VrrpInstance, held: frozenset[carried.Carried], effects: list[Effect]
) -> None:
    rules = tuple(entry for entry in before.virtual_rules if entry not in held)
    routes = route_change(before.virtual_routes, router.instance.virtual_routes, held).removed
    addresses = tuple(entry for entry in carried.addresses(before) if entry not in held)
    _say_gone(router, [f"ip rule {entry}" for entry in rules], effects)
    if rules:
        effects.append(RemoveRules(router.name, rules))
    _say_gone(router, [f"ip route {entry}" for entry in routes], effects)
    if routes:
        effects.append(RemoveRoutes(router.name, routes))
    _say_gone(router, [f"ip address {each.address}/{each.prefix_length} dev {each.dev}" for each in addresses], effects)
    if addresses:
        effects.append(RemoveAddresses(router.name, addresses))


def _take(
    router: VirtualRouter,
    before: VrrpInstance,
    held: frozenset[carried.Carried],
    now: int,
    effects: list[Effect],
) -> None:
    known = frozenset(carried.everything(before))
    addresses = tuple(entry for entry in carried.addresses(router.instance) if entry not in known)
    if addresses:
        effects.append(AddAddresses(router.name, addresses))
    routes = route_change(before.virtual_routes, router.instance.virtual_routes, held)
    if routes.replaced:
        effects.append(AddRoutes(router.name, routes.replaced, replace=True))
    if routes.added:
        effects.append(AddRoutes(router.name, routes.added))
    rules = tuple(entry for entry in router.instance.virtual_rules if entry not in known)
    if rules:
        effects.append(AddRules(router.name, rules))
    if addresses:
        if router.instance.garp_master_repeat:
            effects.append(Announce(router.name, addresses, router.instance.garp_master_repeat))
        router.announce_later(now)


def _say_gone(router: VirtualRouter, objects: list[str], effects: list[Effect]) -> None:
    effects += [lines.line(router.name, f"{each}, no longer exist") for each in objects]


def _block(before: list[AddressEntry], masters: list[VirtualRouter], effects: list[Effect]) -> None:
    """What is not accepted from now on: before such an address is added."""
    places = set(map(_place, before))
    for router in masters:
        instance = router.instance
        if added := tuple(entry for entry in carried.not_accepted(instance) if _place(entry) not in places):
            effects.append(BlockAddresses(router.name, added, instance.dont_track_primary))


def _unblock(
    before: list[tuple[VirtualRouter, list[AddressEntry]]], masters: list[VirtualRouter], effects: list[Effect]
) -> None:
    """What was not accepted before, and is now, or is not held any more: after such an address is removed. Routers
    that are gone have unblocked what nobody else holds.
    """
    after = {_place(entry) for router in masters for entry in carried.not_accepted(router.instance)}
    for router, entries in before:
        if removed := tuple(entry for entry in entries if _place(entry) not in after):
            effects.append(UnblockAddresses(router.name, removed))


def _place(entry: AddressEntry) -> tuple[str | None, IP]:
    return entry.dev, entry.address


def _settle(router: VirtualRouter, now: int, effects: list[Effect]) -> None:
    if router.faults and isinstance(router.state, (Master, Backup)):
        router.enter_fault(next(iter(router.faults.values())), now, effects)
        if router.group is not None:
            router.group.follow_to_fault(router, now, effects)
    elif not router.faults:
        router.settle_fault(_CAUSE, now, effects)


def _settle_group(group: SyncGroup, now: int, effects: list[Effect]) -> None:
    """Bring the members of a changed group to one state. A BACKUP among MASTERs is given time to follow them."""
    running = [member for member in group.members if not member.held]
    faulty = next((member for member in running if isinstance(member.state, Fault)), None)
    if faulty is not None:
        group.follow_to_fault(faulty, now, effects)
    elif any(isinstance(member.state, Master) for member in running):
        if all(isinstance(member.state, Master) for member in running):
            group.tell(Word.MASTER, effects)
        else:
            group.mixed = True
    elif running:
        group.tell(Word.BACKUP, effects)
