"""vrrp_track_process: programs that have to run."""

from typing import Literal

from pykeepalived.config.kinds import Choice, Flag, Integer, Timer, Words
from pykeepalived.config.kinds_trackers import FILE_WEIGHT, TrackerWeight, Weight
from pykeepalived.config.schema import Repeat, block, keyword, option
from pykeepalived.records import record

_DELAY = Timer("0.000001", "3600")


@block(
    "vrrp_track_process",
    process="vrrp",
    arguments="NAME",
    passes={
        "delay": option(_DELAY, default=0, doc="Sets fork_delay and terminate_delay."),
    },
)
@record(frozen=True, slots=True, kw_only=True)
class VrrpTrackProcess:
    """Running programs that track_process follows: enough of them must be there, and not too many."""

    name: str
    process: tuple[str, ...] = keyword(
        Words(),
        repeat=Repeat.FIRST,
        arguments="COMMAND [PARAM ...]",
        doc="The program's name; with parameters the whole command line is compared.",
    )
    param_match: Literal["", "exact", "initial", "partial"] = keyword(
        Choice(("initial", "partial"), bare="exact"),
        default="",
        doc="How the parameters compare: alike (the bare keyword), alike at the beginning, or alike in part.",
    )
    """Empty: parameters are not looked at."""
    weight: Weight = keyword(
        TrackerWeight(FILE_WEIGHT, checked=True),
        default=Weight(0),
        repeat=Repeat.FIRST,
        doc="What it adds to the priority; 0 means that lacking the quorum is a fault.",
    )
    quorum: int = keyword(Integer(1, 65535), default=1, unit="processes", doc="So many have to run at least.")
    quorum_max: int | None = keyword(
        Integer(0, 65535),
        default=None,
        unit="processes",
        doc="So many may run at most; with 0 none may, and quorum is 0.",
    )
    terminate_delay: int = keyword(_DELAY, default=0, doc="How long the quorum may be missed before it counts.")
    fork_delay: int = keyword(_DELAY, default=0, doc="How long the quorum must be held before it counts.")
    full_command: bool = keyword(Flag(), default=False, doc="The whole command line is compared, not the name alone.")
