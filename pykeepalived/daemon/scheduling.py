"""How a protocol process is scheduled, by the keywords of its role: at its start and whenever a reload changes them.

Nothing that the kernel refuses stops the process: it is said, with the remedy. What a process computes too long at
real-time priority costs it that priority for a while; a process that is woken too late may get a higher one.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.roles import Role
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel import scheduling
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.kernel.ports import Scheduler
from pykeepalived.records import record
from pykeepalived.units import MICROSECOND, MILLISECOND, SECOND, seconds_text

_REALTIME_PRIORITY = 2  # of a role that wants one, where the file says nothing
_REALTIME_LIMIT = 2 * SECOND
_PAUSE = 10 * SECOND  # without real-time priority, after too much computing
_SLEPT = 10 * MILLISECOND  # by then the process has slept, and what it computed before counts no more
_SHORTEST_LOOK = 100 * MILLISECOND


@record(frozen=True, slots=True)
class Wanted:
    """What the file says of one process."""

    prefix: str
    nice: int = 0
    rt_priority: int = 0
    rlimit_rttime: int = 0
    cpu_affinity: tuple[int, ...] = ()
    no_swap: bool = False
    max_auto_priority: int = 0
    min_auto_priority_delay: int = SECOND


def wanted(role: Role, global_defs: GlobalDefs) -> Wanted:
    """The keywords of a role: ``vrrp_priority`` and so on."""
    prefix = role.key.removesuffix("s")

    def value(name: str) -> int:
        found: int = getattr(global_defs, f"{prefix}_{name}")
        return found

    nice, priority, limit = value("priority"), value("rt_priority"), value("rlimit_rttime") * MICROSECOND
    if role.realtime and not priority and not nice:
        priority, limit = _REALTIME_PRIORITY, _REALTIME_LIMIT
    return Wanted(
        prefix,
        nice,
        priority,
        limit,
        getattr(global_defs, f"{prefix}_cpu_affinity"),
        bool(value("no_swap")),
        global_defs.max_auto_priority,
        global_defs.min_auto_priority_delay * MICROSECOND,
    )


class Scheduling:
    """The scheduling of this process."""

    def __init__(self, role: Role, reactor: Reactor, journal: Journal, kernel: Scheduler = scheduling) -> None:
        self._kernel = kernel
        self._role = role
        self._reactor = reactor
        self._journal = journal
        self._wanted = Wanted(role.key.removesuffix("s"))
        self._rt_priority = 0
        self._overrun_said = False
        self._again = reactor.alarm(self._real_time_again)
        self._work_done = reactor.alarm(self._real_time_again)
        self._look = reactor.alarm(self._looked)
        self._look_due = 0

    def start(self, global_defs: GlobalDefs) -> frozenset[Capability]:
        """Before capabilities are dropped; those to keep for later changes. A file that asks for nothing needs none."""
        needed = self._kernel.allow_changes()
        signal.signal(signal.SIGXCPU, self._computed_too_long)
        self.apply(global_defs)
        return needed if self._wanted != wanted(self._role, GlobalDefs()) else frozenset()

    def apply(self, global_defs: GlobalDefs) -> None:
        """Change what is to be different from now on."""
        before, self._wanted = self._wanted, wanted(self._role, global_defs)
        now, prefix = self._wanted, self._wanted.prefix
        if now.cpu_affinity != before.cpu_affinity:
            self._try(f"{prefix}_cpu_affinity", lambda: self._kernel.set_cpus(now.cpu_affinity))
        if now.nice != before.nice:
            self._try(f"{prefix}_priority {now.nice}", lambda: self._kernel.set_nice(now.nice))
        real_time = now.rt_priority, now.rlimit_rttime if now.rt_priority else 0
        if real_time != (before.rt_priority, before.rlimit_rttime if before.rt_priority else 0):
            self._overrun_said = False
            self._set_real_time(now.rt_priority)
        if now.no_swap and not before.no_swap:
            self._try(f"{prefix}_no_swap", self._kernel.lock_memory)
        elif before.no_swap and not now.no_swap:
            self._kernel.unlock_memory()
        if self._rt_priority < now.max_auto_priority:
            self._look_again()
        else:
            self._look.set(None)

    @contextlib.contextmanager
    def long_work(self) -> Iterator[None]:
        """A start or a reload, of which nobody expects that it pauses: the limit of a turn's computing is put off."""
        if self._rt_priority and self._wanted.rlimit_rttime < _REALTIME_LIMIT:
            with contextlib.suppress(KernelError):
                self._kernel.run_real_time(self._rt_priority, _REALTIME_LIMIT)
        try:
            yield
        finally:
            if self._rt_priority and self._wanted.rlimit_rttime < _REALTIME_LIMIT:
                self._work_done.set(self._reactor.now() + _SLEPT)

    def _set_real_time(self, priority: int) -> None:
        self._again.set(None)
        self._work_done.set(None)
        self._rt_priority = 0
        if not priority:
            self._try(f"{self._wanted.prefix}_rt_priority 0", self._kernel.run_ordinarily)
            return
        try:
            self._kernel.run_real_time(priority, self._wanted.rlimit_rttime)
            self._rt_priority = priority
        except KernelError as error:
            if priority == _REALTIME_PRIORITY:  # nobody asked for it
                text = "No realtime scheduling: adverts may be some milliseconds late on a busy machine"
                self._journal.log(Log(text, Level.INFO, Kind.PROCESS))
            else:
                self._refused(f"{self._wanted.prefix}_rt_priority {priority}", error)

    def _try(self, keyword: str, change: Callable[[], None]) -> None:
        try:
            change()
        except KernelError as error:
            self._refused(keyword, error)

    def _refused(self, keyword: str, error: KernelError) -> None:
        remedy = "restart the daemon with the capabilities CAP_SYS_NICE, CAP_IPC_LOCK and CAP_SYS_RESOURCE"
        text = f"{keyword} has no effect: cannot {error.order}: {os.strerror(error.errno)} ({remedy})"
        self._journal.log(Log(text, Level.WARNING, Kind.PROCESS))

    # --- computing too long -------------------------------------------------------------------------------------

    def _computed_too_long(self, number: int, frame: object) -> None:
        """SIGXCPU: the limit of real-time computing without a pause. Nothing we do may starve the machine."""
        del number, frame
        self._kernel.run_ordinarily()
        self._reactor.soon(self._pause)

    def _pause(self) -> None:
        self._work_done.set(None)
        self._again.set(self._reactor.now() + _PAUSE)
        if self._overrun_said:
            return
        self._overrun_said = True
        prefix, limit = self._wanted.prefix, seconds_text(self._wanted.rlimit_rttime)
        text = f"{self._role.name} process computed for {limit} at real-time priority without a pause: it has none for "
        remedy = f"{prefix}_rlimit_rttime may need to be increased"
        self._journal.log(Log(f"{text}{seconds_text(_PAUSE)} ({remedy})", Level.INFO, Kind.PROCESS))

    def _real_time_again(self) -> None:
        if self._rt_priority:
            self._set_real_time(self._rt_priority)

    # --- max_auto_priority --------------------------------------------------------------------------------------

    def _look_again(self) -> None:
        length = max(self._wanted.min_auto_priority_delay // 2, _SHORTEST_LOOK)
        self._look_due = self._reactor.now() + length
        self._look.set(self._look_due)

    def _looked(self) -> None:
        """A timer whose only purpose is to be late when the others are."""
        late = self._reactor.now() - self._look_due
        if late >= self._wanted.min_auto_priority_delay:
            self._raise(late)
        if self._rt_priority < self._wanted.max_auto_priority:
            self._look_again()

    def _raise(self, late: int) -> None:
        priority = self._rt_priority + 1
        try:
            self._kernel.run_real_time(priority, self._wanted.rlimit_rttime)
        except KernelError as error:
            self._refused("max_auto_priority", error)
            self._wanted = replace(self._wanted, max_auto_priority=0)
            return
        self._rt_priority = priority
        seconds = f"{late // SECOND}.{late % SECOND // MICROSECOND:06}"
        self._journal.log(Log(f"A thread timer expired {seconds} seconds ago", Level.INFO, Kind.PROCESS))
        self._journal.log(Log(f"Set realtime priority {priority}", Level.INFO, Kind.PROCESS))
