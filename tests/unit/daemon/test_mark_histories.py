"""Histories drawn at random of groups that are served by marks or by addresses: reloads, refusals of nft and of IPVS,
deaths between any two orders. Whoever is served stays served, by its own servers, at every moment.
"""

import errno
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon import ipvs_care
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import IpvsOrder
from pykeepalived.kernel.ports import Failure
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeIpvs, Rows
from tests.unit.daemon.test_groups import GroupedLives, MarksWithoutNews, entry, of_group, still

GROUPS = {"a": (entry(1, 2), (101, 102)), "b": (entry(11, 12), (111, 112)), "c": (entry(21), (121, 122))}
EVENTS = ("reload",) * 5 + ("die", "nft", "ipvs", "time", "time")


class Killed(SystemExit):
    """The process dies here."""


class LivingKernel(FakeIpvs):
    """An IPVS table that asks, before an order, whether somebody dies, and after a batch, whether all is well."""

    def __init__(self, life: "Life") -> None:
        super().__init__()
        self.life = life
        self.silent = False

    def table(self) -> Rows:
        self._answer()
        return super().table()

    def apply(self, orders: Sequence[IpvsOrder]) -> list[Failure]:
        self._answer()
        failures = super().apply(orders)
        self.life.look()
        return failures

    def order(self, order: IpvsOrder) -> int:
        self.life.live_on()
        return super().order(order)

    def _answer(self) -> None:
        if self.silent:
            raise KernelError("ask IPVS", errno.ETIMEDOUT)


@dataclass
class DyingMarks(MarksWithoutNews):
    """A packet filter at whose orders somebody may die."""

    life: "Life | None" = None

    def _order(self, what: str) -> None:
        assert self.life is not None
        self.life.look()
        self.life.live_on()
        super()._order(what)


class Life(GroupedLives):
    """A checker process and those that come in its place."""

    def __init__(self, seed: int, file: Any) -> None:
        super().__init__(file)
        self.draw = random.Random(seed)
        self.kernel: LivingKernel = LivingKernel(self)
        self.marks = DyingMarks(life=self)
        self.chosen: dict[str, tuple[int, ...]] = {}
        self.defs: dict[str, Any] = {}
        self.served: set[str] = set()  # groups that are to stay so
        self.orders_left = -1  # until it dies

    def part(self, *_: Any, **__: Any) -> Configuration:
        return super().part(
            *(of_group(name, *map(still, servers)) for name, servers in self.chosen.items()), **self.defs
        )

    def configure(self) -> None:
        names = self.draw.sample(sorted(GROUPS), self.draw.randint(1, 3))
        self.groups = {name: (GROUPS[name][0],) for name in names}
        self.chosen = {name: tuple(self.draw.sample(GROUPS[name][1], self.draw.randint(1, 2))) for name in names}
        table = self.draw.choice((None, "marks", "marks", "others"))
        self.defs = {"nftables_ipvs": table, "nftables_ipvs_start_fwmark": self.draw.choice((1000, 1000, 1001))}
        self.served &= set(names)

    def live_on(self) -> None:
        self.orders_left -= 1
        if not self.orders_left:
            raise Killed

    def look(self) -> None:
        for name in self.served:
            assert not self.trouble(name), name

    def trouble(self, name: str) -> str:
        """What is wrong with the packets of a group."""
        group, servers = GROUPS[name]
        assert group.first is not None
        assert group.last is not None
        for number in range(int(group.first), int(group.last) + 1):
            address = ip_address(number)
            elements = [each for table in self.marks.tables.values() for each in table]
            marks = {each.mark for each in elements if each.first <= address.packed <= each.last}
            places = [Service("fwmark", None, 0, 0, mark, 2) for mark in marks & self._marks_of_services()]
            for place in places or [Service("address", address, 80, 6, 0, 2)]:
                table = self.kernel.services.get(place)
                pool = {int(row.address) & 255 for row in table.destinations.values()} if table is not None else set()
                if not pool or not pool <= set(servers):
                    return f"{address} goes to {pool} by {place}"
        return ""

    def _marks_of_services(self) -> set[int]:
        return {service.fwmark for service in self.kernel.services}

    def happen(self) -> None:
        assert self.service is not None
        if self.draw.random() < 0.2:
            self.orders_left = self.draw.randint(1, 12)
        try:
            match self.draw.choice(EVENTS):
                case "reload":
                    self.configure()
                    self.service.reload(self.part())
                case "die":
                    self.orders_left = 1
                    self.live_on()
                case "nft":
                    words = self.draw.sample(("write", "change", "remove"), self.draw.randint(0, 3))
                    self.marks.refuse = dict.fromkeys(words, errno.ENOMEM)
                case "ipvs":
                    self.kernel.silent = not self.kernel.silent
                case _:
                    self.reactor.run_for(self.draw.choice((0, 0, SECOND, 70 * SECOND)))
        except Killed:
            self.orders_left = -1
            self.die()
            if self.draw.random() < 0.4:
                self.configure()
            self.start()
        self.look()
        table = self.service._table
        if table.loaded and not table.pending:
            self.served = {name for name in self.groups if not self.trouble(name)}

    def calm(self) -> None:
        """All is well in the end."""
        self.orders_left = -1
        self.marks.refuse = {}
        self.kernel.silent = False
        self.reactor.run_for(400 * SECOND)
        self.served = set(self.groups)
        self.look()
        table = self.defs["nftables_ipvs"]
        assert {name for _, name in self.marks.tables} == ({table} if table else set())
        assert {service.kind for service in self.kernel.services} == {"fwmark" if table else "address"}
        if table:
            assert len(self.kernel.services) == len(self.groups)
        self.served = set()
        self.stop()
        assert (self.finished, self.kernel.services, self.marks.tables) == (True, {}, {})


@pytest.fixture
def life(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    with (tmp_path / "kept").open("w+b") as file:
        life = Life(request.param, file)
        monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: life.marks)
        yield life
        life.reactor.close()


def live(life: Life) -> None:
    life.configure()
    life.start()
    for _ in range(life.draw.randint(3, 25)):
        life.happen()
    life.calm()


@pytest.mark.parametrize("life", range(40), indirect=True)
def test_whoever_is_served_stays_served_by_its_own_servers(life: Life) -> None:
    live(life)


@pytest.mark.long
@pytest.mark.parametrize("life", range(40, 1000), indirect=True)
def test_many_that_are_served_stay_served_by_their_own_servers(life: Life) -> None:
    live(life)
