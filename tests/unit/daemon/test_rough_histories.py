"""Histories as those of test_checker_histories, on a rougher machine: the kernel refuses orders one by one, or has
carried out a part of them when it falls silent; strangers edit and empty the table; addresses of ha_suspend come and
go; marks of nftables, too; the process is killed at any moment. Whenever all is carried out the table is right at once,
packets get no mark without its service, and what is told of servers and quorums is what has become of them, once.
"""

import errno
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.virtual_server import Service, endpoint_text
from pykeepalived.config.blocks.virtual_server import VirtualServer as Block
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.check_followers import FollowerRun
from pykeepalived.daemon.checker_process import CheckerService
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.daemon.served import Served
from pykeepalived.effects import WriteFifo
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import IpvsOrder, ServerKey, key_parts
from pykeepalived.kernel.ports import Failure, FilterSettings, MarkElement
from pykeepalived.lvs.effects import LvsEffect, TableChanged
from pykeepalived.lvs.fronts import NO_MARKS
from pykeepalived.lvs.marks import markings
from pykeepalived.lvs.virtual_server import VirtualServer
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeIpvs
from tests.unit.daemon.test_checker_histories import History, run_on
from tests.unit.daemon.test_ha_suspend import Machine
from tests.unit.daemon.test_ipvs_marks import FakePacketMarks

REFUSALS = (errno.EINVAL, errno.ENOMEM, errno.EBUSY, errno.EPERM)

Known = tuple[bool, dict[ServerKey, bool]]
"""Whether there is a quorum, and which servers are up."""


class RoughKernel(FakeIpvs):
    """Refuses orders by chance, or falls silent amid a batch."""

    def __init__(self, history: "RoughHistory") -> None:
        super().__init__()
        self.history = history
        self.odds = 0.0
        self.cut_short = False

    def apply(self, orders: Sequence[IpvsOrder]) -> list[Failure]:
        if not self.cut_short:
            return super().apply(orders)
        self.cut_short = False
        for order in orders[: self.history.draw.randint(0, len(orders))]:
            self.order(order)
        raise KernelError("give orders to IPVS", errno.ETIMEDOUT)

    def order(self, order: IpvsOrder) -> int:
        history, service = self.history, order.service.service
        if self.odds and history.draw.random() < self.odds:
            history.rough = True
            return history.draw.choice(REFUSALS)
        if order.service.scheduler not in self.schedulers:
            history.rough = True
        if order.verb == "delete-service" and history.is_smooth and not history.stopping:
            assert service.fwmark not in {each.mark for there in history.marks.tables.values() for each in there}
        return super().order(order)


class RoughMarks(FakePacketMarks):
    """Tables that outlive the process."""

    def __init__(self, history: "RoughHistory") -> None:
        super().__init__()
        self.history = history
        self.ends = socket.socketpair()

    def listen(self) -> int:
        return self.ends[0].fileno()

    def close(self) -> None:
        pass

    def write(self, family: int, settings: FilterSettings, elements: frozenset[MarkElement]) -> None:
        super().write(family, settings, elements)
        self._look(family, elements)

    def change(
        self, family: int, settings: FilterSettings, added: frozenset[MarkElement], removed: frozenset[MarkElement]
    ) -> None:
        super().change(family, settings, added, removed)
        self._look(family, added)

    def _look(self, family: int, elements: frozenset[MarkElement]) -> None:
        if self.history.is_smooth:
            services = {Service("fwmark", None, 0, 0, element.mark, family) for element in elements}
            assert services <= self.history.kernel.services.keys()


class RoughHistory(History, Machine):
    """A director whose life is drawn, and hard."""

    def __init__(self, seed: int, folder: Path) -> None:
        super().__init__(seed, folder)
        self.kernel: RoughKernel = RoughKernel(self)
        self.marks = RoughMarks(self)
        self.keepsake = Keepsake()
        self.rough = False  # the kernel's tables may be otherwise than they shall be, for a while
        self.stopping = False
        self.known: dict[Served, Known] = {}
        self.due: list[str] = []  # to be told

    def set_up(self, *blocks: Any, **defs: Any) -> CheckerService:
        self.known.clear()
        self.due.clear()
        self.fifo.clear()
        return super().set_up(*blocks, **defs)

    def service_of(self, *arguments: Any) -> CheckerService:
        context: ChildContext
        context, *others = arguments
        service = super().service_of(replace(context, keepsake=self.keepsake), *others)
        service._carry_out = self.carry_out  # type: ignore[method-assign]
        service._care._packet_marks = lambda: self.marks  # type: ignore[method-assign]
        return service

    # the configuration

    def another(self) -> Configuration:
        draw = self.draw
        found = super().another()
        servers = list(found.virtual_server)
        if draw.random() < 0.5:
            servers.append(self._virtual(Service("address", ip_address("fd00::1"), 80, 17, 0, 10)))
        second = [group for group in found.virtual_server_group if draw.random() < 0.5]
        servers += [self._virtual(Service("group", None, 0, 17, 0, 2, group.name)) for group in second]
        draw.shuffle(servers)
        table = draw.choice(("", "", "one", "other"))
        defs = replace(
            found.global_defs, nftables_ipvs=table or None, nftables_ipvs_start_fwmark=draw.choice((6, 6, 1000))
        )
        return replace(found, global_defs=defs, virtual_server=tuple(_numbered(servers)))

    def _virtual(self, service: Service) -> Block:
        draw = self.draw
        return replace(
            super()._virtual(service),
            ha_suspend=service.kind != "fwmark" and draw.random() < 0.3,
            persistence_timeout=draw.choice((None, None, 30, 360)),
            ops=draw.random() < 0.2,
            sched_1=draw.random() < 0.2,
        )

    # what happens

    def happen(self) -> None:
        draw = self.draw
        match draw.randrange(11):
            case 10:
                self.marks.refuse = draw.choice(({}, {draw.choice(("write", "change", "remove")): errno.ENOMEM}))
                self.rough = self.rough or bool(self.marks.refuse)
            case 0:
                self.kernel.odds = draw.choice((0.0, 0.3, 1.0))
            case 1:
                self.kernel.cut_short = True
            case 2:
                self._meddle()
            case 3:
                self._address()
            case 4 if draw.random() < 0.3:
                self.crash()
            case _:
                super().happen()
        self.look()

    def _strange(self) -> None:
        self.rough = True
        super()._strange()

    def _meddle(self) -> None:
        """Somebody else at the whole table."""
        self.rough = True
        tables = self.kernel.services
        match self.draw.randrange(3):
            case 0:
                tables.clear()
            case 1:
                for table in tables.values():
                    for key, row in table.destinations.items():
                        table.destinations[key] = replace(row, weight=self.draw.choice((0, 7)))
            case _:
                for table in tables.values():
                    table.row = replace(table.row, scheduler="lc")

    def _address(self) -> None:
        self.addresses ^= {(self.draw.choice((1, 2)), f"10.9.0.{self.draw.randint(1, 6)}")}
        if self.hosts and not self.hosts[-1].closed:
            self.hosts[-1].changed()
        self.reactor.run_for(self.draw.choice((0, SECOND)))

    def crash(self) -> None:
        if self.hosts and not self.hosts[-1].closed:
            self.hosts[-1].close()
        self.rough = True  # what goes may go before packets are marked otherwise
        super().crash()

    def calm(self) -> None:
        self.kernel.odds = 0.0
        self.kernel.cut_short = False
        self.marks.refuse = {}
        super().calm()
        self.rough = False
        self.look()

    # what shall be

    @property
    def is_smooth(self) -> bool:
        """Whether nothing has gone wrong for longer than a moment."""
        return not (self.rough or self.kernel.missing or self.kernel.broken)

    def mark_map(self) -> Mapping[Service, int]:
        assert self.service is not None
        marks = self.service._care._marks
        return NO_MARKS if marks is None else marks._marks

    def look(self) -> None:
        """What must hold now; where all is carried out, that is everything."""
        assert self.service is not None
        self.rough = bool(self.marks.refuse) or not self.is_smooth
        if not self.rough and self.is_settled:
            assert self.kernel.services == self.expected()
            assert self.marks.tables == self._expected_marks()
        self._look_at_checks()
        if not self.service._waiting:
            assert self.fifo == self.due

    def _expected_marks(self) -> dict[tuple[int, str], set[MarkElement]]:
        part = self.configuration
        table = part.global_defs.nftables_ipvs or "none"
        wanted: dict[tuple[int, str], set[MarkElement]] = {}
        for each in markings(self.mark_map(), part.virtual_server_group):
            element = MarkElement(each.protocol, each.port, each.first, each.last, each.mark)
            wanted.setdefault((each.family, table), set()).add(element)
        return wanted

    def _look_at_checks(self) -> None:
        """They wait while the address is away, and at no other time."""
        assert self.service is not None
        here = set()
        if any(served.core.block.ha_suspend for served in self.service._served.values()):
            here = {ip_address(text) for _, text in self.hosts[-1].known}
        for served in self.service._served.values():
            addresses = {each.address for each in served.core.front.services if each.address is not None}
            away = served.core.block.ha_suspend and bool(addresses) and addresses.isdisjoint(here)
            assert served.suspended is away
            for run in served.all_runs():
                assert isinstance(run, FollowerRun) or run.open is not away

    def carry_out(self, served: Served, effects: list[LvsEffect]) -> None:
        """In place of the service's own: a look at what is told, first."""
        assert self.service is not None
        core = served.core
        lines = [effect.line for effect in effects if isinstance(effect, WriteFifo)]
        before = self.known.get(served)
        after = core.quorum_up, {key: known.up for key, known in core.real_servers()}
        self.known[served] = after
        self.due += lines
        if not self.stopping:
            if before is not None and not any(isinstance(effect, TableChanged) for effect in effects):
                after = after[0], after[1] | _aside(core, before)  # it goes
            _judge_told(core, lines, before, after)
        CheckerService._carry_out(self.service, served, effects)


def _numbered(servers: list[Block]) -> Iterator[Block]:
    """Those of a group are numbered in their order."""
    numbers: Counter[str] = Counter()
    for server in servers:
        name = server.service.name
        yield replace(server, service=replace(server.service, number=numbers[name])) if name else server
        numbers[name] += 1


def _aside(core: VirtualServer, before: Known) -> dict[ServerKey, bool]:
    """Those that made room for the sorry server: they go in silence."""
    if before[0] or core.block.sorry_server is None:
        return {}
    return {key: before[1][key] for key, known in core.real_servers() if not known.block.inhibit_on_failure}


def _judge_told(core: VirtualServer, lines: list[str], before: Known | None, after: Known) -> None:
    told = [line for line in lines if line.startswith("VS ")]
    line = f"VS {core.name} {'UP' if after[0] else 'DOWN'}"
    if (before is not None and before[0]) is not after[0]:
        assert told == [line]
    else:  # that there is no quorum is told anew with a sorry server that comes
        assert told in ([], [line] if not after[0] and core.block.sorry_server is not None else [])
    former = {} if before is None else before[1]
    for key in former.keys() | after[1].keys():
        address, port = key_parts(key)
        server = endpoint_text(address, core.block.service.protocol, port)
        told = [line for line in lines if line.startswith(f"RS {server} ")]
        was, is_up = former.get(key), after[1].get(key)
        line = f"RS {server} {core.name} {'UP' if is_up else 'DOWN'}"
        if was is not None and is_up is not None and was is not is_up:
            assert told == [line]
        elif was is None:  # by rs_init_notifies
            assert told in ([], [line] if is_up else [])
        else:  # a first failure is told of one that was down; and one that goes
            assert told in ([], [line] if not is_up else [])


@pytest.fixture
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RoughHistory]:
    history = RoughHistory(request.param, tmp_path)
    yield history
    history.reactor.close()
    for end in history.marks.ends:
        end.close()


@pytest.mark.parametrize("history", range(12), indirect=True)
def test_after_any_rough_history_the_table_is_right(history: RoughHistory) -> None:
    live(history)


@pytest.mark.long
@pytest.mark.parametrize("history", range(12, 300), indirect=True)
def test_after_many_rough_histories_the_table_is_right(history: RoughHistory) -> None:
    live(history)


def live(history: RoughHistory) -> None:
    run_on(history)
    for _ in range(history.draw.randint(0, 4)):
        history.happen()
    history.kernel.odds = 0.0
    history.marks.refuse = {}
    smooth = history.is_smooth
    history.stopping = True
    history.stop()
    history.reactor.run_for(10 * SECOND)
    assert history.finished
    if smooth:
        assert history.kernel.services == {}
        assert history.marks.tables == {}
