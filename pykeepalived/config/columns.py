"""Very many values of one class, as a pickle should have them: field by field, and what all have in common once.

A pickle of ten thousand values by themselves remembers each of them, and what stands between, until its end: that takes
more time and room than the values. What values share they share still when they are back.
"""

from collections import deque
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

from pykeepalived.records import record, shared, slots_of


@record(frozen=True, slots=True)
class Same:
    """One value, many times."""

    value: Any
    count: int

    def values(self) -> list[Any]:
        """As often as it was there."""
        return [self.value] * self.count


@record(frozen=True, slots=True)
class Each:
    """Values that have nothing in common."""

    each: Sequence[Any]

    def values(self) -> Sequence[Any]:
        """As they are."""
        return self.each


@record(frozen=True, slots=True)
class Tuples:
    """Tuples: how long they are, and what is in them, one behind the other."""

    lengths: Sequence[int]
    inner: "Column"

    def values(self) -> list[tuple[Any, ...]]:
        """The tuples."""
        left = iter(self.inner.values())
        return [tuple(islice(left, length)) for length in self.lengths]


@record(frozen=True, slots=True)
class Rows:
    """Values of a ``light`` class: a column for each field."""

    kind: type
    count: int
    columns: "tuple[Column, ...]"

    def values(self) -> list[Any]:
        """The values."""
        made: list[Any] = [object.__new__(self.kind) for _ in range(self.count)]
        for slot, column in zip(slots_of(self.kind), self.columns, strict=True):
            values: Sequence[Any] = column.values()
            deque(map(slot.put, made, shared(values) if slot.is_number else values), maxlen=0)  # nothing is kept
        return made


Column = Same | Each | Tuples | Rows


def columns(values: Sequence[Any]) -> Column:
    """What gives the same values again."""
    if not values:
        return Each(())
    first = values[0]
    kind = type(first)
    if len(values) > 1 and all(each is first for each in values):
        return Same(first, len(values))
    slots = slots_of(kind)
    if not (slots or kind is tuple) or any(type(each) is not kind for each in values) or _some_are_shared(values):
        return Each(list(values))
    if slots:
        return Rows(kind, len(values), tuple(columns(list(map(slot.get, values))) for slot in slots))
    return Tuples(list(map(len, values)), columns(list(chain.from_iterable(values))))


def _some_are_shared(values: Sequence[Any]) -> bool:
    """Whether a value is there twice; of empty tuples there is but one."""
    places = [id(each) for each in values if each.__class__ is not tuple or each]
    return len(set(places)) < len(places)
