"""vrrp_sync_group blocks as values, and what they do to their members' trackers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.cross import trackers
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kinds import Problem
from pykeepalived.config.raw import Given, Raw

NOTIFIES = ("notify_master", "notify_backup", "notify_fault", "notify_stop", "notify")
OWNER = 255


def resolve(
    root: Raw,
    instances: list[VrrpInstance],
    left_out: set[str],
    context: Context,
    scripts: Scripts,
    global_defs: GlobalDefs,
    definitions: trackers.Definitions,
) -> tuple[list[VrrpSyncGroup], list[VrrpInstance]]:
    """The groups that have members, and the instances with what membership changes."""
    by_name = {each.name: each for each in instances}
    in_group: dict[str, str] = {}
    groups: list[VrrpSyncGroup] = []
    for raw in root.named("vrrp_sync_group"):
        members = _members(raw, by_name, left_out, in_group, context)
        tracked = _tracked(raw, definitions, context)
        if not members:
            continue
        owner = next((name for name in members if by_name[name].priority == OWNER), None)
        if owner is not None:
            tracked = trackers.of_group_with_owner(raw.name, owner, tracked, raw, context)
        alert = raw.given.get("smtp_alert")
        notify_priority = raw.given.get("notify_priority_changes")
        notifies: dict[str, Any] = {name: scripts.command(raw.given.get(name)) for name in NOTIFIES}
        group = VrrpSyncGroup(
            name=raw.name,
            group=tuple(members),
            smtp_alert=alert.value if alert else global_defs.smtp_alert_vrrp,
            sync_group_tracking_weight=raw.value("sync_group_tracking_weight"),
            notify_priority_changes=(
                notify_priority.value if notify_priority else global_defs.vrrp_notify_priority_changes
            ),
            **tracked,
            **notifies,
        )
        groups.append(group)
        for name in members:
            member = by_name[name]
            if notify_priority is not None and not _says_priority(root, name):
                member = replace(member, notify_priority_changes=notify_priority.value)
            if not group.sync_group_tracking_weight:
                member = _without_weights(raw, member, context)
            _tracked_twice(raw, group, member, context)
            by_name[name] = member
    return groups, [by_name[each.name] for each in instances]


def _tracked(raw: Raw, definitions: trackers.Definitions, context: Context) -> dict[str, Any]:
    interfaces = trackers.interfaces(raw.name, raw.given.get("track_interface"), context)
    return {"track_interface": interfaces, **trackers.followed(raw.name, raw, definitions, context)}


def _says_priority(root: Raw, name: str) -> bool:
    return any(raw.name == name and "notify_priority_changes" in raw.given for raw in root.named("vrrp_instance"))


def _members(
    raw: Raw, by_name: Mapping[str, VrrpInstance], left_out: set[str], in_group: dict[str, str], context: Context
) -> list[str]:
    given = raw.given.get("group")
    names: list[Given] = given.value if given is not None else []
    if given is not None and not names:
        context.error(f"sync group {raw.name} has an empty group block", given.span(0), "list the instances in it")
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
    values = {keyword: getattr(member, keyword) for keyword in trackers.TRACKS}
    if not any(values.values()):
        return member
    return replace(member, **trackers.of_member(member.name, raw.name, values, raw.span(word=1), context))


def _tracked_twice(raw: Raw, group: VrrpSyncGroup, member: VrrpInstance, context: Context) -> None:
    """An interface of the group that the member follows by itself."""
    own = {each.name for each in member.track_interface}
    if not member.dont_track_primary:
        own.add(member.interface)
    for each in group.track_interface:
        if each.name in own:
            context.error(
                f"({member.name}) track_interface {each.name} is configured on VRRP instance and sync group",
                raw.span("track_interface"),
                "remove it from the group, or from the instance; its own interface an instance always follows",
            )
