"""Includes: which files a pattern stands for, and which of its failures count."""

import posixpath
import re
from collections.abc import Iterator, Sequence

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.sequences import braces
from pykeepalived.config.source import too_much
from pykeepalived.config.surroundings import Surroundings, Unreadable

MOST_PATHS = 50_000
"""Files looked for."""
INCLUDE = re.compile(r"[ \t]*(include[rmwba]?)[ \t\f\v\r]+(.*[^ \t\f\v\r])[ \t\f\v\r]*$", re.DOTALL)
CHECKS = {"read": "r", "match": "m", "wildcard_match": "w", "brace_match": "b"}
ALL = "rmwb"
_OF_LETTER = {"": "", "r": "r", "m": "rm", "w": "rmw", "b": "rb", "a": ALL}
_ESCAPED = re.compile(r"\\(.)")
_DEAR = 5
"""Paths that an alternative between braces counts for."""


class Includes:
    """Finds files and reads them, under the checks in force."""

    def __init__(self, surroundings: Surroundings, findings: Findings, *, all_config: bool) -> None:
        self._surroundings = surroundings
        self._findings = findings
        self._all_config = all_config
        self.checks = ALL if all_config else ""
        self._left = MOST_PATHS

    def check(self, words: Sequence[str], spans: Sequence[Span]) -> None:
        """``include_check``: ``+`` adds, ``-`` removes, a plain first word replaces; none means all four."""
        checks = set(self.checks) if words else set(ALL)
        for index, word in enumerate(words):
            signed = word[:1] in ("+", "-")
            name = word[1:] if signed else word
            letter = CHECKS.get(name)
            if index and not signed:
                hint = f"write +{name} or -{name}: only the first word may be without a sign"
                self._error(f"Duplicate include_check '{name}' specified - ignoring", spans[index], hint)
            elif letter is None:
                hint = "the checks are " + ", ".join(CHECKS)
                self._error(f"Unknown include_check type '{name}' - ignoring", spans[index], hint)
            elif word[0] == "-":
                checks.discard(letter)
            elif word[0] == "+":
                checks.add(letter)
            else:
                checks = {letter, "r"}
        if not self._all_config:
            self.checks = "".join(sorted(checks))

    def files(self, directory: str, letter: str, pattern: str, span: Span) -> Iterator[tuple[str, bytes]]:
        """The files of a pattern with what they hold; what is missing is said."""
        checks = set(_OF_LETTER[letter]) | set(self.checks)
        for path in self._paths(directory, pattern, checks, span):
            try:
                data = self._surroundings.read_file(path)
            except Unreadable as unreadable:
                self._problem(span, f"include: '{path}' {unreadable.reason}", "read", bad="r" in checks)
                continue
            yield path, data

    def _paths(self, directory: str, pattern: str, checks: set[str], span: Span) -> list[str]:
        alternatives = braces(pattern)
        self._pay(len(alternatives) * _DEAR if len(alternatives) > 1 else 1, span)
        missing: list[str] = []
        paths: list[str] = []
        for alternative in alternatives:
            matches = self._surroundings.glob(posixpath.join(directory, _unescaped(alternative)))
            self._pay(len(matches), span)
            paths += matches
            if not matches and not _wild(alternative):
                missing.append(alternative)
        if len(alternatives) == 1 and _wild(pattern):
            self._look_for_folder(directory, pattern, checks, span)
        if not paths and _wild(pattern):
            if "w" in checks:
                self._failed(span, f"include: no file matches '{pattern}'", "wildcard_match")
        elif missing and len(alternatives) > 1:
            self._problem(span, f"include: no file matches '{missing[0]}'", "brace_match", bad="b" in checks)
        elif missing:
            self._problem(span, f"include: there is no file '{missing[0]}'", "match", bad="m" in checks)
        return paths

    def _look_for_folder(self, directory: str, pattern: str, checks: set[str], span: Span) -> None:
        """The folder before the first wildcard must be there, under the check of names."""
        folder = posixpath.dirname(re.split(r"[*?\[]", pattern, maxsplit=1)[0])
        if "m" in checks and folder.strip("/"):
            inside = posixpath.join(directory, _unescaped(folder), ".")
            if not self._surroundings.glob(inside):
                self._failed(span, f"include: there is no directory '{folder}'", "match")

    def _pay(self, count: int, span: Span) -> None:
        self._left -= count
        if self._left <= 0:
            message = f"more than {MOST_PATHS} files are included, nothing more is read"
            raise too_much(message, span, "do the files of a directory include all of it?")

    # --- findings ---

    def _problem(self, span: Span, message: str, check: str, *, bad: bool) -> None:
        if bad:
            self._failed(span, message, check)
        else:
            hint = "keepalived goes on without it, and so do we; includea makes this an error"
            self._findings.add(Diagnostic(Severity.WARNING, message, span, hint))

    def _failed(self, span: Span, message: str, check: str) -> None:
        hint = f"the check '{check}' is on: put the file there or relax the check"
        self._findings.add(Diagnostic(Severity.ERROR, message, span, hint, Problem.INCLUDE_CHECK, fatal=True))

    def _error(self, message: str, span: Span, hint: str) -> None:
        self._findings.add(Diagnostic(Severity.ERROR, message, span, hint, Problem.GENERAL_ERROR))


def _wild(pattern: str) -> bool:
    return any(mark in pattern for mark in "*?[")


def _unescaped(pattern: str) -> str:
    r"""The pattern without backslashes: ``\*`` becomes ``[*]``, ``\a`` becomes ``a``, as for the shell."""
    if "\\" not in pattern:
        return pattern
    return _ESCAPED.sub(lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], pattern)
