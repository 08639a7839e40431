"""The firewall at a packet filter that is a dictionary: what is in its tables, when, and what is said."""

from dataclasses import dataclass, field
from errno import ENOENT, ENOSPC, EOPNOTSUPP, EPERM
from ipaddress import IPv4Address, ip_address
from typing import Any, cast

import pytest

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.daemon.firewall import Firewall
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.errors import KernelError
from pykeepalived.kernel.nft_tables import index_key, name_key
from pykeepalived.kernel.ports import FilterDisturbance, FilterElement, FilterSet
from pykeepalived.units import SECOND
from tests.config.reading import instance_text, sound
from tests.support import fakes_vrrp
from tests.support.fakes_firewall import FD, FakePacketFilter
from tests.support.fakes_vrrp import FakeJournal, FakeReactor, make_link

NO_ACCEPT = instance_text("no_accept")
USING = "use_vmac or no_accept/strict specified, but no firewall configured - using nftables"


def entry(address: str, dev: str = "eth0") -> AddressEntry:
    packed = ip_address(address)
    return AddressEntry(packed, packed.max_prefixlen, dev)


def vip(address: str) -> FilterElement:
    return FilterElement(FilterSet.VIPS, ip_address(address).packed)


VIP, OTHER, VIP6, LOCAL = entry("10.0.0.100"), entry("10.0.0.101"), entry("fd00::100"), entry("fe80::100")


@dataclass
class Bench:
    """A firewall between fakes."""

    filter: FakePacketFilter = field(default_factory=FakePacketFilter)
    reactor: FakeReactor = field(default_factory=FakeReactor)
    journal: FakeJournal = field(default_factory=FakeJournal)

    def __post_init__(self) -> None:
        links = {"eth0": make_link("eth0", 3)}
        self.firewall = Firewall(self.filter, cast("Any", self.reactor), self.journal, links.get)

    def start(self, global_defs: str = "", instances: str = NO_ACCEPT) -> "Bench":
        self.firewall.start(sound(f"global_defs {{\n{global_defs}\n}}\n{instances}").configuration)
        return self

    def held(self, family: int = AF_INET, table: str = "keepalived") -> set[FilterElement]:
        return self.filter.tables[family, table]

    def words(self) -> list[str]:
        words = [" ".join(each[1:]) for each in self.filter.trace]
        self.filter.trace.clear()
        return words

    def hear(self) -> None:
        self.reactor.watched[FD]()
        self.reactor.turn()


def test_a_table_is_made_when_something_is_first_to_be_in_it_and_then_only_changes() -> None:
    bench = Bench().start()
    assert bench.words() == ["check 2"]
    bench.firewall.block([VIP], by_name=False)
    assert bench.words() == ["write 1", "listen"]
    bench.firewall.block([VIP, OTHER], by_name=False)
    assert bench.words() == ["change +1 -0"]
    assert bench.held() == {vip("10.0.0.100"), vip("10.0.0.101")}
    bench.firewall.unblock([VIP])
    bench.firewall.unblock([VIP, entry("10.0.0.200")])
    assert bench.words() == ["change +0 -1"]
    assert bench.held() == {vip("10.0.0.101")}
    bench.firewall.close()
    assert bench.words() == ["remove table keepalived"]
    assert bench.filter.closed
    assert not bench.reactor.watched


def test_one_address_on_two_interfaces_is_dropped_until_both_are_gone() -> None:
    bench = Bench().start()
    bench.firewall.block([VIP, entry("10.0.0.100", "eth1")], by_name=False)
    bench.firewall.unblock([VIP])
    assert bench.held() == {vip("10.0.0.100")}
    bench.firewall.unblock([entry("10.0.0.100", "eth1")])
    assert bench.held() == set()


@pytest.mark.keyword("global_defs.nftables_ifindex")
@pytest.mark.parametrize(
    ("global_defs", "by_name", "dev", "element"),
    [
        ("", False, "eth0", FilterElement(FilterSet.LINK_LOCAL, LOCAL.address.packed + index_key(3))),
        ("", True, "eth0", FilterElement(FilterSet.LINK_LOCAL_NAME, LOCAL.address.packed + name_key("eth0"))),
        ("nftables_ifindex", True, "eth0", FilterElement(FilterSet.LINK_LOCAL, LOCAL.address.packed + index_key(3))),
        ("", False, "eth9", FilterElement(FilterSet.LINK_LOCAL_NAME, LOCAL.address.packed + name_key("eth9"))),
    ],
)
def test_a_link_local_address_is_one_of_its_interface(
    global_defs: str, by_name: bool, dev: str, element: FilterElement
) -> None:
    bench = Bench().start(global_defs)
    bench.firewall.block([VIP6], by_name=by_name)
    bench.words()
    bench.firewall.block([entry("fe80::100", dev)], by_name=by_name)
    assert bench.words() == ["write 2"]  # a set more
    assert bench.held(AF_INET6) == {vip("fd00::100"), element}
    assert AF_INET not in [family for family, _ in bench.filter.tables]


@pytest.mark.keyword("global_defs.nftables", "global_defs.nftables_priority", "global_defs.nftables_counters")
def test_the_settings_and_another_name_by_a_reload() -> None:
    bench = Bench().start("nftables mine\nnftables_priority -7\nnftables_counters")
    assert bench.journal.texts() == []
    bench.firewall.block([VIP, VIP6], by_name=False)
    settings = bench.filter.settings
    assert settings is not None
    assert (settings.table, settings.priority, settings.counters) == ("mine", -7, True)
    bench.words()
    bench.firewall.configure(sound(NO_ACCEPT).configuration)
    assert bench.words() == ["write 1", "remove table mine", "write 1", "remove table mine"]
    assert {table for _, table in bench.filter.tables} == {"keepalived"}
    bench.firewall.configure(sound("global_defs {\nnftables_counters\n}" + NO_ACCEPT).configuration)
    assert bench.words() == ["write 1", "write 1"]
    bench.firewall.configure(sound("global_defs {\nnftables_counters\n}" + NO_ACCEPT).configuration)
    assert bench.words() == []
    bench.filter.refuse["write"] = EPERM
    bench.firewall.configure(sound("global_defs {\nnftables third\n}" + NO_ACCEPT).configuration)
    assert {table for _, table in bench.filter.tables} == {"keepalived"}  # better than none


@pytest.mark.parametrize("ends", ["made", "stopped", "back", "cannot remove"])
def test_a_table_under_a_former_name_goes_when_it_can(ends: str) -> None:
    """Else it would drop packets to the addresses for ever, also after the stop."""
    bench = Bench().start("nftables mine")
    bench.firewall.block([VIP], by_name=False)
    bench.filter.refuse["remove table" if ends == "cannot remove" else "write"] = EPERM
    bench.firewall.configure(sound("global_defs {\nnftables other\n}" + NO_ACCEPT).configuration)
    assert (AF_INET, "mine") in bench.filter.tables
    if ends == "stopped":
        bench.firewall.close()
        assert bench.filter.tables == {}
        return
    bench.filter.refuse.clear()
    if ends == "back":
        bench.firewall.configure(sound("global_defs {\nnftables mine\n}" + NO_ACCEPT).configuration)
    bench.reactor.run_for(60 * SECOND)
    if ends == "cannot remove":
        bench.firewall.close()
        assert bench.filter.tables == {}
    else:
        assert list(bench.filter.tables) == [(AF_INET, "mine" if ends == "back" else "other")]


@pytest.mark.keyword("global_defs.vrrp_iptables", "global_defs.vrrp_ipsets", "global_defs.namespace_with_ipsets")
def test_what_is_used_is_said_once_at_start() -> None:
    assert Bench().start().journal.texts() == [USING]
    assert Bench().start("nftables").journal.texts() == []
    assert Bench().start("", instance_text("")).journal.texts() == []
    assert Bench().start("", instance_text("no_accept\npriority 255")).journal.texts() == []
    (said,) = Bench().start("vrrp_iptables MINE").journal.texts()
    assert "nftables is used instead" in said
    (said,) = Bench().start("vrrp_ipsets", instance_text("")).journal.texts()
    assert "nftables is used instead" in said
    bench = Bench()
    bench.firewall.start(sound(f"namespace_with_ipsets\n{NO_ACCEPT}").configuration)
    assert "namespace_with_ipsets: there are no ipsets, for nftables is used" in bench.journal.texts()


@pytest.mark.parametrize("reload", [True, False])
def test_a_kernel_without_nftables_is_said_once_and_looked_at_again(reload: bool) -> None:
    bench = Bench(FakePacketFilter(refuse={"check": EOPNOTSUPP})).start()
    assert "No nftables for IPv4 in this kernel" in bench.journal.texts()[-1]
    bench.firewall.block([VIP], by_name=False)
    bench.firewall.unblock([VIP])
    bench.firewall.block([OTHER], by_name=False)
    assert len(bench.journal.texts()) == 2
    assert bench.words() == []
    bench.reactor.run_for(61 * SECOND)
    assert bench.words() == []
    bench.filter.refuse.clear()
    if reload:
        bench.firewall.configure(sound(NO_ACCEPT).configuration)
        assert len(bench.journal.texts()) == 2
    else:
        bench.reactor.run_for(60 * SECOND)
        assert bench.journal.texts()[2:] == ["The nftables table ip keepalived holds from now on"]
    assert bench.words() == ["check 2", "write 1", "listen"]
    assert bench.held() == {vip("10.0.0.101")}
    bench.reactor.run_for(120 * SECOND)
    assert bench.words() == []


def test_a_flush_by_another_program_is_mended_at_once_then_more_and_more_slowly() -> None:
    bench = Bench().start()
    bench.firewall.block([VIP, VIP6], by_name=False)
    instants = []
    for _ in range(9):
        bench.filter.flush()
        asked = bench.reactor.time
        bench.hear()
        while not bench.filter.tables:
            bench.reactor.run_for(SECOND // 2)
        instants.append((bench.reactor.time - asked) / SECOND)
        assert bench.held() == {vip("10.0.0.100")}
        assert bench.held(AF_INET6) == {vip("fd00::100")}
    assert instants == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    said = bench.journal.texts()[1:]
    assert said[0] == ("The nftables table ip keepalived is made again: nft[7] has removed it, or something in it")
    assert "is made again in 1 s: nft[7] has removed it, or something in it (let no other" in said[2]
    assert len(said) == 9 * 2 + 8 * 2
    bench.reactor.run_for(121 * SECOND)
    bench.filter.flush()
    bench.hear()
    assert bench.held() == {vip("10.0.0.100")}


def test_what_comes_while_a_table_is_away_is_dropped_all_the_same() -> None:
    bench = Bench().start()
    bench.firewall.block([VIP], by_name=False)
    bench.filter.tables.clear()  # not heard of yet
    bench.firewall.block([OTHER], by_name=False)
    assert bench.held() == {vip("10.0.0.100"), vip("10.0.0.101")}
    for _ in range(2):
        bench.filter.flush()
        bench.hear()
    assert not bench.filter.tables  # it waits
    bench.firewall.unblock([VIP])
    assert bench.held() == {vip("10.0.0.101")}


def test_news_that_were_lost_may_have_been_of_us() -> None:
    bench = Bench().start()
    bench.firewall.block([VIP], by_name=False)
    bench.words()
    bench.filter.heard.append(FilterDisturbance(None, ""))
    bench.filter.heard.append(FilterDisturbance(AF_INET6, "nft[7]"))  # of which we have no table
    bench.hear()
    assert bench.words() == ["write 1"]
    assert "more news of nftables than could be heard" in bench.journal.texts()[-1]


def test_news_that_end_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object, table: str) -> list[FilterDisturbance]:
        raise KernelError(f"listen for {table}", EPERM)

    bench = Bench().start()
    bench.firewall.block([VIP], by_name=False)
    with monkeypatch.context() as patch:
        patch.setattr(FakePacketFilter, "disturbances", broken)
        bench.hear()
    assert "is not made again" in bench.journal.texts()[-1]
    assert not bench.reactor.watched
    bench.filter.tables.clear()  # unheard
    bench.reactor.run_for(10 * SECOND)
    assert bench.held() == {vip("10.0.0.100")}
    bench.firewall.close()
    assert not bench.reactor.watched


def test_news_that_cannot_be_watched_are_heard_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(ENOSPC, "fs.epoll.max_user_watches")

    bench = Bench().start()
    with monkeypatch.context() as patch:
        patch.setattr(bench.reactor, "watch", refuse)
        bench.firewall.block([VIP], by_name=False)
    bench.reactor.run_for(10 * SECOND)
    bench.filter.flush()
    bench.hear()
    bench.reactor.run_for(10 * SECOND)
    assert bench.held() == {vip("10.0.0.100")}


def test_a_refusal_is_said_once_and_tried_again() -> None:
    bench = Bench(FakePacketFilter(refuse={"write": EPERM})).start()
    bench.firewall.block([VIP], by_name=False)
    bench.reactor.run_for(30 * SECOND)
    assert bench.journal.texts()[1:] == ["cannot write the table: Operation not permitted"]
    bench.filter.refuse.clear()
    bench.reactor.run_for(60 * SECOND)
    assert bench.held() == {vip("10.0.0.100")}


@pytest.mark.parametrize("listen", [EPERM, 0])
def test_without_news_the_table_is_there_all_the_same(listen: int) -> None:
    bench = Bench(FakePacketFilter(refuse={"listen": listen})).start()
    bench.firewall.block([VIP], by_name=False)
    assert bench.held() == {vip("10.0.0.100")}
    assert bool(bench.reactor.watched) is not bool(listen)
    bench.reactor.run_for(60 * SECOND)
    assert sum("is not made again" in line for line in bench.journal.texts()) == bool(listen)
    bench.filter.refuse.clear()
    bench.reactor.run_for(10 * SECOND)
    bench.filter.flush()
    bench.hear()
    bench.reactor.run_for(60 * SECOND)
    assert bench.held() == {vip("10.0.0.100")}
    bench.firewall.close()


@pytest.mark.parametrize(
    ("lines", "global_defs", "left", "stays"),
    [
        ("no_accept", "", "10.9.9.9", False),
        ("", "nftables", "10.9.9.9", False),
        ("", "", "10.0.0.100", False),  # a drop of what we accept
        ("", "", "10.9.9.9", True),  # perhaps of another daemon
        ("", "nftables other", "10.0.0.100", True),
    ],
)
def test_what_an_earlier_run_has_left_is_removed(lines: str, global_defs: str, left: str, stays: bool) -> None:
    bench = Bench()
    bench.filter.tables[AF_INET, "keepalived"] = {vip(left)}
    text = f"global_defs {{\n{global_defs}\n}}\n" + instance_text(lines, vip="10.0.0.100/24")
    configuration = sound(text).configuration
    bench.firewall.start(configuration)
    bench.firewall.clear_leftovers(configuration)
    assert bool(bench.filter.tables) is stays
    said = [each for each in bench.journal.texts() if "earlier run" in each]
    assert said == ([] if stays else ["Removed the nftables table ip keepalived of an earlier run"])
    assert bench.filter.closed is (not lines and not global_defs)


def test_what_an_earlier_run_dropped_is_dropped_while_its_addresses_stand() -> None:
    bench = Bench()
    left = FilterElement(FilterSet.VIPS, IPv4Address("10.0.0.100").packed)
    bench.filter.tables[AF_INET, "keepalived"] = {left}
    configuration = sound(instance_text("use_vmac\nno_accept", vip="10.0.0.100/24")).configuration
    bench.firewall.start(configuration)
    bench.firewall.relay(AF_INET, 7, 3)
    assert bench.held() == {left}
    bench.firewall.clear_leftovers(configuration)  # the addresses have gone
    assert bench.held() == {FilterElement(FilterSet.VMACS, index_key(7), index_key(3))}


@pytest.mark.keyword("global_defs.disable_local_igmp")
def test_reports_of_a_vmac_leave_by_its_base_unless_there_are_none() -> None:
    relay = FilterElement(FilterSet.VMACS, index_key(7), index_key(3))
    bench = Bench().start("", instance_text("use_vmac"))
    bench.firewall.relay(AF_INET, 7, 3)
    bench.firewall.relay(AF_INET6, 7, 3)
    assert bench.held() == bench.held(AF_INET6) == {relay}
    bench.firewall.relay(AF_INET, 7, 4)  # its base is another one
    assert bench.held() == {FilterElement(FilterSet.VMACS, index_key(7), index_key(4))}
    bench.firewall.forget(AF_INET, 7)
    bench.firewall.forget(AF_INET, 7)
    assert bench.held() == set()
    bench = Bench().start("disable_local_igmp", instance_text("use_vmac"))
    bench.firewall.relay(AF_INET, 7, 3)
    bench.firewall.relay(AF_INET6, 7, 3)
    assert [family for family, _ in bench.filter.tables] == [AF_INET6]


def test_a_kernel_that_cannot_relay_drops_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    write = FakePacketFilter.write

    def no_relays(self: FakePacketFilter, family: int, settings: Any, sets: Any, elements: Any) -> None:
        if FilterSet.VMACS in sets:
            raise KernelError("make the table", ENOENT)
        write(self, family, settings, sets, elements)

    monkeypatch.setattr(FakePacketFilter, "write", no_relays)
    bench = Bench().start()
    bench.firewall.relay(AF_INET, 7, 3)
    assert "cannot duplicate packets" in bench.journal.texts()[-1]
    bench.firewall.block([VIP], by_name=False)
    bench.firewall.relay(AF_INET, 8, 3)
    bench.firewall.forget(AF_INET, 7)
    assert bench.held() == {vip("10.0.0.100")}
    bench = Bench().start()
    bench.firewall.block([VIP], by_name=False)
    bench.firewall.relay(AF_INET, 7, 3)
    assert bench.held() == {vip("10.0.0.100")}


def test_the_vmacs_that_stand_are_relayed() -> None:
    """Also one that was made again with another index, and none that a reload has removed."""
    bench = fakes_vrrp.Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    service = VrrpService(bench.context, sound(instance_text("use_vmac")).configuration, bench.kernel)
    service.start()
    bench.reactor.turn()
    bench.told()
    table = (AF_INET, "keepalived")

    def relayed() -> set[FilterElement]:
        vmac, base = bench.kernel.links["vrrp.51"], bench.kernel.links["eth0"]
        return {FilterElement(FilterSet.VMACS, index_key(vmac.index), index_key(base.index))}

    assert bench.kernel.filter.tables == {table: relayed()}
    before = relayed()
    bench.kernel.add_link("eth7", 7)
    bench.kernel.remove_link("vrrp.51")
    bench.told()
    bench.reactor.run_for(2 * SECOND)
    bench.told()
    assert bench.kernel.filter.tables == {table: relayed()} != {table: before}
    service.reload(sound(instance_text("")).configuration)
    bench.reactor.run_for(SECOND)
    bench.told()
    assert bench.kernel.filter.tables == {table: set()}
