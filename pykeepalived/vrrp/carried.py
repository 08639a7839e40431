"""What a MASTER carries: taken in this order (behaviour 1.5), given back in the other (1.6)."""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP
from pykeepalived.vrrp import lines
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    BlockAddresses,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    UnblockAddresses,
)
from pykeepalived.wire.vrrp import OWNER

_LINK_LOCAL_PREFIX = 64
Carried = AddressEntry | RouteEntry | RuleEntry
NOTHING: frozenset[Carried] = frozenset()


def everything(instance: VrrpInstance) -> tuple[Carried, ...]:
    """All that the instance carries as MASTER."""
    addresses = instance.virtual_ipaddress + instance.virtual_ipaddress_excluded
    return (*addresses, *instance.virtual_routes, *instance.virtual_rules)


def not_accepted(instance: VrrpInstance) -> tuple[AddressEntry, ...]:
    """The addresses that are held without packets for them being accepted. An owner accepts them all."""
    if instance.accept or instance.priority == OWNER:
        return ()
    return instance.virtual_ipaddress + instance.virtual_ipaddress_excluded


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


def take_again(instance: VrrpInstance, effects: list[Effect]) -> None:
    """An interface is up again: routes that name none may have gone with it, unheard. Those that are there stay."""
    if routes := tuple(entry for entry in instance.virtual_routes if entry.dev is None):
        effects.append(lines.detail(instance.name, "setting Virtual Routes"))
        effects.append(AddRoutes(instance.name, routes))


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


def source_on_own_link(instance: VrrpInstance, source: IP | None) -> AddressEntry | None:
    """The source of adverts as the own link must have it: an ipvlan its address, an IPv6 VMAC that of its base."""
    ipvlan, dev = instance.use_ipvlan, instance.own_link
    if source is None or not dev:
        return None
    six = instance.family == AF_INET6
    if ipvlan is not None:
        if ipvlan.address is None:
            return None
        return AddressEntry(ipvlan.address, ipvlan.prefix_length, dev, nodad=six)
    if not six or instance.vmac_xmit_base:
        return None
    bits = _LINK_LOCAL_PREFIX if source.is_link_local else source.max_prefixlen
    return AddressEntry(source, bits, dev, nodad=True, preferred_lft=0)
