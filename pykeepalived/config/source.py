"""Files as lines: what a file may look like, and what of it is dropped before anybody reads words."""

import re
from collections.abc import Callable

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import Line
from pykeepalived.config.origins import Link

LONGEST = 1022
"""Bytes of a line without its end."""
LARGEST = 8 * 1024 * 1024
"""Bytes of a file. A hundred thousand virtual servers have less."""
MOST_LINES = 500_000
"""Lines of all files."""
BOM = "\ufeff"
SHOWN = 200
_PIECE = 1 << 16
"""Characters that are cut into lines at a time, and a line."""
_UTF_16 = re.compile(rb"\xff\xfe|\xfe\xff|(?:[\t\n\r\x20-\x7e]\x00){4}|(?:\x00[\t\n\r\x20-\x7e]){4}")


class TooMuch(Exception):  # noqa: N818 - a verdict on the text
    """The text is larger than anything that is read; ``diagnostic`` says so, and reading ends."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def too_much(message: str, span: Span | None, hint: str) -> TooMuch:
    """The end of reading, told."""
    return TooMuch(Diagnostic(Severity.ERROR, message, span, hint, Problem.GENERAL_ERROR, fatal=True))


def lines(
    file: str,
    data: bytes,
    findings: Findings,
    link: Link | None = None,
    find: Callable[[str], list[str]] | None = None,
) -> list[str]:
    """The lines of a file without their ends; one that cannot be used is empty. Bytes that are no UTF-8 are kept.

    ``find`` may cut an ordinary text in its own way.
    """
    if len(data) > LARGEST or data.count(b"\n") > MOST_LINES:
        count = data.count(b"\n") + 1
        message = f"the file has {len(data)} bytes in {count} lines, which is more than is read"
        hint = f"at most {LARGEST // 1024 // 1024} MiB and {MOST_LINES} lines; is this a configuration?"
        raise too_much(message, Line(file, 1, "", "", link).span(0, 0), hint)
    if _UTF_16.match(data) is not None:
        _say(findings, Line(file, 1, "", "", link).span(0, 0), *_IN_UTF_16, fatal=True)
        return []
    text = data.decode("utf-8", "surrogateescape")
    if text.startswith(BOM):
        text = text[1:]
        shown = text.partition("\n")[0][:SHOWN]
        _say(findings, Line(file, 1, shown, shown, link).span(0, 1), *_WITH_BOM)
    ordinary = "\r" not in text and "\x00" not in text
    found = find(text) if find is not None and ordinary else _split(text)
    if not ordinary:
        found = [line.rstrip("\r") for line in found]
    if found and len(max(found, key=len)) > LONGEST // 4:
        found = found if find is None or not ordinary else _split(text)
        _drop_long(file, found, findings, link)
    if "\x00" in text:
        _drop_nul(file, found, findings, link)
    return found


def _split(text: str) -> list[str]:
    """The lines. Equal ones are one string: in files of many servers most are like others."""
    known: dict[str, str] = {}
    found: list[str] = []
    start = 0
    while start <= len(text):
        end = text.find("\n", start + _PIECE)
        end = len(text) if end < 0 else end
        found += [known.setdefault(line, line) for line in text[start:end].split("\n")]
        start = end + 1
    if not found[-1]:
        found.pop()
    return found


_IN_UTF_16 = (
    "the file is in UTF-16, of which no line can be read",
    "save it as UTF-8 without a byte order mark",
    Problem.GENERAL_ERROR,
)
_WITH_BOM = (
    "the file begins with a byte order mark, which keepalived takes for part of the first word",
    "save the file as UTF-8 without a byte order mark",
    Problem.UNKNOWN_KEYWORD,
)


def _drop_long(file: str, found: list[str], findings: Findings, link: Link | None) -> None:
    for index, line in enumerate(found):
        if len(line) <= LONGEST // 4:
            continue
        data = line.encode("utf-8", "surrogateescape")
        if len(data) <= LONGEST:
            continue
        found[index] = ""
        shown = line[: LONGEST + SHOWN]
        span = Line(file, index + 1, shown, shown, link).span(LONGEST, LONGEST + 1)
        if line.lstrip(" \t\f\v")[:1] in ("#", "!"):
            rest = data[len(data) // (LONGEST + 1) * (LONGEST + 1) :].strip()
            problem = Problem.GENERAL_ERROR if rest and rest[:1] not in (b"#", b"!") else None
            message = f"line too long: {len(line)} characters of comment, of which keepalived reads the end as a line"
            hint = f"a line has at most {LONGEST} bytes; split it"
            severity = Severity.ERROR if problem else Severity.WARNING
            findings.add(Diagnostic(severity, message, span, hint, problem))
            continue
        message = f"line too long: {len(line)} characters, the line is ignored"
        _say(findings, span, message, f"a line has at most {LONGEST} bytes; split it", Problem.GENERAL_ERROR)


def _drop_nul(file: str, found: list[str], findings: Findings, link: Link | None) -> None:
    for index, line in enumerate(found):
        at = line.find("\x00")
        if at < 0:
            continue
        found[index] = ""
        span = Line(file, index + 1, line, line, link).span(at, at + 1)
        hint = "remove it; the file may be damaged"
        _say(findings, span, "the line holds a NUL byte and is ignored", hint, Problem.GENERAL_ERROR)


def _say(findings: Findings, span: Span, message: str, hint: str, problem: Problem, *, fatal: bool = False) -> None:
    findings.add(Diagnostic(Severity.ERROR, message, span, hint, problem, fatal))
