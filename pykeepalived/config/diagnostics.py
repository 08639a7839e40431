"""What is wrong with a configuration, where, and what mends it."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pykeepalived.config.kinds import Problem
from pykeepalived.records import record


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class StepKind(StrEnum):
    """What stands between a line of a file and what is read."""

    DEFINITION = "definition"
    """A reference was replaced; the place is where the value was written."""
    USE = "use"
    """The line is part of a definition; the place is where that was used."""
    REPETITION = "repetition"
    """The line stands behind a ~SEQ or ~LST; the place is where that stands."""
    INCLUDE = "include"
    """The file was included; the place is the line that did."""


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file, to the column; ``text`` is the whole line."""

    file: str
    line: int
    column: int
    """Counted from 1."""
    length: int
    text: str
    way: "Callable[[], Origin | None] | None" = field(default=None, compare=False, repr=False)
    """Tells ``origin`` when it is asked for. Not compared: of a mistake made many times over, one telling is enough."""

    @property
    def origin(self) -> "Origin | None":
        """How the text came about, where it was not typed here."""
        return None if self.way is None else self.way()


@record(frozen=True, slots=True)
class Step:
    """One step of the way."""

    kind: StepKind
    message: str
    place: Span | None
    """None where the program itself gave the value."""


@record(frozen=True, slots=True)
class Expansion:
    """The line with its references replaced, and the part that is meant."""

    text: str
    start: int
    end: int


@record(frozen=True, slots=True)
class Origin:
    """How a text came about: what it became, and the steps, outermost reference first."""

    expansion: Expansion | None
    steps: tuple[Step, ...]


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
    rule: str = ""
    """Of the lint: which rule has this to say."""


_SECRET = re.compile(
    r"\b(?:auth_pass|password|key[ \t]+[0-9]+(?![ \t]+file:))[ \t]+(?P<secret>(?:\"[^\"]*\"?|[^{}\"])+)"
)
"""A password or a key in a line, up to the brace that may follow."""


def without_secrets(span: Span) -> Span:
    """The place with its line as it may be shown: stars stand for passwords and keys."""
    text = masked(span.text)
    return span if text == span.text else replace(span, text=text)


def masked(text: str) -> str:
    """A line as it may be shown."""
    for found in reversed(list(_SECRET.finditer(text))):
        start, end = found.span("secret")
        text = text[:start] + re.sub(r"\S", "*", text[start:end]) + text[end:]
    return text


_TWICE_SAID = re.compile("warning - ", re.IGNORECASE)  # by keepalived's own words, beside the severity
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_MARK_COLOUR = "32"
_WIDEST = 160
_MOST_STEPS = 5
_WHERE = {
    StepKind.DEFINITION: ", written at",
    StepKind.USE: ", used at",
    StepKind.REPETITION: ", repeated at",
    StepKind.INCLUDE: " from",
}


def render(diagnostic: Diagnostic, colour: bool = False) -> str:
    """The finding for a person: place, message, the line, a mark below the words, the remedy, how the line came about.

    >>> /etc/keepalived/keepalived.conf:9:1: error: Unknown keyword 'real_sever'
    >>>     9 | $WEB
    >>>       | ^~~~
    >>>   in the expansion: real_sever 10.8.0.4 80 {
    >>>                     ^~~~~~~~~~
    >>>   hint: did you mean real_server?
    >>>   expanded from $WEB, written at /etc/keepalived/names.conf:3:6
    >>>     3 | $WEB=real_sever 10.8.0.4 80 {
    >>>       |      ^~~~~~~~~~~~~~~~~~~~~~~~
    """
    severity = diagnostic.severity.value
    if colour:
        severity = f"\x1b[1;{_COLOURS[diagnostic.severity]}m{severity}\x1b[0m"
    span = diagnostic.span
    place = "" if span is None else f"{span.file}:{span.line}:{span.column}: "
    rule = f" [{diagnostic.rule}]" if diagnostic.rule else ""
    message = diagnostic.message
    if said := _TWICE_SAID.match(message):
        message = message[said.end() :]
    lines = [f"{_printable(place)}{severity}: {_printable(message)}{rule}"]
    origin = None if span is None else span.origin
    if span is not None and span.text.strip():
        lines += _excerpt(span, colour)
    if origin is not None and origin.expansion is not None:
        lines += _expansion(origin.expansion, colour)
    if diagnostic.hint:
        lines.append(f"  hint: {_printable(diagnostic.hint)}")
    if span is not None and origin is not None:
        lines += _way(span, origin.steps, colour)
    return "\n".join(lines)


def _way(span: Span, steps: tuple[Step, ...], colour: bool) -> list[str]:
    """The steps from the text to where it was written and used; a line that was just shown is not shown again."""
    lines = []
    shown = {(span.file, span.line)}
    for step in steps[:_MOST_STEPS]:
        place = step.place
        text = f"  {_printable(step.message)}"
        if place is None or (step.kind is StepKind.REPETITION and (place.file, place.line) in shown):
            lines.append(text)
            continue
        at = f"{place.file}:{place.line}" + ("" if step.kind is StepKind.INCLUDE else f":{place.column}")
        lines.append(f"{text}{_WHERE[step.kind]} {_printable(at)}")
        if step.kind is not StepKind.INCLUDE and place.text.strip() and (place.file, place.line) not in shown:
            lines += _excerpt(place, colour)
        shown.add((place.file, place.line))
    if len(steps) > _MOST_STEPS:
        lines.append(f"  and {len(steps) - _MOST_STEPS} steps more")
    return lines


def _excerpt(span: Span, colour: bool) -> list[str]:
    """The line and the mark, behind the line's number."""
    line, mark = _marked(span.text, span.column - 1, span.length, colour)
    number = f"{span.line:5d} | "
    return [f"{number}{line}", f"{' ' * (len(number) - 2)}| {mark}"]


def _expansion(expansion: Expansion, colour: bool) -> list[str]:
    """The line as it is read, and the mark."""
    before = "  in the expansion: "
    line, mark = _marked(expansion.text, expansion.start, expansion.end - expansion.start, colour)
    return [f"{before}{line}", f"{' ' * len(before)}{mark}"]


def _marked(source: str, start: int, length: int, colour: bool) -> tuple[str, str]:
    """A line and the mark below it. Tabs become blanks so that the mark stands right; a long line is cut around it."""
    start = min(start, len(source))
    first = max(0, start - _WIDEST // 2) if len(source) > _WIDEST else 0
    text = source[first : first + _WIDEST]
    before = _printable(text[: start - first].expandtabs(4))
    whole = before + _printable(text[start - first :].expandtabs(4))
    marked = _printable(text[start - first : start - first + length].expandtabs(4))
    mark = "^" + "~" * max(0, _width(marked) - 1)
    if colour:
        mark = f"\x1b[1;{_MARK_COLOUR}m{mark}\x1b[0m"
    indent = len(whole) - len(whole.lstrip()) if not before.strip() or before[:1] == " " else 0
    indent = min(indent, len(before))
    return whole[indent:].rstrip(), f"{' ' * (_width(before) - indent)}{mark}"


def _width(text: str) -> int:
    """Columns of a terminal: some characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def as_json(diagnostic: Diagnostic) -> dict[str, object]:
    """The finding for a program: every key is always there, places count from 1, ``end_column`` is behind the last."""
    span = diagnostic.span
    origin = None if span is None else span.origin
    expansion = None if origin is None else origin.expansion
    return {
        "severity": diagnostic.severity.value,
        "message": _printable(diagnostic.message),
        **_place(span),
        "hint": None if diagnostic.hint is None else _printable(diagnostic.hint),
        "class": None if diagnostic.problem is None else diagnostic.problem.name.lower(),
        "fatal": diagnostic.fatal,
        "rule": diagnostic.rule or None,
        "expanded": None if expansion is None else _printable(expansion.text.strip()),
        "chain": [
            {"kind": step.kind.value, "message": _printable(step.message), **_place(step.place)}
            for step in (origin.steps if origin is not None else ())
        ],
    }


def _place(span: Span | None) -> dict[str, object]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_column", "text"))
    return {
        "file": _printable(span.file),
        "line": span.line,
        "column": span.column,
        "end_column": span.column + span.length,
        "text": _printable(span.text),
    }


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
    """Collects diagnostics, none twice, and never more than a terminal can bear, but one of each class."""

    MOST = 1000
    MOST_CAUSES = 8
    """Of one line."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span | None], Diagnostic] = {}
        self._problems: set[Problem | None] = set()
        self._dropped = 0
        self._causes: dict[tuple[str, int], list[Diagnostic]] = {}
        """By file and line: findings about words that others will complain about too."""
        self._told: set[str] = set()
        """Messages of causes that tell the first of what follows."""
        self.count = 0
        """How often something was to be said."""

    def add(self, diagnostic: Diagnostic) -> None:
        """Keeps it unless it was said already. What it shows of the file has no secret."""
        self.count += 1
        if len(self._found) >= self.MOST and diagnostic.problem in self._problems:
            self._dropped += 1
            return
        span = diagnostic.span
        if span is not None:
            if (shown := without_secrets(span)) is not span:
                diagnostic = replace(diagnostic, span=shown)
            if self._causes and self._follows(diagnostic, span):
                return
        self._problems.add(diagnostic.problem)
        self._found.setdefault((diagnostic.message, diagnostic.span), diagnostic)

    def add_cause(self, diagnostic: Diagnostic) -> None:
        """As ``add``; what is said later of the same words follows from it and is not told as a mistake of its own."""
        self.add(diagnostic)
        if diagnostic.span is not None:
            causes = self._causes.setdefault((diagnostic.span.file, diagnostic.span.line), [])
            if len(causes) < self.MOST_CAUSES and all(each.span != diagnostic.span for each in causes):
                causes.append(diagnostic)

    def _follows(self, diagnostic: Diagnostic, span: Span) -> bool:
        """Whether it is about words that have a cause: then its class counts there, and the first is told along."""
        causes = self._causes.get((span.file, span.line), [])
        for index, cause in enumerate(causes):
            assert cause.span is not None  # noqa: S101 - only such are kept
            if span.column >= cause.span.column + cause.span.length or cause.span.column >= span.column + span.length:
                continue
            if cause.message.startswith(diagnostic.message):
                return True
            shown = self._found.pop((cause.message, cause.span), cause)
            told = diagnostic.message if cause.message not in self._told else ""
            shown = replace(
                shown,
                severity=Severity.ERROR if Severity.ERROR in (shown.severity, diagnostic.severity) else shown.severity,
                message=f"{shown.message}: {told}" if told else shown.message,
                problem=diagnostic.problem if shown.problem is None else shown.problem,
                fatal=shown.fatal or diagnostic.fatal,
            )
            self._problems.add(diagnostic.problem)
            self._told.add(shown.message)
            self._found[shown.message, shown.span] = causes[index] = shown
            return True
        return False

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
