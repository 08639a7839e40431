"""What a virtual server wants in the IPVS table: the same destinations in each of its services.

Where packets keep their port (DR, TUN), a server of a group stands in each service with that service's port.
"""

from dataclasses import replace

from pykeepalived.config.blocks import virtual_server as blocks
from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.ipvs_table import DestinationRow, ServerKey
from pykeepalived.lvs.fronts import Front
from pykeepalived.lvs.rows import ServiceTable, key_of, service_row

Destinations = dict[ServerKey, DestinationRow]


class Wanted:
    """``put`` destinations in and ``take_out``; ``tables`` has the result for each service."""

    __slots__ = ("_by_port", "_keeps_ports", "tables")

    def __init__(self, block: blocks.VirtualServer, front: Front) -> None:
        self._keeps_ports = block.service.kind == "group"
        self._by_port: dict[int, Destinations] = {}
        self.tables: tuple[ServiceTable, ...] = ()
        """The caller only reads them."""
        self.take(block, front)

    def take(self, block: blocks.VirtualServer, front: Front) -> tuple[ServiceTable, ...]:
        """Serve another front, or otherwise; the services that are left. New ports begin without destinations."""
        former = {table.row.service: table for table in self.tables}
        ports = {self._port(service) for service in front.services} if self._keeps_ports else (0,)
        self._by_port = {port: self._by_port.get(port, {}) for port in ports}
        tables = []
        for service in front.services:
            row = service_row(block, service)
            table = former.pop(service, None)
            if table is None:
                table = ServiceTable(row, self._by_port[self._port(service)])
            else:
                table.row = row
            tables.append(table)
        self.tables = tuple(tables)
        return tuple(former.values())

    def put(self, row: DestinationRow, *, softly: bool = False) -> None:
        """The destination is wanted; ``softly``: only where none of its address and port is."""
        for port, destinations in self._by_port.items():
            placed = self._placed(row, port)
            if not softly or key_of(placed) not in destinations:
                destinations[key_of(placed)] = placed

    def take_out(self, row: DestinationRow) -> None:
        """A destination of this address, port and method is not wanted."""
        for port, destinations in self._by_port.items():
            destinations.pop(key_of(self._placed(row, port)), None)

    def clear(self) -> None:
        """No destinations are wanted."""
        for destinations in self._by_port.values():
            destinations.clear()

    def keys(self, row: DestinationRow) -> set[ServerKey]:
        """Under which keys the destination stands."""
        return {key_of(self._placed(row, port)) for port in self._by_port}

    def _port(self, service: Service) -> int:
        return service.port if self._keeps_ports else 0

    def _placed(self, row: DestinationRow, port: int) -> DestinationRow:
        if not self._keeps_ports or row.method.forward == "NAT" or row.port == port:
            return row
        return replace(row, port=port)
