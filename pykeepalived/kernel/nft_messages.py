"""Messages of nf_tables: tables, chains, sets, elements, rules and the expressions that our rules are made of.

Laid out as linux/netfilter/nf_tables.h says: a netlink header, struct nfgenmsg, and attributes whose numbers are in
network order. An expression is a name with its attributes; what rules mean is not known here.
"""

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum

from pykeepalived.kernel.message_classes import NLM_F_CREATE, NLM_F_REQUEST, NLMSG_HEADER

NFNLGRP_NFTABLES = 7
_SUBSYSTEM = 10  # NFNL_SUBSYS_NFTABLES
_BATCH_BEGIN = 0x10
_BATCH_END = 0x11
_NLM_F_APPEND = 0x800
_NESTED = 0x8000
_KIND = 0x3FFF

_NFGENMSG = struct.Struct(">BBH")  # family, version, resource
_ATTRIBUTE = struct.Struct("=HH")
_U32 = struct.Struct(">I")
_S32 = struct.Struct(">i")


class Order(IntEnum):
    """enum nf_tables_msg_types."""

    NEWTABLE = 0
    GETTABLE = 1
    DELTABLE = 2
    NEWCHAIN = 3
    DELCHAIN = 5
    NEWRULE = 6
    DELRULE = 8
    NEWSET = 9
    DELSET = 11
    NEWSETELEM = 12
    GETSETELEM = 13
    DELSETELEM = 14
    NEWGEN = 15


class Hook(IntEnum):
    """Where packets pass: NF_INET_LOCAL_IN and NF_INET_LOCAL_OUT."""

    INPUT = 1
    OUTPUT = 3


class Meta(IntEnum):
    """What is known of a packet beside its bytes: enum nft_meta_keys."""

    MARK = 3
    IIF = 4
    OIF = 5
    IIFNAME = 6
    OIFNAME = 7
    L4PROTO = 16
    OIFKIND = 27


class Header(IntEnum):
    """Where an offset in a packet is counted from: enum nft_payload_bases."""

    NETWORK = 1
    TRANSPORT = 2


DROP = 0
ACCEPT = 1
RETURN = -5
_GOTO = -4
_SET_CONSTANT = 2
_SET_INTERVAL = 4
_SET_MAP = 8
_SET_CONCAT = 0x80
_BIG_ENDIAN = 2
_HOST_ENDIAN = 1

Expression = bytes


# --- attributes -----------------------------------------------------------------------------------------------------


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, _U32.pack(value))


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _nest(kind: int, *attributes: bytes) -> bytes:
    return _attribute(kind | _NESTED, b"".join(attributes))


def _value(kind: int, data: bytes) -> bytes:
    return _nest(kind, _attribute(1, data))  # NFTA_DATA_VALUE


def attributes(message: bytes) -> dict[int, bytes]:
    """The attributes of a message by number; what is cut short ends the reading."""
    return dict(pairs(message, NLMSG_HEADER.size + _NFGENMSG.size))


def pairs(data: bytes, offset: int = 0) -> Iterable[tuple[int, bytes]]:
    """Number and bytes of each attribute, also of a nest."""
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _KIND, data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def family_of(message: bytes) -> int:
    """Which family's table a message is about."""
    return message[NLMSG_HEADER.size] if len(message) > NLMSG_HEADER.size else 0


def order_of(kind: int) -> int:
    """What a message of nf_tables tells."""
    return kind & 0xFF if kind >> 8 == _SUBSYSTEM else -1


# --- messages -------------------------------------------------------------------------------------------------------


def _message(kind: int, family: int, body: bytes = b"", *, flags: int = 0, resource: int = 0) -> bytearray:
    size = NLMSG_HEADER.size + _NFGENMSG.size + len(body)
    header = NLMSG_HEADER.pack(size, kind, flags | NLM_F_REQUEST, 0, 0)
    return bytearray(header + _NFGENMSG.pack(family, 0, resource) + body)


def message(order: Order, family: int, body: bytes = b"", *, flags: int = 0) -> bytearray:
    """One order of nf_tables."""
    return _message(_SUBSYSTEM << 8 | order, family, body, flags=flags)


def begin() -> bytearray:
    """The beginning of a transaction."""
    return _message(_BATCH_BEGIN, 0, resource=_SUBSYSTEM)


def end() -> bytearray:
    """Its end."""
    return _message(_BATCH_END, 0, resource=_SUBSYSTEM)


def new_table(family: int, table: str) -> bytearray:
    """A table; one that is there already stays."""
    return message(Order.NEWTABLE, family, _text(1, table) + _number(2, 0), flags=NLM_F_CREATE)


def table_named(order: Order, family: int, table: str) -> bytearray:
    """An order about a table as a whole."""
    return message(order, family, _text(1, table))


def set_named(family: int, table: str, name: str) -> bytearray:
    """List the elements of a set."""
    return message(Order.GETSETELEM, family, _text(1, table) + _text(2, name))


def new_chain(family: int, table: str, chain: str, hook: Hook | None = None, priority: int = 0) -> bytearray:
    """A chain; with a hook a base chain of filters whose policy is to accept."""
    body = _text(1, table) + _text(3, chain)
    if hook is not None:
        body += _nest(4, _number(1, hook), _attribute(2, _S32.pack(priority))) + _number(5, ACCEPT) + _text(7, "filter")
    return message(Order.NEWCHAIN, family, body, flags=NLM_F_CREATE)


def new_rule(family: int, table: str, chain: str, expressions: Sequence[Expression]) -> bytearray:
    """A rule at the end of its chain."""
    body = _text(1, table) + _text(2, chain) + _nest(4, *(_nest(1, each) for each in expressions))
    return message(Order.NEWRULE, family, body, flags=NLM_F_CREATE | _NLM_F_APPEND)


def new_set(
    family: int,
    table: str,
    name: str,
    number: int,
    key: tuple[int, int],
    data: tuple[int, int] | None = None,
    *,
    constant: bool = False,
    big_endian: bool = False,
) -> bytearray:
    """A set, or with ``data`` a map. Key and data are a type of the nft program and a length; ``number`` is its
    own within the transaction. The byte order is for nft, which shows the elements.
    """
    flags = (_SET_CONSTANT if constant else 0) | (_SET_MAP if data else 0)
    body = _text(1, table) + _text(2, name)
    if flags:
        body += _number(3, flags)
    body += _number(4, key[0]) + _number(5, key[1])
    order = struct.pack("=BBI", 0, 4, _BIG_ENDIAN if big_endian else _HOST_ENDIAN)
    if data:
        body += _number(6, data[0]) + _number(7, data[1])
        order += struct.pack("=BBI", 1, 4, _HOST_ENDIAN)
    return message(Order.NEWSET, family, body + _number(10, number) + _attribute(13, order), flags=NLM_F_CREATE)


def elements(order: Order, family: int, table: str, name: str, keys: Sequence[tuple[bytes, bytes]]) -> list[bytearray]:
    """Put elements (key and data) into a set or take them out, as many messages as it needs."""
    flags = NLM_F_CREATE if order is Order.NEWSETELEM else 0
    made = []
    for start in range(0, len(keys), _ELEMENTS_A_MESSAGE):
        nested = [
            _nest(1, _value(1, key), *((_value(2, data),) if data else ()))
            for key, data in keys[start : start + _ELEMENTS_A_MESSAGE]
        ]
        body = _text(1, table) + _text(2, name) + _nest(3, *nested)
        made.append(message(order, family, body, flags=flags))
    return made


def new_interval_map(
    family: int,
    table: str,
    name: str,
    number: int,
    fields: Sequence[tuple[int, int]],
    data: tuple[int, int],
    *,
    counters: bool,
) -> bytearray:
    """A map from ranges of several fields together, each a type of the nft program and a length."""
    kind = 0
    for field, _ in fields:
        kind = kind << 6 | field
    body = _text(1, table) + _text(2, name) + _number(3, _SET_CONCAT | _SET_MAP | _SET_INTERVAL)
    body += _number(4, kind) + _number(5, sum((length + 3) & ~3 for _, length in fields))
    body += _number(6, data[0]) + _number(7, data[1]) + _number(10, number)
    body += _nest(9, _nest(2, *(_nest(1, _number(1, length)) for _, length in fields)))
    body += _attribute(13, struct.pack("=BBIBBI", 0, 4, _HOST_ENDIAN, 1, 4, _HOST_ENDIAN))
    if counters:
        body += _nest(17, counter())
    return message(Order.NEWSET, family, body, flags=NLM_F_CREATE)


def intervals(
    order: Order, family: int, table: str, name: str, rows: Sequence[tuple[bytes, bytes, bytes]]
) -> list[bytearray]:
    """Put ranges (first key, last key, data) into such a map or take them out, as many messages as it needs."""
    flags = NLM_F_CREATE if order is Order.NEWSETELEM else 0
    made = []
    for start in range(0, len(rows), _ELEMENTS_A_MESSAGE):
        nested = [
            _nest(1, _value(1, first), _value(10, last), _value(2, data))
            for first, last, data in rows[start : start + _ELEMENTS_A_MESSAGE]
        ]
        body = _text(1, table) + _text(2, name) + _nest(3, *nested)
        made.append(message(order, family, body, flags=flags))
    return made


_ELEMENTS_A_MESSAGE = 500  # a nest holds 64 KiB


def keys_of(listed: bytes) -> list[bytes]:
    """The keys in an answer to GETSETELEM."""
    found = []
    for _, element in pairs(attributes(listed).get(3, b"")):
        for kind, key in pairs(element):
            if kind == 1:
                found += [value for which, value in pairs(key) if which == 1]
    return found


# --- expressions ----------------------------------------------------------------------------------------------------
# Registers: 0 is the verdict; 1, 2 and on hold 16 bytes each, so that a key of two parts lies in two of them.


def _expression(name: str, *attributes: bytes) -> Expression:
    return _text(1, name) + _nest(2, *attributes)


def payload(header: Header, offset: int, length: int, register: int = 1) -> Expression:
    """Bytes of the packet into a register."""
    return _expression("payload", _number(1, register), _number(2, header), _number(3, offset), _number(4, length))


def meta(key: Meta, register: int = 1) -> Expression:
    """A fact about the packet into a register."""
    return _expression("meta", _number(2, key), _number(1, register))


def set_meta(key: Meta, register: int = 1) -> Expression:
    """A fact about the packet is from now on what the register holds."""
    return _expression("meta", _number(2, key), _number(3, register))


def equal(data: bytes, register: int = 1) -> Expression:
    """Go on only if the register holds this."""
    return _expression("cmp", _number(1, register), _number(2, 0), _value(3, data))


def masked(mask: bytes, register: int = 1) -> Expression:
    """Keep those bits of the register."""
    return _expression(
        "bitwise",
        *(_number(1, register), _number(2, register), _number(3, len(mask))),
        *(_value(4, mask), _value(5, bytes(len(mask)))),
    )


def lookup(name: str, register: int = 1, *, found: int | None = None) -> Expression:
    """Go on only if the set has what the register holds; a map's answer goes into register ``found``."""
    more = () if found is None else (_number(3, found),)
    return _expression("lookup", _number(2, register), *more, _text(1, name))


def duplicate(address_register: int, device_register: int) -> Expression:
    """Send a copy of the packet to that address by that device."""
    return _expression("dup", _number(1, address_register), _number(2, device_register))


def counter() -> Expression:
    """Count."""
    return _expression("counter")


def verdict(code: int) -> Expression:
    """DROP, ACCEPT or RETURN."""
    return _verdict(_attribute(1, _S32.pack(code)))


def goto(chain: str) -> Expression:
    """Go on in another chain, for good."""
    return _verdict(_attribute(1, _S32.pack(_GOTO)), _text(2, chain))


def _verdict(*parts: bytes) -> Expression:
    return _expression("immediate", _number(1, 0), _nest(2, _nest(2, *parts)))
