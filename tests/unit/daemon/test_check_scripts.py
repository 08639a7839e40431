"""MISC_CHECK programs: how many run at once, at what pace, and what becomes of those that nobody wants any more."""

from collections import Counter
from collections.abc import Iterator

import pytest

from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.checkers.misc import MiscChecker
from pykeepalived.config.blocks.checkers import CheckTiming, MiscCheck
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.beats import BEAT
from pykeepalived.daemon.check_scripts import MOST, CheckScripts, ScriptRun
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeJournal, FakeScripts, SimulatedReactor
from tests.support.names import Names

NAMES = Names("r", "r", "v")


class Bench:
    """Many checks and nobody who runs their programs but the test."""

    def __init__(self, count: int, most: int = MOST, **timing: object) -> None:
        self.reactor = SimulatedReactor()
        self.scripts = FakeScripts(self.reactor.now)
        self.journal = FakeJournal()
        self.judged: list[ServerJudged | ServerWeighed] = []
        self.queue = CheckScripts(self.reactor, self.scripts, self.journal.log, most)
        self.runs = [self._run(number, **timing) for number in range(count)]

    def _run(self, number: int, **timing: object) -> ScriptRun:
        block = MiscCheck(
            misc_path=Script((f"/c{number}",)),
            timing=CheckTiming(**{"retry": 0, "delay_loop": 10 * SECOND, **timing}),  # type: ignore[arg-type]
        )
        checker = MiscChecker(block, 1, NAMES, self.reactor.now())
        return ScriptRun(self.reactor, self.queue, block, checker, self.judged.append, self.journal.log)

    def end_all(self, status: int = 0) -> None:
        for number in list(self.scripts.waited):
            self.scripts.end(number, status)


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.reactor.close()


def test_a_thousand_that_are_due_together_are_not_forked_together(benches: list[Bench]) -> None:
    bench = Bench(1000, most=1000)
    benches.append(bench)
    bench.reactor.run_for(SECOND)
    assert len(bench.scripts.runs) == 1000
    by_beat = Counter(int(str(at)) // BEAT for at in bench.scripts.seen)
    assert max(by_beat.values()) <= 2 * 16  # those of one moment, and of the next beat that falls together with it
    assert len(by_beat) > 30
    bench.end_all()
    assert len(bench.judged) == 1000
    bench.reactor.run_for(10 * SECOND)
    assert len(bench.scripts.runs) == 2000


def test_no_more_run_at_once_than_there_is_room_and_that_is_said_once(benches: list[Bench]) -> None:
    bench = Bench(40, most=8)
    benches.append(bench)
    bench.reactor.run_for(4 * SECOND)
    assert len(bench.scripts.runs) == 8 == bench.queue.running
    bench.end_all()
    assert "wait for each other" not in "".join(bench.journal.lines())
    bench.reactor.run_for(2 * SECOND)
    bench.end_all()
    [line] = [line for line in bench.journal.lines() if "wait for" in line]
    assert line.startswith("MISC_CHECKs wait for each other: 8 programs run at once, ")
    for _ in range(3):
        bench.end_all()
        bench.reactor.run_for(SECOND // 10)
    # each had its turn, in order
    assert [words[0] for words in bench.scripts.runs[:40]] == [f"/c{number}" for number in range(40)]
    assert "wait for each other" not in "".join(bench.journal.lines())


def test_one_that_is_closed_is_cut_short_or_never_started(benches: list[Bench]) -> None:
    bench = Bench(3, most=1)
    benches.append(bench)
    bench.reactor.run_for(SECOND)
    bench.runs[0].close()
    assert bench.scripts.cut == [1]
    bench.runs[1].close()
    assert bench.queue.running == 1  # until it has ended
    bench.scripts.end(1, None, signal=15, timed_out=True)
    bench.reactor.run_for(SECOND)
    assert bench.scripts.runs == [("/c0",), ("/c2",)]
    assert bench.judged == []
    bench.end_all(1)
    assert len(bench.judged) == 1


def test_one_result_that_goes_wrong_stops_no_other(benches: list[Bench]) -> None:
    bench = Bench(2, most=1)
    benches.append(bench)
    bench.reactor.run_for(SECOND)
    bench.runs[0]._judged = lambda _: 1 / 0  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        bench.end_all()
    bench.reactor.run_for(SECOND)
    assert bench.scripts.runs == [("/c0",), ("/c1",)]
    bench.end_all()
    bench.reactor.run_for(10 * SECOND)
    assert bench.scripts.runs[2:] == [("/c0",)]  # nor itself


def test_the_program_runs_again_a_loop_after_its_start(benches: list[Bench]) -> None:
    bench = Bench(1)
    benches.append(bench)
    bench.reactor.run_for(4 * SECOND)
    bench.end_all()
    bench.reactor.run_for(6 * SECOND - 2 * BEAT)
    assert len(bench.scripts.runs) == 1
    bench.reactor.run_for(4 * BEAT)
    assert len(bench.scripts.runs) == 2
