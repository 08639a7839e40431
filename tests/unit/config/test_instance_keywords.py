"""Keywords of vrrp_instance that are kept as they are, and those that VMAC and ipvlan complete."""

from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds_vrrp import ExtraGarp, Ipvlan, Vmac
from pykeepalived.config.schema import table_of
from pykeepalived.units import SECOND
from tests.config.reading import instance, instance_text, messages, read, sound

PEERS = "unicast_peer {\n10.0.0.6\n}"


@pytest.mark.parametrize(
    ("lines", "attribute", "value"),
    [
        ("", "use_vmac", None),
        ("use_vmac", "use_vmac", Vmac()),
        ("use_vmac 02:00:00:00:01", "use_vmac", Vmac(mac=bytes.fromhex("020000000133"))),
        ("use_vmac v\nuse_vmac netlink_notify_msg", "use_vmac", Vmac("v", netlink_notify_msg=True)),
        ("use_vmac_addr", "use_vmac_addr", True),
        ("use_vmac\nvmac_xmit_base", "vmac_xmit_base", True),
        ("use_ipvlan v 10.0.0.9/24", "use_ipvlan", Ipvlan("v", IPv4Address("10.0.0.9"), 24)),
        ("use_ipvlan v 10.0.0.9/24", "mcast_src_ip", IPv4Address("10.0.0.9")),
        ("use_ipvlan v 10.0.0.9/24\nmcast_src_ip 10.0.0.8", "mcast_src_ip", IPv4Address("10.0.0.8")),
        (f"old_unicast_checksum\n{PEERS}", "old_unicast_checksum", "old"),
        (f"old_unicast_checksum never\n{PEERS}", "old_unicast_checksum", "never"),
        ("track_src_ip", "track_src_ip", True),
        ("promote_secondaries", "promote_secondaries", True),
        ("v3_checksum_as_v2", "v3_checksum_as_v2", True),
        ("v3_checksum_as_v2 off", "v3_checksum_as_v2", False),
        ("skip_check_adv_addr off", "skip_check_adv_addr", True),
        ("debug 4", "debug", 4),
        ("smtp_alert", "smtp_alert", True),
        ("smtp_alert off", "smtp_alert", False),
        ("", "smtp_alert", False),
        ("nopreempt\ntimer_expired_backup", "timer_expired_backup", 254),
        ("nopreempt\ntimer_expired_backup 120", "timer_expired_backup", 120),
        ("", "timer_expired_backup", 0),
        ("garp_extra_if 7", "garp_extra_if", ExtraGarp(7 * SECOND)),
        ("garp_extra_if all 7", "garp_extra_if", ExtraGarp(7 * SECOND, everywhere=True)),
        ("kernel_rx_buf_size 4096", "kernel_rx_buf_size", 4096),
        ("", "kernel_rx_buf_size", None),
        ("unicast_fault_no_peer\n" + PEERS, "unicast_fault_no_peer", True),
    ],
)
def test_values(lines: str, attribute: str, value: object) -> None:
    assert getattr(instance(lines), attribute) == value


def test_every_keyword_of_the_instance_is_a_field() -> None:
    fields = VrrpInstance.__dataclass_fields__
    table = table_of(VrrpInstance)
    assert len(table.keywords) >= 59
    names = {field.metadata["keyword"].spelled or name for name, field in fields.items() if "keyword" in field.metadata}
    assert names == set(table.keywords)


def test_unicast_forces_adverts_over_the_base_of_a_vmac() -> None:
    loaded = read(instance_text(f"use_vmac\n{PEERS}"))
    assert loaded.configuration.vrrp_instance[0].vmac_xmit_base
    (only,) = messages(loaded)
    assert "unicast with use_vmac requires vmac_xmit_base - setting" in only
    assert messages(read(instance_text(f"use_vmac\nvmac_xmit_base\n{PEERS}"))) == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("vmac_xmit_base", "vmac_xmit_base is only valid with a VMAC"),
        ("use_ipvlan 10.0.0.9\nvmac_xmit_base", "vmac_xmit_base is only valid with a VMAC"),
        ("use_ipvlan", "an ipvlan of IPv4 needs an address"),
        ("use_ipvlan v\nmcast_src_ip 10.0.0.9", "an ipvlan of IPv4 needs an address"),
        ("use_ipvlan 10.0.0.9\nuse_ipvlan", "use_ipvlan is set already, the first stands"),
        ("use_vmac v\nuse_vmac w", "the name of the VMAC is v already"),
        ("use_vmac 02:00:00:00:00:01\nstrict_mode", "strict mode allows no MAC address but the RFC's"),
    ],
)
def test_what_does_not_go_together(lines: str, message: str) -> None:
    loaded = read(instance_text(lines))
    assert loaded.exit_code == 5
    assert not loaded.fatal
    (only,) = messages(loaded)
    assert message in only


def test_a_name_is_one_instances_alone() -> None:
    other = instance_text("use_vmac v").replace("VI_1", "VI_2").replace("51", "52")
    loaded = read(instance_text("use_vmac v") + other)
    (only,) = messages(loaded)
    assert "(VI_2) VRRP instance VI_1 is already using v - ignoring name" in only
    assert [each.use_vmac for each in loaded.configuration.vrrp_instance] == [Vmac("v"), Vmac()]


def test_an_ipvlan_of_ipv6_needs_no_address_and_tells_the_family() -> None:
    assert messages(read(instance_text("use_ipvlan v", vip="fe80::1"))) == []
    text = instance_text("", vip="").replace(
        "virtual_router_id", "use_ipvlan fe80::9/64\nno_virtual_ipaddress\nvirtual_router_id"
    )
    assert sound(text).configuration.vrrp_instance[0].version == 3


def test_a_late_timer_without_nopreempt_is_told_and_counts_for_nothing() -> None:
    loaded = read(instance_text("timer_expired_backup"))
    assert loaded.exit_code == 0
    assert "timer_expired_backup without nopreempt has no effect" in loaded.diagnostics[0].message
