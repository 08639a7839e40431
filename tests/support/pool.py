"""Pools for tests: blocks by the last octet, effects as words, and a model that says anew what a pool must be."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from pykeepalived.config.blocks.checkers import CheckTiming, Target, TcpCheck
from pykeepalived.config.blocks.virtual_server import LvsMethod, RealServer, Service, SorryServer
from pykeepalived.config.blocks.virtual_server import VirtualServer as Block
from pykeepalived.effects import Log, RunScript
from pykeepalived.ipvs_table import DestinationRow, IpvsOrder, ServerKey, server_key
from pykeepalived.lvs.effects import LvsEffect, TableChanged, TablesDropped
from pykeepalived.lvs.events import CheckerJudged, CheckerWeighed
from pykeepalived.lvs.fronts import Front, front_of
from pykeepalived.lvs.rows import key_of
from pykeepalived.lvs.table import Table
from pykeepalived.lvs.virtual_server import VirtualServer
from tests.support.fakes_lvs import FakeIpvs

VS = "[10.9.0.100]:tcp:80"
SERVICE = Service("address", ip_address("10.9.0.100"), 80, 6, 0, 2)
INT_MAX = 2**31 - 1


def rs(number: int) -> str:
    """How a real server is called."""
    return f"[10.9.0.{number}]:tcp:80"


def server(number: int, *, alpha: bool = False, checkers: int = 1, port: int = 80, **keywords: Any) -> RealServer:
    """A real server."""
    address = ip_address(f"10.9.{number >> 8}.{number & 255}")
    check = TcpCheck(Target(address, 80), CheckTiming(alpha=alpha))
    return RealServer(address=address, port=port, alpha=alpha, checkers=(check,) * checkers, **keywords)


def block(*servers: RealServer, sorry: int | None = None, inhibit: bool = False, **keywords: Any) -> Block:
    """A virtual server."""
    sorry_server = (
        None if sorry is None else SorryServer(address=ip_address(f"10.9.0.{sorry}"), port=80, inhibit=inhibit)
    )
    return Block(**{"service": SERVICE, "real_server": servers, "sorry_server": sorry_server, **keywords})


def key(number: int, port: int = 80) -> ServerKey:
    """What identifies a real server."""
    return server_key(ip_address(f"10.9.{number >> 8}.{number & 255}"), port)


def brief(effects: Iterable[LvsEffect]) -> list[str]:
    """Effects as words, in order."""
    words = []
    for effect in effects:
        if isinstance(effect, Log):
            words.append(effect.message)
        elif isinstance(effect, RunScript):
            words.append(f"run {effect.script}")
        elif isinstance(effect, TablesDropped):
            words.append("dropped")
        elif isinstance(effect, TableChanged):
            words.append("table")
        else:
            words.append(f"fifo {effect.line}")
    return words


def table(core: VirtualServer) -> dict[int, int]:
    """Wanted weights by the last octet."""
    return {row.address.packed[-1]: row.weight for row in core.tables[0].destinations.values()}


@dataclass(slots=True)
class State:
    """What is known of a real server."""

    block: RealServer
    failed: int
    offset: int = 0

    @property
    def up(self) -> bool:
        return not self.failed

    @property
    def weight(self) -> int:
        return min(max(self.block.weight + self.offset, 0), INT_MAX)


def new_state(each: RealServer) -> State:
    """That of one that was never checked."""
    return State(each, len(each.checkers) if each.alpha else 0)


@dataclass(slots=True)
class Model:
    """A pool by the book: its table is worked out whole from the states, whenever it is asked for."""

    block: Block
    front: Front
    states: dict[ServerKey, State] = field(default_factory=dict)
    quorum_up: bool = False

    def __post_init__(self) -> None:
        self.states = {key_of(each): new_state(each) for each in self.block.real_server}
        self.judge()

    @property
    def sum(self) -> int:
        return sum(each.weight for each in self.states.values() if each.up)

    def judge(self, total: int | None = None) -> bool:
        """Gained or lost; whether it turned."""
        total = self.sum if total is None else total
        before, quorum, hysteresis = self.quorum_up, self.block.quorum, self.block.hysteresis
        if total >= quorum + hysteresis:
            self.quorum_up = True
        elif not total or total < quorum - hysteresis:
            self.quorum_up = False
        return before is not self.quorum_up

    def reload(self, new: Block, front: Front) -> tuple[dict[ServerKey, int], dict[ServerKey, int]]:
        """Take another block; what its owner tells of the servers that are new or changed."""
        former, self.states = self.states, {}
        failed, offsets = {}, {}
        for each in new.real_server:
            known = former.get(key_of(each))
            if known is not None and known.block == each:
                self.states[key_of(each)] = known
                continue
            state = self.states[key_of(each)] = new_state(each)
            if known is not None:
                state.failed = min(known.failed, len(each.checkers))
                state.offset = known.offset
            failed[key_of(each)], offsets[key_of(each)] = state.failed, state.offset
        self.block, self.front = new, front
        self.judge()
        return failed, offsets

    def rows(self, service: Service) -> dict[ServerKey, DestinationRow]:
        """The destinations of one service."""
        sorry = self.block.sorry_server
        rows: dict[ServerKey, DestinationRow] = {}
        serving = self.quorum_up or sorry is None
        for state in self.states.values():
            weight = state.weight if state.up and serving else 0 if state.block.inhibit_on_failure else None
            if weight is not None:
                row = self._row(state.block, weight, service)
                rows[key_of(row)] = row
        if sorry is not None:
            row = self._row(sorry, 0 if self.quorum_up else 1, service)
            if not self.quorum_up or (sorry.inhibit and key_of(row) not in rows):
                rows[key_of(row)] = row
        return rows

    def _row(self, each: RealServer | SorryServer, weight: int, service: Service) -> DestinationRow:
        keeps = self.block.service.kind == "group" and each.lvs_method.forward != "NAT"
        thresholds = (each.uthreshold, each.lthreshold) if isinstance(each, RealServer) else (0, 0)
        method = each.lvs_method if each.lvs_method.forward == "TUN" else LvsMethod(each.lvs_method.forward)
        return DestinationRow(each.address, service.port if keeps else each.port, method, weight, *thresholds)


class Pool:
    """A pool at work on a fake kernel, and the model that it is held against."""

    def __init__(self, new: Block, front: Front | None = None, kernel: FakeIpvs | None = None) -> None:
        front = front or front_of(new.service)
        self.kernel = kernel or FakeIpvs()
        self.table = Table(os.strerror)
        self.table.load(self.kernel.table())
        self.core = VirtualServer(new, front)
        self.model = Model(new, front)
        self.carry_out(self.core.start())

    def carry_out(self, effects: Iterable[LvsEffect]) -> list[str]:
        """Have the table want what is ordered; the lines of the log."""
        lines = []
        for effect in effects:
            if isinstance(effect, TableChanged):
                for each in self.core.tables:
                    self.table.want(each, effect.servers)
            elif isinstance(effect, TablesDropped):
                for each in effect.tables:
                    self.table.drop(each)
            elif isinstance(effect, Log):
                lines.append(effect.message)
        return lines

    def settle(self, limit: int = 64, batches: int = 1_000_000) -> list[IpvsOrder]:
        """Have the kernel carry it out, which must refuse nothing: no server stands there twice."""
        done: list[IpvsOrder] = []
        while self.table.pending and batches:
            batches -= 1
            orders = self.table.next_orders(limit)
            if orders:
                assert self.kernel.apply(orders) == []
                assert self.table.answered(orders, []) == []
                done += orders
        return done

    def flip(self, where: ServerKey) -> list[str]:
        """A checker changes its mind: one that was up fails, or all that had failed recover, one by one."""
        state = self.model.states[where]
        up = bool(state.failed)
        lines = []
        for _ in range(state.failed or 1):
            lines += self.carry_out(self.core.handle(CheckerJudged(where, up=up, changed=True, reason="because")))
        state.failed = 0 if up else 1
        return lines

    def weigh(self, where: ServerKey, change: int) -> list[str]:
        """A checker weighs the server anew."""
        self.model.states[where].offset += change
        return self.carry_out(self.core.handle(CheckerWeighed(where, change)))

    def reload(self, new: Block, front: Front | None = None) -> list[str]:
        """Another configuration."""
        front = front or front_of(new.service)
        failed, offsets = self.model.reload(new, front)
        return self.carry_out(self.core.reload(new, failed, offsets, front))

    def check(self) -> None:
        """All of it is as the model says."""
        model, core = self.model, self.core
        assert core.quorum_up is model.quorum_up
        assert core.servers_up == sum(each.up for each in model.states.values())
        assert set(self.kernel.services) == set(model.front.services)
        for service, there in self.kernel.services.items():
            assert there.destinations == model.rows(service)
            assert there.row.scheduler == model.block.lvs_sched
            assert there.row.timeout == (model.block.persistence_timeout or 0)


def fresh(model: Model) -> VirtualServer:
    """A new pool that is brought to the states of a model, quorum included."""
    core = VirtualServer(model.block, model.front)
    core.start()
    failed: Mapping[ServerKey, int] = {where: new_state(each.block).failed for where, each in model.states.items()}

    def judge(where: ServerKey, before: int, after: int) -> None:
        for _ in range(abs(after - before)):
            core.handle(CheckerJudged(where, up=after < before, changed=True))

    to = 0 if model.quorum_up else 9
    for where, before in failed.items():
        judge(where, before, to)
    heavy = next((where for where, each in model.states.items() if each.up and each.weight), None)
    if model.quorum_up and heavy is not None:
        core.handle(CheckerWeighed(heavy, INT_MAX))
    for where, each in model.states.items():
        if where != heavy:
            core.handle(CheckerWeighed(where, each.offset))
        judge(where, to, each.failed)
    if heavy is not None:
        change = model.states[heavy].offset - (INT_MAX if model.quorum_up else 0)
        core.handle(CheckerWeighed(heavy, change))
    return core
