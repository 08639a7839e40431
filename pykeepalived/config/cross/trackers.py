"""Lines of the track_ blocks as values, with the weights of the definitions, and what owners and groups do to them."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from pykeepalived.config.blocks.trackers import TrackBfd, TrackFile, TrackInterface, TrackProcess, TrackScript
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.diagnostics import Span
from pykeepalived.config.kinds import Problem, Refused, number
from pykeepalived.config.kinds_trackers import FILE_WEIGHT, TRACK_WEIGHT, Weight
from pykeepalived.config.raw import EntryGiven, Given, Piece, Raw
from pykeepalived.records import record

NO_WEIGHT = Weight(0)
Tracker = TrackInterface | TrackScript | TrackFile | TrackProcess | TrackBfd


@record(frozen=True, slots=True)
class Defined:
    """What a line may follow, and where in the file it was defined."""

    order: int
    weight: Weight = NO_WEIGHT
    script: VrrpScript | None = None
    useless: str = ""
    """Why it cannot be followed; the mistake itself was said, and counted, where it is defined."""


@record(frozen=True, slots=True)
class Definitions:
    """All that lines may follow, by name."""

    vrrp_script: Mapping[str, Defined] = field(default_factory=dict)
    track_file: Mapping[str, Defined] = field(default_factory=dict)
    vrrp_track_process: Mapping[str, Defined] = field(default_factory=dict)
    bfd_instance: Mapping[str, Defined] = field(default_factory=dict)


@record(frozen=True, slots=True)
class _Kind:
    """One sort of tracker."""

    what: str
    """As messages have it."""
    make: type[Any]
    limit: int = TRACK_WEIGHT
    lowered: bool = False
    """254 becomes 253 with an error, rather than the default."""
    noreverse: bool = True


_INTERFACE = _Kind("interface", TrackInterface, lowered=True, noreverse=False)
_KINDS = {
    "track_script": ("vrrp_script", _Kind("script", TrackScript, lowered=True)),
    "track_file": ("track_file", _Kind("file", TrackFile, FILE_WEIGHT)),
    "track_process": ("vrrp_track_process", _Kind("process", TrackProcess, FILE_WEIGHT)),
    "track_bfd": ("bfd_instance", _Kind("bfd", TrackBfd)),
}
"""Keyword -> the block it follows, and its sort."""
TRACKS = ("track_interface", *_KINDS)


# --- weights ---


def _weight(owner: str, entry: EntryGiven, kind: _Kind, context: Context, default: Weight) -> Weight | None:
    """The weight of a line; None when a word is unknown, which drops the tracker."""
    if not entry.pieces:
        return default
    first = entry.pieces[0]
    if first.name != "weight":
        _unknown(owner, entry, first, kind, context)
        return None
    if first.value is None:
        message = f"({owner}) weight of tracked {kind.what} {entry.subject} lacks its value - it is not tracked"
        context.error(message, entry.span(first), f"write {entry.subject} weight N")
        return None
    value = _bounded(owner, entry, first, kind, context)
    reverse = default.reverse
    if len(entry.pieces) > 1:
        second = entry.pieces[1]
        if second.name not in ("reverse", "noreverse"):
            _unknown(owner, entry, second, kind, context)
            return None
        reverse = second.name == "reverse"
    return Weight(default.value if value is None else value, reverse)


def _unknown(owner: str, entry: EntryGiven, piece: Piece, kind: _Kind, context: Context) -> None:
    word = piece.name or piece.value
    hint = "write NAME, NAME weight N, or NAME weight N reverse"
    if kind is _INTERFACE and context.interface(word or "") is not None:
        hint = "write each interface on a line of its own"
    message = f"({owner}) unknown option '{word}' of tracked {kind.what} {entry.subject} - it is not tracked"
    context.error(message, entry.span(piece), hint)


def _bounded(owner: str, entry: EntryGiven, piece: Piece, kind: _Kind, context: Context) -> int | None:
    """The number, or None for the default."""
    limit = kind.limit
    try:
        value = number(piece.value or "")
    except Refused as refused:
        message = f"({owner}) weight of {entry.subject}: {refused.message}"
        context.error(message, entry.span(piece), refused.hint, Problem.INVALID_NUMBER)
        return None
    if kind.lowered and abs(value) == limit + 1:
        bounded = limit if value > 0 else -limit
        hint = f"use a number from -{limit} to {limit}"
        context.error(f"({owner}) weight {value} of {entry.subject} is reduced to {bounded}", entry.span(piece), hint)
        return bounded
    if abs(value) > limit:
        message = f"({owner}) weight of {entry.subject}: number '{value}' outside range [-{limit}, {limit}]"
        context.error(message, entry.span(piece), f"use a number from -{limit} to {limit}", Problem.INVALID_NUMBER)
        return None
    return value


# --- lines ---


def interfaces(owner: str, given: Given | None, context: Context, own: str = "") -> tuple[TrackInterface, ...]:
    """The interfaces followed."""
    found: dict[str, TrackInterface] = {}
    entries: Sequence[EntryGiven] = given.value if given is not None else ()
    for entry in entries:
        name = entry.subject
        if not context.dynamic_interfaces and context.interface(name) is None:
            message = f"({owner}) tracked interface {name} doesn't exist"
            context.missing_interface = True
            context.error(message, entry.span(), context.interface_hint(name), fatal=True)
            continue
        if name in found or name == own:
            what = "the instance's own interface" if name == own else "tracked already"
            context.error(f"({owner}) {name} is {what} - ignored", entry.span(), "remove it")
            continue
        weight = _weight(owner, entry, _INTERFACE, context, NO_WEIGHT)
        if weight is not None:
            found[name] = TrackInterface(name, weight.value, weight.reverse)
    return tuple(found.values())


def followed(owner: str, raw: Raw, definitions: Definitions, context: Context) -> dict[str, Any]:
    """What the lines of track_script, track_file, track_process and track_bfd follow, by keyword."""
    return {keyword: _lines(owner, raw.given.get(keyword), keyword, definitions, context) for keyword in _KINDS}


def _lines(
    owner: str, given: Given | None, keyword: str, definitions: Definitions, context: Context
) -> tuple[Tracker, ...]:
    """Each must be defined on an earlier line."""
    if given is None:
        return ()
    block, kind = _KINDS[keyword]
    defined: Mapping[str, Defined] = getattr(definitions, block)
    found: dict[str, Tracker] = {}
    entries: Sequence[EntryGiven] = given.value
    for entry in entries:
        name = entry.subject
        definition = defined.get(name)
        message = f"({owner}) track {kind.what} {name} "
        if definition is None:
            hint = nearest(name, defined) or f"define it above: {block} {name} {{ ... }}"
            context.error(f"{message}not found, ignoring...", entry.span(), hint)
        elif definition.order > given.order:
            hint = f"move the {block} above this block"
            context.error(f"{message}is defined after its use, ignoring...", entry.span(), hint)
        elif name in found:
            context.error(f"({owner}) {kind.what} {name} is tracked already - ignored", entry.span(), "remove it")
        else:
            weight = _weight(owner, entry, kind, context, definition.weight)
            if weight is None:
                continue
            if definition.useless:
                hint = "mend it, see there; without it a failure goes unnoticed"
                context.warning(f"{message}{definition.useless}, ignoring...", entry.span(), hint)
                continue
            found[name] = kind.make(name, weight.value, weight.reverse)
    return tuple(found.values())


# --- what weights may not be where ---


def of_owner(raw: Raw, values: dict[str, Any], context: Context) -> None:
    """Takes from an owner's trackers the weights, which cannot change its priority of 255."""
    hint = "an owner's priority is always 255; track it without a weight, or lower the priority"
    for keyword in TRACKS:
        kept: list[Tracker] = []
        for each in values[keyword]:
            left = _without_weight(each)
            if each.weight:
                # keepalived lets a process pass
                say = context.warning if left is each else context.error
                say(
                    f"({raw.name}) ignoring weight of tracked {each.name} due to address owner", raw.span(keyword), hint
                )
            if left is not None:
                kept.append(left)
        values[keyword] = tuple(kept)


def _without_weight(each: Tracker) -> Tracker | None:
    """What is left of a tracker whose weight must not count, as keepalived has it; None: it is not followed."""
    if not each.weight or isinstance(each, TrackProcess):
        return each
    if isinstance(each, TrackFile) and each.weight == 1:
        return replace(each, weight=0)  # the default of a definition: taken for none
    return None


def of_member(
    name: str, group: str, values: Mapping[str, Sequence[Tracker]], span: Span, context: Context
) -> dict[str, Any]:
    """Takes weights from a member's trackers: members that change state together must not differ by them."""
    hint = "add sync_group_tracking_weight to the group, track on the group itself, or remove the weight"
    found: dict[str, Any] = {}
    for keyword, trackers in values.items():
        kept: list[Tracker] = []
        for each in trackers:
            faults = isinstance(each, TrackInterface) and each.weight
            left = TrackInterface(each.name) if faults else _without_weight(each)
            if left is not each:
                outcome = "ignoring" if left is None else "its failure is a fault"
                what = keyword.removeprefix("track_")
                message = f"({name}) tracked {what} {each.name} has a weight in sync group {group} - {outcome}"
                context.error(message, span, hint)
            if left is not None:
                kept.append(left)
        found[keyword] = tuple(kept)
    return found


def of_group_with_owner(
    group: str, member: str, values: Mapping[str, Sequence[Tracker]], raw: Raw, context: Context
) -> dict[str, Any]:
    """Clears the weights of a group's trackers where a member's priority is 255."""
    hint = f"{member} is an owner, whose priority is always 255; track it without a weight, or lower the priority"
    found: dict[str, Any] = {}
    for keyword, trackers in values.items():
        for each in trackers:
            if each.weight:
                what = keyword.replace("_", " ")
                message = f"({group}) Cannot have weighted {what} '{each.name}' with member having priority 255"
                context.error(f"{message} - clearing weight", raw.span(keyword), hint)
        found[keyword] = tuple(replace(each, weight=0) for each in trackers)
    return found
