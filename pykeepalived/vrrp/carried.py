"""What a MASTER carries: taken in this order (behaviour 1.5), given back in the other (1.6)."""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Log
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
)

Carried = AddressEntry | RouteEntry | RuleEntry
NOTHING: frozenset[Carried] = frozenset()


def everything(instance: VrrpInstance) -> tuple[Carried, ...]:
    """All that the instance carries as MASTER."""
    addresses = instance.virtual_ipaddress + instance.virtual_ipaddress_excluded
    return (*addresses, *instance.virtual_routes, *instance.virtual_rules)


def take(instance: VrrpInstance, effects: list[Effect]) -> None:
    """Hold everything."""
    for label, entries in (
        ("setting VIPs.", instance.virtual_ipaddress),
        ("setting E-VIPs.", instance.virtual_ipaddress_excluded),
    ):
        if entries:
            effects.append(_detail(instance, label))
            effects.append(AddAddresses(instance.name, entries))
    if instance.virtual_routes:
        effects.append(_detail(instance, "setting Virtual Routes"))
        effects.append(AddRoutes(instance.name, instance.virtual_routes))
    if instance.virtual_rules:
        effects.append(_detail(instance, "setting Virtual Rules"))
        effects.append(AddRules(instance.name, instance.virtual_rules))


def take_again(instance: VrrpInstance, effects: list[Effect]) -> None:
    """An interface is up again: routes that name none may have gone with it, unheard. Those that are there stay."""
    if routes := tuple(entry for entry in instance.virtual_routes if entry.dev is None):
        effects.append(_detail(instance, "setting Virtual Routes"))
        effects.append(AddRoutes(instance.name, routes))


def give_back(instance: VrrpInstance, effects: list[Effect], keep: frozenset[Carried] = NOTHING) -> None:
    """Hold nothing any longer; what is in ``keep`` belongs to somebody else."""
    if rules := tuple(entry for entry in instance.virtual_rules if entry not in keep):
        effects.append(_detail(instance, "removing Virtual Rules"))
        effects.append(RemoveRules(instance.name, rules))
    if routes := tuple(entry for entry in instance.virtual_routes if entry not in keep):
        effects.append(_detail(instance, "removing Virtual Routes"))
        effects.append(RemoveRoutes(instance.name, routes))
    for label, entries in (
        ("removing VIPs.", instance.virtual_ipaddress),
        ("removing E-VIPs.", instance.virtual_ipaddress_excluded),
    ):
        leaving = tuple(entry for entry in entries if entry not in keep)
        if leaving:
            effects.append(_detail(instance, label))
            effects.append(RemoveAddresses(instance.name, leaving))


def _detail(instance: VrrpInstance, text: str) -> Log:
    return Log(f"({instance.name}) {text}", detail=True, fields=(("VRRP_INSTANCE", instance.name),))
