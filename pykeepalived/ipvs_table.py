"""The IPVS table as values: what ``lvs`` plans and what the kernel holds, in the same words on both sides."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service

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


@dataclass(frozen=True, slots=True)
class DestinationRow:
    """A destination as the kernel holds it."""

    address: IPAddress
    port: int
    method: LvsMethod
    weight: int
    upper_threshold: int
    lower_threshold: int


@dataclass(frozen=True, slots=True)
class IpvsOrder:
    """One change of the table. The service row is always given, the destination row for servers."""

    verb: str  # a Verb
    service: ServiceRow
    destination: DestinationRow | None = None
