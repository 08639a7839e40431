"""garp_group: interfaces that exist, each in one group, and a time to keep between messages."""

from collections.abc import Iterator

from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.cross.context import Context
from pykeepalived.config.diagnostics import Span
from pykeepalived.config.raw import Raw

INTERVALS = ("garp_interval", "gna_interval")


def resolve(root: Raw, context: Context) -> tuple[GarpGroup, ...]:
    """The groups that have an interval."""
    taken: dict[str, Span] = {}
    found = [_group(raw, taken, context) for raw in root.named("garp_group")]
    return tuple(each for each in found if each is not None)


def _group(raw: Raw, taken: dict[str, Span], context: Context) -> GarpGroup | None:
    names = tuple(_interfaces(raw, taken, context))
    if not any(name in raw.given for name in INTERVALS):
        hint = "add a line: garp_interval SECONDS, or gna_interval SECONDS"
        context.error("garp_group does not have any delay set - removing", raw.span(), hint)
        return None
    if not names:
        context.warning("garp_group has no interface", raw.span(), "add a line: interface NAME, or remove the group")
    return GarpGroup(raw.value("garp_interval"), raw.value("gna_interval"), names)


def _interfaces(raw: Raw, taken: dict[str, Span], context: Context) -> Iterator[str]:
    """The interfaces of one group that may join it."""
    for name, span in _named(raw, context):
        if name in taken:
            hint = f"it is named on line {taken[name].line}; an interface joins one group"
            context.error(f"garp_group already specified for {name} - ignoring", span, hint)
        elif context.dynamic_interfaces or context.interface(name) is not None:
            taken[name] = span
            yield name
        else:
            context.missing_interface = True
            message = f"WARNING - interface {name} specified for garp_group doesn't exist"
            context.error(message, span, context.interface_hint(name), fatal=True)


def _named(raw: Raw, context: Context) -> Iterator[tuple[str, Span]]:
    """Every interface named, one by one or in a block, with its place."""
    if (single := raw.given.get("interface")) is not None:
        yield from ((each.value, each.span(1)) for each in single.value)
    if (several := raw.given.get("interfaces")) is not None:
        if not several.value:
            context.error("empty garp_group interfaces block", several.span(0), "name interfaces, or remove the block")
        yield from ((each.value, each.span(each.order)) for each in several.value)
