"""Blocks that are not effective yet: the few mistakes that keepalived counts and their structure alone can show."""

from collections.abc import Mapping

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import Statement
from pykeepalived.config.raw import Raw

DEFINES = {"track_file": "file", "bfd_instance": "neighbor_ip"}
"""Block that defines a name -> the keyword it must have."""
REQUIRED = {
    "MISC_CHECK": ("misc_path",),
    "FILE_CHECK": ("track_file",),
    "BFD_CHECK": ("name",),
    "SSL_GET": ("url",),
}
"""Block -> keywords of which one must be there."""
NAMED = {("FILE_CHECK", "track_file"): "track_file", ("BFD_CHECK", "name"): "bfd_instance"}
"""Block and keyword -> what the keyword names."""


class LaterChecks:
    """Names that are defined, and blocks as they end."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._defined: dict[str, set[str]] = {kind: set() for kind in DEFINES}

    def defined(self, raw: Raw) -> None:
        """A block that is effective has ended: what it defines may be named from now on."""
        needs = DEFINES.get(raw.table.name)
        if needs in raw.given and ("checker" in raw.given or "vrrp" not in raw.given):
            self._defined[raw.table.name].add(raw.name)

    def block(self, name: str, head: Statement, inside: Mapping[str, Statement]) -> None:
        """A block of keywords has ended; ``inside`` holds the first line of each."""
        required = REQUIRED.get(name, ())
        if required and not any(keyword in inside for keyword in required):
            what = " ".join(head.words[:2])
            self._error(f"{what} has no {required[0]}", head.span(0), f"add a line: {required[0]} ...")
        for (block, keyword), kind in NAMED.items():
            if block == name and keyword in inside and len(inside[keyword].words) > 1:
                self._known(kind, inside[keyword], 1)

    def line(self, block: str, line: Statement) -> None:
        """A line of a block of lines."""
        if block in ("virtual_routes", "static_routes") and "or" in line.words[1:]:
            place = line.words.index("or", 1)
            self._error(
                '"or" for routes is deprecated, please use "nexthop"', line.span(place), "write nexthop via ..."
            )

    def _known(self, kind: str, line: Statement, word: int) -> None:
        name = line.words[word]
        if name not in self._defined[kind]:
            self._error(
                f"{kind} {name} not found, ignoring...", line.span(word), f"define it above: {kind} {name} {{ ... }}"
            )

    def _error(self, message: str, span: Span, hint: str) -> None:
        self._findings.add(Diagnostic(Severity.ERROR, message, span, hint, Problem.GENERAL_ERROR))
