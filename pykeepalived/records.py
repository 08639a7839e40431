"""Frozen values whose classes cost next to nothing to make.

``dataclasses`` writes and compiles the methods of each class anew: two thirds of the time that a start and every
``-t`` spend on imports. ``@record`` takes the fields from there and the methods from here, one set for all classes.
Such a value takes a microsecond or two longer to build: what is made by the ten thousand stays a dataclass.
"""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, FrozenInstanceError, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["light", "record", "shared", "slots_of"]

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


def shared(numbers: Iterable[int]) -> list[int]:
    """The numbers, equal ones the same object."""
    return [_SHARED.setdefault(each, each) for each in numbers]


class Slot:
    """One field of a ``light`` class: how it is read, and how it is set though the value is frozen."""

    __slots__ = ("get", "is_number", "put")

    def __init__(self, cls: type, name: str, kind: object) -> None:
        self.get: Callable[[Any], Any] = attrgetter(name)
        self.put: Callable[[Any, Any], None] = getattr(cls, name).__set__
        self.is_number = kind in (int, "int")


_SLOTS: dict[type, tuple[Slot, ...]] = {}


def slots_of(cls: type) -> tuple[Slot, ...]:
    """The fields of a ``light`` class; of any other, none."""
    return _SLOTS.get(cls, ())


def light(cls: _Class) -> _Class:
    """For dataclasses with slots of which there are ten thousands: what dataclasses does to pickle them takes ten times
    as long, and their numbers ten times the room.
    """
    names = tuple(each.name for each in fields(cls))
    slots = _SLOTS[cls] = tuple(Slot(cls, each.name, each.type) for each in fields(cls))
    get = attrgetter(*names) if len(names) > 1 else None

    def state(self: Any) -> tuple[Any, ...]:
        return get(self) if get is not None else tuple(getattr(self, name) for name in names)

    def set_state(self: Any, values: tuple[Any, ...]) -> None:
        for slot, value in zip(slots, values, strict=True):
            slot.put(self, _SHARED.setdefault(value, value) if slot.is_number and value else value)

    for name, method in (("__getstate__", state), ("__setstate__", set_state)):
        setattr(cls, name, method)
    return cls


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
    return [getattr(self, name) for name in _shape(self.__class__).names]


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
