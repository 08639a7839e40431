"""Definitions: ``$NAME=value`` and what references stand for. Knows nothing of blocks and keywords."""

import difflib
import re

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import BLANKS, Line, strip_comment
from pykeepalived.config.origins import Definition, Piece
from pykeepalived.config.source import too_much
from pykeepalived.config.surroundings import Surroundings

MOST_REPLACEMENTS = 300
"""In one line."""
MOST_REPLACED = 300_000
"""In all."""
MOST_HINTS = 50
LONGEST = 1023

DEFINITION = re.compile(r"[ \t]*\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)$", re.DOTALL)
_REFERENCE = re.compile(
    r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:([ \t]+)([^{}]*))?\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$))"
)
_LEFT = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)(?![ \t,)A-Za-z0-9_]|$)")
_NUMBER = re.compile(r"[0-9]{1,18}")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_HINTS = {"_ENV": "write ${_ENV NAME}", "_RANDOM": "write ${_RANDOM}, ${_RANDOM MIN} or ${_RANDOM MIN MAX}"}
PREDEFINED = ("_HASH", "_BANG", "_PWD", "_INSTANCE", "_ENV", "_RANDOM")


class Definitions:
    """What names stand for, from their lines on."""

    def __init__(self, surroundings: Surroundings, findings: Findings, config_id: str) -> None:
        self._surroundings = surroundings
        self._findings = findings
        self._config_id = config_id
        self._defined: dict[str, Definition] = {}
        self._endless: set[str] = set()
        """Names whose replacement did not end, until something is defined anew."""
        self._hints: dict[str, str] = {}
        self._left = MOST_REPLACED
        self.directory = ""
        """Of the file being read."""

    def define(self, name: str, definition: Definition) -> None:
        """From here on, whatever it was before."""
        self._defined[name] = definition
        if self._endless:
            self._endless.clear()

    def replace(self, line: Line) -> tuple[Line, tuple[str, Definition, int, int] | None] | None:
        """The line with its references replaced, left to right, again and again; None when it must be dropped.

        A definition of several lines is not put in: its name comes beside the line, with the reference's place.
        """
        at = 0
        count = 0
        undefined: dict[str, Diagnostic] = {}
        whole = line
        while (found := _REFERENCE.search(line.text, at)) is not None:
            start, end = found.span()
            name = found.group(1) or found.group(4)
            value = self._value(line, found, name, undefined)
            definition = self._defined.get(name)
            if value is None:
                at = end
                continue
            if isinstance(value, list):
                assert definition is not None  # noqa: S101 - lists are defined in files
                if line.text[end:].strip(BLANKS):
                    message = f"the definition {name} has several lines and can only be the last of a line"
                    self._warn(message, line.span(start, end), "put what follows on a line of its own")
                    at = end
                    continue
                self._findings_of(undefined)
                return line, (name, definition, start, end)
            count += 1
            self._left -= 1
            if self._left <= 0:
                hint = "do definitions contain each other many times over?"
                message = f"more than {MOST_REPLACED} references are to be replaced, nothing more is read"
                raise too_much(message, _first(whole), hint)
            if count > MOST_REPLACEMENTS or name in self._endless:
                self._endless.add(name)
                message = f"the definition of {name} never ends (does it refer to itself?), the line is ignored"
                self._error(message, _first(whole), f"${name}= {self._written(name)}must not contain ${{{name}}}")
                return None
            piece = Piece(found.group(), name, definition)
            grown = line.replaced(start, end, value, piece)
            if len(grown.text) > LONGEST // 4 and len(grown.text.encode("utf-8", "surrogateescape")) > LONGEST:
                message = f"with its definitions replaced the line is longer than {LONGEST} bytes and is ignored"
                self._error(message, _first(whole), "use a multi-line definition")
                return None
            line = grown
            # what it became may be part of a reference that began before it: ${A${N}}
            before = line.text.rfind("$", 0, start)
            at = before if before >= 0 else start
            if value.startswith("~"):
                break
        if line is not whole:
            line, _ = strip_comment(line)
        if DEFINITION.match(line.text) is None:
            self._findings_of(undefined)
            self._look_for_left(line)
        return line, None

    def _value(
        self, line: Line, found: re.Match[str], name: str, undefined: dict[str, Diagnostic]
    ) -> str | list[Line] | None:
        """What a reference stands for; None leaves it as typed."""
        blank, parameters = found.group(2, 3)
        definition = self._defined.get(name)
        if definition is not None:
            if blank is None:
                return definition.value
            if not parameters:
                self._error(f"blank before the closing brace of ${{{name} }}", line.span(*found.span()), "remove it")
                return definition.value
            self._error(f"{name} takes no parameters", line.span(*found.span()), f"write ${{{name}}}")
            return None
        if name in PREDEFINED:
            return self._predefined(line, found, name, parameters or "")
        # between quotes it is text
        if found.group(1) and name not in undefined and not line.text.count('"', 0, found.start()) % 2:
            span = line.span(*found.span())
            undefined[name] = Diagnostic(
                Severity.ERROR, f"{name} is not defined", span, self._hint(name), Problem.UNEXPECTED_BOB
            )
        return None

    def _hint(self, name: str) -> str:
        """What may have been meant by a name that is not defined. Not looked for without end."""
        if name not in self._hints:
            near = difflib.get_close_matches(name, self._defined, 1) if len(self._hints) < MOST_HINTS else []
            self._hints[name] = (
                f"did you mean ${{{near[0]}}}?" if near else f"define it on an earlier line: ${name}=value"
            )
        return self._hints[name]

    def _predefined(self, line: Line, found: re.Match[str], name: str, text: str) -> str | None:
        parameters = text.split()
        if not text:
            match name:
                case "_HASH":
                    return "#"
                case "_BANG":
                    return "!"
                case "_PWD":
                    return self.directory
                case "_INSTANCE":
                    return self._config_id
        if name == "_ENV" and len(parameters) == 1 and _WORD.fullmatch(parameters[0]):
            return self._surroundings.environment().get(parameters[0], "")
        numbers = all(_NUMBER.fullmatch(each) for each in parameters)
        # keepalived takes single or more blanks between the numbers, but none behind them
        if (
            name == "_RANDOM"
            and len(parameters) <= 2
            and numbers
            and text == text.rstrip()
            and "\t" not in found.group()
        ):
            low, high = ([int(each) for each in parameters] + [0, 32767][len(parameters) :])[:2]
            if low > high:
                self._error(f"{low} is greater than {high}", line.span(*found.span()), "write the smaller first")
                return str(low)
            return str(self._surroundings.random(low, high))
        hint = _HINTS.get(name, f"write ${{{name}}}")
        self._error(f"wrong parameters for {name}", line.span(*found.span()), hint)
        return None

    def _look_for_left(self, line: Line) -> None:
        """Names that are defined and were not replaced, because something is glued to them."""
        for found in _LEFT.finditer(line.text):
            name = found.group(1)
            if name in self._defined or name in PREDEFINED:
                message = f"${name} is not replaced here: a blank, a comma, ) or the end of the line must follow it"
                self._warn(message, line.span(*found.span()), f"write ${{{name}}}")

    # --- findings ---

    def _written(self, name: str) -> str:
        """Where a name was defined, for people."""
        definition = self._defined.get(name)
        return f"on line {definition.line.number} " if definition is not None else ""

    def _findings_of(self, found: dict[str, Diagnostic]) -> None:
        for each in found.values():
            self._findings.add_cause(each)

    def _error(self, message: str, span: Span, hint: str) -> None:
        self._findings.add(Diagnostic(Severity.ERROR, message, span, hint, Problem.GENERAL_ERROR))

    def _warn(self, message: str, span: Span, hint: str) -> None:
        self._findings.add(Diagnostic(Severity.WARNING, message, span, hint))


def _first(line: Line) -> Span:
    """The place of the first reference of a line."""
    found = _REFERENCE.search(line.text)
    return line.span(*(found.span() if found is not None else (0, len(line.text))))
