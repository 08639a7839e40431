"""Settings of IPVS and of the checkers as a whole."""

from typing import Literal

from pykeepalived.config.kinds import Boolean, Choice, Flag
from pykeepalived.config.kinds_ipvs import LvsTimeouts, LvsTimeoutsKind, SyncDaemon, SyncDaemonKind
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class LvsGlobals:
    """The IPVS table at the start and the end, its timeouts and its sync daemon."""

    checker_log_all_failures: bool = keyword(
        Boolean(), default=False, process="checker", doc="Each failed check is logged."
    )
    lvs_timeouts: LvsTimeouts = keyword(
        LvsTimeoutsKind(),
        default=LvsTimeouts(),
        repeat=Repeat.COLLECT,
        process="checker",
        doc="How long IPVS remembers connections of TCP, closed ones of TCP, and those of UDP.",
    )
    lvs_flush: bool = keyword(Flag(), default=False, process="checker", doc="The IPVS table is emptied at the start.")
    lvs_flush_on_stop: Literal["", "all", "VS"] = keyword(
        Choice(("VS",), bare="all"),
        default="",
        former=("lvs_flush_onstop",),
        process="checker",
        doc="The IPVS table is emptied at the end; with VS, of our services alone.",
    )
    lvs_sync_daemon: SyncDaemon | None = keyword(
        SyncDaemonKind(),
        default=None,
        repeat=Repeat.FIRST,
        process="checker",
        doc="The kernel tells another director of connections by this interface, as that instance's state is.",
    )
    rs_init_notifies: bool = keyword(
        Boolean(), default=False, process="checker", doc="Real servers that are up at the start are notified."
    )
