"""nftables_ipvs: each virtual server of a group of addresses is one mark, which the packet filter gives to packets.

Which mark, and to which packets. A group that names marks itself has them already, and its addresses stay services of
their own, as with keepalived.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from pykeepalived.config.blocks.virtual_server import Service, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.config.kinds import AF_INET, AF_INET6, UINT_MAX

ANY_PORT = 0


@dataclass(frozen=True, slots=True, order=True)
class Marking:
    """Packets to these addresses (packed, the first and the last) get the mark. Each family, protocol and port has an
    address once; a port is more than ANY_PORT.
    """

    family: int
    protocol: int
    port: int
    first: bytes
    last: bytes
    mark: int


def marks(
    servers: Iterable[VirtualServer],
    groups: Iterable[VirtualServerGroup],
    first_mark: int,
    families: frozenset[int],
    former: Mapping[Service, int],
    held: Collection[int] = (),
) -> dict[Service, int]:
    """The marks of virtual servers, in their order; one that is kept keeps its mark. ``families`` can be marked;
    packets have the ``held`` marks, which are given to nobody else.
    """
    by_name = {group.name: group for group in groups}
    servers = tuple(servers)
    wanted = [server.service for server in servers if _is_marked(server.service, by_name, families)]
    taken = {server.service.fwmark for server in servers if server.service.kind == "fwmark"}
    taken |= {entry.fwmark for group in by_name.values() for entry in group.entries if entry.fwmark is not None}
    found = {service: former[service] for service in wanted if former.get(service, 0) >= first_mark}
    found = {service: mark for service, mark in found.items() if mark not in taken}
    taken.update(found.values(), held)
    mark = first_mark
    for service in wanted:
        if service not in found:
            while mark in taken:
                mark += 1
            if mark > UINT_MAX:
                break  # it is served by its addresses
            found[service] = mark
            taken.add(mark)
    return {service: found[service] for service in wanted if service in found}


def markings(by_service: Mapping[Service, int], groups: Iterable[VirtualServerGroup]) -> frozenset[Marking]:
    """To which packets the marks are given. What two want is the first one's."""
    by_name = {group.name: group for group in groups}
    claimed: dict[tuple[int, int, int], _Claims] = {}
    found = []
    for service, mark in by_service.items():
        for entry in by_name[service.name].entries:
            if entry.first is None or entry.last is None:
                continue
            family = _family(entry)
            claims = claimed.setdefault((family, service.protocol, entry.port), _Claims())
            size = len(entry.first.packed)
            found += [
                Marking(
                    family,
                    service.protocol,
                    entry.port,
                    first.to_bytes(size, "big"),
                    last.to_bytes(size, "big"),
                    mark,
                )
                for first, last in claims.take(int(entry.first), int(entry.last))
            ]
    return frozenset(found)


def mark_services(service: Service, group: VirtualServerGroup, mark: int) -> tuple[Service, ...]:
    """What stands in the IPVS table for a virtual server with that mark: a service for each family of the group."""
    families = dict.fromkeys(_family(entry) for entry in group.entries) or {service.family: None}
    return tuple(Service("fwmark", None, 0, 0, mark, family) for family in families)


class _Claims:
    """Numbers that have an owner, as intervals that do not meet."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def take(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """What of the interval has none yet; it has one now."""
        at = bisect_left(self._lasts, first)
        free = []
        while first <= last:
            if at == len(self._firsts) or self._firsts[at] > last:
                free.append((first, last))
                break
            if self._firsts[at] > first:
                free.append((first, self._firsts[at] - 1))
            first = self._lasts[at] + 1
            at += 1
        for begin, end in free:
            place = bisect_left(self._firsts, begin)
            self._firsts.insert(place, begin)
            self._lasts.insert(place, end)
        return iter(free)


def _is_marked(service: Service, groups: Mapping[str, VirtualServerGroup], families: frozenset[int]) -> bool:
    group = groups.get(service.name) if service.kind == "group" else None
    if group is None or not group.entries:
        return False
    return all(entry.first is not None and _family(entry) in families for entry in group.entries)


def _family(entry: GroupEntry) -> int:
    return AF_INET if isinstance(entry.first, IPv4Address) else AF_INET6
