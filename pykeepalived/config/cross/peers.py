"""Where adverts go and where they come from: peers, sources, groups."""

from pykeepalived.config.blocks.addresses import UnicastPeer
from pykeepalived.config.cross import addresses
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.draft import Draft, Refusal
from pykeepalived.config.kinds import AF_INET6, IP, Problem

_MEANS_UNICAST = ("unicast_src_ip", "unicast_peer", "check_unicast_src", "old_unicast_checksum")


def resolve(draft: Draft) -> None:
    """Unicast or multicast, and what goes with each."""
    values = draft.values
    peers = _peers(draft)
    values["unicast_peer"] = tuple(peers)
    source = _source(draft)
    values["unicast_src_ip"] = values["mcast_src_ip"] = None
    values["unicast_src_ip" if peers or draft.value("unicast_fault_no_peer") else "mcast_src_ip"] = source
    values["mcast_group"] = _group(draft, unicast=bool(peers))
    if not peers:
        _no_peers(draft)
        return
    if any(peer.min_ttl is not None or peer.max_ttl is not None for peer in peers):
        values["check_unicast_src"] = True
    if source is not None and any(peer.address == source for peer in peers):
        hint = "list the other routers alone"
        message = f"({draft.name}) the own source {source} is a peer"
        draft.context.warning(message, draft.raw.span("unicast_peer"), hint)
    if draft.strict and draft.interface:
        hint = "remove strict_mode, or the peers"
        draft.error("unicast peers are not allowed in strict mode", "unicast_peer", hint, fatal=True)
        raise Refusal


def _peers(draft: Draft) -> list[UnicastPeer]:
    given = draft.given("unicast_peer")
    found: dict[IP, UnicastPeer] = {}
    for line in given.value if given is not None else ():
        peer = addresses.unicast_peer(draft.name, line, draft.context)
        if peer is None:
            continue
        message = ""
        if family_of(peer.address) != draft.family:
            message = f"the peer {peer.address} is not {draft.family_word} - ignored"
        elif peer.address in found:
            message = f"the peer {peer.address} is there already - ignored"
        if message:
            draft.context.error(f"({draft.name}) {message}", line.span())
        else:
            found[peer.address] = peer
    return list(found.values())


def _source(draft: Draft) -> IP | None:
    """The last source given, of either keyword; else the ipvlan's address."""
    given = max(
        (draft.raw.given[name] for name in ("unicast_src_ip", "mcast_src_ip") if name in draft.raw.given),
        key=lambda each: each.order,
        default=None,
    )
    source: IP | None
    if given is not None and draft.fits(source := given.value, given.statement.words[0]):
        return source
    ipvlan = draft.values["use_ipvlan"]
    source = ipvlan.address if ipvlan is not None else None
    return source


def _no_peers(draft: Draft) -> None:
    """Unicast is meant and nobody is there to hear it."""
    draft.values["unicast_ttl"] = None
    if "unicast_ttl" in draft.raw.given:
        draft.error("unicast_ttl without peers - ignored", "unicast_ttl", "add unicast_peer or remove it")
    keyword = next((name for name in _MEANS_UNICAST if draft.said(name)), None)
    if keyword is None or draft.value("unicast_fault_no_peer"):
        return
    draft.context.warning(
        f"({draft.name}) unicast is configured without a peer - falling back to multicast",
        draft.raw.span(keyword),
        "add a unicast_peer block, or write mcast_src_ip"
        if keyword == "unicast_src_ip"
        else "add a unicast_peer block",
        Problem.DEPRECATED,
    )


def _group(draft: Draft, *, unicast: bool) -> IP:
    given = draft.given("mcast_dst_ip")
    if given is not None and unicast:
        hint = "remove mcast_dst_ip, or the peers"
        draft.error("mcast_dst_ip with unicast peers - ignored", "mcast_dst_ip", hint)
    elif given is not None and draft.fits(given.value, "mcast_dst_ip"):
        address: IP = given.value
        if address.version == 4 or address.packed[1] & 0x0F == 2:
            return address
        hint = "use a group of the link, such as ff02::12"
        draft.error(f"{address} is no group local to the link - ignored", "mcast_dst_ip", hint, 1)
    if draft.family == AF_INET6:
        return draft.global_defs.vrrp_mcast_group6
    return draft.global_defs.vrrp_mcast_group4
