"""What the daemon cannot act upon yet: in the configuration, out of what runs, and said."""

import pytest

from pykeepalived.config.effective import effective
from tests.config.reading import instance_text, read, sound

SOURCE = "unicast_src_ip 10.0.0.5"
PEER = "unicast_peer {\n10.0.0.6\n}"
HMAC = "auth_hmac {\nkey 1 12345678901234567890123456789012\nactive_key 1\n}"
OTHER = instance_text("").replace("VI_1", "VI_2").replace("51", "52")
KEYLESS = "auth_hmac {\nkey 1 12345678901234567890123456789012\n%s\n}"
REFUSED = "auth_hmac has no key to sign with - the instance is left out, for its peers would not accept it"


def test_an_instance_without_interface_runs_and_its_addresses_have_one() -> None:
    text = instance_text(f"unicast_src_ip 10.0.0.5\n{PEER}").replace("interface eth0\n", "")
    loaded = sound(text + OTHER)
    assert loaded.not_effective == ()
    first, second = effective(loaded.configuration)[0].vrrp_instance
    assert (first.interface, first.exchange_interface, second.interface) == ("", "", "eth0")
    assert {each.dev for each in first.virtual_ipaddress} == {"eth0"}


@pytest.mark.keyword("global_defs.default_interface")
def test_addresses_of_an_instance_without_interface_go_to_the_default_interface() -> None:
    text = instance_text(f"unicast_src_ip 10.0.0.5\n{PEER}").replace("interface eth0\n", "")
    found = sound("global_defs {\ndefault_interface eth1\n}\n" + text).configuration
    assert {each.dev for each in found.vrrp_instance[0].virtual_ipaddress} == {"eth1"}
    loaded = read("global_defs {\ndefault_interface nowhere0\n}\n" + text)
    assert any("there is no default interface nowhere0 - ignored" in each.message for each in loaded.diagnostics)


@pytest.mark.parametrize(
    "lines",
    [
        "authentication {\nauth_type AH\nauth_pass x\n}",
        HMAC,
        "version 3\nv3_checksum_as_v2",
        f"version 3\nold_unicast_checksum\n{PEER}",
        f"unicast_fault_no_peer\n{PEER}",
        "unicast_src_ip 10.0.0.5\nunicast_fault_no_peer",
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
    text = instance_text("auth_hmac {\nmode receive-only\n}") + OTHER
    text += "vrrp_sync_group a {\ngroup {\nVI_1\nVI_2\n}\n}\n"
    running, said = effective(read(text).configuration)
    assert [(each.name, each.group) for each in running.vrrp_sync_group] == [("a", ("VI_2",))]
    assert said[1] == "(a) VI_1 is left out of the configuration and of the group"
    text = text.replace("VI_2\n}", "}")
    running, _ = effective(read(text).configuration)
    assert running.vrrp_sync_group == ()
    assert len(running.vrrp_instance) == 1
