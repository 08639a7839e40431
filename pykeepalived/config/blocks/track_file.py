"""track_file: a file holding a number that moves the priority, or is a fault."""

from pykeepalived.config.kinds import Word
from pykeepalived.config.kinds_trackers import FILE_WEIGHT, InitFile, InitialContent, TrackerWeight, Weight
from pykeepalived.config.schema import Repeat, block, keyword
from pykeepalived.records import record


@block("track_file", process="vrrp,checker", arguments="NAME", names=("vrrp_track_file",))
@record(frozen=True, slots=True, kw_only=True)
class TrackedFile:
    """A file that is watched: track_file lines and FILE_CHECK follow it by its name."""

    name: str
    file: str = keyword(
        Word(checked=True),
        repeat=Repeat.FIRST,
        arguments="PATH",
        doc="The file that holds the number. It may be absent; its folder must exist.",
    )
    weight: Weight = keyword(
        TrackerWeight(FILE_WEIGHT, checked=True),
        default=Weight(1),
        repeat=Repeat.FIRST,
        doc="The number is multiplied by it; 0 means that any number but 0 is a fault.",
    )
    init_file: InitialContent | None = keyword(
        InitFile(),
        default=None,
        doc="The file is made at the start, with this number or 0; overwrite replaces one that is there.",
    )
