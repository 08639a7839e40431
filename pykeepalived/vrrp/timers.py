"""The RFC's timers as integers of nanoseconds: multiply first, divide last."""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.units import SECOND
from pykeepalived.wire.vrrp import OWNER


def skew_time(version: int, priority: int, advert_interval: int) -> int:
    """RFC 9568 6.1: (256 - priority) parts in 256 of the interval; in version 2 of a second, whatever the interval."""
    return (256 - priority) * (SECOND if version == 2 else advert_interval) // 256


def master_down_interval(version: int, priority: int, advert_interval: int, down_timer_adverts: int) -> int:
    """How long a BACKUP waits for an advert before it takes over."""
    return down_timer_adverts * advert_interval + skew_time(version, priority, advert_interval)


def shortest_wait(instance: VrrpInstance) -> int:
    """One interval and the shortest skew there is: the wait of who is expected to be MASTER."""
    return instance.advert_int + skew_time(instance.version, OWNER, instance.advert_int)


def expires_at(instance: VrrpInstance, advert_at: int) -> int:
    """When a peer may have taken over from a MASTER whose advert was due at ``advert_at`` (timer_expired_backup):
    three intervals and the skew after its last one.
    """
    skew = skew_time(instance.version, instance.timer_expired_backup, instance.advert_int)
    return advert_at + 2 * instance.advert_int + skew
