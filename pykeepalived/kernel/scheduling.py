"""How the kernel schedules this process: its niceness, real-time priority, CPUs, and memory that is never swapped out.

Each returns or raises KernelError with what was asked; whether a refusal matters is the caller's to say.
"""

import contextlib
import ctypes
import errno
import os
import resource
from collections.abc import Iterator

from pykeepalived.errors import KernelError
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.units import MICROSECOND

_libc = ctypes.CDLL(None, use_errno=True)

_MCL_CURRENT, _MCL_FUTURE = 1, 2
_UNLIMITED = resource.RLIM_INFINITY
_LATER = (
    (resource.RLIMIT_NICE, 40, Capability.SYS_NICE),  # niceness down to -20
    (resource.RLIMIT_RTPRIO, 99, Capability.SYS_NICE),
    (resource.RLIMIT_MEMLOCK, _UNLIMITED, Capability.IPC_LOCK),
)


def allow_changes() -> frozenset[Capability]:
    """Let this process do all of this also later, by limits that stay; what it must keep for it where they may not be
    raised (CAP_SYS_RESOURCE).
    """
    needed = set()
    for limit, most, capability in _LATER:
        try:
            resource.setrlimit(limit, (most, most))
        except (OSError, ValueError):
            needed.add(capability)
    return frozenset(needed)


def set_nice(nice: int) -> None:
    """-20 (first) to 19 (last)."""
    with _order(f"run with niceness {nice}"):
        os.setpriority(os.PRIO_PROCESS, 0, nice)


def run_real_time(priority: int, limit: int) -> None:
    """SCHED_RR, not passed on to children. A process that does not sleep for ``limit`` (ns) gets SIGXCPU."""
    with _order(f"run with real-time priority {priority}"):
        _, most = resource.getrlimit(resource.RLIMIT_RTTIME)
        resource.setrlimit(resource.RLIMIT_RTTIME, (max(limit // MICROSECOND, 1), most))
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))


def run_ordinarily() -> None:
    """Like any other process, with its niceness."""
    with _order("run as an ordinary process"):
        # without CAP_SYS_NICE the kernel lets nobody take SCHED_RESET_ON_FORK back; there is nothing to pass on
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def set_cpus(cpus: tuple[int, ...]) -> None:
    """Run on these CPUs alone; on every one if none is named."""
    with _order(f"run on the CPUs {', '.join(map(str, cpus))}" if cpus else "run on all CPUs"):
        os.sched_setaffinity(0, cpus or range(os.cpu_count() or 1))


def lock_memory() -> None:
    """Whatever memory this process has and will have stays in memory. Children do not inherit this."""
    if _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE) != 0:
        raise KernelError("lock its memory", ctypes.get_errno() or errno.EPERM)


def unlock_memory() -> None:
    """The opposite."""
    _libc.munlockall()


@contextlib.contextmanager
def _order(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        code = error.errno if isinstance(error, OSError) else None
        raise KernelError(what, code or errno.EINVAL) from error
