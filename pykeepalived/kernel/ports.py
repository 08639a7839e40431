"""The kernel as the daemon sees it: small Protocols, each with a Linux side in this package and a fake in the tests.

All calls are made from a reactor's turn. Netlink orders are carried out by the kernel inside the send, so their answers
are there at once: the calls below return them. Callers cut long lists into batches of at most ``BATCH`` and let the
reactor turn between two.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple, Protocol

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.interfaces import Method
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.ipvs_table import DestinationRow as DestinationRow  # noqa: PLC0414 - words of this port, too
from pykeepalived.ipvs_table import IpvsOrder as IpvsOrder  # noqa: PLC0414
from pykeepalived.ipvs_table import ServiceRow as ServiceRow  # noqa: PLC0414
from pykeepalived.ipvs_table import SyncDaemonRow, Timeouts
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.wire.vrrp import Expected

BATCH = 64
MANY = 64
"""Datagrams that are read at once."""

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Failure:
    """One order of a batch that the kernel refused: its place in the batch, the errno, and the kernel's own words."""

    index: int
    errno: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """A link as the kernel describes it. ``up`` is IFF_UP and IFF_RUNNING."""

    index: int
    name: str
    up: bool
    mac: bytes
    mtu: int
    arp: bool  # False under IFF_NOARP
    multicast: bool
    loopback: bool
    flags: int = field(default=0, compare=False)  # IFF_*, for the log
    kind: str = ""  # by the kernel's word: macvlan, ipvlan, vrf, veth; empty for hardware
    mode: int = 0  # of a macvlan: MACVLAN_MODE_*; of an ipvlan: its flags
    base: int = 0  # the index of the link it stands on, if that is in this namespace
    master: int = 0  # the index of the VRF, bridge or bond it belongs to
    group: int = 0
    alias: str = ""


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address some interface holds."""

    interface: int
    address: IPAddress
    prefix_length: int
    scope: int
    tentative: bool
    secondary: bool
    dad_failed: bool = False  # another host has it


class ReceiveBuffer(NamedTuple):
    """How much a socket holds until it is read; 0 bytes is what we think right. ``force``: more than rmem_max."""

    size: int = 0
    force: bool = False


class HostListener(Protocol):
    """Told of the host's changes, in the kernel's order, only when something really changed."""

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None:
        """A link appeared (``old`` None), changed, or vanished (``new`` None)."""

    def address_added(self, address: HostAddress) -> None:
        """An address appeared, or changed."""

    def address_removed(self, address: HostAddress) -> None:
        """An address vanished, whoever removed it (also our own removals)."""


class HostTable(Protocol):
    """Interfaces and addresses of this network namespace, kept current by netlink. An overrun (ENOBUFS) is mended by
    dumping again and telling the listener the differences.
    """

    def fileno(self) -> int:
        """The descriptor to watch; call ``drain`` when it is readable."""

    def drain(self) -> None:
        """Read what the kernel has told, and tell the listener."""

    def set_receive_buffers(self, orders: ReceiveBuffer, monitor: ReceiveBuffer) -> None:
        """Of the socket that orders and dumps, and of the one that listens."""

    def interfaces(self) -> Sequence[Interface]:
        """All links known now."""

    def addresses(self, interface: int) -> Sequence[HostAddress]:
        """The addresses of one link, in the kernel's order."""

    def close(self) -> None:
        """Close the sockets."""


class Host(HostTable, Protocol):
    """The same, and its addresses can be changed."""

    def add_addresses(self, entries: Sequence[AddressEntry]) -> list[Failure]:
        """Add entries by their ``dev``; EEXIST is no failure. An unknown ``dev`` fails with ENODEV."""

    def remove_addresses(self, entries: Sequence[AddressEntry]) -> list[Failure]:
        """Remove entries; an absent one (EADDRNOTAVAIL, ENODEV) is no failure."""


class RoutingListener(Protocol):
    """Told of routes and rules of ours that somebody else removed, where they do not say no_track."""

    def route_removed(self, entry: RouteEntry) -> None:
        """A route that we added has vanished."""

    def rule_removed(self, entry: RuleEntry) -> None:
        """A rule that we added has vanished."""


class Routing(Protocol):
    """Routes and rules of this network namespace. Nothing is heard before something that matters was added."""

    def fileno(self) -> int:
        """The descriptor to watch; call ``drain`` when it is readable."""

    def drain(self) -> None:
        """Read what the kernel has told, and tell the listener."""

    def add_routes(self, entries: Sequence[RouteEntry], *, replace: bool = False) -> list[Failure]:
        """Add routes, or replace those that are the same but for how packets go; EEXIST is no failure."""

    def remove_routes(self, entries: Sequence[RouteEntry]) -> list[Failure]:
        """Remove routes; an absent one is no failure."""

    def add_rules(self, entries: Sequence[RuleEntry]) -> list[Failure]:
        """Add rules; EEXIST is no failure."""

    def remove_rules(self, entries: Sequence[RuleEntry]) -> list[Failure]:
        """Remove rules; an absent one is no failure."""

    def close(self) -> None:
        """Close."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A macvlan (private, with that MAC) or an ipvlan of layer 2 to be made on the link with index ``base``."""

    name: str
    kind: str
    base: int
    mac: bytes = b""
    flags: int = 0  # of an ipvlan: IPVLAN_F_*
    group: int = 0


class VirtualLinks(Protocol):
    """Makes, changes and removes links. Each call may raise KernelError."""

    def add(self, link: NewLink) -> None:
        """Make a link; it is down. MTU is that of its base."""

    def settle(self, name: str, *, group: int, master: int, alias: str, link_local: bool) -> None:
        """Put a link into its group, into the VRF with index ``master`` (0: none), name it, and bring it up. Without
        ``link_local`` the kernel gives it no IPv6 address by itself.
        """

    def remove(self, name: str) -> None:
        """Remove a link; an absent one (ENODEV) does not matter."""

    def remove_together(self, names: Sequence[str], group: int) -> None:
        """Remove many links by putting them into a group that no other link is in: that takes no longer than one."""

    def close(self) -> None:
        """Close."""


class Sysctls(Protocol):
    """The settings below /proc/sys/net. A path is ``ipv4/conf/eth0/arp_ignore``."""

    def read(self, path: str) -> str | None:
        """The value, None where there is no such setting."""

    def write(self, path: str, value: str) -> int:
        """Set it: 0 or errno."""


class Datagram(NamedTuple):
    """A VRRP message as received: the PDU without its IP header. Addresses are packed.

    A tuple, for one is made for each advert heard.
    """

    source: bytes
    destination: bytes
    ttl: int
    data: bytes
    length: int  # of the PDU as the IP header tells it (IPv4); as received for IPv6
    headers: bytes = b""  # IP header and authentication header, where there is one


Heard = bytes | Datagram
"""What a socket has received, not looked at yet."""


class Repetition(Protocol):
    """The packets of one VRID that the kernel takes in."""

    @property
    def ended(self) -> bool:
        """Whether they are handed up again."""

    def latest(self) -> int:
        """When the latest came, on the monotonic clock; 0: none yet."""

    def count(self) -> int:
        """How many came since this was asked last."""


class AdvertReceiver(Protocol):
    """One raw socket for (family, interface, group or unicast source); several instances share it."""

    def fileno(self) -> int:
        """The descriptor to watch."""

    def receive_many(self) -> Sequence[Heard]:
        """What waits, at most MANY: equal adverts of one sender are equal. Never blocks, never raises for what a peer
        sent.
        """

    def datagram(self, heard: Heard) -> Datagram | None:
        """What was received, None when it is no VRRP message at all."""

    def listen_for(self, vrids: frozenset[int]) -> None:
        """Let the kernel drop other VRIDs (by BPF)."""

    def take_in(self, vrid: int, heard: Heard) -> "Repetition | None":
        """Let the kernel take in packets that are equal to this one by itself, where it can: they are not received."""

    def hand_up(self, vrid: int) -> None:
        """No longer let the kernel take in packets of this VRID."""

    def hold(self, size: int) -> None:
        """Let so many bytes wait."""

    def guard(self, wanted: Mapping[int, Expected | None]) -> None:
        """Let the kernel drop also what is plainly no advert as these VRIDs expect it, until ``listen_for`` again."""

    def close(self) -> None:
        """Leave the group and close."""


class AdvertSender(Protocol):
    """Sends an instance's adverts from its interface (behaviour.md 1.1.1)."""

    def send(self, source: bytes, destination: bytes, pdu: bytes) -> int:
        """Send one PDU (VRRP header on), 0 or errno. The IPv4 header is built here, its id counted per sender."""

    def close(self) -> None:
        """Close."""


class Advert(NamedTuple):
    """One PDU that is sent again and again."""

    sender: AdvertSender
    source: bytes
    destination: bytes
    pdu: bytes


class AdvertBundle(Protocol):
    """Adverts of several senders that go out together, any number of times."""

    def send(self) -> Sequence[tuple[int, int]]:
        """Send each once. The places of those that the kernel refused, with errno."""


class Announcer(Protocol):
    """Gratuitous ARP and unsolicited neighbour adverts, as layer-2 frames from the templates the loader made."""

    def announce(self, interface: Interface, address: IPAddress, *, router: bool) -> int:
        """Send one frame for ``address`` from ``interface``, 0 or errno. ``router`` sets the Router flag of an NA."""

    def close(self) -> None:
        """Close."""


class FilterSet(StrEnum):
    """The sets of a table of the packet filter, by keepalived's names."""

    VIPS = "vips"
    LINK_LOCAL = "vips_link_local"  # with the index of the interface
    LINK_LOCAL_NAME = "vips_link_local_name"  # with its name
    VMACS = "vmac_map"  # from the index of a VMAC to that of its base


class FilterElement(NamedTuple):
    """One element of such a set, packed."""

    set: FilterSet
    key: bytes
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """What the operator decides of our tables."""

    table: str
    priority: int
    counters: bool


@dataclass(frozen=True, slots=True)
class FilterDisturbance:
    """Another program took something out of our table. ``table`` is None: we cannot know, for we heard not all."""

    family: int | None
    program: str


class MarkElement(NamedTuple):
    """Packets of that protocol to these addresses (packed) and that port, 0 for every port, get the mark."""

    protocol: int
    port: int
    first: bytes
    last: bytes
    mark: int


class PacketMarks(Protocol):
    """Our tables of the packet filter that mark packets for IPVS, one a family. An order is carried out whole or not
    at all: then KernelError.
    """

    def check(self, family: int) -> None:
        """Raises KernelError when the kernel cannot mark packets of that family."""

    def write(self, family: int, settings: FilterSettings, elements: frozenset[MarkElement]) -> None:
        """Make the table anew with these elements, in place of what is there by its name."""

    def change(
        self, family: int, settings: FilterSettings, added: frozenset[MarkElement], removed: frozenset[MarkElement]
    ) -> None:
        """Change elements of maps that are there; ENOENT when the table, or one to be removed, is not there."""

    def remove(self, family: int, table: str) -> None:
        """Remove the table; an absent one does not matter."""

    def listen(self) -> int:
        """Hear from now on what others do; the descriptor to watch."""

    def disturbances(self, table: str) -> list[FilterDisturbance]:
        """What others have done to the table since."""

    def close(self) -> None:
        """Close."""


class PacketFilter(Protocol):
    """Our tables of the packet filter, one a family. An order is carried out whole or not at all: then KernelError."""

    def check(self, family: int) -> None:
        """Raises KernelError when the kernel has no packet filter for that family."""

    def leftover(self, family: int, table: str) -> frozenset[bytes] | None:
        """The addresses dropped by a table of that name, or None when there is no such table."""

    def write(
        self, family: int, settings: FilterSettings, sets: frozenset[FilterSet], elements: frozenset[FilterElement]
    ) -> None:
        """Make the table anew with these sets, in place of what is there by its name."""

    def change(
        self, family: int, settings: FilterSettings, added: frozenset[FilterElement], removed: frozenset[FilterElement]
    ) -> None:
        """Change elements; ENOENT when the table, or an element to be removed, is not there."""

    def remove(self, family: int, table: str) -> None:
        """Remove the table; an absent one does not matter."""

    def listen(self) -> int:
        """Hear from now on what others do; the descriptor to watch."""

    def disturbances(self, table: str) -> list[FilterDisturbance]:
        """What others have done to the table since."""

    def close(self) -> None:
        """Close, and hear nothing any more. Orders may follow all the same."""


class Ipvs(Protocol):
    """The kernel's IPVS table over generic netlink."""

    def version(self) -> str:
        """``1.2.1``; raises KernelError when the kernel has no IPVS."""

    def table(self) -> list[tuple[ServiceRow, list[DestinationRow]]]:
        """The whole table."""

    def apply(self, orders: Sequence[IpvsOrder]) -> list[Failure]:
        """Carry out at most BATCH orders, an answer for each."""

    def flush(self) -> None:
        """Empty the table."""

    def walk_services(self) -> Iterator[list[ServiceRow]]:
        """All services, in parts: each is read when it is asked for, and all are to be asked for. A table that changes
        meanwhile may lack rows. Raises KernelError.
        """

    def walk_servers(self, service: ServiceRow) -> Iterator[list[DestinationRow]]:
        """The destinations of a service, likewise; none when it is not there."""

    def lookup(self, service: ServiceRow) -> tuple[ServiceRow, list[DestinationRow]] | None:
        """One service as it is now, None when it is not there. Raises KernelError."""

    def timeouts(self) -> Timeouts:
        """How long connections are remembered. Raises KernelError."""

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Change those that are not 0. Raises KernelError."""

    def daemons(self) -> list[SyncDaemonRow]:
        """As in IpvsDaemons."""

    def start_daemon(self, row: SyncDaemonRow) -> None:
        """As in IpvsDaemons."""

    def stop_daemon(self, row: SyncDaemonRow) -> None:
        """As in IpvsDaemons."""


class IpvsDaemons(Protocol):
    """The sync daemons of the kernel's IPVS. Each call may raise KernelError."""

    def daemons(self) -> list[SyncDaemonRow]:
        """Those that run."""

    def start_daemon(self, row: SyncDaemonRow) -> None:
        """Start one; EEXIST when one of its state runs."""

    def stop_daemon(self, row: SyncDaemonRow) -> None:
        """Stop the one of that state; ESRCH when none runs."""


class LinkProber(Protocol):
    """Asks drivers for the links of their interfaces."""

    def link(self, name: str, method: Method) -> bool | None:
        """Whether the link is up; None when the driver, or the name, does not answer to that way of asking."""

    def close(self) -> None:
        """Close."""


class Scheduler(Protocol):
    """How the kernel schedules this process. Each order but ``allow_changes`` may raise KernelError."""

    def allow_changes(self) -> frozenset[Capability]:
        """Let this process do all of this also later, without capabilities; those it must keep for it all the same."""

    def set_nice(self, nice: int) -> None:
        """-20 (first) to 19 (last)."""

    def run_real_time(self, priority: int, limit: int) -> None:
        """SCHED_RR; a process that does not sleep for ``limit`` (ns) gets SIGXCPU."""

    def run_ordinarily(self) -> None:
        """Like any other process."""

    def set_cpus(self, cpus: tuple[int, ...]) -> None:
        """Run on these CPUs alone; on every one if none is named."""

    def lock_memory(self) -> None:
        """Memory is never swapped out."""

    def unlock_memory(self) -> None:
        """The opposite."""
