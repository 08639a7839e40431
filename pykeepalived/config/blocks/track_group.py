"""track_group: the instances that go with a static address, route or rule."""

from dataclasses import dataclass

from pykeepalived.config.kinds import Names
from pykeepalived.config.schema import Repeat, block, keyword


@block("track_group", process="vrrp", arguments="NAME", effective=False)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrackGroup:
    """Instances that follow the static addresses, routes and rules that name the group."""

    name: str
    group: tuple[str, ...] = keyword(
        Names(), default=(), repeat=Repeat.FIRST, effective=False, doc="The instances; each may be in several."
    )
