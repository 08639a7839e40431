"""When wrong packets are too many."""

from pykeepalived.units import SECOND
from pykeepalived.vrrp.floods import GUARD, MOST_A_SECOND, QUIET, WINDOW, FloodWatch

NOW = 1_000_000_000_000


def flooded(watch: FloodWatch, rate: int, start: int, length: int) -> list[int]:
    """Looked at a thousand times a second: when guards began, in windows after the start."""
    steps = range(0, length, SECOND // 1000)
    return [step // WINDOW for step in steps if watch.look(rate * step // SECOND, start + step)]


def test_a_few_are_no_flood() -> None:
    assert flooded(FloodWatch(), MOST_A_SECOND, NOW, 30 * SECOND) == []


def test_many_are_and_the_guard_ends_by_itself() -> None:
    guard = GUARD // WINDOW
    assert flooded(FloodWatch(), MOST_A_SECOND * 11 // 10, NOW, 30 * SECOND) == [1, guard + 2, 2 * guard + 3]


def test_a_long_silence_says_nothing_of_the_rate() -> None:
    watch = FloodWatch()
    assert not watch.look(1_000_000, NOW)
    assert not watch.look(2_000_000, NOW + 10 * WINDOW)
    assert watch.look(2_001_000, NOW + 11 * WINDOW)
    assert not watch.due(NOW + 12 * WINDOW)


def test_a_flood_is_said_once() -> None:
    watch = FloodWatch()
    assert [watch.news(NOW + number * GUARD) for number in range(20)] == [True] + [False] * 19
    assert watch.news(NOW + 20 * GUARD + QUIET)
