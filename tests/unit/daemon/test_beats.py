"""The beats that checks share."""

import pytest

from pykeepalived.daemon.beats import BEAT, Beats
from tests.support.fakes_lvs import SimulatedReactor


class Sleeper:
    """Notes when it is woken."""

    def __init__(self, reactor: SimulatedReactor, trouble: Exception | None = None) -> None:
        self.woken_at: int | None = None
        self.woken: list[int] = []
        self._reactor = reactor
        self._trouble = trouble

    def wake(self) -> None:
        self.woken.append(self._reactor.now())
        if self._trouble is not None:
            raise self._trouble


def test_each_is_woken_on_its_beat() -> None:
    reactor = SimulatedReactor()
    beats = Beats(reactor)
    start = reactor.now()
    sleepers = [Sleeper(reactor) for _ in range(300)]
    for number, sleeper in enumerate(sleepers):
        beats.wake(sleeper, start + (3 - number % 3) * BEAT)
    reactor.run_for(10 * BEAT)
    assert [each.woken for each in sleepers] == [[start + (3 - number % 3) * BEAT] for number in range(300)]
    assert (beats._order, beats._sleepers) == ([], {})
    reactor.close()


def test_who_moves_is_woken_once() -> None:
    reactor = SimulatedReactor()
    beats = Beats(reactor)
    start = reactor.now()
    sooner, gone, later = (Sleeper(reactor) for _ in range(3))
    for sleeper in (sooner, gone, later):
        beats.wake(sleeper, start + 2 * BEAT)
    beats.wake(sooner, start + BEAT)
    beats.wake(later, start + 3 * BEAT)  # it will ask again when it is woken
    gone.woken_at = None
    reactor.run_for(10 * BEAT)
    assert (sooner.woken, gone.woken, later.woken) == ([start + BEAT], [], [start + 2 * BEAT])
    reactor.close()


def test_one_that_goes_wrong_stops_no_other() -> None:
    reactor = SimulatedReactor()
    beats = Beats(reactor)
    start = reactor.now()
    sleepers = [Sleeper(reactor), Sleeper(reactor, ValueError("of this one")), Sleeper(reactor)]
    for sleeper in sleepers:
        beats.wake(sleeper, start + BEAT)
    with pytest.raises(ValueError, match="of this one"):
        reactor.run_for(10 * BEAT)
    assert [each.woken for each in sleepers] == [[start + BEAT]] * 3
    reactor.close()


def test_others_get_their_turn_between() -> None:
    reactor = SimulatedReactor()
    beats = Beats(reactor)
    sleepers = [Sleeper(reactor) for _ in range(200)]
    for sleeper in sleepers:
        beats.wake(sleeper, reactor.now() + BEAT)
    reactor.step(reactor.now() + BEAT)
    assert 0 < sum(bool(each.woken) for each in sleepers) < 100
    reactor.run_for(0)
    assert all(each.woken for each in sleepers)
    reactor.close()


def test_sockets_are_read_soon_however_long_each_takes() -> None:
    reactor = SimulatedReactor()
    beats = Beats(reactor)

    class Slow(Sleeper):
        def wake(self) -> None:
            super().wake()
            reactor.time += BEAT // 2

    sleepers = [Slow(reactor) for _ in range(10)]
    for sleeper in sleepers:
        beats.wake(sleeper, reactor.now() + BEAT)
    reactor.step(reactor.now() + BEAT)
    assert sum(bool(each.woken) for each in sleepers) == 3
    reactor.run_for(10 * BEAT)
    assert all(each.woken for each in sleepers)
    reactor.close()
