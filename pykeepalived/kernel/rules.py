"""Rules as rtnetlink(7) writes them: orders to add and to remove one, and what tells it from others.

Numbers are linux/fib_rules.h's.
"""

import struct

from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.kernel.message_classes import NLM_F_CREATE, NLM_F_EXCL, Reader, Writer
from pykeepalived.kernel.route_classes import fibmsg

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
_ACTIONS = {"nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_FR_ACT_TO_TBL, _FR_ACT_GOTO = 1, 2
_FIB_RULE_INVERT = 2
_WRITER, _READER = Writer(fibmsg), Reader(fibmsg)
_U8, _U32, _BE64 = struct.Struct("=B"), struct.Struct("=I"), struct.Struct("!Q")
_PORTS, _USERS = struct.Struct("=HH"), struct.Struct("=II")
_NONE = b"\xff\xff\xff\xff"
_SILENT = frozenset({("FRA_SUPPRESS_PREFIXLEN", _NONE), ("FRA_SUPPRESS_IFGROUP", _NONE), ("FRA_TABLE", bytes(4))})
"""What the kernel tells of rules that have none, or not what tells one from others."""
_UNNAMED = frozenset({"FRA_PROTOCOL", "FRA_PAD"})

RuleKey = tuple[object, ...]
"""Everything that a rule is about."""


def add_message(entry: RuleEntry) -> bytearray:
    """RTM_NEWRULE."""
    return _message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, entry)


def remove_message(entry: RuleEntry) -> bytearray:
    """RTM_DELRULE."""
    return _message(RTM_DELRULE, 0, entry)


def dump_message(family: int) -> bytearray:
    """RTM_GETRULE for all rules of a family."""
    return _WRITER.message(RTM_GETRULE, 0, {"family": family}, [])


def key_of(entry: RuleEntry) -> RuleKey:
    """What tells the rule from others, as the kernel will name it."""
    return read_key(bytes(add_message(entry)))


def read_key(message: bytes) -> RuleKey:
    """The same of a rule that the kernel tells of. Raises struct.error for what is cut short."""
    fields, attributes = _READER.fields(message), _READER.attributes(message)
    told = frozenset(
        (name, data) for name, data in attributes.items() if name not in _UNNAMED and (name, data) not in _SILENT
    )
    names = ("family", "dst_len", "src_len", "tos", "action")
    return (*(fields[name] for name in names), fields["flags"] & _FIB_RULE_INVERT, told)


def _message(kind: int, flags: int, entry: RuleEntry) -> bytearray:
    table = entry.table or 0
    action = _ACTIONS.get(entry.action, _FR_ACT_TO_TBL if entry.goto is None else _FR_ACT_GOTO)
    fields = {
        "family": entry.family,
        "dst_len": entry.to.network.prefixlen if entry.to is not None else 0,
        "src_len": entry.source.network.prefixlen if entry.source is not None else 0,
        "tos": entry.tos,
        "table": table if table < 256 else 0,
        "action": action,
        "flags": _FIB_RULE_INVERT if entry.inverted else 0,
    }
    return _WRITER.message(kind, flags, fields, _attributes(entry, table))


def _attributes(entry: RuleEntry, table: int) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = [("FRA_PRIORITY", _U32.pack(entry.preference))]
    if entry.source is not None:
        found.append(("FRA_SRC", entry.source.packed))
    if entry.to is not None:
        found.append(("FRA_DST", entry.to.packed))
    mark, mask = entry.fwmark or (0, 0)
    if mark or mask:
        found += [("FRA_FWMARK", _U32.pack(mark)), ("FRA_FWMASK", _U32.pack(mask))]
    if entry.iif is not None:
        found.append(("FRA_IIFNAME", entry.iif.encode() + b"\0"))
    if entry.oif is not None:
        found.append(("FRA_OIFNAME", entry.oif.encode() + b"\0"))
    if entry.tunnel_id is not None:
        found.append(("FRA_TUN_ID", _BE64.pack(entry.tunnel_id)))
    if entry.uidrange is not None:
        found.append(("FRA_UID_RANGE", _USERS.pack(*entry.uidrange)))
    if entry.ipproto is not None:
        found.append(("FRA_IP_PROTO", _U8.pack(entry.ipproto)))
    for name, ports in (("FRA_SPORT_RANGE", entry.sport), ("FRA_DPORT_RANGE", entry.dport)):
        if ports is not None:
            found.append((name, _PORTS.pack(*ports)))
    if entry.protocol:
        found.append(("FRA_PROTOCOL", _U8.pack(entry.protocol)))
    return [*found, *_action_attributes(entry, table)]


def _action_attributes(entry: RuleEntry, table: int) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    if table:
        found.append(("FRA_TABLE", _U32.pack(table)))
    if entry.l3mdev:
        found.append(("FRA_L3MDEV", _U8.pack(1)))
    if entry.goto is not None:
        found.append(("FRA_GOTO", _U32.pack(entry.goto)))
    if entry.realms:
        found.append(("FRA_FLOW", _U32.pack(entry.realms)))
    if entry.suppress_prefixlength is not None:
        found.append(("FRA_SUPPRESS_PREFIXLEN", _U32.pack(entry.suppress_prefixlength)))
    if entry.suppress_ifgroup is not None:
        found.append(("FRA_SUPPRESS_IFGROUP", _U32.pack(entry.suppress_ifgroup)))
    return found
