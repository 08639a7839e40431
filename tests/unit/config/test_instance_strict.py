"""strict_mode: what it sets, what it refuses, and what the file may say all the same."""

import pytest

from tests.config.reading import instance, instance_text, messages, read


def test_what_strict_mode_sets() -> None:
    found = instance("strict_mode")
    assert found.strict_mode
    assert (found.accept, found.lower_prio_no_advert, found.higher_prio_send_advert) == (False, True, False)
    assert (found.garp_lower_prio_delay, found.garp_lower_prio_repeat) == (0, 0)
    assert (found.owner_ignore_adverts, found.down_timer_adverts) == (True, 3)
    assert read(instance_text("strict_mode")).not_effective == ()


def test_the_global_default_and_the_instances_own_word() -> None:
    before = "global_defs {\nvrrp_strict\n}"
    assert instance("", before=before).strict_mode
    assert not instance("strict_mode off\nstate MASTER\npriority 100", before=before).strict_mode


@pytest.mark.parametrize(
    ("lines", "attribute", "value", "message"),
    [
        ("state MASTER\npriority 150", "state", "BACKUP", "State MASTER must match being address owner"),
        ("preempt_delay 5", "preempt_delay", 0, "preempt_delay is incompatible with strict mode"),
        ("down_timer_adverts 5", "down_timer_adverts", 3, "down_timer_adverts is 3 in strict mode"),
        ("lower_prio_no_advert off", "lower_prio_no_advert", True, "lower_prio_no_advert is on in strict mode"),
        ("higher_prio_send_advert", "higher_prio_send_advert", False, "higher_prio_send_advert is off in strict mode"),
        ("garp_lower_prio_delay 3", "garp_lower_prio_delay", 0, "garp_lower_prio_delay is 0 in strict mode"),
        ("garp_lower_prio_repeat 3", "garp_lower_prio_repeat", 0, "garp_lower_prio_repeat is 0 in strict mode"),
        ("accept", "accept", False, "accept is for version 3 or address owners in strict mode"),
        ("use_vmac\nvmac_xmit_base", "vmac_xmit_base", False, "vmac_xmit_base is incompatible with strict mode"),
    ],
)
def test_what_contradicts_strict_mode_is_said_and_reset(
    lines: str, attribute: str, value: object, message: str
) -> None:
    loaded = read(instance_text(f"strict_mode\n{lines}"))
    assert loaded.exit_code == 5
    assert not loaded.fatal
    (only,) = messages(loaded)
    assert message in only
    assert getattr(loaded.configuration.vrrp_instance[0], attribute) == value
    assert messages(read(instance_text(lines))) == []


@pytest.mark.parametrize(
    ("lines", "accept"),
    [
        ("version 3\naccept", True),
        ("priority 255\naccept", True),
        ("accept\nno_accept", False),
        ("nopreempt", False),
        (
            "garp_lower_prio_delay 0\ngarp_lower_prio_repeat 0\nlower_prio_no_advert on\nhigher_prio_send_advert off",
            False,
        ),
        ("state MASTER", False),
        ("owner_ignore_adverts off", False),
    ],
)
def test_what_strict_mode_allows(lines: str, accept: bool) -> None:
    assert instance(f"strict_mode\n{lines}").accept is accept


def test_global_defaults_that_contradict_it_are_overruled_in_silence_but_for_the_timer() -> None:
    before = "global_defs {\nvrrp_higher_prio_send_advert\nvrrp_garp_lower_prio_repeat 5\n%s\n}"
    assert not instance("strict_mode", before=before % "").higher_prio_send_advert
    loaded = read(instance_text("strict_mode", before % "vrrp_down_timer_adverts 5"))
    (only,) = messages(loaded)
    assert "down_timer_adverts is 3 in strict mode" in only


def test_strict_mode_wants_an_address_whatever_else_is_said() -> None:
    loaded = read(instance_text("strict_mode\nno_virtual_ipaddress", vip=""))
    assert loaded.fatal
    assert "No VIP specified; at least one is required" in messages(loaded)[0]
    loose = read(instance_text("no_virtual_ipaddress\nversion 3", vip=""))
    assert messages(loose) == []
    assert loose.configuration.vrrp_instance[0].no_virtual_ipaddress


@pytest.mark.parametrize("strict", [True, False])
def test_the_first_ipv6_address_is_a_link_local_one(strict: bool) -> None:
    lines = "strict_mode on" if strict else ""
    loaded = read(instance_text(lines, vip="fe80::64\nfd00::64"))
    assert (loaded.exit_code, loaded.diagnostics) == (0, ())
    loaded = read(instance_text(lines, vip="fd00::64\nfe80::64"))
    (said,) = loaded.diagnostics
    word = "must" if strict else "should"
    assert said.message == f"(VI_1) the first IPv6 VIP address {word} be link local"
    assert said.hint is not None
    assert "fe80::/10" in said.hint
    assert loaded.exit_code == (5 if strict else 0)
    assert len(loaded.configuration.vrrp_instance) == 1
