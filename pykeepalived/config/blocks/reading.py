"""Settings of how the file is read, again, and kept."""

from pykeepalived.config.kinds import UINT_MAX, Flag, Integer, Word
from pykeepalived.config.kinds_global import OneWord
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Reading:
    """When the file is read again, and what is left beside it."""

    random_seed: int | None = keyword(
        Integer(0, UINT_MAX),
        default=None,
        process="parser",
        effective=False,
        doc="Meant for ${_RANDOM}; keepalived draws its numbers before it reads this.",
    )
    reload_check_config: str | None = keyword(
        Word(bare="/dev/null"),
        default=None,
        arguments="[LOGFILE]",
        effective=False,
        doc="A reload tests the new file first; what is wrong with it goes to this log.",
    )
    reload_time_file: str | None = keyword(
        OneWord(),
        default=None,
        arguments="PATH",
        checked=True,
        effective=False,
        doc="A file whose first line is the time of a reload.",
    )
    reload_repeat: bool = keyword(
        Flag(), default=False, effective=False, doc="The time in that file stays, for a reload every day."
    )
    reload_file: str | None = keyword(
        Word(bare=""),
        default=None,
        arguments="[PATH]",
        effective=False,
        doc="A file that exists while a configuration is read; bare, keepalived.reload beside the pid files.",
    )
    config_save_dir: str | None = keyword(
        OneWord(filled=True, alone=False),
        default=None,
        arguments="DIR",
        process="parser",
        effective=False,
        doc="A folder in which configurations are kept around reloads, for a search after faults.",
    )
    tmp_config_directory: str | None = keyword(
        Word(),
        default=None,
        arguments="DIR",
        repeat=Repeat.FIRST,
        process="parser",
        checked=True,
        effective=False,
        doc="Where keepalived's copy of the configuration is written; here there is none.",
    )
    iproute_usr_dir: str | None = keyword(
        OneWord(),
        default=None,
        arguments="DIR",
        process="vrrp",
        checked=True,
        doc="The folder with the names of routing tables, scopes and the like, as the distribution has them.",
    )
    iproute_etc_dir: str | None = keyword(
        OneWord(),
        default=None,
        arguments="DIR",
        process="vrrp",
        checked=True,
        doc="The folder with such names of this machine; they come first.",
    )
