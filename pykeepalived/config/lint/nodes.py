"""Advice that needs the other nodes' configuration: the same virtual router on both."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.diagnostics import Diagnostic
from pykeepalived.config.kinds import IP, seconds_text
from pykeepalived.config.lint.instances import HIGHEST, LOWEST, OWNER, bounds, weights
from pykeepalived.config.lint.view import Peer, View, advice


def _pairs(view: View) -> Iterator[tuple[VrrpInstance, VrrpInstance, Peer]]:
    """Our instances beside each other node's of the same virtual router."""
    for peer in view.peers:
        theirs = {(each.virtual_router_id, each.family): each for each in peer.vrrp_instance}
        for ours in view.configuration.vrrp_instance:
            found = theirs.get((ours.virtual_router_id, ours.family))
            if found is not None:
                yield ours, found, peer


def equal_priority(view: View) -> Iterator[Diagnostic]:
    """With equal priorities the higher address wins, which nobody sees in the file."""
    for ours, theirs, peer in _pairs(view):
        if ours.priority != theirs.priority:
            continue
        what = "claim to own the addresses" if ours.priority == OWNER else "have the same priority"
        yield advice(
            "equal-priority",
            f"({ours.name}) this node and {peer.label} {what} ({ours.priority}): the higher IP address decides",
            view.block("vrrp_instance", ours.name).span("priority", 1),
            "give every router its own priority",
        )


def weight_never_moves(view: View) -> Iterator[Diagnostic]:
    """Weights that leave this router above the other, whatever fails, never move the addresses."""
    for ours, theirs, peer in _pairs(view):
        if not weights(ours) or OWNER in (ours.priority, theirs.priority):
            continue
        lowest = max(LOWEST, bounds(ours)[0])
        highest = min(HIGHEST, bounds(theirs)[1])
        if min(HIGHEST, bounds(ours)[1]) <= highest or lowest <= highest:
            continue
        yield advice(
            "weight-never-moves",
            f"({ours.name}) with everything it tracks failed its priority is {lowest}, still above the {highest} of "
            f"{peer.label}: the addresses never move",
            view.block("vrrp_instance", ours.name).span("priority", 1),
            f"use weights that take more than {ours.priority - highest} away, or a lower priority",
        )


def nodes_differ(view: View) -> Iterator[Diagnostic]:
    """What all routers of a virtual router must have in common, or they drop each other's adverts."""
    for ours, theirs, peer in _pairs(view):
        for keyword, mine, other in _differences(ours, theirs):
            yield advice(
                "nodes-differ",
                f"({ours.name}) {keyword}: {mine} here, {other} on {peer.label}",
                view.block("vrrp_instance", ours.name).span(keyword),
                "write the same on every router of the virtual router",
            )


def _differences(ours: VrrpInstance, theirs: VrrpInstance) -> Iterator[tuple[str, str, str]]:
    if ours.version != theirs.version:
        yield "version", str(ours.version), str(theirs.version)
    if ours.advert_int != theirs.advert_int:
        yield "advert_int", seconds_text(ours.advert_int), seconds_text(theirs.advert_int)
    if ours.auth_type != theirs.auth_type:
        yield "auth_type", ours.auth_type or "none", theirs.auth_type or "none"
    elif ours.auth_pass != theirs.auth_pass:
        yield "auth_pass", "one password", "another"
    if ours.unicast != theirs.unicast:
        yield "unicast_peer", _cast(ours), _cast(theirs)
    elif not ours.unicast and ours.mcast_group != theirs.mcast_group:
        yield "mcast_dst_ip", str(ours.mcast_group), str(theirs.mcast_group)
    here = {each.address for each in ours.virtual_ipaddress}
    there = {each.address for each in theirs.virtual_ipaddress}
    if here != there:
        yield "virtual_ipaddress", _only(here - there), _only(there - here)


def _cast(instance: VrrpInstance) -> str:
    return "unicast" if instance.unicast else "multicast"


def _only(addresses: AbstractSet[IP]) -> str:
    if not addresses:
        return "nothing more"
    return "also " + ", ".join(sorted(map(str, addresses))[:4])


def not_a_peer(view: View) -> Iterator[Diagnostic]:
    """A router whose source is not among the other's peers is not heard by it, or not answered."""
    for ours, theirs, peer in _pairs(view):
        if not (ours.unicast and theirs.unicast) or ours.unicast_src_ip is None:
            continue
        if all(each.address != ours.unicast_src_ip for each in theirs.unicast_peer):
            yield advice(
                "not-a-peer",
                f"({ours.name}) our source {ours.unicast_src_ip} is not among the unicast_peer of {peer.label}",
                view.block("vrrp_instance", ours.name).span("unicast_src_ip", 1),
                f"add {ours.unicast_src_ip} to unicast_peer there",
            )
