"""The watch over the checks: who is overdue, and what a process says that stood still."""

import time
from collections.abc import Iterator

import pytest

from pykeepalived.checkers.report import CheckReport, grace
from pykeepalived.daemon.check_watch import CheckWatch, time_of_day
from pykeepalived.effects import Kind, Level
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeJournal, SimulatedReactor

ROUND = 6 * SECOND


class Check:
    """A check that the test makes late; woken, it is on time again if it can be mended."""

    def __init__(self, reactor: SimulatedReactor, number: int, *, mends: bool = False) -> None:
        self.reactor = reactor
        self.number = number
        self.mends = mends
        self.due_at = reactor.now() + 3600 * SECOND
        self.running_since: int | None = None
        self.open = True
        self.woken = 0
        self.excused = 0

    @property
    def checker(self) -> "Check":
        return self

    def overdue_at(self) -> int:
        return self.due_at + grace(10 * SECOND)

    def stood_still(self) -> bool:
        self.excused += 1
        return self.running_since is not None

    def report(self) -> CheckReport:
        real = f"[10.0.0.{self.number}]:tcp:80"
        return CheckReport(
            "TCP_CHECK", real, "V", True, "succeeded", running_since=self.running_since, due_at=self.due_at
        )

    def wake(self) -> None:
        self.woken += 1
        if self.mends:
            self.due_at = self.reactor.now() + 3600 * SECOND


class Bench:
    """A watch over checks, and its lines."""

    def __init__(self, count: int) -> None:
        self.reactor = SimulatedReactor()
        self.journal = FakeJournal()
        self.checks = [Check(self.reactor, number) for number in range(count)]
        self.watch = CheckWatch(self.reactor, self.journal.log, lambda: self.checks)
        self.watch.start()

    def pass_time(self, length: int = ROUND) -> list[str]:
        self.reactor.run_for(length)
        return self.journal.lines()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(1200)
    yield bench
    bench.watch.stop()
    bench.reactor.close()


def test_nobody_is_overdue_who_is_only_late(bench: Bench) -> None:
    bench.checks[7].due_at = bench.reactor.now()
    assert bench.pass_time(9 * SECOND) == []
    assert (bench.watch.overdue, bench.checks[7].woken) == (0, 0)


def test_an_overdue_check_is_an_alarm_once_and_once_when_it_is_over(bench: Bench) -> None:
    bench.checks[7].due_at = bench.reactor.now() - 20 * SECOND
    bench.reactor.run_for(ROUND)
    [alarm] = bench.journal.entries
    assert (alarm.level, alarm.kind) == (Level.ERROR, Kind.STALL)
    assert dict(alarm.fields)["REAL_SERVER"] == "[10.0.0.7]:tcp:80"
    assert bench.journal.lines() == [
        (
            "TCP_CHECK of service [10.0.0.7]:tcp:80 for VS V is overdue: its next run is 25 s late;"
            " the service stays up, last result: succeeded"
        )
    ]
    assert bench.pass_time(60 * SECOND) == []
    assert bench.watch.overdue == 1
    assert bench.checks[7].woken > 5
    bench.checks[7].mends = True
    assert bench.pass_time(2 * ROUND) == ["TCP_CHECK of service [10.0.0.7]:tcp:80 for VS V is not overdue any more"]
    assert bench.watch.overdue == 0


def test_one_that_runs_without_end_is_overdue_too(bench: Bench) -> None:
    bench.checks[3].due_at = bench.reactor.now() - 20 * SECOND
    bench.checks[3].running_since = bench.reactor.now() - 30 * SECOND
    assert "the end of its run is 25 s late" in bench.pass_time()[0]


def test_one_that_goes_wrong_does_not_end_the_watch_over_the_others(bench: Bench) -> None:
    bench.checks[3].due_at = None  # type: ignore[assignment]  # a fault of the program
    bench.checks[1100].due_at = bench.reactor.now() - 20 * SECOND
    for _ in range(2):
        with pytest.raises(TypeError):
            bench.reactor.run_for(ROUND)
    assert bench.journal.lines()[0].startswith("TCP_CHECK of service [10.0.0.1100]:tcp:80 for VS V is overdue")
    assert bench.checks[1100].woken == 2


def test_thousands_are_not_thousands_of_lines(bench: Bench) -> None:
    for check in bench.checks:
        check.due_at = bench.reactor.now() - 20 * SECOND
    lines = bench.pass_time()
    assert len(lines) == 11
    assert lines[-1] == "1190 more checks are overdue"
    for check in bench.checks:
        check.mends = True
    assert bench.pass_time(2 * ROUND)[-1] == "1190 more checks are not overdue any more"


def test_one_that_is_gone_is_nobody_s_alarm(bench: Bench) -> None:
    bench.checks[7].due_at = 0
    bench.checks[7].open = False
    assert bench.pass_time() == []


def test_a_process_that_stood_still_says_so_once_and_blames_nobody(bench: Bench) -> None:
    for check in bench.checks:
        check.due_at = bench.reactor.now() - 300 * SECOND
        check.mends = True
    bench.checks[1].running_since = 1
    assert bench.reactor._on_stall is not None
    bench.reactor._on_stall(300 * SECOND)
    assert bench.journal.lines() == [
        (
            "This process stood still for 300 s (stopped, suspended or without a processor): checks that fail now are"
            " made again before they count, 1 were under way"
        )
    ]
    assert all(check.excused == 1 for check in bench.checks)
    for check in bench.checks:
        check.wake()  # what their own alarms do in the next turns
    assert bench.pass_time() == []


def test_an_instant_has_a_time_of_day() -> None:
    assert abs(time_of_day(time.monotonic_ns()) - time.time_ns()) < SECOND
    assert time_of_day(5 * SECOND) - time_of_day(0) >= 5 * SECOND - SECOND


def test_nothing_is_watched_after_the_end(bench: Bench) -> None:
    bench.watch.stop()
    bench.checks[7].due_at = 0
    assert bench.pass_time(60 * SECOND) == []
    assert bench.reactor._on_stall is None
