"""Groups in the checker process: one pool on many services of the kernel, and services that change hands."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pykeepalived.config.blocks.virtual_server import RealServer, Service, SorryServer, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon import ipvs_care
from pykeepalived.daemon.ipvs_marks import IpvsMarks
from pykeepalived.errors import KernelError
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeIpvs
from tests.unit.daemon.test_checker_process import VS, Director, real, virtual
from tests.unit.daemon.test_ipvs_care import Respawned
from tests.unit.daemon.test_ipvs_marks import FakePacketMarks

ONE, TWO, THREE = (f"[10.9.0.{last}]:tcp:80" for last in (1, 2, 3))


def entry(first: int, last: int = 0) -> GroupEntry:
    return GroupEntry(ip_address(f"10.9.0.{first}"), ip_address(f"10.9.0.{last or first}"), 80, family=2)


def of_group(name: str, *servers: RealServer, **keywords: Any) -> VirtualServer:
    return replace(virtual(*servers, **keywords), service=Service("group", None, 0, 6, 0, 2, name))


def still(last: int, **keywords: Any) -> RealServer:
    """A real server without a check."""
    return RealServer(address=ip_address(f"10.8.0.{last}"), port=80, **keywords)


class Grouped(Director):
    """A checker process with groups."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.groups: dict[str, tuple[GroupEntry, ...]] = {}

    def part(self, *blocks: VirtualServer, **defs: Any) -> Configuration:
        groups = tuple(VirtualServerGroup(name, entries) for name, entries in self.groups.items())
        return replace(super().part(*blocks, **defs), virtual_server_group=groups)

    def orders(self) -> list[str]:
        """What was ordered since the last call."""
        orders = [f"{order.verb} {order.service.service}" for order in self.kernel.orders]
        self.kernel.batches.clear()
        return orders


class GroupedLives(Grouped, Respawned):
    """The same, with what one process leaves to the next."""


@pytest.fixture
def grouped() -> Iterator[Grouped]:
    grouped = Grouped()
    yield grouped
    if not grouped.finished:
        grouped.stop()
    for server in grouped.servers:
        server.close()
    grouped.reactor.close()


@pytest.mark.keyword("virtual_server_group")
def test_one_pool_on_many_services(grouped: Grouped) -> None:
    web = grouped.web()
    grouped.groups["web"] = (entry(1, 2), GroupEntry(fwmark=7))
    sorry = SorryServer(address=ip_address("10.8.0.99"), port=80)
    grouped.start(of_group("web", real(web.port), sorry_server=sorry))
    assert grouped.kernel.weights() == {each: {f"127.0.0.1:{web.port}": 1} for each in (ONE, TWO, "FWM 7")}
    grouped.lines()
    web.close()
    grouped.reactor.run_for(20 * SECOND)
    assert grouped.kernel.weights() == {each: {"10.8.0.99:80": 1} for each in (ONE, TWO, "FWM 7")}
    assert [line for line in grouped.lines() if "quorum" in line] == ["Lost quorum 1-0=1 > 0 for VS [web]:0"]
    assert grouped.fifo[-1] == "VS [web]:0 DOWN"
    grouped.stop()
    assert grouped.kernel.weights() == {}


def test_entries_come_and_go_and_the_others_are_not_touched(grouped: Grouped) -> None:
    grouped.groups["web"] = (entry(1), entry(2))
    block = of_group("web", still(11))
    grouped.start(block)
    grouped.orders()
    grouped.lines()
    grouped.groups["web"] = (entry(2, 3),)
    grouped.reload(block)
    assert sorted(grouped.orders()) == [f"add-server {THREE}", f"add-service {THREE}", f"delete-service {ONE}"]
    assert grouped.lines() == [
        "Reinitializing ipvs",
        "VS [[10.9.0.1]:tcp:80] in group web no longer exists",
        "VS [[10.9.0.2]:tcp:80] in group web no longer exists",
        "VS [[10.9.0.2]:tcp:80-10.9.0.3] added into group web",
    ]
    grouped.reload(block)
    assert grouped.orders() == []


def test_a_service_that_changes_hands_is_not_touched(grouped: Grouped) -> None:
    """From a virtual server of its own into a group, from one group to another, and back."""
    grouped.groups = {"a": (entry(1),), "b": (entry(2),)}
    a, b, plain = of_group("a", still(11)), of_group("b", still(11)), virtual(still(11))
    grouped.start(plain, a, b)
    table = grouped.kernel.weights()
    grouped.orders()
    grouped.groups = {"a": (entry(100), entry(2)), "b": (entry(1),)}
    grouped.reload(a, b)
    assert grouped.orders() == []
    grouped.groups = {"b": (entry(1, 2),), "a": (entry(9),)}
    grouped.reload(plain, b)
    assert grouped.orders() == []
    assert grouped.kernel.weights() == table


def test_a_service_that_two_want_belongs_to_the_first(grouped: Grouped) -> None:
    grouped.groups["web"] = (entry(99, 101),)
    block = of_group("web", still(12))
    grouped.start(virtual(still(11)), block)
    line = f"VS [web]:0: {VS} belongs to VS {VS} already - served there alone"
    assert line in grouped.lines()
    assert grouped.pool() == {"10.8.0.11:80": 1}
    assert grouped.pool("[10.9.0.99]:tcp:80") == {"10.8.0.12:80": 1}
    grouped.reload(block)
    assert grouped.pool() == {"10.8.0.12:80": 1}
    assert line not in grouped.lines()


def test_virtual_servers_of_a_group_are_numbered_anew_and_their_checks_go_on(grouped: Grouped) -> None:
    web = grouped.web()
    grouped.groups["web"] = (entry(1),)
    first = of_group("web", still(11))
    second = of_group("web", real(web.port))
    second = replace(second, service=replace(second.service, protocol=17, number=1))
    grouped.start(first, second)
    grouped.reactor.run_for(9 * SECOND)
    udp = grouped.kernel.weights()["[10.9.0.1]:udp:80"]
    grouped.lines()
    grouped.orders()
    grouped.reload(replace(second, service=replace(second.service, number=0)))
    assert set(grouped.orders()) == {f"delete-service {ONE}"}
    assert grouped.kernel.weights() == {"[10.9.0.1]:udp:80": udp}
    assert not any("Activating" in line or "[web]:1" in line for line in grouped.lines())
    grouped.reactor.run_for(9 * SECOND)
    assert grouped.lines() == []  # what was believed still is
    web.close()
    grouped.reactor.run_for(20 * SECOND)
    told = "\n".join(grouped.lines())
    assert "[web]:0" in told
    assert "[web]:1" not in told
    assert grouped.fifo[-1] == "VS [web]:0 DOWN"


def test_a_thousand_addresses_of_a_group(grouped: Grouped) -> None:
    first = ip_address("10.20.0.0")
    grouped.groups["web"] = (GroupEntry(first, first + 999, 80, family=2),)
    block = of_group("web", *(still(last) for last in (11, 12)))
    grouped.start(block)
    grouped.reactor.run_for(SECOND)
    assert len(grouped.kernel.services) == 1000
    grouped.orders()
    grouped.reload(replace(block, real_server=(still(11), still(12, weight=7))))
    grouped.reactor.run_for(SECOND)
    assert len(grouped.orders()) == 1000
    assert {each["10.8.0.12:80"] for each in grouped.kernel.weights().values()} == {7}


class MarksWithoutNews(FakePacketMarks):
    """Of a kernel that tells nobody what others do."""

    def listen(self) -> int:
        raise KernelError("listen", errno.EPERM)


class WatchedMarks(IpvsMarks):
    """How the table is while packets are marked anew, before and after."""

    kernel: FakeIpvs
    moments: list[set[str]]

    def mark(self) -> None:
        self.moments.append({str(each) for each, table in self.kernel.services.items() if table.destinations})
        super().mark()


def test_packets_find_their_servers_while_a_reload_turns_to_marks_and_back(
    grouped: Grouped, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services are there with their servers before packets go to them, and until no packet does any more."""
    marks = MarksWithoutNews()
    monkeypatch.setattr(WatchedMarks, "kernel", grouped.kernel, raising=False)
    moments: list[set[str]] = []
    monkeypatch.setattr(WatchedMarks, "moments", moments, raising=False)
    monkeypatch.setattr(ipvs_care, "IpvsMarks", WatchedMarks)
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    grouped.groups = {"web": (entry(1, 2),)}
    block = of_group("web", still(1), still(2))
    service = grouped.start(block)
    for nftables in ("marks", None, "marks", "others"):
        service.reload(grouped.part(block, nftables_ipvs=nftables))
        grouped.reactor.run_for(0)
        assert set(grouped.kernel.weights()) == ({"FWM 1000"} if nftables else {ONE, TWO})
        assert [table for _, table in marks.tables] == ([nftables] if nftables else [])
    both = {ONE, TWO, "FWM 1000"}
    assert moments == [both, both, both, {"FWM 1000"}]
    grouped.groups = {"web": (entry(1, 2), GroupEntry(None, None, 0, fwmark=7, family=2))}  # which has none of ours
    service.reload(grouped.part(block, nftables_ipvs="others"))
    grouped.reactor.run_for(0)
    assert moments[4:] == [both | {"FWM 7"}]
    assert set(grouped.kernel.weights()) == {ONE, TWO, "FWM 7"}


def _silent(*_: object) -> NoReturn:
    raise KernelError("give orders to IPVS", errno.ETIMEDOUT)


def test_packets_are_marked_when_the_services_stand_though_the_kernel_was_silent(
    grouped: Grouped, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = MarksWithoutNews()
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    grouped.groups = {"web": (entry(1, 2),)}
    block = of_group("web", still(1), still(2))
    service = grouped.start(block)
    apply, grouped.kernel.apply = grouped.kernel.apply, _silent  # type: ignore[method-assign,assignment]
    service.reload(grouped.part(block, nftables_ipvs="marks"))
    grouped.reactor.run_for(0)
    assert marks.tables == {}
    assert set(grouped.kernel.weights()) == {ONE, TWO}
    grouped.kernel.apply = apply  # type: ignore[method-assign]
    grouped.reactor.run_for(2 * SECOND)
    assert marks.tables
    assert set(grouped.kernel.weights()) == {"FWM 1000"}


def test_servers_of_one_that_goes_stay_while_packets_go_to_them_though_the_kernel_was_silent(
    grouped: Grouped, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = MarksWithoutNews()
    monkeypatch.setattr(WatchedMarks, "kernel", grouped.kernel, raising=False)
    moments: list[set[str]] = []
    monkeypatch.setattr(WatchedMarks, "moments", moments, raising=False)
    monkeypatch.setattr(ipvs_care, "IpvsMarks", WatchedMarks)
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    grouped.groups = {"web": (entry(1),)}
    service = grouped.start(of_group("web", still(1)), nftables_ipvs="marks")
    apply, grouped.kernel.apply = grouped.kernel.apply, _silent  # type: ignore[method-assign,assignment]
    service.reload(grouped.part(virtual(still(2)), nftables_ipvs="marks"))
    grouped.kernel.apply = apply  # type: ignore[method-assign]
    grouped.reactor.run_for(2 * SECOND)
    assert moments == [{"FWM 1000"}, {"FWM 1000", VS}]
    assert set(grouped.kernel.weights()) == {VS}
    assert marks.tables == {}


def test_a_service_goes_with_a_turn_of_the_marks_that_is_taken_back(
    grouped: Grouped, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was to wait until packets are marked otherwise, and they are not."""
    marks = MarksWithoutNews()
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    grouped.groups = {"web": (entry(1),)}
    web = of_group("web", still(1))
    service = grouped.start(web, virtual(still(2)), nftables_ipvs="marks")
    apply, grouped.kernel.apply = grouped.kernel.apply, _silent  # type: ignore[method-assign,assignment]
    service.reload(grouped.part(replace(web, real_server=(still(3),)), nftables_ipvs="others"))
    service.reload(grouped.part(web, nftables_ipvs="marks"))
    grouped.kernel.apply = apply  # type: ignore[method-assign]
    grouped.reactor.run_for(2 * SECOND)
    assert [table for _, table in marks.tables] == ["marks"]
    assert grouped.kernel.weights() == {"FWM 1000": {"10.8.0.1:80": 1}}


def test_a_service_keeps_its_servers_until_packets_go_elsewhere_though_others_follow(
    grouped: Grouped, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload has other servers and no marks, and the kernel is silent at first."""
    marks = MarksWithoutNews()
    monkeypatch.setattr(WatchedMarks, "kernel", grouped.kernel, raising=False)
    moments: list[set[str]] = []
    monkeypatch.setattr(WatchedMarks, "moments", moments, raising=False)
    monkeypatch.setattr(ipvs_care, "IpvsMarks", WatchedMarks)
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    grouped.groups = {"web": (entry(1),)}
    service = grouped.start(of_group("web", still(1)), nftables_ipvs="marks")
    with monkeypatch.context() as silent:
        silent.setattr(grouped.kernel, "apply", _silent)
        service.reload(grouped.part(of_group("web", still(2))))
    grouped.reactor.run_for(2 * SECOND)
    assert moments == [{"FWM 1000"}, {"FWM 1000", ONE}]
    assert set(grouped.kernel.weights()) == {ONE}


@pytest.mark.parametrize("then", ["it is made", "taken back", "a stop"])
def test_former_services_stay_until_packets_could_be_marked(
    grouped: Grouped, monkeypatch: pytest.MonkeyPatch, *, then: str
) -> None:
    marks = MarksWithoutNews()
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    grouped.groups = {"web": (entry(1, 2),)}
    web = grouped.web()
    block = of_group("web", still(1), real(web.port))
    service = grouped.start(block, virtual(still(2)))
    marks.refuse["write"] = errno.ENOMEM
    service.reload(grouped.part(block, nftables_ipvs="marks"))
    web.close()
    grouped.reactor.run_for(100 * SECOND)  # a server falls meanwhile, and it is told
    assert set(grouped.kernel.weights()) == {ONE, TWO, "FWM 1000", VS}
    assert grouped.fifo[-1].endswith(" DOWN")
    if then == "taken back":
        service.reload(grouped.part(block))
    elif then == "a stop":
        grouped.stop()
        assert grouped.finished
    else:
        marks.refuse.clear()
        grouped.reactor.run_for(61 * SECOND)
    left: dict[str, set[str]] = {"it is made": {"FWM 1000"}, "taken back": {ONE, TWO}, "a stop": set()}
    assert set(grouped.kernel.weights()) == left[then]
    assert bool(marks.tables) is (then == "it is made")


def test_a_death_amid_a_turn_to_marks_loses_no_packet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Services go when packets are marked, not before, though nobody names them any more."""
    marks = MarksWithoutNews()
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    with (tmp_path / "kept").open("w+b") as file:
        grouped = GroupedLives(file)
        grouped.groups = {"web": (entry(1, 2),)}
        block = of_group("web", still(1))
        service = grouped.start(block)
        with monkeypatch.context() as dying:
            dying.setattr(grouped.kernel, "apply", _silent)
            service.reload(grouped.part(block, nftables_ipvs="marks"))
        grouped.die()
        marks.refuse["write"] = errno.ENOMEM
        grouped.start(block, nftables_ipvs="marks")
        assert set(grouped.kernel.weights()) == {ONE, TWO, "FWM 1000"}
        grouped.die()  # and the next one knows them still
        marks.refuse.clear()
        grouped.start(block, nftables_ipvs="marks")
        assert set(grouped.kernel.weights()) == {"FWM 1000"}
        assert marks.tables
        grouped.stop()
        grouped.reactor.close()


def test_a_stop_amid_a_turn_to_marks_leaves_nothing(grouped: Grouped, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = MarksWithoutNews()
    monkeypatch.setattr(ipvs_care.IpvsCare, "_packet_marks", lambda _self: marks)
    grouped.groups = {"web": (entry(1, 250),)}
    block = of_group("web", still(1), still(2))
    service = grouped.start(block, nftables_ipvs="marks")
    service.reload(grouped.part(block))
    assert marks.tables
    assert len(grouped.kernel.services) > 1
    grouped.stop()
    assert grouped.kernel.services == {}
    assert marks.tables == {}
