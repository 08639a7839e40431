"""Addresses that an instance holds while MASTER, and the peers it speaks to."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, Address, Flag, Integer, Interface, Word
from pykeepalived.config.schema import entry, keyword
from pykeepalived.records import record

_SUBJECT = {"IPADDR": "The address, with its prefix length; without one it is a single address (/32 or /128)."}


@entry("address", subject=_SUBJECT)
@dataclass(frozen=True, slots=True)
class AddressEntry:
    """One line of virtual_ipaddress. ``dev`` is the instance's interface where the line names none."""

    address: IP
    prefix_length: int
    dev: str | None = keyword(Interface(), default=None, doc="The interface that holds it.")
    scope: int = keyword(
        Word(), default=0, arguments="NAME|0..255", doc="Where it is valid, by a name of rt_scopes or a number; IPv4."
    )
    label: str | None = keyword(Word(longest=15), default=None, doc="The label of an IPv4 address.")
    broadcast: IPv4Address | None = keyword(
        Word(),
        default=None,
        aliases=("brd",),
        arguments="IPV4ADDR|+|-",
        doc="The broadcast address: + sets the host's bits of the address, - clears them.",
    )
    peer: IP | None = keyword(Address(), default=None, doc="The other end of a point-to-point link.")
    no_track: bool = keyword(Flag(), default=False, doc="Nothing happens when the address disappears.")
    nodad: bool = keyword(Flag(), default=False, spelled="-nodad", doc="The kernel looks for duplicates of it.")
    """IPv6: on unless the line says -nodad."""
    preferred_lft: int | None = keyword(
        Word(),
        default=None,
        arguments="SECONDS|forever",
        unit="s",
        doc="How long it may be chosen as a source; 0 is never, the default of an IPv6 /128.",
    )
    """Seconds; 0 is deprecated from the start (never chosen as a source), None is forever."""
    home: bool = keyword(Flag(), default=False, doc="An IPv6 home address.")
    mngtmpaddr: bool = keyword(
        Flag(), default=False, since="Linux 3.14", doc="The kernel makes temporary addresses from it."
    )
    noprefixroute: bool = keyword(
        Flag(), default=False, since="Linux 3.14", doc="The kernel makes no route to its prefix."
    )
    autojoin: bool = keyword(
        Flag(), default=False, since="Linux 4.1", doc="The kernel joins a multicast address by itself."
    )
    use_vmac: bool = keyword(Flag(), default=False, doc="The address is put on a VMAC interface.")
    track_group: str | None = keyword(
        Word(), default=None, doc="The instances of this track_group need the address and its interface; static ones."
    )

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return AF_INET6 if self.address.version == 6 else AF_INET

    def __str__(self) -> str:
        """As keepalived logs it: the prefix length stays out when it is the whole address."""
        if self.prefix_length == self.address.max_prefixlen:
            return str(self.address)
        return f"{self.address}/{self.prefix_length}"


@entry("unicast_peer", subject={"IPADDR": "The address of a router that adverts are sent to."})
@record(frozen=True, slots=True)
class UnicastPeer:
    """One line of unicast_peer."""

    address: IP
    min_ttl: int | None = keyword(
        Integer(0, 255), default=None, unit="hops", doc="Adverts that arrive with a lower TTL are dropped."
    )
    max_ttl: int | None = keyword(
        Integer(0, 255), default=None, unit="hops", doc="Adverts that arrive with a higher TTL are dropped."
    )
