"""Fakes at the ports of the checker process: IPVS table, journal, scripts, a reactor of simulated time."""

import errno
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.daemon.reactor import READABLE, WRITABLE, Reactor
from pykeepalived.effects import Log
from pykeepalived.errors import KernelError
from pykeepalived.events import ScriptExited
from pykeepalived.ipvs_table import DestinationRow, IpvsOrder, ServerKey, ServiceRow, SyncDaemonRow, SyncState, Timeouts
from pykeepalived.kernel.ports import BATCH, Failure
from pykeepalived.lvs.rows import ServiceTable, key_of

GROUP = IPv4Address("224.0.0.81")
ALARMS_A_TURN = 64


class FakeSyncDaemons:
    """The kernel's sync daemons. ``refuse`` has the errno of orders to come by their words: list, start, stop."""

    def __init__(self) -> None:
        self.running: dict[SyncState, SyncDaemonRow] = {}
        self.ordered: list[tuple[str, str]] = []
        self.refuse: dict[str, int] = {}

    def daemons(self) -> list[SyncDaemonRow]:
        self._ask("list")
        return list(self.running.values())

    def start_daemon(self, row: SyncDaemonRow) -> None:
        self._ask("start")
        if row.state in self.running:
            raise KernelError("start", errno.EEXIST)
        self.ordered.append(("start", row.state))
        group = row.group or GROUP
        shortest, longest = 1024 if row.state is SyncState.BACKUP else 1, 65507 if group.version == 4 else 65487
        maxlen = max(shortest, min(row.maxlen or 1472, longest))
        self.running[row.state] = replace(row, maxlen=maxlen, port=row.port or 8848, ttl=row.ttl or 1, group=group)

    def stop_daemon(self, row: SyncDaemonRow) -> None:
        self._ask("stop")
        if row.state not in self.running:
            raise KernelError("stop", errno.ESRCH)
        self.ordered.append(("stop", row.state))
        del self.running[row.state]

    def cut(self) -> list[tuple[str, str]]:
        """What was done since the last call."""
        ordered, self.ordered = self.ordered, []
        return ordered

    def _ask(self, what: str) -> None:
        if number := self.refuse.get(what):
            raise KernelError(what, number)


Rows = list[tuple[ServiceRow, list[DestinationRow]]]


class FakeIpvs(FakeSyncDaemons):
    """A kernel's IPVS table, refusing what the kernel refuses. ``schedulers`` are those it knows."""

    def __init__(self, rows: Rows | None = None) -> None:
        super().__init__()
        self.held = Timeouts(900, 120, 300)
        self.services: dict[Service, ServiceTable] = {}
        self.missing = False
        self.broken = False  # netlink itself
        self.schedulers = {"rr", "wrr", "wlc", "lc", "sh", "mh"}
        self.batches: list[list[IpvsOrder]] = []
        self.reads = 0
        self.walks = 0
        for row, destinations in rows or []:
            self.services[row.service] = ServiceTable(row, {key_of(each): each for each in destinations})

    @property
    def orders(self) -> list[IpvsOrder]:
        """All that was ever ordered."""
        return [order for batch in self.batches for order in batch]

    def version(self) -> str:
        if self.missing:
            raise KernelError("GET_INFO", errno.ENOENT)
        return "1.2.1"

    def table(self) -> Rows:
        self.version()
        self.reads += 1
        return [(each.row, list(each.destinations.values())) for each in self.services.values()]

    def apply(self, orders: Sequence[IpvsOrder]) -> list[Failure]:
        assert 0 < len(orders) <= BATCH
        if self.broken:
            raise KernelError("IPVS", errno.ENOBUFS)
        self.batches.append(list(orders))
        answers = [(index, self.order(order)) for index, order in enumerate(orders)]
        return [Failure(index, number) for index, number in answers if number]

    def flush(self) -> None:
        self.services.clear()

    def walk_services(self) -> Iterator[list[ServiceRow]]:
        self.version()
        self.walks += 1
        for each in list(self.services.values()):
            yield [each.row]

    def walk_servers(self, service: ServiceRow) -> Iterator[list[DestinationRow]]:
        self.version()
        table = self.services.get(service.service)
        for each in [] if table is None else list(table.destinations.values()):
            yield [each]

    def lookup(self, service: ServiceRow) -> tuple[ServiceRow, list[DestinationRow]] | None:
        self.version()
        table = self.services.get(service.service)
        return None if table is None else (table.row, list(table.destinations.values()))

    def timeouts(self) -> Timeouts:
        self.version()
        return self.held

    def set_timeouts(self, timeouts: Timeouts) -> None:
        self.version()
        self.held = Timeouts(
            timeouts.tcp or self.held.tcp, timeouts.tcp_fin or self.held.tcp_fin, timeouts.udp or self.held.udp
        )

    def weights(self) -> dict[str, dict[str, int]]:
        """The table as people read it: service, server, weight."""
        return {
            str(service): {f"{row.address}:{row.port}": row.weight for row in table.destinations.values()}
            for service, table in self.services.items()
        }

    def order(self, order: IpvsOrder) -> int:
        """Carry one out as ip_vs_ctl.c does; the errno."""
        service = order.service.service
        table = self.services.get(service)
        if order.verb == "add-service":
            if table is not None:
                return errno.EEXIST
            if order.service.scheduler not in self.schedulers:
                return errno.ENOENT
            self.services[service] = ServiceTable(order.service)
            return 0
        if table is None:
            return errno.ESRCH
        if order.verb == "edit-service":
            if order.service.scheduler not in self.schedulers:
                return errno.ENOENT
            table.row = order.service
            return 0
        if order.verb == "delete-service":
            del self.services[service]
            return 0
        assert order.destination is not None
        return _order_server(table, order.verb, key_of(order.destination), order.destination)


def _order_server(table: ServiceTable, verb: str, key: ServerKey, row: DestinationRow) -> int:
    there = key in table.destinations
    if verb == "add-server":
        if there:
            return errno.EEXIST
    elif not there:
        return errno.ENOENT
    if verb == "delete-server":
        del table.destinations[key]
    else:
        table.destinations[key] = row
    return 0


class FakeJournal:
    """Keeps the lines."""

    def __init__(self) -> None:
        self.entries: list[Log] = []

    def log(self, line: Log) -> None:
        self.entries.append(line)

    def lines(self, *, detail: bool = False) -> list[str]:
        """Messages since the last call."""
        lines = [entry.message for entry in self.entries if detail or not entry.detail]
        self.entries.clear()
        return lines


class FakeScripts:
    """Keeps what was run, and how the table looked then."""

    def __init__(self, look: Callable[[], object] = lambda: None) -> None:
        self.runs: list[tuple[str, ...]] = []
        self.seen: list[object] = []
        self.waited: dict[int, Callable[[ScriptExited], None]] = {}  # the runs whose end is waited for
        self.cut: list[int] = []
        self._look = look

    def run(
        self,
        script: Script,
        arguments: tuple[str, ...] = (),
        *,
        timeout: int | None = None,  # noqa: ARG002 - the port's
        on_exit: Callable[[ScriptExited], None] | None = None,
    ) -> int:
        self.runs.append((*script.argv, *arguments))
        self.seen.append(self._look())
        if on_exit is not None:
            self.waited[len(self.runs)] = on_exit
        return len(self.runs)

    def cut_short(self, number: int) -> None:
        self.cut.append(number)

    def end(self, number: int, status: int | None = 0, **facts: Any) -> None:
        """One that is waited for has ended."""
        self.waited.pop(number)(ScriptExited(status, **facts))


class SimulatedReactor(Reactor):
    """Sockets are real, time is not: when no socket has anything to say, it jumps to the next deadline."""

    def __init__(self) -> None:
        super().__init__(self._raise)
        self.time = 1_000_000_000_000
        self.errors: list[Exception] = []

    def now(self) -> int:  # type: ignore[override]  # a clock of our own
        return self.time

    def run_to(self, instant: int) -> None:
        """Let everything happen that is due until then."""
        for _ in range(1_000_000):
            if not self.step(instant):
                break
        self.time = max(self.time, instant)
        errors, self.errors = self.errors, []
        if errors:
            raise errors[0]

    def run_for(self, length: int) -> None:
        self.run_to(self.time + length)

    def step(self, until: int) -> bool:
        """One thing; False when nothing is due until then."""
        ready = self._epoll.poll(0)
        for fd, mask in ready:
            readable, writable = self._handlers.get(fd, (None, None))
            if readable is not None and mask & READABLE:
                self._call(readable)
            elif writable is not None and mask & WRITABLE:
                self._call(writable)
        if self._soon:  # in the same turn: what is ready again and again keeps nobody waiting
            callbacks, self._soon = self._soon, []
            for callback in callbacks:
                self._call(callback)
            for _ in range(ALARMS_A_TURN):  # work may have taken time
                if not self._heap or self._heap[0][0] > self.time:
                    break
                self._ring_one()
            return True
        if ready:
            return True
        if self._heap and self._heap[0][0] <= until:
            self.time = max(self.time, self._heap[0][0])
            self._ring_one()
            return True
        return False

    def _ring_one(self) -> None:
        due_at, _, alarm = heapq.heappop(self._heap)
        try:
            if alarm._stands(due_at):
                alarm._ring()
        except Exception as error:  # noqa: BLE001 - as the real one
            self._raise(error)

    def _raise(self, error: Exception) -> None:
        self.errors.append(error)
