"""The kinds of value a keyword may have: each reads the words after its keyword, or refuses them with a reason.

A kind knows nothing of files, users or other keywords.
"""

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from socket import inet_pton
from typing import Any, ClassVar

from pykeepalived.records import record

IP = IPv4Address | IPv6Address

AF_INET = 2
AF_INET6 = 10

TRUE_WORDS = frozenset({"on", "true", "yes"})
FALSE_WORDS = frozenset({"off", "false", "no"})

UINT_MAX = 4294967295
INT_MAX = 2147483647
TIMER_MAX = "18446744073709.551614"


class Problem(IntEnum):
    """The class of a mistake. The test mode's exit status is made from the classes seen."""

    FILE_NOT_FOUND = 1
    BAD_IF = 2
    FATAL = 3
    MULTIPLE_FILES = 4
    UNKNOWN_KEYWORD = 5
    UNEXPECTED_BOB = 6
    MISSING_BOB = 7
    UNEXPECTED_EOB = 8
    MISSING_EOB = 9
    UNMATCHED_QUOTE = 10
    MISSING_PARAMETER = 11
    INVALID_NUMBER = 12
    GENERAL_ERROR = 13
    WARNING = 14
    DEPRECATED = 15
    SECURITY_ERROR = 16
    LACKS_WORD = 17
    """A keyword without the word it needs: keepalived ends at once, with status 2."""
    INCLUDE_CHECK = 18
    """An include that was to be checked, and failed: status 6."""


class _Nothing:
    """No value to keep."""


NOTHING = _Nothing()


class Refused(Exception):  # noqa: N818 - it is a verdict, not a fault of the program
    """The words are no value of this kind. ``kept`` is what stands all the same, where keepalived keeps something."""

    def __init__(
        self,
        message: str,
        word: int = 0,
        hint: str = "",
        problem: Problem | None = Problem.GENERAL_ERROR,
        kept: Any = NOTHING,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.word = word
        """Which of the words, counted from 0; -1 is the keyword itself."""
        self.hint = hint
        self.problem = problem
        """None: to be known, and no mistake that counts."""
        self.kept = kept
        self.also: tuple[Refused, ...] = ()
        """What is wrong besides, in the same words."""


class Kind:
    """What the words after a keyword may be."""

    __slots__ = ()
    raw: ClassVar[bool] = False
    """Wants the line as written, not its words."""
    entries: ClassVar[bool] = False
    """Opens a block of lines."""
    needs: ClassVar[int] = 1
    """How many words there must be."""

    def read(self, words: Sequence[str]) -> Any:  # noqa: ARG002
        """The value, or Refused."""
        raise Refused("takes no value")

    def merged(self, earlier: Any, later: Any) -> Any:
        """What two uses of a keyword that collects make together."""
        return (*earlier, *later)

    def write(self, value: Any) -> str:
        """The words of the file that read as that value; empty for none."""
        return word_text(str(value))

    def expected(self) -> str:
        """The values, for people: ``1..255``."""
        return ""

    def arguments(self) -> str:
        """The words after the keyword, for people: ``INT``."""
        return "VALUE"

    unit: ClassVar[str] = ""
    """What is counted: ``s``."""


_PLAIN = re.compile(r"(?![@~])[^ \t\f\v\r\n\"#!{}$]+")


def word_text(text: str) -> str:
    """A word as it may stand in the file: between quotes where it must."""
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


@record(frozen=True, slots=True)
class Flag(Kind):
    """A word that stands alone. Whatever follows it is not looked at."""

    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> bool:  # noqa: ARG002
        """Always on."""
        return True

    def write(self, value: Any) -> str:  # noqa: ARG002
        """Nothing: the word itself says it."""
        return ""

    def arguments(self) -> str:
        """None."""
        return ""


@record(frozen=True, slots=True)
class Boolean(Kind):
    """On or off; the bare keyword is on."""

    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> bool:
        """``on true yes`` or ``off false no``, lower-case."""
        if not words or words[0] in TRUE_WORDS:
            return True
        if words[0] in FALSE_WORDS:
            return False
        hint = "write one of on, true, yes, off, false, no (lower-case)"
        raise Refused(f"'{words[0]}' is not a boolean", hint=hint)

    def expected(self) -> str:
        """The words."""
        return "on|off"

    def write(self, value: Any) -> str:
        """``on`` or ``off``."""
        return "on" if value else "off"

    def arguments(self) -> str:
        """The word may be left out."""
        return "[BOOL]"


def number(text: str) -> int:
    """A decimal integer: optional sign, leading blanks, nothing behind it. An empty word is 0."""
    digits = text.lstrip()
    if not digits:
        return 0
    unsigned = digits[1:] if digits[0] in "+-" else digits
    if not (unsigned.isascii() and unsigned.isdigit()):
        raise Refused(f"invalid number '{text}'", hint=_number_hint(text), problem=Problem.INVALID_NUMBER)
    return int(digits)


def _number_hint(text: str) -> str:
    if text.lower().startswith("0x"):
        return "write it in decimal"
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%")
    if digits and digits != text and digits.lstrip("+-").isdigit():
        return f"write it without the unit: {digits}"
    return "write a whole number, digits only"


@record(frozen=True, slots=True)
class Integer(Kind):
    """A whole number within bounds. ``bare`` stands for the keyword alone."""

    minimum: int
    maximum: int
    bare: int | None = None

    def read(self, words: Sequence[str]) -> int:
        """The number."""
        if not words:
            if self.bare is not None:
                return self.bare
            raise Refused("needs a number", -1, problem=Problem.LACKS_WORD)
        value = number(words[0])
        if not self.minimum <= value <= self.maximum:
            raise Refused(
                f"number '{words[0]}' outside range [{self.minimum}, {self.maximum}]",
                hint=f"use a number from {self.minimum} to {self.maximum}",
                problem=Problem.INVALID_NUMBER,
            )
        return value

    def expected(self) -> str:
        """The bounds."""
        return f"{self.minimum}..{self.maximum}"

    def write(self, value: Any) -> str:
        """The number."""
        return str(value)

    def arguments(self) -> str:
        """A number."""
        return "INT" if self.bare is None else "[INT]"


def decimal(text: str, places: int) -> int:
    """A decimal with at most ``places`` digits behind the point, as an integer of that unit."""
    if text.isascii() and text.isdigit():
        return int(text) * int(10**places)
    whole, dot, fraction = text.strip().partition(".")
    if not (whole or fraction) and not dot and not text.strip():
        return 0
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit():
        raise Refused(f"invalid number '{text}'", hint=_time_hint(text), problem=Problem.INVALID_NUMBER)
    units = int(whole or "0") * int(10**places)
    if len(fraction) <= places:
        return units + int(fraction.ljust(places, "0") or "0")
    rounded = units + int(fraction[:places] or "0") + (1 if fraction[places] >= "5" else 0)
    raise Refused(
        f"'{text}' has too many decimal places (at most {places})",
        hint="it is rounded",
        problem=Problem.INVALID_NUMBER,
        kept=rounded,
    )


@cache
def _bound(text: str, places: int) -> int:
    return decimal(text, places)


_UNITS = {"ms": -3, "us": -6, "msec": -3, "usec": -6, "sec": 0, "s": 0}


def _time_hint(text: str) -> str:
    stripped = text.strip().lower()
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)(ms|us|msec|usec|sec|s|m|min)", stripped)
    if found is None:
        return "write seconds as digits, with a fraction if need be: 10 or 0.5"
    from decimal import Decimal  # noqa: PLC0415 - for a mistake alone

    digits, unit = found.groups()
    seconds = Decimal(digits).scaleb(_UNITS[unit]) if unit in _UNITS else Decimal(digits) * 60
    return f"times are seconds and have no unit: write {seconds.normalize():f}"


@record(frozen=True, slots=True)
class Timer(Kind):
    """A length of time in seconds with a fraction, kept in nanoseconds."""

    minimum: str
    maximum: str
    places: int = 6
    zero_is: str = ""
    """What 0 is turned into, with an error."""

    def read(self, words: Sequence[str]) -> int:
        """The nanoseconds."""
        if not words:
            raise Refused("needs a time in seconds", -1, problem=Problem.LACKS_WORD)
        unit = int(10 ** (9 - self.places))
        late: Refused | None = None
        try:
            value = decimal(words[0], self.places)
        except Refused as refused:
            if refused.kept is NOTHING:
                raise
            late = refused
            value = refused.kept
        if not _bound(self.minimum, self.places) <= value <= _bound(self.maximum, self.places):
            raise Refused(
                f"number '{words[0]}' outside range [{self.minimum}, {self.maximum}]",
                hint=f"use a time from {self.minimum} to {self.maximum} seconds",
                problem=Problem.INVALID_NUMBER,
            )
        if value == 0 and self.zero_is:
            raise Refused(
                f"0 is not a possible time, {self.zero_is} s is used",
                hint=f"write {self.zero_is} or more",
                kept=decimal(self.zero_is, self.places) * unit,
            )
        if late is not None:
            late.kept = value * unit
            raise late
        return value * unit

    def expected(self) -> str:
        """The bounds in seconds."""
        return f"{self.minimum}..{self.maximum} s"

    unit: ClassVar[str] = "s"

    def write(self, value: Any) -> str:
        """The seconds, exactly."""
        return seconds_text(value)

    def arguments(self) -> str:
        """A time."""
        return "SECONDS"


def seconds_text(nanoseconds: int) -> str:
    """A length of time as the file has it: ``0.5``."""
    whole, rest = divmod(nanoseconds, 10**9)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def whole_seconds(maximum: int) -> Timer:
    """A time in whole seconds from 0."""
    return Timer("0", str(maximum), places=0)


@record(frozen=True, slots=True)
class Word(Kind):
    """One word. ``longest`` cuts it short in silence; ``bare`` stands for the keyword alone."""

    longest: int = 0
    bare: str | None = None
    checked: bool = False
    """A missing word is reported and the keyword ignored; otherwise it is the end of the reading."""

    def read(self, words: Sequence[str]) -> str:
        """The word."""
        if not words:
            if self.bare is not None:
                return self.bare
            problem = Problem.MISSING_PARAMETER if self.checked else Problem.LACKS_WORD
            raise Refused("needs a word after it", -1, problem=problem)
        return words[0][: self.longest] if self.longest else words[0]

    def write(self, value: Any) -> str:
        """The word; nothing where it stands for the keyword alone."""
        return "" if value == self.bare else word_text(str(value))

    def arguments(self) -> str:
        """A word."""
        return "STRING" if self.bare is None else "[STRING]"


@record(frozen=True, slots=True)
class Interface(Kind):
    """An interface's name."""

    def read(self, words: Sequence[str]) -> str:
        """The name, at most 15 characters as the kernel has it."""
        if not words:
            raise Refused("needs the name of an interface", -1, problem=Problem.LACKS_WORD)
        if not 0 < len(words[0].encode("utf-8", "surrogateescape")) <= 15:
            raise Refused(
                f"'{words[0]}' cannot be the name of an interface",
                hint="a name has 1 to 15 characters; `ip link` lists those of this machine",
            )
        return words[0]

    def arguments(self) -> str:
        """A name."""
        return "IFNAME"


@record(frozen=True, slots=True)
class Choice(Kind):
    """One of a few words. ``fold`` ignores case; ``bare`` stands for the keyword alone."""

    words: tuple[str, ...]
    fold: bool = False
    bare: str | None = None

    def read(self, words: Sequence[str]) -> str:
        """The word as the table spells it."""
        if not words:
            if self.bare is not None:
                return self.bare
            raise Refused(f"needs one of {', '.join(self.words)}", -1, problem=Problem.LACKS_WORD)
        for word in self.words:
            if words[0] == word or (self.fold and words[0].lower() == word.lower()):
                return word
        hint = f"write one of {', '.join(self.words)}"
        for word in self.words:
            if words[0].lower() == word.lower():
                hint = f"write {word}: case matters here"
        raise Refused(f"unknown value '{words[0]}'", hint=hint)

    def expected(self) -> str:
        """The words."""
        return "|".join(self.words)

    def write(self, value: Any) -> str:
        """The word; nothing for what the bare keyword is."""
        return "" if value == self.bare else str(value)

    def arguments(self) -> str:
        """The words themselves."""
        return self.expected() if self.bare is None else f"[{self.expected()}]"


def ip_address(text: str) -> IP:
    """An address: a colon makes it IPv6, else four decimal numbers. No names, short forms or zones."""
    try:
        if ":" in text:
            if "%" in text:
                raise Refused(f"invalid IP address '{text}'", hint="leave out the zone (%...)")
            return IPv6Address(text)
        return IPv4Address(inet_pton(AF_INET, text))  # as strict as the class is with texts, in a fifth of the time
    except (OSError, ValueError):
        raise Refused(f"invalid IP address '{text}'", hint=_address_hint(text)) from None


def _address_hint(text: str) -> str:
    if ":" not in text and text.count(".") == 3 and text.isascii():
        for part in text.split("."):
            if part.isdigit() and len(part) > 1 and part[0] == "0":
                return "write the numbers without leading zeros"
            if part.isdigit() and int(part) > 255:
                return f"each number is 0 to 255, {part} is not"
    if ":" not in text and not text.replace(".", "").isdigit():
        return "names are not looked up here; write the address in numbers"
    return "write four numbers 0 to 255 with points, or an IPv6 address"


def plain_address(text: str) -> IP:
    """An address from whose first ``-`` or ``/`` on everything is cut off, as keepalived does."""
    for mark in "-/":
        text = text.partition(mark)[0]
    return ip_address(text)


@record(frozen=True, slots=True)
class Address(Kind):
    """One IP address; ``family`` and ``multicast`` narrow it."""

    family: int = 0
    multicast: bool = False

    def read(self, words: Sequence[str]) -> IP:
        """The address."""
        if not words:
            raise Refused("needs an IP address", -1, problem=Problem.LACKS_WORD)
        address = plain_address(words[0])
        if self.family and self.family != (AF_INET6 if address.version == 6 else AF_INET):
            wanted = "IPv6" if self.family == AF_INET6 else "IPv4"
            raise Refused(f"'{words[0]}' is not an {wanted} address", hint=f"write an {wanted} address")
        if self.multicast and not address.is_multicast:
            raise Refused(
                f"'{words[0]}' is not a multicast address", hint="use an address from 224.0.0.0/4 or ff00::/8"
            )
        return address

    def arguments(self) -> str:
        """An address."""
        return "IPV6ADDR" if self.family == AF_INET6 else "IPV4ADDR" if self.family == AF_INET else "IPADDR"


def port(text: str, *, none: bool = False) -> int:
    """A port; ``none`` allows zeros for no port."""
    value = number(text)
    if not (0 if none else 1) <= value <= 65535:
        raise Refused(
            f"port '{text}' outside range [1, 65535]",
            hint="use a number from 1 to 65535",
            problem=Problem.INVALID_NUMBER,
        )
    return value


@record(frozen=True, slots=True)
class Port(Kind):
    """A port."""

    def read(self, words: Sequence[str]) -> int:
        """The number."""
        if not words:
            raise Refused("needs a port", -1, problem=Problem.LACKS_WORD)
        return port(words[0])

    def expected(self) -> str:
        """The bounds."""
        return "1..65535"

    def arguments(self) -> str:
        """A port."""
        return "PORT"


@record(frozen=True, slots=True)
class Endpoint(Kind):
    """An address and, where given, a port; 0 is none."""

    def read(self, words: Sequence[str]) -> tuple[IP, int]:
        """The pair."""
        if not words:
            raise Refused("needs an IP address and a port", -1, problem=Problem.LACKS_WORD)
        return plain_address(words[0]), self.port(words)

    def port(self, words: Sequence[str]) -> int:
        """The second of the pair."""
        if len(words) < 2:
            return 0
        try:
            return port(words[1], none=True)
        except Refused as refused:
            refused.word = 1
            raise

    def write(self, value: Any) -> str:
        """Address and port."""
        address, number_ = value
        return f"{address} {number_}" if number_ else str(address)

    def arguments(self) -> str:
        """Address and port."""
        return "IPADDR [PORT]"


@record(frozen=True, slots=True)
class Hex(Kind):
    """A fixed number of bytes in hexadecimal digits."""

    length: int

    def read(self, words: Sequence[str]) -> bytes:
        """The bytes."""
        if not words:
            raise Refused("needs hexadecimal digits", -1, problem=Problem.LACKS_WORD)
        text = words[0]
        if len(text) == 2 * self.length and all(c in "0123456789abcdefABCDEF" for c in text):
            return bytes.fromhex(text)
        raise Refused(
            f"'{text}' is not {2 * self.length} hexadecimal digits",
            hint=f"the MD5 sum has {2 * self.length} digits; this has {len(text)} characters",
        )

    def write(self, value: Any) -> str:
        """The digits."""
        return bytes(value).hex()

    def arguments(self) -> str:
        """Digits."""
        return "HEX"


@record(frozen=True, slots=True)
class Password(Kind):
    """The password of version 2: eight bytes count."""

    def read(self, words: Sequence[str]) -> bytes:
        """The bytes."""
        if not words:
            raise Refused("needs a password", -1, problem=Problem.LACKS_WORD)
        text = words[0].encode("utf-8", "surrogateescape")
        if len(text) > 8:
            raise Refused(
                "Truncating auth_pass to 8 characters",
                hint="the protocol carries 8 bytes; write those 8, the same on every router",
                kept=text[:8],
            )
        return text

    def write(self, value: Any) -> str:
        """The bytes as they stood in the file."""
        return word_text(bytes(value).decode("utf-8", "surrogateescape"))

    def arguments(self) -> str:
        """A word."""
        return "STRING"


@record(frozen=True, slots=True)
class Words(Kind):
    """All words of the line."""

    least: int = 1

    def read(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words."""
        if len(words) < self.least:
            raise Refused("needs a word after it", -1, problem=Problem.LACKS_WORD)
        return tuple(words)

    def write(self, value: Any) -> str:
        """The words, or the one word."""
        return word_text(value) if isinstance(value, str) else " ".join(word_text(str(each)) for each in value)

    def arguments(self) -> str:
        """Any words."""
        return "STRING ..." if self.least else "[STRING ...]"


@record(frozen=True, slots=True)
class Command(Kind):
    """A script with its arguments, and for some keywords the user and group that run it."""

    raw: ClassVar[bool] = True
    user: bool = True
    optional: bool = False

    def arguments(self) -> str:
        """A command, and who runs it."""
        text = "SCRIPT [USER [[:]GROUP]]" if self.user else "SCRIPT"
        return f"[{text}]" if self.optional else text


@record(frozen=True, slots=True)
class Names(Kind):
    """A block of names, any number on a line."""

    entries: ClassVar[bool] = True
    needs: ClassVar[int] = 0

    def write(self, value: Any) -> str:
        """The names, as they stand between the braces."""
        return " ".join(map(word_text, value))

    def arguments(self) -> str:
        """A block of names."""
        return "{ NAME ... }"


@record(frozen=True, slots=True)
class Entries(Kind):
    """A block of lines, each read by the grammar of that name."""

    grammar: str
    without: frozenset[str] = frozenset()
    """Options of the grammar that are not for this block."""
    plain: bool = False
    """Its lines are words that no grammar reads."""
    entries: ClassVar[bool] = True
    needs: ClassVar[int] = 0

    def arguments(self) -> str:
        """A block of lines."""
        return "{ ... }"
