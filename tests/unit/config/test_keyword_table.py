"""The tables against keywords.tsv: paths, defaults, bounds, units, processes, kernels; and defaults of files."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import TIMER_MAX, Choice, Entries, Integer, Kind, Port, Refused, Timer
from pykeepalived.config.kinds_global import RealTimePriority
from pykeepalived.config.kinds_routes import AnyBase, Lockable, Named, Realms, Span
from pykeepalived.config.kinds_trackers import FileWeight, TrackerWeight
from pykeepalived.config.kinds_vrrp import ExtraGarpKind
from pykeepalived.config.listing import Row, Sort, by_path, rows
from pykeepalived.config.schema import UNSET, Repeat, is_block
from pykeepalived.units import SECOND
from tests.support.keyword_frames import FRAMES, Frame, loaded, parent, place

TABLE = Path(__file__).parents[2] / "config" / "keywords.tsv"


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
    assert {row.path for theirs, row in both() if row.process != theirs["process"]} == set()


def test_the_same_versions_needed() -> None:
    differ = {row.path: row.since for theirs, row in both() if row.since != theirs["since"]}
    assert differ == SINCE


def test_the_same_units() -> None:
    differ = {}
    for theirs, row in both():
        if row.keyword is not None:
            unit = row.keyword.unit or row.keyword.kind.unit
            if unit != theirs["unit"] and not row.negates:
                differ[row.path] = unit
    assert {row: UNITS.get(row.rpartition("/")[2]) for row in differ} == differ
    assert {row.rpartition("/")[2] for row in differ} == set(UNITS)


def test_the_same_aliases() -> None:
    found = 0
    for theirs, row in both():
        alias = re.match(r"alias-of (\S+)( \(deprecated)?", theirs["obsolete"])
        if alias is None or row.path.partition("/")[0] == "vrrp_track_file":
            continue
        found += 1
        other = by_path()[f"{parent(row.path)}/{alias[1]}"]
        assert (row.target or row.path) == (other.target or other.path), row.path
        assert row.deprecated >= bool(alias[2]), row.path
    assert found == 42


SINCE = {
    "bfd_instance/multihop": "after 2.2.7",  # the table does not say it
    "global_defs/lvs_sync_daemon": "",  # some of its words alone need a newer kernel
    "vrrp_instance/auth_hmac": "keepalived 2.4",  # the table does not say it
    "vrrp_instance/mcast_dst_ip": "Linux 4.20 for several IPv6 groups on an interface",
    "vrrp_instance/unicast_fault_no_peer": "keepalived 2.2.5",
}
"""What stands here, where the table says another thing, or the same in other words."""
UNITS = {
    **dict.fromkeys(("cwnd", "initcwnd", "initrwnd", "reordering", "ssthresh"), "packets"),
    **dict.fromkeys(("hoplimit", "max_ttl", "min_ttl", "unicast_ttl"), "hops"),
    **dict.fromkeys(("quorum", "quorum_max"), "processes"),
    "down_timer_adverts": "adverts",
    "rto_min": "ms",
    "rtt": "1/8 ms",
    "rttvar": "1/4 ms",
}
"""Units that the table does not tell, or tells in a sentence: the keyword's name -> what stands here."""

REPEATS = {
    "first wins": (Repeat.FIRST,),
    "once only": (Repeat.FIRST,),
    "last one wins": (Repeat.LAST,),
    "last wins": (Repeat.LAST,),
    "repeat overwrites with error": (Repeat.REPLACE,),
    "repeats append": (Repeat.COLLECT,),
}


def test_the_same_rules_for_a_second_use() -> None:
    found, differ = 0, {}
    for theirs, row in both():
        for words, rules in REPEATS.items():
            if row.keyword is not None and re.search(rf"\b{words}", theirs["range_or_values"]):
                found += 1
                if row.keyword.repeat not in rules:
                    differ[row.path] = row.keyword.repeat
    assert differ == {}
    assert found >= 66


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
        high = Decimal(TIMER_MAX) if said[2] == "max" else Decimal(said[2])
        if (Decimal(said[1]), high) != ours:
            differ[row.path] = (f"{ours[0]}..{ours[1]}", said[0])
    assert differ == {}
    assert found >= 243


def test_the_same_words() -> None:
    found = 0
    for theirs, row in both():
        if row.keyword is None or not isinstance(row.keyword.kind, Choice):
            continue
        found += 1
        words = row.keyword.kind.words
        args = theirs["args"].strip("[]").split("|")
        listed = re.findall(r"\S+", theirs["range_or_values"].partition(",")[0])
        if row.keyword.kind.fold:
            args = list(dict.fromkeys(word.upper() for word in args))
        assert list(words) in (args, listed), row.path
    assert found == 16


# --- defaults ---

_NONE = frozenset(
    ("off", "unset", "none", "empty", "any", "kernel", "kernel default", "all CPUs", "system default", "unlimited")
)
_OF_THE_FILE = frozenset(("-", "", "required", "inherit"))


def same_default(text: str, row: Row) -> bool | None:
    """Whether the default is the one that the table tells; None where no program can read that."""
    assert row.keyword is not None
    kind, ours = row.keyword.kind, row.keyword.default
    first = text.partition(" (")[0]
    if first in (ours, str(ours)):
        return True
    if first in _NONE:
        return ours in (None, (), "", b"", 0, False)
    if first == "on":
        return ours is True
    if f"global_defs/{first}" in by_path():
        return row.keyword.inherit == first
    if " " in first or first in _OF_THE_FILE:
        return None
    try:
        return bool(kind.read([first]) == ours)
    except (Refused, LookupError):
        return False


def test_the_same_defaults() -> None:
    found, differ = 0, {}
    for theirs, row in both():
        if row.keyword is None or row.negates or row.keyword.default is UNSET or isinstance(row.keyword.kind, Entries):
            continue
        same = same_default(theirs["default"], row)
        found += same is not None
        if same is False:
            differ[row.path] = (str(row.keyword.default), theirs["default"])
    assert {path for path in differ if path.rpartition("/")[2] not in DEFAULTS} == set()
    assert {path.rpartition("/")[2] for path in differ} == set(DEFAULTS)
    assert found >= 510


DEFAULTS = {
    "snmp_socket": "None stands for the library's own, unix:/var/agentx/master",
    "umask": "None stands for 0177, which the command line may change",
    "vrrp_rx_bufs_policy": "a value of two parts that are empty",
    "dev": "None until default_interface, or the instance's, is known",
    "scope": "0 is the number of global",
    **dict.fromkeys(("add", "prepend", "append"), "three words for one field, action"),
    **dict.fromkeys(("suppress_prefixlength", "sup_pl"), "None stands for -1: not given"),
    "persistence_granularity": "None: 255.255.255.255 or 128, by the family of the service",
    "name": "root is written as a point",
    "sni_name": "None stands for the virtualhost",
    "mcast_dst_ip": "that of the instance's family, of two keywords",
    **dict.fromkeys(("min_ttl", "max_ttl"), "None: not given, which enables nothing"),
    **dict.fromkeys(("hoplimit", "unicast_ttl"), "one for each family"),
    "timeout": "worked out: the interval",
}
"""Keywords whose default stands another way in the table than here, and how."""


def objects(value: Any) -> Iterator[Any]:
    """Every block that is somewhere in a configuration."""
    if isinstance(value, tuple):
        for each in value:
            yield from objects(each)
    elif is_dataclass(value) and not isinstance(value, type):
        if is_block(type(value)):
            yield value
        for field in fields(value):
            yield from objects(getattr(value, field.name))


def resolved(row: Row, configuration: Configuration) -> list[Any]:
    """What a keyword is in each block of a configuration; nothing if it is no field."""
    assert row.keyword is not None
    return [
        getattr(each, field.name)
        for each in objects(configuration)
        for field in fields(each)
        if field.metadata.get("keyword") is row.keyword
    ]


PLAIN = [row for row in rows() if row.sort is Sort.KEYWORD and not row.target and not row.negates]


def test_a_file_without_a_keyword_has_the_default() -> None:
    found, differ = 0, {}
    for row in PLAIN:
        assert row.keyword is not None
        if row.keyword.default is UNSET or row.path in FRAMES.get(parent(row.path), Frame()).least:
            continue
        for value in resolved(row, loaded(place(row, "").without).configuration)[-1:]:
            found += 1
            if value != row.keyword.default:
                differ[row.path] = value
    assert differ == WITHOUT
    assert found >= 312


WITHOUT = {
    "bfd_instance/checker": True,  # without both words, both processes
    "bfd_instance/vrrp": True,
    "garp_group/interfaces": ("eth1",),  # with those of interface
    "global_defs/router_id": "oracle",  # the name of the host
    "vrrp_instance/auth_hmac/time_window": 5 * SECOND,  # of advert_int, at least this
}
"""Keywords whose default is made of something else."""
