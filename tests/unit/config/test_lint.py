"""Advice: each rule speaks where it should, is silent beside it, and never changes the verdict."""

import pytest

from pykeepalived.config.diagnostics import render
from pykeepalived.config.lint.rules import RULES, reason
from pykeepalived.config.load import Loaded, LoadOptions, load
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, PATH, instance_text, server_text

SECURE = "global_defs {\nenable_script_security\nscript_user root\n%s}\n"
SCRIPT = SECURE % "" + "vrrp_script s {\nscript /opt/check.sh\nweight %s\n}\n"
TRACKED = "track_script {\ns\n}\n"


def _read(text: str, peer: str = "", config_id: str = "") -> Loaded:
    machine = Machine({PATH: text, "/peer.conf": peer}, commands=COMMANDS)
    machine.interface_addresses = {"eth0": ("10.0.0.77/24",)}
    options = LoadOptions(config_id=config_id, lint=True, peers=("/peer.conf",) if peer else ())
    loaded = load(PATH, machine, options)
    assert loaded.exit_code == load(PATH, machine, LoadOptions(config_id=config_id)).exit_code
    return loaded


def _rules(text: str, peer: str = "", config_id: str = "") -> set[str]:
    return {each.rule for each in _read(text, peer, config_id).diagnostics if each.rule}


def _instance(lines: str, before: str = "", vip: str = "10.0.0.1") -> str:
    return instance_text(lines, before, vip)


ALONE = [
    ("owner-by-state", _instance("state MASTER"), _instance("state MASTER\npriority 150")),
    (
        "nopreempt-weight",
        _instance("nopreempt\n" + TRACKED, SCRIPT % "-10"),
        _instance("nopreempt\n" + TRACKED, SCRIPT % "0"),
    ),
    ("weight-cut", _instance("priority 250\n" + TRACKED, SCRIPT % "20"), _instance(TRACKED, SCRIPT % "20")),
    ("weight-cut", _instance("priority 10\n" + TRACKED, SCRIPT % "-20"), _instance(TRACKED, SCRIPT % "-20")),
    ("prefix-route", _instance("", vip="10.9.0.1/24"), _instance("", vip="10.0.0.1/24")),
    ("prefix-route", _instance("", vip="10.9.0.1/24"), _instance("", vip="10.9.0.1/32")),
    (
        "foreign-label",
        _instance("", vip="10.0.0.1 label vip"),
        _instance("", vip="10.0.0.1 label eth0:vip"),
    ),
    (
        "reserved-name",
        _instance("").replace("VI_1", '"VI 1"'),
        _instance(""),
    ),
    (
        "timeout-exceeds-interval",
        SCRIPT % "0" + "vrrp_script t {\nscript /opt/check.sh\ninterval 2\ntimeout 3\n}\n",
        SCRIPT % "0" + "vrrp_script t {\nscript /opt/check.sh\ninterval 2\ntimeout 2\n}\n",
    ),
    (
        "timeout-exceeds-interval",
        server_text("delay_loop 2", "TCP_CHECK {\nconnect_timeout 3\n}"),
        server_text("delay_loop 3", "TCP_CHECK {\nconnect_timeout 3\n}"),
    ),
    (
        "announcement-flood",
        _instance("garp_master_refresh 1\ngarp_master_refresh_repeat 200"),
        _instance("garp_master_refresh 60\ngarp_master_refresh_repeat 200"),
    ),
    ("announcement-flood", _instance("garp_master_repeat 6000"), _instance("garp_master_repeat 5000")),
    (
        "no-checker",
        server_text("", "}\nreal_server 10.9.0.2 80 {\nTCP_CHECK {\n}"),
        server_text("", "TCP_CHECK {\n}\n}\nreal_server 10.9.0.2 80 {\nTCP_CHECK {\n}"),
    ),
    (
        "mail-to-nobody",
        SECURE % "smtp_alert\n",
        SECURE % "smtp_alert\nsmtp_server 10.0.0.9\nnotification_email {\na@example.org\n}\n",
    ),
]
OTHERS = [
    ("equal-priority", _instance("priority 150"), _instance("priority 150"), _instance("priority 149")),
    (
        "weight-never-moves",
        _instance("priority 150\n" + TRACKED, SCRIPT % "-20"),
        _instance("priority 100"),
        _instance("priority 131"),
    ),
    ("nodes-differ", _instance("advert_int 2"), _instance(""), _instance("advert_int 2")),
    ("nodes-differ", _instance("", vip="10.0.0.2"), _instance(""), _instance("", vip="10.0.0.2")),
    (
        "not-a-peer",
        _instance("unicast_src_ip 10.0.0.77\nunicast_peer {\n10.0.0.78\n}"),
        _instance("priority 90\nunicast_src_ip 10.0.0.78\nunicast_peer {\n10.0.0.79\n}"),
        _instance("priority 90\nunicast_src_ip 10.0.0.78\nunicast_peer {\n10.0.0.77\n}"),
    ),
]


def test_every_rule_is_tried() -> None:
    assert {rule for rule, *_ in (*ALONE, *OTHERS)} == set(RULES)
    assert len(RULES) >= 14


@pytest.mark.parametrize(("rule", "text", "sound"), ALONE)
def test_a_rule_speaks_and_is_silent_beside_it(rule: str, text: str, sound: str) -> None:
    assert rule in _rules(text)
    assert rule not in _rules(sound)


@pytest.mark.parametrize(("rule", "text", "peer", "sound"), OTHERS)
def test_a_rule_about_two_nodes(rule: str, text: str, peer: str, sound: str) -> None:
    assert rule in _rules(text, peer)
    assert rule not in _rules(text, sound)
    assert rule not in _rules(text)


def test_conditional_lines_make_other_nodes() -> None:
    text = _instance("@oracle priority 150\n@^oracle priority 150")
    assert "equal-priority" in _rules(text)
    assert "equal-priority" not in _rules(text.replace("@^oracle priority 150", "@^oracle priority 100"))
    named = _instance("@lb1 priority 150\n@lb2 priority 150")
    assert "equal-priority" in _rules(named, config_id="lb1")
    assert "equal-priority" not in _rules(named)


def test_advice_names_place_reason_and_remedy() -> None:
    (found,) = [each for each in _read(_instance("priority 250\n" + TRACKED, SCRIPT % "20")).diagnostics if each.rule]
    assert render(found).split("\n") == [
        f"{PATH}:16:10: warning: (VI_1) weights bring the priority 250 out of range: 270 is cut to 254 [weight-cut]",
        "   16 | priority 250",
        "      |          ^~~",
        "  hint: choose a priority with room for the weights",
    ]


def test_a_file_that_cannot_start_gets_no_advice() -> None:
    assert _rules(_instance("state MASTER").replace("eth0", "eth9")) == set()


def test_every_rule_has_a_reason() -> None:
    for name in RULES:
        assert 20 < len(reason(name)) < 130, name
        assert reason(name).endswith("."), name
