"""vrrp_script: a command run periodically whose exit status counts."""

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds import INT_MAX, Command, Flag, Integer, Timer, Words
from pykeepalived.config.kinds_trackers import TRACK_WEIGHT, TrackerWeight, Weight
from pykeepalived.config.schema import block, keyword, option
from pykeepalived.records import record
from pykeepalived.units import SECOND


@block(
    "vrrp_script",
    process="vrrp",
    arguments="NAME",
    passes={
        "user": option(
            Words(),
            arguments="USER [[:]GROUP]",
            doc="The user, and the group, that run the command.",
            inherit="script_user",
        )
    },
)
@record(frozen=True, slots=True, kw_only=True)
class VrrpScript:
    """A health command that track_script follows."""

    name: str
    script: Script = keyword(
        Command(user=False), doc="The command line; quote it to pass arguments. Exit status 0 is a success."
    )
    interval: int = keyword(Timer("0", "4294", places=3, zero_is="1"), default=SECOND, doc="Time between two runs.")
    timeout: int = keyword(
        Timer("0", "4294", places=3, zero_is="1"),
        default=SECOND,
        inherit="interval",
        doc="A run that takes longer is ended and counts as failed.",
    )
    weight: Weight = keyword(
        TrackerWeight(TRACK_WEIGHT, bounded=True),
        default=Weight(0),
        doc="What a result adds to the priority; 0 means that a failure is a fault.",
    )
    rise: int = keyword(Integer(1, INT_MAX), default=1, doc="Successes in a row that are needed to recover.")
    fall: int = keyword(Integer(1, INT_MAX), default=1, doc="Failures in a row that are needed to fail.")
    init_fail: bool = keyword(Flag(), default=False, doc="Counts as failed until the first success.")
