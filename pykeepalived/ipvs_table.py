"""The IPVS table as values: what ``lvs`` plans and what the kernel holds, in the same words on both sides."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.records import record

IPAddress = IPv4Address | IPv6Address

FLAG_PERSISTENT = 0x1
FLAG_ONE_PACKET = 0x4
FLAG_SCHED_1 = 0x8
FLAG_SCHED_2 = 0x10
FLAG_SCHED_3 = 0x20


class Verb(StrEnum):
    """What an order does to the table."""

    ADD_SERVICE = "add-service"
    EDIT_SERVICE = "edit-service"
    DELETE_SERVICE = "delete-service"
    ADD_SERVER = "add-server"
    EDIT_SERVER = "edit-server"
    DELETE_SERVER = "delete-server"


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as the kernel holds it. ``flags`` are IP_VS_SVC_F_* without HASHED; ``netmask`` as sent."""

    service: Service
    scheduler: str
    flags: int
    timeout: int  # of persistence, seconds
    netmask: int  # IPv4: the mask as an integer in host order; IPv6: prefix length
    persistence_engine: str = ""


ServerKey = bytes
"""The address of a server, then its port in two bytes: what identifies it within its virtual server."""


def server_key(address: IPAddress, port: int) -> ServerKey:
    """The key of a server; that of an IPv4 server is shorter than any of an IPv6 one."""
    return address.packed + port.to_bytes(2, "big")


def key_parts(key: ServerKey) -> tuple[IPAddress, int]:
    """Address and port of the server that has this key."""
    return ip_address(key[:-2]), int.from_bytes(key[-2:], "big")


@dataclass(frozen=True, slots=True)
class DestinationRow:
    """A destination as the kernel holds it."""

    address: IPAddress
    port: int
    method: LvsMethod
    weight: int
    upper_threshold: int
    lower_threshold: int
    key: ServerKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Make the key once: every table has it."""
        object.__setattr__(self, "key", server_key(self.address, self.port))


@dataclass(frozen=True, slots=True)
class IpvsOrder:
    """One change of the table. The service row is always given, the destination row for servers."""

    verb: str  # a Verb
    service: ServiceRow
    destination: DestinationRow | None = None


class SyncState(StrEnum):
    """Which of the two sync daemons, by keepalived's words."""

    MASTER = "master"  # tells of connections
    BACKUP = "backup"  # hears of them


@record(frozen=True, slots=True)
class SyncDaemonRow:
    """A sync daemon: wanted, where 0 and None leave it to the kernel, or as it runs."""

    state: SyncState
    interface: str
    syncid: int
    maxlen: int = 0
    port: int = 0
    ttl: int = 0
    group: IPAddress | None = None

    def is_met_by(self, running: "SyncDaemonRow") -> bool:
        """Whether that one runs as this one is wanted."""
        return (self.state, self.interface, self.syncid) == (running.state, running.interface, running.syncid) and all(
            not wanted or wanted == there
            for wanted, there in (
                (self.maxlen and self._taken_maxlen(), running.maxlen),
                (self.port, running.port),
                (self.ttl, running.ttl),
                (self.group, running.group),
            )
        )

    def _taken_maxlen(self) -> int:
        """What the kernel makes of it: as much as a datagram holds, and whoever hears has some room in any case."""
        headers = 28 if self.group is None or self.group.version == 4 else 48
        return max(1024 if self.state is SyncState.BACKUP else 1, min(self.maxlen, 65535 - headers))


@record(frozen=True, slots=True)
class Timeouts:
    """How long IPVS remembers connections, in seconds; 0 leaves what is."""

    tcp: int = 0
    tcp_fin: int = 0
    udp: int = 0
