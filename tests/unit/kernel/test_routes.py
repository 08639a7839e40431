"""Orders on routes and rules, byte by byte as pyroute2's own classes read them, and what tells one from others."""

import itertools
from typing import Any

import pytest
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.kernel import routes, rules
from tests.config.machine import Machine
from tests.config.reading import sound

LINKS = {"eth0": 3, "eth1": 4}


def route(line: str) -> RouteEntry:
    machine = Machine(interfaces=("eth0", "eth1"))
    (found,) = sound(f"static_routes {{\n{line}\n}}\n", machine).configuration.static_routes
    return found


def rule(line: str) -> RuleEntry:
    machine = Machine(interfaces=("eth0", "eth1"))
    (found,) = sound(f"static_rules {{\n{line}\n}}\n", machine).configuration.static_rules
    return found


def index(name: str) -> int:
    if name not in LINKS:
        raise routes.UnknownLink
    return LINKS[name]


def read(message_class: Any, data: bytearray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields and attributes."""
    message = message_class(bytes(data))
    message.decode()
    names = [name for name, _ in message_class.fields]
    return {name: message[name] for name in names} | dict(message["header"]), dict(message["attrs"])


def added(line: str, **options: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    entry = route(line)
    return read(rtmsg, routes.add_message(entry, entry.table, index, replace=options.get("replace", False)))


def test_what_a_route_is_about() -> None:
    line = "10.8.0.0/24 via 10.0.0.2 dev eth1 src 10.0.0.1 tos 0x10 table 1000 metric 7 scope link onlink realms 1/2"
    fields, attributes = added(line)
    assert (fields["type"], fields["dst_len"], fields["tos"], fields["scope"]) == (routes.RTM_NEWROUTE, 24, 0x10, 253)
    assert (fields["table"], fields["proto"]) == (0, 18)
    assert attributes == {
        "RTA_TABLE": 1000,
        "RTA_DST": "10.8.0.0",
        "RTA_PRIORITY": 7,
        "RTA_GATEWAY": "10.0.0.2",
        "RTA_OIF": 4,
        "RTA_PREFSRC": "10.0.0.1",
        "RTA_FLOW": 0x10002,
    }


@pytest.mark.parametrize(
    ("line", "replace", "flags"),
    [
        ("10.8.0.0/24 dev eth0", False, 0x401),
        ("10.8.0.0/24 dev eth0 prepend", False, 0x401),
        ("10.8.0.0/24 dev eth0 add", False, 0x601),
        ("blackhole 10.8.0.0/24", False, 0x601),
        ("10.8.0.0/24 dev eth0 append", False, 0xC01),
        ("10.8.0.0/24 dev eth0 add", True, 0x501),
    ],
)
def test_how_it_stands_to_others(line: str, *, replace: bool, flags: int) -> None:
    assert added(line, replace=replace)[0]["flags"] == flags


def test_metrics_and_their_locks() -> None:
    words = "mtu lock 1400 advmss 1300 rtt lock 1s rttvar 1s reordering 3 cwnd lock 10 ssthresh 11 rto_min lock 300"
    more = "window 5 initcwnd 6 initrwnd 7 hoplimit 8 quickack 1 features ecn congctl lock cubic"
    metrics = dict(added(f"10.8.0.0/24 dev eth0 {words} {more}")[1]["RTA_METRICS"]["attrs"])
    assert metrics.pop("RTAX_LOCK") == 1 << 2 | 1 << 4 | 1 << 7 | 1 << 13 | 1 << 16
    assert metrics == {
        "RTAX_MTU": 1400,
        "RTAX_ADVMSS": 1300,
        "RTAX_RTT": 8000,
        "RTAX_RTTVAR": 4000,
        "RTAX_REORDERING": 3,
        "RTAX_CWND": 10,
        "RTAX_SSTHRESH": 11,
        "RTAX_RTO_MIN": 300,
        "RTAX_WINDOW": 5,
        "RTAX_INITCWND": 6,
        "RTAX_INITRWND": 7,
        "RTAX_HOPLIMIT": 8,
        "RTAX_QUICKACK": 1,
        "RTAX_FEATURES": 1,
        "RTAX_CC_ALGO": "cubic",
    }


def test_ways() -> None:
    line = "10.8.0.0/24 nexthop via 10.0.0.2 dev eth0 weight 2 onlink nexthop via 10.0.0.3 dev eth1 realms 5"
    first, second = added(line)[1]["RTA_MULTIPATH"]
    assert (first["hops"], first["oif"], first["flags"], dict(first["attrs"])) == (1, 3, 4, {"RTA_GATEWAY": "10.0.0.2"})
    assert (second["hops"], second["oif"]) == (0, 4)
    assert dict(second["attrs"]) == {"RTA_GATEWAY": "10.0.0.3", "RTA_FLOW": 5}


@pytest.mark.parametrize(
    ("words", "kind", "nest"),
    [
        ("mpls 100", 1, "0800 0100 00064100"),
        ("mpls 100/200", 1, "0c00 0100 00064000 000c8100"),
        (
            "ip id 1 dst 10.0.0.9 src 10.0.0.1 tos 1 ttl 5 flags 7",
            2,
            (
                "0c00 0100 0000000000000001 0800 0200 0a000009 0800 0300 0a000001"
                " 0500 0400 05000000 0500 0500 01000000 0600 0600 07000000"
            ),
        ),
        ("ila 1:2:3:4", 3, "0c00 0100 0001000200030004"),
        (
            "ip6 dst fe80::1 tc 1 hoplimit 4",
            4,
            "1400 0200 fe800000000000000000000000000001 0500 0400 04000000 0500 0500 01000000 0600 0600 00000000",
        ),
    ],
)
def test_encapsulations(words: str, kind: int, nest: str) -> None:
    entry = route(f"10.8.0.0/24 dev eth0 encap {words}")
    wanted = bytes.fromhex(nest)
    data = bytes(routes.add_message(entry, 254, index))
    assert (len(wanted) + 4).to_bytes(2, "little") + b"\x16\x80" + wanted in data
    assert b"\x06\x00\x15\x00" + kind.to_bytes(2, "little") in data


def test_ids_of_tunnels_are_whole() -> None:
    whole = (1 << 64) - 1
    data = bytes(routes.add_message(route(f"10.8.0.0/24 dev eth0 encap ip id {whole}"), 254, index))
    assert b"\x0c\x00\x01\x00" + b"\xff" * 8 in data
    told = read(fibmsg, rules.add_message(rule(f"table 1 preference 5 tunnel-id {whole}")))[1]
    assert told["FRA_TUN_ID"] == whole


def test_a_next_hop_has_its_encapsulation() -> None:
    (way,) = added("10.8.0.0/24 nexthop via 10.0.0.2 encap mpls 100")[1]["RTA_MULTIPATH"]
    attributes = dict(way["attrs"])
    assert attributes["RTA_GATEWAY"] == "10.0.0.2"
    assert attributes["RTA_ENCAP_TYPE"] == 1
    assert "RTA_ENCAP" in attributes


def test_ipv6() -> None:
    fields, attributes = added("2001:db8::/64 from 2001:db8:1::/48 dev eth0 expires 60 pref high")
    assert (fields["family"], fields["dst_len"], fields["src_len"]) == (10, 64, 48)
    assert attributes["RTA_SRC"] == "2001:db8:1::"
    assert attributes["RTA_PREF"] == 1
    assert attributes["RTA_EXPIRES"].replace(":", "") == "3c000000"


def test_an_order_to_remove_names_one_route() -> None:
    entry = route("2001:db8::/64 via fe80::1 dev eth0 mtu 1400 src 2001:db8::1 encap ip id 1")
    fields, attributes = read(rtmsg, routes.remove_message(entry, 254, index))
    assert (fields["type"], fields["scope"], fields["flags"], fields["proto"]) == (routes.RTM_DELROUTE, 255, 1, 18)
    assert set(attributes) == {"RTA_TABLE", "RTA_DST", "RTA_PRIORITY", "RTA_GATEWAY", "RTA_OIF"}
    assert attributes["RTA_PRIORITY"] == 1024  # what the kernel makes of none


def test_an_interface_that_is_not_there() -> None:
    with pytest.raises(routes.UnknownLink):
        routes.add_message(route("10.8.0.0/24 dev eth0"), 254, _nobody)


def _nobody(name: str) -> int:
    raise routes.UnknownLink(name)


@pytest.mark.parametrize(
    "line",
    [
        "10.8.0.0/24 via 10.0.0.2 dev eth1 tos 0x10 table 1000 metric 7",
        "default via 10.0.0.2 dev eth0",
        "default via fe80::1 dev eth0",
        "2001:db8::/64 from 2001:db8:1::/48 dev eth0 tos 5",
        "blackhole 10.9.0.0/16",
    ],
)
def test_the_key_is_read_from_what_the_kernel_says(line: str) -> None:
    entry = route(line)
    key = routes.key_of(entry, entry.table, index)
    told = routes.remove_message(entry, entry.table, index)
    if entry.family == 10:
        told[16 + 3] = 0  # the kernel keeps no tos of IPv6
    assert routes.read_key(bytes(told)) == key


RULES = (
    ("from 10.0.0.0/24 to 10.1.0.0/16 table 100 preference 5", {"FRA_SRC": "10.0.0.0", "FRA_DST": "10.1.0.0"}),
    ("table 1000 preference 5", {"FRA_TABLE": 1000, "FRA_PRIORITY": 5, "FRA_PROTOCOL": 18}),
    ("table 1 preference 5 fwmark 0x10/0xf0", {"FRA_FWMARK": 16, "FRA_FWMASK": 0xF0}),
    ("table 1 preference 5 fwmark 3", {"FRA_FWMARK": 3, "FRA_FWMASK": 0xFFFFFFFF}),
    ("table 1 preference 5 iif eth0 oif eth1", {"FRA_IIFNAME": "eth0", "FRA_OIFNAME": "eth1"}),
    ("table 1 preference 5 tunnel-id 9", {"FRA_TUN_ID": 9}),
    ("table 1 preference 5 uidrange 1-5", {"FRA_UID_RANGE": "1:5"}),
    ("table 1 preference 5 ipproto tcp sport 10-20", {"FRA_IP_PROTO": 6, "FRA_SPORT_RANGE": "10:20"}),
    ("table 1 preference 5 dport 10-20", {"FRA_DPORT_RANGE": "10:20"}),
    ("table 1 preference 5 realms 1/2", {"FRA_FLOW": 0x10002}),
    ("table 1 preference 5 sup_pl 8 sup_group 3", {"FRA_SUPPRESS_PREFIXLEN": 8, "FRA_SUPPRESS_IFGROUP": 3}),
    ("goto 9 preference 5", {"FRA_GOTO": 9}),
    ("l3mdev preference 5", {"FRA_L3MDEV": 1}),
    ("table 1 preference 5 no_track protocol 7", {"FRA_PROTOCOL": 7}),
)


@pytest.mark.parametrize(("line", "wanted"), RULES)
def test_what_a_rule_is_about(line: str, wanted: dict[str, Any]) -> None:
    _, attributes = read(fibmsg, rules.add_message(rule(line)))
    assert wanted.items() <= attributes.items()


def test_a_mark_of_nothing_is_any_and_of_zero_is_zero() -> None:
    assert "FRA_FWMASK" not in read(fibmsg, rules.add_message(rule("table 1 preference 5 fwmark 0")))[1]
    told = read(fibmsg, rules.add_message(rule("table 1 preference 5 fwmark 0/0xffffffff")))[1]
    assert (told["FRA_FWMARK"], told["FRA_FWMASK"]) == (0, 0xFFFFFFFF)


@pytest.mark.parametrize(
    ("line", "action"),
    [("table 1", 1), ("goto 9", 2), ("nop", 3), ("blackhole", 6), ("unreachable", 7), ("prohibit", 8), ("l3mdev", 1)],
)
def test_what_a_rule_does(line: str, action: int) -> None:
    fields, _ = read(fibmsg, rules.add_message(rule(f"{line} preference 5 not")))
    assert (fields["action"], fields["type"]) == (action, rules.RTM_NEWRULE)


@pytest.mark.parametrize(("line", "other"), list(itertools.pairwise(line for line, _ in RULES)))
def test_a_rule_is_told_from_others(line: str, other: str) -> None:
    """The kernel tells of more than it was asked for: what it takes for none is left out."""
    entry = rule(line)
    assert rules.key_of(entry) != rules.key_of(rule(other))
    told = bytes(rules.remove_message(entry)) + bytes.fromhex("08000e00ffffffff 08000d00ffffffff")
    if "sup_pl" not in line:
        assert rules.read_key(told) == rules.key_of(entry)
