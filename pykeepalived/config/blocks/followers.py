"""Checks that follow something else: a program's exit status, the number in a file, a BFD session."""

from pykeepalived.config.blocks.probing import CheckTiming, timing
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds import Boolean, Command, Flag, Word, Words, whole_seconds
from pykeepalived.config.kinds_lvs import OneWord
from pykeepalived.config.kinds_trackers import FileWeight, Weight
from pykeepalived.config.schema import Repeat, block, keyword, option
from pykeepalived.records import record
from pykeepalived.units import SECOND


@block(
    "MISC_CHECK",
    passes={
        **timing(retry=0),
        "user": option(
            Words(),
            inherit="script_user",
            arguments="USER [[:]GROUP]",
            checked=True,
            doc="The user, and the group, that run it.",
        ),
    },
)
@record(frozen=True, slots=True, kw_only=True)
class MiscCheck:
    """Success is a program that ends with status 0."""

    misc_path: Script = keyword(Command(user=False), doc="The program that checks; quotes hold its arguments.")
    timing: CheckTiming = CheckTiming(retry=0)
    misc_timeout: int = keyword(
        whole_seconds(4294),
        default=0,
        doc="Time allowed for the program; 0 is the virtual server's delay_loop.",
    )
    misc_dynamic: bool = keyword(Flag(), default=False, doc="Exit status 2 to 255 means up, with that weight less 2.")
    timeout: int = 60 * SECOND
    """What misc_timeout comes to."""


@block("FILE_CHECK")
@record(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """The number in a file adds to the weight; without a weight, any number but 0 means down."""

    track_file: str = keyword(Word(), doc="The name of a track_file that is defined further up.")
    weight: Weight = keyword(
        FileWeight(),
        doc="What the number is multiplied with; reverse turns its sign. If not given, that of the track_file.",
    )


@block("BFD_CHECK")
@record(frozen=True, slots=True, kw_only=True)
class BfdCheck:
    """Success is a BFD session that is up."""

    name: str = keyword(OneWord(31), repeat=Repeat.FIRST, doc="The name of a bfd_instance that is defined further up.")
    alpha: bool = keyword(
        Boolean(),
        default=False,
        inherit="alpha",
        doc="The server counts as down until the session is first up.",
    )
