"""vrrp_sync_group: instances that change state together."""

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.trackers import TrackBfd, TrackFile, TrackInterface, TrackProcess, TrackScript
from pykeepalived.config.kinds import Boolean, Command, Entries, Flag, Names
from pykeepalived.config.schema import Repeat, block, keyword
from pykeepalived.records import record


@block("vrrp_sync_group", process="vrrp", arguments="NAME")
@record(frozen=True, slots=True, kw_only=True)
class VrrpSyncGroup:
    """A set of instances of which none is MASTER unless all are."""

    name: str
    group: tuple[str, ...] = keyword(
        Names(), default=(), repeat=Repeat.FIRST, doc="The member instances; each may be in one group only."
    )
    track_interface: tuple[TrackInterface, ...] = keyword(
        Entries("track_interface"), default=(), repeat=Repeat.COLLECT, doc="Interfaces followed for all members."
    )
    track_script: tuple[TrackScript, ...] = keyword(
        Entries("track_script"), default=(), repeat=Repeat.COLLECT, doc="Scripts followed for all members."
    )
    track_file: tuple[TrackFile, ...] = keyword(
        Entries("track_file"),
        default=(),
        repeat=Repeat.COLLECT,
        doc="Files followed for all members.",
    )
    track_process: tuple[TrackProcess, ...] = keyword(
        Entries("track_process"),
        default=(),
        repeat=Repeat.COLLECT,
        doc="Processes followed for all members.",
    )
    track_bfd: tuple[TrackBfd, ...] = keyword(
        Entries("track_bfd"),
        default=(),
        repeat=Repeat.COLLECT,
        doc="BFD sessions followed for all members.",
    )
    notify_master: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, doc="Run when the group becomes MASTER."
    )
    notify_backup: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, doc="Run when the group becomes BACKUP."
    )
    notify_fault: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, doc="Run when the group goes to FAULT."
    )
    notify_stop: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when VRRP stops.")
    notify: Script | None = keyword(
        Command(),
        default=None,
        repeat=Repeat.FIRST,
        doc="Run at every transition; GROUP, name, state and 0 are appended.",
    )
    smtp_alert: bool = keyword(
        Boolean(),
        default=False,
        inherit="smtp_alert_vrrp",
        effective=False,
        doc="A mail is sent at every transition of the group.",
    )
    sync_group_tracking_weight: bool = keyword(
        Flag(), default=False, deprecated=("global_tracking",), doc="Members may keep trackers with weights."
    )
    notify_priority_changes: bool = keyword(
        Boolean(),
        default=False,
        inherit="vrrp_notify_priority_changes",
        doc="Members report changes of their effective priority.",
    )
