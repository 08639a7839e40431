"""Routes and rules, those of instances and those that stand by themselves, as dumps tell them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from pykeepalived.config.blocks.routes import (
    RTN_UNICAST,
    TYPES,
    Encap,
    EncapIla,
    EncapIp,
    EncapIp6,
    EncapMpls,
    Nexthop,
    RouteEntry,
)
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_routes import RT_TABLE_MAIN, RTPROT_KEEPALIVED, Locked
from tests.interop.dumped.fields import Block, Fields
from tests.interop.dumped.tree import Section, nodes_of

_TYPE_WORDS = {number: word for word, number in reversed(TYPES.items())}
_INSTALLED = re.compile(r" \[(installed ifindex|dev) [^]]*\]")
_UNDER_A_SECOND = re.compile(r"\b(rtt|rttvar|rto_min) (lock )?\d+ms")
SHORT = "200ms"
"""What 2.2.7 tells of every time below a second."""
_PREF = {1: "high", 3: "low"}


def told(lines: Iterable[str]) -> tuple[str, ...]:
    """Without what the kernel has of a route now, and without what 2.2.7 tells wrong."""
    return tuple(_INSTALLED.sub("", _mend(line)).strip() for line in lines)


def _mend(line: str) -> str:
    """2.2.7 tells a second MPLS label in another base, and a lock of congctl without a space."""
    line = re.sub(r"encap mpls \S+", "encap mpls", line)
    for same in (" pref medium", " to 0.0.0.0/0", " to ::/0"):  # as if it were not there
        line = line.replace(same, "")
    line = re.sub(r"^((?:not )?)from (?:0\.0\.0\.0|::)/0 ", r"\1from all ", line)
    line = re.sub(r"congctl (\S+)lock ", r"congctl lock \1", line)
    return _UNDER_A_SECOND.sub(rf"\1 \g<2>{SHORT}" if " lock " in line else rf"\1 {SHORT}", line)


def static(sections: Sequence[Section], configuration: Configuration) -> list[Block]:
    """Those that stand by themselves."""
    return [
        _static("static_routes", "Static Routes", sections, tuple(route(each) for each in configuration.static_routes)),
        _static("static_rules", "Static Rules", sections, tuple(rule(each) for each in configuration.static_rules)),
    ]


def _static(name: str, heading: str, sections: Sequence[Section], mine: tuple[str, ...]) -> Block:
    nodes = nodes_of(sections, heading)
    found: dict[str, Fields] = {"": {"lines": told(node.text for node in nodes)}} if nodes else {}
    return Block(name, found, {"": {"lines": mine}} if mine and sections else {})


def route(entry: RouteEntry) -> str:
    """One route."""
    words: list[object] = [entry.action]
    if entry.type != RTN_UNICAST:
        words.append(_TYPE_WORDS[entry.type])
    destination = entry.destination
    whole = destination.network.prefixlen == destination.max_prefixlen
    words.append(destination.ip if whole else destination)
    words += _pairs(("from", entry.source), ("src", entry.src))
    words += _pairs(("tos", entry.tos or None))
    if entry.encap is not None:
        words += _encap(entry.encap)
    words += _way(entry)
    words += _pairs(
        ("table", None if entry.table == RT_TABLE_MAIN else entry.table),
        ("proto", None if entry.no_track and entry.protocol in {0, RTPROT_KEEPALIVED} else entry.protocol),
        ("scope", entry.scope or None),
        ("metric", entry.metric or None),
    )
    if entry.onlink and entry.destination.version == 4:  # 2.2.7 has none of IPv6
        words.append("onlink")
    words += _realms(entry.realms) if entry.realms else []
    if entry.expires is not None:
        words += ["expires", f"{entry.expires}sec"]
    words += _metrics(entry)
    if entry.no_track:
        words.append("no_track")
    return " ".join(str(word) for word in [*words, *_pairs(("track_group", entry.track_group))])


def _pairs(*pairs: tuple[str, object]) -> list[object]:
    """The names and values of those that are given."""
    return [word for name, value in pairs if value is not None for word in (name, value)]


def _way(way: RouteEntry | Nexthop) -> list[object]:
    via: list[object] = []
    if way.via is not None:
        via = ["via", "inet6" if way.via.version == 6 else "inet", way.via]
    return [*via, *_pairs(("dev", way.dev))]


def _realms(value: int) -> list[object]:
    if value >> 16:
        return ["realms", f"{value >> 16}/{value & 0xFFFF}"]
    return ["realm", value]


def _locked(name: str, value: Locked[Any] | None, per_ms: int = 0) -> list[object]:
    if value is None:
        return []
    shown: object = value.value
    if per_ms:
        milliseconds = value.value / per_ms
        shown = SHORT if milliseconds < 1000 else f"{milliseconds / 1000:g}s"
    return [name, *(["lock"] if value.lock else []), shown]


def _metrics(entry: RouteEntry) -> list[object]:
    words = [
        *_locked("congctl", entry.congctl),
        *_locked("rtt", entry.rtt, 8),
        *_locked("rttvar", entry.rttvar, 4),
        *_locked("rto_min", entry.rto_min, 1),
        *_pairs(("features", entry.features)),
        *_locked("mtu", entry.mtu),
        *_pairs(("window", entry.window)),
        *_locked("ssthresh", entry.ssthresh),
        *_locked("cwnd", entry.cwnd),
        *_locked("advmss", entry.advmss),
        *_locked("reordering", entry.reordering),
    ]
    propagate = None if entry.ttl_propagate is None else "enabled" if entry.ttl_propagate else "disabled"
    words += _pairs(
        ("hoplimit", entry.hoplimit),
        ("initcwnd", entry.initcwnd),
        ("initrwnd", entry.initrwnd),
        ("quickack", entry.quickack),
        ("pref", _PREF[entry.pref] if entry.pref else None),
        ("fastopen_no_cookie", entry.fastopen_no_cookie),
        ("ttl-propagate", propagate),
    )
    for nexthop in entry.nexthop:
        words += ["nexthop", *_way(nexthop)]
        words += _pairs(("weight", nexthop.weight if nexthop.weight > 1 else None))
        words += ["onlink"] if nexthop.onlink else []
        words += ["realm", nexthop.realms & 0xFFFF] if nexthop.realms else []  # 2.2.7 leaves out the first
        words += _encap(nexthop.encap) if nexthop.encap is not None else []
    return words


def _encap(encap: Encap) -> list[object]:
    match encap:
        case EncapIp():
            pairs = (("id", encap.id), ("dst", encap.dst), ("src", encap.src), ("tos", encap.tos), ("ttl", encap.ttl))
            return ["encap", "ip", *_pairs(*pairs), "flags", f"{encap.flags:#x}"]
        case EncapIp6():
            six = (("id", encap.id), ("dst", encap.dst), ("src", encap.src), ("tc", encap.tc))
            return ["encap", "ip6", *_pairs(*six, ("hoplimit", encap.hoplimit)), "flags", f"{encap.flags:#x}"]
        case EncapMpls():
            return ["encap", "mpls"]
        case EncapIla():
            wire = encap.value.to_bytes(8, "big")  # told as the bytes stand in memory
            return ["encap", "ila", int.from_bytes(wire, "little")]
    assert_never(encap)


def rule(entry: RuleEntry) -> str:
    """One rule."""
    words: list[object] = ["not"] if entry.inverted else []
    words += ["from", entry.source if entry.source is not None else "all"]
    words += _pairs(("to", entry.to), ("priority", entry.preference), ("tos", f"{entry.tos:#x}"))
    if entry.fwmark is not None:
        mark, mask = entry.fwmark
        words += ["fwmark", f"{mark:#x}" if mask == 0xFFFFFFFF else f"{mark:#x}/{mask:#x}"]
    words += _pairs(
        ("iif", entry.iif),
        ("oif", entry.oif),
        ("suppress_prefixlen", entry.suppress_prefixlength),
        ("suppress_ifgroup", entry.suppress_ifgroup),
        ("tunnel-id", entry.tunnel_id),
        ("uidrange", _span(entry.uidrange)),
    )
    words += ["l3mdev"] if entry.l3mdev else []
    words += _pairs(
        ("protocol", entry.protocol or None),
        ("ipproto", entry.ipproto),
        ("sport", _span(entry.sport)),
        ("dport", _span(entry.dport)),
        ("realms", f"{entry.realms >> 16}/{entry.realms & 0xFFFF}" if entry.realms else None),
    )
    words += _action(entry)
    if entry.no_track:
        words.append("no_track")
    return " ".join(str(word) for word in [*words, *_pairs(("track_group", entry.track_group))])


def _span(value: tuple[int, int] | None) -> str | None:
    return None if value is None else f"{value[0]}-{value[1]}"


def _action(entry: RuleEntry) -> list[object]:
    if entry.goto is not None:
        return ["goto", entry.goto]
    if entry.action == "nop":
        return ["nop"]
    if entry.action:
        return ["type", entry.action]
    return ["lookup", entry.table or 0]
