"""What a reload would do, told object by object."""

from pykeepalived.config.difference import difference, lines
from tests.config.reading import instance_text, server_text, sound

SCRIPT = """global_defs {
    enable_script_security
    script_user root
}
vrrp_script chk {
    script /opt/check.sh
    timeout %s
    weight %s
}
"""
TRACKED = "track_script {\nchk\n}\n"


def _told(old: str, new: str) -> list[str]:
    return lines(difference(sound(old).configuration, sound(new).configuration))


def test_the_same_file_has_no_difference() -> None:
    text = SCRIPT % (5, -10) + instance_text(TRACKED) + server_text("")
    assert _told(text, text) == []


def test_values_are_told_as_the_file_has_them() -> None:
    old = SCRIPT % (5, -10) + instance_text(TRACKED)
    new = SCRIPT % ("1.5", -60) + instance_text(TRACKED + "priority 150\naccept", vip="10.0.0.2")
    assert _told(old, new) == [
        "vrrp_script chk: timeout 5 -> 1.5, weight -10 -> -60",
        (
            "vrrp_instance VI_1: priority 100 -> 150, virtual_ipaddress -10.0.0.1 +10.0.0.2, "
            "track_script -chk weight -10 noreverse +chk weight -60 noreverse"
        ),
    ]


def test_servers_come_go_and_change_one_by_one() -> None:
    old = server_text("lvs_sched rr", "}\nreal_server 10.9.0.2 80 {")
    new = server_text("lvs_sched wrr\nlvs_method DR", "weight 3\n}\nreal_server 10.9.0.3 80 {")
    assert _told(old, new) == [
        (
            "virtual_server [10.9.0.100]:tcp:80: real_server 10.9.0.2 80: removed; "
            "real_server 10.9.0.1 80: weight 1 -> 3, lvs_method NAT -> DR; real_server 10.9.0.3 80: added; "
            "lvs_sched rr -> wrr, lvs_method NAT -> DR"
        ),
    ]


def test_secrets_and_long_lists_are_named_alone() -> None:
    block = "authentication {\nauth_type PASS\nauth_pass %s\n}\n"
    many = "virtual_ipaddress_excluded {{\n{}\n}}\n".format("\n".join(f"10.1.0.{number}" for number in range(1, 60)))
    assert _told(instance_text(block % "one"), instance_text(block % "two" + many)) == [
        "vrrp_instance VI_1: auth_pass, virtual_ipaddress_excluded"
    ]


def test_what_comes_and_goes() -> None:
    assert _told(instance_text(""), instance_text("").replace("51", "52")) == [
        "vrrp_instance VI_1: removed",
        "vrrp_instance VI_1: added",
    ]
