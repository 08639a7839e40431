"""Lines of static_routes and virtual_routes: what they mean, what is wrong with them and what is said about it."""

from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

import pytest

from pykeepalived.config.blocks.routes import EncapIla, EncapIp, EncapIp6, EncapMpls, Nexthop, RouteEntry
from pykeepalived.config.kinds_routes import Locked
from tests.config.machine import Machine
from tests.config.reading import instance, instance_text, messages, read, sound

BASE = IPv4Interface("10.1.0.0/24")


def route(line: str, machine: Machine | None = None) -> RouteEntry:
    """A sound line."""
    (found,) = sound(f"static_routes {{\n{line}\n}}\n", machine).configuration.static_routes
    return found


def said(line: str, machine: Machine | None = None) -> tuple[list[str], list[str | None], tuple[RouteEntry, ...]]:
    """What is said about a line: messages, hints; and what comes of it."""
    loaded = read(f"static_routes {{\n{line}\n}}\n", machine)
    return (
        [each.message for each in loaded.diagnostics],
        [each.hint for each in loaded.diagnostics],
        loaded.configuration.static_routes,
    )


def made(**values: Any) -> RouteEntry:
    return RouteEntry(**{"destination": BASE, "dev": "eth0", **values})


DEV = "10.1.0.0/24 dev eth0 "


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("10.1.0.0/24 dev eth0", made()),
        ("default dev eth0 pref high", made(destination=IPv6Interface("::/0"), pref=1)),
        ("dev eth0 10.1.0.0/24", made()),
        ("dev eth0 to 10.1.0.0/24", made()),
        ("10.1.0.0/24 oif eth0", made()),
        ("10.1.0.1 dev eth0", made(destination=IPv4Interface("10.1.0.1/32"))),
        ("10.1.0.0/24 via 10.0.0.2", made(dev=None, via=IPv4Address("10.0.0.2"), no_track=True)),
        ("default via 10.0.0.2 dev eth0", made(destination=IPv4Interface("0.0.0.0/0"), via=IPv4Address("10.0.0.2"))),
        ("any via inet 10.0.0.2 dev eth0", made(destination=IPv4Interface("0.0.0.0/0"), via=IPv4Address("10.0.0.2"))),
        ("all via inet6 fe80::1 dev eth0", made(destination=IPv6Interface("::/0"), via=IPv6Address("fe80::1"))),
        ("default src 2001:db8::1 dev eth0", made(destination=IPv6Interface("::/0"), src=IPv6Address("2001:db8::1"))),
        ("default6 dev eth0", made(destination=IPv6Interface("::/0"))),
        ("default dev eth0 inet6", made(destination=IPv6Interface("::/0"))),
        ("blackhole 10.1.0.0/24", made(dev=None, type=6, action="add", no_track=True)),
        ("brd 10.1.0.0/24 dev eth0", made(type=3, action="add")),
        ("0x2 10.1.0.0/24 dev eth0", made(type=2, action="add")),
        ("unicast 10.1.0.0/24 dev eth0", made(action="add")),
        ("append prohibit 10.1.0.0/24 dev eth0", made(type=8, action="add")),
        ("prohibit 10.1.0.0/24 dev eth0 append", made(type=8, action="append")),
        (DEV + "add append", made(action="append")),
        (DEV + "src 10.0.0.1 onlink", made(src=IPv4Address("10.0.0.1"), onlink=True)),
        (
            "2001:db8::/64 from 2001:db8:1::/48 dev eth0",
            made(destination=IPv6Interface("2001:db8::/64"), source=IPv6Interface("2001:db8:1::/48")),
        ),
        (DEV + "tos AF11", made(tos=0x28)),
        (DEV + "dsfield 010", made(tos=8)),
        (DEV + "table main", made()),
        (DEV + "table dmz", made(table=300)),
        (DEV + "table 0x10", made(table=16)),
        (DEV + "protocol bgp no_track", made(protocol=186, no_track=True)),
        (DEV + "no_track protocol 0", made(protocol=0, no_track=True)),
        (DEV + "scope link", made(scope=253)),
        (DEV + "scope local-net", made(scope=100)),
        (DEV + "metric 1 priority 2 preference 3", made(metric=3)),
        ("2001:db8::/64 dev eth0 expires 10", made(destination=IPv6Interface("2001:db8::/64"), expires=10)),
        ("2001:db8::/64 dev eth0 pref low", made(destination=IPv6Interface("2001:db8::/64"), pref=3)),
        ("2001:db8::/64 dev eth0 pref 1", made(destination=IPv6Interface("2001:db8::/64"), pref=1)),
        (DEV + "mtu 1400 advmss lock 1360", made(mtu=Locked(1400), advmss=Locked(1360, lock=True))),
        (
            DEV + "reordering 3 window 10 cwnd lock 10",
            made(reordering=Locked(3), window=10, cwnd=Locked(10, lock=True)),
        ),
        (DEV + "ssthresh 9 initcwnd 10 initrwnd 11", made(ssthresh=Locked(9), initcwnd=10, initrwnd=11)),
        (DEV + "hoplimit 64 quickack 1 fastopen_no_cookie 0", made(hoplimit=64, quickack=1, fastopen_no_cookie=0)),
        (DEV + "rtt 2001", made(rtt=Locked(2001))),
        (DEV + "rtt 300ms rttvar 1s", made(rtt=Locked(2400), rttvar=Locked(4000))),
        (DEV + "rtt lock 1.5SECS rto_min 250msec", made(rtt=Locked(12000, lock=True), rto_min=Locked(250))),
        (DEV + "realms 1/2", made(realms=1 << 16 | 2)),
        (DEV + "realms paid", made(realms=7)),
        (DEV + "features ecn congctl lock cubic", made(features="ecn", congctl=Locked("cubic", lock=True))),
        (DEV + "ttl-propagate disabled", made(ttl_propagate=False)),
        (
            DEV + "encap ip id 1 dst 10.0.0.9 src 10.0.0.1 tos EF ttl 5 flags 7 metric 4",
            made(metric=4, encap=EncapIp(1, IPv4Address("10.0.0.9"), IPv4Address("10.0.0.1"), 0xB8, 5, 7)),
        ),
        (
            DEV + "encap ip6 dst fe80::1 tc 1 hoplimit 4 mtu 1300",
            made(mtu=Locked(1300), encap=EncapIp6(dst=IPv6Address("fe80::1"), tc=1, hoplimit=4)),
        ),
        (DEV + "encap mpls 100/0x10", made(encap=EncapMpls((100, 16)))),
        (DEV + "encap ila 2001:db8:0:1", made(encap=EncapIla(0x20010DB800000001))),
        (
            "10.1.0.0/24 nexthop via 10.0.0.2 weight 2 nexthop dev eth1 onlink encap mpls 7 realms 3",
            made(
                dev=None,
                no_track=True,
                nexthop=(
                    Nexthop(via=IPv4Address("10.0.0.2"), weight=2),
                    Nexthop(dev="eth1", onlink=True, encap=EncapMpls((7,)), realms=3),
                ),
            ),
        ),
        (
            "default nexthop via fe80::1 dev eth0",
            made(
                destination=IPv6Interface("::/0"),
                dev=None,
                no_track=True,
                nexthop=(Nexthop(via=IPv6Address("fe80::1"), dev="eth0"),),
            ),
        ),
        ('10.1.0.0/24 "dev" "eth0"', made()),
    ],
)
def test_what_a_line_means(line: str, wanted: RouteEntry) -> None:
    assert route(line) == wanted


DROPPED = [
    ("dev eth0", "a route needs a destination", "write it first"),
    ("10.1.0.0/24 mtuu 5", "'mtuu' is no option and no destination of a route", "did you mean mtu?"),
    ("10.1.0/24 dev eth0", "'10.1.0/24' is no option and no destination", "write four numbers"),
    ("010.1.0.0/24 dev eth0", "'010.1.0.0/24' is no option and no destination", "without leading zeros"),
    ("to blackhole 10.1.0.0/24", "'blackhole' is no option and no destination", "write blackhole PREFIX, without to"),
    ("blackhole to 10.1.0.0/24", "'to' is no option and no destination", "write TYPE PREFIX, without to"),
    ("256 10.1.0.0/24", "'256' is no option and no destination", ""),
    ("10.1.0.0/24 dev eth0 default", "'default' cannot stand behind the destination", "write 0.0.0.0/0"),
    ("via fe80::1 dev eth0 default", "'default' cannot stand behind via, which has a family", "write ::/0"),
    ("default realms 1 via fe80::1", "via is IPv6, and realms is IPv4", "of one family"),
    ("2001:db8::/64 via 10.0.0.2", "via is IPv4, and the destination is IPv6", "one family"),
    ("10.1.0.0/24 via inet6 10.0.0.2", "via: '10.0.0.2' is not an IPv6 address", "write an IPv6 address"),
    (DEV + "src 10.0.0.1/24", "src: invalid IP address '10.0.0.1/24'", "wanted: 10.0.0.1"),
    (DEV + "from 10.2.0.0/24", "from: '10.2.0.0/24' is not an IPv6 prefix", "IPv6 alone"),
    (DEV + "from default", "from default is not for IPv4", "write ::/0"),
    (DEV + "inet6", "inet6 is IPv6, and the destination is IPv4", "one family"),
    (DEV + "tos 256", "tos: number '256' outside range [0, 255]", "use a number from 0 to 255"),
    (DEV + "table dmx", "table: there is no 'dmx' in rt_tables", "did you mean dmz?"),
    (DEV + "table 08", "table: there is no '08' in rt_tables", "write a number"),
    (DEV + "scope nowhere-else", "scope: there is no 'nowhere-else' in rt_scopes", "/etc/iproute2/rt_scopes"),
    (DEV + "metric 0x10", "metric: invalid number '0x10'", "write it in decimal"),
    (DEV + "metric 4294967296", "metric: number '4294967296' outside range", "use a number from 0 to"),
    (DEV + "hoplimit lock 5", "hoplimit: invalid number 'lock'", ""),
    (DEV + "expires 10", "expires goes with IPv6 alone", "remove expires"),
    (DEV + "pref low", "pref goes with IPv6 alone", "remove pref"),
    ("2001:db8::/64 dev eth0 realms 1", "realms goes with IPv4 alone", "remove realms"),
    (DEV + "realms 1/2/3", "realms: there is no '2/3' in rt_realms", "write REALM or FROM/TO"),
    (DEV + "quickack 2", "quickack: number '2' outside range [0, 1]", ""),
    (DEV + "rtt 300us", "rtt: invalid time '300us'", "250ms or 1.5s"),
    (DEV + "rtt 1e3s", "rtt: invalid time '1e3s'", "250ms or 1.5s"),
    (DEV + "rtt 960001", "rtt: invalid time '960001'", "use 200..120000 ms"),
    (DEV + "vrf eth1", "interface eth1 is no VRF", "ip link show type vrf"),
    (DEV + "vrf blue", "there is no VRF blue", ""),
    (DEV + "or foo", "or: invalid IP address 'foo'", ""),
    (DEV + "or 10.0.0.3", '"or" without via', "write nexthop via"),
    (DEV + "encap", "encap lacks its type", "write one of ip, ip6, mpls, ila"),
    (DEV + "encap gre 5", "unknown encapsulation 'gre'", "write one of ip, ip6, mpls, ila"),
    (DEV + "encap ip tos 4", "encap ip needs an id or a dst", "write encap ip dst ADDRESS"),
    (DEV + "encap ip dst fe80::1", "dst: 'fe80::1' is not an IPv4 address", "write an IPv4 address"),
    (DEV + "encap mpls", "encap mpls lacks its value", "encap mpls LABEL"),
    (DEV + "encap mpls 1/2/3", "encap mpls: '1/2/3' are no labels", "one or 2 labels"),
    (DEV + "encap mpls 1048576", "encap mpls: '1048576' are no labels", "up to 1048575"),
    (DEV + "encap ila 1:2:3", "encap ila: '1:2:3' is no locator", "four hexadecimal numbers"),
    (DEV + "nexthop via 2001:db8::1", "the gateway is IPv6, and the destination is IPv4", "of one family"),
    (DEV + "nexthop via 10.0.0.2 weight 0", "weight: number '0' outside range [1, 256]", ""),
    (DEV + "via 10.0.0.2 or 10.0.0.3 nexthop dev eth0", '"or" and nexthop exclude each other', "as nexthop"),
]


@pytest.mark.parametrize(("line", "message", "hint"), DROPPED)
def test_a_line_that_is_wrong_is_left_out_and_counts(line: str, message: str, hint: str) -> None:
    loaded = read(f"static_routes {{\n{line}\n}}\n")
    last = loaded.diagnostics[-1]
    assert message in last.message, messages(loaded)
    assert last.message.endswith(" - the route is ignored")
    assert hint in (last.hint or "")
    assert (loaded.exit_code, loaded.fatal) == (5, False)
    assert loaded.configuration.static_routes == ()


@pytest.mark.parametrize(
    ("line", "message", "wanted"),
    [
        (
            "10.1.0.0/33 dev eth0",
            "invalid prefix length '33', /32 is used",
            made(destination=IPv4Interface("10.1.0.0")),
        ),
        ("10.1.0.0/255.255.255.0 dev eth0", "/32 is used", made(destination=IPv4Interface("10.1.0.0"))),
        (DEV + "gw 10.0.0.2", '"gw" for routes is deprecated', made(via=IPv4Address("10.0.0.2"))),
        (DEV + "as to 5", "as is of MPLS - ignored", made()),
        (DEV + "protocol static", "a route that is tracked has the protocol keepalived (18)", made()),
        (DEV + "features sack", "features: unknown feature 'sack' - skipped", made()),
        (DEV + "ttl-propagate on", "ttl-propagate: unknown value 'on'", made()),
        (DEV + "rtt 1.5555s", "rtt: '1.5555' has too many decimal places", made(rtt=Locked(1556 * 8))),
        (
            DEV + "nexthop via 10.0.0.2 metric 5",
            "'metric' does not belong behind next hops - ignored",
            made(nexthop=(Nexthop(via=IPv4Address("10.0.0.2")),)),
        ),
        (
            DEV + "via 10.0.0.2 or 10.0.0.3",
            '"or" for routes is deprecated, please use "nexthop"',
            made(nexthop=(Nexthop(via=IPv4Address("10.0.0.2")), Nexthop(via=IPv4Address("10.0.0.3")))),
        ),
    ],
)
def test_what_stands_in_spite_of_a_mistake_that_counts(line: str, message: str, wanted: RouteEntry) -> None:
    loaded = read(f"static_routes {{\n{line}\n}}\n")
    assert any(message in each for each in messages(loaded)), messages(loaded)
    assert loaded.exit_code == 5
    assert loaded.configuration.static_routes == (wanted,)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("default inet6 via fe80::1 dev eth0", "keepalived skips 'via' behind inet6"),
        ("10.1.0.0/24 dev eth0 inet 10.2.0.0/24", "keepalived skips '10.2.0.0/24' behind inet"),
        ("10.1.0.0/ dev eth0", "'10.1.0.0/' has no prefix length, keepalived takes it for 0"),
        (DEV + "table 4294967297", "outside range [0, 4294967295], keepalived takes it for 1"),
        (DEV + "table -1", "keepalived takes it for 4294967295"),
        (DEV + "nexthop", "a next hop without via and dev leads nowhere"),
    ],
)
def test_what_keepalived_takes_for_something_else_is_left_out_and_does_not_count(line: str, message: str) -> None:
    loaded = read(f"static_routes {{\n{line}\n}}\n")
    assert [message in each.message for each in loaded.diagnostics] == [True]
    assert loaded.diagnostics[0].message.endswith(" - the route is ignored")
    assert (loaded.exit_code, loaded.configuration.static_routes) == (0, ())


def test_a_skipped_word_is_named_as_the_cause_of_what_follows() -> None:
    found, hints, left = said("inet6 default via fe80::1")
    assert (found, left) == (["a route needs a destination - the route is ignored"], ())
    assert hints == ["'default' is skipped, as inet6 skips the word behind it: remove inet6, or write it behind via"]


@pytest.mark.parametrize(
    ("line", "message", "wanted"),
    [
        (DEV + "rtt 300", "time '300' outside range, 200 ms is used", made(rtt=Locked(1600))),
        (DEV + "rttvar 130s", "time '130s' outside range, 120000 ms is used", made(rttvar=Locked(480_000))),
        ("10.1.0.5/24 dev eth0", "bits are set behind the prefix", made(destination=IPv4Interface("10.1.0.5/24"))),
        ("10.9.0.0/24 10.1.0.0/24 dev eth0", "a second destination: 10.1.0.0/24 replaces the one before", made()),
    ],
)
def test_what_is_worth_a_word_and_no_mistake(line: str, message: str, wanted: RouteEntry) -> None:
    found, _, left = said(line)
    assert [message in each for each in found] == [True]
    assert messages(read(f"static_routes {{\n{line}\n}}\n")) == []
    assert left == (wanted,)


@pytest.mark.parametrize("line", ["10.1.0.0/24 dev", "10.1.0.0/24 mtu lock", "10.1.0.0/24 via inet", "blackhole"])
def test_a_value_that_is_lacking_ends_everything(line: str) -> None:
    loaded = read(f"static_routes {{\n{line}\n}}\n")
    word = line.rsplit(maxsplit=1)[-1]
    first = line.split(maxsplit=1)[0]
    wanted = f"*** Configuration line starting `{first}` is missing a parameter after keyword `{word}`"
    assert [each.message for each in loaded.diagnostics] == [wanted]
    assert (loaded.exit_code, loaded.fatal) == (2, True)


def test_an_interface_that_is_missing_is_fatal_unless_it_may_come() -> None:
    text = "static_routes {\n10.1.0.0/24 dev eth9\n}\n"
    loaded = read(text)
    assert messages(loaded) == ["2:13 WARNING - interface eth9 for a route doesn't exist"]
    assert (loaded.exit_code, loaded.fatal, loaded.configuration.static_routes) == (5, True, ())
    loaded = sound("global_defs {\ndynamic_interfaces\n}\n" + text)
    assert loaded.configuration.static_routes == (made(dev="eth9"),)


def test_a_vrf_must_be_one() -> None:
    assert route(DEV + "vrf blue", Machine(interfaces=("eth0", "eth1", "blue"), drivers={"blue": "vrf"})) == made(
        vrf="blue"
    )


def test_the_place_of_a_mistake_is_its_word() -> None:
    loaded = read("static_routes {\n10.1.0.0/24 dev eth0 metric 12x\n}\n")
    span = loaded.diagnostics[0].span
    assert span is not None
    assert (span.line, span.text[span.column - 1 :][: span.length]) == (2, "metric 12x")


def test_routes_of_an_instance_may_not_name_a_track_group() -> None:
    found = instance("virtual_routes {\n10.1.0.0/24 dev eth0\ndefault via 10.0.0.254\n}")
    gateway = IPv4Address("10.0.0.254")
    default = RouteEntry(destination=IPv4Interface("0.0.0.0/0"), via=gateway, no_track=True)
    assert found.virtual_routes == (made(), default)
    loaded = read(instance_text("virtual_routes {\n10.1.0.0/24 dev eth0 track_group g\n}"))
    assert "(VI_1) 'track_group' is no option and no destination" in loaded.diagnostics[0].message
    assert loaded.diagnostics[0].hint == "track_group is for static_routes alone"


def test_names_are_looked_up_where_global_defs_says() -> None:
    machine = Machine()
    machine.iproute = {
        "/etc/iproute2/rt_tables": {"old": 1},
        "/srv/etc/rt_tables": {"both": 2},
        "/srv/usr/rt_tables": {"both": 3, "vendor": 4},
    }
    moved = "global_defs {\niproute_etc_dir /srv/etc\niproute_usr_dir /srv/usr\n}\n"
    lines = "static_routes {\n10.1.0.0/24 dev eth0 table both\n10.2.0.0/24 dev eth0 table vendor\n}\n"
    assert [each.table for each in sound(moved + lines, machine).configuration.static_routes] == [2, 4]
    assert read(lines, machine).exit_code == 5
    (found,) = sound("static_routes {\n10.1.0.0/24 dev eth0 table old\n}\n", machine).configuration.static_routes
    assert found.table == 1


def test_blocks_add_up_and_the_same_route_counts_once() -> None:
    text = "static_routes {\n10.1.0.0/24 dev eth0\n}\nstatic_routes {\n10.1.0.0/24 oif eth0\n10.2.0.0/24 dev eth1\n}\n"
    second = RouteEntry(destination=IPv4Interface("10.2.0.0/24"), dev="eth1")
    loaded = sound(text)
    assert loaded.configuration.static_routes == (made(), second)
    assert loaded.not_effective == ()


def test_many_routes_are_read_in_a_moment() -> None:
    lines = "\n".join(f"10.{n // 250}.{n % 250}.0/24 via 10.0.0.2 dev eth0 metric {n}" for n in range(5000))
    loaded = sound(f"static_routes {{\n{lines}\n}}\n")
    assert len(loaded.configuration.static_routes) == 5000
    assert loaded.configuration.static_routes[-1].metric == 4999


GROUPS = "track_group g {\ngroup {\nVI_1\n}\n}\n"


def test_a_track_group_must_be_defined_above_and_needs_an_interface() -> None:
    lines = "static_routes {\n%s\n}\n"
    loaded = sound(GROUPS + instance_text("") + lines % (DEV + "track_group g"))
    assert loaded.configuration.static_routes == (made(track_group="g"),)
    for line, said_, wanted in (
        (DEV + "track_group h", "track_group h not found - ignored", made()),
        (DEV + "track_group g track_group g", "track_group g is a second one - ignored", made(track_group="g")),
        (
            "10.1.0.0/24 track_group g",
            "a route with a track_group needs dev - ignored",
            made(dev=None, no_track=True),
        ),
    ):
        loaded = read(GROUPS + instance_text("") + lines % line)
        assert [each.message for each in loaded.diagnostics] == [said_]
        assert (loaded.exit_code, loaded.configuration.static_routes) == (5, (wanted,))
    loaded = read(lines % (DEV + "track_group g") + GROUPS + instance_text(""))
    assert [each.message for each in loaded.diagnostics] == ["track_group g not found - ignored"]
    assert loaded.diagnostics[0].hint == "define it above: track_group g { ... }"
