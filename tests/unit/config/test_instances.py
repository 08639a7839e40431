"""Instances: defaults, inheritance, family, version, priority and state, unicast, and what contradicts what."""

from dataclasses import fields
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from pykeepalived.config.blocks.addresses import AddressEntry, UnicastPeer
from pykeepalived.config.blocks.trackers import TrackInterface, TrackScript
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.units import CENTISECOND, SECOND
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, instance, instance_text, messages, read, sound

SCRIPT = 'global_defs {\nenable_script_security\nscript_user root\n}\nvrrp_script s {\nscript "/opt/check.sh"\n%s\n}'


def said(lines: str, before: str = "", vip: str = "10.0.0.1", machine: Machine | None = None) -> list[str]:
    return [each.partition(" ")[2] for each in messages(read(instance_text(lines, before, vip), machine))]


def test_the_least_instance_has_the_documented_defaults() -> None:
    found = instance("")
    least = VrrpInstance(
        name="VI_1",
        interface="eth0",
        virtual_router_id=51,
        virtual_ipaddress=(AddressEntry(IPv4Address("10.0.0.1"), 32, "eth0"),),
    )
    assert found == least
    assert (found.version, found.family, found.priority, found.state) == (2, AF_INET, 100, "BACKUP")
    assert (found.advert_int, found.garp_master_delay, found.garp_master_repeat) == (SECOND, 5 * SECOND, 5)


GLOBALS = {
    "down_timer_adverts": ("vrrp_down_timer_adverts 7", 7),
    "garp_master_delay": ("vrrp_garp_master_delay 7", 7 * SECOND),
    "garp_master_repeat": ("vrrp_garp_master_repeat 7", 7),
    "garp_master_refresh": ("vrrp_garp_master_refresh 7", 7 * SECOND),
    "garp_master_refresh_repeat": ("vrrp_garp_master_refresh_repeat 7", 7),
    "garp_lower_prio_delay": ("vrrp_garp_lower_prio_delay 7", 7 * SECOND),
    "garp_lower_prio_repeat": ("vrrp_garp_lower_prio_repeat 7", 7),
    "lower_prio_no_advert": ("vrrp_lower_prio_no_advert", True),
    "higher_prio_send_advert": ("vrrp_higher_prio_send_advert", True),
    "check_unicast_src": ("vrrp_check_unicast_src", True),
    "skip_check_adv_addr": ("vrrp_skip_check_adv_addr", True),
    "owner_ignore_adverts": ("vrrp_owner_ignore_adverts", True),
    "notify_priority_changes": ("vrrp_notify_priority_changes", True),
    "version": ("vrrp_version 3", 3),
}


@pytest.mark.parametrize("name", GLOBALS)
@pytest.mark.parametrize("after", [False, True])
def test_global_defs_give_the_default_wherever_they_stand(name: str, after: bool) -> None:
    line, value = GLOBALS[name]
    block = f"global_defs {{\n{line}\n}}"
    text = instance_text("") + block if after else block + instance_text("")
    (found,) = sound(text).configuration.vrrp_instance
    assert getattr(found, name) == value
    changed = {
        each.name for each in fields(VrrpInstance) if getattr(found, each.name) != getattr(instance(""), each.name)
    }
    assert changed >= {name}


def test_the_lower_priority_burst_follows_the_masters() -> None:
    found = instance("", before="global_defs {\nvrrp_garp_master_delay 9\nvrrp_garp_master_repeat 3\n}")
    assert (found.garp_lower_prio_delay, found.garp_lower_prio_repeat) == (9 * SECOND, 3)


def test_min_garp_keeps_what_is_explicit() -> None:
    found = instance("", before="global_defs {\nvrrp_garp_master_repeat 4\nvrrp_min_garp\n}")
    assert (found.garp_master_delay, found.garp_master_repeat, found.garp_master_refresh_repeat) == (0, 4, 0)


@pytest.mark.parametrize(
    ("lines", "vip", "family", "version", "group"),
    [
        ("", "10.0.0.1", AF_INET, 2, "224.0.0.18"),
        ("", "fe80::1", AF_INET6, 3, "ff02::12"),
        ("version 3", "10.0.0.1", AF_INET, 3, "224.0.0.18"),
        ("version 2", "fe80::1", AF_INET6, 2, "ff02::12"),
        ("native_ipv6", "fe80::1", AF_INET6, 3, "ff02::12"),
        ("mcast_dst_ip 224.0.0.99", "10.0.0.1", AF_INET, 2, "224.0.0.99"),
    ],
)
def test_family_version_and_group(lines: str, vip: str, family: int, version: int, group: str) -> None:
    (found,) = sound(instance_text(lines, vip=vip)).configuration.vrrp_instance
    assert (found.family, found.version, found.mcast_group) == (family, version, ip_address(group))


def test_addresses_of_the_other_family_are_dropped() -> None:
    loaded = read(instance_text("unicast_src_ip fe80::5\nunicast_peer {\nfe80::6\n10.0.0.2\n}"))
    (found,) = loaded.configuration.vrrp_instance
    assert found.unicast_peer == (UnicastPeer(IPv4Address("10.0.0.2")),)
    assert found.unicast_src_ip is None
    assert len(messages(loaded)) == 2


@pytest.mark.parametrize(
    ("lines", "priority", "state"),
    [
        ("", 100, "BACKUP"),
        ("state BACKUP", 100, "BACKUP"),
        ("state MASTER", 255, "MASTER"),
        ("priority 255", 255, "MASTER"),
        ("priority 254", 254, "BACKUP"),
        ("state MASTER\npriority 150", 150, "MASTER"),
    ],
)
def test_priority_and_state_complete_each_other(lines: str, priority: int, state: str) -> None:
    found = instance(lines)
    assert (found.priority, found.state) == (priority, state)


@pytest.mark.parametrize(
    ("lines", "attribute", "value", "message"),
    [
        ("state MASTER\npriority 150\nnopreempt", "nopreempt", False, "nopreempt is incompatible with state MASTER"),
        ("priority 255\nnopreempt", "nopreempt", False, "nopreempt is incompatible with a priority of 255"),
        ("state MASTER\npriority 9\npreempt_delay 5", "preempt_delay", 0, "preempt_delay is incompatible with initial"),
        ("nopreempt\npreempt_delay 5", "preempt_delay", 0, "preempt_delay is incompatible with nopreempt"),
        ("priority 255\nstate BACKUP", "state", "MASTER", "CONFIG error: a priority of 255 and state BACKUP"),
        ("advert_int 1.5", "advert_int", 2 * SECOND, "VRRPv2 advertisement interval 1.5s"),
        ("advert_int 0.2", "advert_int", SECOND, "VRRPv2 advertisement interval 0.2s"),
        ("version 3\nadvert_int 0.014", "advert_int", CENTISECOND, "VRRPv3 advertisement interval 0.014s"),
        ("version 3\nadvert_int 41", "advert_int", 4095 * CENTISECOND, "VRRPv3 advertisement interval 41s"),
        ("garp_master_repeat 0", "garp_master_repeat", 1, "garp_master_repeat 0 is set to 1"),
        ("version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}", "auth_type", None, "VRRP version 3 does not"),
        ("authentication {\nauth_type PASS\n}", "auth_type", None, "Authentication specified but no password given"),
        ("unicast_src_ip 10.0.0.5", "unicast_src_ip", None, "unicast is configured without a peer"),
        ("unicast_ttl 5", "unicast_ttl", None, "unicast_ttl without peers"),
        ("track_interface {\neth0\n}", "track_interface", (), "eth0 is the instance's own interface"),
        ("track_script {\nnone\n}", "track_script", (), "track script none not found"),
        ("priority 255\ntrack_interface {\neth1 weight 5\n}", "track_interface", (), "ignoring weight of tracked eth1"),
        ("garp_lower_prio_delay 5000", "garp_lower_prio_delay", 5 * SECOND, "number '5000' outside range [0, 4294]"),
    ],
)
def test_contradictions_are_said_and_resolved(lines: str, attribute: str, value: object, message: str) -> None:
    loaded = read(instance_text(lines))
    assert loaded.exit_code == 5
    assert not loaded.fatal
    (found,) = loaded.configuration.vrrp_instance
    assert getattr(found, attribute) == value
    (only,) = messages(loaded)
    assert message in only


def test_a_state_of_master_is_not_taken_back() -> None:
    assert instance("state BACKUP\nstate MASTER").state == "MASTER"
    loaded = read(instance_text("state MASTER\nstate MASTER\nstate BACKUP"))
    assert loaded.configuration.vrrp_instance[0].state == "MASTER"
    assert [each.split(" ", 1)[1] for each in messages(loaded)] == ["state is MASTER already - ignoring BACKUP"]


@pytest.mark.parametrize("interval", ["0.01", "0.1", "1", "40.95"])
def test_version_3_keeps_hundredths(interval: str) -> None:
    assert instance(f"version 3\nadvert_int {interval}").advert_int == round(float(interval) * 100) * CENTISECOND


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (instance_text("").replace("virtual_router_id 51", ""), "(VI_1) the virtual router id must be set"),
        (instance_text("").replace("eth0", "eht0"), "WARNING - interface eht0 for vrrp_instance VI_1 doesn't exist"),
        (instance_text("").replace("eth0", "lo"), "(VI_1) cannot use a loopback interface (lo) for vrrp - ignoring"),
        (instance_text("").replace("interface eth0", ""), "(VI_1) has no interface set"),
        (instance_text("").replace("10.0.0.1", "") + "", "(VI_1) No VIP specified; at least one is required"),
        (instance_text("") + instance_text("").replace("VI_1", "VI_2"), "VI_1 and VI_2 both use VRID 51 with IPv4"),
        (instance_text("strict_mode\nunicast_peer {\n10.0.0.2\n}"), "(VI_1) unicast peers are not allowed in strict"),
    ],
)
def test_what_refuses_the_start(text: str, message: str) -> None:
    loaded = read("global_defs {\nvrrp_version 3\n}" + text)
    assert loaded.fatal
    assert loaded.exit_code == 5
    assert any(message in each for each in messages(loaded)), messages(loaded)


def test_the_same_vrid_may_be_used_again_where_it_cannot_collide() -> None:
    texts = [
        instance_text(""),
        instance_text("").replace("VI_1", "VI_2").replace("eth0", "eth1"),
        instance_text("", vip="fe80::1").replace("VI_1", "VI_3"),
        instance_text("mcast_dst_ip 224.0.0.99").replace("VI_1", "VI_4"),
        instance_text("unicast_peer {\n10.0.0.2\n}").replace("VI_1", "VI_5"),
    ]
    assert len(sound("\n".join(texts)).configuration.vrrp_instance) == 5


def test_dynamic_interfaces_allow_one_that_comes_later() -> None:
    text = "global_defs {\ndynamic_interfaces\n}" + instance_text("").replace("eth0", "ppp0")
    assert sound(text).configuration.vrrp_instance[0].interface == "ppp0"


def test_unicast() -> None:
    found = instance(
        "unicast_src_ip 10.0.0.5\nunicast_ttl 9\nunicast_peer {\n10.0.0.6\n10.0.0.7 min_ttl 250 max_ttl 255\n}"
    )
    assert found.unicast
    assert (found.unicast_src_ip, found.mcast_src_ip, found.unicast_ttl) == (IPv4Address("10.0.0.5"), None, 9)
    assert found.unicast_peer[1] == UnicastPeer(IPv4Address("10.0.0.7"), 250, 255)
    assert found.check_unicast_src
    assert not instance("unicast_peer {\n10.0.0.6\n}").check_unicast_src


def test_a_multicast_source() -> None:
    found = instance("mcast_src_ip 10.0.0.5")
    assert (found.mcast_src_ip, found.unicast_src_ip, found.unicast) == (IPv4Address("10.0.0.5"), None, False)


def test_authentication_is_cut_to_eight_bytes() -> None:
    found = instance("authentication {\nauth_type PASS\nauth_pass 12345678\n}")
    assert (found.auth_type, found.auth_pass) == ("PASS", b"12345678")
    loaded = read(instance_text("authentication {\nauth_type PASS\nauth_pass 123456789\n}"))
    assert loaded.configuration.vrrp_instance[0].auth_pass == b"12345678"
    assert loaded.exit_code == 5


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("10.0.0.1", AddressEntry(IPv4Address("10.0.0.1"), 32, "eth0")),
        ("10.0.0.1/24", AddressEntry(IPv4Address("10.0.0.1"), 24, "eth0")),
        (
            "203.0.113.5/24 dev eth1 label eth1:v brd +",
            AddressEntry(IPv4Address("203.0.113.5"), 24, "eth1", 0, "eth1:v", IPv4Address("203.0.113.255")),
        ),
        ("10.0.0.1/24 brd -", AddressEntry(IPv4Address("10.0.0.1"), 24, "eth0", broadcast=IPv4Address("10.0.0.0"))),
        (
            "10.0.0.1/24 broadcast 10.0.0.9",
            AddressEntry(IPv4Address("10.0.0.1"), 24, "eth0", broadcast=IPv4Address("10.0.0.9")),
        ),
        ("10.0.0.1/24 scope link", AddressEntry(IPv4Address("10.0.0.1"), 24, "eth0", 253)),
        ("10.0.0.1/24 scope 77", AddressEntry(IPv4Address("10.0.0.1"), 24, "eth0", 77)),
        ("10.0.0.1/24 scope local-net", AddressEntry(IPv4Address("10.0.0.1"), 24, "eth0", 100)),
        ("10.0.0.1 peer 10.0.0.2", AddressEntry(IPv4Address("10.0.0.1"), 32, "eth0", peer=IPv4Address("10.0.0.2"))),
        ("10.0.0.1/32 peer 10.0.0.2", AddressEntry(IPv4Address("10.0.0.1"), 32, "eth0", peer=IPv4Address("10.0.0.2"))),
        ("10.0.0.1 no_track\thome", AddressEntry(IPv4Address("10.0.0.1"), 32, "eth0", no_track=True, home=True)),
        ("fe80::1", AddressEntry(IPv6Address("fe80::1"), 128, "eth0", nodad=True, preferred_lft=0)),
        ("fe80::1/64", AddressEntry(IPv6Address("fe80::1"), 64, "eth0", nodad=True)),
        (
            "fe80::1/64 preferred_lft 0 -nodad",
            AddressEntry(IPv6Address("fe80::1"), 64, "eth0", preferred_lft=0),
        ),
        ("fe80::1 preferred_lft forever", AddressEntry(IPv6Address("fe80::1"), 128, "eth0", nodad=True)),
    ],
)
def test_addresses(line: str, entry: AddressEntry) -> None:
    (found,) = sound(instance_text("", vip=line)).configuration.vrrp_instance
    assert found.virtual_ipaddress == (entry,)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("10.0.0.2/33", True),
        ("10.0.0.2/255.255.255.0", True),
        ("10.0.0.2 dev eth9", False),
        ("10.0.0.2 dev", False),
        ("10.0.0.2 dev eth0 dev eth1", False),
        ("10.0.0.2 label 1234567890123456", False),
        ("10.0.0.2 brd +", False),
        ("10.0.0.2/24 brd fe80::1", False),
        ("10.0.0.2 lable x", True),
        ("10.0.0.2 scope nosuch", False),
        ("10.0.0.2 peer 10.0.0.3/24", False),
        ("10.0.0.2/24 peer 10.0.0.3 brd +", True),
        ("10.0.0", False),
        ("10.0.0.1", False),
        ("fe80::2", False),
    ],
)
def test_bad_addresses_are_said_at_their_place(line: str, kept: bool) -> None:
    loaded = read(instance_text("", vip=f"10.0.0.1\n   {line}"))
    assert loaded.exit_code == 5
    assert len(loaded.configuration.vrrp_instance[0].virtual_ipaddress) == 1 + kept
    assert {each.span.line for each in loaded.diagnostics if each.span} == {7}


def test_the_same_address_may_be_excluded_on_another_interface() -> None:
    found = instance("virtual_ipaddress_excluded {\n10.0.0.1 dev eth1\nfe80::9\n}")
    assert [str(each) for each in found.virtual_ipaddress_excluded] == ["10.0.0.1", "fe80::9"]
    assert said("virtual_ipaddress_excluded {\n10.0.0.1\n}") == ["(VI_1) 10.0.0.1 is there already - ignored"]


def test_addresses_beyond_the_adverts_room_are_excluded_from_it() -> None:
    vips = "\n".join(f"10.0.0.{n}" for n in range(1, 101))
    loaded = read(instance_text("", vip=vips), Machine(interfaces={"eth0": 300}))
    (found,) = loaded.configuration.vrrp_instance
    # 300 bytes less 14, 20 of IPv4, 8 of VRRP and 8 of authentication: 250, four an address
    assert (len(found.virtual_ipaddress), len(found.virtual_ipaddress_excluded)) == (62, 38)
    assert loaded.exit_code == 5


def test_trackers_take_the_definitions_weight() -> None:
    before = SCRIPT % "weight -20 reverse"
    assert instance("track_script {\ns\n}", before=before).track_script == (TrackScript("s", -20, reverse=True),)
    lines = "track_script {\ns weight 5\n}"
    assert instance(lines, before=before).track_script == (TrackScript("s", 5, reverse=True),)
    lines = "track_script {\ns weight 5 noreverse\n}\ntrack_interface {\neth1 weight -7 reverse\n}"
    found = instance(lines, before=before)
    assert found.track_script == (TrackScript("s", 5, reverse=False),)
    assert found.track_interface == (TrackInterface("eth1", -7, reverse=True),)


def test_a_script_must_be_defined_before_its_use() -> None:
    text = instance_text("track_script {\ns\n}") + SCRIPT % ""
    loaded = read(text)
    assert "track script s is defined after its use" in messages(loaded)[0]
    assert loaded.configuration.vrrp_instance[0].track_script == ()


@pytest.mark.parametrize("value", ["254", "-254", "300", "x"])
def test_weights_out_of_range(value: str) -> None:
    (message,) = said(f"track_interface {{\neth1 weight {value}\n}}")
    assert "weight" in message or "number" in message


@pytest.mark.parametrize(
    "lines",
    [
        "smtp_alert",
    ],
)
def test_what_is_not_effective_yet_is_said_once_and_the_instance_runs(lines: str) -> None:
    loaded = sound(instance_text(lines))
    assert len(loaded.configuration.vrrp_instance) == 1
    assert len(loaded.not_effective) == len(lines.split("{", maxsplit=1)[0].splitlines())
    assert all(each.startswith("vrrp_instance/") for each in loaded.not_effective)


def test_notify_deleted_may_stand_alone() -> None:
    before = "global_defs {\nenable_script_security\nscript_user root\n}"
    found = instance("notify_deleted", before=before)
    assert (found.notify_deleted_set, found.notify_deleted) == (True, None)
    found = instance("notify_deleted /usr/bin/true", before=before)
    assert found.notify_deleted_set
    assert found.notify_deleted is not None
    assert COMMANDS


def test_a_vmac_promotes_by_itself() -> None:
    loaded = read(instance_text("use_vmac\npromote_secondaries"))
    assert messages(loaded) == ["9:1 (VI_1) promote_secondaries is automatically set for vmacs - ignoring"]
    assert not loaded.configuration.vrrp_instance[0].promote_secondaries
    assert instance("promote_secondaries").promote_secondaries


@pytest.mark.keyword("vrrp_instance.use_vmac", "vrrp_instance.use_ipvlan")
def test_a_group_of_links_is_a_number_or_a_known_name() -> None:
    found = instance("use_vmac vm group 7")
    assert found.use_vmac is not None
    assert (found.use_vmac.name, found.use_vmac.group) == ("vm", "7")
    for word in ("nosuch", "4294967296"):
        loaded = read(instance_text(f"use_vmac vm group {word}"))
        assert [f"unknown group of interfaces '{word}' - ignored" in each for each in messages(loaded)] == [True]
        (kept,) = loaded.configuration.vrrp_instance
        assert kept.use_vmac is not None
        assert kept.use_vmac.group == ""
