"""Rows of the IPVS table from the configuration's blocks."""

from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address
from typing import Literal

from pykeepalived.config.blocks.virtual_server import LvsMethod, RealServer, Service, SorryServer, VirtualServer
from pykeepalived.ipvs_table import (
    FLAG_ONE_PACKET,
    FLAG_PERSISTENT,
    FLAG_SCHED_1,
    FLAG_SCHED_2,
    FLAG_SCHED_3,
    DestinationRow,
    ServerKey,
    ServiceRow,
    server_key,
)

WEIGHT_MAX = 0x7FFFFFFF
SORRY_SERVER_WEIGHT = 1
_AF_INET = 2  # as Linux numbers it


@dataclass(slots=True)
class ServiceTable:
    """A service with its destinations, wanted or in the kernel. Services of a group may share what is wanted."""

    row: ServiceRow
    destinations: dict[ServerKey, DestinationRow] = field(default_factory=dict)


def key_of(server: RealServer | SorryServer | DestinationRow) -> ServerKey:
    """What identifies a server within its virtual server."""
    if isinstance(server, DestinationRow):
        return server.key
    return server_key(server.address, server.port)


def service_row(block: VirtualServer, service: Service | None = None) -> ServiceRow:
    """The service that a virtual_server block asks for; one of a group's is given."""
    service = service or block.service
    flags = (
        (FLAG_PERSISTENT if block.persistence_timeout else 0)
        | (FLAG_ONE_PACKET if block.ops else 0)
        | (FLAG_SCHED_1 if block.sched_1 else 0)
        | (FLAG_SCHED_2 if block.sched_2 else 0)
        | (FLAG_SCHED_3 if block.sched_3 else 0)
    )
    return ServiceRow(
        service=service,
        scheduler=block.lvs_sched,
        flags=flags,
        timeout=block.persistence_timeout or 0,
        netmask=_netmask(block, service.family),
        persistence_engine=block.persistence_engine or "" if block.persistence_timeout else "",
    )


def clamped(weight: int) -> int:
    """A weight as the kernel takes it."""
    return max(0, min(weight, WEIGHT_MAX))


def destination_row(server: RealServer | SorryServer, weight: int) -> DestinationRow:
    """The destination that a real or sorry server is, with ``weight``."""
    method = server.lvs_method
    if method.forward != "TUN":
        method = _plain(method.forward)
    return DestinationRow(
        address=server.address,
        port=server.port,
        method=method,
        weight=clamped(weight),
        upper_threshold=server.uthreshold if isinstance(server, RealServer) else 0,
        lower_threshold=server.lthreshold if isinstance(server, RealServer) else 0,
    )


@cache
def _plain(forward: Literal["NAT", "DR", "TUN"]) -> LvsMethod:
    return LvsMethod(forward)


def _netmask(block: VirtualServer, family: int) -> int:
    granularity = block.persistence_granularity
    if family == _AF_INET:
        return int(granularity) if isinstance(granularity, IPv4Address) else 0xFFFFFFFF
    return granularity if isinstance(granularity, int) else 128
