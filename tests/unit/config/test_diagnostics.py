"""Diagnostics as an operator sees them, and what they add up to."""

import pytest

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span, exit_status, render
from pykeepalived.config.kinds import Problem


def span(text: str, column: int, length: int) -> Span:
    return Span("k.conf", 12, column, length, text)


def test_the_place_the_line_the_mark_and_the_remedy() -> None:
    found = Diagnostic(
        Severity.ERROR, "Unknown keyword 'priorty'", span("    priorty 150", 5, 7), "did you mean priority?"
    )
    assert render(found).split("\n") == [
        "k.conf:12:5: error: Unknown keyword 'priorty'",
        "   12 | priorty 150",
        "      | ^~~~~~~",
        "  hint: did you mean priority?",
    ]


@pytest.mark.parametrize(
    ("text", "column"), [("\t\tpriority\tx", 12), ("  äöü x", 7), ("a" * 400 + " x", 402), ("{ x", 3)]
)
def test_the_mark_stands_below_its_word(text: str, column: int) -> None:
    _, line, mark = render(Diagnostic(Severity.ERROR, "m", span(text, column, 1))).split("\n")
    assert line[mark.index("^")] == "x"
    assert len(line) < 200


def test_the_mark_stands_below_its_word_also_behind_wide_characters() -> None:
    _, line, mark = render(Diagnostic(Severity.ERROR, "m", span("東京 \uff15\uff11 x", 4, 2))).split("\n")
    assert line == "   12 | 東京 \uff15\uff11 x"
    assert mark == "      |      ^~~~"


def test_nothing_reaches_the_terminal_that_it_would_obey() -> None:
    shown = render(Diagnostic(Severity.WARNING, "\x1b[2J\udcff", span("a \x1b[31m\x07", 3, 2), "x\ny"))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\\x1b[2J\\xff" in shown
    assert "  hint: x y" in shown


def test_colour_changes_no_text() -> None:
    found = Diagnostic(Severity.ERROR, "m", span("a b", 3, 1), "h")
    coloured = render(found, colour=True)
    assert "\x1b[" in coloured
    assert "error" in coloured
    assert "\x1b[" not in render(found)


def test_without_a_place() -> None:
    assert render(Diagnostic(Severity.NOTE, "m")) == "note: m"


@pytest.mark.parametrize(
    ("problems", "status"),
    [
        ([], 0),
        ([None], 0),
        ([Problem.FILE_NOT_FOUND], 4),
        ([Problem.BAD_IF, Problem.FATAL], 4),
        ([Problem.FATAL, Problem.WARNING], 5),
        ([Problem.UNKNOWN_KEYWORD], 5),
        ([Problem.SECURITY_ERROR, Problem.UNKNOWN_KEYWORD], 6),
        ([Problem.INCLUDE_CHECK], 6),
        ([Problem.LACKS_WORD, Problem.SECURITY_ERROR], 2),
    ],
)
def test_exit_status(problems: list[Problem | None], status: int) -> None:
    assert exit_status(Diagnostic(Severity.ERROR, "m", problem=problem) for problem in problems) == status


def test_findings_are_kept_once_in_order_and_not_without_end() -> None:
    findings = Findings()
    late = Diagnostic(Severity.ERROR, "late", span("x", 1, 1))
    for found in (
        Diagnostic(Severity.ERROR, "nowhere"),
        late,
        late,
        Diagnostic(Severity.ERROR, "a", Span("k.conf", 2, 1, 1, "")),
    ):
        findings.add(found)
    assert [each.message for each in findings.all()] == ["a", "late", "nowhere"]
    for number in range(5000):
        findings.add(Diagnostic(Severity.ERROR, f"m{number}", problem=Problem.WARNING))
    findings.add(Diagnostic(Severity.ERROR, "security", problem=Problem.SECURITY_ERROR))
    kept = findings.all()
    assert len(kept) <= Findings.MOST + 2
    assert exit_status(kept) == 6
    assert "further mistakes are not shown" in kept[-1].message
