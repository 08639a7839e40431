"""What the file says, block by block, before anything is resolved: values with their places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pykeepalived.config.diagnostics import Span
from pykeepalived.config.lexer import Statement
from pykeepalived.config.schema import Block
from pykeepalived.records import record

if TYPE_CHECKING:
    from pykeepalived.config.kept import KeptText


@dataclass(frozen=True, slots=True)
class Given:
    """One value and where it stands."""

    value: Any
    statement: Statement
    order: int
    """Counts up through the file: what came before what."""

    def span(self, word: int | None = None) -> Span:
        """The place of the line, or of a word of it; 0 is the keyword."""
        return self.statement.span(word)


@dataclass(frozen=True, slots=True)
class CommandGiven:
    """A script as written: its words, and its user and group where given."""

    argv: tuple[str, ...]
    user: str | None = None
    group: str | None = None
    supplementary: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One option of an entry: its name, its value where it takes one, and where it stands in the line.

    An unknown word has no name and is its own value.
    """

    name: str
    value: str | None
    at: int
    inner: tuple["Piece", ...] = ()
    """What belongs to it: ``lock`` before a metric, the options of an encapsulation or of a next hop."""


@dataclass(frozen=True, slots=True)
class EntryGiven:
    """A line of a block of entries."""

    subject: str
    pieces: tuple[Piece, ...]
    statement: Statement
    order: int = 0
    """That of its block, where blocks of one name add up."""

    def span(self, piece: Piece | None = None) -> Span:
        """The place of the line, or of one option."""
        if piece is None:
            return self.statement.span(0)
        start = self.statement.start + piece.at
        length = len(piece.name or piece.value or " ")
        if piece.name and piece.value is not None:
            end = self.statement.line.text.find(piece.value, start + length)
            length = end + len(piece.value) - start if end >= 0 else length
        return self.statement.line.span(start, start + length)


@record(frozen=True, slots=True)
class NamedLines:
    """A block of lines that has a name: its lines are not read yet."""

    name: str
    lines: tuple[Statement, ...]
    statement: Statement

    def span(self, word: int | None = None) -> Span:
        """The place of the block's head, or of a word of it."""
        return self.statement.span(word)


class Raw:
    """A block as it stands in the file."""

    __slots__ = ("blocks", "given", "head", "kept", "lines", "order", "said", "shared", "table")

    def __init__(self, table: Block, head: Statement, order: int) -> None:
        self.table = table
        self.head = head
        self.order = order
        self.given: dict[str, Given] = {}
        self.said: dict[str, Given] = {}
        """The first use of each keyword, also of those not effective yet: was it there at all?"""
        self.lines = 0
        """Of a block within a block: how many it has, braces and all."""
        self.shared = False
        """Other blocks have the same ``given`` and ``said``: they are not to be changed."""
        self.blocks: list[Raw] = []
        self.kept: Sequence[tuple[int, KeptText]] = ()
        """Blocks within that were not read again, and their order."""

    @property
    def words(self) -> list[str]:
        """The words between the block's keyword and its brace."""
        return self.head.words[1:]

    @property
    def name(self) -> str:
        """The first word after the keyword."""
        words = self.head.words
        return words[1] if len(words) > 1 else ""

    def value(self, keyword: str) -> Any:
        """The value given, else the table's default."""
        given = self.given.get(keyword)
        return self.table.keywords[keyword].default if given is None else given.value

    def span(self, keyword: str | None = None, word: int | None = None) -> Span:
        """The place of a keyword of the block, or of the block's head."""
        given = self.given.get(keyword) or self.said.get(keyword) if keyword else None
        if given is not None:
            return given.span(word)
        return self.head.span(word)

    def named(self, name: str) -> "Iterator[Raw]":
        """The blocks of that keyword inside this one."""
        return (each for each in self.blocks if each.table.name == name)
