"""Blocks that are not effective yet: the few mistakes that keepalived counts and their structure alone can show."""

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import Statement


class LaterChecks:
    """Lines of such blocks, and blocks as they end."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def line(self, block: str, line: Statement) -> None:
        """A line of a block of lines."""
        if block in ("virtual_routes", "static_routes") and "or" in line.words[1:]:
            place = line.words.index("or", 1)
            self._error(
                '"or" for routes is deprecated, please use "nexthop"', line.span(place), "write nexthop via ..."
            )

    def _error(self, message: str, span: Span, hint: str) -> None:
        self._findings.add(Diagnostic(Severity.ERROR, message, span, hint, Problem.GENERAL_ERROR))
