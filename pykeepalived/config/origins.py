"""How a line of a file became what is read: definitions, repetitions, includes. Told when a place is asked for.

A line that was typed where it counts has none of this, and costs nothing.
"""

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pykeepalived.config.diagnostics import Expansion, Origin, Span, Step, StepKind, masked, without_secrets

if TYPE_CHECKING:
    from pykeepalived.config.lexer import Line

MOST_STEPS = 12
_SECRET = re.compile("pass|secret|key|pw", re.IGNORECASE)
"""Names whose values are not shown."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a name stands for, and where that was written."""

    value: "str | list[Line]"
    """The lines, where it has several."""
    line: "Line"
    start: int
    repeated: bool = False
    """Set by ~SEQ or ~LST."""

    def place(self) -> Span:
        """Where the value stands; for several lines, the first."""
        if isinstance(self.value, list) and self.value:
            first = self.value[0]
            blanks = len(first.text) - len(first.text.lstrip())
            return first.place(blanks, len(first.text.rstrip()))
        return self.line.place(self.start, len(self.line.text.rstrip()))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line that a reference was replaced with."""

    reference: str
    name: str
    definition: Definition | None
    """None where the program itself gives the value."""

    def step(self) -> Step:
        """For people."""
        place = None if self.definition is None else without_secrets(self.definition.place())
        return Step(StepKind.DEFINITION, f"expanded from {self.reference}", place)


@dataclass(frozen=True, slots=True)
class Link:
    """What brought a line here: the place that used, repeated or included it. The chain goes on at ``line.link``."""

    kind: StepKind
    line: "Line"
    start: int
    end: int
    name: str = ""
    """Of the definition that was used."""
    values: tuple[tuple[str, str], ...] = ()
    """Names and values of a repetition."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a line's text: a part gave way to a new text. Edits are told apart only when somebody asks."""

    before: "Edit | Cut | None"
    start: int
    end: int
    length: int
    """Of the new text."""
    piece: Piece | None = None
    """Where it came of a reference."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One change of a line's text: a part was taken."""

    before: "Edit | Cut | None"
    start: int
    end: int


def _edits(last: Edit | Cut | None) -> list[Edit | Cut]:
    """Oldest first."""
    found: list[Edit | Cut] = []
    while last is not None:
        found.append(last)
        last = last.before
    return found[::-1]


def columns(last: Edit | Cut, length: int) -> list[int]:
    """Places of the text as it is now, mapped to those of the file's line, which has that length."""
    mapping = list(range(length + 1))
    for edit in _edits(last):
        if isinstance(edit, Cut):
            mapping = mapping[edit.start : edit.end + 1]
        else:
            mapping[edit.start : edit.end] = [mapping[edit.start]] * edit.length
    return mapping


def pieces(last: Edit | Cut | None) -> list[tuple[int, int, Piece]]:
    """What came of references in the text as it is now, and where it begins and ends."""
    found: list[tuple[int, int, Piece]] = []
    for edit in _edits(last):
        at, behind = edit.start, edit.end
        if isinstance(edit, Cut):
            found = [
                (max(start, at) - at, min(end, behind) - at, piece)
                for start, end, piece in found
                if touch(start, end, at, behind)
            ]
            continue
        grown = edit.length - (behind - at)
        found = [
            (start, end, piece)
            if end <= at
            else (start + grown, end + grown, piece)
            if start >= behind
            else (min(start, at), max(end, behind) + grown, piece)
            for start, end, piece in found
        ]
        if edit.piece is not None:
            found.append((at, at + edit.length, edit.piece))
    return found


def touch(start: int, end: int, first: int, last: int) -> bool:
    """Whether two parts of a text have a character in common; an empty one is where it would stand."""
    if start == end:
        return first <= start <= last
    return start < last and end > first


def origin(line: "Line", start: int, end: int, around: tuple[int, int]) -> Origin | None:
    """What is to be said of how a part of a line came about, outermost first; None when it stands in the main file."""
    touched = [piece for at, behind, piece in pieces(line.edits) if touch(at, behind, *around)]
    if line.link is None and not touched:
        return None
    links = _links(line)
    repeated = {name for link in links for name, _ in link.values}
    shown = masked(line.text)
    found = [
        piece.step()
        for piece in touched[:MOST_STEPS]
        if piece.definition is None or not piece.definition.repeated or piece.name not in repeated
    ]
    found += _steps(links, secret=shown != line.text)
    if shown != line.text:
        # the secret itself stands where it was written
        found = [each if each.place is None else replace(each, place=replace(each.place, text="")) for each in found]
    return Origin(Expansion(shown, start, end) if touched else None, tuple(dict.fromkeys(found)))


def _links(line: "Line") -> list[Link]:
    """The chain, nearest first."""
    links: list[Link] = []
    link = line.link
    while link is not None and len(links) < MOST_STEPS:
        links.append(link)
        link = link.line.link
    return links


def _steps(links: list[Link], *, secret: bool) -> list[Step]:
    """The chain for people. Repetitions within each other are one step."""
    steps: list[Step] = []
    values: tuple[tuple[str, str], ...] = ()
    for at, link in enumerate(links):
        place = without_secrets(link.line.place(link.start, link.end))
        if link.kind is StepKind.REPETITION:
            values = link.values + values
            if at + 1 < len(links) and links[at + 1].kind is StepKind.REPETITION:
                continue
            told = (f"{name} = {'*' if secret or _SECRET.search(name) else value}" for name, value in values)
            steps.append(Step(link.kind, "with " + ", ".join(told), place))
            values = ()
        elif link.kind is StepKind.USE:
            steps.append(Step(link.kind, f"part of the definition of {link.name}", place))
        else:
            steps.append(Step(link.kind, "included", place))
    return steps
