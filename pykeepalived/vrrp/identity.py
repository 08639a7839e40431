"""What makes two virtual routers the same across a reload, and which of them share a receive socket."""

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance


class ReceiverKey(NamedTuple):
    """One receive socket: a group joined on an interface, or the source that unicast instances are bound to."""

    family: int
    interface: str
    group: IPv4Address | IPv6Address | None
    unicast_source: IPv4Address | IPv6Address | None


def receiver_of(instance: VrrpInstance) -> ReceiverKey:
    """The socket at which an instance's adverts come in."""
    if instance.unicast:
        return ReceiverKey(instance.family, instance.exchange_interface, None, instance.unicast_src_ip)
    return ReceiverKey(instance.family, instance.exchange_interface, instance.mcast_group, None)
