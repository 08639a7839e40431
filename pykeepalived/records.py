"""Frozen values whose classes cost next to nothing to make.

``dataclasses`` writes and compiles the methods of each class anew: two thirds of the time that a start and every
``-t`` spend on imports. ``@record`` takes the fields from there and the methods from here, one set for all classes.
Such a value takes a microsecond or two longer to build: what is made by the ten thousand stays a dataclass.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, FrozenInstanceError, fields
from itertools import chain, islice, repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["light", "record"]

_Class = TypeVar("_Class", bound=type)

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass as _dataclass

    def record(*, slots: bool = False, kw_only: bool = False, **_: bool) -> Callable[[type], type]:
        """Declares a class as ``dataclass(frozen=True)`` does; without default factories."""

        def declare(cls: type) -> type:
            own = vars(cls)
            made = _dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
            for name, method in _METHODS.items():
                if name not in own:
                    setattr(made, name, method)
            return made

        return declare


_SHARED: dict[int, int] = {}
"""Numbers that stand in many values: a pickle makes one anew for each."""

_MANY = 16
"""Light values in a tuple that are worth a list for each of their fields."""

_LIGHT: dict[type, tuple[tuple[Callable[[Any], Any], Callable[[Any, Any], None]], ...]] = {}
"""Of each light class what reads its fields, and what sets them."""


def light(cls: _Class) -> _Class:
    """For dataclasses with slots of which there are ten thousands: what dataclasses does to pickle them takes ten times
    as long, and their numbers ten times the room. A tuple of many, in a field of such a value or of a record, travels
    field by field.
    """
    names = tuple(each.name for each in fields(cls))
    puts = tuple((getattr(cls, each.name).__set__, each.type in (int, "int")) for each in fields(cls))
    _LIGHT[cls] = tuple((attrgetter(name), getattr(cls, name).__set__) for name in names)

    def state(self: Any) -> list[Any]:
        return _state(self, names)

    def set_state(self: Any, values: list[Any]) -> None:
        for (put, is_number), value in zip(puts, values, strict=True):
            put(self, _SHARED.setdefault(value, value) if is_number and value else value)

    for name, method in (("__getstate__", state), ("__setstate__", set_state)):
        setattr(cls, name, method)
    return cls


def _state(value: Any, names: tuple[str, ...]) -> list[Any]:
    """What is pickled of a value."""
    return [_folded(part) if type(part := getattr(value, name)) is tuple else part for name in names]


def _folded(values: tuple[Any, ...]) -> Any:
    """What stands for a tuple in a pickle."""
    if len(values) >= _MANY and type(values[0]) in _LIGHT:
        return _Call(tuple, _column(values))
    return values


class _Call:
    """A call that is made when the pickle is read: its result is what was pickled."""

    __slots__ = ("_call",)

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def _column(values: Sequence[Any]) -> Any:
    """What stands for values of one kind in a pickle. Most are the same in all, or made of what is."""
    first, count = values[0], len(values)
    if all(map(is_, values, repeat(first))):
        return _Call(repeat, first, count)
    kinds = set(map(type, values))
    kind = kinds.pop()
    if not kinds and kind is int:
        return _Call(_shared, values)
    if not kinds and kind is tuple:
        return _Call(_parted, _column([*map(len, values)]), _column([*chain.from_iterable(values)]))
    if not kinds and kind in _LIGHT and len(set(map(id, values))) == count:  # one that stands twice stays one
        return _Call(_made, kind, count, *(_column([*map(get, values)]) for get, _ in _LIGHT[kind]))
    return values


def _shared(numbers: Sequence[int]) -> Iterable[int]:
    return map(_SHARED.setdefault, numbers, numbers)


def _parted(lengths: Iterable[int], values: Iterable[Any]) -> list[tuple[Any, ...]]:
    following = iter(values)
    return [tuple(islice(following, length)) for length in lengths]


def _made(kind: type, count: int, *columns: Iterable[Any]) -> list[Any]:
    made: list[Any] = [*map(object.__new__, repeat(kind, count))]
    for (_, put), column in zip(_LIGHT[kind], columns, strict=True):
        deque(map(put, made, column), 0)  # goes through all, and keeps nothing
    return made


class _Shape:
    """What the methods need to know of a class, worked out when the first value is built."""

    __slots__ = ("compared", "defaults", "names", "positional", "shown")

    def __init__(self, cls: Any) -> None:
        found = fields(cls)
        self.names = tuple(each.name for each in found)
        self.positional = tuple(each.name for each in found if not each.kw_only)
        self.defaults = {each.name: each.default for each in found if each.default is not MISSING}
        self.shown = tuple(each.name for each in found if each.repr)
        compared = [each.name for each in found if each.compare]
        self.compared: Callable[[Any], Any] = attrgetter(*compared) if compared else lambda _: ()


_SHAPES: dict[type, _Shape] = {}
_set = object.__setattr__


def _shape(cls: type) -> _Shape:
    shape = _SHAPES.get(cls)
    if shape is None:
        shape = _SHAPES[cls] = _Shape(cls)
    return shape


def _init(self: Any, /, *given: Any, **named: Any) -> None:
    cls = self.__class__
    shape = _shape(cls)
    if len(given) > len(shape.positional):
        raise TypeError(f"{cls.__name__}() takes {len(shape.positional)} values, {len(given)} were given")
    for name, value in zip(shape.positional, given, strict=False):
        if name in named:
            raise TypeError(f"{cls.__name__}() got two values for '{name}'")
        _set(self, name, value)
    used = 0
    placed = shape.positional[: len(given)]
    for name in shape.names:
        if name in named:
            used += 1
            _set(self, name, named[name])
        elif name in placed:
            continue
        elif name in shape.defaults:
            _set(self, name, shape.defaults[name])
        else:
            raise TypeError(f"{cls.__name__}() lacks '{name}'")
    if used != len(named):
        unknown = sorted(named.keys() - set(shape.names))
        raise TypeError(f"{cls.__name__}() has no '{unknown[0] if unknown else '?'}'")


def _eq(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    key = _shape(self.__class__).compared
    return key(self) == key(other)


def _hash(self: Any) -> int:
    return hash(_shape(self.__class__).compared(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _shape(self.__class__).shown)
    return f"{self.__class__.__qualname__}({shown})"


def _setattr(self: Any, name: str, value: object) -> None:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot assign to field '{name}'")


def _delattr(self: Any, name: str) -> None:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot delete field '{name}'")


def _getstate(self: Any) -> list[Any]:
    return _state(self, _shape(self.__class__).names)


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(_shape(self.__class__).names, state, strict=True):
        _set(self, name, value)


_METHODS = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
