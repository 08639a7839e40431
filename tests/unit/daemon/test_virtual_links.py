"""The virtual links at fakes of the kernel: what is made, set and given back, and what a refusal does."""

from dataclasses import replace
from errno import EOPNOTSUPP, EROFS
from ipaddress import IPv4Address, IPv6Address

import pytest

from pykeepalived.config.kinds import AF_INET
from pykeepalived.daemon.child import ChildOptions
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.kernel.nft_tables import index_key
from pykeepalived.kernel.ports import FilterSet, Interface
from pykeepalived.units import SECOND
from tests.config.reading import sound
from tests.support.fakes_vrrp import Bench

DOWN = 3_609_375_000
VMAC = "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\n{}\nvirtual_ipaddress {{\n10.0.0.100/24\n}}\n}}\n"
BASE = ("ipv4/conf/eth0/arp_ignore", "ipv4/conf/eth0/arp_filter")
ALIAS = "pykeepalived: arp_ignore=0 arp_filter=0"


def prepared(*, options: ChildOptions | None = None) -> Bench:
    bench = Bench("eth0", "eth1", options=options)
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    bench.kernel.give("eth0", IPv6Address("fe80::1"), 64)
    return bench


def begun(bench: Bench, text: str = VMAC.format("use_vmac")) -> VrrpService:
    service = VrrpService(bench.context, sound(text).configuration, bench.kernel)
    service.start()
    bench.reactor.turn()
    return service


def reload(bench: Bench, service: VrrpService, text: str) -> None:
    service.reload(sound(text).configuration)
    bench.reactor.turn()


def values(bench: Bench, *paths: str) -> list[str | None]:
    return [bench.kernel.settings.read(path) for path in paths]


def interfaces(bench: Bench) -> list[Interface | None]:
    """Where adverts come in and go out."""
    kernel = bench.kernel
    receiving = [each.interface for each in kernel.receivers if not each.closed]
    return receiving + [each.interface for each in kernel.senders if not each.closed]


def said(bench: Bench, words: str) -> bool:
    return any(words in text for text in bench.journal.texts())


def test_a_link_waits_on_a_renamed_base_and_moves_to_another_of_the_name() -> None:
    bench = prepared()
    service = begun(bench)
    made = bench.kernel.links["vrrp.51"]
    for name, new_name in (("eth0", "lan0"), ("lan0", "eth0"), ("eth0", "lan0")):
        bench.kernel.rename_link(name, new_name)
        bench.told()
        bench.reactor.run_for(2 * SECOND)
        assert bench.kernel.links["vrrp.51"] is made
    bench.kernel.add_link("eth0", 19)
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    for _ in ("it goes", "it comes", "it is known"):
        bench.told()
        bench.reactor.run_for(2 * SECOND)
    assert bench.kernel.links["vrrp.51"].base == 19
    bench.reactor.run_for(DOWN)
    assert [router.state.name for router in service._routers.routers.values()] == ["MASTER"]
    sending = bench.kernel.senders[-1].interface
    assert sending is not None
    assert (sending.name, sending.base) == ("vrrp.51", 19)


def test_made_set_used_and_given_back() -> None:
    bench = prepared()
    service = begun(bench)
    vmac = bench.kernel.links["vrrp.51"]
    assert (vmac.up, vmac.alias, vmac.mac.hex()) == (True, ALIAS, "00005e000133")
    assert values(bench, *BASE) == ["1", "1"]
    of_vmac = ("arp_ignore", "accept_local", "rp_filter", "promote_secondaries")
    assert values(bench, *(f"ipv4/conf/vrrp.51/{name}" for name in of_vmac)) == ["1", "1", "0", "1"]
    assert values(bench, "ipv6/conf/vrrp.51/disable_ipv6") == ["1"]
    assert bench.kernel.link_local == {"vrrp.51": False}
    assert said(bench, "(VI_1): Success creating VMAC interface vrrp.51")
    assert interfaces(bench) == [vmac] * 2
    bench.reactor.run_for(DOWN)
    assert ("vrrp.51", "10.0.0.100", 24) in bench.kernel.held
    assert set(bench.kernel.frames) == {("vrrp.51", "10.0.0.100")}
    assert bench.kernel.sent[0][0] == IPv4Address("10.0.0.1").packed
    bench.cut()
    service.stop(lambda: None)
    bench.reactor.run_for(SECOND)
    trace = bench.cut()
    assert trace.index(("remove", "10.0.0.100")) < trace.index(("remove link", "vrrp.51"))
    assert ("advert", "51", "0") in trace
    assert values(bench, *BASE) == ["0", "0"]


@pytest.mark.keyword("vrrp_instance.use_vmac")
@pytest.mark.parametrize("words", ["use_vmac", "use_vmac netlink_notify_msg"])
def test_the_link_comes_up_when_its_settings_are_there(words: str) -> None:
    bench = prepared()
    begun(bench, VMAC.format(words))
    trace = bench.kernel.settings.trace
    assert trace[-1] == ("settle", "vrrp.51")
    assert len(trace) > 5


def test_everything_stays_when_the_addresses_are_to_stay() -> None:
    bench = prepared(options=ChildOptions(dont_release_vrrp=True))
    service = begun(bench)
    service.stop(lambda: None)
    bench.reactor.run_for(SECOND)
    assert "vrrp.51" in bench.kernel.links


def test_after_a_crash_the_alias_tells_what_was_there_before() -> None:
    bench = prepared()
    begun(bench)
    again = Bench("eth0")
    again.kernel.settings = bench.kernel.settings
    again.kernel.links["vrrp.51"] = replace(bench.kernel.links["vrrp.51"], index=9, up=False)
    again.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    service = begun(again)
    assert said(again, "(VI_1) Found matching interface vrrp.51")
    assert again.kernel.links["vrrp.51"].up
    assert again.kernel.links["vrrp.51"].alias == ALIAS
    service.stop(lambda: None)
    again.reactor.run_for(SECOND)
    assert values(again, *BASE) == ["0", "0"]


def test_a_forged_alias_does_no_harm() -> None:
    bench = prepared()
    begun(bench)
    bench.kernel.links["vrrp.51"] = replace(
        bench.kernel.links["vrrp.51"], alias="pykeepalived: arp_ignore=../x = arp_filter=é7"
    )
    again = Bench("eth0")
    again.kernel.links["vrrp.51"] = bench.kernel.links["vrrp.51"]
    service = begun(again)
    service.stop(lambda: None)
    again.reactor.run_for(SECOND)
    assert values(again, *BASE) == ["0", "0"]


def test_deleted_by_somebody_it_is_made_again_and_used() -> None:
    bench = prepared()
    begun(bench)
    bench.reactor.run_for(DOWN)
    bench.cut()
    sent = len(bench.kernel.sent)
    bench.kernel.held.pop(("vrrp.51", "10.0.0.100", 24))
    bench.kernel.remove_link("vrrp.51")
    bench.told()
    bench.told()
    assert [line for line in bench.cut() if line[0] == "log"][:2] == [
        ("log", "Netlink reports vrrp.51 down"),
        ("log", "(VI_1) Entering FAULT STATE"),
    ]
    assert bench.journal.texts().count("Interface vrrp.51 deleted") == 1
    bench.reactor.run_for(DOWN)
    assert ("vrrp.51", "10.0.0.100", 24) in bench.kernel.held
    assert len(bench.kernel.sent) > sent
    assert bench.kernel.senders[0].closed


def test_what_the_kernel_tells_at_once_is_heard_in_its_order() -> None:
    bench = prepared()
    begun(bench)
    bench.reactor.run_for(DOWN)
    bench.kernel.put_link(replace(bench.kernel.links["vrrp.51"], up=False))  # as when it is deleted
    bench.kernel.held.pop(("vrrp.51", "10.0.0.100", 24))
    bench.kernel.remove_link("vrrp.51")
    bench.told()
    bench.told()
    index = bench.kernel.links["vrrp.51"].index
    (relay,) = (each for each in bench.kernel.filter.tables[AF_INET, "keepalived"] if each.set is FilterSet.VMACS)
    assert relay.key == index_key(index)
    bench.reactor.run_for(DOWN)
    assert ("vrrp.51", "10.0.0.100", 24) in bench.kernel.held


def test_a_reload_touches_no_link_that_stays_and_removes_those_that_go() -> None:
    bench = prepared()
    service = begun(bench)
    bench.cut()
    reload(bench, service, VMAC.format("use_vmac\npriority 90"))
    assert not [line for line in bench.cut() if "link" in line[0]]
    reload(bench, service, VMAC.format(""))
    assert ("remove link", "vrrp.51") in bench.cut()
    assert values(bench, *BASE) == ["0", "0"]
    assert said(bench, "(VI_1) Success removing VMAC interface vrrp.51")
    bench.reactor.run_for(DOWN)
    assert ("eth0", "10.0.0.100", 24) in bench.kernel.held
    reload(bench, service, VMAC.format("use_vmac vm"))
    assert "vm" in bench.kernel.links
    bench.reactor.run_for(DOWN)
    assert ("vm", "10.0.0.100", 24) in bench.kernel.held
    assert ("eth0", "10.0.0.100", 24) not in bench.kernel.held


@pytest.mark.keyword("vrrp_instance.vmac_xmit_base")
def test_a_reload_moves_adverts_to_the_base_and_touches_nothing_else() -> None:
    bench = prepared()
    service = begun(bench)
    bench.reactor.run_for(DOWN)
    bench.cut()
    reload(bench, service, VMAC.format("use_vmac\nvmac_xmit_base"))
    assert interfaces(bench) == [bench.kernel.links["eth0"]] * 2
    trace = bench.cut()
    assert not [line for line in trace if line[0] in {"add", "remove", "make link", "remove link", "announce"}]
    assert ("advert", "51", "100") in trace


def test_a_kernel_without_macvlan_is_said_once_and_the_instance_waits_in_fault() -> None:
    bench = prepared()
    bench.kernel.refuse_links["vrrp.51"] = EOPNOTSUPP
    begun(bench)
    bench.reactor.run_for(30 * SECOND)
    told = [text for text in bench.journal.texts() if "Unable to create VMAC interface vrrp.51" in text]
    assert len(told) == 1
    assert said(bench, "(VI_1) Entering FAULT STATE (init)")
    del bench.kernel.refuse_links["vrrp.51"]
    bench.reactor.run_for(6 * SECOND)
    bench.told()
    assert said(bench, "(VI_1): Success creating VMAC interface vrrp.51")
    bench.reactor.run_for(DOWN)
    assert ("vrrp.51", "10.0.0.100", 24) in bench.kernel.held


def test_settings_that_cannot_be_made_are_said_once() -> None:
    bench = prepared()
    bench.kernel.settings.errno = EROFS
    begun(bench)
    told = [line for line in bench.journal.lines if "Unable to set sysctl" in line.message]
    assert len(told) == 1
    assert "net.ipv4.conf." in told[0].message
    assert "Read-only file system" in told[0].message
    bench.reactor.run_for(DOWN)
    assert ("vrrp.51", "10.0.0.100", 24) in bench.kernel.held


def test_rp_filter_of_all_goes_to_each_and_comes_back() -> None:
    bench = prepared()
    path = "ipv4/conf/{}/rp_filter"
    everywhere = [path.format(name) for name in ("all", "default", "eth0", "eth1", "vrrp.51")]
    bench.kernel.settings.values |= {everywhere[0]: "1", everywhere[3]: "2"}
    service = begun(bench)
    assert values(bench, *everywhere) == ["0", "1", "1", "2", "0"]
    assert said(bench, "NOTICE: setting sysctl net.ipv4.conf.all.rp_filter from 1 to 0")
    assert "all.rp_filter=1" in bench.kernel.links["vrrp.51"].alias
    service.stop(lambda: None)
    bench.reactor.run_for(SECOND)
    assert values(bench, *everywhere[:4]) == ["1", "0", "0", "2"]


def test_a_setting_that_somebody_changed_meanwhile_is_left_alone() -> None:
    bench = prepared()
    service = begun(bench)
    bench.kernel.settings.values[BASE[0]] = "2"
    service.stop(lambda: None)
    bench.reactor.run_for(SECOND)
    assert values(bench, *BASE) == ["2", "0"]


@pytest.mark.keyword("vrrp_instance.vrf", "global_defs.default_interface")
@pytest.mark.parametrize(("vrf", "link"), [("", None), ("vrf eth1", "eth1")])
def test_unicast_without_interface(vrf: str, link: str | None) -> None:
    bench = prepared()
    lines = f"{vrf}\nunicast_src_ip 10.0.0.1\nunicast_peer {{\n10.0.0.2\n}}"
    text = "global_defs {\ndefault_interface eth1\n}\n" + VMAC.format(lines).replace("interface eth0\n", "")
    begun(bench, text)
    assert interfaces(bench) == [None if link is None else bench.kernel.links[link]] * 2
    bench.reactor.run_for(DOWN)
    assert ("eth1", "10.0.0.100", 24) in bench.kernel.held
    assert bench.kernel.sent[0][:2] == (IPv4Address("10.0.0.1").packed, IPv4Address("10.0.0.2").packed)


def test_many_links_go_together_at_the_end() -> None:
    bench = prepared()
    second = (
        VMAC.format("use_vmac").replace("VI_1", "VI_2").replace("router_id 51", "router_id 52").replace("100/", "101/")
    )
    service = begun(bench, VMAC.format("use_vmac") + second)
    bench.cut()
    service.stop(lambda: None)
    bench.reactor.run_for(SECOND)
    assert ("remove together", "vrrp.51", "vrrp.52") in bench.cut()
    for number in (1, 2):
        assert said(bench, f"(VI_{number}) Success removing VMAC interface vrrp.5{number}")
    assert set(bench.kernel.links) == {"eth0", "eth1"}
