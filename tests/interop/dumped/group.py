"""vrrp_sync_group, as the section VRRP Sync groups tells it."""

from collections.abc import Mapping, Sequence

from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, flag, optional, read, yes
from tests.interop.dumped.scripts import owned
from tests.interop.dumped.trackers import lines
from tests.interop.dumped.tree import Section

SECTION = "VRRP Sync groups"
IGNORED: Mapping[str, str] = {"Num member fault": "counters of the members' states"}
PATTERNS = (r"(Num member fault) (.*)",)
LISTS = (
    *("VRRP member instances", "Tracked interfaces", "Tracked scripts", "Tracked files"),
    *("Tracked process", "Tracked BFDs"),
)


def block(sections: Sequence[Section], configuration: Configuration) -> Block:
    """All groups; the state after a group's name changes while it runs."""
    told = {
        node.text.removeprefix("VRRP Sync Group = ").rpartition(", ")[0]: read(node.children, PATTERNS, LISTS)
        for section in sections
        if section.name == SECTION
        for node in section.nodes
    }
    return Block("vrrp_sync_group", told, {each.name: _ours(each) for each in configuration.vrrp_sync_group}, IGNORED)


def _ours(group: VrrpSyncGroup) -> Fields:
    fields: Fields = {
        **optional("VRRP member instances", group.group),
        **flag("sync group tracking weight set", given=group.sync_group_tracking_weight),
        **optional("Notify priority changes", "yes" if group.notify_priority_changes else None),
        "Using smtp notification": yes(group.smtp_alert, true="yes", false="no"),
        **optional("Tracked interfaces", lines(group.track_interface)),
        **optional("Tracked scripts", lines(group.track_script)),
        **optional("Tracked files", lines(group.track_file, ",")),
        **optional("Tracked process", lines(group.track_process, ",")),
        **optional("Tracked BFDs", lines(group.track_bfd, ":")),
    }
    names = {
        "Backup": group.notify_backup,
        "Master": group.notify_master,
        "Fault": group.notify_fault,
        "Stop": group.notify_stop,
        "Generic": group.notify,
    }
    for name, script in names.items():
        fields |= optional(f"{name} state transition script", owned(script))
    return fields
