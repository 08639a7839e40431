"""The SSL block as a value."""

from itertools import pairwise

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.cross.context import Context
from pykeepalived.config.raw import Raw


def resolve(root: Raw, context: Context) -> Ssl | None:
    """The last SSL block, or None."""
    found = list(root.named("SSL"))
    if not found:
        return None
    for earlier, raw in pairwise(found):
        hint = f"it is also on line {earlier.head.line.number}; remove one of the two"
        context.error("SSL is there already, this one replaces it", raw.span(), hint)
    raw = found[-1]
    return Ssl(**{name: raw.value(name) for name in raw.table.keywords})
