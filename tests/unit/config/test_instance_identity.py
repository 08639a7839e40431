"""Interface, VRF, family, version, and which instances are in each other's way."""

import pytest

from pykeepalived.config.kinds import AF_INET, AF_INET6
from tests.config.machine import Machine
from tests.config.reading import instance_text, messages, read, sound

SOURCE = "unicast_src_ip 10.0.0.5\n"


def peers(*addresses: str) -> str:
    return "unicast_peer {\n" + "\n".join(addresses) + "\n}"


def bare(lines: str) -> str:
    return instance_text(lines).replace("interface eth0\n", "")


def test_unicast_needs_no_interface() -> None:
    (found,) = sound(bare(SOURCE + peers("10.0.0.6"))).configuration.vrrp_instance
    assert (found.interface, found.vrf) == ("", "")
    assert found.virtual_ipaddress[0].dev == "eth0"
    before = "global_defs {\ndefault_interface eth1\n}\n"
    (found,) = sound(before + bare(SOURCE + peers("10.0.0.6"))).configuration.vrrp_instance
    assert found.virtual_ipaddress[0].dev == "eth1"
    (found,) = sound(bare(SOURCE + peers("10.0.0.6") + "\nvrf eth1\nstrict_mode")).configuration.vrrp_instance
    assert found.vrf == "eth1"


@pytest.mark.parametrize("lines", ["", SOURCE, peers("10.0.0.6")])
def test_but_it_needs_peers_and_a_source(lines: str) -> None:
    loaded = read(bare(lines))
    assert loaded.fatal
    assert loaded.exit_code == 5
    assert "(VI_1) has no interface set" in messages(loaded)[0]
    assert loaded.configuration.vrrp_instance == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (instance_text("vrf eth1"), "vrf goes without an interface alone"),
        (bare(SOURCE + peers("10.0.0.6") + "\nvrf eth9"), "the VRF eth9 doesn't exist"),
        (bare(SOURCE + peers("10.0.0.6") + "\nvrf lo"), "a loopback interface (lo) is no VRF"),
        (bare(SOURCE + peers("10.0.0.6") + "\nvrf eth1\nvrf eth0"), "vrf is set already, the first stands"),
    ],
)
def test_mistakes_of_a_vrf(text: str, message: str) -> None:
    loaded = read(text)
    (only,) = messages(loaded)
    assert message in only
    assert not loaded.fatal
    assert loaded.configuration.vrrp_instance[0].vrf == ("eth1" if "first stands" in only else "")


@pytest.mark.parametrize(
    ("lines", "vip", "family", "version", "message"),
    [
        ("native_ipv6", "10.0.0.1", AF_INET, 2, "native_ipv6 with IPv4 addresses"),
        ("native_ipv6\nversion 2", "fe80::1", AF_INET6, 3, "native_ipv6 means version 3"),
        ("version 2\nnative_ipv6", "fe80::1", AF_INET6, 3, ""),
        ("version 2\nversion 3", "10.0.0.1", AF_INET, 2, "version is 2 already - ignoring 3"),
        ("version 3\nversion 3", "10.0.0.1", AF_INET, 3, ""),
        ("version 2\nstrict_mode", "fe80::1", AF_INET6, 3, "IPv6 needs version 3 in strict mode"),
        ("mcast_dst_ip ff02::5", "10.0.0.1", AF_INET, 2, "ff02::5 is not IPv4"),
        ("mcast_dst_ip ff05::5", "fe80::1", AF_INET6, 3, "ff05::5 is no group local to the link"),
        ("mcast_dst_ip 10.0.0.9", "10.0.0.1", AF_INET, 2, "'10.0.0.9' is not a multicast address"),
        ("mcast_src_ip fe80::1", "10.0.0.1", AF_INET, 2, "fe80::1 is not IPv4"),
    ],
)
def test_family_and_version(lines: str, vip: str, family: int, version: int, message: str) -> None:
    loaded = read(instance_text(lines, vip=vip))
    (found,) = loaded.configuration.vrrp_instance
    assert (found.family, found.version) == (family, version)
    assert [message in each for each in messages(loaded)] == ([True] if message else [])


def test_native_ipv6_above_ipv4_addresses_takes_them_away() -> None:
    text = "vrrp_instance V {\nnative_ipv6\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress {\n10.0.0.1\n}\n}"
    loaded = read(text)
    assert loaded.fatal
    assert [each.partition(" ")[2] for each in messages(loaded)] == [
        "(V) No VIP specified; at least one is required",
        "(V) 10.0.0.1 is not IPv6 as the rest of the instance - ignored",
    ]


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (peers("10.0.0.6"), peers("10.0.0.6"), True),
        (peers("10.0.0.6", "10.0.0.7"), peers("10.0.0.7", "10.0.0.8"), True),
        (peers("10.0.0.6"), peers("10.0.0.7"), False),
        (SOURCE + peers("10.0.0.6"), "unicast_src_ip 10.0.0.4\n" + peers("10.0.0.6"), False),
        (SOURCE + peers("10.0.0.6"), SOURCE + peers("10.0.0.6"), True),
        (SOURCE + peers("10.0.0.6"), peers("10.0.0.6"), True),
        (peers("10.0.0.6"), "", False),
        ("", "use_vmac", True),
    ],
)
def test_two_instances_of_one_vrid(first: str, second: str, clash: bool) -> None:
    loaded = read(instance_text(first) + instance_text(second, vip="10.0.0.2").replace("VI_1", "VI_2"))
    assert loaded.fatal is clash
    assert len(loaded.configuration.vrrp_instance) == 2 - clash
    found = [each for each in messages(loaded) if "VI_1 and VI_2 both use VRID 51" in each]
    assert len(found) == clash


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (f"{peers('10.0.0.6')}\nmcast_dst_ip 224.0.0.99", "mcast_dst_ip with unicast peers - ignored"),
        (peers("10.0.0.6 min_ttl 9 max_ttl 8"), "min_ttl 9 is above max_ttl 8: every advert of 10.0.0.6 is dropped"),
        ("check_unicast_src", "unicast is configured without a peer"),
        ("old_unicast_checksum", "unicast is configured without a peer"),
        ("old_unicast_checksum never", "unicast is configured without a peer"),
        (f"{peers('10.0.0.6')}\nold_unicast_checksum always", "old_unicast_checksum: unknown value 'always'"),
        ("linkbeat_use_polling", '"linkbeat_use_polling" is deprecated'),
        ("lvs_sync_daemon_interface eth1", '"lvs_sync_daemon_interface" is deprecated'),
        ("nopreempt\nthread_timer_expired", "'thread_timer_expired' is deprecated"),
        ("vmac_garp_intvl 5", "'vmac_garp_intvl' is deprecated"),
        ("kernel_rx_buf_size", "kernel_rx_buf_size takes exactly one number"),
        ("dont_track_primary\ntrack_interface {\neth0\n}", "eth0 is the instance's own interface"),
    ],
)
def test_further_mistakes_that_count_once(lines: str, message: str) -> None:
    loaded = read(instance_text(lines))
    assert loaded.exit_code == 5
    assert not loaded.fatal
    (only,) = messages(loaded)
    assert message in only


def test_a_fault_for_want_of_peers_is_no_mistake() -> None:
    (found,) = sound(instance_text("unicast_fault_no_peer\nunicast_src_ip 10.0.0.5")).configuration.vrrp_instance
    assert found.unicast_fault_no_peer
    assert str(found.unicast_src_ip) == "10.0.0.5"
    assert not found.unicast


def test_names_that_exist_already() -> None:
    text = instance_text("use_vmac eth1")
    (only,) = messages(read(text, Machine(drivers={"eth1": "veth"})))
    assert "interface eth1 exists already and is no macvlan" in only
    assert messages(read(text, Machine(drivers={"eth1": "macvlan"}))) == []
