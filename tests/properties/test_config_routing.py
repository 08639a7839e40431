"""Any route and any rule, written as a line and read again, is the same; and nothing is said about the line."""

import pickle
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pykeepalived.config.blocks.routes import EncapIla, EncapIp, EncapIp6, EncapMpls, Nexthop, RouteEntry
from pykeepalived.config.blocks.rules import WITHOUT_TABLE, RuleEntry
from pykeepalived.config.kinds import AF_INET, AF_INET6, UINT_MAX
from pykeepalived.config.kinds_routes import Locked
from pykeepalived.config.schema import entry_table
from tests.config.machine import Machine
from tests.config.reading import messages, read

U32 = st.integers(0, UINT_MAX)
U64 = st.integers(0, (1 << 64) - 1)
BYTE = st.integers(0, 255)
FOUR = st.integers(0, (1 << 32) - 1).map(IPv4Address)
SIX = st.integers(0, (1 << 128) - 1).map(IPv6Address)
INTERFACES = st.sampled_from(("eth0", "eth1", "lo"))
REALMS = st.integers(0, 255).flatmap(lambda first: BYTE.map(lambda last: first << 16 | last))
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_-0123456789", min_size=1, max_size=15).filter(lambda text: text != "lock")


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def locked(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return maybe(st.builds(Locked, values, st.booleans()))


def time(per_ms: int) -> st.SearchStrategy[Any]:
    return locked(st.integers(200 * per_ms, 120_000 * per_ms))


def spans(most: int) -> st.SearchStrategy[Any]:
    return maybe(st.tuples(st.integers(0, most), st.integers(0, most)).map(lambda pair: (min(pair), max(pair))))


@st.composite
def prefixes(draw: st.DrawFn, *, six: bool) -> Any:
    """A prefix with no bit behind it."""
    bits = draw(st.integers(0, 128 if six else 32))
    address = int(draw(SIX if six else FOUR))
    width = 128 if six else 32
    address = address >> (width - bits) << (width - bits)
    return IPv6Interface((address, bits)) if six else IPv4Interface((address, bits))


ENCAPS = st.one_of(
    st.builds(EncapIp, id=maybe(U64), dst=FOUR, src=maybe(FOUR), tos=BYTE, ttl=BYTE, flags=st.integers(0, 65535)),
    st.builds(EncapIp, id=U64),
    st.builds(EncapIp6, id=U64, dst=maybe(SIX), src=maybe(SIX), tc=BYTE, hoplimit=BYTE, flags=st.integers(0, 65535)),
    st.lists(st.integers(0, (1 << 20) - 1), min_size=1, max_size=2).map(lambda labels: EncapMpls(tuple(labels))),
    U64.map(EncapIla),
)


@st.composite
def nexthops(draw: st.DrawFn, *, six: bool) -> Nexthop:
    via = draw(maybe(SIX if six else FOUR))
    return Nexthop(
        via=via,
        dev=draw(INTERFACES if via is None else maybe(INTERFACES)),
        weight=draw(st.integers(1, 256)),
        onlink=draw(st.booleans()),
        encap=draw(maybe(ENCAPS)),
        realms=0 if six else draw(REALMS),
    )


@st.composite
def routes(draw: st.DrawFn) -> RouteEntry:
    six = draw(st.booleans())
    address = SIX if six else FOUR
    dev = draw(maybe(INTERFACES))
    no_track = dev is None or draw(st.booleans())
    plain = {name: draw(maybe(U32)) for name in ("window", "initcwnd", "initrwnd", *(("expires",) if six else ()))}
    metrics = {name: draw(locked(U32)) for name in ("mtu", "advmss", "reordering", "cwnd", "ssthresh")}
    switches = {name: draw(maybe(st.integers(0, 1))) for name in ("quickack", "fastopen_no_cookie")}
    return RouteEntry(
        destination=draw(prefixes(six=six)),
        type=draw(BYTE),
        action=draw(st.sampled_from(("add", "prepend", "append"))),
        src=draw(maybe(address)),
        via=draw(maybe(address)),
        source=draw(maybe(SIX.map(IPv6Interface))) if six else None,
        tos=draw(BYTE),
        table=draw(U32),
        protocol=draw(BYTE) if no_track else 18,
        scope=draw(BYTE),
        metric=draw(U32),
        dev=dev,
        onlink=draw(st.booleans()),
        encap=draw(maybe(ENCAPS)),
        hoplimit=draw(maybe(BYTE)),
        rtt=draw(time(8)),
        rttvar=draw(time(4)),
        rto_min=draw(time(1)),
        realms=0 if six else draw(REALMS),
        features=draw(st.sampled_from((None, "ecn"))),
        congctl=draw(locked(NAMES)),
        pref=draw(BYTE) if six else 0,
        ttl_propagate=draw(maybe(st.booleans())),
        vrf=draw(st.sampled_from((None, "blue"))),
        no_track=no_track,
        track_group=None,
        nexthop=tuple(draw(st.lists(nexthops(six=six), max_size=3))),
        **plain,
        **metrics,
        **switches,
    )


@st.composite
def rules(draw: st.DrawFn) -> RuleEntry:
    six = draw(st.booleans())
    selector = maybe(prefixes(six=six).filter(lambda prefix: prefix.network.prefixlen > 0))
    action = draw(st.sampled_from(("table", "l3mdev", "goto", *WITHOUT_TABLE)))
    looks_up = action in ("table", "l3mdev")
    no_track = draw(st.booleans())
    preference = draw(st.integers(0, UINT_MAX - 1))
    return RuleEntry(
        family=AF_INET6 if six else AF_INET,
        action=action if action in WITHOUT_TABLE else "",
        table=draw(st.integers(1, UINT_MAX)) if action == "table" else None,
        l3mdev=action == "l3mdev",
        goto=draw(st.integers(preference + 1, UINT_MAX)) if action == "goto" else None,
        inverted=draw(st.booleans()),
        source=draw(selector),
        to=draw(selector),
        preference=preference,
        tos=draw(BYTE),
        fwmark=draw(maybe(st.tuples(U32, U32))),
        iif=draw(maybe(INTERFACES)),
        oif=draw(maybe(INTERFACES)),
        tunnel_id=draw(maybe(U64)),
        uidrange=draw(spans(UINT_MAX)),
        ipproto=draw(maybe(st.integers(0, 127) | st.just(132))),
        sport=draw(spans(65535)),
        dport=draw(spans(65535)),
        realms=draw(REALMS) if looks_up and not six else 0,
        suppress_prefixlength=draw(maybe(st.integers(0, (1 << 31) - 1))) if looks_up else None,
        suppress_ifgroup=draw(maybe(st.integers(0, (1 << 31) - 1))) if looks_up else None,
        protocol=draw(BYTE) if no_track else 18,
        no_track=no_track,
    )


@settings(deadline=None, max_examples=150)
@given(routes())
@example(RouteEntry(destination=IPv4Interface("0.0.0.0/0"), no_track=True))
def test_a_route_written_and_read_is_the_same(route: RouteEntry) -> None:
    loaded = read(
        f"static_routes {{\n{route.entry_text()}\n}}\n",
        Machine(interfaces=("eth0", "eth1", "blue"), drivers={"blue": "vrf"}),
    )
    assert loaded.diagnostics == (), messages(loaded)
    assert loaded.configuration.static_routes == (route,)


@settings(deadline=None, max_examples=150)
@given(rules())
@example(RuleEntry(family=AF_INET6, table=254, preference=0))
def test_a_rule_written_and_read_is_the_same(rule: RuleEntry) -> None:
    loaded = read(f"static_rules {{\n{rule.entry_text()}\n}}\n")
    assert loaded.diagnostics == (), messages(loaded)
    assert loaded.configuration.static_rules == (rule,)


VALUES = [
    "10.1.0.0/24",
    "10.0.0.2",
    "2001:db8::/64",
    "fe80::1",
    "default",
    "default6",
    "10.1.0.0/",
    "10.1.0.0/33",
    "eth0",
    "lock",
    "inet6",
    "inet",
    "5",
    "0x10",
    "-1",
    "4294967297",
    "300ms",
    "1.23456s",
    "1/2",
    "1-5",
    "AF11",
    "main",
    "ip",
    "mpls",
    "100/200",
    "type",
    "to",
    '""',
    "ip6",
    "ila",
    "1:2:3:4",
    "6",
    "é",
    "\x00",
]


def _lines(grammar: str) -> st.SearchStrategy[str]:
    """Lines of option words and values, in any order."""
    words = st.sampled_from((*entry_table(grammar).words(), *VALUES)) | st.text("abz019.:/-+_é'\"\t%\\\x07", max_size=5)
    return st.lists(words, min_size=1, max_size=9).map(" ".join)


@settings(deadline=None, max_examples=300)
@given(_lines("route"))
@example("10.1.0.0/24 dev eth0 nexthop encap ip tos")
def test_any_words_are_a_route_or_something_is_said(line: str) -> None:
    loaded = read(f"static_routes {{\n10.9.0.0/16 dev eth1\n{line}\n}}\n".encode("utf-8", "replace"))
    found = loaded.configuration.static_routes
    assert len(found) > 1 or loaded.diagnostics or not line.strip()
    assert pickle.loads(pickle.dumps(found)) == found


@settings(deadline=None, max_examples=300)
@given(_lines("rule"))
@example("type goto")
def test_any_words_are_a_rule_or_something_is_said(line: str) -> None:
    loaded = read(f"static_rules {{\ntable 9 preference 9\n{line}\n}}\n".encode("utf-8", "replace"))
    found = loaded.configuration.static_rules
    assert len(found) > 1 or loaded.diagnostics or not line.strip()
    assert pickle.loads(pickle.dumps(found)) == found
