"""How large the receive buffer of a socket is to be: what each instance at it asks for, together."""

from collections.abc import Iterable

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.wire import ah, hmac_trailer
from pykeepalived.wire.vrrp import AUTH_LENGTH

PATIENT = 1 << 20
"""What outlasts a stall: 255 routers at 10 ms, half a second late."""

_HEADER = 8


def receive_buffer(instances: Iterable[VrrpInstance], settings: GlobalDefs, mtu: int) -> int:
    """The bytes. An instance that asks for none never has less because of the others."""
    wanted = [_of(instance, settings, mtu) for instance in instances]
    asked = sum(wanted)
    return asked if all(wanted) and asked else max(asked, PATIENT)


def _of(instance: VrrpInstance, settings: GlobalDefs, mtu: int) -> int:
    if instance.kernel_rx_buf_size is not None:
        return instance.kernel_rx_buf_size
    policy = settings.vrrp_rx_bufs_policy
    if policy.size:
        return policy.size
    if not policy.policy:
        return 0
    one = mtu if policy.policy == "MTU" else _advert_length(instance)
    return one * settings.vrrp_rx_bufs_multiplier


def _advert_length(instance: VrrpInstance) -> int:
    """Of a whole datagram."""
    ipv4 = instance.family == AF_INET
    length = (20 if ipv4 else 40) + _HEADER + len(instance.virtual_ipaddress) * (4 if ipv4 else 16)
    length += AUTH_LENGTH if instance.version == 2 and ipv4 else 0
    length += ah.LENGTH if instance.auth_type == "AH" else 0
    return length + (hmac_trailer.LENGTH if instance.auth_hmac is not None else 0)
