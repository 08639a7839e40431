"""A resolved configuration as plain JSON: every value, defaults too; times in seconds, addresses as text.

An object is a block, its members are the keywords of the block, and what was worked out from them. Unset is null.
Passwords are written.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pykeepalived.config.blocks.checkers import AnyChecker
from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET6, Kind, Password, Timer
from pykeepalived.config.kinds_ipvs import LvsTimeouts
from pykeepalived.config.kinds_vrrp import ExtraGarp
from pykeepalived.config.language import ROOT
from pykeepalived.config.schema import Block, is_block, table_of
from pykeepalived.config.surroundings import AccountNames
from pykeepalived.units import SECOND

Json = dict[str, Any]


def as_json(configuration: Configuration, names: AccountNames) -> Json:
    """The whole configuration."""
    return _object(configuration, ROOT, names)


def kind_of(field: "dataclasses.Field[Any]", table: Block | None) -> Kind | None:
    """The kind of value a field holds, where it is a keyword: of its own, of the block around it, or of the root."""
    spec = field.metadata.get("keyword")
    if spec is not None:
        kind: Kind = spec.kind
        return kind
    for each in (table, ROOT):
        if each is not None and field.name in each.keywords:
            return each.keywords[field.name].kind
    return None


ALTERNATIVES = frozenset(get_args(AnyChecker))
"""Classes of which one list may hold several: each object says which of them it is."""
LENGTHS: dict[type, tuple[str, ...]] = {
    ExtraGarp: ("interval",),
    InterfaceUpDownDelay: ("down", "up"),
    LvsTimeouts: ("tcp", "tcpfin", "udp"),
}
"""Values that are no keywords of their own and hold times."""


@cache
def _kinds(cls: Any, block: Any) -> Mapping[str, Kind | None]:
    table = table_of(block) if block is not None else None
    return {field.name: kind_of(field, table) for field in dataclasses.fields(cls)}


def _object(value: Any, around: "type | Block | None", names: AccountNames) -> Json:
    cls: Any = type(value)
    block = cls if is_block(cls) else around if isinstance(around, type) else None
    kinds = _kinds(cls, block)
    held = {name: _plain(getattr(value, name), kind, name, cls, block, names) for name, kind in kinds.items()}
    return {"block": table_of(cls).name, **held} if cls in ALTERNATIVES else held


def is_length(kind: Kind | None, holder: type, name: str) -> bool:
    """Whether a number is a time in nanoseconds."""
    return isinstance(kind, Timer) or name in LENGTHS.get(holder, ())


def _plain(value: Any, kind: Kind | None, name: str, holder: type, block: type | None, names: AccountNames) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if name == "family":
        return "inet6" if value == AF_INET6 else "inet"
    if isinstance(value, int):
        return seconds(value) if is_length(kind, holder, name) else value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape") if isinstance(kind, Password) else value.hex()
    if isinstance(value, Script):
        return script(value, names)
    if isinstance(value, tuple | list | frozenset):
        return [_plain(each, kind, name, holder, block, names) for each in value]
    if dataclasses.is_dataclass(value):
        return _object(value, block, names)
    return str(value)


def seconds(nanoseconds: int) -> int | float:
    """A time in seconds, whole where it is."""
    return nanoseconds // SECOND if nanoseconds % SECOND == 0 else nanoseconds / SECOND


def script(value: Script, names: AccountNames) -> Json:
    """A command, and who runs it: names where there are names, else numbers."""
    return {
        "argv": list(value.argv),
        "user": names.user_name(value.uid) or value.uid,
        "group": names.group_name(value.gid) or value.gid,
        "groups": [names.group_name(each) or each for each in value.groups],
    }
