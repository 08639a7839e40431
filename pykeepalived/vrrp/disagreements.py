"""What a refused, or a doubtful, advert says of its sender's file beside ours, in words: the cause, and the remedy.

Asked for once for each kind of fault, so nothing here needs to be fast. Keepalived's own line comes before it.
"""

from collections.abc import Iterable

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.units import CENTISECOND, SECOND
from pykeepalived.vrrp.tracking import Tracked, TrackedNumber, effective_priority
from pykeepalived.wire import hmac_trailer
from pykeepalived.wire.checksum import verifies
from pykeepalived.wire.vrrp import (
    AUTH_AH,
    AUTH_LENGTH,
    AUTH_NONE,
    AUTH_PASS,
    OWNER,
    Packet,
    Reason,
    pseudo_header,
    text,
)

_HEADER = 8
_AUTH_TYPES = {AUTH_NONE: "no authentication", AUTH_PASS: "auth_type PASS", AUTH_AH: "auth_type AH"}
_MOST_NAMED = 5

_PLAIN = {
    Reason.TTL: "it is not on this link, or a router forwards multicast: adverts must not leave their link",
    Reason.SEQUENCE: "somebody sends recorded adverts again, or it restarted and has not heard the sequence yet",
    Reason.HMAC_MISSING: "give it the same auth_hmac block, or set `mode permissive` here until it has one",
    Reason.HMAC_MALFORMED: "its trailer is of a kind that is not known here: update it, or somebody forges adverts",
    Reason.HMAC: "its key of that number is another one than ours, or somebody forges adverts: compare the keys",
    Reason.HMAC_STALE: "set the clocks of both (chrony, NTP), or raise time_window; or somebody sends recorded adverts",
    Reason.HMAC_REPLAY: "somebody sends recorded adverts again, or the clock of the peer was set back",
    Reason.PEER_TTL: "correct min_ttl and max_ttl of that peer, or somebody forges adverts from further away",
    Reason.CLOCK: "set the clocks of both (chrony, NTP) before its adverts are refused as stale",
}


def advice(reason: Reason, packet: Packet, instance: VrrpInstance) -> str:
    """What differs and what to change; empty where keepalived's line says it all."""
    peer = f"peer {text(packet.source)}"
    match reason:
        case Reason.LENGTH | Reason.VERSION:
            return _layout(peer, packet, instance)
        case Reason.AUTH_TYPE | Reason.AUTH_TYPE_UNKNOWN:
            return _auth_type(peer, packet, instance)
        case Reason.PASSWORD:
            how = "signs with" if instance.auth_type == "AH" else "sends"
            return f"{peer} {how} another auth_pass than this file has: make them equal"
        case Reason.INTERVAL | Reason.LEARNT_INTERVAL:
            return _interval(peer, packet, instance)
        case Reason.CHECKSUM:
            return _checksum(peer, packet, instance)
        case Reason.CAST:
            return _cast(peer, packet, instance)
        case Reason.ADDRESSES | Reason.COUNT:
            return _addresses(peer, packet, instance)
        case Reason.UNICAST_SOURCE:
            return f"{peer} is not in unicast_peer of this file: add it, or remove this host from its file"
        case Reason.HMAC_KEY:
            return _keys(peer, packet, instance)
        case _:
            return f"{peer}: {_PLAIN[reason]}" if reason in _PLAIN else ""


def out_of_reach(source: bytes, priority: int, base: int, tracked: Iterable[Tracked]) -> str:
    """Why no weighted tracker can ever move the addresses from that MASTER to us, if its file has the same ones; empty
    where one can, or where weights are not meant to.
    """
    weighted = [each for each in tracked if each.weight]
    if not weighted or base == OWNER or any(isinstance(each, TrackedNumber) for each in weighted):
        return ""
    peer = f"peer {text(source)} has priority {priority}"
    if priority == OWNER:
        return f"{peer}, which no weight lowers: set it below 255 there, or the trackers of this file move nothing"
    best = effective_priority(base, sum(max(each.contribution(True), each.contribution(False)) for each in weighted))
    lowest = priority - sum(abs(each.weight) for each in weighted)
    if lowest <= best:
        return ""
    return (
        f"{peer}: were every weighted tracker of this file to fail there, it would have {lowest}, and ours is {best} at"
        f" most: no tracker can ever move the addresses here (raise the weights by more than {lowest - best} in all, or"
        " bring the priorities nearer)"
    )


def _layout(peer: str, packet: Packet, instance: VrrpInstance) -> str:
    """Another version, a trailer, or bytes that are no advert."""
    data = packet.data
    version = data[0] >> 4 if data else 0
    if version in (2, 3) and version != instance.version:
        return (
            f"{peer} speaks version {version}, this file says {instance.version}:"
            f" set `version {version}` here, or version {instance.version} there"
        )
    length = _addresses_end(data, instance) + (AUTH_LENGTH if version == 2 and instance.family == AF_INET else 0)
    if len(data) == length + hmac_trailer.LENGTH and instance.auth_hmac is None:
        return f"{peer} signs its adverts, this file has no auth_hmac: add the block, or remove it there"
    return ""


def _auth_type(peer: str, packet: Packet, instance: VrrpInstance) -> str:
    theirs = "auth_type AH" if packet.headers else ""
    if not theirs and len(packet.data) > 4 and packet.data[0] >> 4 == 2:
        theirs = _AUTH_TYPES.get(packet.data[4], f"authentication of the unknown type {packet.data[4]}")
    ours = f"auth_type {instance.auth_type}" if instance.auth_type else "no authentication"
    return f"{peer} has {theirs or 'no authentication'}, this file {ours}: make them equal"


def _interval(peer: str, packet: Packet, instance: VrrpInstance) -> str:
    word = int.from_bytes(packet.data[4:6], "big")
    if instance.version == 2:
        return (
            f"{peer} has advert_int {word & 0xFF}, this file {instance.advert_int // SECOND}:"
            " version 2 wants the same on all routers"
        )
    theirs, ours = (word & 0xFFF) * CENTISECOND / SECOND, instance.advert_int / SECOND
    return (
        f"{peer} has advert_int {theirs:g}, this file {ours:g}:"
        " a BACKUP follows the MASTER's, but make them equal, or a takeover changes the pace"
    )


def _checksum(peer: str, packet: Packet, instance: VrrpInstance) -> str:
    if instance.version == 2:
        return ""
    length = _addresses_end(packet.data, instance)
    message = packet.data[:length]
    if verifies(message):
        return f"{peer} sums without the pseudo header: set v3_checksum_as_v2 on both, or on neither"
    if instance.unicast and verifies(pseudo_header(packet.source, instance.mcast_group.packed, length) + message):
        return f"{peer} has the checksum of releases up to 1.3.6: remove `old_unicast_checksum never`, or update it"
    return f"{peer}: the advert was damaged on its way, or an address was translated (NAT)"


def _cast(peer: str, packet: Packet, instance: VrrpInstance) -> str:
    if instance.unicast:
        return f"{peer} sends to the group {text(packet.destination)}, this file has unicast_peer: use one of both"
    return f"{peer} has unicast_peer, this file none: add a unicast_peer block here, or remove it there"


def _addresses(peer: str, packet: Packet, instance: VrrpInstance) -> str:
    """Which addresses stand in one file alone."""
    step = 4 if instance.family == AF_INET else 16
    end = min(_addresses_end(packet.data, instance), len(packet.data) - step + 1)
    theirs = {packet.data[at : at + step] for at in range(_HEADER, end, step)}
    ours = {entry.address.packed for entry in instance.virtual_ipaddress}
    said = []
    if missing := ours - theirs:
        said.append(f"lacks {_named(missing)} of this file")
    if more := theirs - ours:
        said.append(f"has {_named(more)}, which this file lacks")
    if not said:
        said.append("has an address twice")
    return f"{peer} {' and '.join(said)}: make virtual_ipaddress equal"


def _named(addresses: set[bytes]) -> str:
    named = [text(each) for each in sorted(addresses)]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more


def _keys(peer: str, packet: Packet, instance: VrrpInstance) -> str:
    trailer = hmac_trailer.read(packet.data[-hmac_trailer.LENGTH :])
    settings = instance.auth_hmac
    if trailer is None or settings is None:
        return ""
    ours = ", ".join(str(key.id) for key in settings.key) or "none"
    return f"{peer} signs with key {trailer.key}, this file has {ours}: add that key here before it is active there"


def _addresses_end(data: bytes, instance: VrrpInstance) -> int:
    return _HEADER + (data[3] if len(data) > 3 else 0) * (4 if instance.family == AF_INET else 16)
