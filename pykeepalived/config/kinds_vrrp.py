"""The kinds of value that vrrp_instance alone has, and those values: VMAC, ipvlan, keys, intervals.

What two keywords mean together is not known here. A plain value is read without its grammar.
"""

import re
from collections.abc import Sequence
from dataclasses import field, replace
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pykeepalived.config.kinds import (
    IP,
    Boolean,
    Integer,
    Interface,
    Kind,
    Problem,
    Refused,
    ip_address,
    number,
    word_text,
)
from pykeepalived.records import record
from pykeepalived.units import SECOND

if TYPE_CHECKING:
    from pykeepalived.config.grammar.vmac import Option

KEY_LENGTH = (32, 64)
"""Bytes of a key of auth_hmac, at least and at most."""
_VMAC_WORDS = frozenset({"name", "group", "netlink_notify_msg"})
_IPVLAN_WORDS = frozenset({"name", "group", "bridge", "private", "vepa"})
_BYTE = re.compile(r"[0-9a-fA-F]{1,2}")
_RFC_PREFIX = b"\x00\x00\x5e\x00"


@record(frozen=True, slots=True)
class Vmac:
    """A macvlan that carries the virtual MAC address. What is empty is chosen when it is made."""

    name: str = ""
    mac: bytes = b""
    """Six bytes; five that the VRID completes, as long as it is not known; none: the address the RFC gives."""
    netlink_notify_msg: bool = False
    group: str = ""
    """The group of interfaces it is put in, a name or a number; empty: that of its base."""

    def __str__(self) -> str:
        words = [word_text(self.name)] if self.name else []
        if self.name in _VMAC_WORDS:
            words.insert(0, "name")
        if self.mac:
            words.append(self.mac.hex(":"))
        if self.netlink_notify_msg:
            words.append("netlink_notify_msg")
        if self.group:
            words += ["group", word_text(self.group)]
        return " ".join(words)


@record(frozen=True, slots=True)
class Ipvlan:
    """An ipvlan of layer 2 with the base's MAC address. What is empty is chosen when it is made."""

    name: str = ""
    address: IP | None = None
    prefix_length: int = 0
    type: Literal["bridge", "private", "vepa"] = "bridge"
    group: str = ""

    def __str__(self) -> str:
        words = [word_text(self.name)] if self.name else []
        if self.name in _IPVLAN_WORDS:
            words.insert(0, "name")
        if self.address is not None:
            words.append(f"{self.address}/{self.prefix_length}")
        if self.type != "bridge":
            words.append(self.type)
        if self.group:
            words += ["group", word_text(self.group)]
        return " ".join(words)


@record(frozen=True, slots=True)
class ExtraGarp:
    """The period of gratuitous messages on further interfaces; 0 is never."""

    interval: int = 0
    everywhere: bool = False
    """Also on interfaces that are no VMAC."""

    def __str__(self) -> str:
        return f"{'all ' if self.everywhere else ''}{self.interval // SECOND}"


@record(frozen=True, slots=True)
class HmacKey:
    """A key of auth_hmac. Its bytes show nowhere."""

    id: int
    secret: bytes = field(default=b"", repr=False)
    file: str = ""
    """Where the bytes come from, if not from the configuration itself."""

    def __str__(self) -> str:
        return f"{self.id} ********"


class _Mistakes:
    """What is wrong in one line."""

    def __init__(self) -> None:
        self._found: list[Refused] = []

    def add(self, message: str, word: int, hint: str) -> None:
        """One mistake."""
        self._found.append(Refused(message, word, hint))

    def end(self, value: Any) -> Any:
        """The value without what was wrong; raises when something was."""
        if not self._found:
            return value
        first, *others = self._found
        first.kept, first.also = value, tuple(others)
        raise first


def _name(option: "Option", taken: str, what: str, mistakes: _Mistakes) -> str:
    text = option.text or ""
    if taken:
        mistakes.add(f"the name of the {what} is {taken} already, '{text}' is ignored", option.word, "give one name")
        return taken
    try:
        if "/" not in text and ":" not in text:
            return Interface().read([text])
    except Refused:
        pass
    hint = "a name has 1 to 15 characters, no blank, / or :"
    mistakes.add(f"'{text}' cannot be the name of an interface - ignored", option.word, hint)
    return ""


def _group(option: "Option", mistakes: _Mistakes) -> str:
    if option.text is None:
        mistakes.add("group needs a name or a number", option.word, "write group NAME, or remove the word")
    return option.text or ""


@record(frozen=True, slots=True)
class VmacArguments(Kind):
    """What follows use_vmac. Several lines complete each other."""

    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> Vmac:
        """The macvlan."""
        if not words:
            return Vmac()
        from pykeepalived.config.grammar import vmac  # noqa: PLC0415 - pyparsing takes 60 ms to come

        mistakes = _Mistakes()
        found = Vmac()
        for option in vmac.parse(words):
            match option.what:
                case "mac" if found.mac:
                    mistakes.add("a second MAC address - ignored", option.word, "give one address")
                case "mac":
                    found = replace(found, mac=_mac(option, mistakes))
                case "netlink_notify_msg":
                    found = replace(found, netlink_notify_msg=True)
                case "group":
                    found = replace(found, group=_group(option, mistakes))
                case _:
                    found = replace(found, name=_name(option, found.name, "VMAC", mistakes))
        value: Vmac = mistakes.end(found)
        return value

    def merged(self, earlier: Any, later: Any) -> Vmac:
        """The first line completed by the second."""
        both = Vmac(
            earlier.name or later.name,
            earlier.mac or later.mac,
            earlier.netlink_notify_msg or later.netlink_notify_msg,
            later.group or earlier.group,
        )
        if earlier.name and later.name:
            raise Refused(f"the name of the VMAC is {earlier.name} already", 0, "give one name", kept=both)
        return both

    def write(self, value: Any) -> str:
        """The options."""
        return str(value)

    def arguments(self) -> str:
        """All of them may be left out."""
        return "[[name] IFNAME] [MAC] [netlink_notify_msg] [group GROUP]"


def _mac(option: "Option", mistakes: _Mistakes) -> bytes:
    """Five or six bytes."""
    text = option.text or ""
    parts = text.removesuffix(":").split(":") if text.count(":") == 5 else text.split(":")
    if not 5 <= len(parts) <= 6 or not all(_BYTE.fullmatch(part) for part in parts):
        hint = "write six bytes such as 02:00:00:aa:bb:cc, or five that the VRID completes"
        mistakes.add(f"invalid MAC address '{text}' - ignored", option.word, hint)
        return b""
    found = bytes(int(part, 16) for part in parts)
    if found[0] & 1:
        mistakes.add(f"the MAC address {text} is multicast - ignored", option.word, "make the first byte even")
        return b""
    if found[:4] == _RFC_PREFIX and found[4] in (1, 2):
        hint = "leave the address out: the RFC's own is the default"
        mistakes.add(f"the MAC address {text} is one of the RFC's - ignored", option.word, hint)
        return b""
    return found


@record(frozen=True, slots=True)
class IpvlanArguments(Kind):
    """What follows use_ipvlan."""

    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> Ipvlan:
        """The ipvlan."""
        if not words:
            return Ipvlan()
        from pykeepalived.config.grammar import vmac  # noqa: PLC0415 - as above

        mistakes = _Mistakes()
        found = Ipvlan()
        typed = False
        for option in vmac.parse(words, ipvlan=True):
            match option.what:
                case "type" if typed:
                    message = f"the type of the ipvlan is {found.type} already, '{option.text}' is ignored"
                    mistakes.add(message, option.word, "give one type")
                case "type":
                    typed = True
                    found = replace(found, type=_type(option.text))
                case "address" if found.address is not None:
                    mistakes.add("a second address - ignored", option.word, "give one address")
                case "address":
                    found = _with_address(found, option, mistakes)
                case "group":
                    found = replace(found, group=_group(option, mistakes))
                case _:
                    found = replace(found, name=_name(option, found.name, "ipvlan", mistakes))
        value: Ipvlan = mistakes.end(found)
        return value

    def write(self, value: Any) -> str:
        """The options."""
        return str(value)

    def arguments(self) -> str:
        """All of them may be left out."""
        return "[[name] IFNAME] [IPADDR[/PREFIX]] [bridge|private|vepa] [group GROUP]"


def _type(text: str | None) -> Literal["bridge", "private", "vepa"]:
    return "private" if text == "private" else "vepa" if text == "vepa" else "bridge"


def _with_address(found: Ipvlan, option: "Option", mistakes: _Mistakes) -> Ipvlan:
    text = option.text or ""
    try:
        host, slash, length = text.partition("/")
        address = ip_address(host)
        interface = ip_interface(f"{address}/{number(length)}" if slash else address)
    except Refused as refused:
        mistakes.add(f"{refused.message} - ignored", option.word, refused.hint or "write ADDRESS or ADDRESS/BITS")
        return found
    except ValueError:
        mistakes.add(f"invalid prefix length of '{text}' - ignored", option.word, "write ADDRESS or ADDRESS/BITS")
        return found
    return replace(found, address=interface.ip, prefix_length=interface.network.prefixlen)


@record(frozen=True, slots=True)
class ExtraGarpKind(Kind):
    """A period in whole seconds, before or behind the word ``all``."""

    minimum: int = 0
    maximum: int = 86400
    unit: ClassVar[str] = "s"

    def read(self, words: Sequence[str]) -> ExtraGarp:
        """The period, and for which interfaces."""
        every = False
        for index, word in enumerate(words):
            if word == "all":
                every = True
                continue
            try:
                seconds = number(word)
            except Refused as refused:
                refused.word = index
                raise
            if not self.minimum <= seconds <= self.maximum:
                raise Refused(
                    f"number '{word}' outside range [{self.minimum}, {self.maximum}]",
                    index,
                    f"use a number from {self.minimum} to {self.maximum}",
                    Problem.INVALID_NUMBER,
                )
            return ExtraGarp(seconds * SECOND, every or "all" in words[index:])
        raise Refused("needs a time in seconds", -1, "write SECONDS, or all SECONDS")

    def expected(self) -> str:
        """The bounds."""
        return f"{self.minimum}..{self.maximum} s"

    def write(self, value: Any) -> str:
        """The seconds."""
        return str(value)

    def arguments(self) -> str:
        """A time, for some interfaces or for all."""
        return "[all] SECONDS"


@record(frozen=True, slots=True)
class Switch(Boolean):
    """A boolean that no word turns off: keepalived takes ``off`` for on."""

    def read(self, words: Sequence[str]) -> bool:
        """On, unless the word is no boolean."""
        Boolean.read(self, words)
        return True


@record(frozen=True, slots=True)
class OneNumber(Integer):
    """A number, and nothing behind it."""

    def read(self, words: Sequence[str]) -> int:
        """The number."""
        if len(words) != 1:
            raise Refused("takes exactly one number", 1 if words else -1, "write one number, digits only")
        return Integer.read(self, words)


@record(frozen=True, slots=True)
class HmacKeyKind(Kind):
    """A key with its number."""

    needs: ClassVar[int] = 2

    def read(self, words: Sequence[str]) -> HmacKey:
        """The key; one in a file is not looked at here. No message tells any of it."""
        if len(words) < 2:
            raise Refused("needs a number and a key", -1, "write key 1 file:/etc/keepalived/hmac.key", _LACKS)
        try:
            identity = Integer(1, 255).read(words)
        except Refused as refused:
            refused.message = f"the number of a key: {refused.message}"
            raise
        if words[1].startswith("file:"):
            path = words[1].removeprefix("file:")
            if not path.startswith("/"):
                raise Refused(f"'{path}' is no absolute path", 1, "write file:/ and the whole path")
            return HmacKey(identity, file=path)
        return HmacKey(identity, key_bytes(words[1], words[2:]))

    def write(self, value: Any) -> str:
        """The number and the bytes, or their file."""
        return f"{value.id} file:{value.file}" if value.file else f"{value.id} hex:{value.secret.hex()}"

    def arguments(self) -> str:
        """The three forms."""
        return "ID STRING|hex:HEX|file:PATH"


_LACKS = Problem.LACKS_WORD


def key_bytes(text: str, more: Sequence[str] = ()) -> bytes:
    """The bytes of a key as written, or spelled in hexadecimal digits over several words; or Refused, word 1."""
    if text.startswith("hex:"):
        from pykeepalived.config.grammar import hmac_key  # noqa: PLC0415 - as above

        found = hmac_key.hexadecimal([text.removeprefix("hex:"), *more])
        if found is None:
            raise Refused("the key has something that is no hexadecimal digit", 1, "write two digits for each byte")
    else:
        found = text.encode("utf-8", "surrogateescape")
    least, most = KEY_LENGTH
    if not least <= len(found) <= most:
        hint = "`openssl rand -hex 32` makes one, to be written behind hex:"
        raise Refused(f"a key has {least} to {most} bytes, this has {len(found)}", 1, hint)
    return found
