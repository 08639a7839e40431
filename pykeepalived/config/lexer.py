"""One line of text: comments, quotes, braces, words. Knows nothing of files, definitions or keywords."""

import re
from dataclasses import dataclass
from functools import partial

from pykeepalived.config import origins
from pykeepalived.config.diagnostics import Span
from pykeepalived.config.origins import Cut, Edit, Link, Piece

BLANKS = " \t\f\v\r\n"
_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*("?)|\\(.?)|[#!]', re.DOTALL)
_BRACE = re.compile(r'"[^"]*"?|\$\{[A-Za-z_][A-Za-z0-9_]*(?:[ \t][^{}"]*)?\}|([{}])')
_SEPARATOR = re.compile(r"[\x1c-\x1f]")
_WORD = re.compile(r'"([^"]*)("?)|[^ \t\f\v\r\n"]+')


class Line:
    """A line and where it came from."""

    __slots__ = ("edits", "file", "link", "number", "source", "text")

    def __init__(
        self,
        file: str,
        number: int,
        text: str,
        source: str,
        link: Link | None = None,
        edits: Edit | Cut | None = None,
    ) -> None:
        self.file = file
        self.number = number
        self.text = text
        self.source = source
        """The line as it stands in the file."""
        self.link = link
        """What included, repeated or used it."""
        self.edits = edits
        """How the text came to differ from the source; None while it does not."""

    @property
    def columns(self) -> list[int] | None:
        """Places of ``text`` mapped to the file's, once the two differ."""
        return None if self.edits is None else origins.columns(self.edits, len(self.source))

    def _changed(self, text: str, edits: Edit | Cut) -> "Line":
        return Line(self.file, self.number, text, self.source, self.link, edits)

    def cut(self, start: int, end: int) -> "Line":
        """The part of it."""
        return self._changed(self.text[start:end], Cut(self.edits, start, end))

    def replaced(self, start: int, end: int, text: str, piece: Piece | None = None) -> "Line":
        """The line with a part replaced; the new part points to where the old one stood."""
        edit = Edit(self.edits, start, end, len(text), piece)
        return self._changed(self.text[:start] + text + self.text[end:], edit)

    def linked(self, link: Link, before: str = "") -> "Line":
        """The line, brought here by another, perhaps with a text before it that has its place at its beginning."""
        edits = Edit(self.edits, 0, 0, len(before)) if before else self.edits
        return Line(self.file, self.number, before + self.text, self.source, link, edits)

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

    def span(self, start: int, end: int, around: tuple[int, int] | None = None) -> Span:
        """The place in the file of a part of the text, and how it, or a wider part around it, came about."""
        span = self.place(start, end)
        if self.link is None and self.edits is None:
            return span
        way = partial(origins.origin, self, start, end, around or (start, end))
        return Span(span.file, span.line, span.column, span.length, span.text, way)


WORDS, OPEN, CLOSE, KEPT = 0, 1, 2, 3


@dataclass(slots=True)
class Statement:
    """What the blocks are read from: words, an opening brace or a closing one; or blocks that need not be read."""

    kind: int
    words: list[str]
    """Equal lines share them: they are not to be changed."""
    line: Line
    start: int
    end: int

    def span(self, word: int | None = None) -> Span:
        """The place of one word, or of the whole statement."""
        text = self.line.text[self.start : self.end]
        if word is not None:
            places = word_places(text)
            if word < len(places):
                start, end = self.start + places[word][0], self.start + places[word][1]
                # what became of nothing behind the last word belongs to it
                return self.line.span(start, end, (start, self.end if word + 1 == len(places) else end))
        stripped = text.strip(BLANKS)
        start = self.start + len(text) - len(text.lstrip(BLANKS))
        return self.line.span(start, start + len(stripped), (self.start, self.end))

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
    escaped: list[int] = []
    open_quote = False
    for found in _COMMENT.finditer(text):
        character = text[found.start()]
        if character == '"':
            open_quote = not found.group(1)
        elif character == "\\":
            if found.group(2) in ("#", "!"):
                escaped.append(found.start())
        else:
            line = line.cut(0, found.start())
            break
    for at in reversed(escaped):
        line = line.replaced(at, at + 1, "")
    return line, open_quote


def find_brace(text: str, start: int) -> int:
    """Where the next brace outside quotes stands, or -1. Those of a reference that was not replaced are none."""
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
    if _SEPARATOR.search(text) is not None:
        return [found.group() for found in _WORD.finditer(text)]
    return text.split()


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
        while end < len(text) and text[end] in "0123456789abcdefABCDEF":
            end += 1
        return (_octet(text[at + 1 : end], 16) if end > at + 1 else "x"), end
    if character in "01234567":
        end = at + 1
        while end < len(text) and end < at + 3 and text[end] in "01234567":
            end += 1
        return _octet(text[at:end], 8), end
    if character == "c" and at + 1 < len(text):
        return chr(ord(text[at + 1]) & 0x1F), at + 2
    return character, at + 1


def _octet(digits: str, radix: int) -> str:
    """One byte, however many digits there are; one that is no ASCII as a surrogate, as in the rest of the file."""
    value = int(digits[-8:], radix) & 0xFF
    return chr(value if value < 0x80 else 0xDC00 + value)
