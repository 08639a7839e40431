"""The tables against keywords.tsv: paths, defaults, bounds, units, processes, kernels; and defaults as files have them."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import Choice, Entries, Flag, Integer, Kind, Port, Timer
from pykeepalived.config.kinds_global import RealTimePriority
from pykeepalived.config.kinds_lvs import FileWeight
from pykeepalived.config.kinds_routes import AnyBase, Lockable, Named, Realms, Span
from pykeepalived.config.kinds_trackers import Milliseconds, TrackerWeight
from pykeepalived.config.kinds_vrrp import ExtraGarpKind
from pykeepalived.config.listing import ENTRY, Row, Sort, by_path, rows
from pykeepalived.config.schema import UNSET, Block, is_block, table_of
from pykeepalived.units import SECOND
from tests.support.keyword_frames import FRAMES, loaded, parent, place

TABLE = Path(__file__).parents[2] / "config" / "keywords.tsv"
SPELLED = {"preprocessor": ("~", "$", "@", "include")}


@cache
def told() -> Mapping[str, dict[str, str]]:
    """The rows of the table by their path."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def both() -> Iterator[tuple[dict[str, str], Row]]:
    """A row of the table, and ours."""
    ours = by_path()
    return ((row, ours[path]) for path, row in told().items() if path in ours)


def test_the_same_paths() -> None:
    assert len(told()) == 782
    assert set(told()) == {row.path for row in rows()}


def test_the_same_processes() -> None:
    differ = {row.path: (row.process, theirs["process"]) for theirs, row in both() if row.process != theirs["process"]}
    assert differ == PROCESSES


def test_the_same_versions_needed() -> None:
    differ = {row.path: (row.since, theirs["since"]) for theirs, row in both() if row.since != theirs["since"]}
    assert differ == SINCE


def test_the_same_units() -> None:
    differ = {}
    for theirs, row in both():
        if row.keyword is not None:
            unit = row.keyword.unit or row.keyword.kind.unit
            if unit != theirs["unit"] and not row.negates:
                differ[row.path] = (unit, theirs["unit"])
    assert differ == UNITS


def test_the_same_aliases() -> None:
    found = 0
    for theirs, row in both():
        alias = re.match(r"alias-of (\S+)( \(deprecated)?", theirs["obsolete"])
        if alias is None or row.path.partition("/")[0] == "vrrp_track_file":
            continue
        found += 1
        assert row.target == f"{parent(row.path)}/{alias[1]}", row.path
        assert row.deprecated >= bool(alias[2]), row.path
    assert found == 0


PROCESSES: dict[str, tuple[str, str]] = {}
SINCE: dict[str, tuple[str, str]] = {}
UNITS: dict[str, tuple[str, str]] = {}

# --- bounds ---

_BOUNDS = re.compile(r"(?:UDP |clamped to |number base auto )?(-?[0-9.]+)\.\.(-?[0-9.]+|max)(?![0-9.])")


def bounds(kind: Kind) -> tuple[Decimal, Decimal] | None:
    """What the kind takes."""
    match kind:
        case Lockable(inner):
            return bounds(inner)
        case ExtraGarpKind(low, high) | Integer(low, high) | Timer(low, high):
            return Decimal(low), Decimal(high)
        case Named(_, high, low):
            return Decimal(low), Decimal(high)
        case AnyBase(high) | Span(high):
            return Decimal(0), Decimal(high)
        case TrackerWeight(limit):
            return Decimal(-limit), Decimal(limit)
        case FileWeight():
            return Decimal(-2147483647), Decimal(2147483647)
        case Port():
            return Decimal(1), Decimal(65535)
        case RealTimePriority():
            return Decimal(1), Decimal(99)
        case Realms():
            return Decimal(0), Decimal(255)
    return None


def test_the_same_bounds() -> None:
    found, differ = 0, {}
    for theirs, row in both():
        said = _BOUNDS.match(theirs["range_or_values"].removeprefix("PORT ").removeprefix("weight "))
        ours = bounds(row.keyword.kind) if row.keyword is not None else None
        if said is None or ours is None:
            continue
        found += 1
        high = Decimal("18446744073.709551614") if said[2] == "max" else Decimal(said[2])
        if (Decimal(said[1]), high) != ours:
            differ[row.path] = (f"{ours[0]}..{ours[1]}", said[0])
    assert differ == BOUNDS
    assert found >= 1


BOUNDS: dict[str, tuple[str, str]] = {}


def test_the_same_words() -> None:
    found, differ = 0, {}
    for theirs, row in both():
        if row.keyword is None or not isinstance(row.keyword.kind, Choice):
            continue
        found += 1
        words = row.keyword.kind.words
        args = theirs["args"].strip("[]").split("|")
        listed = re.findall(r"\S+", theirs["range_or_values"].partition(",")[0])
        if list(words) not in (args, listed):
            differ[row.path] = (words, theirs["args"])
    assert found >= 16
    assert differ == CHOICES


CHOICES: dict[str, tuple[tuple[str, ...], str]] = {}

# --- defaults ---

NOT_TOLD = object()


def default(text: str, row: Row) -> Any:
    """The default as the table tells it, where a program can read that; None where there is none."""
    assert row.keyword is not None
    kind, ours = row.keyword.kind, row.keyword.default
    first = text.partition(" (")[0]
    if first in ("off", "on"):
        return first == "on"
    if first in ("unset", "none", "empty", "any", "kernel", "kernel default", "all CPUs", "system default"):
        return None
    if re.fullmatch(r"-?[0-9.]+", first):
        unit = SECOND // 1000 if isinstance(kind, Milliseconds) else SECOND if isinstance(kind, Timer) else 1
        return int(Decimal(first) * unit) if first.count(".") < 2 else first
    if " " in first or first in ("-", "required", "inherit"):
        return NOT_TOLD
    return first if not row.keyword.inherit or ours is not None else NOT_TOLD


def test_the_same_defaults() -> None:
    found, differ = 0, {}
    for theirs, row in both():
        if row.keyword is None or row.negates or row.keyword.default is UNSET or isinstance(row.keyword.kind, Entries):
            continue
        wanted = default(theirs["default"], row)
        if wanted is NOT_TOLD:
            continue
        found += 1
        ours = row.keyword.default
        none = (None, (), "", b"", 0, False)
        same = ours in none if wanted is None or wanted is False else str(ours) == str(wanted)
        if not same:
            differ[row.path] = (str(ours), theirs["default"])
    assert differ == DEFAULTS
    assert found >= 1


DEFAULTS: dict[str, tuple[str, str]] = {}
