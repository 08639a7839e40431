"""Marks of virtual server groups at a packet filter that is a dictionary: when a table is written, what is said."""

import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.daemon.ipvs_marks import IpvsMarks
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import FilterDisturbance, FilterSettings, MarkElement
from pykeepalived.units import SECOND
from tests.config.reading import read
from tests.support.fakes_vrrp import FakeJournal, FakeReactor

FD = 61
GROUP = "virtual_server_group {0} {{\n{1}\n}}\nvirtual_server group {0} {{\nprotocol TCP\nlvs_sched rr\nlvs_method NAT\n{2}\n}}\n"  # noqa: E501 - a text
REAL4, REAL6 = "real_server 10.8.0.1 80 {\n}", "real_server fd00:8::1 80 {\n}"
WEB, WEB6 = GROUP.format("web", "10.9.0.1-9 80", REAL4), GROUP.format("web6", "fd00::1 80", REAL6)
SHOP = GROUP.format("shop", "10.9.1.1 80", REAL4)
DEFS = "global_defs {\nnftables_ipvs\n}\n"


@dataclass
class FakePacketMarks:
    """Tables by family and name; ``refuse`` has the errno of orders to come."""

    tables: dict[tuple[int, str], frozenset[MarkElement]] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)
    refuse: dict[str, int] = field(default_factory=dict)
    heard: list[FilterDisturbance] = field(default_factory=list)
    without: set[int] = field(default_factory=set)

    def check(self, family: int) -> None:
        if family in self.without:
            raise KernelError("make the nftables table", errno.EOPNOTSUPP)

    def write(self, family: int, settings: FilterSettings, elements: frozenset[MarkElement]) -> None:
        self._order("write")
        self.tables[family, settings.table] = elements

    def change(
        self, family: int, settings: FilterSettings, added: frozenset[MarkElement], removed: frozenset[MarkElement]
    ) -> None:
        if (family, settings.table) not in self.tables:
            raise KernelError("change", errno.ENOENT)
        self._order("change")
        self.tables[family, settings.table] = self.tables[family, settings.table] - removed | added

    def remove(self, family: int, table: str) -> None:
        self._order("remove")
        self.tables.pop((family, table), None)

    def listen(self) -> int:
        return FD

    def disturbances(self, table: str) -> list[FilterDisturbance]:
        del table
        heard, self.heard = self.heard, []
        return heard

    def close(self) -> None:
        self.trace.append("close")

    def cut(self) -> list[str]:
        trace, self.trace = self.trace, []
        return trace

    def _order(self, what: str) -> None:
        if number := self.refuse.get(what):
            raise KernelError(f"{what} the nftables table", number)
        self.trace.append(what)


@dataclass
class Bench:
    """Marks between fakes."""

    filter: FakePacketMarks = field(default_factory=FakePacketMarks)
    reactor: FakeReactor = field(default_factory=FakeReactor)
    journal: FakeJournal = field(default_factory=FakeJournal)
    keepsake: Keepsake = field(default_factory=Keepsake)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.marks = IpvsMarks(cast("Any", self.reactor), self.journal, lambda: self.filter, self.keepsake)

    def take(self, text: str) -> dict[str, int]:
        found = self.marks.take(read(text).configuration)
        self.marks.mark()
        return {service.name: mark for service, mark in found.items()}

    def flush(self) -> None:
        self.filter.heard += [FilterDisturbance(family, "nft[7]") for family, _ in self.filter.tables]
        self.filter.tables.clear()
        self.reactor.watched[FD]()
        self.reactor.run_for(0)

    def said(self) -> list[str]:
        texts = self.journal.texts()
        self.journal.lines.clear()
        return texts


def test_nothing_is_asked_of_the_kernel_without_the_keyword() -> None:
    bench = Bench()
    assert bench.take(WEB) == {}
    bench.marks.close(release=True)
    assert bench.filter.cut() == []


def test_nothing_is_touched_when_nothing_changed_and_elements_when_addresses_did() -> None:
    bench = Bench()
    bench.take(DEFS + WEB + WEB6)
    assert bench.filter.cut() == ["write", "write"]
    bench.take(DEFS + WEB + WEB6)
    assert bench.filter.cut() == []
    bench.take(DEFS + WEB.replace("1-9", "1-5") + WEB6)
    assert bench.filter.cut() == ["change"]
    bench.take(DEFS + WEB.replace("TCP", "UDP") + WEB6)
    assert bench.filter.cut() == ["write"]
    bench.take(DEFS + WEB6)
    assert bench.filter.cut() == ["remove"]
    bench.marks.close(release=True)
    assert bench.filter.cut() == ["remove", "close"]
    assert bench.said() == []


def test_the_tables_stay_when_the_ipvs_table_does() -> None:
    bench = Bench()
    bench.take(DEFS + WEB)
    bench.marks.close(release=False)
    assert list(bench.filter.tables) == [(AF_INET, "keepalived_ipvs")]


def test_a_kernel_without_nftables_serves_addresses_and_it_is_said() -> None:
    bench = Bench()
    bench.filter.without = {AF_INET}
    assert bench.take(DEFS + WEB + WEB6) == {"web6": 1000}
    (line,) = bench.said()
    assert line.startswith("No nftables for IPv4 in this kernel (cannot make the nftables table: ")
    assert list(bench.filter.tables) == [(AF_INET6, "keepalived_ipvs")]
    bench.filter.without = set()
    assert bench.take(DEFS + WEB + WEB6) == {"web": 1001, "web6": 1000}


def test_what_is_refused_is_said_once_and_tried_again() -> None:
    bench = Bench()
    bench.filter.refuse["write"] = errno.ENOMEM
    bench.take(DEFS + WEB)
    bench.reactor.run_for(600 * SECOND)
    assert len(bench.said()) == 1
    del bench.filter.refuse["write"]
    bench.reactor.run_for(61 * SECOND)
    assert len(bench.filter.tables) == 1
    bench.flush()
    bench.reactor.run_for(61 * SECOND)
    assert len(bench.filter.tables) == 1  # it is watched as one that was made at once


def test_a_flushed_table_comes_back_and_a_quarrel_becomes_slow() -> None:
    bench = Bench()
    bench.take(DEFS + WEB)
    writes = 0
    for _ in range(30):
        bench.filter.cut()
        bench.flush()
        bench.reactor.run_for(10 * SECOND)
        writes += bench.filter.cut().count("write")
    assert 5 <= writes <= 12
    assert all("keepalived_ipvs is made again" in line and "nft[7]" in line for line in bench.said())
    bench.reactor.run_for(61 * SECOND)
    assert len(bench.filter.tables) == 1


@pytest.mark.parametrize("lost", [errno.ENOBUFS, errno.EPERM])
def test_without_news_the_tables_are_there_all_the_same(lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def refuse() -> int:
        raise KernelError("listen to netlink", lost)

    with monkeypatch.context() as patch:
        patch.setattr(bench.filter, "listen", refuse)
        bench.take(DEFS + WEB)
        assert len(bench.filter.tables) == 1
        bench.reactor.run_for(60 * SECOND)
        (line,) = bench.said()
    assert line.endswith("an nftables table that another program removes is not made again")
    bench.filter.tables.clear()  # unheard
    bench.reactor.run_for(60 * SECOND)
    assert len(bench.filter.tables) == 1
    bench.said()
    bench.flush()
    bench.reactor.run_for(61 * SECOND)
    assert len(bench.filter.tables) == 1
    assert "nft[7]" in bench.said()[0]


def test_news_that_cannot_be_watched_are_heard_later(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "fs.epoll.max_user_watches")

    with monkeypatch.context() as patch:
        patch.setattr(bench.reactor, "watch", refuse)
        bench.take(DEFS + WEB)
    bench.reactor.run_for(60 * SECOND)
    bench.flush()
    bench.reactor.run_for(61 * SECOND)
    assert len(bench.filter.tables) == 1


def test_news_that_fail_are_heard_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def fail(table: str) -> list[FilterDisturbance]:
        raise KernelError(f"listen to netlink for {table}", errno.ENOMEM)

    bench.take(DEFS + WEB)
    with monkeypatch.context() as patch:
        patch.setattr(bench.filter, "disturbances", fail)
        bench.reactor.watched[FD]()
    bench.reactor.run_for(60 * SECOND)
    bench.flush()
    bench.reactor.run_for(61 * SECOND)
    assert len(bench.filter.tables) == 1


def test_what_was_refused_and_is_not_wanted_any_more_is_forgotten() -> None:
    bench = Bench()
    bench.filter.refuse["write"] = errno.ENOMEM
    bench.take(DEFS + WEB)
    bench.take(DEFS)
    bench.filter.refuse.clear()
    bench.said()
    bench.reactor.run_for(600 * SECOND)
    assert bench.said() == []
    assert bench.filter.tables == {}


def test_a_table_under_another_name_goes_when_the_new_one_stands_at_last() -> None:
    bench = Bench()
    bench.take(DEFS + WEB)
    bench.filter.refuse["write"] = errno.ENOMEM
    bench.take(DEFS.replace("nftables_ipvs", "nftables_ipvs other") + WEB)
    assert list(bench.filter.tables) == [(AF_INET, "keepalived_ipvs")]
    bench.filter.refuse.clear()
    bench.reactor.run_for(600 * SECOND)
    assert list(bench.filter.tables) == [(AF_INET, "other")]
    bench.marks.close(release=True)
    assert bench.filter.tables == {}


def test_a_table_that_is_not_made_yet_may_go_under_its_former_name() -> None:
    bench = Bench()
    bench.take(DEFS + WEB)
    bench.filter.refuse["write"] = errno.ENOMEM
    bench.take(DEFS.replace("nftables_ipvs", "nftables_ipvs other") + WEB)
    bench.take(DEFS.replace("nftables_ipvs", "nftables_ipvs other"))
    assert bench.filter.tables == {}
    bench.reactor.run_for(600 * SECOND)
    bench.marks.close(release=True)


def test_one_that_takes_over_goes_on_with_the_marks(tmp_path: Path) -> None:
    """By their order in the file they would be others: packets of one service would go to the servers of another."""
    with (tmp_path / "kept").open("w+b") as file:
        bench = Bench(keepsake=Keepsake(file.fileno()))
        bench.take(DEFS + WEB)
        assert bench.take(DEFS + WEB6 + WEB) == {"web6": 1001, "web": 1000}
        bench.keepsake = Keepsake(file.fileno())
        bench.begin()
        assert bench.take(DEFS + WEB6 + WEB) == {"web6": 1001, "web": 1000}
    bench.keepsake = Keepsake()
    bench.begin()
    assert bench.take(DEFS + WEB6 + WEB) == {"web6": 1000, "web": 1001}


def test_another_first_mark_gives_no_mark_to_another() -> None:
    bench = Bench()
    first = DEFS.replace("{", "{{").replace("}", "nftables_ipvs_start_fwmark {}\n}}")
    assert bench.take(first.format(1000) + WEB + WEB6) == {"web": 1000, "web6": 1001}
    assert bench.take(first.format(1001) + WEB + WEB6) == {"web": 1002, "web6": 1001}
    assert bench.take(first.format(500) + WEB + WEB6) == {"web": 500, "web6": 501}


def test_a_mark_under_which_there_are_packets_is_not_given_to_another_service() -> None:
    """The service that comes stands before packets are marked otherwise: its servers would get those of the former."""
    bench = Bench()
    bench.take(DEFS + WEB)
    bench.marks.take(read(DEFS).configuration)  # overtaken by the next, before its services stood
    assert bench.take(DEFS + SHOP + WEB) == {"shop": 1001, "web": 1000}
    bench.marks.take(read(WEB).configuration)
    assert bench.take(DEFS + SHOP) == {"shop": 1001}
    assert bench.take(DEFS + SHOP + WEB) == {"shop": 1001, "web": 1000}
    first = DEFS.replace("}", "nftables_ipvs_start_fwmark 999\n}")
    assert bench.take(first + WEB + SHOP) == {"web": 999, "shop": 1002}


def test_a_mark_that_a_table_still_gives_is_given_to_no_other_service(tmp_path: Path) -> None:
    """A process died before it could take the marks away; or a table could not be removed."""
    with (tmp_path / "kept").open("w+b") as file:
        bench = Bench(keepsake=Keepsake(file.fileno()))
        bench.take(DEFS + WEB)
        bench.marks.take(read(WEB).configuration)  # never carried out
        bench.keepsake = Keepsake(file.fileno())
        bench.begin()
        bench.filter.refuse["remove"] = errno.ENOMEM
        assert bench.take(DEFS.replace("nftables_ipvs", "nftables_ipvs other") + SHOP) == {"shop": 1001}
        bench.take("")
        assert bench.take(DEFS + SHOP + WEB6) == {"shop": 1002, "web6": 1003}
        bench.filter.refuse.clear()
        bench.reactor.run_for(10 * SECOND)
        assert bench.take(DEFS + SHOP + WEB6 + WEB) == {"shop": 1002, "web6": 1003, "web": 1000}


def test_one_that_takes_over_removes_the_tables_that_are_not_wanted_any_more(tmp_path: Path) -> None:
    """Else packets would be marked for services that are gone, or for those of another service."""
    with (tmp_path / "kept").open("w+b") as file:
        bench = Bench(keepsake=Keepsake(file.fileno()))
        bench.take(DEFS + WEB + WEB6)
        bench.keepsake = Keepsake(file.fileno())
        bench.begin()
        bench.filter.cut()
        bench.take(DEFS.replace("nftables_ipvs", "nftables_ipvs other") + WEB)
        assert list(bench.filter.tables) == [(AF_INET, "other")]
        assert bench.filter.cut() == ["remove", "write", "remove"]
        bench.keepsake = Keepsake(file.fileno())
        bench.begin()
        bench.take(WEB)
        assert bench.filter.tables == {}
        bench.keepsake = Keepsake(file.fileno())
        bench.begin()
        bench.take(DEFS + WEB)
        assert bench.filter.cut() == ["remove", "write"]
    assert bench.said() == []


def test_one_that_comes_with_no_servers_to_stop_at_once_removes_the_tables(tmp_path: Path) -> None:
    """As when the daemon is stopped while its checker process is dead."""
    with (tmp_path / "kept").open("w+b") as file:
        bench = Bench(keepsake=Keepsake(file.fileno()))
        bench.take(DEFS + WEB + WEB6)
        bench.keepsake = Keepsake(file.fileno())
        bench.begin()
        assert bench.marks.take(read(DEFS).configuration) == {}
        bench.marks.close(release=True)
    assert bench.filter.tables == {}


def test_packets_are_marked_when_it_is_said_that_the_services_stand() -> None:
    bench = Bench()
    part = read(DEFS + WEB).configuration
    assert bench.marks.take(part)
    assert (bench.marks.change, bench.filter.cut()) == (True, [])
    bench.marks.mark()
    assert (bench.marks.change, bench.filter.cut()) == (False, ["write"])
    bench.marks.take(part)
    assert not bench.marks.change


def test_a_table_that_cannot_be_removed_is_removed_later() -> None:
    """Else packets had their marks for ever, and may be another service's one day."""
    bench = Bench()
    bench.take(DEFS + WEB + WEB6)
    bench.filter.refuse["remove"] = errno.ENOMEM
    bench.take(DEFS + WEB)
    assert bench.said() == ["cannot remove the nftables table: Cannot allocate memory"]
    assert bench.keepsake.get("tables") == [[AF_INET, "keepalived_ipvs"], [AF_INET6, "keepalived_ipvs"]]
    bench.reactor.run_for(30 * SECOND)
    assert bench.said() == []
    bench.filter.refuse.clear()
    bench.reactor.run_for(10 * SECOND)
    assert list(bench.filter.tables) == [(AF_INET, "keepalived_ipvs")]
    assert bench.keepsake.get("tables") == [[AF_INET, "keepalived_ipvs"]]


def test_a_table_that_was_made_later_is_known_to_the_next_process(tmp_path: Path) -> None:
    with (tmp_path / "kept").open("w+b") as file:
        bench = Bench(keepsake=Keepsake(file.fileno()))
        bench.filter.refuse["write"] = errno.ENOMEM
        bench.take(DEFS + WEB)
        bench.filter.refuse.clear()
        bench.reactor.run_for(5 * SECOND)
        assert list(bench.filter.tables) == [(AF_INET, "keepalived_ipvs")]
        bench.keepsake = Keepsake(file.fileno())
        bench.begin()
        bench.take(WEB)
        assert bench.filter.tables == {}
