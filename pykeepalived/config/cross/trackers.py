"""Lines of track_interface and track_script as values, with the weights of the definitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pykeepalived.config.blocks.trackers import TrackInterface, TrackScript
from pykeepalived.config.blocks.vrrp_script import TRACK_WEIGHT, VrrpScript
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.kinds import Problem, Refused, number
from pykeepalived.config.raw import EntryGiven, Given, Piece


@dataclass(frozen=True, slots=True)
class Defined:
    """A vrrp_script and where in the file it was defined."""

    script: VrrpScript | None
    """None: its command cannot be run."""
    order: int
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class _Weight:
    value: int
    reverse: bool


def _weight(owner: str, entry: EntryGiven, context: Context, default: _Weight) -> _Weight | None:
    """The weight of a line; None when an option is unknown, which drops the tracker."""
    value, reverse = default.value, default.reverse
    for piece in entry.pieces:
        if piece.name == "weight" and piece.value is not None:
            value = _bounded(owner, entry, piece, context, default.value)
        elif piece.name in ("reverse", "noreverse"):
            reverse = piece.name == "reverse"
        else:
            word = piece.value if not piece.name else piece.name
            hint = "write NAME, NAME weight N, or NAME weight N reverse"
            message = f"({owner}) unknown option '{word}' of {entry.subject} - it is not tracked"
            context.error(message, entry.span(piece), hint)
            return None
    return _Weight(value, reverse)


def _bounded(owner: str, entry: EntryGiven, piece: Piece, context: Context, default: int) -> int:
    try:
        value = number(piece.value or "")
    except Refused as refused:
        message = f"({owner}) weight of {entry.subject}: {refused.message}"
        context.error(message, entry.span(piece), refused.hint, Problem.INVALID_NUMBER)
        return default
    if abs(value) == TRACK_WEIGHT + 1:
        bounded = TRACK_WEIGHT if value > 0 else -TRACK_WEIGHT
        context.error(f"({owner}) weight {value} of {entry.subject} is reduced to {bounded}", entry.span(piece))
        return bounded
    if abs(value) > TRACK_WEIGHT:
        message = f"({owner}) number '{value}' outside range [-{TRACK_WEIGHT}, {TRACK_WEIGHT}]"
        context.error(message, entry.span(piece), "use a number from -253 to 253", Problem.INVALID_NUMBER)
        return default
    return value


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
            what = "the instance's own interface and always tracked" if name == own else "tracked already"
            context.error(f"({owner}) {name} is {what} - ignored", entry.span(), "remove it")
            continue
        weight = _weight(owner, entry, context, _Weight(0, reverse=False))
        if weight is not None:
            found[name] = TrackInterface(name, weight.value, weight.reverse)
    return tuple(found.values())


def scripts(
    owner: str, given: Given | None, defined: Mapping[str, Defined], context: Context
) -> tuple[TrackScript, ...]:
    """The scripts followed; each must be defined on an earlier line."""
    found: dict[str, TrackScript] = {}
    entries: Sequence[EntryGiven] = given.value if given is not None else ()
    for entry in entries:
        name = entry.subject
        definition = defined.get(name)
        if definition is None:
            hint = nearest(name, defined) or f"define it: vrrp_script {name} {{ script ... }}"
            context.error(f"({owner}) track script {name} not found, ignoring...", entry.span(), hint)
            continue
        if given is not None and definition.order > given.order:
            hint = "move the vrrp_script above the instance"
            context.error(f"({owner}) track script {name} is defined after its use, ignoring...", entry.span(), hint)
            continue
        if name in found:
            context.error(f"({owner}) script {name} is tracked already - ignored", entry.span())
            continue
        weight = _weight(owner, entry, context, _Weight(definition.weight, definition.reverse))
        if weight is None:
            continue
        if definition.script is None:
            context.error(
                f"({owner}) track script {name} cannot be run, ignoring...",
                entry.span(),
                "mend its command, see above; without it a failure goes unnoticed",
            )
            continue
        found[name] = TrackScript(name, weight.value, weight.reverse)
    return tuple(found.values())
