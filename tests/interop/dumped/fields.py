"""Objects of a dump beside ours: the same keys with the same texts, and what comes of comparing them.

A key of the dump that nobody knows is a disagreement: nothing is skipped in silence.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.interop.dumped.tree import Node

Value = str | tuple[str, ...]
Fields = dict[str, Value]
ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One field of one object that is not the same."""

    block: str
    object: str
    key: str
    ours: Value
    keepalived: Value

    def __str__(self) -> str:
        return f"{self.block} {self.object}: {self.key}: ours {self.ours!r}, keepalived {self.keepalived!r}"


@dataclass(frozen=True, slots=True)
class Block:
    """All objects of one kind, as the dump tells them and as we have them."""

    name: str
    told: Mapping[str, Fields]
    ours: Mapping[str, Fields]
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Keys that are no configuration, or differ on purpose, and why."""


KINDS = ("Keepalive method", "Authentication type", "protocol")


@dataclass(slots=True)
class Comparison:
    """What came of comparing."""

    disagreements: list[Disagreement] = field(default_factory=list)
    fields: dict[str, int] = field(default_factory=dict)
    """How many fields were compared, by block."""
    objects: dict[str, int] = field(default_factory=dict)
    """How many objects, by block."""
    kinds: set[str] = field(default_factory=set)
    """What else is in the file: kinds of checkers, lists of instances."""

    def add(self, block: Block) -> None:
        """Compare one block."""
        self.objects[block.name] = self.objects.get(block.name, 0) + len(block.told)
        self.fields.setdefault(block.name, 0)
        for each in block.told.values():
            self.kinds |= {str(each[key]).partition(",")[0] for key in KINDS if key in each}
            self.kinds |= {key for key, value in each.items() if isinstance(value, tuple)}
        for name in dict.fromkeys([*block.told, *block.ours]):
            told, ours = block.told.get(name), block.ours.get(name)
            if told is None or ours is None:
                there = "(an object)"
                pair = (ABSENT, there) if ours is None else (there, ABSENT)
                self.disagreements.append(Disagreement(block.name, name, "", *pair))
                continue
            self._object(block, name, told, ours)

    def _object(self, block: Block, name: str, told: Fields, ours: Fields) -> None:
        for key in dict.fromkeys([*told, *ours]):
            if key in block.ignored:
                continue
            self.fields[block.name] += 1
            mine, theirs = ours.get(key, ABSENT), told.get(key, ABSENT)
            if mine != theirs:
                self.disagreements.append(Disagreement(block.name, name, key, mine, theirs))


def compare(blocks: Iterable[Block]) -> Comparison:
    """Compare all blocks of one file."""
    comparison = Comparison()
    for block in blocks:
        comparison.add(block)
    return comparison


_SPLITS = (" = ", " : ")
_SWITCH = re.compile(r"(.*) is (ON|OFF)")


def split(text: str, patterns: Iterable[str] = ()) -> tuple[str, str]:
    """The key and the value of a line. A pattern has two groups; a line that is one word of fact has the value ''."""
    for pattern in patterns:
        if found := re.fullmatch(pattern, text):
            return found[1], found[2]
    for separator in _SPLITS:
        key, found_separator, value = text.partition(separator)
        if found_separator:
            return key.strip(), value.strip()
    if switch := _SWITCH.fullmatch(text):
        return switch[1], switch[2]
    if text.endswith((" =", " :", ":")):
        return text.rstrip(" =:"), ""
    return text, ""


def read(nodes: Iterable[Node], patterns: Iterable[str] = (), lists: Iterable[str] = ()) -> Fields:
    """The lines of one object. Below a key of ``lists`` stand items, below another key further keys."""
    fields: Fields = {}
    known = frozenset(lists)
    for node in nodes:
        key, value = split(node.text, patterns)
        number = 1
        unique = key
        while unique in fields:
            number += 1
            unique = f"{key} #{number}"
        if key in known:
            fields[unique] = node.texts()
            continue
        fields[unique] = value
        fields |= {f"{unique}/{inner}": what for inner, what in read(node.children, patterns, lists).items()}
    return fields


def flag(word: str, *, given: bool) -> Fields:
    """A line that is there when something is so."""
    return {word: ""} if given else {}


def optional(key: str, value: Value | None) -> Fields:
    """A line that is there when there is a value."""
    return {} if value is None or value == () else {key: value}


def yes(value: bool, *, true: str = "true", false: str = "false") -> str:
    """A truth in one of the several ways of the dumps."""
    return true if value else false


def seconds(nanoseconds: int) -> str:
    """Whole seconds."""
    return str(nanoseconds // 1_000_000_000)


def microseconds(nanoseconds: int) -> str:
    """As ``5.000000``."""
    return f"{nanoseconds // 1000 / 1e6:.6f}"
