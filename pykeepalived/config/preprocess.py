"""Lines into statements: conditions, definitions, sequences, lists, includes, braces.

Whatever the text, the work is bounded: by the depth of includes, the number of replacements in a line and in all, and
the number of lines that may come of it.
"""

import posixpath
import re
from collections.abc import Iterator
from sys import intern

from pykeepalived.config import characters, sequences, source
from pykeepalived.config.definitions import DEFINITION, Definitions
from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span, StepKind
from pykeepalived.config.includes import INCLUDE, Includes
from pykeepalived.config.kept import Finder, KeptText, Memory, ReadWhole
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import (
    BLANKS,
    CLOSE,
    KEPT,
    OPEN,
    WORDS,
    Line,
    Statement,
    find_brace,
    split_words,
    strip_comment,
    word_places,
)
from pykeepalived.config.origins import Definition, Link
from pykeepalived.config.source import MOST_LINES, TooMuch, too_much
from pykeepalived.config.surroundings import Surroundings

MOST_MADE = 100_000
"""Lines that may come of definitions and sequences."""
MOST_BRACES = 200_000
"""Braces that share a line with something else."""
MOST_DEPTH = 40

_SPECIAL = re.compile(r'[#!"$@~{}\\\x1c-\x1f]|[^\x00-\x7f]')
_CONDITION = re.compile(r"[ \t]*@(\^?)([^ \t]*)(?:[ \t]+(.*))?$", re.DOTALL)
_BEGINNING = re.compile(r"[ \t]*(?:@[^ \t]*[ \t]+)?\$[A-Za-z_][A-Za-z0-9_]*=")
_CONTINUED = re.compile(r"[ \t]+\\$")
_BEFORE = " \t"
"""Blanks that may stand before @, $, ~ and include."""

_Known = tuple[tuple[int, list[str], int, int], ...]


ANY_OTHER = " "
"""Stands for a config id that no line names."""
_LONGEST_BLOCK = 200
_DEEPER = {WORDS: 0, OPEN: 1, CLOSE: -1}


class _Cursor:
    """Where in a file the reading is."""

    __slots__ = ("ahead", "at", "plain", "texts")

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.at = 0
        self.ahead = 0
        """By how much line numbers are greater: kept text is one text of many lines."""
        self.plain = False
        """The line before is one that is read as it stands."""


class Preprocessor:
    """Reads one main file and what it includes."""

    def __init__(
        self,
        surroundings: Surroundings,
        findings: Findings,
        config_id: str,
        *,
        all_config: bool = False,
        memory: Memory | None = None,
    ) -> None:
        self._find = None if memory is None else Finder(memory).lines
        self._surroundings = surroundings
        self._findings = findings
        self._config_id = config_id
        self._definitions = Definitions(surroundings, findings, config_id)
        self._includes = Includes(surroundings, findings, all_config=all_config)
        self._body: tuple[str, Line, list[Line], bool] | None = None
        """The multi-line definition being read: name, where it begins, lines, kept or not."""
        self._files: list[str] = []
        self.ids: set[str] = set()
        """Every config id that conditional lines name, and ANY_OTHER where they hold for all but one."""
        self.opened: list[str] = []
        """Every file that was read, in that order."""
        self._cursor = _Cursor([])
        self._known: dict[str, _Known | None] = {}
        """Lines that are read as they stand: most are like one before."""
        self._budget = MOST_LINES
        self._made = MOST_MADE
        self._braces = MOST_BRACES
        self.unusual = 0
        """How many lines were not read as they stand."""

    @property
    def depth(self) -> int:
        """How many files are open."""
        return len(self._files)

    def statements(self, path: str) -> Iterator[Statement]:
        """The statements of the main file; raises Unreadable when it cannot be used."""
        path = posixpath.join(self._surroundings.working_directory(), path)
        data = self._surroundings.read_file(path)
        try:
            yield from self._file(path, data, 0, None)
        except TooMuch as much:
            self._findings.add(much.diagnostic)
        if self._body is not None:
            self._end_body()

    def plain_block(self) -> list[str] | None:
        """The lines behind the opening brace just given, up to the one that closes it; None unless all are plain."""
        texts, at, known_plain = self._cursor.texts, self._cursor.at, self._known_plain
        depth = 1
        if not self._cursor.plain:
            return None
        for index in range(at, min(len(texts), at + _LONGEST_BLOCK)):
            text = texts[index]
            plain = known_plain(text)
            if plain is None or text.__class__ is KeptText:
                return None
            if plain:
                depth += _DEEPER[plain[-1][0]]
                if depth == 0:
                    return texts[at : index + 1]
        return None

    def plain_beginning(self) -> list[str]:
        """The plain lines behind the opening brace just given, up to the last before one with a brace, or before blocks
        that were kept.
        """
        texts, at = self._cursor.texts, self._cursor.at
        end = at
        for index in range(at, min(len(texts), at + _LONGEST_BLOCK) if self._cursor.plain else at):
            text = texts[index]
            if text.endswith("{") or text.__class__ is KeptText:
                break
            plain = self._known_plain(text)
            if plain is None or (plain and plain[-1][0] != WORDS):
                break
            if plain:
                end = index + 1
        return texts[at:end]

    def skip(self, count: int) -> None:
        """Goes past lines that ``plain_block`` or ``plain_beginning`` gave."""
        self._cursor.at += count

    @property
    def position(self) -> int:
        """How much of the file was given."""
        return self._cursor.at

    def lines_since(self, position: int) -> list[str]:
        """The lines from the one that was given last at that position to the one given last now."""
        return self._cursor.texts[position - 1 : self._cursor.at]

    def _file(self, path: str, data: bytes, depth: int, link: Link | None) -> Iterator[Statement]:
        directory, checks, cursor = self._definitions.directory, self._includes.checks, self._cursor
        self._definitions.directory = posixpath.dirname(path)
        self._files.append(self._surroundings.real_path(path))
        self.opened.append(path)
        try:
            yield from self._lines(path, data, depth, link)
        finally:
            self._definitions.directory, self._includes.checks, self._cursor = directory, checks, cursor
            self._files.pop()

    def _lines(self, path: str, data: bytes, depth: int, link: Link | None) -> Iterator[Statement]:
        known_plain = self._known_plain
        texts = source.lines(path, data, self._findings, link, self._find)
        self._budget -= len(texts)
        if self._budget <= 0:
            raise too_much(
                f"more than {MOST_LINES} lines are included, nothing more is read",
                Line(path, 1, texts[0], texts[0], link).span(0, 1),
                "do files include each other many times over?",
            )
        cursor = self._cursor = _Cursor(texts)
        while cursor.at < len(texts):
            text = texts[cursor.at]
            cursor.at += 1
            number = cursor.at + cursor.ahead
            if text.__class__ is KeptText:
                if self._body is not None:
                    raise ReadWhole
                yield Statement(KEPT, [text], Line(path, number, "", "", link), 0, 0)
                cursor.ahead += text.lines - 1
                self._budget -= text.lines - 1
                continue
            if self._body is None:
                plain = known_plain(text)
                if plain is not None:
                    cursor.plain = True
                    if plain:
                        line = Line(path, number, text, text, link)
                        for kind, words, start, end in plain:
                            yield Statement(kind, words, line, start, end)
                    continue
            cursor.plain = False
            self.unusual += 1
            line, unterminated = strip_comment(Line(path, number, text, text, link))
            if unterminated:
                self._error(
                    "Unterminated quote",
                    line.span(text.rfind('"'), text.rfind('"') + 1),
                    'add the closing "',
                    Problem.UNMATCHED_QUOTE,
                )
            if not line.text.isascii():
                characters.look_for(line, self._findings)
            if len(line.text) < len(text) and text.endswith("\\"):
                line = self._commented_end(line)
            if not line.text.strip(BLANKS):
                if self._body is None:
                    continue
                if text.strip(BLANKS):
                    self._commented(line, self._body[0])
                    continue
            yield from self._line(line, depth)

    def _line(self, line: Line, depth: int, *, conditional: bool = False) -> Iterator[Statement]:
        """One line through the whole order: body, condition, definition, sequence, replacement, include, braces."""
        if depth > MOST_DEPTH:
            self._error("definitions are nested too deeply, the line is ignored", _whole(line), "untangle them")
            return
        if self._body is not None and not conditional:
            if self._add_to_body(line):
                return
            if not line.text.strip(BLANKS):
                return
        text = line.text
        first = text.lstrip(_BEFORE)[:1]
        if first == "@" and not conditional:
            yield from self._condition(line, depth)
            return
        if first == "$" and (found := DEFINITION.match(text)) is not None:
            self._define(line, found.group(1), found.start(2))
            return
        if first == "~":
            repeated = self._repetition(line)
            if repeated is not None:
                yield from self._repeat(line, repeated, depth)
                return
        if "$" in text:
            replaced = self._definitions.replace(line)
            if replaced is None:
                return
            if replaced[1] is not None:
                yield from self._expand(line if replaced[0] is line else replaced[0], *replaced[1], depth)
                return
            line = replaced[0]
            text = line.text
            if (found := DEFINITION.match(text)) is not None:
                self._define(line, found.group(1), found.start(2))
                return
            if text.lstrip(_BEFORE)[:1] == "~" and first != "~" and (repeated := self._repetition(line)) is not None:
                yield from self._repeat(line, repeated, depth)
                return
        if "include" in text and (found := INCLUDE.match(text)) is not None:
            yield from self._include(line, found.group(1)[7:], found.span(2), depth)
            return
        yield from self._split(line, depth)

    def _known_plain(self, text: str) -> _Known | None:
        """The statements of a line that is read as it stands; None for any other. They are remembered, but for lines
        that name a block: those are many, and hardly any comes again.
        """
        known = self._known
        if text in known:
            return known[text]
        plain = _plain(text)
        if plain is None or len(plain) == 1 or not plain or len(plain[0][1]) == 1:
            known[text] = plain
        return plain

    def _split(self, line: Line, depth: int) -> Iterator[Statement]:
        if (plain := _plain(line.text)) is not None:
            for kind, words, first, last in plain:
                yield Statement(kind, words, line, first, last)
            return
        if line.text.endswith("\\"):
            line = self._not_continued(line)
        text = line.text
        start = 0
        while (at := find_brace(text, start)) >= 0:
            if words := self._words(line, start, at):
                yield Statement(WORDS, words, line, start, at)
            yield Statement(OPEN if text[at] == "{" else CLOSE, [], line, at, at + 1)
            start = at + 1
            self._braces -= 1
            if self._braces <= 0:
                raise too_much(
                    f"more than {MOST_BRACES} braces, nothing more is read",
                    line.span(at, start),
                    "is this a configuration?",
                )
            rest = text[start:].lstrip(BLANKS)
            if rest[:1] in ("@", "$", "~") or rest[:7] == "include":
                yield from self._line(line.cut(start, len(text)), depth + 1)
                return
        if words := self._words(line, start, len(text)):
            yield Statement(WORDS, words, line, start, len(text))

    def _words(self, line: Line, start: int, end: int) -> list[str]:
        text = line.text[start:end]
        words = split_words(text)
        if "\\" in line.text and text.count('"') % 2:
            place = start + text.rfind('"')
            hint = "a backslash before a quote does not make it part of an ordinary word"
            self._error("Unmatched quote", line.span(place, place + 1), hint, Problem.UNMATCHED_QUOTE)
        if words and words[0] == "include_check":
            places = word_places(text)[1:]
            self._includes.check(words[1:], [line.span(start + first, start + last) for first, last in places])
        return words

    def _not_continued(self, line: Line) -> Line:
        """A backslash that ends a line is glued to the word before it, as by keepalived."""
        message = "the line is not continued: only those of a $NAME= definition are; the backslash is part of the word"
        at = len(line.text) - 1
        hint = "remove the backslash and write the words on one line"
        self._findings.add(Diagnostic(Severity.WARNING, message, line.span(at, at + 1), hint))
        blanks = _CONTINUED.search(line.text)
        if blanks is None or blanks.start() == 0 or line.text[blanks.start() - 1] in '"{}':
            return line
        return line.replaced(blanks.start(), blanks.end() - 1, "")

    # --- definitions ---

    def _define(self, line: Line, name: str, start: int, *, kept: bool = True) -> None:
        value = line.text[start:].rstrip(BLANKS)
        if value.endswith("\\"):
            first = line.cut(start, start + len(value) - 1)
            self._body = (name, line, [first] if first.text.strip(BLANKS) else [], kept)
        elif kept:
            self._definitions.define(name, Definition(value, line, start))

    def _add_to_body(self, line: Line) -> bool:
        """Adds a line to the body being read. False when the line ends it and belongs to it no more."""
        assert self._body is not None  # noqa: S101 - asked by the caller
        text = line.text.rstrip(BLANKS)
        if not text:
            self._end_body()
            return False
        self._made -= 1
        if text.endswith("\\"):
            self._body[2].append(line.cut(0, len(text) - 1))
        else:
            self._body[2].append(line)
            self._end_body()
        return True

    def _commented(self, line: Line, name: str) -> None:
        """A comment between the lines of a definition is none of them."""
        message = f"a comment between the lines of the definition of {name}: keepalived 2.4 may end it here"
        blanks = len(line.source) - len(line.source.lstrip())
        span = Line(line.file, line.number, line.source, line.source, line.link).span(blanks, blanks + 1)
        self._error(message, span, "here it goes on; move the comment to above the definition")

    def _commented_end(self, line: Line) -> Line:
        """A backslash at the end of a comment continues a definition like any other."""
        text = line.text
        if not text.strip(BLANKS) or text.rstrip(BLANKS).endswith("\\"):
            return line
        if self._body is None and _BEGINNING.match(text) is None:
            return line
        return line.replaced(len(text), len(text), "\\")

    def _end_body(self) -> None:
        assert self._body is not None  # noqa: S101 - asked by the caller
        name, line, lines, kept = self._body
        self._body = None
        if kept:
            self._definitions.define(name, Definition(lines, line, 0))

    def _expand(
        self, line: Line, name: str, definition: Definition, start: int, end: int, depth: int
    ) -> Iterator[Statement]:
        """The lines of a multi-line definition; what stood before the reference is joined to the first."""
        prefix = line.text[:start] if line.text[:start].strip(BLANKS) else ""
        assert isinstance(definition.value, list)  # noqa: S101 - asked by the caller
        link = Link(StepKind.USE, line, start, end, name)
        for index, each in enumerate(definition.value):
            self._make(line)
            made = each.linked(link, "" if index else prefix)
            if self._body is None and (plain := self._known_plain(made.text)) is not None:
                for kind, words, first, last in plain:
                    yield Statement(kind, words, made, first, last)
                continue
            yield from self._line(strip_comment(made)[0], depth + 1)
        if not definition.value and prefix:
            yield from self._split(line.cut(0, start), depth)

    def _make(self, line: Line) -> None:
        """Counts a line that is made."""
        self._made -= 1
        if self._made <= 0:
            raise self._too_many(line)

    def _too_many(self, line: Line) -> TooMuch:
        message = f"more than {MOST_MADE} lines come of definitions and sequences, nothing more is read"
        return too_much(message, _whole(line), "is there a sequence with too many values here?")

    # --- conditions, sequences ---

    def _condition(self, line: Line, depth: int) -> Iterator[Statement]:
        found = _CONDITION.match(line.text)
        if found is None or found.group(3) is None or not found.group(3).strip(BLANKS):
            return
        self.ids.add(found.group(2))
        if found.group(1):
            self.ids.add(ANY_OTHER)
        if (found.group(2) == self._config_id) != (found.group(1) == "^"):
            yield from self._line(line.cut(found.start(3), len(line.text)), depth + 1, conditional=True)
            return
        definition = DEFINITION.match(found.group(3))
        if definition is not None and found.group(3).rstrip(BLANKS).endswith("\\"):
            self._error(
                "a condition before a multi-line definition drops its first line alone in keepalived; here all of it",
                _whole(line),
                "put the condition where the definition is used, or on every line",
            )
            self._define(line, definition.group(1), found.start(3) + definition.start(2), kept=False)

    def _repetition(self, line: Line) -> sequences.Repetition | None:
        """The ~SEQ or ~LST at the start of a line; None when there is none."""

        def numbers(text: str) -> str:
            at = line.text.index(text)
            inner = self._definitions.replace(line.cut(at, at + len(text)))
            return text if inner is None or inner[1] is not None else inner[0].text

        try:
            return sequences.read(line, numbers)
        except sequences.Malformed as malformed:
            self._error(malformed.message, _whole(line), malformed.hint)
            return sequences.Repetition((), (), line)

    def _repeat(self, line: Line, repetition: sequences.Repetition, depth: int) -> Iterator[Statement]:
        if len(repetition.values) >= self._made:
            raise self._too_many(line)
        start = len(line.text) - len(line.text.lstrip())
        end = len(line.text) - len(repetition.rest.text)
        left = self._made
        for index, values in enumerate(repetition.values):
            if index == 1 and (left - self._made) * len(repetition.values) > 2 * left:
                raise self._too_many(line)  # the first time made so many that all cannot end well
            self._make(line)
            pairs = tuple(zip(repetition.names, values, strict=True))
            for name, value in pairs:
                self._definitions.define(name, Definition(value, line, start, repeated=True))
            link = Link(StepKind.REPETITION, line, start, end, "", pairs)
            yield from self._line(repetition.rest.linked(link), depth + 1)

    # --- includes ---

    def _include(self, line: Line, letter: str, place: tuple[int, int], depth: int) -> Iterator[Statement]:
        span = line.span(*place)
        if depth >= MOST_DEPTH:
            self._error(f"includes and definitions are nested more than {MOST_DEPTH} deep", span, "untangle them")
            return
        link = Link(StepKind.INCLUDE, line, *place)
        pattern = line.text[slice(*place)]
        for path, data in self._includes.files(self._definitions.directory, letter, pattern, span):
            if self._surroundings.real_path(path) in self._files:
                self._error(f"'{path}' includes itself; it is not read again", span, "remove one of the include lines")
                continue
            yield from self._file(path, data, depth + 1, link)

    # --- findings ---

    def _error(self, message: str, span: Span, hint: str, problem: Problem = Problem.GENERAL_ERROR) -> None:
        self._findings.add(Diagnostic(Severity.ERROR, message, span, hint, problem))


def _plain(text: str) -> _Known | None:
    """The statements of a line that is read as it stands; None when it holds anything out of the ordinary."""
    stripped = text.strip(BLANKS)
    found = _SPECIAL.search(stripped)
    if found is None:
        if stripped[:7] == "include":
            return None
        return ((WORDS, stripped.split(), 0, len(text)),) if stripped else ()
    if stripped[0] in "#!":
        return ()
    if found.start() != len(stripped) - 1 or stripped[:7] == "include":
        return None
    at = text.rindex(stripped[-1])
    if stripped == "}":
        return ((CLOSE, [], at, at + 1),)
    if stripped[-1] == "{":
        words = stripped[:-1].split()
        if not words:
            return ((OPEN, [], at, at + 1),)
        words[0], words[-1] = intern(words[0]), intern(words[-1])  # thousands of blocks are alike: names and ports
        return (WORDS, words[:], 0, at), (OPEN, [], at, at + 1)  # a copy has no room left over
    return None


def _whole(line: Line) -> Span:
    start = len(line.text) - len(line.text.lstrip(BLANKS))
    return line.span(start, max(start + 1, len(line.text.rstrip(BLANKS))))
