"""The address that adverts come from, as the own link must have it too: an ipvlan its own, an IPv6 VMAC its base's."""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET6, IP
from pykeepalived.vrrp.effects import AddAddresses, Effect, RemoveAddresses

_LINK_LOCAL_PREFIX = 64


class LentSource:
    """What one instance's own link has."""

    __slots__ = ("_lent",)

    def __init__(self) -> None:
        self._lent: AddressEntry | None = None

    def lend(self, instance: VrrpInstance, source: IP | None, effects: list[Effect], *, up: bool, anew: bool) -> None:
        """Have it right: added if the interface is ``up``; ``anew`` when the link may have lost it."""
        wanted = source_on_own_link(instance, source)
        if wanted == self._lent and not anew:
            return
        if self._lent is not None and self._lent != wanted:
            effects.append(RemoveAddresses(instance.name, (self._lent,)))
        if wanted is not None and up:
            effects.append(AddAddresses(instance.name, (wanted,)))
        self._lent = wanted

    def is_at(self, interface: str, address: IP, prefix_length: int) -> bool:
        """Whether that is it."""
        lent = self._lent
        return lent is not None and (lent.dev, lent.address, lent.prefix_length) == (interface, address, prefix_length)


def source_on_own_link(instance: VrrpInstance, source: IP | None) -> AddressEntry | None:
    """What it must have, None where it needs nothing."""
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
