"""The front of a virtual server: the services of the kernel by which clients reach it.

It is one service, or one for each address and mark of a group. A service of the kernel belongs to one virtual server,
the first that names it.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pykeepalived.config.blocks.virtual_server import PROTOCOL_NAME, Service, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.lvs.marks import mark_services

NO_MARKS: Mapping[Service, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Front:
    """Services of the kernel, and the lines of a group that name them."""

    services: tuple[Service, ...]
    entries: tuple[GroupEntry, ...] = ()


@dataclass(slots=True)
class Clash:
    """Services that a virtual server names and another has already."""

    server: Service
    owner: Service
    services: list[Service]

    def __str__(self) -> str:
        """The line of the log."""
        what = str(self.services[0])
        if len(self.services) > 1:
            what += f" and {len(self.services) - 1} more"
        return f"VS {self.server}: {what} belongs to VS {self.owner} already - served there alone"


def front_of(server: Service, group: VirtualServerGroup | None = None, mark: int = 0) -> Front:
    """All that a virtual server names. A service that is named twice is one service. With a mark, packets to all its
    addresses have that mark.
    """
    if server.kind != "group":
        return Front((server,))
    if group is None:
        return Front(())
    if mark:
        return Front(mark_services(server, group, mark), group.entries)
    served = tuple(itertools.compress(group.entries, group.are_served()))
    return Front(tuple(dict.fromkeys(service for entry in served for service in _services(entry, server))), served)


def fronts(
    servers: Iterable[VirtualServer], groups: Iterable[VirtualServerGroup], marks: Mapping[Service, int] = NO_MARKS
) -> tuple[dict[Service, Front], list[Clash]]:
    """The fronts of those virtual servers that serve something else than just themselves, and where two want the same:
    of ten thousand without a group there is nothing to remember.
    """
    by_name = {group.name: group for group in groups}
    if not by_name:  # no two can want the same
        return {}, []
    found: dict[Service, Front] = {}
    owners: dict[Service, Service] = {}
    clashes: list[Clash] = []
    for server in servers:
        front = front_of(server.service, by_name.get(server.service.name), marks.get(server.service, 0))
        lost: dict[Service, Clash] = {}
        for service in front.services:
            owner = owners.setdefault(service, server.service)
            if owner != server.service:
                lost.setdefault(owner, Clash(server.service, owner, [])).services.append(service)
        if lost:
            clashes += lost.values()
            own = tuple(service for service in front.services if owners[service] == server.service)
            front = Front(own, front.entries)
        if lost or server.service.kind == "group":
            found[server.service] = front
    return found, clashes


def entry_text(entry: GroupEntry, protocol: int) -> str:
    """``[10.9.0.3]:tcp:80-10.9.0.5`` or ``FWM 7``, as in logs."""
    if entry.first is None:
        return f"FWM {entry.fwmark}"
    text = f"[{entry.first}]:{PROTOCOL_NAME[protocol]}:{entry.port}"
    return text if entry.last == entry.first else f"{text}-{entry.last}"


def _services(entry: GroupEntry, server: Service) -> Iterator[Service]:
    if entry.first is None or entry.last is None:
        yield Service("fwmark", None, 0, 0, entry.fwmark or 0, entry.family or server.family)
        return
    address = type(entry.first)
    for number in range(int(entry.first), int(entry.last) + 1):
        yield Service("address", address(number), entry.port, server.protocol, 0, entry.family)
