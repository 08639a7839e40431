"""What an instance sends, and what it demands of what it receives."""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.wire.vrrp import AUTH_NONE, AUTH_PASS, Advert, Expected, encode


def messages(instance: VrrpInstance, priority: int, source: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """(destination, message) of one advert: one for the group, or one for each peer."""
    advert = Advert(
        version=instance.version,
        vrid=instance.virtual_router_id,
        priority=priority,
        advert_interval=instance.advert_int,
        addresses=tuple(entry.address.packed for entry in instance.virtual_ipaddress),
        auth_type=_auth_type(instance),
        auth_data=instance.auth_pass,
    )
    if instance.unicast:
        destinations = [peer.address.packed for peer in instance.unicast_peer]
    else:
        destinations = [instance.mcast_group.packed]
    return tuple((destination, encode(advert, source, destination)) for destination in destinations)


def expected(instance: VrrpInstance) -> Expected:
    """What an advert for this instance must look like."""
    return Expected(
        version=instance.version,
        address_length=4 if instance.family == AF_INET else 16,
        multicast=not instance.unicast,
        advert_interval=instance.advert_int,
        auth_type=_auth_type(instance),
        auth_data=instance.auth_pass,
    )


def _auth_type(instance: VrrpInstance) -> int:
    return AUTH_PASS if instance.version == 2 and instance.auth_type == "PASS" else AUTH_NONE
