"""vrrp_sync_group blocks as values, and what they do to their members' trackers."""

from collections.abc import Mapping
from dataclasses import replace

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.trackers import TrackInterface
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.cross import trackers
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kinds import Problem
from pykeepalived.config.raw import Given, Raw

NOTIFIES = ("notify_master", "notify_backup", "notify_fault", "notify_stop", "notify")


def resolve(
    root: Raw,
    instances: list[VrrpInstance],
    left_out: set[str],
    context: Context,
    scripts: Scripts,
    global_defs: GlobalDefs,
    defined: Mapping[str, trackers.Defined],
) -> tuple[list[VrrpSyncGroup], list[VrrpInstance]]:
    """The groups that have members, and the instances with what membership changes."""
    by_name = {each.name: each for each in instances}
    in_group: dict[str, str] = {}
    groups: list[VrrpSyncGroup] = []
    for raw in root.named("vrrp_sync_group"):
        members = _members(raw, by_name, left_out, in_group, context)
        if not members:
            continue
        notify_priority = raw.given.get("notify_priority_changes")
        group = VrrpSyncGroup(
            name=raw.name,
            group=tuple(members),
            track_interface=trackers.interfaces(raw.name, raw.given.get("track_interface"), context),
            track_script=trackers.scripts(raw.name, raw.given.get("track_script"), defined, context),
            sync_group_tracking_weight=raw.value("sync_group_tracking_weight"),
            notify_priority_changes=(
                notify_priority.value if notify_priority else global_defs.vrrp_notify_priority_changes
            ),
            **{name: scripts.command(raw.given.get(name)) for name in NOTIFIES},
        )
        groups.append(group)
        for name in members:
            member = by_name[name]
            if notify_priority is not None and not _says_priority(root, name):
                member = replace(member, notify_priority_changes=notify_priority.value)
            if not group.sync_group_tracking_weight:
                member = _without_weights(raw, member, context)
            by_name[name] = member
    return groups, [by_name[each.name] for each in instances]


def _says_priority(root: Raw, name: str) -> bool:
    return any(raw.name == name and "notify_priority_changes" in raw.given for raw in root.named("vrrp_instance"))


def _members(
    raw: Raw, by_name: Mapping[str, VrrpInstance], left_out: set[str], in_group: dict[str, str], context: Context
) -> list[str]:
    given = raw.given.get("group")
    names: list[Given] = given.value if given is not None else []
    found: list[str] = []
    for each in names:
        name: str = each.value
        word = each.order
        span = each.statement.span(word)
        if name in left_out:
            context.warning(f"({raw.name}) {name} is left out of the configuration and of the group", span)
        elif name not in by_name:
            context.error(
                f"Virtual router {name} specified in sync group {raw.name} doesn't exist - ignoring",
                span,
                nearest(name, by_name),
            )
        elif name in in_group:
            context.error(
                f"Virtual router {name} specified in sync group {raw.name} is already in sync group {in_group[name]} "
                "- ignoring",
                span,
                "an instance may be in one group only",
            )
        else:
            in_group[name] = raw.name
            found.append(name)
    if not found and not any(each.value in left_out for each in names):
        context.error(
            f"Sync group {raw.name}, no matching virtual router found in group declaration - removing",
            raw.span(word=1),
            "list the instances: group { NAME NAME }",
        )
    elif len(found) == 1:
        context.warning(
            f"Sync group {raw.name} has only 1 virtual router(s) - this probably isn't what you want",
            raw.span(word=1),
            "a group is of use with two instances or more",
            Problem.WARNING,
        )
    return found


def _without_weights(raw: Raw, member: VrrpInstance, context: Context) -> VrrpInstance:
    """Members that change state together must not differ by a tracker's weight."""
    hint = "add sync_group_tracking_weight to the group, track on the group itself, or remove the weight"
    span = raw.span(word=1)
    interfaces = []
    for each in member.track_interface:
        if not each.weight:
            interfaces.append(each)
            continue
        context.error(
            f"({member.name}) tracked interface {each.name} has a weight in sync group {raw.name} "
            "- its failure is a fault",
            span,
            hint,
        )
        interfaces.append(TrackInterface(each.name))
    scripts = []
    for script in member.track_script:
        if script.weight:
            context.error(
                f"({member.name}) tracked script {script.name} has a weight in sync group {raw.name} - ignoring",
                span,
                hint,
            )
        else:
            scripts.append(script)
    return replace(member, track_interface=tuple(interfaces), track_script=tuple(scripts))
