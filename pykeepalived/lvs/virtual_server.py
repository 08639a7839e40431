"""A virtual server: which real servers are alive, whether there is a quorum, and what that wants in the IPVS table.

It knows nothing of how servers are checked or how the table is changed. Its order of log lines, scripts and FIFO lines
is keepalived's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pykeepalived.config.blocks import virtual_server as blocks
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.effects import Kind, Log, RunScript, WriteFifo
from pykeepalived.ipvs_table import DestinationRow
from pykeepalived.lvs.effects import LvsEffect, TableChanged, TableDropped
from pykeepalived.lvs.events import ServerKey, VirtualServerEvent
from pykeepalived.lvs.rows import SORRY_SERVER_WEIGHT, ServiceTable, destination_row, key_of, service_row


@dataclass(slots=True)
class _Server:
    """A real server's life. It is up while none of its checkers has failed."""

    block: blocks.RealServer
    name: str
    failed_checkers: int
    up: bool
    row_up: DestinationRow
    row_inhibited: DestinationRow | None

    @classmethod
    def of(cls, block: blocks.RealServer, name: str, failed_checkers: int) -> "_Server":
        row_up, row_inhibited = _rows(block)
        return cls(block, name, failed_checkers, failed_checkers == 0, row_up, row_inhibited)

    def set_block(self, block: blocks.RealServer) -> None:
        """Take another configuration."""
        self.block = block
        self.row_up, self.row_inhibited = _rows(block)


def _rows(block: blocks.RealServer) -> tuple[DestinationRow, DestinationRow | None]:
    """The destination of a server that is up, and of one that is not."""
    return (
        destination_row(block, block.weight),
        destination_row(block, 0) if block.inhibit_on_failure else None,
    )


def failed_at_start(block: blocks.RealServer) -> int:
    """How many checkers of a new real server count as failed until they succeed."""
    return sum(checker.timing.alpha for checker in block.probes)


class VirtualServer:
    """``start`` once, ``handle`` facts, ``reload`` a changed block, and ``leave`` at the end."""

    __slots__ = ("_block", "_quorum_up", "_servers", "_sum", "_table", "name")

    def __init__(self, block: blocks.VirtualServer) -> None:
        self.name = str(block.service)
        self._block = block
        self._quorum_up = False
        self._servers = {
            key_of(each): _Server.of(each, block.real_server_text(each), failed_at_start(each))
            for each in block.real_server
        }
        self._sum = 0
        self._table = ServiceTable(service_row(block))

    @property
    def block(self) -> blocks.VirtualServer:
        """Its configuration."""
        return self._block

    @property
    def quorum_up(self) -> bool:
        """Whether enough weight is alive."""
        return self._quorum_up

    @property
    def table(self) -> ServiceTable:
        """What is wanted in the kernel now. The caller only reads it."""
        return self._table

    @property
    def servers_up(self) -> int:
        """How many real servers are alive."""
        return sum(server.up for server in self._servers.values())

    def start(self, *, init_notifies: bool = False) -> list[LvsEffect]:
        """Enter the table. ``init_notifies`` is rs_init_notifies of global_defs."""
        self._add_up()
        effects: list[LvsEffect] = []
        if init_notifies:
            for server in self._servers.values():
                if server.up:
                    effects += self._server_notifies(server)
        effects += self._judge_quorum(starting=True)
        self._fill()
        return [TableChanged(), *effects]

    def handle(self, event: VirtualServerEvent) -> list[LvsEffect]:
        """A checker judged a real server."""
        server = self._servers[event.server]
        if not event.changed:
            # a first result that only confirms is told when it is a failure
            return [] if event.up else self._server_notifies(server)
        if event.up:
            server.failed_checkers -= 1
            if server.failed_checkers or server.up:
                return []
        else:
            server.failed_checkers += 1
            if not server.up:
                return []
        return self._server_turned(event.server, server, event.up, event.reason)

    def reload(self, block: blocks.VirtualServer, failed: Mapping[ServerKey, int]) -> list[LvsEffect]:
        """Take a changed configuration. ``failed`` counts, for each of its servers, the checkers that are down."""
        logs: list[LvsEffect] = []
        turned: list[LvsEffect] = []
        former, former_quorum = self._servers, self._quorum_up
        self._block = block
        self._servers = {}
        kept = {key_of(each) for each in block.real_server}
        for key, server in former.items():
            if key not in kept:
                logs.append(self._server_log(server, f"service {server.name} no longer exist"))
                logs += self._server_leaves(server, stopping=False, in_pool=key in self._table.destinations)
        for each in block.real_server:
            key = key_of(each)
            known = former.get(key)
            if known is None:
                self._servers[key] = _Server.of(each, block.real_server_text(each), failed[key])
                continue
            self._servers[key] = known
            logs += self._reweigh(known, each)
            known.set_block(each)
            known.failed_checkers = failed[key]
            if known.up is not (known.failed_checkers == 0):
                known.up = not known.up
                turned += self._turn_lines(known, "reload")
                turned += self._server_notifies(known)
        self._add_up()
        quorum = self._judge_quorum(starting=not former_quorum and self._table_lacks_sorry_server())
        self._table.row = service_row(block)
        self._fill()
        return [*logs, TableChanged(), *turned, *quorum]

    def leave(self, *, stopping: bool) -> list[LvsEffect]:
        """Go: the daemon stops, or the block is gone. Only with omega is anyone notified."""
        effects: list[LvsEffect] = []
        for key, server in self._servers.items():
            in_pool = key in self._table.destinations
            effects += self._server_leaves(server, stopping=stopping, in_pool=in_pool)
            if self._block.omega and self._quorum_up and self._quorum_lost():
                self._quorum_up = False
                effects += self._quorum_notifies()
        self._quorum_up = False
        self._table.destinations.clear()
        if not stopping:
            effects.insert(0, self._log(f"Removing Virtual Server {self.name}"))
        return [TableDropped(), *effects]

    # servers

    def _server_turned(self, key: ServerKey, server: _Server, up: bool, reason: str) -> list[LvsEffect]:
        server.up = up
        self._sum += server.block.weight if up else -server.block.weight
        effects = [*self._turn_lines(server, reason), *self._server_notifies(server)]
        quorum_up = self._quorum_up
        quorum = self._judge_quorum()
        if self._quorum_up is not quorum_up and self._block.sorry_server is not None:
            self._fill()
            changed = TableChanged()
        else:
            self._place(key, server)
            self._place_sorry_server()
            changed = TableChanged(frozenset((key,)))
        return [effects[0], changed, *effects[1:], *quorum]

    def _turn_lines(self, server: _Server, reason: str) -> list[LvsEffect]:
        if server.block.inhibit_on_failure:
            line = f"{'Enabling' if server.up else 'Disabling'} service {server.name} of VS {self.name}"
        elif server.up:
            line = f"Adding service {server.name} to VS {self.name}"
        else:
            line = f"Removing service {server.name} from VS {self.name}"
        return [self._server_log(server, line, reason)]

    def _reweigh(self, server: _Server, block: blocks.RealServer) -> list[LvsEffect]:
        former = server.block.weight
        if former == block.weight:
            return []
        active = "active" if server.up else "inactive"
        line = f"Changing weight from {former} to {block.weight} for {active} service {server.name} of VS {self.name}"
        return [self._server_log(server, line)]

    def _server_leaves(self, server: _Server, *, stopping: bool, in_pool: bool) -> list[LvsEffect]:
        effects: list[LvsEffect] = []
        if stopping or in_pool:
            verb = "Shutting down" if stopping else "Removing"
            effects.append(self._server_log(server, f"{verb} service {server.name} from VS {self.name}"))
        if server.up:
            server.up = False
            self._sum -= server.block.weight
            if self._block.omega:
                effects += self._server_notifies(server)
        return effects

    def _server_notifies(self, server: _Server) -> list[LvsEffect]:
        script = server.block.notify_up if server.up else server.block.notify_down
        return [*_run(script), WriteFifo(f"RS {server.name} {self.name} {'UP' if server.up else 'DOWN'}")]

    # quorum

    def _add_up(self) -> None:
        self._sum = sum(server.block.weight for server in self._servers.values() if server.up)

    def _quorum_lost(self) -> bool:
        return not self._sum or self._sum < self._block.quorum - self._block.hysteresis

    def _judge_quorum(self, *, starting: bool = False) -> list[LvsEffect]:
        """Gained or lost? ``starting`` with no quorum brings the sorry server in."""
        block = self._block
        quorum, hysteresis, weight = block.quorum, block.hysteresis, self._sum
        sorry = block.sorry_server
        effects: list[LvsEffect] = []
        if not self._quorum_up and weight >= quorum + hysteresis:
            self._quorum_up = True
            effects.append(
                self._log(f"Gained quorum {quorum}+{hysteresis}={quorum + hysteresis} <= {weight} for VS {self.name}")
            )
            if sorry is not None and not starting:
                name = block.real_server_text(sorry)
                verb = "Disabling" if sorry.inhibit else "Removing"
                effects += [
                    self._log(f"{verb} sorry server {name} from VS {self.name}"),
                    self._log(f"Adding alive servers to the pool for VS {self.name}"),
                ]
        elif (self._quorum_up and self._quorum_lost()) or (starting and not self._quorum_up and sorry is not None):
            self._quorum_up = False
            verb = "Starting with quorum down" if starting else "Lost quorum"
            effects.append(
                self._log(f"{verb} {quorum}-{hysteresis}={quorum - hysteresis} > {weight} for VS {self.name}")
            )
            if sorry is not None:
                name = block.real_server_text(sorry)
                verb = "Enabling" if sorry.inhibit else "Adding"
                effects += [
                    self._log(f"{verb} sorry server {name} to VS {self.name}"),
                    self._log(f"Removing alive servers from the pool for VS {self.name}"),
                ]
        else:
            return []
        return effects + self._quorum_notifies()

    def _quorum_notifies(self) -> list[LvsEffect]:
        script = self._block.quorum_up if self._quorum_up else self._block.quorum_down
        return [*_run(script), WriteFifo(f"VS {self.name} {'UP' if self._quorum_up else 'DOWN'}")]

    # the table

    def _sorry_active(self) -> bool:
        return not self._quorum_up and self._block.sorry_server is not None

    def _table_lacks_sorry_server(self) -> bool:
        """A sorry server that is needed is not there yet: a reload has brought it."""
        sorry = self._block.sorry_server
        return sorry is not None and key_of(sorry) not in self._table.destinations

    def _fill(self) -> None:
        """All destinations anew."""
        self._table.destinations.clear()
        for key, server in self._servers.items():
            self._place(key, server)
        self._place_sorry_server()

    def _place(self, key: ServerKey, server: _Server) -> None:
        row = server.row_up if server.up and not self._sorry_active() else server.row_inhibited
        if row is not None:
            self._table.destinations[key] = row
        else:
            self._table.destinations.pop(key, None)

    def _place_sorry_server(self) -> None:
        """It may be one of the real servers, too."""
        sorry = self._block.sorry_server
        if sorry is None:
            return
        if self._sorry_active():
            self._table.destinations[key_of(sorry)] = destination_row(sorry, SORRY_SERVER_WEIGHT)
        elif sorry.inhibit:
            self._table.destinations.setdefault(key_of(sorry), destination_row(sorry, 0))

    # lines

    def _log(self, line: str) -> Log:
        return Log(line, kind=Kind.QUORUM, fields=(("VIRTUAL_SERVER", self.name),))

    def _server_log(self, server: _Server, line: str, reason: str = "") -> Log:
        fields: tuple[tuple[str, str], ...] = (("VIRTUAL_SERVER", self.name), ("REAL_SERVER", server.name))
        if reason:
            fields += (("CAUSE", reason),)
        return Log(line, kind=Kind.REAL_SERVER, fields=fields)


def _run(script: Script | None) -> Iterator[RunScript]:
    if script is not None:
        yield RunScript(script)
