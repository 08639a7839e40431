"""The kinds of value that routes and rules have: prefixes, metrics that may be locked, times in the kernel's own units,
numbers that have names in the tables of iproute2.

A kind knows nothing of the machine: who reads a named value says how names are looked up.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any, ClassVar, Generic, TypeVar

from pykeepalived.config.kinds import (
    AF_INET,
    AF_INET6,
    IP,
    NOTHING,
    UINT_MAX,
    Kind,
    Problem,
    Refused,
    decimal,
    ip_address,
    number,
)
from pykeepalived.records import record

Prefix = IPv4Interface | IPv6Interface
"""An address with its prefix length. Bits behind the prefix stay as written."""
Lookup = Callable[[str, str], int | None]
"""Table and name -> the number, or None when the machine has no such name."""
Value = TypeVar("Value", bound=int | str)

ANY_WORDS = frozenset({"default", "any", "all"})
"""Every address, of the family that the rest of the line has."""
DEFAULT6 = "default6"
"""Every IPv6 address. Obsolete."""
RT_TABLE_MAIN = 254
RTPROT_KEEPALIVED = 18
SCOPES = {"global": 0, "nowhere": 255, "host": 254, "link": 253, "site": 200}

_U64_MAX = (1 << 64) - 1
_NAMES: dict[str, dict[str, int]] = {
    "rt_tables": {"default": 253, "main": RT_TABLE_MAIN, "local": 255},
    "rt_scopes": SCOPES,
    "rt_protos": {"redirect": 1, "kernel": 2, "boot": 3, "static": 4, "keepalived": RTPROT_KEEPALIVED},
    "rt_realms": {"cosmos": 0},
    "group": {"default": 0},
    "protocols": {"sctp": 132, "udplite": 136, "mpls-in-ip": 137, "hip": 139, "wesp": 141, "rohc": 142},
}
"""Names that need no file."""
_ANY_BASE = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))")


@record(frozen=True, slots=True)
class Locked(Generic[Value]):
    """A metric of a route; ``lock`` keeps the kernel from changing it by what it learns."""

    value: Value
    lock: bool = False


def any_base(text: str) -> int | None:
    """A number that may begin with 0x or 0; None for what is none."""
    found = _ANY_BASE.fullmatch(text.strip())
    if found is None:
        return None
    sign, hexadecimal, octal, plain = found.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(plain)
    return -value if sign == "-" else value


def _bounded(text: str, maximum: int) -> int:
    """A number of any base that the kernel's field can hold."""
    value = any_base(text)
    if value is None:
        hint = "a number with a leading 0 is octal" if text[:1] == "0" and text[1:].isdigit() else "write a number"
        raise Refused(f"invalid number '{text}'", hint=hint, problem=Problem.INVALID_NUMBER)
    if not 0 <= value <= maximum:
        hint = f"use a number from 0 to {maximum}"
        raise Refused(f"number '{text}' outside range [0, {maximum}]", hint=hint, problem=Problem.INVALID_NUMBER)
    return value


class NamedKind(Kind):
    """Numbers that may have names on the machine."""

    __slots__ = ()

    def named(self, words: Sequence[str], lookup: Lookup) -> Any:  # noqa: ARG002
        """The value, with names looked up."""
        return self.read(words)

    def read(self, words: Sequence[str]) -> Any:
        """The value; of names those alone that need no file."""
        return self.named(words, lambda file, name: None)  # noqa: ARG005


@record(frozen=True, slots=True)
class Named(NamedKind):
    """A number of any base, or a name of one of iproute2's files."""

    file: str
    maximum: int
    minimum: int = 0

    def named(self, words: Sequence[str], lookup: Lookup) -> int:
        """The number."""
        return named_number(words[0], self.file, self.maximum, lookup, self.minimum)

    def expected(self) -> str:
        """The bounds."""
        return f"{self.minimum}..{self.maximum}"

    def write(self, value: Any) -> str:
        """The number."""
        return str(value)

    def arguments(self) -> str:
        """Either."""
        return "NAME|INT"


def named_number(text: str, file: str, maximum: int, lookup: Lookup, minimum: int = 0) -> int:
    """A number of any base, else a name."""
    value = any_base(text)
    if value is None:
        found = _NAMES.get(file, {}).get(text)
        found = lookup(file, text) if found is None else found
        if found is None or not minimum <= found <= maximum:
            hint = f"write a number from {minimum} to {maximum}, or a name that stands in /etc/iproute2/{file}"
            raise Refused(f"there is no '{text}' in {file}", hint=hint)
        return found
    if minimum <= value <= maximum:
        return value
    hint = f"use a number from {minimum} to {maximum}"
    message = f"number '{text}' outside range [{minimum}, {maximum}]"
    # keepalived keeps the lowest 32 bits of what strtoul() makes of it
    taken = min(value, _U64_MAX) & UINT_MAX
    if minimum <= taken <= maximum:
        raise Refused(f"{message}, keepalived takes it for {taken}", hint=hint, problem=None)
    raise Refused(message, hint=hint)


class Realms(NamedKind):
    """``TO`` or ``FROM/TO``; the value is the kernel's, FROM in the upper 16 bits."""

    __slots__ = ()

    def named(self, words: Sequence[str], lookup: Lookup) -> int:
        """The pair in one number."""
        first, slash, last = words[0].partition("/")
        if slash:
            return self._one(first, lookup) << 16 | self._one(last, lookup)
        return self._one(first, lookup)

    def _one(self, text: str, lookup: Lookup) -> int:
        try:
            return named_number(text, "rt_realms", 255, lookup)
        except Refused as refused:
            refused.hint = "write REALM or FROM/TO, each a number up to 255 or a name of /etc/iproute2/rt_realms"
            raise

    def write(self, value: Any) -> str:
        """One realm, or two."""
        return f"{value >> 16}/{value & 0xFFFF}" if value >> 16 else str(value)

    def expected(self) -> str:
        """The bounds."""
        return "0..255"

    def arguments(self) -> str:
        """One or two."""
        return "[REALM/]REALM"


class IpProtocol(NamedKind):
    """A protocol above IP: a number, or a name of /etc/protocols."""

    __slots__ = ()

    def named(self, words: Sequence[str], lookup: Lookup) -> int:
        """The number."""
        text = words[0]
        if text.strip().lstrip("+").isdigit():
            value = int(text)
            if value > 127:
                hint = "write its name: numbers end at 127"
                raise Refused(f"number '{text}' outside range [0, 127]", hint=hint)
            return value
        found = _NAMES["protocols"].get(text.lower())
        found = lookup("protocols", text) if found is None else found
        if found is None:
            hint = "write a name of /etc/protocols such as tcp, or a number up to 127"
            raise Refused(f"there is no protocol '{text}'", hint=hint)
        return found

    def write(self, value: Any) -> str:
        """The number, or the name of one that has to be named."""
        return next((name for name, each in _NAMES["protocols"].items() if each == value), str(value))

    def expected(self) -> str:
        """The bounds of numbers."""
        return "0..127"

    def arguments(self) -> str:
        """Either."""
        return "NAME|INT"


@record(frozen=True, slots=True)
class AnyBase(Kind):
    """A whole number; 0x makes it hexadecimal and a leading 0 octal."""

    maximum: int = UINT_MAX

    def read(self, words: Sequence[str]) -> int:
        """The number. An empty word is 0."""
        return _bounded(words[0] or "0", self.maximum)

    def expected(self) -> str:
        """The bounds."""
        return f"0..{self.maximum}"

    def write(self, value: Any) -> str:
        """In decimal."""
        return str(value)

    def arguments(self) -> str:
        """A number."""
        return "INT"


@record(frozen=True, slots=True)
class Network(Kind):
    """An address with its prefix length; without one it is a single address."""

    family: int = 0

    def read(self, words: Sequence[str]) -> Prefix:
        """The prefix. A bad length is said, and the address alone stands."""
        text, slash, length = words[0].partition("/")
        address = ip_address(text)
        if self.family and self.family != (AF_INET6 if address.version == 6 else AF_INET):
            wanted = "IPv6" if self.family == AF_INET6 else "IPv4"
            raise Refused(f"'{words[0]}' is not an {wanted} prefix", hint=f"it is of use with {wanted} alone")
        if not slash:
            return _interface(address, address.max_prefixlen)
        most = address.max_prefixlen
        hint = f"write a number from 0 to {most}"
        if not length:
            raise Refused(f"'{words[0]}' has no prefix length, keepalived takes it for 0", hint=hint, problem=None)
        try:
            bits = number(length)
        except Refused:
            bits = -1
        if not 0 <= bits <= most:
            if "." in length:
                hint = "write the number of bits, 24 rather than 255.255.255.0"
            message = f"invalid prefix length '{length}', /{most} is used"
            raise Refused(message, hint=hint, problem=Problem.INVALID_NUMBER, kept=_interface(address, most))
        return _interface(address, bits)

    def arguments(self) -> str:
        """An address and a length."""
        return "IPV6ADDR[/LEN]" if self.family == AF_INET6 else "IPADDR[/LEN]"


def _interface(address: IP, bits: int) -> Prefix:
    return IPv6Interface((int(address), bits)) if address.version == 6 else IPv4Interface((int(address), bits))


@record(frozen=True, slots=True)
class Host(Kind):
    """One address, exactly: no prefix length, nothing cut off. ``inet`` or ``inet6`` may stand before a gateway."""

    family: int = 0
    prefixed: bool = False
    """The family may be said before it."""

    def read(self, words: Sequence[str]) -> IP:
        """The address."""
        text = words[-1]
        try:
            address = ip_address(text)
        except Refused as refused:
            if "/" in text:
                refused.hint = f"an address without a prefix length is wanted: {text.partition('/')[0]}"
            raise
        family = {"inet": AF_INET, "inet6": AF_INET6}[words[0]] if len(words) > 1 else self.family
        if family and family != (AF_INET6 if address.version == 6 else AF_INET):
            wanted = "IPv6" if family == AF_INET6 else "IPv4"
            raise Refused(f"'{text}' is not an {wanted} address", hint=f"write an {wanted} address")
        return address

    def arguments(self) -> str:
        """An address."""
        text = "IPV6ADDR" if self.family == AF_INET6 else "IPV4ADDR" if self.family == AF_INET else "IPADDR"
        return f"[inet|inet6] {text}" if self.prefixed else text


@record(frozen=True, slots=True)
class Lockable(Kind):
    """A metric, with ``lock`` before it if the kernel must not change it."""

    inner: Kind

    def read(self, words: Sequence[str]) -> Locked[Any]:
        """The metric."""
        lock = len(words) > 1
        try:
            return Locked(self.inner.read(words[-1:]), lock)
        except Refused as refused:
            if refused.kept is not NOTHING:
                refused.kept = Locked(refused.kept, lock)
            raise

    def write(self, value: Any) -> str:
        """As it was."""
        text = self.inner.write(value.value)
        return f"lock {text}" if value.lock else text

    def expected(self) -> str:
        """As of what may be locked."""
        return self.inner.expected()

    def arguments(self) -> str:
        """As of what may be locked."""
        return f"[lock] {self.inner.arguments()}"


_SUFFIXES = (("msecs", 0), ("msec", 0), ("ms", 0), ("secs", 3), ("sec", 3), ("s", 3))


@record(frozen=True, slots=True)
class RouteTime(Kind):
    """A time of a route's metrics, kept as the kernel counts it: ``per_ms`` units make a millisecond.

    Without a suffix the number is in these units; with ``s`` or ``ms`` it is read to the millisecond.
    """

    per_ms: int
    unit: ClassVar[str] = "ms"
    shortest: ClassVar[int] = 200
    """Milliseconds."""
    longest: ClassVar[int] = 120_000

    def read(self, words: Sequence[str]) -> int:
        """The number of units; what is too short or too long is brought into the bounds."""
        late: Refused | None = None
        text = words[0].strip().lower()
        try:
            value = self._units(text)
        except Refused as refused:
            if refused.kept is NOTHING:
                raise
            late, value = refused, refused.kept
        least, most = self.shortest * self.per_ms, self.longest * self.per_ms
        bounded = min(max(value, least), most)
        if late is None and bounded != value:
            hint = f"use {self.expected()}; 250ms or 1.5s are understood"
            if value < least and text.isdigit() and self.per_ms > 1:
                hint += f"; a bare number counts 1/{self.per_ms} ms"
            used = f"{self.shortest if value < least else self.longest} ms"
            raise Refused(f"time '{words[0]}' outside range, {used} is used", hint=hint, kept=bounded, problem=None)
        if late is not None:
            late.kept = bounded
            raise late
        return value

    def _units(self, text: str) -> int:
        most = self.longest * self.per_ms
        for suffix, places in _SUFFIXES:
            digits = text.removesuffix(suffix)
            if digits == text:
                continue
            if not digits:
                break
            value = self._decimal(digits, text, places) * self.per_ms
            # keepalived's bound on the number is that of the bare number
            if value > most * self.per_ms:
                break
            return value
        else:
            value = self._decimal(text, text, 0)
            if value <= most:
                return value
        raise Refused(f"invalid time '{text}'", hint=f"use {self.expected()}", problem=Problem.INVALID_NUMBER)

    def _decimal(self, digits: str, text: str, places: int) -> int:
        try:
            return decimal(digits, places)
        except Refused as refused:
            if refused.kept is NOTHING:
                refused.message = f"invalid time '{text}'"
                refused.hint = "write digits and s or ms: 250ms or 1.5s"
            else:
                refused.kept *= 1 if text == digits else self.per_ms
                refused.hint = "it is rounded; times go to the millisecond"
            raise

    def expected(self) -> str:
        """The bounds."""
        return "200..120000 ms"

    def write(self, value: Any) -> str:
        """The number of units."""
        return str(value)

    def arguments(self) -> str:
        """A time."""
        return "INT[s|ms]"


class Preference(Kind):
    """How much a router is preferred, RFC 4191; the value is the protocol's."""

    __slots__ = ()
    words: ClassVar[dict[str, int]] = {"low": 3, "medium": 0, "high": 1}

    def read(self, words: Sequence[str]) -> int:
        """The number."""
        if words[0] in self.words:
            return self.words[words[0]]
        try:
            value = number(words[0])
        except Refused:
            value = -1
        if not 0 <= value <= 255:
            raise Refused(f"unknown value '{words[0]}'", hint=f"write one of {', '.join(self.words)}")
        return value

    def write(self, value: Any) -> str:
        """The word, or the number that has none."""
        return next((word for word, each in self.words.items() if each == value), str(value))

    def expected(self) -> str:
        """The words."""
        return "low|medium|high|0..255"

    def arguments(self) -> str:
        """The words."""
        return "low|medium|high|INT"


@dataclass(frozen=True, slots=True)
class Span(Kind):
    """Two numbers with a dash, the lower first."""

    maximum: int

    def read(self, words: Sequence[str]) -> tuple[int, int]:
        """The pair."""
        text = words[0].strip()
        hint = f"write FIRST-LAST with numbers from 0 to {self.maximum}, the lower first"
        whole = re.fullmatch(r"\+?([0-9]+)-([+-]?[0-9]+)(.*)", text)
        if whole is None:
            if text.isdigit() and int(text) <= self.maximum:
                hint = f"a single one is written as a range: {text}-{text}"
            raise Refused(f"'{text}' is no range", hint=hint)
        low, high = int(whole[1]), int(whole[2])
        if whole[3] or not low <= high <= self.maximum:
            raise Refused(f"'{text}' is no range of these numbers", hint=hint, problem=None)
        return low, high

    def expected(self) -> str:
        """The bounds."""
        return f"0..{self.maximum}"

    def write(self, value: Any) -> str:
        """The pair."""
        return f"{value[0]}-{value[1]}"

    def arguments(self) -> str:
        """A range."""
        return "INT-INT"


class Mark(Kind):
    """A mark of a packet and the bits of it that count; if none are said all of them, and none of a mark of 0."""

    __slots__ = ()

    def read(self, words: Sequence[str]) -> tuple[int, int]:
        """Mark and mask."""
        mark, slash, mask = words[0].partition("/")
        hint = "write MARK or MARK/MASK, numbers up to 0xffffffff"
        try:
            value = _bounded(mark or "0", UINT_MAX)
            bits = _bounded(mask or "0", UINT_MAX) if slash else _bits(value)
        except Refused:
            raise Refused(f"invalid mark '{words[0]}'", hint=hint) from None
        if not mark or (slash and not mask):
            raise Refused(f"the mark '{words[0]}' lacks a number, keepalived takes it for 0", hint=hint, problem=None)
        return value, bits

    def write(self, value: Any) -> str:
        """In hexadecimal digits."""
        mark, mask = value
        return f"{mark:#x}" if mask == _bits(mark) else f"{mark:#x}/{mask:#x}"

    def arguments(self) -> str:
        """One or two numbers."""
        return "INT[/MASK]"


def _bits(mark: int) -> int:
    """The mask that the kernel takes where none is given."""
    return UINT_MAX if mark else 0


class Labels(Kind):
    """MPLS labels, the outermost first: ``100/200``."""

    __slots__ = ()
    most: ClassVar[int] = 2

    def read(self, words: Sequence[str]) -> tuple[int, ...]:
        """The labels."""
        try:
            labels = tuple(_bounded(each, (1 << 20) - 1) for each in words[0].split("/"))
        except Refused:
            labels = ()
        if not 0 < len(labels) <= self.most:
            hint = f"write one or {self.most} labels with a slash between them, each up to {(1 << 20) - 1}"
            raise Refused(f"'{words[0]}' are no labels", hint=hint)
        return labels

    def write(self, value: Any) -> str:
        """The labels."""
        return "/".join(map(str, value))

    def arguments(self) -> str:
        """One or more."""
        return "LABEL[/LABEL]"


class Locator(Kind):
    """A locator of ILA: 64 bits as four hexadecimal numbers."""

    __slots__ = ()

    def read(self, words: Sequence[str]) -> int:
        """The 64 bits."""
        if re.fullmatch(r"[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){3}", words[0]) is None:
            hint = "write four hexadecimal numbers with colons: 2001:db8:0:1"
            raise Refused(f"'{words[0]}' is no locator", hint=hint)
        value = 0
        for each in words[0].split(":"):
            value = value << 16 | int(each, 16)
        return value

    def write(self, value: Any) -> str:
        """The four numbers."""
        return ":".join(f"{value >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0))

    def arguments(self) -> str:
        """Four numbers."""
        return "HEX:HEX:HEX:HEX"


class OnOff(Kind):
    """``enabled`` or ``disabled``."""

    __slots__ = ()

    def read(self, words: Sequence[str]) -> bool:
        """Whether it is enabled. Another word is said and leaves it to the kernel."""
        if words[0] not in ("enabled", "disabled"):
            raise Refused(f"unknown value '{words[0]}'", hint="write enabled or disabled", kept=None)
        return words[0] == "enabled"

    def write(self, value: Any) -> str:
        """The word."""
        return "enabled" if value else "disabled"

    def expected(self) -> str:
        """The words."""
        return "enabled|disabled"

    def arguments(self) -> str:
        """The words."""
        return "enabled|disabled"


class Feature(Kind):
    """A feature of TCP that routes can ask for."""

    __slots__ = ()
    known: ClassVar[tuple[str, ...]] = ("ecn",)

    def read(self, words: Sequence[str]) -> str | None:
        """The word; another is said and skipped."""
        if words[0] not in self.known:
            raise Refused(f"unknown feature '{words[0]}' - skipped", hint="ecn is the one there is", kept=None)
        return words[0]

    def expected(self) -> str:
        """The words."""
        return "|".join(self.known)

    def arguments(self) -> str:
        """The words."""
        return self.expected()
