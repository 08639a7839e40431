"""One line of text: comments, quotes, braces, words. Knows nothing of files, definitions or keywords."""

import re
from dataclasses import dataclass, replace

from pykeepalived.config import origins
from pykeepalived.config.diagnostics import Span
from pykeepalived.config.origins import Link, Piece

BLANKS = " \t\f\v\r\n"
_COMMENT = re.compile(r'["#!\\]')
_BRACE = re.compile(r'"[^"]*"?|\$\{[A-Za-z_][A-Za-z0-9_]*\}|([{}])')
_WORD = re.compile(r'"([^"]*)("?)|[^ \t\f\v\r\n"]+')


class Line:
    """A line and where it came from. ``columns`` maps places of ``text`` to the file's once the two differ."""

    __slots__ = ("columns", "file", "link", "number", "pieces", "source", "text")

    def __init__(
        self,
        file: str,
        number: int,
        text: str,
        source: str,
        columns: list[int] | None = None,
        link: Link | None = None,
        pieces: tuple[Piece, ...] = (),
    ) -> None:
        self.file = file
        self.number = number
        self.text = text
        self.source = source
        """The line as it stands in the file."""
        self.columns = columns
        self.link = link
        """What included, repeated or used it."""
        self.pieces = pieces
        """What came of references."""

    def cut(self, start: int, end: int) -> "Line":
        """The part of it, mapped."""
        columns = self._mapping()[start : end + 1]
        pieces = origins.cut(self.pieces, start, end) if self.pieces else ()
        return Line(self.file, self.number, self.text[start:end], self.source, columns, self.link, pieces)

    def ended(self, end: int) -> "Line":
        """Its beginning."""
        return Line(self.file, self.number, self.text[:end], self.source, self.columns, self.link, self.pieces)

    def replaced(self, start: int, end: int, text: str, piece: Piece | None = None) -> "Line":
        """The line with a part replaced; the new part points to where the old one stood."""
        columns = self._mapping()
        mapped = columns[:start] + [columns[start]] * len(text) + columns[end:]
        pieces = self.pieces
        if pieces or piece is not None:
            pieces = origins.replaced(pieces, start, end, len(text), piece)
        text = self.text[:start] + text + self.text[end:]
        return Line(self.file, self.number, text, self.source, mapped, self.link, pieces)

    def linked(self, link: Link, before: str = "") -> "Line":
        """The line, brought here by another, perhaps with a text before it that has its place at its beginning."""
        if not before:
            return Line(self.file, self.number, self.text, self.source, self.columns, link, self.pieces)
        columns = self._mapping()
        columns = [columns[0]] * len(before) + columns
        pieces = tuple(piece.moved(len(before)) for piece in self.pieces)
        return Line(self.file, self.number, before + self.text, self.source, columns, link, pieces)

    def _mapping(self) -> list[int]:
        return list(range(len(self.text) + 1)) if self.columns is None else self.columns

    def place(self, start: int, end: int) -> Span:
        """The place in the file of a part of the text, alone. What came of a reference stands where that stands."""
        columns = self.columns
        if columns is not None:
            last = len(columns) - 1
            start, end = min(start, last), min(end, last)
            if end > start:
                while end < last and columns[end] <= columns[end - 1]:
                    end += 1
            start, end = columns[start], columns[end]
        return Span(self.file, self.number, start + 1, max(1, end - start), self.source)

    def span(self, start: int, end: int) -> Span:
        """The place in the file of a part of the text, and how it came about."""
        span = self.place(start, end)
        if self.link is None and not self.pieces:
            return span
        return replace(span, origin=origins.origin(self, start, end))


WORDS, OPEN, CLOSE = 0, 1, 2


@dataclass(slots=True)
class Statement:
    """What the blocks are read from: words, an opening brace or a closing one."""

    kind: int
    words: list[str]
    line: Line
    start: int
    end: int

    def span(self, word: int | None = None) -> Span:
        """The place of one word, or of the whole statement."""
        text = self.line.text[self.start : self.end]
        if word is not None:
            places = word_places(text)
            if word < len(places):
                start, end = places[word]
                return self.line.span(self.start + start, self.start + end)
        stripped = text.strip(BLANKS)
        start = self.start + len(text) - len(text.lstrip(BLANKS))
        return self.line.span(start, start + len(stripped))

    @property
    def text(self) -> str:
        """As written, once definitions are replaced."""
        return self.line.text[self.start : self.end]


def strip_comment(line: Line) -> tuple[Line, bool]:
    """The line without its comment, and whether a quote stayed open.

    ``#`` and ``!`` begin a comment anywhere but between double quotes and behind a backslash. The backslash before
    them goes, any other stays.
    """
    text = line.text
    at = 0
    quoted = False
    while (found := _COMMENT.search(text, at)) is not None:
        at = found.start()
        character = text[at]
        if character == "\\":
            if not quoted and text[at + 1 : at + 2] in ("#", "!"):
                line = line.replaced(at, at + 1, "")
                text = line.text
                at += 1
            else:
                at += 2
        elif character == '"':
            quoted = not quoted
            at += 1
        elif quoted:
            at += 1
        else:
            return line.ended(at), False
    return line, quoted


def find_brace(text: str, start: int) -> int:
    """Where the next brace outside quotes stands, or -1. An unknown ``${NAME}`` is no brace."""
    for found in _BRACE.finditer(text, start):
        if found.group(1):
            return found.start()
    return -1


def split_words(text: str) -> list[str]:
    """The words; a quote ends a word and begins the next. A word whose quote is not closed is lost."""
    if '"' not in text and text.isascii():
        return _plain_words(text)
    words = []
    for found in _WORD.finditer(text):
        quoted, closing = found.group(1, 2)
        if quoted is None:
            words.append(found.group())
        elif closing:
            words.append(quoted)
    return words


def _plain_words(text: str) -> list[str]:
    """Words without quotes. str.split() also splits at the separators 0x1c to 0x1f, which are no blanks here."""
    words = text.split()
    if any(separator in text for separator in "\x1c\x1d\x1e\x1f"):
        return [found.group() for found in _WORD.finditer(text)]
    return words


def word_places(text: str) -> list[tuple[int, int]]:
    """Where each word stands, quotes included."""
    return [found.span() for found in _WORD.finditer(text) if found.group(1) is None or found.group(2)]


_SHELL_WORD = re.compile(r"""(?:[^ \t\f\v\r\n"']|"[^"]*"|'[^']*')+|["']""")
_SHELL_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_ESCAPES = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def script_words(text: str, *, escapes: bool) -> list[str] | None:
    """Words as a shell has them: both quotes, pieces joined. None when a quote or a last backslash is left open."""
    if "\\" not in text:
        return _plain_script_words(text)
    words: list[str] = []
    word: list[str] | None = None
    quote = ""
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "\\":
            if at >= len(text):
                return None
            word = [] if word is None else word
            if escapes:
                value, at = _escape(text, at)
                word.append(value)
            else:
                word.append(character + text[at])
                at += 1
        elif quote:
            assert word is not None  # noqa: S101 - a quote begins a word
            if character == quote:
                quote = ""
            else:
                word.append(character)
        elif character in "\"'":
            quote = character
            word = [] if word is None else word
        elif character in BLANKS:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = [] if word is None else word
            word.append(character)
    if quote:
        return None
    if word is not None:
        words.append("".join(word))
    return words


def _plain_script_words(text: str) -> list[str] | None:
    words = _SHELL_WORD.findall(text)
    if any(word in ('"', "'") for word in words):
        return None
    return [_SHELL_QUOTED.sub(lambda found: found.group(1) or found.group(2) or "", word) for word in words]


def _escape(text: str, at: int) -> tuple[str, int]:
    """The character that the escape behind a backslash stands for, and where the text goes on."""
    character = text[at]
    if character in _ESCAPES:
        return _ESCAPES[character], at + 1
    if character == "x":
        end = at + 1
        while end < len(text) and end < at + 3 and text[end] in "0123456789abcdefABCDEF":
            end += 1
        return (chr(int(text[at + 1 : end], 16)) if end > at + 1 else "x"), end
    if character in "01234567":
        end = at + 1
        while end < len(text) and end < at + 3 and text[end] in "01234567":
            end += 1
        return chr(int(text[at:end], 8) & 0xFF), end
    if character == "c" and at + 1 < len(text):
        return chr(ord(text[at + 1]) & 0x1F), at + 2
    return character, at + 1
