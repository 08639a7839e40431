"""Where the two daemons differ with the same file, and why that is right. What is not listed must be the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import unified_diff

from tests.lab.side_by_side import OURS, THEIRS


@dataclass(frozen=True, slots=True)
class Difference:
    """Lines that only one of the two has, or that both have in other words; they are left out of the comparison."""

    reason: str
    theirs: str = ""
    """A pattern of keepalived 2.2.7's whole line."""
    ours: str = ""
    """A pattern of our whole line."""
    streams: str = ""
    """A pattern of the names of the streams that it is about; empty: all."""
    plays: str = ""
    """A pattern of the names of the files or stories; empty: all."""
    chance: bool = False
    """Whether it need not happen."""


DIFFERENCES: tuple[Difference, ...] = ()


@dataclass(slots=True)
class Comparison:
    """What was compared, and which of the listed differences were met."""

    met: set[Difference] = field(default_factory=set)
    played: set[str] = field(default_factory=set)


def report(name: str, streams: Mapping[str, Mapping[str, list[str]]], comparison: Comparison) -> list[str]:
    """What differs and may not, as lines."""
    comparison.played.add(name)
    found = []
    for stream, told in streams.items():
        theirs, ours = (_left(name, stream, told[make], make, comparison) for make in (THEIRS, OURS))
        if lines := list(unified_diff(theirs, ours, THEIRS, OURS, lineterm="", n=1)):
            found += [f"== {stream}", *lines]
    return found


def stale(comparison: Comparison) -> list[str]:
    """The reasons that nothing shows any more, of those that what was played can show."""
    ours = [each for each in DIFFERENCES if any(re.search(each.plays, name) for name in comparison.played)]
    return [each.reason for each in ours if each not in comparison.met and not each.chance]


def _left(name: str, stream: str, lines: list[str], make: str, comparison: Comparison) -> list[str]:
    """The lines that are no listed difference."""
    applies = [each for each in DIFFERENCES if re.search(each.plays, name) and re.search(each.streams, stream)]
    left = []
    for line in lines:
        hit = next((each for each in applies if _matches(each, line, make)), None)
        if hit is None:
            left.append(line)
        else:
            comparison.met.add(hit)
    return left


def _matches(difference: Difference, line: str, make: str) -> bool:
    pattern = difference.theirs if make == THEIRS else difference.ours
    return bool(pattern) and re.fullmatch(pattern, line) is not None
