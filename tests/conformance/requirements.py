"""The ledger of what the RFCs of VRRP demand, and its reader.

A file an RFC. A requirement is a line with its number (section, place in it) and level, one or more indented lines with
what it says, and what becomes of it here:

    7.1-4 MUST
        An advert of a VRID that the receiving interface does not have is discarded.
        obeys    tests/scenarios/vrrp/04_backup_hears_its_master.txt
        refuses  tests/unit/vrrp/test_router.py::test_an_advert_for_nobody_is_silent_unless_asked_for

``obeys`` names a test in which it is kept, ``refuses`` one of its neighbour: a packet, event or setting for which the
opposite must happen. ``with`` says which keyword it takes, ``note`` what else an operator should know. Instead of the
tests stands a reason: ``kernel`` (it does that, not we), ``operator`` (a matter of the configuration file, or of the
network), ``deviates`` (we do otherwise) or ``absent`` (what it is about is not there). ``shown`` names tests of the
reason. A line that goes on is indented further.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

FOLDER = Path(__file__).parent
RFCS = (9568, 3768)


class Level(StrEnum):
    """How much is demanded. RULE: the RFC describes it, as a formula or a step, without one of the capital words."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"
    RECOMMENDED = "RECOMMENDED"
    NOT_RECOMMENDED = "NOT RECOMMENDED"
    RULE = "rule"


class Reason(StrEnum):
    """Why no pair of tests stands for a requirement."""

    DEVIATES = "deviates"
    KERNEL = "kernel"
    OPERATOR = "operator"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand of one RFC."""

    rfc: int
    number: str
    level: Level
    text: str
    obeys: tuple[str, ...]
    refuses: tuple[str, ...]
    shown: tuple[str, ...]
    takes: str
    note: str
    reason: Reason | None
    because: str

    @property
    def section(self) -> str:
        """``7.1`` of 7.1-4."""
        return self.number.rpartition("-")[0]

    @property
    def place(self) -> tuple[tuple[int, ...], int]:
        """What requirements are ordered by."""
        return tuple(int(part) for part in self.section.split(".")), int(self.number.rpartition("-")[2])


@dataclass(slots=True)
class _Entry:
    """A requirement while it is read."""

    number: str
    level: Level
    text: list[str] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)


_TESTS = {"obeys", "refuses", "shown"}
_SENTENCES = {"with", "note", *Reason}


def ledger() -> list[Requirement]:
    """Every requirement, in the order of the files."""
    return [each for rfc in RFCS for each in read(rfc, (FOLDER / f"rfc{rfc}.txt").read_text("utf-8"))]


def read(rfc: int, text: str) -> list[Requirement]:
    """The requirements of one file; ValueError names a line that cannot be read."""
    return [_requirement(rfc, entry) for entry in _entries(text)]


def _entries(text: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    last: list[str] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if entry is not None:
                yield entry
            entry = _Entry(word, Level(rest))
            last = entry.text
        elif entry is None:
            raise ValueError(f"before the first requirement: {line}")
        elif line.startswith(" " * 8):
            last.append(line.strip())
        elif word in _TESTS | _SENTENCES:
            last = entry.words.setdefault(word, [])
            last.append(rest.strip())
        elif entry.words:
            raise ValueError(f"{entry.number}: {line}")
        else:
            entry.text.append(line.strip())
    if entry is not None:
        yield entry


def _requirement(rfc: int, entry: _Entry) -> Requirement:
    reasons = [each for each in Reason if each in entry.words]
    if len(reasons) > 1:
        raise ValueError(f"{entry.number}: several reasons")
    reason = reasons[0] if reasons else None
    sentence = {word: " ".join(entry.words.get(word, ())) for word in _SENTENCES}
    tests = {word: tuple(entry.words.get(word, ())) for word in _TESTS}
    return Requirement(
        rfc=rfc,
        number=entry.number,
        level=entry.level,
        text=" ".join(entry.text),
        obeys=tests["obeys"],
        refuses=tests["refuses"],
        shown=tests["shown"],
        takes=sentence["with"],
        note=sentence["note"],
        reason=reason,
        because=sentence[reason] if reason else "",
    )
