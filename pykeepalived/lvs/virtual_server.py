"""A virtual server: which real servers are alive, whether there is a quorum, and what that wants in the IPVS table.

It knows nothing of how servers are checked or how the table is changed. Its order of log lines, scripts and FIFO lines
is keepalived's.
"""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from pykeepalived.config.blocks import virtual_server as blocks
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.effects import Kind, Log, RunScript, WriteFifo
from pykeepalived.ipvs_table import DestinationRow, ServerKey
from pykeepalived.lvs.effects import LvsEffect, TableChanged, TablesDropped
from pykeepalived.lvs.events import CheckerWeighed, VirtualServerEvent
from pykeepalived.lvs.fronts import Front, entry_text, front_of
from pykeepalived.lvs.real_server import Server, failed_at_start
from pykeepalived.lvs.rows import SORRY_SERVER_WEIGHT, ServiceTable, destination_row, key_of
from pykeepalived.lvs.wanted import Wanted

_NOTHING: Mapping[ServerKey, int] = MappingProxyType({})


class VirtualServer:
    """``start`` once, ``handle`` facts, ``reload`` a changed block, and ``leave`` at the end."""

    __slots__ = ("_alive", "_block", "_front", "_quorum_up", "_servers", "_sum", "_wanted", "name")

    def __init__(self, block: blocks.VirtualServer, front: Front | None = None) -> None:
        self.name = str(block.service)
        self._block = block
        self._front = front
        self._quorum_up = False
        servers = (Server.of(each, failed_at_start(each)) for each in block.real_server)
        self._servers = {server.row_up.key: server for server in servers}
        self._sum = 0
        self._alive = 0
        self._wanted = Wanted(block, self.front)

    @property
    def block(self) -> blocks.VirtualServer:
        """Its configuration."""
        return self._block

    @property
    def front(self) -> Front:
        """What it serves."""
        return self._front or front_of(self._block.service)

    def has(self, block: blocks.VirtualServer, front: Front | None) -> bool:
        """Whether this is how it is configured already."""
        return self._block == block and self._front == front

    @property
    def quorum_up(self) -> bool:
        """Whether enough weight is alive."""
        return self._quorum_up

    @property
    def tables(self) -> tuple[ServiceTable, ...]:
        """What is wanted in the kernel now, for each service. The caller only reads it."""
        return self._wanted.tables

    @property
    def servers_up(self) -> int:
        """How many real servers are alive."""
        return self._alive

    def real_servers(self) -> Iterator[tuple[ServerKey, Server]]:
        """All of them, in the order of the configuration."""
        return iter(self._servers.items())

    def server_block(self, server: ServerKey) -> blocks.RealServer | None:
        """The configuration of a real server, if it has one."""
        known = self._servers.get(server)
        return None if known is None else known.block

    def is_up(self, server: ServerKey) -> bool:
        """Whether a real server is there, and alive."""
        known = self._servers.get(server)
        return known is not None and known.up

    def rename(self, service: blocks.Service) -> bool:
        """Before a reload: take the name that it has in a changed configuration. Whether it is another one."""
        if service.number == self._block.service.number:
            return False
        self.name = str(service)
        return True

    def start(
        self,
        failed: Mapping[ServerKey, int] = _NOTHING,
        offsets: Mapping[ServerKey, int] = _NOTHING,
        *,
        init_notifies: bool = False,
    ) -> list[LvsEffect]:
        """Enter the table. ``failed`` and ``offsets`` are those of servers whose checkers know already how they are;
        ``init_notifies`` is rs_init_notifies of global_defs.
        """
        for key, count in failed.items():
            server = self._servers[key]
            server.failed_checkers, server.up = count, count == 0
            server.set(server.block, offsets.get(key, 0))
        self._add_up()
        effects: list[LvsEffect] = []
        if init_notifies:
            for server in self._servers.values():
                if server.up:
                    effects += self._server_notifies(server)
        effects += self._judge_quorum(starting=True, anew=True)
        self._fill()
        return [TableChanged(), *effects]

    def handle(self, event: VirtualServerEvent) -> list[LvsEffect]:
        """A checker judged a real server, or weighed it."""
        server = self._servers[event.server]
        if isinstance(event, CheckerWeighed):
            return self._reweighed(server, event)
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
        return self._server_turned(server, event.up, event.reason)

    def leave(self, *, stopping: bool) -> list[LvsEffect]:
        """Go: the daemon stops, or the block is gone. Of a stop only omega notifies anyone."""
        effects: list[LvsEffect] = []
        if not stopping:
            service = self._block.service
            what = f"Group [{service.name}]" if service.kind == "group" else self.name
            effects.append(self._log(f"Removing Virtual Server {what}"))
        for server in self._servers.values():
            effects += self._server_leaves(server, stopping=stopping)
        if self._block.omega if stopping else self._quorum_up:
            self._quorum_up = False
            effects += self._quorum_notifies()
        self._quorum_up = False
        return [TablesDropped(self.tables), *effects]

    # servers

    def _server_turned(self, server: Server, up: bool, reason: str) -> list[LvsEffect]:
        self._set_up(server, up)
        changed, quorum = self._settle(server)
        return [*self._turn_lines(server, reason), changed, *self._server_notifies(server), *quorum]

    def _reweighed(self, server: Server, event: CheckerWeighed) -> list[LvsEffect]:
        former = server.weight
        lines = self._reweigh(server, server.block, server.offset + event.change)
        if former == server.weight:
            return []
        changed, quorum = self._settle(server)
        return [*(() if event.silent else lines), changed, *quorum]

    def _reweigh(self, server: Server, block: blocks.RealServer, offset: int) -> list[LvsEffect]:
        """Take block and offset; a line if the weight is another one."""
        former = server.weight
        server.set(block, offset)
        if former == server.weight:
            return []
        if server.up:
            self._sum += server.weight - former
        which = f"{'active' if server.up else 'inactive'} service {self._name_of(server)} of VS {self.name}"
        line = f"Changing weight from {former} to {server.weight} for {which}"
        return [self._server_log(server, line)]

    def _set_up(self, server: Server, up: bool) -> None:
        server.up = up
        self._alive += 1 if up else -1
        self._sum += server.weight if up else -server.weight

    def _turn_lines(self, server: Server, reason: str) -> list[LvsEffect]:
        if server.block.inhibit_on_failure:
            line = f"{'Enabling' if server.up else 'Disabling'} service {self._name_of(server)} of VS {self.name}"
        elif server.up:
            line = f"Adding service {self._name_of(server)} to VS {self.name}"
        else:
            line = f"Removing service {self._name_of(server)} from VS {self.name}"
        return [self._server_log(server, line, reason)]

    def _server_leaves(self, server: Server, *, stopping: bool) -> list[LvsEffect]:
        in_pool = self._row_now(server) is not None
        effects: list[LvsEffect] = []
        if stopping or in_pool:
            verb = "Shutting down" if stopping else "Removing"
            inhibited = "" if server.up or not server.block.inhibit_on_failure else " (inhibited)"
            effects.append(
                self._server_log(server, f"{verb}{inhibited} service {self._name_of(server)} from VS {self.name}")
            )
        if server.up:
            self._set_up(server, up=False)
            if in_pool and (self._block.omega or not stopping):
                effects += self._server_notifies(server)
        return effects

    def _server_notifies(self, server: Server) -> list[LvsEffect]:
        script = server.block.notify_up if server.up else server.block.notify_down
        return [*_run(script), WriteFifo(f"RS {self._name_of(server)} {self.name} {'UP' if server.up else 'DOWN'}")]

    # reload

    def reload(
        self,
        block: blocks.VirtualServer,
        failed: Mapping[ServerKey, int],
        offsets: Mapping[ServerKey, int] = _NOTHING,
        front: Front | None = None,
        *,
        init_notifies: bool = False,
    ) -> list[LvsEffect]:
        """Take a changed configuration. Of each server that is new or has changed ``failed`` counts the checkers that
        are down, and ``offsets`` has what they add to its weight; all other servers are as they were.
        """
        former_block, former_front, sorry_was_active = self._block, self.front, self._sorry_active()
        given, front = front, front or front_of(block.service)
        kept = {key_of(each): each for each in block.real_server}
        before = [*self._entry_lines(former_front, front, gone=True), *self._sorry_server_leaves(block.sorry_server)]
        touched: set[ServerKey] = set()
        dropped = self._wanted.take(block, front)  # with the servers that they have
        gone = self._drop_servers(kept.keys(), touched)
        self._block, self._front = block, given
        turned: list[LvsEffect] = []
        weighed: list[LvsEffect] = []
        for key, each in kept.items():
            if key not in failed:
                self._servers[key].block = each
            elif key in self._servers:
                turned += self._turn_anew(self._servers[key], each, failed[key], touched)
                weighed += self._reweigh(self._servers[key], each, offsets.get(key, 0))
            else:
                notices = self._take_server(key, each, failed[key], offsets.get(key, 0))
                turned += notices if init_notifies else ()
        self._servers = {key: self._servers[key] for key in kept}
        told = [*before, *turned, *gone, *weighed, *self._entry_lines(front, former_front, gone=False)]
        new_sorry_server = not _same_place(former_block.sorry_server, block.sorry_server)
        quorum = self._judge_quorum(starting=True, anew=new_sorry_server)
        if (
            front.services == former_front.services
            and block.sorry_server == former_block.sorry_server
            and self._sorry_active() is sorry_was_active
        ):
            for server in (self._servers[key] for key in kept if key in failed):
                touched |= self._wanted.keys(server.row_up)
                self._place(server)
            self._place_sorry_server()
            effect = TableChanged(frozenset(touched))
        else:
            self._fill()
            effect = TableChanged()
        changes = [TablesDropped(dropped), effect] if dropped else [effect]
        lines = [each for each in told if isinstance(each, Log)]
        return [*lines, *changes, *(each for each in told if not isinstance(each, Log)), *quorum]

    def _drop_servers(self, kept: Collection[ServerKey], touched: set[ServerKey]) -> list[LvsEffect]:
        """Those that the configuration has no more go."""
        lines: list[LvsEffect] = []
        for key in [key for key in self._servers if key not in kept]:
            server = self._servers[key]
            lines.append(self._server_log(server, f"service {self._name_of(server)} no longer exist"))
            lines += self._server_leaves(server, stopping=False)
            touched |= self._wanted.keys(server.row_up)
            self._wanted.take_out(server.row_up)
            del self._servers[key]
        return lines

    def _take_server(self, key: ServerKey, block: blocks.RealServer, failed: int, offset: int) -> list[LvsEffect]:
        """One that is new: what is to be told of it on wish."""
        server = self._servers[key] = Server.of(block, failed, offset)
        if not server.up:
            return []
        self._set_up(server, up=True)
        return self._server_notifies(server)

    def _turn_anew(
        self, server: Server, block: blocks.RealServer, failed: int, touched: set[ServerKey]
    ) -> list[LvsEffect]:
        """One that has changed: is it up? Its weight is still the former."""
        touched |= self._wanted.keys(server.row_up)
        self._wanted.take_out(server.row_up)  # with another method it may have another port
        server.block, server.failed_checkers = block, failed
        if server.up is (failed == 0):
            return []
        self._set_up(server, not server.up)
        return [*self._turn_lines(server, "reload"), *self._server_notifies(server)]

    def _sorry_server_leaves(self, following: blocks.SorryServer | None) -> list[LvsEffect]:
        """The line for a sorry server that stands in the table and is not the one that follows."""
        sorry = self._block.sorry_server
        if sorry is None or _same_place(sorry, following) or not (sorry.inhibit or self._sorry_active()):
            return []
        return [self._log(f"Removing sorry server {self._block.real_server_text(sorry)} from VS {self.name}")]

    def _entry_lines(self, front: Front, other: Front, *, gone: bool) -> list[LvsEffect]:
        """A line for each entry of the group that the other front lacks."""
        if front.entries == other.entries:
            return []
        service = self._block.service
        lines: list[LvsEffect] = []
        others = set(other.entries)
        for entry in front.entries:
            if entry in others:
                continue
            if gone:
                what = str(entry.fwmark) if entry.first is None else entry_text(entry, service.protocol)
                lines.append(self._log(f"VS [{what}] in group {service.name} no longer exists"))
            else:
                lines.append(self._log(f"VS [{entry_text(entry, service.protocol)}] added into group {service.name}"))
        return lines

    # quorum

    def _add_up(self) -> None:
        up = [server.weight for server in self._servers.values() if server.up]
        self._alive = len(up)
        self._sum = sum(up)

    def _quorum_lost(self) -> bool:
        return not self._sum or self._sum < self._block.quorum - self._block.hysteresis

    def _settle(self, server: Server) -> tuple[TableChanged, list[LvsEffect]]:
        """After a server's change: the quorum and the table."""
        quorum_up = self._quorum_up
        quorum = self._judge_quorum()
        if self._quorum_up is not quorum_up and self._block.sorry_server is not None:
            self._fill()
            return TableChanged(), quorum
        self._place(server)
        self._place_sorry_server()
        return TableChanged(frozenset(self._wanted.keys(server.row_up))), quorum

    def _judge_quorum(self, *, starting: bool = False, anew: bool = False) -> list[LvsEffect]:
        """Gained or lost? At a start and a reload it is told in another word; ``anew``: the sorry server is not there
        yet, and comes if there is no quorum.
        """
        block = self._block
        quorum, hysteresis, weight = block.quorum, block.hysteresis, self._sum
        sorry = block.sorry_server
        effects: list[LvsEffect] = []
        if not self._quorum_up and weight >= quorum + hysteresis:
            self._quorum_up = True
            effects.append(
                self._log(f"Gained quorum {quorum}+{hysteresis}={quorum + hysteresis} <= {weight} for VS {self.name}")
            )
            if sorry is not None and not anew:
                name = block.real_server_text(sorry)
                verb = "Disabling" if sorry.inhibit else "Removing"
                effects += [
                    self._log(f"{verb} sorry server {name} from VS {self.name}"),
                    self._log(f"Adding alive servers to the pool for VS {self.name}"),
                ]
        elif (self._quorum_up and self._quorum_lost()) or (anew and not self._quorum_up and sorry is not None):
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

    def _fill(self) -> None:
        """All destinations anew."""
        self._wanted.clear()
        for server in self._servers.values():
            row = self._row_now(server)
            if row is not None:
                self._wanted.put(row)
        self._place_sorry_server()

    def _row_now(self, server: Server) -> DestinationRow | None:
        """As what a server stands in the table, if it does."""
        return server.row_up if server.up and not self._sorry_active() else server.row_inhibited

    def _place(self, server: Server) -> None:
        row = self._row_now(server)
        if row is None:
            self._wanted.take_out(server.row_up)
        else:
            self._wanted.put(row)

    def _place_sorry_server(self) -> None:
        """It may be one of the real servers, too."""
        sorry = self._block.sorry_server
        if sorry is None:
            return
        if self._sorry_active():
            self._wanted.put(destination_row(sorry, SORRY_SERVER_WEIGHT))
        elif sorry.inhibit:
            self._wanted.put(destination_row(sorry, 0), softly=True)

    # lines

    def _name_of(self, server: Server) -> str:
        return self._block.real_server_text(server.block)

    def _log(self, line: str) -> Log:
        return Log(line, kind=Kind.QUORUM, fields=(("VIRTUAL_SERVER", self.name),))

    def _server_log(self, server: Server, line: str, reason: str = "") -> Log:
        fields: tuple[tuple[str, str], ...] = (("VIRTUAL_SERVER", self.name), ("REAL_SERVER", self._name_of(server)))
        if reason:
            fields += (("CAUSE", reason),)
        return Log(line, kind=Kind.REAL_SERVER, fields=fields)


def _same_place(one: blocks.SorryServer | None, other: blocks.SorryServer | None) -> bool:
    """Whether they are one server, or none at all."""
    return (None if one is None else key_of(one)) == (None if other is None else key_of(other))


def _run(script: Script | None) -> Iterator[RunScript]:
    if script is not None:
        yield RunScript(script)
