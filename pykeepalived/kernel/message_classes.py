"""pyroute2's netlink message classes, and what makes them cheap enough for a daemon.

The package's own ``__init__`` imports everything it has (33 MiB and asyncio). The message classes alone take 5 MiB, so
they are imported below a stand-in for the package that only knows where it lies. Afterwards stand-in and modules leave
``sys.modules``: these are our own copies, and whoever imports the whole of pyroute2 gets it untouched. Most of that is
brought by the classes of links and routes, which are therefore apart (``route_classes``).

Their tables are kept, their objects are not: one for each attribute is slow (15 us to read an address, 77 a link, 40 to
write an address), and each message holds itself in a cycle that only the garbage collector could free, which does not
run here. So ``Form`` has pyroute2 lay a message out once, and each further one of that shape is a copy with the values
packed in their places; ``Reader`` reads by the fields and names of a class in one pass, and ``Writer`` writes so what
has too many shapes for forms.
"""

import importlib
import importlib.util
import struct
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

from pykeepalived.errors import ProcessError

PACKAGE = "pyroute2"


_ours: dict[str, types.ModuleType] = {}


def import_without_package(*names: str) -> list[Any]:
    """Modules of the package by their names within it. What one call has imported serves the next."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ProcessError(f"the Python package {PACKAGE} is missing: install it beside pykeepalived")
    if not _ours:
        stand_in = _ours[PACKAGE] = types.ModuleType(PACKAGE)
        stand_in.__path__ = list(spec.submodule_search_locations)
    others = _taken()
    sys.modules.update(_ours)
    try:
        return [importlib.import_module(f"{PACKAGE}.{name}") for name in names]
    finally:
        _ours.update(_taken())
        sys.modules.update(others)


def _taken() -> dict[str, types.ModuleType]:
    """The package and its modules, out of ``sys.modules``."""
    names = [name for name in sys.modules if name.partition(".")[0] == PACKAGE]
    return {name: sys.modules.pop(name) for name in names}


(_netlink,) = import_without_package("netlink")

nlmsg: Any = _netlink.nlmsg
genlmsg: Any = _netlink.genlmsg
ctrlmsg: Any = _netlink.ctrlmsg
nla: Any = _netlink.nla


NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP_INTR = 0x10
NLM_F_DUMP = 0x300
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
_KIND = 0x3FFF  # of an attribute's type, without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_ATTRIBUTE = struct.Struct("=HH")  # length, type
NLMSG_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, sender (netlink(7))


def encoded(message_class: Any, kind: int, flags: int, fields: Mapping[str, int], attributes: Sequence[Any]) -> Any:
    """A message of pyroute2, encoded; its bytes are ``.data``. To be made once for each shape, for a Form."""
    message = message_class()
    message.update(fields)
    message["header"] = {"type": kind, "flags": flags | NLM_F_REQUEST}
    message["attrs"] = list(attributes)
    message.encode()
    return message


def place(message: Any, path: Sequence[str]) -> int:
    """Where in an encoded message the bytes of the attribute at the end of ``path`` begin."""
    inner = message
    for name in path:
        inner = next(slot.cell[1] for slot in inner["attrs"] if slot.cell[0] == name)
    return int(inner.offset) + 4


class Form:
    """A message that pyroute2 has laid out, with places left for values.

    ``places`` are (offset, struct format), in the order of the message, in which ``fill`` takes the values. Numbers are
    in the host's order; what is in another one is given as bytes.
    """

    __slots__ = ("_pack", "_parts")

    def __init__(self, message: Any, places: Sequence[tuple[int, str]] = ()) -> None:
        blank = bytes(message.data)
        self._parts: list[int | bytes] = []  # what stays, and between it the places
        layout = "="
        end = 0
        for offset, form in places:
            self._parts += [blank[end:offset], 0]
            layout += f"{offset - end}s{form.removeprefix('=')}"
            end = offset + struct.calcsize(form)
        self._parts.append(blank[end:])
        self._pack = struct.Struct(f"{layout}{len(blank) - end}s").pack

    def fill(self, *values: int | bytes) -> bytearray:
        """A copy with the values in their places."""
        parts = self._parts.copy()
        parts[1::2] = values
        return bytearray(self._pack(*parts))


class Reader:
    """Reads messages (or nests) of one of pyroute2's classes by its table of fields and its map of attributes."""

    __slots__ = ("_fields", "_is_message", "_keys", "_names")

    def __init__(self, message_class: Any) -> None:
        self._is_message = not message_class.is_nla
        self._fields = struct.Struct("=" + "".join(form for _, form in message_class.fields if self._is_message))
        self._keys = tuple(name for name, form in message_class.fields if form != "x")
        self._names = _names(message_class)

    def fields(self, data: bytes) -> dict[str, int]:
        """The fixed part after the netlink header."""
        return dict(zip(self._keys, self._fields.unpack_from(data, NLMSG_HEADER.size), strict=True))

    def attributes(self, data: bytes) -> dict[str, bytes]:
        """The bytes of each attribute by name; unknown ones are left out, what is cut short ends the reading."""
        offset = (NLMSG_HEADER.size + self._fields.size + 3) & ~3 if self._is_message else 0
        names = self._names
        found = {}
        end = len(data) - _ATTRIBUTE.size
        while offset <= end:
            length, kind = _ATTRIBUTE.unpack_from(data, offset)
            if length < _ATTRIBUTE.size:
                break
            name = names.get(kind & _KIND)
            if name is not None:
                found[name] = data[offset + _ATTRIBUTE.size : offset + length]
            offset += (length + 3) & ~3
        return found


class Writer:
    """Writes messages (or nests) of one of pyroute2's classes by its table of fields and its map of attributes.

    ``more`` are attributes that the class does not know.
    """

    __slots__ = ("_fields", "_keys", "_numbers")

    def __init__(self, message_class: Any, more: Mapping[str, int] | None = None) -> None:
        rows = () if message_class.is_nla else message_class.fields
        self._fields = struct.Struct("=" + "".join(form for _, form in rows))
        self._keys = tuple(name for name, _ in rows)
        self._numbers = {name: number for number, name in _names(message_class).items()} | dict(more or {})

    def message(
        self, kind: int, flags: int, fields: Mapping[str, int], attributes: Sequence[tuple[str, bytes]]
    ) -> bytearray:
        """An order or a request; fields that are not named are 0."""
        fixed = self._fields.pack(*(fields.get(key, 0) for key in self._keys))
        body = fixed + b"\0" * (-len(fixed) & 3) + self.nest(attributes)
        return bytearray(NLMSG_HEADER.pack(NLMSG_HEADER.size + len(body), kind, flags | NLM_F_REQUEST, 0, 0) + body)

    def nest(self, attributes: Sequence[tuple[str, bytes]]) -> bytes:
        """Attributes one behind the other."""
        numbers = self._numbers
        return b"".join(
            _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), numbers[name]) + data + b"\0" * (-len(data) & 3)
            for name, data in attributes
        )


def _names(message_class: Any) -> dict[int, str]:
    """The attributes of a class by their numbers, which it counts, or says in each row."""
    rows = message_class.nla_map
    return {row[0]: row[1] for row in rows} if len(rows[0]) == 3 else {at: row[0] for at, row in enumerate(rows)}


def attribute(data: bytes, wanted: int) -> bytes:
    """The bytes of one attribute of a nest, by its number; empty when it is not there."""
    offset = 0
    while offset <= len(data) - _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            break
        if kind & _KIND == wanted:
            return data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return b""
