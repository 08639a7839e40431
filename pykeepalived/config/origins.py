"""How a line of a file became what is read: definitions, repetitions, includes. Told when a place is asked for.

A line that was typed where it counts has none of this, and costs nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pykeepalived.config.diagnostics import Expansion, Origin, Span, Step, StepKind

if TYPE_CHECKING:
    from pykeepalived.config.lexer import Line

MOST_STEPS = 50


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

    start: int
    end: int
    reference: str
    name: str
    definition: Definition | None
    """None where the program itself gives the value."""

    def moved(self, by: int) -> "Piece":
        """The same, further on."""
        return Piece(self.start + by, self.end + by, self.reference, self.name, self.definition)

    def touches(self, start: int, end: int) -> bool:
        """Whether a part of the text came from here; an empty value is where it would stand."""
        if self.start == self.end:
            return start <= self.start <= end
        return self.start < end and self.end > start

    def step(self) -> Step:
        """For people."""
        place = None if self.definition is None else self.definition.place()
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


def replaced(pieces: tuple[Piece, ...], start: int, end: int, length: int, new: Piece | None) -> tuple[Piece, ...]:
    """The pieces once a part of the line gave way to a text of that length."""
    grown = length - (end - start)
    kept = []
    for piece in pieces:
        if piece.end <= start:
            kept.append(piece)
        elif piece.start >= end:
            kept.append(piece.moved(grown))
        else:
            whole_end = max(piece.end, end) + grown
            kept.append(Piece(min(piece.start, start), whole_end, piece.reference, piece.name, piece.definition))
    return (*kept, new) if new is not None else tuple(kept)


def cut(pieces: tuple[Piece, ...], start: int, end: int) -> tuple[Piece, ...]:
    """The pieces of a part of the line."""
    return tuple(
        Piece(max(each.start, start) - start, min(each.end, end) - start, each.reference, each.name, each.definition)
        for each in pieces
        if each.touches(start, end)
    )


def origin(line: "Line", start: int, end: int) -> Origin | None:
    """What is to be said of how a part of a line came about, outermost first; None when it stands in the main file."""
    if line.link is None and not line.pieces:
        return None
    touched = [piece for piece in line.pieces if piece.touches(start, end)]
    links = _links(line)
    repeated = {name for link in links for name, _ in link.values}
    steps: dict[Step, None] = {}
    for piece in touched[:MOST_STEPS]:
        if piece.definition is None or not piece.definition.repeated or piece.name not in repeated:
            steps[piece.step()] = None
    for step in _steps(links):
        steps[step] = None
    expansion = Expansion(line.text, start, end) if touched else None
    return Origin(expansion, tuple(steps))


def _links(line: "Line") -> list[Link]:
    """The chain, nearest first."""
    links: list[Link] = []
    link = line.link
    while link is not None and len(links) < MOST_STEPS:
        links.append(link)
        link = link.line.link
    return links


def _steps(links: list[Link]) -> list[Step]:
    """The chain for people. Repetitions within each other are one step."""
    steps: list[Step] = []
    values: tuple[tuple[str, str], ...] = ()
    for at, link in enumerate(links):
        place = link.line.place(link.start, link.end)
        if link.kind is StepKind.REPETITION:
            values = link.values + values
            if at + 1 < len(links) and links[at + 1].kind is StepKind.REPETITION:
                continue
            steps.append(Step(link.kind, "with " + ", ".join(f"{name} = {value}" for name, value in values), place))
            values = ()
        elif link.kind is StepKind.USE:
            steps.append(Step(link.kind, f"part of the definition of {link.name}", place))
        else:
            steps.append(Step(link.kind, "included", place))
    return steps
