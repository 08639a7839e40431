"""What is wrong with a configuration, where, and what mends it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from pykeepalived.config.kinds import Problem


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file, to the column; ``text`` is the whole line."""

    file: str
    line: int
    column: int
    """Counted from 1."""
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. ``problem`` is the class that counts for the exit status of the test mode; None does not count."""

    severity: Severity
    message: str
    span: Span | None = None
    hint: str | None = None
    problem: Problem | None = None
    fatal: bool = False
    """A start must be refused."""


_SECRET = re.compile(
    r"\b(?:auth_pass|password|key[ \t]+[0-9]+(?![ \t]+file:))[ \t]+(?P<secret>(?:\"[^\"]*\"?|[^{}\"])+)"
)
"""A password or a key in a line, up to the brace that may follow."""


def without_secrets(span: Span) -> Span:
    """The place with its line as it may be shown: stars stand for passwords and keys."""
    text = span.text
    for found in reversed(list(_SECRET.finditer(text))):
        start, end = found.span("secret")
        text = text[:start] + re.sub(r"\S", "*", text[start:end]) + text[end:]
    return span if text == span.text else replace(span, text=text)


_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_WIDEST = 160


def render(diagnostic: Diagnostic, colour: bool = False) -> str:
    """The finding for a person: place, message, the line, a mark below the words, the remedy."""
    severity = diagnostic.severity.value
    if colour:
        severity = f"\x1b[1;{_COLOURS[diagnostic.severity]}m{severity}\x1b[0m"
    span = diagnostic.span
    place = "" if span is None else f"{span.file}:{span.line}:{span.column}: "
    lines = [f"{_printable(place)}{severity}: {_printable(diagnostic.message)}"]
    if span is not None and span.text.strip():
        lines += _excerpt(span, colour)
    if diagnostic.hint:
        lines.append(f"  hint: {_printable(diagnostic.hint)}")
    return "\n".join(lines)


def _excerpt(span: Span, colour: bool) -> list[str]:
    """The line and the mark. Tabs become blanks so that the mark stands right; a long line is cut around the mark."""
    start = min(span.column - 1, len(span.text))
    first = max(0, start - _WIDEST // 2) if len(span.text) > _WIDEST else 0
    text = span.text[first : first + _WIDEST]
    before = _printable(text[: start - first].expandtabs(4))
    whole = before + _printable(text[start - first :].expandtabs(4))
    marked = _printable(text[start - first : start - first + span.length].expandtabs(4))
    mark = "^" + "~" * max(0, len(marked) - 1)
    if colour:
        mark = f"\x1b[1;32m{mark}\x1b[0m"
    indent = len(whole) - len(whole.lstrip()) if not before.strip() or before[:1] == " " else 0
    indent = min(indent, len(before))
    number = f"{span.line:5d} | "
    return [f"{number}{whole[indent:].rstrip()}", f"{' ' * (len(number) - 2)}| {' ' * (len(before) - indent)}{mark}"]


def _printable(text: str) -> str:
    """Nothing that a terminal would obey or that cannot be encoded."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return " " if character == "\n" else f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class Findings:
    """Collects diagnostics, none twice, and never more than a terminal can bear."""

    MOST = 1000

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span | None], Diagnostic] = {}
        self._problems: set[Problem | None] = set()
        self._dropped = 0

    def add(self, diagnostic: Diagnostic) -> None:
        """Keeps it unless it was said already. What it shows of the file has no secret."""
        if diagnostic.span is not None and (shown := without_secrets(diagnostic.span)) is not diagnostic.span:
            diagnostic = replace(diagnostic, span=shown)
        if len(self._found) >= self.MOST:
            # the class counts even where the text is too much
            self._dropped += 1
            if diagnostic.problem in self._problems:
                return
        self._problems.add(diagnostic.problem)
        self._found.setdefault((diagnostic.message, diagnostic.span), diagnostic)

    def all(self) -> tuple[Diagnostic, ...]:
        """In the order of the files and their lines; what has no place comes last."""
        files: dict[str, int] = {}
        for each in self._found.values():
            if each.span is not None:
                files.setdefault(each.span.file, len(files))

        def place(each: Diagnostic) -> tuple[int, int, int]:
            span = each.span
            return (len(files), 0, 0) if span is None else (files[span.file], span.line, span.column)

        found = tuple(sorted(self._found.values(), key=place))
        if self._dropped:
            found += (Diagnostic(Severity.NOTE, f"{self._dropped} further mistakes are not shown"),)
        return found


def exit_status(diagnostics: Iterable[Diagnostic]) -> int:
    """What the test mode exits with, as keepalived: the worst class decides."""
    seen = {each.problem for each in diagnostics if each.problem is not None}
    if Problem.LACKS_WORD in seen:
        return 2
    if Problem.INCLUDE_CHECK in seen or Problem.SECURITY_ERROR in seen:
        return 6
    if any(problem > Problem.FATAL for problem in seen):
        return 5
    return 4 if seen else 0
