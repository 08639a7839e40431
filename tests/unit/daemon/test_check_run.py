"""One check at work, where something goes wrong in our own process."""

import contextlib
import os
import resource
import socket
import sys
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet, HttpUrl, Target, TcpCheck
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import Beats
from pykeepalived.daemon.check_run import CheckRun, Means
from pykeepalived.pcre2 import PatternError
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeJournal, SimulatedReactor
from tests.support.names import Names

TIMING = CheckTiming(retry=0, delay_loop=10 * SECOND)


class Bench:
    """One check of a server that takes connections and says nothing."""

    def __init__(self) -> None:
        self.reactor = SimulatedReactor()
        self.journal = FakeJournal()
        self.wants: list[str] = []
        self.verdicts: list[ServerJudged | ServerWeighed] = []
        self.trouble: Exception | None = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.target = Target(ip_address("127.0.0.1"), self.listener.getsockname()[1])

    def run(self, check: CheckerBlock) -> CheckRun:
        means = Means(Beats(self.reactor), Attempts(self.reactor), self.journal.log, self.wants.append)
        checker = Checker(check, Names("t", "r", "v"), self.reactor.now())
        return CheckRun(means, check, checker, self.judged)

    def http(self, **options: object) -> CheckRun:
        url = HttpUrl(path="/", **options)  # type: ignore[arg-type]  # names of HttpUrl
        return self.run(HttpGet(target=self.target, timing=TIMING, url=(url,)))

    def judged(self, verdict: ServerJudged | ServerWeighed) -> None:
        self.verdicts.append(verdict)
        if self.trouble is not None:
            raise self.trouble


@contextlib.contextmanager
def one_descriptor_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.dup(0)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 16, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(0))
        os.close(taken.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in taken:
            os.close(each)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.listener.close()
    bench.reactor.close()


def test_a_fault_of_ours_is_told_and_judges_no_server(bench: Bench) -> None:
    began = bench.reactor.now()
    run = bench.http(regex="(")  # which the loader would not let pass
    with pytest.raises(PatternError):
        bench.reactor.run_for(SECOND)
    assert (run.checker.running, bench.verdicts) == (False, [])
    assert run.checker.due_at == began + TIMING.delay_loop
    with pytest.raises(PatternError):
        bench.reactor.run_for(TIMING.delay_loop)
    run.close()


def test_a_check_goes_on_though_its_verdict_was_not_heard(bench: Bench) -> None:
    bench.trouble = ValueError("of the table")
    run = bench.run(TcpCheck(bench.target, TIMING))
    with pytest.raises(ValueError, match="of the table"):
        bench.reactor.run_for(SECOND)
    bench.listener.close()
    bench.trouble = None
    bench.reactor.run_for(TIMING.delay_loop)
    assert [verdict.up for verdict in bench.verdicts if isinstance(verdict, ServerJudged)] == [True, False]
    run.close()


def test_a_module_that_cannot_be_loaded_for_want_of_descriptors_puts_the_check_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench.http(digest=bytes(16))
    monkeypatch.delitem(sys.modules, "hashlib", raising=False)
    with one_descriptor_left():  # for the connection
        bench.reactor.run_for(SECOND)
    assert (bench.wants, bench.verdicts, run.checker.running) == (["Too many open files"], [], False)
    bench.reactor.run_for(TIMING.delay_loop)
    assert run.checker.running
    run.close()
