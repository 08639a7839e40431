"""How a process is scheduled, each in a child that is thrown away."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from pykeepalived.kernel import capabilities, scheduling
from pykeepalived.units import MILLISECOND, SECOND
from tests.unit.kernel.forked import in_child

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be scheduled before others")


def granted(work: Callable[[], object]) -> str:
    answer = in_child(work)
    if answer == "EPERM":
        pytest.skip("needs a kernel that grants this here")
    return answer


def locked() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmLck:")[2].split()[0])


@needs_root
def test_real_time_is_not_passed_on() -> None:
    def work() -> str:
        scheduling.run_real_time(10, 50 * MILLISECOND)
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        limit = resource.getrlimit(resource.RLIMIT_RTTIME)[0]
        return f"{policy == os.SCHED_RR} {os.sched_getparam(0).sched_priority} {limit} " + in_child(
            lambda: os.sched_getscheduler(0) == os.SCHED_OTHER
        )

    assert granted(work) == "True 10 50000 True"


@pytest.mark.parametrize("priority", [0, 100])
def test_a_priority_that_is_none_is_refused(priority: int) -> None:
    assert in_child(lambda: scheduling.run_real_time(priority, SECOND)) == "EINVAL"


@needs_root
def test_niceness_and_locked_memory_are_not_passed_on() -> None:
    def work() -> str:
        scheduling.run_real_time(3, 60 * SECOND)
        scheduling.set_nice(-5)
        scheduling.lock_memory()
        mine = f"{os.getpriority(os.PRIO_PROCESS, 0)} {locked() > 0} "
        return mine + in_child(lambda: f"{os.getpriority(os.PRIO_PROCESS, 0)} {locked()}")

    assert granted(work) == "-5 True 0 0"


@needs_root
def test_everything_can_be_changed_without_capabilities_once_that_was_allowed() -> None:
    def work() -> str:
        capabilities.keep_only(scheduling.allow_changes())
        scheduling.run_real_time(50, 60 * SECOND)  # to lock what this large process holds takes a while
        scheduling.set_nice(-20)
        scheduling.lock_memory()
        before = locked() > 0
        scheduling.unlock_memory()
        scheduling.run_ordinarily()
        scheduling.run_real_time(2, 60 * SECOND)  # what was computed before a process's last sleep counts here too
        return f"{os.sched_getparam(0).sched_priority} {os.getpriority(os.PRIO_PROCESS, 0)} {before} {locked()}"

    assert granted(work) == "2 -20 True 0"


def test_cpus() -> None:
    def work() -> str:
        one = max(os.sched_getaffinity(0))
        scheduling.set_cpus((one,))
        alone = os.sched_getaffinity(0) == {one}
        scheduling.set_cpus(())
        return f"{alone} {len(os.sched_getaffinity(0)) >= 1}"

    assert in_child(work) == "True True"


def test_a_cpu_that_is_not_there_is_refused() -> None:
    assert in_child(lambda: scheduling.set_cpus((1000,))) == "EINVAL"
