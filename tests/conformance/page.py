"""Writes docs/conformance.md from the ledger: ``python -m tests.conformance.page``; ``--check`` only compares.

The page is for operators: what is not done, and why; what takes a keyword; then every requirement with its tests.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from tests.conformance.requirements import RFCS, Reason, Requirement, ledger

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
TITLES = {
    9568: "VRRP version 3, IPv4 and IPv6",
    3768: "VRRP version 2, IPv4",
}
HEAD = """\
# Conformance

What RFC 9568 (VRRP version 3) and RFC 3768 (version 2) demand, and what becomes of it here. The RFCs' Active is MASTER.
Where keepalived does otherwise than an RFC, pykeepalived does as keepalived. Numbers are the section and a place in it;
the sentences are ours.

| here | means |
|---|---|
| yes | One test shows that it is kept, another that its neighbour (a packet, an event, a setting) meets the opposite. |
| with `keyword` | Kept where the configuration has that keyword. |
| kernel | Linux does it, not a daemon. |
| operator | It is for the configuration file, or for the network. |
| no | Not kept; the reason stands beside it. |
| n/a | What it is about is not there. |
| rule | (level) The RFC describes it without a capital word. |

This page is made from `tests/conformance/rfc*.txt` by `python -m tests.conformance.page`; do not edit it.
"""
_HERE = {Reason.DEVIATES: "no", Reason.KERNEL: "kernel", Reason.OPERATOR: "operator", Reason.ABSENT: "n/a"}


def page() -> str:
    """The whole page."""
    found = ledger()
    return "\n".join(
        (HEAD, *_counts(found), *_not_kept(found), *(line for rfc in RFCS for line in _tables(rfc, found)))
    )


def here(requirement: Requirement) -> str:
    """The word for what becomes of it."""
    if requirement.reason is not None:
        return _HERE[requirement.reason]
    return f"with {_code(requirement.takes)}" if requirement.takes else "yes"


def _counts(found: Sequence[Requirement]) -> Iterator[str]:
    words = ("yes", "with a keyword", *_HERE.values())
    yield "| RFC | " + " | ".join(words) + " | all |"
    yield "|---" * (len(words) + 2) + "|"
    for rfc in RFCS:
        each = ["with a keyword" if one.takes else here(one) for one in found if one.rfc == rfc]
        yield f"| {rfc} | " + " | ".join(str(each.count(word)) for word in words) + f" | {len(each)} |"
    yield ""


def _not_kept(found: Sequence[Requirement]) -> Iterator[str]:
    yield "## What is not kept"
    yield ""
    yield "| RFC | number | level | what | why not | tests |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        if one.reason is Reason.DEVIATES:
            cells = (one.rfc, one.number, one.level, one.text, one.because, _names(one.shown))
            yield "| " + " | ".join(str(cell) for cell in cells) + " |"
    yield ""


def _tables(rfc: int, found: Sequence[Requirement]) -> Iterator[str]:
    yield f"## RFC {rfc}: {TITLES[rfc]}"
    yield ""
    for section, ones in groupby((one for one in found if one.rfc == rfc), key=_chapter):
        yield f"### RFC {rfc}, {section}"
        yield ""
        yield "| number | level | what | here | why, or what else | tests |"
        yield "|---|---|---|---|---|---|"
        for one in ones:
            cells = (one.number, one.level, one.text, here(one), one.because or one.note, _tests(one))
            yield "| " + " | ".join(cells) + " |"
        yield ""


def _chapter(one: Requirement) -> str:
    return ".".join(one.section.split(".")[:2])


def _tests(one: Requirement) -> str:
    parts = (("obeys: ", one.obeys), ("refuses: ", one.refuses), ("", one.shown))
    return "<br>".join(word + _names(tests) for word, tests in parts if tests)


def _names(tests: Sequence[str]) -> str:
    return " ".join(f"`{test}`" for test in tests)


def _code(words: str) -> str:
    return " or ".join(f"`{word}`" for word in words.split(" or "))


def main(arguments: Sequence[str], path: Path = PAGE) -> int:
    """0, or 1 where --check finds another page than the ledger's."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tests.conformance.page [--check]", file=sys.stderr)
        return 2
    fresh = path.exists() and path.read_text("utf-8") == page()
    if arguments and not fresh:
        print(f"{path.name} is not what the ledger says: run python -m tests.conformance.page", file=sys.stderr)
    if not arguments and not fresh:
        path.write_text(page(), "utf-8")
        print(path.name)
    return int(bool(arguments) and not fresh)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
