"""What is configured of interfaces: groups that space gratuitous messages, and delays of a link's changes."""

import re
from collections.abc import Sequence

from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, read
from tests.interop.dumped.tree import Section


def blocks(sections: Sequence[Section], configuration: Configuration) -> list[Block]:
    """Both."""
    return [_garp_groups(sections, configuration), _delays(sections, configuration)]


def _garp_groups(sections: Sequence[Section], configuration: Configuration) -> Block:
    told: dict[str, Fields] = {}
    for section in sections:
        if found := re.fullmatch(r"GARP delay group (\d+)", section.name):
            fields = read(section.nodes, (r"(\w+ next time) (.*)",), ("Interfaces",))
            told[found[1]] = {key: value for key, value in fields.items() if not key.endswith(" next time")}
    ours: dict[str, Fields] = {}
    for number, group in enumerate(configuration.garp_group):
        ours[str(number)] = {"Interfaces": group.interfaces}
        for key, interval in (("GARP", group.garp_interval), ("GNA", group.gna_interval)):
            if interval:
                ours[str(number)][f"{key} interval"] = f"{interval / 1e9:g}"
    settings = configuration.global_defs
    if settings.vrrp_garp_interval or settings.vrrp_gna_interval:  # the others have one of their own then
        told = {name: fields for name, fields in told.items() if name in ours}
    return Block("garp_group", told, ours if sections else {})


def _delays(sections: Sequence[Section], configuration: Configuration) -> Block:
    """Of every interface of the machine that one is given for, or that is told to have one."""
    given = {each.name: (each.up, each.down) for each in configuration.interface_up_down_delays}
    told: dict[str, Fields] = {}
    for section in sections:
        if section.name == "Interfaces":
            for node in section.nodes:
                name = node.text.removeprefix("Name = ")
                fields = read(node.children)
                delays: Fields = {key: fields[f"{key} debounce timer"] for key in ("Up", "Down")}
                if name in given or set(delays.values()) != {"0us"}:
                    told[name] = delays
    ours: dict[str, Fields] = {
        name: {"Up": f"{up // 1000}us", "Down": f"{down // 1000}us"} for name, (up, down) in given.items()
    }
    return Block("interface_up_down_delays", told, ours if told else {})
