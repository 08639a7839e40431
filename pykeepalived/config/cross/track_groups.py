"""track_group blocks as values."""

from collections.abc import Collection

from pykeepalived.config.blocks.track_group import TrackGroup
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.raw import Given, Raw


def resolve(root: Raw, instances: Collection[str], left_out: Collection[str], context: Context) -> list[TrackGroup]:
    """The groups, with those of their members that are there; keepalived counts no missing one. One that is
    ``left_out`` for its own mistakes has been told of, and is none that does not exist.
    """
    return [
        TrackGroup(name=raw.name, group=tuple(_members(raw, instances, left_out, context)))
        for raw in root.named("track_group")
    ]


def _members(raw: Raw, instances: Collection[str], left_out: Collection[str], context: Context) -> list[str]:
    given = raw.given.get("group")
    names: list[Given] = given.value if given is not None else []
    if given is not None and not names:
        context.error(f"track group {raw.name} has an empty group block", given.span(0), "list the instances in it")
    found: list[str] = []
    for each in names:
        name: str = each.value
        span = each.statement.span(each.order)
        if name not in instances and name not in left_out:
            message = f"Virtual router {name} specified in track group {raw.name} doesn't exist - ignoring"
            context.warning(message, span, nearest(name, instances))
        elif name not in found:
            found.append(name)
    there = [name for name in found if name in instances]
    if not there:
        message = f"track group {raw.name} has no virtual router: nothing follows what names it"
        refused = f"mend what is wrong with {' and '.join(found)}"
        context.warning(message, raw.span(word=1), refused if found else "list the instances: group { NAME NAME }")
    return there
