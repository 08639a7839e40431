"""The checker process: health checks on the reactor, virtual servers, and the kernel's IPVS table.

It carries out what the cores decide. Scripts and FIFO lines that tell of a change wait until the table has it. Without
IPVS in the kernel everything else runs.
"""

import errno
import os
import resource
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from pykeepalived.checkers.report import CheckReport
from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.config.blocks.virtual_server import VirtualServer as VirtualServerBlock
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon import descriptors
from pykeepalived.daemon.beliefs import Beliefs
from pykeepalived.daemon.check_followers import CheckFollowers, FollowerRun
from pykeepalived.daemon.check_scripts import CheckScripts
from pykeepalived.daemon.check_watch import CheckWatch, WatchedRun
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.ha_suspend import HaSuspend
from pykeepalived.daemon.ipvs_care import IpvsCare
from pykeepalived.daemon.kernel_table import KernelTable
from pykeepalived.daemon.served import Checkers, Kept, Served
from pykeepalived.daemon.transports import Tls
from pykeepalived.effects import Kind, Level, Log, RunScript, WriteFifo
from pykeepalived.kernel.ports import BATCH, HostListener, HostTable, Ipvs
from pykeepalived.lvs.effects import LvsEffect, TableChanged, TablesDropped
from pykeepalived.lvs.events import VirtualServerEvent
from pykeepalived.lvs.fronts import Front, front_of, fronts
from pykeepalived.lvs.rows import ServiceTable
from pykeepalived.lvs.virtual_server import VirtualServer
from pykeepalived.units import SECOND

_STARVED_PAUSE = 60 * SECOND
_STATUS_PAUSE = SECOND  # a burst of verdicts is told once
_SPARE_DESCRIPTORS = 64


def _linux_host(listener: HostListener) -> HostTable:
    from pykeepalived.kernel.host import LinuxHost  # noqa: PLC0415 - few need it, and tests bring their own

    return LinuxHost(listener)


def _draw() -> float:
    return int.from_bytes(os.urandom(4)) / (1 << 32)  # `random` would stay in memory for a few numbers at the start


class CheckerService:
    """The service of the checker process. ``kernel``, ``draw`` (a random number below 1) and ``make_host`` are fakes in
    tests.
    """

    def __init__(
        self,
        context: ChildContext,
        part: Configuration,
        kernel: Ipvs | None = None,
        draw: Callable[[], float] = _draw,
        make_host: Callable[[HostListener], HostTable] = _linux_host,
    ) -> None:
        self._context = context
        self._reactor = context.reactor
        self._log = context.journal.log
        self._part = part
        self._kernel_table = KernelTable(self._reactor, self._log, self._settled, kernel, context.ipvs_socket)
        self._kernel_table.leaving = context.leaving
        self._table = self._kernel_table.table
        self._care = IpvsCare(context, self._kernel_table)
        self._beliefs = Beliefs(context.keepsake)
        scripts = CheckScripts(self._reactor, context.scripts, self._log)
        takes_over = bool(context.keepsake.get("began"))
        self._followers = CheckFollowers(self._reactor, context.journal, takes_over=takes_over)
        self._tls = Tls(self._reactor, part.ssl, self._log)
        self._checkers = Checkers(self._reactor, draw, self._log, self._starved, scripts, self._followers, self._tls)
        self._watch = CheckWatch(self._reactor, self._log, self._watched)
        self._ha_suspend = HaSuspend(self._reactor, self._log, make_host, self._turned)
        self._served: dict[Service, Served] = {}
        self._hear = self._heard  # bound once: each of them has it
        self._waiting: deque[RunScript | WriteFifo] = deque()  # until the table is as they tell
        self._outgoing: list[ServiceTable] = []  # until packets go to those that come instead
        self._announced = False
        self._starved_until = 0
        self._finished: Callable[[], None] | None = None
        self._status_alarm = self._reactor.alarm(self._tell_status)

    # the frame's calls

    def start(self) -> None:
        """Read the table, plan it, start the checkers."""
        self._raise_descriptor_limit()
        self._log(Log("Initializing ipvs", Level.DEBUG, Kind.IPVS))
        self._care.configure(self._part)
        keepsake = self._context.keepsake
        self._kernel_table.start(flush=self._part.global_defs.lvs_flush and not keepsake.get("began"))
        keepsake.keep("began", True)  # the daemon's start empties the table, not that of a process which takes over
        self._listen_for_addresses()
        self._followers.replace(self._part.track_file)
        for block, front in self._wanted():
            self._served[block.service] = self._enter(block, front, self._beliefs.of(str(block.service)))
        self._care.take_over()
        if not self._care.marks_change:
            self._drop_outgoing()
        self._watch.start()
        self._ha_suspend.follow(self._suspendable())
        self._reactor.soon(self._kernel_table.pump)

    def reload(self, part: Configuration) -> None:
        """Apply a new configuration by difference."""
        self._log(Log("Reinitializing ipvs", Level.DEBUG, Kind.IPVS))
        self._part = part
        self._raise_descriptor_limit()
        before = self._table.services()
        self._tls.use(part.ssl)
        self._care.configure(part)
        self._listen_for_addresses()
        self._followers.replace(part.track_file)
        wanted = {block.service: (block, front) for block, front in self._wanted()}
        for service, served in list(self._served.items()):
            found = wanted.get(service)
            if found is None:
                del self._served[service]
                served.close()
                self._carry_out(served, served.core.leave(stopping=False))
            elif not served.core.has(*found) or _is_renamed(served, found[0]):
                self._change(served, *found)
        for service, (block, front) in wanted.items():
            known = self._served.get(service)
            if known is None:
                known = self._served[service] = self._enter(block, front)
            self._checkers.suspend(known, suspended=self._is_suspended(block, front))
        self._served = {each: self._served[each] for each in wanted}
        self._ha_suspend.follow(self._suspendable())
        self._raise_descriptor_limit()
        self._care.note_services(before, going=bool(self._outgoing))
        self._kernel_table.pump()

    def stop(self, finished: Callable[[], None]) -> None:
        """End the checks, leave the table (or empty it), then call ``finished``."""
        self._finished = finished
        self._kernel_table.stop()
        self._care.stop()
        self._ha_suspend.close()
        self._followers.stop()
        self._watch.stop()
        self._status_alarm.set(None)
        for served in self._served.values():
            served.close()
        if not self._context.options.dont_release_ipvs:
            self._drop_outgoing()
            for number, served in enumerate(self._served.values(), 1):
                self._carry_out(served, served.core.leave(stopping=True))
                if number % BATCH == 0:
                    self._kernel_table.push()
                    self._context.leaving()
            if self._part.global_defs.lvs_flush_on_stop == "all":
                self._kernel_table.flush()
        self._served.clear()
        self._kernel_table.pump()

    # checks

    def bfd_changed(self, name: str, *, up: bool) -> None:
        """The BFD process says that a session is up, or down."""
        self._followers.bfd_changed(name, up=up)

    def reports(self) -> list[CheckReport]:
        """What every check remembers, in the order of the configuration."""
        return [run.checker.report() for served in self._served.values() for run in served.all_runs()]

    def _watched(self) -> list[WatchedRun]:
        """All checks that ask or run something."""
        every = (run for served in self._served.values() for run in served.all_runs())
        return [run for run in every if not isinstance(run, FollowerRun)]

    # virtual servers

    def _wanted(self) -> Iterator[tuple[VirtualServerBlock, Front | None]]:
        """The virtual servers of the configuration, with what each serves if that is not just itself."""
        found, clashes = fronts(
            self._part.virtual_server, self._part.virtual_server_group, self._care.marks(self._part)
        )
        for clash in clashes:
            self._log(Log(str(clash), Level.WARNING, Kind.IPVS, fields=(("VIRTUAL_SERVER", str(clash.server)),)))
        return ((block, found.get(block.service)) for block in self._part.virtual_server)

    def _enter(self, block: VirtualServerBlock, front: Front | None, kept: Mapping[str, Kept] | None = None) -> Served:
        """``kept`` is what the checks of a process that died believed."""
        served = Served(VirtualServer(block, front), self._hear, suspended=self._is_suspended(block, front))
        failed, offsets = self._checkers.enter(served, kept)
        init_notifies = self._part.global_defs.rs_init_notifies
        try:
            self._carry_out(served, served.core.start(failed, offsets, init_notifies=init_notifies))
        except BaseException:
            served.close()  # nobody would end its checkers later
            raise
        return served

    def _change(self, served: Served, block: VirtualServerBlock, front: Front | None) -> None:
        renamed = served.core.rename(block.service)
        failed, offsets = self._checkers.change(served, block, renamed=renamed)
        init_notifies = self._part.global_defs.rs_init_notifies
        self._carry_out(served, served.core.reload(block, failed, offsets, front, init_notifies=init_notifies))

    def _heard(self, served: Served, event: VirtualServerEvent) -> None:
        """A checker has found something."""
        self._carry_out(served, served.core.handle(event))
        self._kernel_table.pump()

    def _carry_out(self, served: Served, effects: list[LvsEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Log):
                self._log(effect)
            elif isinstance(effect, TableChanged):
                for table in served.core.tables:
                    self._table.want(table, effect.servers)
            elif isinstance(effect, TablesDropped):
                self._outgoing += effect.tables
                if not self._care.marks_change:
                    self._drop_outgoing()
            elif isinstance(effect, WriteFifo) and not self._context.has_fifos():
                continue
            elif self._waiting or self._table.pending:
                self._waiting.append(effect)
            else:
                self._notify(effect)

    def _settled(self) -> None:
        """The kernel's table is as it is wanted: what waited for it is told. Where packets are to go to other services,
        they do so now, and then the former ones go: as soon as packets could be marked.
        """
        if self._table.loaded:
            self._care.mark_packets()
            if not self._care.marks_change:
                self._drop_outgoing()
                if self._table.pending:
                    self._kernel_table.pump()
                    return
                self._care.settled()
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

    def _drop_outgoing(self) -> None:
        for table in self._outgoing:
            self._table.drop(table)
        self._outgoing.clear()
        self._care.drop_left()

    def _notify(self, effect: RunScript | WriteFifo) -> None:
        if isinstance(effect, RunScript):
            self._context.scripts.run(effect.script, effect.arguments)
        else:
            self._context.fifo(effect.line)

    # ha_suspend

    def _listen_for_addresses(self) -> None:
        wanted = any(block.ha_suspend for block in self._part.virtual_server)
        self._ha_suspend.listen(self._part.global_defs, wanted=wanted)

    def _is_suspended(self, block: VirtualServerBlock, front: Front | None) -> bool:
        return block.ha_suspend and self._ha_suspend.is_away(front or front_of(block.service))

    def _suspendable(self) -> list[Served]:
        return [served for served in self._served.values() if served.core.block.ha_suspend]

    def _turned(self, served: Served, here: bool) -> None:
        """A virtual server has an address on this machine now, or none any more."""
        self._checkers.suspend(served, suspended=not here)

    # the process

    def _tell_status(self) -> None:
        """A phrase for `systemctl status`; and what is believed, for the next process if this one dies."""
        cores = [served.core for served in self._served.values()]
        up = sum(core.servers_up for core in cores)
        real = sum(len(core.block.real_server) for core in cores)
        text = f"IPVS: {len(cores)} virtual servers, {sum(core.quorum_up for core in cores)} with quorum"
        text += f", {up} of {real} real servers up"
        if self._watch.overdue:
            text += f", {self._watch.overdue} checks overdue"
        self._context.status(text if self._table.loaded else f"{text}, but the kernel has no IPVS")
        self._beliefs.keep(self._served.values())

    def _raise_descriptor_limit(self) -> None:
        """A descriptor for each check that could run at once."""
        servers = (server for block in self._part.virtual_server for server in block.real_server)
        checks = sum(len(server.running) for server in servers if server.checkers)
        need = checks + _SPARE_DESCRIPTORS
        granted = descriptors.allow(need)
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
        self._starved_until = now + _STARVED_PAUSE
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        remedy = f"{soft} file descriptors allowed; LimitNOFILE= raises it"
        if cause == os.strerror(errno.ENOSPC):  # of epoll alone
            remedy = "too few sockets may be watched; sysctl fs.epoll.max_user_watches raises it"
        line = f"Checks are put off: {cause} ({remedy})"
        self._log(Log(line, Level.WARNING, Kind.CHECK, fields=(("CAUSE", cause),)))


def _is_renamed(served: Served, block: VirtualServerBlock) -> bool:
    """Whether its place among the virtual servers of its group is another one."""
    return served.core.block.service.number != block.service.number
