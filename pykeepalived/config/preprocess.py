"""Lines into statements: conditions, definitions, sequences, lists, includes, braces.

Whatever the text, the work is bounded: by the depth of includes, the number of replacements in a line, and the number
of lines that may come of it.
"""

import difflib
import posixpath
import re
from collections.abc import Iterator

from pykeepalived.config import sequences, source
from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import (
    BLANKS,
    CLOSE,
    OPEN,
    WORDS,
    Line,
    Statement,
    find_brace,
    split_words,
    strip_comment,
)
from pykeepalived.config.surroundings import Surroundings, Unreadable

MOST_LINES = 1_000_000
"""Lines that may be read."""
MOST_MADE = 200_000
"""Lines that may come of definitions and sequences."""
MOST_REPLACEMENTS = 300
MOST_DEPTH = 40
LONGEST = 1023

_SPECIAL = re.compile(r'[#!"$@~{}\\\x1c-\x1f]|[^\x00-\x7f]')
_CONDITION = re.compile(r"[ \t\f\v\r]*@(\^?)([^ \t\f\v\r]*)(?:[ \t\f\v\r]+(.*))?$", re.DOTALL)
_DEFINITION = re.compile(r"[ \t\f\v\r]*\$([A-Za-z_][A-Za-z0-9_]*)=[ \t\f\v\r]*(.*)$", re.DOTALL)
_REFERENCE = re.compile(
    r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:([ \t]+)([^{}]*))?\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$))"
)
_INCLUDE = re.compile(r"[ \t\f\v\r]*(include[rmwba]?)[ \t\f\v\r]+(.*[^ \t\f\v\r])[ \t\f\v\r]*$", re.DOTALL)

CHECKS = {"read": "r", "match": "m", "wildcard_match": "w", "brace_match": "b"}
_OF_LETTER = {"": "", "r": "r", "m": "rm", "w": "rmw", "b": "rb", "a": "rmwb"}


class Preprocessor:
    """Reads one main file and what it includes."""

    def __init__(
        self, surroundings: Surroundings, findings: Findings, config_id: str, *, all_config: bool = False
    ) -> None:
        self._surroundings = surroundings
        self._findings = findings
        self._config_id = config_id
        self._all_config = all_config
        self._checks = "rmwb" if all_config else ""
        self._definitions: dict[str, str | list[Line]] = {}
        self._body: tuple[str, list[Line], bool] | None = None
        """The multi-line definition being read: name, lines, kept or not."""
        self._directory = ""
        self._files: list[str] = []
        self.opened: list[str] = []
        """Every file that was read, in that order."""
        self._budget = MOST_LINES
        self._made = MOST_MADE

    def statements(self, path: str) -> Iterator[Statement]:
        """The statements of the main file; raises Unreadable when it cannot be used."""
        path = posixpath.join(self._surroundings.working_directory(), path)
        data = self._surroundings.read_file(path)
        yield from self._file(path, data, 0)
        if self._body is not None:
            self._end_body()

    def _file(self, path: str, data: bytes, depth: int) -> Iterator[Statement]:
        directory, checks = self._directory, self._checks
        self._directory = posixpath.dirname(path)
        self._files.append(self._surroundings.real_path(path))
        self.opened.append(path)
        try:
            yield from self._lines(path, data, depth)
        finally:
            self._directory, self._checks = directory, checks
            self._files.pop()

    def _lines(self, path: str, data: bytes, depth: int) -> Iterator[Statement]:
        special = _SPECIAL.search
        for line in source.lines(path, data, self._findings):
            self._budget -= 1
            if self._budget <= 0:
                self._too_much(line, MOST_LINES)
                return
            text = line.text
            if self._body is None:
                stripped = text.strip(BLANKS)
                if not stripped:
                    continue
                found = special(stripped)
                if found is None:
                    if stripped[:7] != "include":
                        yield Statement(WORDS, stripped.split(), line, 0, len(text))
                        continue
                elif found.start() == 0 and stripped[0] in "#!":
                    continue
                elif found.start() == len(stripped) - 1 and stripped[:7] != "include":
                    at = text.rindex(stripped[-1])
                    if stripped == "}":
                        yield Statement(CLOSE, [], line, at, at + 1)
                        continue
                    if stripped[-1] == "{":
                        if words := stripped[:-1].split():
                            yield Statement(WORDS, words, line, 0, at)
                        yield Statement(OPEN, [], line, at, at + 1)
                        continue
            stripped_line, unterminated = strip_comment(line)
            if unterminated:
                self._error(
                    "Unterminated quote",
                    line.span(text.rfind('"'), text.rfind('"') + 1),
                    'add the closing "',
                    Problem.UNMATCHED_QUOTE,
                )
            if self._body is None and not stripped_line.text.strip(BLANKS):
                continue
            yield from self._line(stripped_line, depth)

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
        first = text.lstrip(BLANKS)[:1]
        if first == "@" and not conditional:
            yield from self._condition(line, depth)
            return
        if first == "$" and (found := _DEFINITION.match(text)) is not None:
            self._define(line, found.group(1), found.start(2))
            return
        if first == "~":
            repeated = self._repetition(line)
            if repeated is not None:
                yield from self._repeat(repeated, depth)
                return
        if "$" in text:
            replaced = self._replace(line)
            if replaced is None:
                return
            line, body, at = replaced
            if body is not None:
                yield from self._expand(line, body, at, depth)
                return
            text = line.text
            if text.lstrip(BLANKS)[:1] == "~" and first != "~" and (repeated := self._repetition(line)) is not None:
                yield from self._repeat(repeated, depth)
                return
        if "include" in text and (found := _INCLUDE.match(text)) is not None:
            yield from self._include(line, found.group(1)[7:], found.span(2), depth)
            return
        yield from self._split(line, depth)

    def _split(self, line: Line, depth: int) -> Iterator[Statement]:
        text = line.text
        start = 0
        while (at := find_brace(text, start)) >= 0:
            if words := split_words(text[start:at]):
                yield self._words(words, line, start, at)
            yield Statement(OPEN if text[at] == "{" else CLOSE, [], line, at, at + 1)
            start = at + 1
            rest = text[start:].lstrip(BLANKS)
            if rest[:1] in ("@", "$", "~") or rest[:7] == "include":
                yield from self._line(line.cut(start, len(text)), depth + 1)
                return
        if words := split_words(text[start:]):
            yield self._words(words, line, start, len(text))

    def _words(self, words: list[str], line: Line, start: int, end: int) -> Statement:
        if words[0] == "include_check":
            self._include_check(words[1:])
        return Statement(WORDS, words, line, start, end)

    # --- definitions ---

    def _define(self, line: Line, name: str, start: int, *, kept: bool = True) -> None:
        value = line.text[start:]
        if value.rstrip(BLANKS).endswith("\\"):
            first = line.cut(start, start + len(value.rstrip(BLANKS)) - 1)
            self._body = (name, [first] if first.text.strip(BLANKS) else [], kept)
        elif kept:
            self._definitions[name] = value.rstrip(BLANKS)

    def _add_to_body(self, line: Line) -> bool:
        """Adds a line to the body being read. False when the line ends it and belongs to it no more."""
        assert self._body is not None  # noqa: S101 - asked by the caller
        text = line.text.rstrip(BLANKS)
        if not text:
            self._end_body()
            return False
        self._made -= 1
        if text.endswith("\\"):
            self._body[1].append(line.cut(0, len(text) - 1))
        else:
            self._body[1].append(line)
            self._end_body()
        return True

    def _end_body(self) -> None:
        assert self._body is not None  # noqa: S101 - asked by the caller
        name, lines, kept = self._body
        self._body = None
        if kept:
            self._definitions[name] = lines

    def _expand(self, line: Line, body: list[Line], at: int, depth: int) -> Iterator[Statement]:
        """The lines of a multi-line definition; what stood before the reference is joined to the first."""
        prefix = line.text[:at]
        for index, each in enumerate(body):
            self._made -= 1
            if self._made <= 0:
                self._too_much(line, MOST_MADE)
                return
            if index == 0 and prefix.strip(BLANKS):
                head = each.columns or list(range(len(each.text) + 1))
                each = Line(  # noqa: PLW2901
                    each.file, each.number, prefix + each.text, each.source, [head[0]] * len(prefix) + head
                )
            stripped, _ = strip_comment(each)
            yield from self._line(stripped, depth + 1)
        if not body and prefix.strip(BLANKS):
            yield from self._split(Line(line.file, line.number, prefix, line.source, line.columns), depth)

    def _replace(self, line: Line) -> tuple[Line, list[Line] | None, int] | None:
        """The line with references replaced; with a multi-line definition its body and where the reference stands."""
        at = 0
        count = 0
        changed = False
        while (found := _REFERENCE.search(line.text, at)) is not None:
            name = found.group(1) or found.group(4)
            value = self._value(line, found, name)
            if value is None:
                at = found.end()
                continue
            if isinstance(value, list):
                if line.text[found.end() :].strip(BLANKS):
                    at = found.end()
                    continue
                return line, value, found.start()
            count += 1
            if count > MOST_REPLACEMENTS:
                self._error(
                    f"the definition of {name} never ends (does it refer to itself?), the line is ignored",
                    line.span(found.start(), found.end()),
                    f"${name}= must not contain ${{{name}}}",
                )
                return None
            grown = line.replaced(found.start(), found.end(), value)
            if len(grown.text) > LONGEST:
                self._error(
                    f"with its definitions replaced the line is longer than {LONGEST} characters and is ignored",
                    line.span(found.start(), found.end()),
                    "use a multi-line definition",
                )
                return None
            changed = True
            line = grown
            at = found.start()
            if value.startswith("~"):
                break
        if changed:
            line, _ = strip_comment(line)
        return line, None, 0

    def _value(self, line: Line, found: re.Match[str], name: str) -> str | list[Line] | None:
        """What a reference stands for; None leaves it as typed."""
        blank, parameters = found.group(2, 3)
        value = self._definitions.get(name)
        if value is not None:
            if blank is None:
                return value
            if not parameters:
                self._error(f"blank before the closing brace of ${{{name} }}", line.span(*found.span()), "remove it")
                return value
            self._error(f"{name} takes no parameters", line.span(*found.span()), f"write ${{{name}}}")
            return None
        if name.startswith("_"):
            return self._predefined(line, found, name, (parameters or "").split())
        if found.group(1):
            self._undefined(line, found, name)
        return None

    def _undefined(self, line: Line, found: re.Match[str], name: str) -> None:
        if line.text.count('"', 0, found.start()) % 2:
            return  # between quotes it is text
        near = difflib.get_close_matches(name, self._definitions, 1)
        hint = f"did you mean ${{{near[0]}}}?" if near else f"define it on an earlier line: ${name}=value"
        self._error(f"{name} is not defined", line.span(*found.span()), hint, Problem.UNEXPECTED_BOB)

    def _predefined(self, line: Line, found: re.Match[str], name: str, parameters: list[str]) -> str | None:
        if name == "_HASH" and not parameters:
            return "#"
        if name == "_BANG" and not parameters:
            return "!"
        if name == "_PWD" and not parameters:
            return self._directory
        if name == "_INSTANCE" and not parameters:
            return self._config_id
        if name == "_ENV" and len(parameters) == 1 and re.fullmatch(r"[A-Za-z0-9_]+", parameters[0]):
            return self._surroundings.environment().get(parameters[0], "")
        if (
            name == "_RANDOM"
            and len(parameters) <= 2
            and all(p.isascii() and p.isdigit() and len(p) < 10 for p in parameters)
        ):
            low, high = ([int(p) for p in parameters] + [0, 32767][len(parameters) :])[:2]
            if low > high:
                self._error(f"{low} is greater than {high}", line.span(*found.span()), "write the smaller first")
                return str(low)
            return str(self._surroundings.random(low, high))
        if name in ("_HASH", "_BANG", "_PWD", "_INSTANCE", "_ENV", "_RANDOM"):
            hint = {"_ENV": "write ${_ENV NAME}", "_RANDOM": "write ${_RANDOM}, ${_RANDOM MIN} or ${_RANDOM MIN MAX}"}
            self._error(f"wrong parameters for {name}", line.span(*found.span()), hint.get(name, f"write ${{{name}}}"))
        elif found.group(1):
            self._undefined(line, found, name)
        return None

    # --- conditions, sequences ---

    def _condition(self, line: Line, depth: int) -> Iterator[Statement]:
        found = _CONDITION.match(line.text)
        if found is None or found.group(3) is None or not found.group(3).strip(BLANKS):
            return
        if (found.group(2) == self._config_id) != (found.group(1) == "^"):
            yield from self._line(line.cut(found.start(3), len(line.text)), depth + 1, conditional=True)
            return
        definition = _DEFINITION.match(found.group(3))
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
            inner = self._replace(Line(line.file, line.number, text, line.source, [0] * (len(text) + 1)))
            return text if inner is None or inner[1] is not None else inner[0].text

        try:
            return sequences.read(line, numbers)
        except sequences.Malformed as malformed:
            self._error(malformed.message, _whole(line), malformed.hint)
            return sequences.Repetition((), (), line)

    def _repeat(self, repetition: sequences.Repetition, depth: int) -> Iterator[Statement]:
        for values in repetition.values:
            self._made -= 1
            if self._made <= 0:
                self._too_much(repetition.rest, MOST_MADE)
                return
            for name, value in zip(repetition.names, values, strict=True):
                self._definitions[name] = value
            yield from self._line(repetition.rest, depth + 1)

    # --- includes ---

    def _include_check(self, words: list[str]) -> None:
        """Changes the set of checks: ``+`` adds, ``-`` removes, a plain first word replaces; bare is all."""
        if self._all_config:
            return
        checks = set(self._checks) if words else set("rmwb")
        for index, word in enumerate(words):
            name = word.lstrip("+-") if word[:1] in ("+", "-") else word
            letter = CHECKS.get(name)
            if letter is None:
                continue
            if word[0] == "-":
                checks.discard(letter)
            elif word[0] == "+":
                checks.add(letter)
            elif index == 0:
                checks = {letter, "r"}
        self._checks = "".join(sorted(checks))

    def _include(self, line: Line, letter: str, place: tuple[int, int], depth: int) -> Iterator[Statement]:
        pattern = line.text[slice(*place)]
        checks = set(_OF_LETTER[letter]) | set(self._checks)
        span = line.span(*place)
        alternatives = sequences.braces(pattern)
        missing: list[str] = []
        paths: list[str] = []
        for alternative in alternatives:
            full = posixpath.join(self._directory, alternative)
            matches = self._surroundings.glob(full)
            paths += matches
            if not matches:
                missing.append(alternative)
        wild = any(mark in pattern for mark in "*?[")
        if len(alternatives) > 1 and missing and "b" in checks:
            self._include_failed(span, f"include: no file matches '{missing[0]}'", "brace_match")
        elif not paths and wild:
            if "w" in checks:
                self._include_failed(span, f"include: no file matches '{pattern}'", "wildcard_match")
        elif missing and len(alternatives) == 1:
            self._include_problem(span, f"include: there is no file '{missing[0]}'", "match", bad="m" in checks)
        for path in paths:
            yield from self._included(path, span, checks, depth)

    def _included(self, path: str, span: Span, checks: set[str], depth: int) -> Iterator[Statement]:
        if self._surroundings.real_path(path) in self._files:
            self._error(f"'{path}' includes itself; it is not read again", span, "remove one of the include lines")
            return
        if depth >= MOST_DEPTH:
            self._error(f"includes and definitions are nested more than {MOST_DEPTH} deep", span, "untangle them")
            return
        try:
            data = self._surroundings.read_file(path)
        except Unreadable as unreadable:
            self._include_problem(span, f"include: '{path}' {unreadable.reason}", "read", bad="r" in checks)
            return
        yield from self._file(path, data, depth + 1)

    def _include_problem(self, span: Span, message: str, check: str, *, bad: bool) -> None:
        if bad:
            self._include_failed(span, message, check)
        else:
            hint = "keepalived goes on without it, and so do we; includea makes this an error"
            self._findings.add(Diagnostic(Severity.WARNING, message, span, hint))

    def _include_failed(self, span: Span, message: str, check: str) -> None:
        self._findings.add(
            Diagnostic(
                Severity.ERROR,
                message,
                span,
                f"the check '{check}' is on: put the file there or relax the check",
                Problem.INCLUDE_CHECK,
                fatal=True,
            )
        )

    # --- findings ---

    def _error(self, message: str, span: Span, hint: str, problem: Problem = Problem.GENERAL_ERROR) -> None:
        self._findings.add(Diagnostic(Severity.ERROR, message, span, hint, problem))

    def _too_much(self, line: Line, most: int) -> None:
        self._findings.add(
            Diagnostic(
                Severity.ERROR,
                f"more than {most} lines come of this, the rest is ignored",
                _whole(line),
                "is there a sequence with too many values here?",
                Problem.GENERAL_ERROR,
                fatal=True,
            )
        )


def _whole(line: Line) -> Span:
    start = len(line.text) - len(line.text.lstrip(BLANKS))
    return line.span(start, max(start + 1, len(line.text.rstrip(BLANKS))))
