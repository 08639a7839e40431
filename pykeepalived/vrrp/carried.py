"""What a MASTER carries: taken in this order (behaviour 1.5), given back in the other (1.6)."""

from collections.abc import Container

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.vrrp import lines
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    Announce,
    BlockAddresses,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    UnblockAddresses,
)
from pykeepalived.wire.vrrp import OWNER

Carried = AddressEntry | RouteEntry | RuleEntry
NOTHING: frozenset[Carried] = frozenset()


def addresses(instance: VrrpInstance) -> tuple[AddressEntry, ...]:
    """All addresses, those in adverts first."""
    return instance.virtual_ipaddress + instance.virtual_ipaddress_excluded


def everything(instance: VrrpInstance) -> tuple[Carried, ...]:
    """All that the instance carries as MASTER."""
    return (*addresses(instance), *instance.virtual_routes, *instance.virtual_rules)


def not_accepted(instance: VrrpInstance) -> tuple[AddressEntry, ...]:
    """The addresses that are held without packets for them being accepted. An owner accepts them all."""
    if instance.accept or instance.priority == OWNER:
        return ()
    return addresses(instance)


def take(instance: VrrpInstance, effects: list[Effect]) -> None:
    """Hold everything."""
    if blocked := not_accepted(instance):
        effects.append(lines.detail(instance.name, "setting firewall drop rule"))
        effects.append(BlockAddresses(instance.name, blocked, instance.dont_track_primary))
    for label, entries in (
        ("setting VIPs.", instance.virtual_ipaddress),
        ("setting E-VIPs.", instance.virtual_ipaddress_excluded),
    ):
        if entries:
            effects.append(lines.detail(instance.name, label))
            effects.append(AddAddresses(instance.name, entries))
    if instance.virtual_routes:
        effects.append(lines.detail(instance.name, "setting Virtual Routes"))
        effects.append(AddRoutes(instance.name, instance.virtual_routes))
    if instance.virtual_rules:
        effects.append(lines.detail(instance.name, "setting Virtual Rules"))
        effects.append(AddRules(instance.name, instance.virtual_rules))


def take_again(instance: VrrpInstance, interface: str, effects: list[Effect]) -> None:
    """An interface is up again, which may be another one of its name: addresses have gone with the former, and routes
    with any that goes down, unheard. What is there stays.
    """
    held = (entry for entry in addresses(instance) if entry.dev == interface)
    routes = (
        entry
        for entry in instance.virtual_routes
        if entry.dev is None or (entry.dev == interface and not entry.no_track)
    )
    _take(instance, tuple(held), tuple(routes), effects)


def try_again(instance: VrrpInstance, interface: str, lacking: Container[Carried], effects: list[Effect]) -> None:
    """An interface has a new address: what the kernel refused there before may be possible now."""
    held = (entry for entry in addresses(instance) if entry.dev == interface and entry in lacking)
    routes = (entry for entry in instance.virtual_routes if entry.dev in {None, interface} and entry in lacking)
    _take(instance, tuple(held), tuple(routes), effects)


def _take(
    instance: VrrpInstance, held: tuple[AddressEntry, ...], routes: tuple[RouteEntry, ...], effects: list[Effect]
) -> None:
    if held:
        effects.append(lines.detail(instance.name, "setting VIPs."))
        effects.append(AddAddresses(instance.name, held))
    if routes:
        effects.append(lines.detail(instance.name, "setting Virtual Routes"))
        effects.append(AddRoutes(instance.name, routes))
    if held and instance.garp_master_repeat:
        effects.append(Announce(instance.name, held, instance.garp_master_repeat))


def routes_forgotten(instance: VrrpInstance, interface: str, effects: list[Effect]) -> None:
    """An interface has an IPv4 address again, after its last had gone and the routes through it with that, unheard."""
    lost = (entry for entry in instance.virtual_routes if entry.family == AF_INET and entry.dev in {None, interface})
    if routes := tuple(lost):
        effects.append(lines.detail(instance.name, "setting Virtual Routes"))
        effects.append(AddRoutes(instance.name, routes))


def give_back(
    instance: VrrpInstance,
    effects: list[Effect],
    keep: frozenset[Carried] = NOTHING,
    static: frozenset[Carried] = NOTHING,
) -> None:
    """Hold nothing any longer; what is in ``keep`` belongs to somebody else. What is ``static`` as well only stays."""
    staying = keep | static
    if rules := tuple(entry for entry in instance.virtual_rules if entry not in staying):
        effects.append(lines.detail(instance.name, "removing Virtual Rules"))
        effects.append(RemoveRules(instance.name, rules))
    if routes := tuple(entry for entry in instance.virtual_routes if entry not in staying):
        effects.append(lines.detail(instance.name, "removing Virtual Routes"))
        effects.append(RemoveRoutes(instance.name, routes))
    for label, entries in (
        ("removing VIPs.", instance.virtual_ipaddress),
        ("removing E-VIPs.", instance.virtual_ipaddress_excluded),
    ):
        leaving = tuple(entry for entry in entries if entry not in staying)
        if leaving:
            effects.append(lines.detail(instance.name, label))
            effects.append(RemoveAddresses(instance.name, leaving))
    if blocked := tuple(entry for entry in not_accepted(instance) if entry not in keep):
        effects.append(lines.detail(instance.name, "removing firewall drop rule"))
        effects.append(UnblockAddresses(instance.name, blocked))
