"""What a MASTER carries: taken in this order (behaviour 1.5), given back in the other (1.6)."""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Log
from pykeepalived.vrrp.effects import AddAddresses, BlockAddresses, Effect, RemoveAddresses, UnblockAddresses
from pykeepalived.wire.vrrp import OWNER

NOTHING: frozenset[AddressEntry] = frozenset()


def not_accepted(instance: VrrpInstance) -> tuple[AddressEntry, ...]:
    """The addresses that are held without packets for them being accepted. An owner accepts them all."""
    if instance.accept or instance.priority == OWNER:
        return ()
    return instance.virtual_ipaddress + instance.virtual_ipaddress_excluded


def take(instance: VrrpInstance, effects: list[Effect]) -> None:
    """Hold everything."""
    if blocked := not_accepted(instance):
        effects.append(_detail(instance, "setting firewall drop rule"))
        effects.append(BlockAddresses(instance.name, blocked, instance.dont_track_primary))
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
    if blocked := tuple(entry for entry in not_accepted(instance) if entry not in keep):
        effects.append(_detail(instance, "removing firewall drop rule"))
        effects.append(UnblockAddresses(instance.name, blocked))


def _detail(instance: VrrpInstance, text: str) -> Log:
    return Log(f"({instance.name}) {text}", detail=True, fields=(("VRRP_INSTANCE", instance.name),))
