"""The checker process: health checks on the reactor, virtual servers, and the kernel's IPVS table.

It carries out what the cores decide. The table is read once, planned, and changed in batches; scripts and FIFO lines
that tell of a change wait until the table has it. Without IPVS in the kernel everything else runs, and the table is
loaded when IPVS appears.
"""

import errno
import random
import resource
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from os import strerror

from pykeepalived.checkers.checker import Checker, Names
from pykeepalived.checkers.effects import ServerJudged
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet
from pykeepalived.config.blocks.virtual_server import RealServer, Service, endpoint_text
from pykeepalived.config.blocks.virtual_server import VirtualServer as VirtualServerBlock
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.check_run import CheckRun
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.tcp_stream import Attempts
from pykeepalived.effects import Kind, Level, Log, RunScript, WriteFifo
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import IpvsOrder
from pykeepalived.kernel.ports import BATCH, Ipvs
from pykeepalived.lvs.effects import LvsEffect, TableChanged, TableDropped
from pykeepalived.lvs.events import CheckerJudged, ServerKey
from pykeepalived.lvs.rows import key_of
from pykeepalived.lvs.table import Table
from pykeepalived.lvs.virtual_server import VirtualServer
from pykeepalived.units import SECOND

_BOOTSTRAP = SECOND  # keepalived's pause before the first checks
_LOOK_AGAIN = 60 * SECOND  # for IPVS, and for what the kernel refused
_STATUS_PAUSE = SECOND  # a burst of verdicts is told once
_SPARE_DESCRIPTORS = 64


class _Served:
    """A virtual server at work: its core, and the checkers of each real server."""

    __slots__ = ("core", "runs")

    def __init__(self, core: VirtualServer) -> None:
        self.core = core
        self.runs: dict[ServerKey, list[CheckRun]] = {}

    def close(self, server: ServerKey | None = None) -> None:
        """End the checkers of one real server, or of all."""
        for key in list(self.runs) if server is None else [server]:
            for run in self.runs.pop(key):
                run.close()


class CheckerService:
    """The service of the checker process. ``kernel`` and ``draw`` (a random number below 1) are fakes in tests."""

    def __init__(
        self,
        context: ChildContext,
        part: Configuration,
        kernel: Ipvs | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._context = context
        self._reactor = context.reactor
        self._log = context.journal.log
        self._part = part
        self._kernel = kernel
        self._draw = draw
        self._table = Table(strerror)
        self._attempts = Attempts(self._reactor)
        self._served: dict[Service, _Served] = {}
        self._waiting: deque[RunScript | WriteFifo] = deque()  # until the table is as they tell
        self._pumping = False
        self._announced = False
        self._ipvs_missed = False
        self._starved_until = 0
        self._finished: Callable[[], None] | None = None
        self._look_again = self._reactor.alarm(self._looked_again)
        self._status_alarm = self._reactor.alarm(self._tell_status)

    # the frame's calls

    def start(self) -> None:
        """Read the table, plan it, start the checkers."""
        self._raise_descriptor_limit()
        self._log(Log("Initializing ipvs", Level.DEBUG, Kind.IPVS))
        self._open_ipvs(flush=self._part.global_defs.lvs_flush)
        for block in self._part.virtual_server:
            self._enter(block)
        self._look_again.set(self._reactor.now() + _LOOK_AGAIN)
        self._reactor.soon(self._pump)

    def reload(self, part: Configuration) -> None:
        """Apply a new configuration by difference."""
        self._log(Log("Reinitializing ipvs", Level.DEBUG, Kind.IPVS))
        self._part = part
        new = {block.service: block for block in part.virtual_server}
        for service, served in list(self._served.items()):
            if service not in new:
                served.close()
                del self._served[service]
                self._carry_out(served, served.core.leave(stopping=False))
        kept, self._served = self._served, {}
        for service, block in new.items():
            if service in kept:
                self._served[service] = kept[service]
                if kept[service].core.block != block:
                    self._change(kept[service], block)
            else:
                self._enter(block)
        self._raise_descriptor_limit()
        self._pump()

    def stop(self, finished: Callable[[], None]) -> None:
        """End the checks, leave the table (or empty it), then call ``finished``."""
        self._finished = finished
        self._look_again.set(None)
        self._status_alarm.set(None)
        for served in self._served.values():
            served.close()
        if not self._context.options.dont_release_ipvs:
            for served in self._served.values():
                self._carry_out(served, served.core.leave(stopping=True))
            if self._part.global_defs.lvs_flush_on_stop == "all" and self._table.loaded:
                self._flush()
        self._served.clear()
        self._pump()

    # virtual servers

    def _enter(self, block: VirtualServerBlock) -> None:
        served = _Served(VirtualServer(block))
        self._served[block.service] = served
        for server in block.real_server:
            served.runs[key_of(server)] = [self._run(served, block, server, check) for check in _checks(server)]
        self._carry_out(served, served.core.start(init_notifies=self._part.global_defs.rs_init_notifies))

    def _change(self, served: _Served, block: VirtualServerBlock) -> None:
        former = served.runs
        served.runs = {}
        failed: dict[ServerKey, int] = {}
        for server in block.real_server:
            key = key_of(server)
            runs = served.runs[key] = self._rerun(served, block, server, former.pop(key, []))
            failed[key] = sum(not run.checker.up for run in runs)
        for gone in former.values():
            for run in gone:
                run.close()
        self._carry_out(served, served.core.reload(block, failed))

    def _rerun(
        self, served: _Served, block: VirtualServerBlock, server: RealServer, former: list[CheckRun]
    ) -> list[CheckRun]:
        """The checkers of a real server that is kept: the same go on, changed timing keeps the belief."""
        runs = []
        for check in _checks(server):
            known = next((run for run in former if run.block == check), None)
            if known is None:
                known = next((run for run in former if _probes_alike(run.block, check)), None)
                fresh = self._run(served, block, server, check, None if known is None else known.checker)
                if known is not None:
                    known.close()
                    former.remove(known)
                runs.append(fresh)
            else:
                former.remove(known)
                runs.append(known)
        for run in former:
            run.close()
        return runs

    def _run(
        self,
        served: _Served,
        block: VirtualServerBlock,
        server: RealServer,
        check: CheckerBlock,
        former: Checker | None = None,
    ) -> CheckRun:
        virtual, real, key = served.core.name, block.real_server_text(server), key_of(server)
        target = endpoint_text(check.target.connect_ip, block.service.protocol, check.target.connect_port)
        first_at = self._reactor.now() + _BOOTSTRAP + int(self._draw() * check.timing.warmup)
        checker = Checker(check, Names(target, real, virtual), first_at, former)
        if former is None or not former.has_run:
            line = f"Activating healthchecker for service {real} for VS {virtual}"
            fields = (("VIRTUAL_SERVER", virtual), ("REAL_SERVER", real))
            self._log(Log(line, kind=Kind.CHECK, fields=fields))

        def judged(verdict: ServerJudged) -> None:
            event = CheckerJudged(key, verdict.up, verdict.changed, verdict.reason)
            self._carry_out(served, served.core.handle(event))
            self._pump()

        return CheckRun(self._reactor, self._attempts, check, checker, judged, self._log, self._starved)

    def _carry_out(self, served: _Served, effects: list[LvsEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Log):
                self._log(effect)
            elif isinstance(effect, TableChanged):
                self._table.want(served.core.table, effect.servers)
            elif isinstance(effect, TableDropped):
                self._table.drop(served.core.block.service)
            elif self._waiting or self._table.pending:
                self._waiting.append(effect)
            else:
                self._notify(effect)

    def _notify(self, effect: RunScript | WriteFifo) -> None:
        if isinstance(effect, RunScript):
            self._context.scripts.run(effect.script, effect.arguments)
        else:
            self._context.fifo(effect.line)

    # the table

    def _pump(self) -> None:
        """Carry out a batch; the rest in the next turns. Then what waited for it."""
        orders = self._table.next_orders(BATCH)
        if orders:
            self._apply(orders)
        if self._table.pending:
            if not self._pumping:
                self._pumping = True
                self._reactor.soon(self._pump_on)
            return
        while self._waiting:
            self._notify(self._waiting.popleft())
        if self._status_alarm.due_at is None:
            self._status_alarm.set(self._reactor.now() + _STATUS_PAUSE)
        if not self._announced:
            self._announced = True
            self._context.ready()
        if self._finished is not None:
            self._status_alarm.set(None)
            finished, self._finished = self._finished, None
            finished()

    def _apply(self, orders: list[IpvsOrder]) -> None:
        if self._kernel is None:
            return
        try:
            failures = self._kernel.apply(orders)
        except (KernelError, OSError) as error:
            self._table.unload(orders)
            line = f"IPVS: {strerror(error.errno or errno.EIO)} - the table is read again within a minute"
            self._log(Log(line, Level.WARNING, Kind.IPVS))
            return
        for answer in self._table.answered(orders, [(failure.index, failure.errno) for failure in failures]):
            self._log(answer)

    def _pump_on(self) -> None:
        self._pumping = False
        self._pump()

    def _open_ipvs(self, *, flush: bool = False) -> None:
        """Read the table; without one say so, once."""
        try:
            if self._kernel is None:
                from pykeepalived.kernel.ipvs import LinuxIpvs  # noqa: PLC0415 - tests bring their own

                self._kernel = LinuxIpvs()
            version = self._kernel.version()
            if flush:
                self._kernel.flush()
            self._table.load(self._kernel.table())
        except (KernelError, OSError) as error:
            if not self._ipvs_missed:
                self._log(_missing(error.errno or errno.ENOENT))
            self._ipvs_missed = True
            return
        if self._ipvs_missed:
            self._ipvs_missed = False
            line = f"IPVS {version} has appeared in the kernel: loading the table"
            self._log(Log(line, Level.NOTICE, Kind.IPVS))

    def _looked_again(self) -> None:
        """What was missing or refused may have been mended."""
        self._look_again.set(self._reactor.now() + _LOOK_AGAIN)
        if self._table.loaded:
            self._table.retry_refused()
        else:
            self._open_ipvs()
        self._pump()

    def _flush(self) -> None:
        """lvs_flush_on_stop: whatever stands in the table goes."""
        if self._kernel is None:
            return
        try:
            self._kernel.flush()
            self._table.load(())
        except (KernelError, OSError) as error:
            number = error.errno or errno.EIO
            line = f"IPVS cmd FLUSH(17) error: {strerror(number)}({number})"
            self._log(Log(line, Level.WARNING, Kind.IPVS))

    # the process

    def _tell_status(self) -> None:
        """A phrase for `systemctl status`."""
        cores = [served.core for served in self._served.values()]
        up = sum(core.servers_up for core in cores)
        real = sum(len(core.block.real_server) for core in cores)
        text = f"IPVS: {len(cores)} virtual servers, {sum(core.quorum_up for core in cores)} with quorum"
        text += f", {up} of {real} real servers up"
        self._context.status(text if self._table.loaded else f"{text}, but the kernel has no IPVS")

    def _raise_descriptor_limit(self) -> None:
        """A descriptor for each check that could run at once."""
        checks = sum(len(_checks(server)) for block in self._part.virtual_server for server in block.real_server)
        need = checks + _SPARE_DESCRIPTORS
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY or soft >= need:
            return
        granted = need if hard == resource.RLIM_INFINITY else min(need, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
        except (OSError, ValueError):
            granted = soft
        if granted < need:
            line = (
                f"{checks} checks may need {need} file descriptors at once, {granted} are allowed:"
                f" set LimitNOFILE={need} in the unit, or ulimit -n"
            )
            self._log(Log(line, Level.WARNING, Kind.PROCESS))

    def _starved(self, cause: str) -> None:
        now = self._reactor.now()
        if now < self._starved_until:
            return
        self._starved_until = now + _LOOK_AGAIN
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        line = f"Checks are put off: {cause} ({soft} file descriptors allowed; LimitNOFILE= raises it)"
        self._log(Log(line, Level.WARNING, Kind.CHECK, fields=(("CAUSE", cause),)))


def _checks(server: RealServer) -> list[CheckerBlock]:
    """The checkers that can run: an HTTP_GET without a url has nothing to ask."""
    return [check for check in server.probes if not isinstance(check, HttpGet) or check.url]


def _probes_alike(one: CheckerBlock, other: CheckerBlock) -> bool:
    """Equal but for how often and how many."""
    timing = CheckTiming()
    return replace(one, timing=timing) == replace(other, timing=timing)


def _missing(number: int) -> Log:
    """One line: what is missing, and what mends it."""
    cause = strerror(number)
    if number in (errno.EPERM, errno.EACCES):
        remedy = "run as root, or give the container NET_ADMIN (CAP_NET_ADMIN is missing)"
    else:
        remedy = (
            "`modprobe ip_vs` (package linux-image-amd64 for Debian's cloud kernels, linux-modules-extra for Ubuntu,"
            " kernel-modules for RHEL; in a container: on its host)"
        )
    line = f"IPVS: Can't initialize ipvs: {cause} - nothing is balanced, checks and scripts run. To mend it: {remedy}"
    return Log(line, Level.WARNING, Kind.IPVS, fields=(("CAUSE", cause),))
