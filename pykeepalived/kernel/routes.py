"""Routes as rtnetlink(7) writes them: orders to add and to remove one, and what tells it from others.

Numbers are linux/rtnetlink.h's, linux/lwtunnel.h's and those of the tunnels' own headers.
"""

import struct
from collections.abc import Callable
from socket import AF_INET6
from typing import assert_never

from pykeepalived.config.blocks.routes import Encap, EncapIla, EncapIp, EncapIp6, EncapMpls, Nexthop, RouteEntry
from pykeepalived.kernel.message_classes import NLM_F_CREATE, NLM_F_EXCL, Reader, Writer
from pykeepalived.kernel.ports import IPAddress
from pykeepalived.kernel.route_classes import rtmsg

RTPROT_KEEPALIVED = 18
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
_NLM_F_REPLACE, _NLM_F_APPEND = 0x100, 0x800
_ACTION_FLAGS = {"add": NLM_F_CREATE | NLM_F_EXCL, "prepend": NLM_F_CREATE, "append": NLM_F_CREATE | _NLM_F_APPEND}
_RTNH_F_ONLINK = 4
_RT_TABLE_UNSPEC = 0
_RT_SCOPE_NOWHERE = 255  # in an order to remove: any
_IP6_RT_PRIO_USER = 1024  # what IPv6 makes of a metric of 0
_NLA_F_NESTED = 0x8000
_RTAX_FEATURE_ECN = 1

_WRITER = Writer(rtmsg, {"RTA_ENCAP": 22 | _NLA_F_NESTED, "RTA_TTL_PROPAGATE": 26})
_METRICS = Writer(rtmsg.metrics, {"RTAX_FASTOPEN_NO_COOKIE": 17})
_LOCKS = {"mtu": 2, "rtt": 4, "rttvar": 5, "ssthresh": 6, "cwnd": 7, "advmss": 8, "reordering": 9, "rto_min": 13}
"""Metrics that may be locked, by the bit of RTAX_LOCK."""
_PLAIN = ("window", "hoplimit", "initcwnd", "initrwnd", "quickack", "fastopen_no_cookie")
_CC_ALGO_BIT = 16
_READER = Reader(rtmsg)
_ATTRIBUTE, _NEXTHOP = struct.Struct("=HH"), struct.Struct("=HBBi")  # struct rtnexthop: length, flags, hops, link
_U8, _U16, _U32 = struct.Struct("=B"), struct.Struct("=H"), struct.Struct("=I")
_BE32, _BE64 = struct.Struct("!I"), struct.Struct("!Q")

Index = Callable[[str], int]
"""The number of the link of that name; raises UnknownLink."""
RouteKey = tuple[int, int, int, int, int, bytes, int, bytes, int, int, bytes]
"""Family, table, tos, metric, type; destination and source with their lengths; link and gateway (0 and none: any)."""


class UnknownLink(Exception):  # noqa: N818 - a fact about the host
    """There is no such interface now."""


def add_message(entry: RouteEntry, table: int, index: Index, *, replace: bool = False) -> bytearray:
    """RTM_NEWROUTE. ``replace``: in place of the route that is the same but for how packets go."""
    flags = NLM_F_CREATE | _NLM_F_REPLACE if replace else _ACTION_FLAGS[entry.action]
    fields = _fields(entry, table) | {"scope": entry.scope, "flags": _RTNH_F_ONLINK if entry.onlink else 0}
    attributes = _identity(entry, table, entry.metric, index)
    if entry.src is not None:
        attributes.append(("RTA_PREFSRC", entry.src.packed))
    if entry.encap is not None:
        attributes += _encap(entry.encap)
    if metrics := _metrics(entry):
        attributes.append(("RTA_METRICS", metrics))
    if entry.realms:
        attributes.append(("RTA_FLOW", _U32.pack(entry.realms)))
    if entry.expires is not None:
        attributes.append(("RTA_EXPIRES", _U32.pack(entry.expires)))
    if entry.pref:
        attributes.append(("RTA_PREF", _U8.pack(entry.pref)))
    if entry.ttl_propagate is not None:
        attributes.append(("RTA_TTL_PROPAGATE", _U8.pack(entry.ttl_propagate)))
    return _WRITER.message(RTM_NEWROUTE, flags, fields, attributes)


def remove_message(entry: RouteEntry, table: int, index: Index) -> bytearray:
    """RTM_DELROUTE, of what tells the route from others."""
    attributes = _identity(entry, table, _metric(entry), index)
    fields = _fields(entry, table) | {"scope": _RT_SCOPE_NOWHERE}
    return _WRITER.message(RTM_DELROUTE, 0, fields, attributes)


def dump_message(family: int, table: int) -> bytearray:
    """RTM_GETROUTE for keepalived's routes of one table."""
    fields = {"family": family, "proto": RTPROT_KEEPALIVED, "table": _small(table)}
    return _WRITER.message(RTM_GETROUTE, 0, fields, [("RTA_TABLE", _U32.pack(table))])


def key_of(entry: RouteEntry, table: int, index: Index) -> RouteKey:
    """What tells the route from others, as the kernel will name it."""
    source = entry.source
    ways = entry.nexthop
    return (
        entry.family,
        table,
        entry.tos if entry.family != AF_INET6 else 0,
        _metric(entry),
        entry.type,
        entry.destination.network.network_address.packed if entry.destination.network.prefixlen else b"",
        entry.destination.network.prefixlen,
        source.network.network_address.packed if source is not None and source.network.prefixlen else b"",
        source.network.prefixlen if source is not None else 0,
        index(entry.dev) if entry.dev and not ways else 0,
        entry.via.packed if entry.via is not None and not ways else b"",
    )


def read_key(message: bytes) -> RouteKey:
    """The same of a route that the kernel tells of. Raises struct.error for what is cut short."""
    fields, attributes = _READER.fields(message), _READER.attributes(message)
    number = {
        name: _U32.unpack(attributes[name])[0]
        for name in ("RTA_TABLE", "RTA_PRIORITY", "RTA_OIF")
        if name in attributes
    }
    return (
        fields["family"],
        number.get("RTA_TABLE", fields["table"]),
        fields["tos"],
        number.get("RTA_PRIORITY", 0),
        fields["type"],
        attributes.get("RTA_DST", b"") if fields["dst_len"] else b"",
        fields["dst_len"],
        attributes.get("RTA_SRC", b"") if fields["src_len"] else b"",
        fields["src_len"],
        number.get("RTA_OIF", 0),
        attributes.get("RTA_GATEWAY", b""),
    )


def _metric(entry: RouteEntry) -> int:
    return entry.metric or (_IP6_RT_PRIO_USER if entry.family == AF_INET6 else 0)


def _small(table: int) -> int:
    """For the field of eight bits; the attribute has the whole number."""
    return table if table < 256 else _RT_TABLE_UNSPEC


def _fields(entry: RouteEntry, table: int) -> dict[str, int]:
    return {
        "family": entry.family,
        "dst_len": entry.destination.network.prefixlen,
        "src_len": entry.source.network.prefixlen if entry.source is not None else 0,
        "tos": entry.tos,
        "table": _small(table),
        "proto": entry.protocol,
        "type": entry.type,
    }


def _identity(entry: RouteEntry, table: int, metric: int, index: Index) -> list[tuple[str, bytes]]:
    """The attributes that an order to add and one to remove have."""
    attributes = [("RTA_TABLE", _U32.pack(table))]
    if entry.destination.network.prefixlen:
        attributes.append(("RTA_DST", entry.destination.packed))
    if entry.source is not None:
        attributes.append(("RTA_SRC", entry.source.packed))
    if metric:
        attributes.append(("RTA_PRIORITY", _U32.pack(metric)))
    if entry.via is not None:
        attributes.append(("RTA_GATEWAY", entry.via.packed))
    if entry.dev is not None:
        attributes.append(("RTA_OIF", _U32.pack(index(entry.dev))))
    if entry.nexthop:
        attributes.append(("RTA_MULTIPATH", b"".join(_nexthop(each, index) for each in entry.nexthop)))
    return attributes


def _nexthop(way: Nexthop, index: Index) -> bytes:
    """A struct rtnexthop and its attributes."""
    attributes: list[tuple[str, bytes]] = []
    if way.via is not None:
        attributes.append(("RTA_GATEWAY", way.via.packed))
    if way.realms:
        attributes.append(("RTA_FLOW", _U32.pack(way.realms)))
    if way.encap is not None:
        attributes += _encap(way.encap)
    nest = _WRITER.nest(attributes)
    link = index(way.dev) if way.dev is not None else 0
    flags = _RTNH_F_ONLINK if way.onlink else 0
    return _NEXTHOP.pack(_NEXTHOP.size + len(nest), flags, way.weight - 1, link) + nest


def _metrics(entry: RouteEntry) -> bytes:
    """The nest RTA_METRICS, empty where there are none."""
    attributes: list[tuple[str, bytes]] = []
    locks = 0
    for name, bit in _LOCKS.items():
        metric = getattr(entry, name)
        if metric is not None:
            attributes.append((f"RTAX_{name.upper()}", _U32.pack(metric.value)))
            locks |= metric.lock << bit
    for name in _PLAIN:
        value: int | None = getattr(entry, name)
        if value is not None:
            attributes.append((f"RTAX_{name.upper()}", _U32.pack(value)))
    if entry.features is not None:
        attributes.append(("RTAX_FEATURES", _U32.pack(_RTAX_FEATURE_ECN)))
    if entry.congctl is not None:
        attributes.append(("RTAX_CC_ALGO", entry.congctl.value.encode() + b"\0"))
        locks |= entry.congctl.lock << _CC_ALGO_BIT
    if locks:
        attributes.append(("RTAX_LOCK", _U32.pack(locks)))
    return _METRICS.nest(attributes)


def _encap(encap: Encap) -> list[tuple[str, bytes]]:
    """RTA_ENCAP_TYPE and RTA_ENCAP (LWTUNNEL_ENCAP_*, and the attributes of each by their numbers).

    The kernel reads ``flags`` in network order; keepalived hands them over as they are, and so do we.
    """
    match encap:
        case EncapMpls(value):
            last = len(value) - 1
            kind, rows = 1, [(1, b"".join(_BE32.pack(each << 12 | (at == last) << 8) for at, each in enumerate(value)))]
        case EncapIp():
            kind, rows = 2, _tunnel(encap.id, encap.dst, encap.src)
            rows += [(4, _U8.pack(encap.ttl)), (5, _U8.pack(encap.tos)), (6, _U16.pack(encap.flags))]
        case EncapIla(value):
            kind, rows = 3, [(1, _BE64.pack(value))]
        case EncapIp6():
            kind, rows = 4, _tunnel(encap.id, encap.dst, encap.src)
            rows += [(4, _U8.pack(encap.hoplimit)), (5, _U8.pack(encap.tc)), (6, _U16.pack(encap.flags))]
        case _:
            assert_never(encap)
    nest = b"".join(_attribute(number, data) for number, data in rows)
    return [("RTA_ENCAP_TYPE", _U16.pack(kind)), ("RTA_ENCAP", nest)]


def _tunnel(key: int | None, far: IPAddress | None, near: IPAddress | None) -> list[tuple[int, bytes]]:
    """What IPv4 and IPv6 tunnels number alike: id, dst, src."""
    rows = [] if key is None else [(1, _BE64.pack(key))]
    rows += [(number, address.packed) for number, address in ((2, far), (3, near)) if address is not None]
    return rows


def _attribute(number: int, data: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), number) + data + b"\0" * (-len(data) & 3)
