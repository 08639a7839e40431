"""Histories drawn at random: reloads, verdicts, a kernel that fails, strangers' hands. In the end the kernel's table is
what the configuration and the checkers say, reckoned anew.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from pykeepalived.config.blocks.checkers import AnyChecker, BfdCheck, CheckTiming, FileCheck, MiscCheck
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.virtual_server import LvsMethod, RealServer, Service, SorryServer, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_trackers import Weight
from pykeepalived.daemon.served import Served
from pykeepalived.ipvs_table import DestinationRow
from pykeepalived.lvs.fronts import NO_MARKS, front_of, fronts
from pykeepalived.lvs.rows import ServiceTable, destination_row, key_of, service_row
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeScripts, SimulatedReactor
from tests.unit.daemon.test_checker_process import Director

FILES = ("x", "y")
CALM = 200 * SECOND
EVENTS = ("reload", "change", "twice", "verdicts", "verdicts", "bfd", "file", "break", "admin", "crash", "time")
METHODS = (LvsMethod("NAT"), LvsMethod("DR"), LvsMethod("TUN"))


class History(Director):
    """A director whose life is drawn."""

    def __init__(self, seed: int, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.draw = random.Random(seed)
        self.configuration = Configuration()

    def part(self, *blocks: VirtualServer, **defs: object) -> Configuration:
        del blocks, defs
        return self.configuration

    # the configuration

    def another(self) -> Configuration:
        """One that resembles what may have been before."""
        draw = self.draw
        groups = tuple(self._group(name) for name in ("a", "b") if draw.random() < 0.7)
        servers = [self._virtual(Service("address", ip_address(f"10.9.0.{last}"), 80, 6, 0, 2)) for last in (1, 2, 3)]
        servers.append(self._virtual(Service("fwmark", None, 0, 0, 7, 2)))
        servers += [self._virtual(Service("group", None, 0, 6, 0, 2, group.name)) for group in groups]
        kept = [server for server in servers if draw.random() < 0.7]
        draw.shuffle(kept)
        return Configuration(
            global_defs=GlobalDefs(rs_init_notifies=draw.random() < 0.2),
            virtual_server=tuple(kept),
            virtual_server_group=groups,
            track_file=tuple(TrackedFile(name=name, file=str(self.folder / name)) for name in FILES),
        )

    def changed(self) -> Configuration:
        """The one before with one virtual server otherwise."""
        now = self.configuration
        if not now.virtual_server:
            return self.another()
        place = self.draw.randrange(len(now.virtual_server))
        new = self._virtual(now.virtual_server[place].service)
        servers = (*now.virtual_server[:place], new, *now.virtual_server[place + 1 :])
        groups = tuple(
            self._group(each.name) if self.draw.random() < 0.3 else each for each in now.virtual_server_group
        )
        return replace(now, virtual_server=servers, virtual_server_group=groups)

    def _group(self, name: str) -> VirtualServerGroup:
        entries = []
        for last in self.draw.sample(range(1, 7), self.draw.randint(1, 3)):
            first = ip_address(f"10.9.0.{last}")
            port = self.draw.choice((80, 81))
            entries.append(GroupEntry(first=first, last=first + self.draw.randint(0, 1), port=port, family=2))
        if self.draw.random() < 0.3:
            entries.append(GroupEntry(fwmark=self.draw.choice((7, 8)), family=2))
        return VirtualServerGroup(name=name, entries=tuple(entries))

    def _virtual(self, service: Service) -> VirtualServer:
        draw = self.draw
        servers = [self._real(last) for last in draw.sample(range(11, 16), draw.randint(1, 4))]
        sorry = None
        if draw.random() < 0.5:
            address = ip_address(f"10.0.0.{draw.choice((11, 12, 99))}")
            sorry = SorryServer(
                address=address,
                port=draw.choice((80, 81)),
                lvs_method=draw.choice(METHODS),
                inhibit=draw.random() < 0.4,
            )
        return VirtualServer(
            service=service,
            real_server=tuple(servers),
            sorry_server=sorry,
            quorum=draw.choice((1, 1, 3, 9)),
            hysteresis=draw.choice((0, 0, 1)),
            lvs_sched=draw.choice(("rr", "wlc", "unknown" if draw.random() < 0.2 else "rr")),
            omega=draw.random() < 0.3,
        )

    def _real(self, last: int) -> RealServer:
        draw = self.draw
        timing = CheckTiming(
            retry=draw.choice((0, 1)), delay_loop=10 * SECOND, warmup=SECOND, alpha=draw.random() < 0.2
        )
        checkers: list[AnyChecker] = []
        for name in draw.sample(("one", "two", "three"), draw.randint(0, 2)):
            dynamic = draw.random() < 0.5
            checkers.append(
                MiscCheck(misc_path=Script((f"/{name}",)), misc_dynamic=dynamic, timing=timing, timeout=5 * SECOND)
            )
        if draw.random() < 0.4:
            checkers.append(FileCheck(track_file=draw.choice(FILES), weight=Weight(draw.choice((-1, 0, 1, 3)))))
        if draw.random() < 0.4:
            checkers.append(BfdCheck(name=draw.choice(("left", "right")), alpha=draw.random() < 0.3))
        return RealServer(
            address=ip_address(f"10.0.0.{last}"),
            port=draw.choice((80, 80, 81)),
            weight=draw.choice((0, 1, 2, 5)),
            lvs_method=draw.choice(METHODS),
            inhibit_on_failure=draw.random() < 0.3,
            checkers=tuple(checkers),
        )

    # what happens

    def happen(self) -> None:
        draw = self.draw
        kernel = self.kernel
        match draw.choice(
            ("reload", "change", "twice", "verdicts", "verdicts", "bfd", "file", "break", "admin", "crash", "time")
        ):
            case "reload":
                self.load(self.another())
            case "change":
                self.load(self.changed())
            case "twice":
                self.load(self.changed(), turn=False)
                self.load(self.another())
            case "verdicts":
                for number in list(self.scripts.waited):
                    if draw.random() < 0.8:
                        self.scripts.end(number, draw.choice((0, 1, 1, 2, 7, 30)))
            case "bfd":
                assert self.service is not None
                self.service.bfd_changed(draw.choice(("left", "right")), up=draw.random() < 0.6)
            case "file":
                self.write()
            case "break":
                what = draw.choice(("broken", "missing"))
                setattr(kernel, what, not getattr(kernel, what))
                if kernel.missing:
                    kernel.services.clear()
            case "crash" if self.is_settled:  # else nobody knows any more what was to be removed
                self.crash()
            case "admin" if not kernel.missing:
                self._strange()
            case _:
                self.reactor.run_for(draw.randint(0, 30) * SECOND)
        self.reactor.run_for(draw.choice((0, 0, SECOND, 12 * SECOND)))

    @property
    def is_settled(self) -> bool:
        assert self.service is not None
        table = self.service._table
        return table.loaded and not table.pending and not table._refused

    def write(self) -> None:
        """Renamed into place; a look tells of it where the event comes too late."""
        new = self.folder / "new"
        new.write_text(str(self.draw.choice((0, 0, 1, 2, -1, 200))))
        new.rename(self.folder / self.draw.choice(FILES))

    def crash(self) -> None:
        """Killed, and started again with the table that it left."""
        now = self.reactor.time
        if self.service is not None:
            self.service._followers.stop()  # the kernel closes what a process has open
        self.reactor.close()
        self.reactor = SimulatedReactor()
        self.reactor.time = now
        self.scripts = FakeScripts()
        self.start()

    def load(self, configuration: Configuration, *, turn: bool = True) -> None:
        assert self.service is not None
        self.configuration = configuration
        self.service.reload(configuration)
        if turn:
            self.reactor.run_for(0)

    def _strange(self) -> None:
        """Somebody else at the table."""
        services = list(self.kernel.services)
        if not services:
            return
        service = self.draw.choice(services)
        table = self.kernel.services[service]
        if self.draw.random() < 0.3:
            del self.kernel.services[service]
        elif table.destinations and self.draw.random() < 0.5:
            del table.destinations[self.draw.choice(list(table.destinations))]
        else:
            row = DestinationRow(ip_address("10.6.6.6"), 80, LvsMethod(), 1, 0, 0)
            table.destinations[key_of(row)] = row

    def calm(self) -> None:
        """Nothing happens but what is due; scripts that run are answered as before."""
        self.kernel.broken = self.kernel.missing = False
        self.kernel.schedulers.add("unknown")
        self.reactor.run_for(CALM)
        if self.configuration.track_file:
            for name in FILES:
                assert self.service is not None
                path = self.folder / name
                assert self.service._followers.number(name) == (int(path.read_text()) if path.exists() else 0)

    # what shall be

    def mark_map(self) -> Mapping[Service, int]:
        """The marks of groups."""
        return NO_MARKS

    def expected(self) -> dict[Service, ServiceTable]:
        assert self.service is not None
        part = self.configuration
        found, _ = fronts(part.virtual_server, part.virtual_server_group, self.mark_map())
        tables: dict[Service, ServiceTable] = {}
        assert list(self.service._served) == [block.service for block in part.virtual_server]
        for block in part.virtual_server:
            served = self.service._served[block.service]
            rows, quorum = expected_rows(block, served)
            assert served.core.quorum_up is quorum
            for service in found.get(block.service, front_of(block.service)).services:
                table = ServiceTable(service_row(block, service))
                for row, softly in rows:
                    placed = row
                    if block.service.kind == "group" and row.method.forward != "NAT":
                        placed = replace(row, port=service.port)
                    if not softly or key_of(placed) not in table.destinations:
                        table.destinations[key_of(placed)] = placed
                tables[service] = table
        return tables


def expected_rows(block: VirtualServer, served: Served) -> tuple[list[tuple[DestinationRow, bool]], bool]:
    """The rows, later ones before earlier (with True: behind), and whether there is a quorum."""
    up = 0
    rows: list[tuple[DestinationRow, bool]] = []
    states = []
    for server in block.real_server:
        runs = served.runs.get(key_of(server), ())
        assert [run.block for run in runs] == list(server.checkers)
        alive = all(run.checker.up for run in runs)
        row = destination_row(server, server.weight + sum(run.checker.offset for run in runs))
        up += row.weight if alive else 0
        states.append((server, alive, row))
    quorum = served.core.quorum_up
    if up >= block.quorum + block.hysteresis:
        quorum = True
    elif not up or up < block.quorum - block.hysteresis:
        quorum = False
    sorry = block.sorry_server
    active = sorry is not None and not quorum
    for server, alive, row in states:
        if alive and not active:
            rows.append((row, False))
        elif server.inhibit_on_failure:
            rows.append((destination_row(server, 0), False))
    if sorry is not None and active:
        rows.append((destination_row(sorry, 1), False))
    elif sorry is not None and sorry.inhibit:
        rows.append((destination_row(sorry, 0), True))
    return rows, quorum


@pytest.fixture
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    history = History(request.param, tmp_path)
    yield history
    history.reactor.close()


@pytest.mark.parametrize("history", range(12), indirect=True)
def test_after_any_history_the_table_is_right(history: History) -> None:
    live(history)


@pytest.mark.long
@pytest.mark.parametrize("history", range(12, 200), indirect=True)
def test_after_many_histories_the_table_is_right(history: History) -> None:
    live(history)


def run_on(history: History) -> None:
    """From the start through many things that happen."""
    history.configuration = history.another()
    history.start()
    for _ in range(6):
        for _ in range(8):
            history.happen()
        history.calm()
        assert history.kernel.services == history.expected()
        for number in list(history.scripts.waited):
            history.scripts.end(number, history.draw.choice((0, 0, 1, 5)))


def live(history: History) -> None:
    run_on(history)
    history.stop()
    assert history.finished
    assert history.kernel.services == {}
