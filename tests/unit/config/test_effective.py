"""What the daemon cannot act upon yet: in the configuration, out of what runs, and said."""

import pytest

from pykeepalived.config.effective import effective
from tests.config.reading import instance_text, read, sound

PEER = "unicast_peer {\n10.0.0.6\n}"
HMAC = "auth_hmac {\nkey 1 12345678901234567890123456789012\nactive_key 1\n}"
OTHER = instance_text("").replace("VI_1", "VI_2").replace("51", "52")
REFUSED = "is not effective yet - the instance is left out, for its peers would not accept it"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("authentication {\nauth_type AH\nauth_pass x\n}", f"(VI_1) auth_type AH {REFUSED}"),
        (HMAC, f"(VI_1) auth_hmac {REFUSED}"),
        ("version 3\nv3_checksum_as_v2", f"(VI_1) v3_checksum_as_v2 {REFUSED}"),
        (f"old_unicast_checksum\n{PEER}", f"(VI_1) old_unicast_checksum {REFUSED}"),
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


def test_an_instance_without_interface_runs() -> None:
    text = instance_text(f"unicast_src_ip 10.0.0.5\n{PEER}").replace("interface eth0\n", "")
    loaded = sound(text + OTHER)
    assert loaded.configuration.vrrp_instance[0].interface == ""
    running, said = effective(loaded.configuration)
    assert [each.name for each in running.vrrp_instance] == ["VI_1", "VI_2"]
    assert said == ()


@pytest.mark.parametrize(
    "lines",
    [
        "v3_checksum_as_v2",
        "version 3\nv3_checksum_as_v2 off",
        f"old_unicast_checksum never\n{PEER}",
        f"unicast_fault_no_peer\n{PEER}",
        "use_vmac",
        "smtp_alert",
        "timer_expired_backup\nnopreempt",
    ],
)
def test_what_changes_no_advert_runs(lines: str) -> None:
    configuration = sound(instance_text(lines)).configuration
    assert effective(configuration) == (configuration, ())


def test_the_global_checksum_leaves_out_instances_of_version_3_alone() -> None:
    before = "global_defs {\nv3_checksum_as_v2\n}"
    text = instance_text("version 3", before) + OTHER + instance_text("", vip="fe80::1").replace("VI_1", "VI_3")
    running, _ = effective(sound(text).configuration)
    assert [each.name for each in running.vrrp_instance] == ["VI_2", "VI_3"]
    text = instance_text("version 3\nv3_checksum_as_v2 off", before)
    assert len(effective(sound(text).configuration)[0].vrrp_instance) == 1


def test_an_auth_hmac_without_its_key_leaves_the_instance_out_all_the_same() -> None:
    loaded = read(instance_text("auth_hmac {\nactive_key 1\n}"))
    assert loaded.exit_code == 5
    assert effective(loaded.configuration)[0].vrrp_instance == ()


def test_groups_lose_members_that_are_left_out_and_a_group_of_none_goes() -> None:
    text = instance_text(HMAC) + OTHER
    text += "vrrp_sync_group a {\ngroup {\nVI_1\nVI_2\n}\n}\n"
    running, said = effective(sound(text).configuration)
    assert [(each.name, each.group) for each in running.vrrp_sync_group] == [("a", ("VI_2",))]
    assert said[1] == "(a) VI_1 is left out of the configuration and of the group"
    text = text.replace("VI_2\n}", "}")
    running, _ = effective(read(text).configuration)
    assert running.vrrp_sync_group == ()
    assert len(running.vrrp_instance) == 1
