"""Files as lines: what a file may look like, and what of it is dropped before anybody reads words."""

from collections.abc import Iterator

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import Line

LONGEST = 1022
"""Bytes of a line without its end."""
BOM = "\ufeff"
SHOWN = 200


def lines(file: str, data: bytes, findings: Findings) -> Iterator[Line]:
    """The usable lines of a file, numbered from 1, without line ends. Bytes that are no UTF-8 are kept as they are."""
    text = data.decode("utf-8", "surrogateescape")
    if text.startswith(BOM):
        findings.add(
            Diagnostic(
                Severity.ERROR,
                "the file begins with a byte order mark, which keepalived takes for part of the first word",
                Span(file, 1, 1, 1, text[1:].partition("\n")[0][:SHOWN]),
                "save the file as UTF-8 without a byte order mark",
                Problem.UNKNOWN_KEYWORD,
            )
        )
        text = text[1:]
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip("\r")
        if len(line) > LONGEST // 4 and len(line.encode("utf-8", "surrogateescape")) > LONGEST:
            findings.add(
                Diagnostic(
                    Severity.ERROR,
                    f"line too long: {len(line)} characters, the line is ignored",
                    Span(file, number, LONGEST + 1, 1, line),
                    f"a line has at most {LONGEST} bytes; split it",
                    Problem.GENERAL_ERROR,
                )
            )
            continue
        if "\x00" in line:
            findings.add(
                Diagnostic(
                    Severity.ERROR,
                    "the line holds a NUL byte and is ignored",
                    Span(file, number, line.index("\x00") + 1, 1, line),
                    "the file may be damaged or in UTF-16; save it as UTF-8",
                    Problem.GENERAL_ERROR,
                )
            )
            continue
        yield Line(file, number, line, line)
