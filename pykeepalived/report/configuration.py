"""The configuration as it was understood, line by line: what ``--dump-conf`` writes to the log.

Headings are those of keepalived's data file, names are the file's keywords. Passwords are not shown.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

from pykeepalived.config.blocks.virtual_server import RealServer
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET, AF_INET6, Timer
from pykeepalived.units import SECOND

_SECRETS = frozenset(("auth_pass",))
_HEADED = frozenset(("name", "service"))  # stand in the line above the others
_LENGTHS = frozenset(("child_wait_time", "delay_loop", "delay_before_retry", "warmup", "connect_timeout"))  # in ns
_FAMILIES = {AF_INET: "IPv4", AF_INET6: "IPv6"}


def lines(configuration: Configuration) -> Iterator[str]:
    """Heading by heading; what is unset is left out."""
    yield "------< Global definitions >------"
    yield from _keywords(configuration.global_defs, " ")
    for heading, word, items in (
        ("VRRP Topology", "VRRP Instance", configuration.vrrp_instance),
        ("VRRP Sync groups", "VRRP Sync Group", configuration.vrrp_sync_group),
        ("VRRP Scripts", "VRRP Script", configuration.vrrp_script),
        ("VRRP Track files", "Track file", configuration.track_file),
        ("VRRP Track processes", "VRRP Track process", configuration.vrrp_track_process),
        ("BFD Topology", "BFD Instance", configuration.bfd_instance),
        ("Static Track groups", "Static Track Group", configuration.track_group),
    ):
        if items:
            yield f"------< {heading} >------"
        for item in items:
            yield f" {word} = {item.name}"
            yield from _keywords(item, "   ")
    if configuration.static_ipaddress:
        yield "------< Static Addresses >------"
    for address in configuration.static_ipaddress:
        yield f" {address} dev {address.dev}"
    if configuration.virtual_server:
        yield "------< LVS Topology >------"
    for server in configuration.virtual_server:
        yield f" Virtual server = {server.service}"
        yield from _keywords(server, "   ")


def _keywords(block: Any, indent: str) -> Iterator[str]:
    for field in dataclasses.fields(block):
        name, value = field.name, getattr(block, field.name)
        if value is None or value in ((), b"", "") or name in _HEADED or _empty(field, value):
            continue
        if name in _SECRETS:
            yield f"{indent}{name} = ********"
        elif name in _LENGTHS or isinstance(getattr(field.metadata.get("keyword"), "kind", None), Timer):
            yield f"{indent}{name} = {value / SECOND:g} s"
        elif name == "family":
            yield f"{indent}{name} = {_FAMILIES[value]}"
        elif isinstance(value, tuple):
            for item in value:
                yield from _item(name, item, indent)
        elif _plain(value):
            yield f"{indent}{name} = {_text(value)}"
        else:
            yield from _item(name, value, indent)


def _item(name: str, item: Any, indent: str) -> Iterator[str]:
    """One of several values, or a block within the block."""
    if _plain(item) or "__str__" in type(item).__dict__:
        yield f"{indent}{name} = {_text(item)}"
        return
    if isinstance(item, RealServer):
        yield f"{indent}{name} = {item.address} {item.port}"
    else:
        yield f"{indent}{name} = {getattr(item, 'name', type(item).__name__)}"
    yield from _keywords(item, indent + "  ")


def _empty(field: "dataclasses.Field[Any]", value: Any) -> bool:
    """Whether a value of several parts has none of them."""
    return value == field.default and str(value) == ""


def _plain(value: Any) -> bool:
    return not dataclasses.is_dataclass(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return value.hex() if isinstance(value, bytes) else str(value) or "on"
