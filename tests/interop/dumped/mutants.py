"""A configuration made wrong in one field at a time: what a comparison must notice."""

import dataclasses
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar

T = TypeVar("T")

NOT_TOLD: Mapping[str, str] = {}
"""Fields that no dump tells, and why."""


def mutants(value: T) -> Iterator[tuple[str, T]]:
    """Every single change, with ``Class.field`` of where it is. Equal objects are tried once in every place."""
    for field in dataclasses.fields(value):  # type: ignore[arg-type]  # only dataclasses come here
        here = f"{type(value).__name__}.{field.name}"
        for where, changed in _changes(getattr(value, field.name)):
            yield where or here, dataclasses.replace(value, **{field.name: changed})  # type: ignore[type-var]


def _changes(value: Any) -> Iterator[tuple[str, Any]]:
    """Changes of a value; the place is empty when it is the value itself."""
    match value:
        case bool():
            yield "", not value
        case int():
            yield "", value + 1_000_000_000 if value >= 1_000_000_000 else value + 1
        case str() if value:
            yield "", value + "x"
        case bytes() if value:
            yield "", b"x" + value[1:]
        case IPv4Address() | IPv6Address():
            yield "", value + 1
        case tuple() if value and not isinstance(value[0], (int, str)):
            for number, item in enumerate(value):
                for where, changed in _changes(item):
                    yield where, (*value[:number], changed, *value[number + 1 :])
        case tuple() if value:
            yield "", value[1:]
        case _ if dataclasses.is_dataclass(value):
            yield from mutants(value)
