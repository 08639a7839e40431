"""What a MASTER carries: taken in this order (behaviour 1.5), given back in the other (1.6)."""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET6, IP
from pykeepalived.effects import Log
from pykeepalived.vrrp.effects import AddAddresses, BlockAddresses, Effect, RemoveAddresses, UnblockAddresses
from pykeepalived.wire.vrrp import OWNER

_LINK_LOCAL_PREFIX = 64
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


def announced_on_further_links(instance: VrrpInstance) -> tuple[AddressEntry, ...]:
    """The addresses that garp_extra_if is about: those on links that no advert of ours leaves from."""
    return tuple(
        entry
        for entry in instance.virtual_ipaddress + instance.virtual_ipaddress_excluded
        if entry.dev != instance.exchange_interface and (entry.use_vmac or instance.garp_extra_if.everywhere)
    )


def _detail(instance: VrrpInstance, text: str) -> Log:
    return Log(f"({instance.name}) {text}", detail=True, fields=(("VRRP_INSTANCE", instance.name),))
