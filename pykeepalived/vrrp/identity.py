"""What makes two virtual routers the same across a reload, and which of them share a receive socket."""

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.wire.ah import IPPROTO_AH
from pykeepalived.wire.vrrp import IPPROTO_VRRP


class ReceiverKey(NamedTuple):
    """One receive socket: a group joined on an interface, or the source that unicast instances are bound to."""

    family: int
    interface: str
    group: IPv4Address | IPv6Address | None
    unicast_source: IPv4Address | IPv6Address | None
    protocol: int = IPPROTO_VRRP


def receivers_of(instance: VrrpInstance) -> tuple[ReceiverKey, ...]:
    """The sockets that an instance listens at. One with AH also hears, and refuses, adverts that have none."""
    own = receiver_of(instance)
    return (own,) if own.protocol == IPPROTO_VRRP else (own, own._replace(protocol=IPPROTO_VRRP))


def receiver_of(instance: VrrpInstance) -> ReceiverKey:
    """The socket at which an instance's adverts come in."""
    protocol = IPPROTO_AH if instance.auth_type == "AH" else IPPROTO_VRRP
    if instance.unicast:
        return ReceiverKey(instance.family, instance.exchange_interface, None, instance.unicast_src_ip, protocol)
    return ReceiverKey(instance.family, instance.exchange_interface, instance.mcast_group, None, protocol)
