"""vrrp_script and the other things that are followed, as their sections tell them."""

from collections.abc import Mapping, Sequence

from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, Value, read, seconds
from tests.interop.dumped.instance import weighted
from tests.interop.dumped.scripts import command
from tests.interop.dumped.tree import Section

LISTS = ("Tracking instances", "VRRP instances")
SCRIPT_IGNORED: Mapping[str, str] = {
    "Result": "a counter",
    "Insecure": "commands that are not safe are not in the dump at all",
    "Init state": "changes while it runs",
    "Status": "changes while it runs",
    "State": "changes while it runs",
    "VRRP instances": "a heading without lines",
}


def objects(sections: Sequence[Section], section: str, heading: str) -> dict[str, Fields]:
    """What a section tells of each thing by its name."""
    return {
        node.text.removeprefix(f"{heading} = "): read(node.children, lists=LISTS)
        for each in sections
        if each.name == section
        for node in each.nodes
    }


def scripts(sections: Sequence[Section], configuration: Configuration) -> Block:
    """All vrrp_script."""
    told = {name: _told(fields) for name, fields in objects(sections, "VRRP Scripts", "VRRP Script").items()}
    ours = {each.name: _script(each, configuration) for each in configuration.vrrp_script}
    return Block("vrrp_script", told, ours, SCRIPT_IGNORED)


def _told(fields: Fields) -> Fields:
    """With what keepalived means where it tells less."""
    if fields["Timeout"] == "0 sec":  # none given: the interval
        fields["Timeout"] = fields["Interval"]
    if not str(fields["Command"]).startswith("'"):  # a line that only a shell understands
        fields["Command"] = f"'/bin/sh' '-c' '{fields['Command']}'"
    fields["Tracking instances"] = tuple(sorted(fields.get("Tracking instances", ())))
    return fields


def _script(script: VrrpScript, configuration: Configuration) -> Fields:
    return {
        "Command": command(script.script),
        "Interval": f"{seconds(script.interval)} sec",
        "Timeout": f"{seconds(script.timeout)} sec",
        "Weight": f"{script.weight}{' reverse' if script.reverse else ''}",
        "Rise": str(script.rise),
        "Fall": str(script.fall),
        "Script uid:gid": f"{script.script.uid}:{script.script.gid}",
        "Tracking instances": followers(configuration, "track_script", script.name),
    }


def followers(configuration: Configuration, keyword: str, name: str) -> Value:
    """The instances that follow something, those of a group that follows it too, each with its weight."""
    found = {}
    for group in configuration.vrrp_sync_group:
        for tracked in getattr(group, keyword):
            if tracked.name == name:
                found.update(dict.fromkeys(group.group, tracked))
    for instance in configuration.vrrp_instance:
        for tracked in getattr(instance, keyword):
            if tracked.name == name:
                found[instance.name] = tracked
    return tuple(
        sorted(weighted(who, tracked.weight, reverse=tracked.reverse, comma=",") for who, tracked in found.items())
    )
