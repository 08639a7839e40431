"""The scheduling of a protocol process: what the file says, applied at the start and by difference at a reload."""

import errno
import signal
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.daemon.assemble import CHECKER, VRRP
from pykeepalived.daemon.roles import Role
from pykeepalived.daemon.scheduling import Scheduling
from pykeepalived.errors import KernelError
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.units import SECOND
from tests.support.fakes_vrrp import FakeJournal, FakeReactor


class FakeScheduler:
    """Writes down what is asked of the kernel; refuses what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refuses: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., frozenset[Capability]]:
        def ask(*arguments: object) -> frozenset[Capability]:
            self.asked.append((name, *arguments))
            if name in self.refuses:
                raise KernelError(name.replace("_", " "), errno.EPERM)
            return frozenset({Capability.SYS_NICE})

        return ask

    def cut(self) -> list[tuple[Any, ...]]:
        asked, self.asked = self.asked, []
        return asked


class Bench:
    """A process of a role, without the process."""

    def __init__(self, role: Role, kernel: FakeScheduler) -> None:
        self.kernel = kernel
        self.reactor = FakeReactor()
        self.journal = FakeJournal()
        self.scheduling = Scheduling(role, cast("Any", self.reactor), self.journal, cast("Any", kernel))

    def start(self, **settings: object) -> frozenset[Capability]:
        needed = self.scheduling.start(GlobalDefs(**cast("Any", settings)))
        assert self.kernel.cut()[0] == ("allow_changes",)
        return needed

    def apply(self, **settings: object) -> list[tuple[Any, ...]]:
        self.kernel.cut()
        self.scheduling.apply(GlobalDefs(**cast("Any", settings)))
        return self.kernel.cut()


@pytest.fixture
def kernel() -> Iterator[FakeScheduler]:
    """A kernel's scheduler; the signal it sends is the test's process's own."""
    before = signal.getsignal(signal.SIGXCPU)
    yield FakeScheduler()
    signal.signal(signal.SIGXCPU, before)


REALTIME = ("run_real_time", 2, 2 * SECOND)


def test_vrrp_is_ahead_of_ordinary_processes_unless_the_file_says_otherwise(kernel: FakeScheduler) -> None:
    bench = Bench(VRRP, kernel)
    assert bench.apply() == [REALTIME]
    assert bench.apply() == []
    assert bench.apply(vrrp_rt_priority=10, vrrp_rlimit_rttime=20000) == [("run_real_time", 10, 20_000_000)]
    assert bench.apply(vrrp_priority=-5) == [("set_nice", -5), ("run_ordinarily",)]
    assert bench.apply() == [("set_nice", 0), REALTIME]


@pytest.mark.parametrize("prefix", ["vrrp", "checker"])
def test_every_keyword_of_a_role_is_applied_and_taken_back(kernel: FakeScheduler, prefix: str) -> None:
    bench = Bench(VRRP if prefix == "vrrp" else CHECKER, kernel)
    first = [REALTIME] if prefix == "vrrp" else []
    assert bench.apply() == first
    words = {f"{prefix}_priority": 3, f"{prefix}_cpu_affinity": (1,), f"{prefix}_no_swap": True}
    asked = bench.apply(**words, **{f"{prefix}_rt_priority": 7})
    assert asked == [("set_cpus", (1,)), ("set_nice", 3), ("run_real_time", 7, 10_000_000), ("lock_memory",)]
    last = [REALTIME] if prefix == "vrrp" else [("run_ordinarily",)]
    assert bench.apply() == [("set_cpus", ()), ("set_nice", 0), *last, ("unlock_memory",)]


def test_capabilities_are_kept_only_for_a_file_that_asks_for_something(kernel: FakeScheduler) -> None:
    assert Bench(VRRP, kernel).start() == frozenset()
    assert Bench(VRRP, kernel).start(checker_priority=-3) == frozenset()
    assert Bench(VRRP, kernel).start(vrrp_priority=-3) == {Capability.SYS_NICE}
    assert Bench(VRRP, kernel).start(max_auto_priority=3) == {Capability.SYS_NICE}


def test_another_role_s_keywords_are_not_ours(kernel: FakeScheduler) -> None:
    bench = Bench(CHECKER, kernel)
    assert bench.apply(vrrp_priority=3, vrrp_rt_priority=7, vrrp_no_swap=True, bfd_priority=3) == []


def test_what_the_kernel_refuses_is_said_with_the_remedy_and_the_rest_is_done(kernel: FakeScheduler) -> None:
    kernel.refuses = {"set_nice", "run_real_time", "lock_memory"}
    bench = Bench(VRRP, kernel)
    bench.start(vrrp_priority=-5, vrrp_rt_priority=10, vrrp_no_swap=True, vrrp_cpu_affinity=(0,))
    said = bench.journal.texts()
    assert [line.partition(" has no effect")[0] for line in said] == [
        "vrrp_priority -5",
        "vrrp_rt_priority 10",
        "vrrp_no_swap",
    ]
    assert all("Operation not permitted" in line and "CAP_SYS_NICE" in line for line in said)


def test_our_own_wish_refused_is_no_mistake_of_the_file(kernel: FakeScheduler) -> None:
    kernel.refuses = {"run_real_time"}
    bench = Bench(VRRP, kernel)
    bench.start()
    (line,) = bench.journal.texts()
    assert line.startswith("No realtime scheduling")


def test_computing_too_long_costs_the_priority_for_a_while(kernel: FakeScheduler) -> None:
    bench = Bench(VRRP, kernel)
    bench.start(vrrp_rt_priority=10)
    for times in (1, 2):
        signal.raise_signal(signal.SIGXCPU)
        assert kernel.cut() == [("run_ordinarily",)]
        bench.reactor.run_for(9 * SECOND)
        assert kernel.cut() == []
        bench.reactor.run_for(SECOND)
        assert kernel.cut() == [("run_real_time", 10, 10_000_000)], times
    (line,) = bench.journal.texts()
    assert "computed for 10 ms" in line
    assert "vrrp_rlimit_rttime may need to be increased" in line


def test_a_start_and_a_reload_may_compute_longer(kernel: FakeScheduler) -> None:
    bench = Bench(VRRP, kernel)
    bench.start(vrrp_rt_priority=10)
    kernel.cut()
    with bench.scheduling.long_work():
        assert kernel.cut() == [("run_real_time", 10, 2 * SECOND)]
    assert kernel.cut() == []  # not before the process has slept
    bench.reactor.run_for(SECOND)
    assert kernel.cut() == [("run_real_time", 10, 10_000_000)]
    with bench.scheduling.long_work():
        signal.raise_signal(signal.SIGXCPU)
    kernel.cut()
    bench.reactor.run_for(9 * SECOND)
    assert kernel.cut() == []  # the pause is as long as ever
    bench.apply()
    kernel.cut()
    with bench.scheduling.long_work():
        assert kernel.cut() == []  # our own limit is long enough


@pytest.mark.parametrize(("late", "raised"), [(0.9, False), (1.1, True)])
def test_a_process_that_is_woken_too_late_gets_a_higher_priority(
    kernel: FakeScheduler, late: float, raised: bool
) -> None:
    bench = Bench(CHECKER, kernel)
    bench.start(max_auto_priority=2)
    bench.reactor.run_for(10 * SECOND)
    assert kernel.cut() == []
    bench.reactor.time += int((0.5 + late) * SECOND)  # nobody turned meanwhile
    bench.reactor.turn()
    assert kernel.cut() == ([("run_real_time", 1, 10_000_000)] if raised else [])
    said = ["A thread timer expired 1.100000 seconds ago", "Set realtime priority 1"]
    assert bench.journal.texts() == (said if raised else [])


def test_no_further_than_max_auto_priority_and_not_without_it(kernel: FakeScheduler) -> None:
    bench = Bench(CHECKER, kernel)
    bench.start(max_auto_priority=2, min_auto_priority_delay=200_000)
    for _ in range(5):
        bench.reactor.time += SECOND
        bench.reactor.turn()
    assert [order[1] for order in kernel.cut()] == [1, 2]
    bench.apply(max_auto_priority=-1)
    bench.reactor.time += SECOND
    bench.reactor.turn()
    assert kernel.cut() == []
