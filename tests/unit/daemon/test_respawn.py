"""The waits of a process that keeps dying."""

from pykeepalived.daemon.respawn import Respawn
from pykeepalived.units import SECOND


def test_the_waits_double_up_to_a_minute() -> None:
    respawn = Respawn()
    waits = [respawn.died(SECOND) // SECOND for _ in range(10)]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_good_life_is_remembered_and_a_short_one_forgives_nothing() -> None:
    respawn = Respawn()
    for _ in range(5):
        respawn.died(0)
    assert respawn.died(59 * SECOND) == 16 * SECOND
    assert respawn.died(60 * SECOND) == 0
    assert respawn.died(0) == SECOND
