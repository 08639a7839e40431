"""What a virtual server wants in the IPVS table: the same destinations in each of its services.

Where packets keep their port (DR, TUN), a server of a group stands in each service with that service's port.
"""

from dataclasses import replace

from pykeepalived.config.blocks import virtual_server as blocks
from pykeepalived.ipvs_table import DestinationRow, ServerKey
from pykeepalived.lvs.fronts import Front
from pykeepalived.lvs.rows import ServiceTable, service_row

Destinations = dict[ServerKey, DestinationRow]
_OWN_PORT = (None,)
"""Outside of groups each server has its own port."""


class Wanted:
    """``put`` destinations in and ``take_out``; ``tables`` has the result for each service."""

    __slots__ = ("_destinations", "_ports", "tables")

    def __init__(self, block: blocks.VirtualServer, front: Front) -> None:
        self._ports: tuple[int | None, ...] = ()
        self._destinations: tuple[Destinations, ...] = ()  # by port
        self.tables: tuple[ServiceTable, ...] = ()
        """The caller only reads them."""
        self.take(block, front)

    def take(self, block: blocks.VirtualServer, front: Front) -> tuple[ServiceTable, ...]:
        """Serve another front, or otherwise; the services that are left. New ports begin without destinations."""
        former = {table.row.service: table for table in self.tables}
        by_port = dict(zip(self._ports, self._destinations, strict=True))
        keeps_ports = block.service.kind == "group"
        self._ports = tuple({service.port for service in front.services}) if keeps_ports else _OWN_PORT
        self._destinations = tuple([by_port.setdefault(port, {}) for port in self._ports])
        tables = []
        for service in front.services:
            row = service_row(block, service)
            table = former.pop(service, None)
            if table is None:
                table = ServiceTable(row, by_port[service.port if keeps_ports else None])
            else:
                table.row = row
            tables.append(table)
        self.tables = tuple(tables)
        return tuple(former.values())

    def put(self, row: DestinationRow, *, softly: bool = False) -> None:
        """The destination is wanted; ``softly``: only where none of its address and port is."""
        for port, destinations in zip(self._ports, self._destinations, strict=True):
            placed = _placed(row, port)
            if not softly or placed.key not in destinations:
                destinations[placed.key] = placed

    def take_out(self, row: DestinationRow) -> None:
        """A destination of this address, port and method is not wanted."""
        for port, destinations in zip(self._ports, self._destinations, strict=True):
            destinations.pop(_placed(row, port).key, None)

    def clear(self) -> None:
        """No destinations are wanted."""
        for destinations in self._destinations:
            destinations.clear()

    def keys(self, row: DestinationRow) -> set[ServerKey]:
        """Under which keys the destination stands."""
        return {_placed(row, port).key for port in self._ports}


def _placed(row: DestinationRow, port: int | None) -> DestinationRow:
    if port is None or row.method.forward == "NAT" or row.port == port:
        return row
    return replace(row, port=port)
