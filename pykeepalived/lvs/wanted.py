"""What a virtual server wants in the IPVS table: the same destinations in each of its services.

Where packets keep their port (DR, TUN), a server of a group stands in each service with that service's port.
"""

from collections.abc import Iterable
from dataclasses import replace

from pykeepalived.config.blocks import virtual_server as blocks
from pykeepalived.ipvs_table import DestinationRow, ServerKey
from pykeepalived.lvs.fronts import Front
from pykeepalived.lvs.rows import ServiceTable, service_row

Destinations = dict[ServerKey, DestinationRow]


class Wanted:
    """``put`` destinations in and ``take_out``; ``tables`` has the result for each service."""

    __slots__ = ("_by_port", "tables")

    def __init__(self, block: blocks.VirtualServer, front: Front) -> None:
        self._by_port: dict[int, Destinations] | None = {} if block.service.kind == "group" else None
        self.tables: tuple[ServiceTable, ...] = ()
        """The caller only reads them."""
        self.take(block, front)

    def take(self, block: blocks.VirtualServer, front: Front) -> tuple[ServiceTable, ...]:
        """Serve another front, or otherwise; the services that are left. New ports begin without destinations."""
        former = {table.row.service: table for table in self.tables}
        if self._by_port is not None:
            ports = {service.port for service in front.services}
            self._by_port = {port: self._by_port.get(port, {}) for port in ports}
        tables = []
        for service in front.services:
            row = service_row(block, service)
            table = former.pop(service, None)
            if table is None:
                table = ServiceTable(row, {} if self._by_port is None else self._by_port[service.port])
            else:
                table.row = row
            tables.append(table)
        self.tables = tuple(tables)
        return tuple(former.values())

    def put(self, row: DestinationRow, *, softly: bool = False) -> None:
        """The destination is wanted; ``softly``: only where none of its address and port is."""
        for port, destinations in self._places():
            placed = _placed(row, port)
            if not softly or placed.key not in destinations:
                destinations[placed.key] = placed

    def take_out(self, row: DestinationRow) -> None:
        """A destination of this address, port and method is not wanted."""
        for port, destinations in self._places():
            destinations.pop(_placed(row, port).key, None)

    def clear(self) -> None:
        """No destinations are wanted."""
        for _, destinations in self._places():
            destinations.clear()

    def keys(self, row: DestinationRow) -> set[ServerKey]:
        """Under which keys the destination stands."""
        return {_placed(row, port).key for port, _ in self._places()}

    def _places(self) -> Iterable[tuple[int | None, Destinations]]:
        """The destinations for each port; outside of groups, where each has its own, those of the one service."""
        if self._by_port is None:
            return [(None, table.destinations) for table in self.tables]
        return self._by_port.items()


def _placed(row: DestinationRow, port: int | None) -> DestinationRow:
    if port is None or row.method.forward == "NAT" or row.port == port:
        return row
    return replace(row, port=port)
