"""The addresses of the host's interfaces, whoever put them there, and which of them adverts come from."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET, IP
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved


@dataclass(slots=True)
class _Held:
    """An address that an interface has."""

    address: IP
    secondary: bool
    tentative: bool
    dad_failed: bool
    leaving: bool = False  # we have ordered its removal


class HostAddresses:
    """What each interface holds, in the kernel's order."""

    def __init__(self) -> None:
        self._held: dict[str, dict[tuple[IP, int], _Held]] = {}

    def added(self, event: AddressAdded) -> tuple[bool, bool]:
        """An interface has an address, or it changed: whether it is new, and whether it was just found to be another
        host's.
        """
        addresses = self._held.setdefault(event.interface, {})
        key = (event.address, event.prefix_length)
        held = addresses.get(key)
        new = held is None
        if held is None:
            held = addresses[key] = _Held(event.address, event.secondary, event.tentative, dad_failed=False)
        duplicate = event.dad_failed and not held.dad_failed
        held.secondary, held.tentative, held.dad_failed = event.secondary, event.tentative, event.dad_failed
        return new, duplicate

    def removed(self, event: AddressRemoved) -> None:
        """An interface has lost an address."""
        self._held.get(event.interface, {}).pop((event.address, event.prefix_length), None)

    def leave(self, entries: Iterable[AddressEntry], *, leaving: bool = True) -> None:
        """The removal of these is ordered: nothing is sent from them meanwhile. Or it was refused, and they stay."""
        for entry in entries:
            held = self._held.get(entry.dev or "", {}).get((entry.address, entry.prefix_length))
            if held is not None:
                held.leaving = leaving

    def vanished(self, interface: str) -> None:
        """An interface is gone."""
        self._held.pop(interface, None)

    def has_ipv4(self, interface: str) -> bool:
        """Whether any IPv4 address is left there."""
        return any(address.version == 4 for address, _ in self._held.get(interface, ()))

    def is_the_only_source(self, interface: str, address: IP, prefix_length: int, virtual: Container[IP]) -> bool:
        """Whether adverts could come from this address of the interface, and from no other of its family."""
        if not _usable(address, virtual):
            return False
        held = self._held.get(interface, {}).items()
        others = (other.address for key, other in held if key != (address, prefix_length))
        return not any(other.version == address.version and _usable(other, virtual) for other in others)

    def source_for(self, instance: VrrpInstance, virtual: Container[IP]) -> IP | None:
        """The address that adverts come from, if there is one. A virtual address of any instance never is, nor one that
        we are about to remove.

        An IPv6 address is not sent from while the kernel still asks the link whether another host has it.
        """
        if instance.source is not None:
            return instance.source if self._can_send(instance.source, instance) else None
        fallback: IP | None = None
        for held in self._held.get(instance.source_interface, {}).values():
            if held.address.version != (4 if instance.family == AF_INET else 6) or held.address in virtual:
                continue
            if held.leaving:
                continue
            if isinstance(held.address, IPv4Address):
                if not held.secondary:
                    return held.address
                fallback = fallback or held.address
            elif held.address.is_link_local and not held.tentative:
                return held.address
        return fallback

    def _can_send(self, source: IP, instance: VrrpInstance) -> bool:
        """Whether the configured source can be sent from. Where it is not tracked, it need not be there; an ipvlan is
        given it by us.
        """
        found = list(self._anywhere(source))
        if not found:
            return not instance.track_src_ip or instance.use_ipvlan is not None
        return not all(held.tentative for held in found)

    def _anywhere(self, address: IP) -> Iterator[_Held]:
        return (held for addresses in self._held.values() for held in addresses.values() if held.address == address)


def _usable(address: IP, virtual: Container[IP]) -> bool:
    return address not in virtual and (isinstance(address, IPv4Address) or address.is_link_local)
