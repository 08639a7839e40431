"""What an instance sends, and what it demands of what it receives."""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.wire import ah, hmac_trailer
from pykeepalived.wire.keyed_hash import keyed_hash
from pykeepalived.wire.vrrp import AUTH_AH, AUTH_NONE, AUTH_PASS, Advert, Expected, encode


def messages(
    instance: VrrpInstance, priority: int, source: bytes, *, sequence: int = 0, old_checksum: bool = False
) -> tuple[tuple[bytes, bytes], ...]:
    """(destination, message) of one advert: one for the group, or one for each peer.

    ``sequence`` numbers it where it is authenticated by AH, whose header then stands before the message, or by
    auth_hmac, whose trailer stands behind it. Both are the same for all peers.
    """
    advert = Advert(
        version=instance.version,
        vrid=instance.virtual_router_id,
        priority=priority,
        advert_interval=instance.advert_int,
        addresses=tuple(entry.address.packed for entry in instance.virtual_ipaddress),
        auth_type=_auth_type(instance),
        auth_data=_auth_data(instance),
    )
    if instance.unicast:
        destinations = [peer.address.packed for peer in instance.unicast_peer]
    else:
        destinations = [instance.mcast_group.packed]
    made = [
        (destination, encode(advert, source, _summed_for(instance, destination, old_checksum=old_checksum)))
        for destination in destinations
    ]
    if instance.auth_type == "AH":
        head = ah.header(source, sequence)
        return tuple((destination, head + message) for destination, message in made)
    trailer = _trailer(instance, made[0][1], source, sequence)
    return tuple((destination, message + trailer) for destination, message in made) if trailer else tuple(made)


def signs(instance: VrrpInstance) -> bool:
    """Whether its adverts carry a trailer of auth_hmac."""
    settings = instance.auth_hmac
    return settings is not None and settings.mode != "receive-only" and settings.active_key != 0


def expected(instance: VrrpInstance) -> Expected:
    """What an advert for this instance must look like."""
    old = instance.unicast and instance.family == AF_INET and instance.old_unicast_checksum != "never"
    return Expected(
        version=instance.version,
        address_length=4 if instance.family == AF_INET else 16,
        multicast=not instance.unicast,
        advert_interval=instance.advert_int,
        auth_type=_auth_type(instance),
        auth_data=_auth_data(instance),
        signed=instance.auth_hmac is not None,
        checksum_counts=not instance.v3_checksum_as_v2,
        old_group=instance.mcast_group.packed if old else b"",
    )


def _auth_type(instance: VrrpInstance) -> int:
    if instance.version != 2 or instance.auth_type is None:
        return AUTH_NONE
    return AUTH_PASS if instance.auth_type == "PASS" else AUTH_AH


def _auth_data(instance: VrrpInstance) -> bytes:
    """A password is told; AH signs with it instead."""
    return instance.auth_pass if instance.auth_type == "PASS" else b""


def _summed_for(instance: VrrpInstance, destination: bytes, *, old_checksum: bool) -> bytes:
    if instance.v3_checksum_as_v2:
        return b""
    return instance.mcast_group.packed if old_checksum and instance.unicast else destination


def _trailer(instance: VrrpInstance, message: bytes, source: bytes, sequence: int) -> bytes:
    settings = instance.auth_hmac
    if settings is None or not signs(instance):
        return b""
    secret = next(key.secret for key in settings.key if key.id == settings.active_key)
    return hmac_trailer.sign(keyed_hash("sha256", secret), settings.active_key, message, source, sequence)
