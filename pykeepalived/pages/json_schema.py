"""docs/keepalived.schema.json: what ``--resolved --format json`` prints, as a JSON schema made from the classes."""

import dataclasses
import json
import types
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pykeepalived.config.as_json import ALTERNATIVES, is_length, kind_of
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.facts import default_text
from pykeepalived.config.kinds import Kind, Timer
from pykeepalived.config.language import ROOT
from pykeepalived.config.schema import Block, is_block, table_of

Json = dict[str, Any]
_NAME = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
_SCRIPT: Json = {
    "description": "A command that was found and checked, and who runs it.",
    "type": "object",
    "properties": {
        "argv": {"type": "array", "items": {"type": "string"}},
        "user": _NAME,
        "group": _NAME,
        "groups": {"type": "array", "items": _NAME},
    },
    "required": ["argv", "user", "group", "groups"],
    "additionalProperties": False,
}
_PLAIN: dict[Any, Json] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string"},
    IPv4Address: {"type": "string", "format": "ipv4"},
    IPv6Address: {"type": "string", "format": "ipv6"},
    type(None): {"type": "null"},
}


def schema_page() -> str:
    """The schema's text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> Json:
    """The schema."""
    made: dict[str, Json] = {"Script": _SCRIPT}
    root = _object(Configuration, ROOT, made)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pykeepalived --resolved --format json",
        "description": "A resolved keepalived.conf: every value with defaults and inheritance; times in seconds.",
        **root,
        "$defs": dict(sorted(made.items())),
    }


def _object(cls: type, around: Block | None, made: dict[str, Json]) -> Json:
    """An object of that class: its fields are its members, all of them there."""
    table = table_of(cls) if is_block(cls) else around
    hints = get_type_hints(cls)
    members: dict[str, Json] = {}
    if cls in ALTERNATIVES:
        members["block"] = {"const": table_of(cls).name}
    for field in dataclasses.fields(cls):
        members[field.name] = _member(field, hints[field.name], cls, table, made)
    return {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def _member(field: "dataclasses.Field[Any]", hint: Any, cls: type, table: Block | None, made: dict[str, Json]) -> Json:
    if field.name == "family":
        return {"enum": ["inet", "inet6"]}
    kind = kind_of(field, table)
    if hint is int and is_length(kind, cls, field.name):
        return {"description": _said(field), "type": "number"} if _said(field) else {"type": "number"}
    found = _type(hint, kind, table, made)
    return {"description": _said(field), **found} if _said(field) else found


def _said(field: "dataclasses.Field[Any]") -> str:
    """The sentence of a keyword, its values and its default; nothing for what is worked out."""
    spec = field.metadata.get("keyword")
    if spec is None:
        return ""
    said = [spec.doc]
    if spec.kind.expected():
        said.append(f"Values: {spec.kind.expected()}.")
    default = default_text(spec)
    if default not in ("", "unset"):
        said.append(f"Default: {default}.")
    return " ".join(said)


def _type(hint: Any, kind: Kind | None, table: Block | None, made: dict[str, Json]) -> Json:
    if hint is int and isinstance(kind, Timer):
        return {"type": "number"}
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is Script:
        return {"$ref": "#/$defs/Script"}
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        return {"anyOf": [_type(each, kind, table, made) for each in inner]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (tuple, list, frozenset):
        if origin is tuple and Ellipsis not in inner:
            return {"type": "array", "prefixItems": [_type(each, kind, table, made) for each in inner], "items": False}
        return {"type": "array", "items": _type(inner[0], kind, table, made)}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in made:
            made[hint.__name__] = {}  # a class may hold itself
            made[hint.__name__] = _object(hint, table, made)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    return {}
