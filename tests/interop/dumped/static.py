"""Addresses, routes and rules that stand by themselves, and the groups that tie them to instances."""

from collections.abc import Sequence

from pykeepalived.config.configuration import Configuration
from tests.interop.dumped import addresses, routes
from tests.interop.dumped.fields import Block, Fields
from tests.interop.dumped.trackers import objects
from tests.interop.dumped.tree import Section, nodes_of


def blocks(sections: Sequence[Section], configuration: Configuration) -> list[Block]:
    """All of them."""
    return [
        _addresses(sections, configuration),
        *routes.static(sections, configuration),
        _groups(sections, configuration),
    ]


def _addresses(sections: Sequence[Section], configuration: Configuration) -> Block:
    nodes = nodes_of(sections, "Static Addresses")
    told: dict[str, Fields] = {"": {"addresses": addresses.told(node.text for node in nodes)}} if nodes else {}
    device = configuration.global_defs.default_interface
    mine = tuple(addresses.text(each, device) for each in configuration.static_ipaddress)
    return Block("static_ipaddress", told, {"": {"addresses": mine}} if mine and sections else {})


def _groups(sections: Sequence[Section], configuration: Configuration) -> Block:
    told = {
        name: {"VRRP member instances": fields.get("VRRP member instances", ())}
        for name, fields in objects(sections, "Static Track groups", "Static Track Group").items()
    }
    ours: dict[str, Fields] = {each.name: {"VRRP member instances": each.group} for each in configuration.track_group}
    return Block("track_group", told, ours if sections else {})
