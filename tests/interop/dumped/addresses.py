"""Addresses that instances hold and that stand by themselves, as dumps tell them."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address

from pykeepalived.config.blocks.addresses import AddressEntry

SCOPES = {0: "global", 255: "nowhere", 254: "host", 253: "link", 200: "site"}


def told(lines: Iterable[str]) -> tuple[str, ...]:
    """Without the word that an address is in the kernel now, and with the interface below one of our own making."""
    return tuple(re.sub(r" dev [^\s@]+@", " dev ", line.removesuffix(" set")) for line in lines)


def text(entry: AddressEntry, device: str) -> str:
    """One address; ``device`` where it names none."""
    words = [str(entry)]
    if entry.broadcast is not None:
        words += ["brd", str(entry.broadcast)]
    words += ["dev", entry.dev or device, "scope", SCOPES.get(entry.scope, str(entry.scope))]
    if entry.label is not None:
        words += ["label", entry.label]
    if entry.peer is not None:
        words += ["peer", f"{entry.peer}/{entry.prefix_length}"]
    for name in ("home", "mngtmpaddr", "noprefixroute"):
        if getattr(entry, name):
            words.append(name)
    if not isinstance(entry.address, IPv4Address):
        words += _lifetime(entry)
    if entry.no_track:
        words.append("no_track")
    return " ".join(words)


def _lifetime(entry: AddressEntry) -> list[str]:
    if entry.preferred_lft == 0:
        return ["deprecated"]
    return ["preferred_lft", "forever" if entry.preferred_lft is None else str(entry.preferred_lft)]
