"""Orders that more than one core gives. A core's own orders stand in its own ``effects`` module."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from pykeepalived.config.blocks.scripts import Script


class Level(IntEnum):
    """Severities of syslog(3)."""

    EMERG = 0
    ALERT = 1
    CRIT = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


class Kind(StrEnum):
    """What a journal entry is about; the journal gives each kind its MESSAGE_ID."""

    VRRP_TRANSITION = "vrrp-transition"
    VRRP_PACKET = "vrrp-packet"
    VRRP_PRIORITY = "vrrp-priority"
    TRACKER = "tracker"
    REAL_SERVER = "real-server"
    QUORUM = "quorum"
    CHECK = "check"
    IPVS = "ipvs"
    SCRIPT = "script"
    CONFIGURATION = "configuration"
    PROCESS = "process"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the journal.

    ``detail`` lines appear only under --log-detail. ``fields`` are journal fields beside the message, as name and
    value: VRRP_INSTANCE, VRRP_STATE, VRRP_PREVIOUS_STATE, CAUSE, VIRTUAL_SERVER, REAL_SERVER.
    """

    message: str
    level: Level = Level.INFO
    kind: Kind | None = None
    detail: bool = False
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RunScript:
    """Start a script of the configuration; nobody waits for it. ``arguments`` follow its own words."""

    script: Script
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteFifo:
    """One line, without its newline, for the notify FIFOs (``notify_fifo`` and the process's own)."""

    line: str
