"""Who watches the checks: one that is overdue is an alarm, once, and once more when that is over.

A check is overdue when its turn, or its result, has not come for far longer than its timing says. It is woken then, in
case its alarm was lost. A process that stood still as a whole says so, and blames no check for the time that passed.
"""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from pykeepalived.checkers.report import CheckReport
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.units import SECOND, seconds_text

STILL = 3 * SECOND
"""A loop that turns at least once a second has stood still after so long."""

_LOOK_EVERY = 5 * SECOND
_TURN_EVERY = SECOND
_A_TURN = 500  # looked at before others get their turn
_NAMED = 10  # of those that are overdue; of the others the number is told


class WatchedChecker(Protocol):
    """What the watch asks of a checker."""

    def overdue_at(self) -> int:
        """From when on that nothing has happened is an alarm."""

    def stood_still(self) -> bool:
        """The process did not run for a while; whether a run was under way."""

    def report(self) -> CheckReport:
        """What it remembers."""


class WatchedRun(Protocol):
    """What the watch asks of a check at work."""

    @property
    def checker(self) -> WatchedChecker:
        """Its checker."""

    @property
    def open(self) -> bool:
        """Whether it goes on."""

    def wake(self) -> None:
        """Do what is due."""


class CheckWatch:
    """``runs`` gives all checks that ask or run something, whenever it is called."""

    def __init__(self, reactor: Reactor, log: Callable[[Log], None], runs: Callable[[], Iterable[WatchedRun]]) -> None:
        self._reactor = reactor
        self._log = log
        self._runs = runs
        self._overdue: dict[WatchedRun, CheckReport] = {}
        self._round: list[WatchedRun] = []
        self._found: list[WatchedRun] = []
        self._alarm = reactor.alarm(self._turn)
        self._look_at = 0
        self._stopped = False

    @property
    def overdue(self) -> int:
        """How many checks are overdue."""
        return len(self._overdue)

    def start(self) -> None:
        """Watch from now on."""
        now = self._reactor.now()
        self._look_at = now + _LOOK_EVERY
        self._alarm.set(now + _TURN_EVERY)
        self._reactor.tell_stalls(STILL, self._stood_still)

    def stop(self) -> None:
        """Watch nothing any more."""
        self._stopped = True
        self._round.clear()
        self._alarm.set(None)
        self._reactor.tell_stalls(STILL, None)

    def _turn(self) -> None:
        """Keep the loop turning, so that a stall is seen as one; now and then look at the checks."""
        now = self._reactor.now()
        self._alarm.set(now + _TURN_EVERY)
        if now >= self._look_at and not self._round:
            self._look_at = now + _LOOK_EVERY
            self._round = list(self._runs())
            self._found = []
            self._look()

    def _look(self) -> None:
        """Some of them, then the others' turn."""
        if self._stopped:
            return
        now = self._reactor.now()
        part, self._round = self._round[:_A_TURN], self._round[_A_TURN:]
        try:
            for run in part:
                if run.checker.overdue_at() <= now and run.open:
                    self._found.append(run)
        finally:  # one that goes wrong must not end the watch over the others
            if self._round:
                self._reactor.soon(self._look)
            else:
                self._judge(now)

    def _judge(self, now: int) -> None:
        found, self._found = self._found, []
        before, self._overdue = self._overdue, {}
        new = []
        for run in found:
            known = before.pop(run, None)
            if known is None:
                new.append(run)
            self._overdue[run] = run.checker.report() if known is None else known
        for run in new[:_NAMED]:
            self._log(_alarm(self._overdue[run], now))
        if len(new) > _NAMED:
            self._log(Log(f"{len(new) - _NAMED} more checks are overdue", Level.ERROR, Kind.STALL))
        over = [report for run, report in before.items() if run.open]
        for report in over[:_NAMED]:
            self._log(_entry(f"{_name(report)} is not overdue any more", report, Level.NOTICE))
        if len(over) > _NAMED:
            line = f"{len(over) - _NAMED} more checks are not overdue any more"
            self._log(Log(line, Level.NOTICE, Kind.STALL))
        for run in found:
            self._reactor.soon(run.wake)

    def _stood_still(self, length: int) -> None:
        """Before anything else of this turn: failures of what was under way may be ours."""
        self._look_at = self._reactor.now() + _LOOK_EVERY  # until then what is due is done
        self._round.clear()
        under_way = sum(run.checker.stood_still() for run in self._runs() if run.open)
        line = (
            f"This process stood still for {seconds_text(length)} (stopped, suspended or without a processor):"
            f" checks that fail now are made again before they count, {under_way} were under way"
        )
        self._log(Log(line, Level.WARNING, Kind.STALL))


def time_of_day(instant: int) -> int:
    """When a monotonic instant of a report was, or will be, in nanoseconds since 1970 as the clock is set now."""
    return time.time_ns() - time.monotonic_ns() + instant


def _alarm(report: CheckReport, now: int) -> Log:
    late = seconds_text((now - report.due_at) // SECOND * SECOND) if report.due_at is not None else "long"
    what = "its next run is" if report.running_since is None else "the end of its run is"
    state = "up" if report.up else "down"
    line = f"{_name(report)} is overdue: {what} {late} late; the service stays {state}, last result: {report.result}"
    return _entry(line, report, Level.ERROR)


def _name(report: CheckReport) -> str:
    return f"{report.check} of service {report.real_server} for VS {report.virtual_server}"


def _entry(line: str, report: CheckReport, level: Level) -> Log:
    fields = (("VIRTUAL_SERVER", report.virtual_server), ("REAL_SERVER", report.real_server))
    return Log(line, level, Kind.STALL, fields=fields)
