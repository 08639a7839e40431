"""Addresses that an instance holds while MASTER, and the peers it speaks to."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from pykeepalived.config.kinds import AF_INET, AF_INET6, IP


@dataclass(frozen=True, slots=True)
class AddressEntry:
    """One line of virtual_ipaddress. ``dev`` is the instance's interface where the line names none."""

    address: IP
    prefix_length: int
    dev: str | None = None
    scope: int = 0
    label: str | None = None
    broadcast: IPv4Address | None = None
    peer: IP | None = None
    no_track: bool = False
    nodad: bool = False
    """IPv6: the kernel need not look for duplicates. On for every IPv6 entry."""
    preferred_lft: int | None = None
    """Seconds; 0 is deprecated from the start (never chosen as a source), None is forever."""
    home: bool = False
    mngtmpaddr: bool = False
    noprefixroute: bool = False

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return AF_INET6 if self.address.version == 6 else AF_INET

    def __str__(self) -> str:
        """As keepalived logs it: the prefix length stays out when it is the whole address."""
        if self.prefix_length == self.address.max_prefixlen:
            return str(self.address)
        return f"{self.address}/{self.prefix_length}"


@dataclass(frozen=True, slots=True)
class UnicastPeer:
    """One line of unicast_peer."""

    address: IP
    min_ttl: int | None = None
    max_ttl: int | None = None
