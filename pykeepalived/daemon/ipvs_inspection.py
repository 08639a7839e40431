"""The IPVS table is read again at a calm pace, for the kernel tells nobody of changes: what somebody else has done to
services of ours is said and put right. Services of others are never touched.

It is read in parts, a small share of each second, so a large table takes longer and costs no more; where something is
to be mended, for somebody may have emptied all, it goes faster. What seems otherwise is looked up once more before it
is believed: a list that changes while it is read may lack rows.
"""

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import DestinationRow, ServerKey, ServiceRow
from pykeepalived.kernel.ports import Ipvs
from pykeepalived.lvs.healing import Place, disturbances
from pykeepalived.lvs.rows import ServiceTable, key_of
from pykeepalived.lvs.table import Table
from pykeepalived.units import MILLISECOND, SECOND

_PASS = 60 * SECOND  # from the beginning of one to that of the next
_PAUSE = SECOND
_PAUSE_OF_MENDING = 20 * MILLISECOND
_SLICE = 2 * MILLISECOND  # of work, then a pause: a five hundredth of a processor, or a tenth
_PARTS_A_SLICE = 256  # where time stands still, as in a simulation
_LINES_A_PASS = 20
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})
_PATIENCE = 3  # passes in which the same row was otherwise are told


class Inspection:
    """``begin`` when the table was read, ``end`` when it cannot be. ``mend`` is called when orders are due, ``lost``
    when the kernel does not answer.
    """

    def __init__(
        self,
        reactor: Reactor,
        journal: Journal,
        table: Table,
        mend: Callable[[], None],
        lost: Callable[[KernelError | OSError], None],
    ) -> None:
        self._reactor = reactor
        self._journal = journal
        self._table = table
        self._mend = mend
        self._lost = lost
        self._alarm = reactor.alarm(self._go_on)
        self._pass: Iterator[None] | None = None
        self._kernel: Ipvs | None = None
        self._began_at = 0
        self._mending = False  # in this slice something was otherwise
        self._lines = 0
        self._disturbed: set[Place] = set()  # in this pass
        self._quarrels: dict[Place, int] = {}  # passes in a row

    def begin(self, kernel: Ipvs) -> None:
        """The first pass is due after a while."""
        self._kernel = kernel
        self._pass = None
        self._alarm.set(self._reactor.now() + _PASS)

    def end(self) -> None:
        """No more."""
        self._kernel = self._pass = None
        self._alarm.set(None)

    def _go_on(self) -> None:
        """A slice of a pass."""
        if self._kernel is None:
            return
        now = self._reactor.now()
        if self._pass is None:
            self._pass, self._began_at = self._inspect(self._kernel), now
        self._mending = False
        try:
            for _ in range(_PARTS_A_SLICE):
                next(self._pass)
                if self._pass is None:
                    return  # the kernel did not take what puts things right
                if self._reactor.now() - now >= _SLICE:
                    break
            self._alarm.set(self._reactor.now() + (_PAUSE_OF_MENDING if self._mending else _PAUSE))
        except StopIteration:
            self._finish()
            self._alarm.set(max(self._began_at + _PASS, self._reactor.now() + _PAUSE))
        except (KernelError, OSError) as error:
            if error.errno in _NO_DESCRIPTOR:  # orders have theirs
                self._pass = None
                self._alarm.set(self._reactor.now() + _PASS)
                return
            self.end()
            self._lost(error)

    def _inspect(self, kernel: Ipvs) -> Iterator[None]:
        """One pass; each step reads one part."""
        rows: dict[Service, ServiceRow] = {}
        ours = self._table.services()
        for part in kernel.walk_services():
            rows.update((row.service, row) for row in part if row.service in ours)
            yield
        for service in ours:
            booked = self._table.booked(service)
            if booked is None:
                continue  # orders are due, or were refused
            there = rows.get(service)
            destinations: dict[ServerKey, DestinationRow] = {}
            if there == booked.row:
                for servers in kernel.walk_servers(there):
                    destinations.update((key_of(row), row) for row in servers)
                    yield
            booked = self._table.booked(service)
            if booked is None or (there == booked.row and destinations == booked.destinations):
                continue
            found = kernel.lookup(booked.row)
            self._compare(booked, None if found is None else ServiceTable(found[0], _by_key(found[1])))
            yield

    def _compare(self, booked: ServiceTable, found: ServiceTable | None) -> None:
        told = list(disturbances(booked, found))
        for place, line in told:
            self._disturbed.add(place)
            times = self._quarrels.get(place, 0)
            if times >= _PATIENCE:
                continue
            self._lines += 1
            if self._lines <= _LINES_A_PASS:
                more = " - this is said no more until it stays as it shall be" if times == _PATIENCE - 1 else ""
                self._journal.log(replace(line, message=line.message + more))
        if told:
            self._mending = True
            self._table.found(booked.row.service, found)
            self._mend()

    def _finish(self) -> None:
        if self._lines > _LINES_A_PASS:
            text = f"IPVS: {self._lines - _LINES_A_PASS} more rows were changed by somebody else: they are put right"
            self._journal.log(Log(text, Level.WARNING, Kind.IPVS))
        self._lines = 0
        self._quarrels = {place: min(self._quarrels.get(place, 0) + 1, _PATIENCE) for place in self._disturbed}
        self._disturbed = set()
        self._pass = None


def _by_key(rows: list[DestinationRow]) -> dict[ServerKey, DestinationRow]:
    return {key_of(row): row for row in rows}
