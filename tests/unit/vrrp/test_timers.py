"""The timers to the nanosecond, beside what keepalived was seen to use."""

import pytest

from pykeepalived.units import CENTISECOND, MICROSECOND, SECOND
from pykeepalived.vrrp.timers import master_down_interval, skew_time


@pytest.mark.parametrize(
    ("version", "priority", "advert_int", "skew"),
    [
        (2, 100, SECOND, 609_375_000),
        (2, 100, 10 * SECOND, 609_375_000),  # version 2: of a second, whatever the interval
        (2, 255, SECOND, 3_906_250),
        (2, 1, SECOND, 996_093_750),
        (3, 100, SECOND, 609_375_000),
        (3, 150, SECOND // 2, 207_031_250),
        (3, 254, CENTISECOND, 78_125),
        (3, 255, CENTISECOND, 39_062),
        (3, 1, 4095 * CENTISECOND, 40_790_039_062),
    ],
)
def test_skew_time(version: int, priority: int, advert_int: int, skew: int) -> None:
    assert skew_time(version, priority, advert_int) == skew


@pytest.mark.parametrize(
    ("version", "priority", "advert_int", "adverts", "microseconds"),
    [
        (2, 150, SECOND, 3, 3_414_062),
        (3, 150, SECOND // 2, 3, 1_707_031),
        (3, 254, CENTISECOND, 3, 30_078),
        (2, 100, SECOND, 1, 1_609_375),
        (3, 100, SECOND, 100, 100_609_375),
    ],
)
def test_master_down_interval(version: int, priority: int, advert_int: int, adverts: int, microseconds: int) -> None:
    assert master_down_interval(version, priority, advert_int, adverts) // MICROSECOND == microseconds


def test_a_higher_priority_never_waits_longer() -> None:
    for version in (2, 3):
        waits = [master_down_interval(version, priority, CENTISECOND, 3) for priority in range(1, 256)]
        assert waits == sorted(waits, reverse=True)
        assert len(set(waits)) == 255
