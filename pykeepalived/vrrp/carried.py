"""What a MASTER carries: taken in this order (behaviour 1.5), given back in the other (1.6)."""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Log
from pykeepalived.vrrp.effects import AddAddresses, Effect, RemoveAddresses

NOTHING: frozenset[AddressEntry] = frozenset()


def take(instance: VrrpInstance, effects: list[Effect]) -> None:
    """Hold everything."""
    for label, entries in (
        ("setting VIPs.", instance.virtual_ipaddress),
        ("setting E-VIPs.", instance.virtual_ipaddress_excluded),
    ):
        if entries:
            effects.append(_detail(instance, label))
            effects.append(AddAddresses(instance.name, entries))


def give_back(instance: VrrpInstance, effects: list[Effect], keep: frozenset[AddressEntry] = NOTHING) -> None:
    """Hold nothing any longer; the addresses in ``keep`` belong to somebody else."""
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
