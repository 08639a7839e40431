"""The RFC's timers as integers of nanoseconds: multiply first, divide last."""

from pykeepalived.units import SECOND


def skew_time(version: int, priority: int, advert_interval: int) -> int:
    """RFC 9568 6.1: (256 - priority) parts in 256 of the interval; in version 2 of a second, whatever the interval."""
    return (256 - priority) * (SECOND if version == 2 else advert_interval) // 256


def master_down_interval(version: int, priority: int, advert_interval: int, down_timer_adverts: int) -> int:
    """How long a BACKUP waits for an advert before it takes over."""
    return down_timer_adverts * advert_interval + skew_time(version, priority, advert_interval)
