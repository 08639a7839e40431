"""The grammar of addresses in a row, as a virtual_server_group has them.

10.0.0.1-9    2001:db8::10-1f    10.0.0.250-10.0.1.5    10.0.0.64/28
"""

from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pyparsing as pp

from pykeepalived.config.kinds import IP, Refused, ip_address

_LAST = {4: (8, 10, 255, "255"), 6: (16, 16, 0xFFFF, "ffff")}
"""By version: bits of the last part, its base, its largest value, and that as it is written."""


@cache
def _grammar() -> pp.ParserElement:
    address = pp.Regex(r"[^-/]+")
    ipv4 = pp.Regex(r"[0-9]+(\.[0-9]+)+")
    ipv6 = pp.Regex(r"[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*")
    end = pp.StringEnd()
    through = pp.Suppress("-") + (ipv6 | ipv4)("address") + end
    part = pp.Suppress("-") + pp.Regex(r"\+?(0[xX])?[0-9A-Fa-f]+")("part") + end
    network = pp.Suppress("/") + pp.Regex(r"[0-9]+")("length") + end
    rest = pp.Regex(r".*", flags=16)("rest")
    whole = address("first") + (through | part | network | rest)
    return whole.leave_whitespace()


def read(text: str) -> tuple[IP, IP]:
    """The first address and the last. A word that is none of the four is refused with what is wrong with it."""
    try:
        found: dict[str, Any] = _grammar().parse_string(text).as_dict()
    except pp.ParseException:
        raise Refused(f"'{text}' begins with no address", 0, "write an address first") from None
    first = ip_address(found["first"])
    if "address" in found:
        return _through(text, first, ip_address(found["address"]))
    if "part" in found:
        return _part(text, first, found["part"])
    if "length" in found:
        return _network(text, first, int(found["length"]))
    raise _neither(text, first, found.get("rest", ""))


def _neither(text: str, first: IP, rest: str) -> Refused:
    if rest.startswith("/"):
        return Refused(f"'{text}' has no length of a prefix after its /", 0, f"write {first}/28, or another length")
    last = rest.removeprefix("-")
    what = f"'{last}' is no last part of an address" if last else "there is nothing after the -"
    hint = "hexadecimal, 0 to ffff" if first.version == 6 else "decimal, 0 to 255"
    return Refused(f"'{text}': {what}", 0, f"write the last part alone ({hint}), or a whole address")


def _through(text: str, first: IP, last: IP) -> tuple[IP, IP]:
    if first.version != last.version:
        raise Refused(f"'{text}' goes from one family to the other", 0, "use two addresses of one family")
    if int(last) < int(first):
        raise Refused(f"'{text}' ends before it begins", 0, "write the lower address first")
    return first, last


def _part(text: str, first: IP, word: str) -> tuple[IP, IP]:
    bits, base, largest, written = _LAST[first.version]
    try:
        part = int(word, base)
    except ValueError:
        raise _neither(text, first, f"-{word}") from None
    if part > largest:
        raise Refused(f"'{text}': {word} is too large", 0, f"the last part goes up to {written}")
    begun = int(first) & (1 << bits) - 1
    if part <= begun:
        raise Refused(f"'{text}' does not end after it begins", 0, "the last part must be above that of the address")
    return first, _address(first, int(first) - begun + part)


def _network(text: str, first: IP, length: int) -> tuple[IP, IP]:
    width = first.max_prefixlen
    if not 1 <= length <= width:
        raise Refused(f"'{text}': the length is not from 1 to {width}", 0, f"use 1 to {width}")
    hosts = (1 << width - length) - 1
    if int(first) & hosts:
        begin = _address(first, int(first) & ~hosts)
        raise Refused(f"'{text}' is no network: the address has bits behind the prefix", 0, f"write {begin}/{length}")
    return first, _address(first, int(first) | hosts)


def _address(like: IP, value: int) -> IP:
    return IPv6Address(value) if like.version == 6 else IPv4Address(value)
