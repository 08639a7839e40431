"""track_group: the instances that go with a static address, route or rule."""

from pykeepalived.config.kinds import Names
from pykeepalived.config.schema import Repeat, block, keyword
from pykeepalived.records import record


@block("track_group", process="vrrp", arguments="NAME")
@record(frozen=True, slots=True, kw_only=True)
class TrackGroup:
    """Instances that go to FAULT without the static addresses, routes and rules that name the group."""

    name: str
    group: tuple[str, ...] = keyword(
        Names(), default=(), repeat=Repeat.FIRST, doc="The instances; each may be in several."
    )
