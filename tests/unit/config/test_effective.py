"""What the daemon cannot act upon yet: in the configuration, out of what runs, and said."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.effective import effective
from tests.config.reading import instance_text, read, sound

SOURCE = "unicast_src_ip 10.0.0.5"
PEER = "unicast_peer {\n10.0.0.6\n}"
HMAC = "auth_hmac {\nkey 1 12345678901234567890123456789012\nactive_key 1\n}"
OTHER = instance_text("").replace("VI_1", "VI_2").replace("51", "52")
KEYLESS = "auth_hmac {\nkey 1 12345678901234567890123456789012\n%s\n}"
REFUSED = "auth_hmac has no key to sign with - the instance is left out, for its peers would not accept it"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("unicast_src_ip 10.0.0.5\nunicast_fault_no_peer", "(VI_1) unicast without a peer - the instance is left out"),
    ],
)
def test_instances_that_cannot_run_yet_are_left_out_and_the_others_run(lines: str, sentence: str) -> None:
    loaded = sound(instance_text(lines) + OTHER)
    assert loaded.exit_code == 0
    assert [each.name for each in loaded.configuration.vrrp_instance] == ["VI_1", "VI_2"]
    running, said = effective(loaded.configuration)
    assert [each.name for each in running.vrrp_instance] == ["VI_2"]
    assert said == (sentence,)


def test_an_instance_without_interface_is_left_out() -> None:
    text = instance_text(f"unicast_src_ip 10.0.0.5\n{PEER}").replace("interface eth0\n", "")
    loaded = sound(text + OTHER)
    assert loaded.configuration.vrrp_instance[0].interface == ""
    running, said = effective(loaded.configuration)
    assert [each.name for each in running.vrrp_instance] == ["VI_2"]
    assert said == ("(VI_1) an instance without an interface is not effective yet and is left out",)


@pytest.mark.parametrize(
    "lines",
    [
        "authentication {\nauth_type AH\nauth_pass x\n}",
        HMAC,
        "version 3\nv3_checksum_as_v2",
        f"version 3\nold_unicast_checksum\n{PEER}",
        f"unicast_fault_no_peer\n{PEER}",
        "use_vmac",
        "smtp_alert",
        "timer_expired_backup\nnopreempt",
    ],
)
def test_what_runs_as_it_is(lines: str) -> None:
    configuration = sound(instance_text(lines)).configuration
    assert effective(configuration) == (configuration, ())


def test_an_auth_hmac_without_a_key_to_sign_with_leaves_the_instance_out() -> None:
    for lines in ("auth_hmac {\nactive_key 1\n}", KEYLESS % "active_key 2", KEYLESS % "mode permissive"):
        loaded = read(instance_text(lines))
        assert loaded.exit_code == 5
        running, said = effective(loaded.configuration)
        assert running.vrrp_instance == ()
        assert said == (f"(VI_1) {REFUSED}",)


def test_receive_only_needs_no_key_to_sign_with() -> None:
    loaded = read(instance_text(KEYLESS % "mode receive-only"))
    assert loaded.exit_code == 5
    assert effective(loaded.configuration)[0].vrrp_instance == loaded.configuration.vrrp_instance
    loaded = read(instance_text("auth_hmac {\nmode receive-only\n}"))
    assert effective(loaded.configuration)[0].vrrp_instance == ()


def test_groups_lose_members_that_are_left_out_and_a_group_of_none_goes() -> None:
    text = instance_text(f"{SOURCE}\nunicast_fault_no_peer") + OTHER
    text += "vrrp_sync_group a {\ngroup {\nVI_1\nVI_2\n}\n}\n"
    running, said = effective(sound(text).configuration)
    assert [(each.name, each.group) for each in running.vrrp_sync_group] == [("a", ("VI_2",))]
    assert said[1] == "(a) VI_1 is left out of the configuration and of the group"
    text = text.replace("VI_2\n}", "}")
    running, _ = effective(read(text).configuration)
    assert running.vrrp_sync_group == ()
    assert len(running.vrrp_instance) == 1


def test_the_address_of_an_ipvlan_is_no_source_while_there_is_no_ipvlan() -> None:
    (found,) = sound(instance_text("use_ipvlan 10.0.0.9/24")).configuration.vrrp_instance
    assert found.mcast_src_ip == IPv4Address("10.0.0.9")
    running, said = effective(Configuration(vrrp_instance=(found,)))
    assert running.vrrp_instance == (replace(found, mcast_src_ip=None),)
    assert said == ()
    (found,) = sound(instance_text("use_ipvlan 10.0.0.9/24\nmcast_src_ip 10.0.0.8")).configuration.vrrp_instance
    assert effective(Configuration(vrrp_instance=(found,)))[0].vrrp_instance == (found,)
