"""Lines of blocks of lines, with one option under test: what it may be, what it means, and what is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

from pykeepalived.config import kinds
from pykeepalived.config.blocks.routes import EncapIla, EncapIp, EncapIp6, EncapMpls, Nexthop
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET, AF_INET6, NOTHING, Entries, Integer, Kind
from pykeepalived.config.kinds_routes import (
    AnyBase,
    Feature,
    Host,
    IpProtocol,
    Lockable,
    Locked,
    Mark,
    Named,
    Network,
    OnOff,
    Preference,
    Realms,
    RouteTime,
    Span,
)
from pykeepalived.config.listing import ENTRY, Row, by_path
from tests.support.keyword_frames import FRAMES, INDENT, Place, around, parent
from tests.support.keyword_samples import Good

_U64 = 2**64 - 1
_GROUP = ("track_group t {", "group {", "VI_1", "}", "}")


@dataclass(frozen=True, slots=True)
class Wrong:
    """Words behind an option that are refused."""

    words: str
    counts: bool = True
    after: int = 0
    """Where the place of the mistake begins, counted from the option."""
    stands: Any = NOTHING
    """The value that the option has all the same."""


# --- frames ---

BASES = {
    "address": "10.0.0.7/24",
    "unicast_peer": "10.0.0.2",
    "track_interface": "eth1",
    "track_script": "s",
    "track_file": "f",
    "track_process": "p",
    "track_bfd": "b",
    "route": "10.1.0.0/24 dev eth0",
    "rule": "from 10.0.0.0/8 preference 100 table 7",
    "virtual_server_group": "",
}
"""Grammar -> the words before the option."""
_NO_ACTION = "from 10.0.0.0/8 preference 100"
_SIX = "2001:db8::/64 dev eth0"
_BASE: dict[tuple[str, str], str] = {
    ("address", "peer"): "10.0.0.7",
    ("address", "-nodad"): "2001:db8::7/64",
    **{("route", name): _SIX for name in ("from", "expires", "pref", "inet6")},
    ("route", "dev"): "10.1.0.0/24",
    ("route", "protocol"): "10.1.0.0/24 dev eth0 no_track",
    ("route", "or"): "10.1.0.0/24 dev eth0 via 10.0.0.8",
    ("route", "nexthop"): "10.1.0.0/24",
    ("route", "to"): "dev eth0",
    **{("route", name): "10.1.0.0/24 dev eth0 blackhole 10.2.0.0/24" for name in ("prepend", "append")},
    **{("rule", name): _NO_ACTION for name in ("table", "l3mdev", "goto", "type")},
    **{("rule", name): _NO_ACTION for name in ("nop", "blackhole", "unreachable", "prohibit")},
    ("rule", "from"): "to 10.0.0.0/8 preference 100 table 7",
    ("rule", "inet6"): "preference 100 table 7",
    ("rule", "preference"): "from 10.0.0.0/8 table 7",
    ("rule", "protocol"): "from 10.0.0.0/8 preference 100 table 7 no_track",
    ("rule", "track_group"): "from 10.0.0.0/8 preference 100 table 7 iif eth0",
}
BEFORE = {
    "track_script": (
        *("global_defs {", "enable_script_security", "script_user root", "}"),
        *("vrrp_script s {",),
        "script /opt/check.sh",
        "}",
    ),
    "track_file": ("track_file f {", "file /tmp/f", "weight 3", "}"),
    "track_process": ("vrrp_track_process p {", "process nginx", "weight 3", "}"),
    "track_bfd": ("bfd_instance b {", "neighbor_ip 10.0.0.9", "weight 3", "}"),
}


def grammar(row: Row) -> str:
    """The grammar of the line that the option of that path stands in."""
    block = by_path()[row.path.partition(f"/{ENTRY}/")[0]]
    assert block.keyword is not None
    kind = block.keyword.kind
    assert isinstance(kind, Entries)
    return kind.grammar


def name_of(row: Row) -> str:
    """The option's own name, whatever its spelling."""
    return (row.target or row.path).rpartition("/")[2]


def option_place(row: Row, words: str) -> tuple[Place, str, int]:
    """The file with the option, the one without the line, and the column of the option."""
    owner = row.path.partition(f"/{ENTRY}/")[0]
    name = owner.rpartition("/")[2]
    of = grammar(row)
    base = _BASE.get((of, name_of(row)), BASES[of])
    head = "v" if of == "virtual_server_group" else ""
    line = f"{INDENT}{base} {row.name} {words}".rstrip() if base else f"{INDENT}{row.name} {words}".rstrip()
    above = [*BEFORE.get(of, ()), *(_GROUP if owner.startswith("static_") else ())]
    texts = []
    at = 0
    for content in ([line], [INDENT + base] if base else [], []):
        lines, at = around(parent(owner), [f"{name} {head} {{", *content, "}"], name)
        if parent(owner) == "":
            lines += ["vrrp_instance VI_1 {", *_least(), "}"]
        texts.append("\n".join([*above, *lines]) + "\n")
    column = len(INDENT) + (len(base) + 1 if base else 0) + 1
    return Place(texts[0], len(above) + at + 2, texts[1]), texts[2], column


def _least() -> list[str]:
    return [line for lines in FRAMES["vrrp_instance"].least.values() for line in lines]


def entry_of(row: Row, configuration: Configuration) -> Any:
    """The last line of that block, resolved; None if there is none."""
    owner = row.path.partition(f"/{ENTRY}/")[0]
    holder, _, name = owner.rpartition("/")
    if name == "virtual_server_group":
        return configuration.virtual_server_group[-1].entries[-1] if configuration.virtual_server_group else None
    held = getattr(getattr(configuration, holder)[-1], name) if holder else getattr(configuration, name)
    return held[-1] if held else None


# --- what is right ---


def _bounds(minimum: int, maximum: int) -> list[Good]:
    return [(str(minimum), minimum), (str(maximum), maximum)]


def _named(kind: Named) -> list[Good]:
    names = {
        "rt_tables": (("main", 254), ("dmz", 300)),
        "rt_scopes": (("link", 253), ("local-net", 100)),
        "rt_protos": (("static", 4), ("bgp", 186)),
        "rt_dsfield": (("EF", 0xB8),),
        "group": (("uplinks", 3), ("default", 0)),
    }
    return [*_bounds(kind.minimum, kind.maximum), ("0x10", 16), ("017", 15), *names[kind.file]]


def _lockable(kind: Lockable) -> list[Good]:
    inner = values_of(kind.inner)
    return [(words, Locked(value)) for words, value in inner] + [
        (f"lock {words}", Locked(value, lock=True)) for words, value in inner
    ]


_OF_KIND: dict[type[Kind], Callable[[Any], Sequence[Good]]] = {
    kinds.Flag: lambda _: (("", True),),
    Integer: lambda kind: _bounds(kind.minimum, kind.maximum),
    kinds.Interface: lambda _: (("eth0", "eth0"), ("eth1", "eth1")),
    kinds.Word: lambda _: (("cubic", "cubic"), ("bbr", "bbr")),
    Named: _named,
    Realms: lambda _: (("255", 255), ("1/2", 0x10002), ("paid", 7), ("paid/255", 0x700FF)),
    AnyBase: lambda kind: (*_bounds(0, kind.maximum), ("0x1f", 31), ("017", 15)),
    Mark: lambda _: (*(("5", (5, 2**32 - 1)), ("0x10/0xff", (16, 255)), ("4294967295/0", (2**32 - 1, 0))),),
    Span: lambda kind: ((f"0-{kind.maximum}", (0, kind.maximum)), ("7-7", (7, 7))),
    Host: lambda kind: (
        ("10.0.0.9", IPv4Address("10.0.0.9")),
        *([("inet 10.0.0.9", IPv4Address("10.0.0.9"))] if kind.prefixed else []),
    ),
    Network: lambda kind: (
        (("2001:db8:1::/48", IPv6Interface("2001:db8:1::/48")),)
        if kind.family
        else (("10.0.0.0/9", IPv4Interface("10.0.0.0/9")), ("10.0.0.1", IPv4Interface("10.0.0.1/32")))
    ),
    Lockable: _lockable,
    RouteTime: lambda kind: (
        *((str(200 * kind.per_ms), 200 * kind.per_ms), ("120s", 120_000 * kind.per_ms)),
        *(("300ms", 300 * kind.per_ms), ("1.5s", 1500 * kind.per_ms)),
    ),
    Preference: lambda _: (("low", 3), ("medium", 0), ("high", 1), ("255", 255)),
    OnOff: lambda _: (("enabled", True), ("disabled", False)),
    Feature: lambda _: (("ecn", "ecn"),),
    IpProtocol: lambda _: (("127", 127), ("0", 0), ("tcp", 6), ("sctp", 132)),
}
_OF: dict[tuple[str, str], Sequence[Good]] = {
    ("address", "-nodad"): (("", False),),
    ("address", "scope"): (("link", 253), ("global", 0), ("0", 0), ("255", 255), ("local-net", 100)),
    ("address", "label"): (("eth0:1", "eth0:1"), ("fifteen_letters", "fifteen_letters"), ('"l b"', "l b")),
    ("address", "broadcast"): tuple(
        (word, IPv4Address(address)) for word, address in (("+", "10.0.0.255"), ("-", "10.0.0.0"), ("10.0.0.9",) * 2)
    ),
    ("address", "peer"): (("10.0.0.9", IPv4Address("10.0.0.9")),),
    ("address", "preferred_lft"): (("forever", None), ("0", 0), ("4294967295", 4294967295)),
    ("address", "track_group"): (("t", "t"),),
    ("route", "track_group"): (("t", "t"),),
    ("rule", "track_group"): (("t", "t"),),
    ("rule", "goto"): (("101", 101), ("4294967295", 4294967295)),
    ("rule", "protocol"): (("0", 0), ("255", 255)),
    ("route", "encap"): (
        ("ip id 7 dst 10.0.0.9 ttl 3", EncapIp(id=7, dst=IPv4Address("10.0.0.9"), ttl=3)),
        ("ip6 dst 2001:db8::9 tc 1", EncapIp6(dst=IPv6Address("2001:db8::9"), tc=1)),
        ("mpls 100/1048575", EncapMpls((100, 1048575))),
        ("ila 2001:db8:0:1", EncapIla(0x20010DB800000001)),
    ),
    ("route", "nexthop"): (
        ("via 10.0.0.9", (Nexthop(via=IPv4Address("10.0.0.9")),)),
        ("dev eth1 weight 256 onlink", (Nexthop(dev="eth1", weight=256, onlink=True),)),
        (
            "via 10.0.0.9 nexthop dev eth0 realms 7",
            (Nexthop(via=IPv4Address("10.0.0.9")), Nexthop(dev="eth0", realms=7)),
        ),
    ),
    ("route", "or"): (("10.0.0.9", (Nexthop(via=IPv4Address("10.0.0.8")), Nexthop(via=IPv4Address("10.0.0.9")))),),
    ("route", "vrf"): (("red", "red"),),
    ("route", "as"): (("10.0.0.9", None), ("to 10.0.0.9", None)),
    ("route", "inet"): (("", IPv4Interface("10.1.0.0/24")),),
    ("route", "inet6"): (("", IPv6Interface("2001:db8::/64")),),
    ("rule", "inet"): (("", AF_INET),),
    ("rule", "inet6"): (("", AF_INET6),),
    ("rule", "type"): (("nop", "nop"), ("prohibit", "prohibit")),
    **{("rule", name): (("", name),) for name in ("nop", "blackhole", "unreachable", "prohibit")},
    **{("route", name): (("", name),) for name in ("add", "prepend", "append")},
}
"""Where the kind does not tell: grammar and option -> words and value."""
_FIELD = {
    ("route", "from"): "source", ("route", "to"): "destination", ("route", "ttl-propagate"): "ttl_propagate",
    ("rule", "from"): "source", ("rule", "not"): "inverted", ("rule", "tunnel-id"): "tunnel_id",
    ("route", "or"): "nexthop", ("route", "as"): "via",
    ("route", "inet"): "destination", ("route", "inet6"): "destination",
    ("rule", "inet"): "family", ("rule", "inet6"): "family", ("address", "-nodad"): "nodad",
    **{("route", name): "action" for name in ("add", "prepend", "append")},
    **{("rule", name): "action" for name in ("nop", "blackhole", "unreachable", "prohibit", "type")},
}  # fmt: skip
"""Grammar and option -> the field of the entry, where their names differ."""


def values_of(kind: Kind) -> Sequence[Good]:
    """Words that are a value of that kind."""
    return _OF_KIND[type(kind)](kind)


SAID = {("route", "as"): "as is of MPLS - ignored", ("route", "or"): '"or" for routes is deprecated'}
"""Options that are sound and complained of."""


def option_values(row: Row) -> Sequence[Good]:
    """Words behind an option, and the value they read as."""
    key = grammar(row), name_of(row)
    assert row.keyword is not None
    return _OF[key] if key in _OF else values_of(row.keyword.kind)


def field_of(row: Row) -> str:
    """The field of the entry that holds the option."""
    return _FIELD.get((grammar(row), name_of(row)), name_of(row))


# --- what is wrong ---


def _no_metric(kind: Lockable) -> list[Wrong]:
    if isinstance(kind.inner, kinds.Word):
        return []  # the kernel knows which there are
    found = []
    for each in _WRONG[type(kind.inner)](kind.inner):
        for lock in (False, True):
            stands = NOTHING if each.stands is NOTHING else Locked(each.stands, lock=lock)
            found.append(replace(each, words=f"lock {each.words}" if lock else each.words, stands=stands))
    return found


_WRONG: dict[type[Kind], Callable[[Any], Sequence[Wrong]]] = {
    Integer: lambda kind: tuple(map(Wrong, (str(kind.minimum - 1), str(kind.maximum + 1), "x", "1.5", "12x"))),
    kinds.Interface: lambda _: (Wrong("nosuch"), Wrong("sixteen_letters_")),
    Named: lambda kind: tuple(map(Wrong, ("nosuch", str(kind.maximum + 1) if kind.maximum < 2**31 else "x", "09"))),
    Realms: lambda _: tuple(map(Wrong, ("256", "nosuch", "1/256", "x/1"))),
    AnyBase: lambda kind: tuple(map(Wrong, (str(kind.maximum + 1), "-1", "x", "08"))),
    Mark: lambda _: tuple(map(Wrong, ("4294967296", "x", "1/x", "1/4294967296"))),
    Span: lambda kind: (
        Wrong("7"),
        Wrong("x-y"),
        Wrong("9-5", counts=False),
        Wrong(f"0-{kind.maximum + 1}", counts=False),
    ),
    Host: lambda _: tuple(map(Wrong, ("10.0.0.300", "10.0.0.9/24", "nosuch", "2001:db8::9"))),
    Network: lambda kind: tuple(map(Wrong, ("nosuch", "10.0.0.300/8", *(["10.0.0.0/8"] if kind.family else [])))),
    Lockable: _no_metric,
    RouteTime: lambda kind: (
        *(Wrong("x"), Wrong("-1"), Wrong("100000000"), Wrong("5min")),
        *(Wrong("199ms", counts=False, stands=200 * kind.per_ms), Wrong("1", counts=False, stands=200 * kind.per_ms)),
    ),
    Preference: lambda _: tuple(map(Wrong, ("256", "-1", "lowest"))),
    OnOff: lambda _: (Wrong("on"), Wrong("1")),
    Feature: lambda _: (Wrong("nosuch"),),
    IpProtocol: lambda _: (Wrong("128"), Wrong("nosuch")),
}
_WRONG_OF: dict[tuple[str, str], Sequence[Wrong]] = {
    ("address", "scope"): (Wrong("256"), Wrong("nosuch"), Wrong("-1")),
    ("address", "label"): (Wrong("sixteen_letters_"),),
    ("address", "broadcast"): (Wrong("x"), Wrong("2001:db8::1"), Wrong("10.0.0.300")),
    ("address", "peer"): (Wrong("10.0.0.300"), Wrong("2001:db8::1"), Wrong("10.0.0.9/24")),
    ("address", "preferred_lft"): (Wrong("-1"), Wrong("4294967296"), Wrong("x")),
    **{(of, "track_group"): (Wrong("nosuch"),) for of in ("address", "route", "rule")},
    ("route", "encap"): (
        *(Wrong("gre"), Wrong("ip ttl 3")),
        *(Wrong("mpls x", after=11), Wrong("ip id x", after=9), Wrong("ila 1:2", after=10)),
    ),
    ("route", "nexthop"): tuple(
        Wrong(words, after=8) for words in ("via x", "weight 0 dev eth0", "weight 257 dev eth0", "dev nosuch")
    ),
    ("route", "vrf"): (Wrong("nosuch"), Wrong("eth0")),
    ("rule", "type"): (Wrong("nosuch"), Wrong("table")),
    ("virtual_server_group", "fwmark"): tuple(Wrong(text, after=7) for text in ("-1", "4294967296", "x", "1.5")),
    **{
        (of, "weight"): (
            *(Wrong("254", stands=253), Wrong("-254", stands=-253), Wrong("255"), Wrong("-255"), Wrong("x")),
        )
        for of in ("track_interface", "track_script")
    },
    ("rule", "protocol"): tuple(Wrong(text, stands=18) for text in ("-1", "256", "x", "static")),
    ("rule", "goto"): (Wrong("100"), Wrong("x"), Wrong("4294967296")),
}


def option_wrong(row: Row) -> Sequence[Wrong]:
    """Words behind an option that are refused."""
    key = grammar(row), name_of(row)
    assert row.keyword is not None
    return _WRONG_OF[key] if key in _WRONG_OF else _WRONG.get(type(row.keyword.kind), lambda _: ())(row.keyword.kind)
