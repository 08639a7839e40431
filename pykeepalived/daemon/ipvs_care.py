"""What the checker process does for IPVS beside its table: timeouts, sync daemons, marks, and looking after what
others change. All of it goes on by itself, most of it from when IPVS is there.
"""

from collections.abc import Collection, Mapping
from dataclasses import astuple
from errno import EIO, ENOENT
from os import strerror

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_ipvs import LvsTimeouts
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.ipvs_inspection import Inspection
from pykeepalived.daemon.ipvs_marks import IpvsMarks
from pykeepalived.daemon.ipvs_namespace import NamespaceWatch
from pykeepalived.daemon.kernel_table import KernelTable
from pykeepalived.daemon.owned_services import OwnedServices
from pykeepalived.daemon.sync_daemon import BOTH, SyncDaemons
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import Timeouts
from pykeepalived.kernel.ports import Ipvs, IpvsDaemons, PacketMarks
from pykeepalived.units import SECOND

_NAMED = 5
_AGAIN = 60 * SECOND
_LAST_CHANCES = 2  # at a stop


class IpvsCare:
    """``configure`` at the start and at a reload, ``stop`` at last."""

    def __init__(self, context: ChildContext, kernel_table: KernelTable) -> None:
        self._context = context
        self._marks: IpvsMarks | None = None
        self._journal = context.journal
        self._release = not context.options.dont_release_ipvs
        self._table = kernel_table.table
        self._pump = kernel_table.pump
        self._owned = OwnedServices(context.keepsake, self._table)
        self._kernel: Ipvs | None = None
        self._part = Configuration()
        self._timeouts = TimeoutSettings(context)
        self._inspection = Inspection(
            context.reactor, context.journal, self._table, kernel_table.pump, kernel_table.failed
        )
        self._daemons = SyncDaemons(self._ipvs, context.reactor, context.journal, self._without_daemons)
        self._namespace = NamespaceWatch(context)
        kernel_table.opened = self._opened
        kernel_table.closed = self._inspection.end

    def configure(self, part: Configuration) -> None:
        """Heed these settings from now on, or when IPVS is there: that it is not is said once, of the table."""
        self._part = part
        self._namespace.follow(part.global_defs.lvs_sync_daemon)
        if self._kernel is None:
            return
        self._timeouts.want(part.global_defs.lvs_timeouts)
        daemon = part.global_defs.lvs_sync_daemon
        own = daemon is not None and daemon.instance is None
        if own:
            self._context.keepsake.keep("sync", True)
        elif self._context.keepsake.get("sync"):
            self._daemons.take_over()
        self._daemons.want(daemon if own else None, BOTH if own else ())

    def _opened(self, kernel: Ipvs) -> None:
        self._kernel = kernel
        self._inspection.begin(kernel)
        self._timeouts.opened(kernel)
        self.configure(self._part)
        self._daemons.look()

    def marks(self, part: Configuration) -> Mapping[Service, int]:
        """The marks of virtual servers whose packets are marked."""
        keepsake = self._context.keepsake
        if part.global_defs.nftables_ipvs is None and self._marks is None and not keepsake.get("tables"):
            return {}
        if self._marks is None:
            self._marks = IpvsMarks(self._context.reactor, self._journal, self._packet_marks, keepsake, self._pump)
        return self._marks.take(part)

    @property
    def marks_change(self) -> bool:
        """Whether packets are to be marked otherwise, once the services stand to which the marks lead; or could not be
        yet.
        """
        return self._marks is not None and self._marks.change

    def mark_packets(self) -> None:
        """They stand."""
        if self._marks is not None and self._marks.change:
            self._marks.mark()

    def take_over(self) -> None:
        """At the start, when it is known what is wanted: services that a process that died has left, and the file does
        not name any more, are to go. Those of somebody else, or left by a daemon that crashed, stay.
        """
        gone = self._owned.take_over()
        if gone:
            self._tell("removed, for the file names them no more", gone)
        strangers = gone.symmetric_difference(self._table.strangers())
        if strangers:
            self._tell("left alone, for the file does not name them", strangers, " (lvs_flush empties the table)")

    def note_services(self, before: Mapping[Service, None], *, going: bool) -> None:
        """Orders of a reload are about to be given; ``before`` it these services were ours. ``going``: more orders
        follow.
        """
        self._owned.note(before, going=going)

    def drop_left(self) -> None:
        """Packets go to none of those any more that are to go since the start."""
        self._owned.drop_left()

    def settled(self) -> None:
        """All orders are carried out."""
        self._owned.settled()

    def stop(self) -> None:
        """The end. With the table (dont-release-ipvs) stays what gives packets to it, and nothing else."""
        self._namespace.end()
        self._inspection.end()
        self._daemons.close()
        self._timeouts.restore()
        if self._marks is not None:
            self._marks.close(release=self._release)

    def _tell(self, what: str, services: Collection[Service], remedy: str = "") -> None:
        named = ", ".join(sorted(str(each) for each in services)[:_NAMED])
        more = f" and {len(services) - _NAMED} more" if len(services) > _NAMED else ""
        self._journal.log(Log(f"IPVS: {what}: {named}{more}{remedy}", Level.NOTICE, Kind.IPVS))

    def _packet_marks(self) -> PacketMarks:
        from pykeepalived.kernel.packet_marks import LinuxPacketMarks  # noqa: PLC0415 - few use it

        return LinuxPacketMarks(self._context.ipvs_socket)

    def _without_daemons(self) -> None:
        self._context.keepsake.keep("sync", False)

    def _ipvs(self) -> IpvsDaemons:
        if self._kernel is None:
            raise KernelError("look for IPVS in the kernel", ENOENT)
        return self._kernel


class TimeoutSettings:
    """lvs_timeouts: how long IPVS remembers connections, while we run. What the kernel refuses is tried again."""

    def __init__(self, context: ChildContext) -> None:
        self._journal = context.journal
        self._reactor = context.reactor
        self._keepsake = context.keepsake
        self._kernel: Ipvs | None = None
        self._wanted = Timeouts()
        self._former: Timeouts | None = None  # before we changed anything
        self._given = [Timeouts()]  # what may have been set since: the last that was taken, and all later ones
        if kept := self._keepsake.get("timeouts"):
            self._former, *self._given = (Timeouts(*each) for each in kept)
        self._done = True  # by what is known
        self._told = ""
        self._again = context.reactor.alarm(self._settle)

    def opened(self, kernel: Ipvs) -> None:
        """IPVS is there, or answers again; ``want`` follows. One that was loaded anew has its own timeouts."""
        self._kernel = kernel
        self._done = self._former is None
        if self._former is not None and not self._stand(kernel, self._former):
            self._former, self._given = None, [Timeouts()]

    def want(self, given: LvsTimeouts) -> None:
        """The file's; what it does not name, or names no longer, is as it was before."""
        self._wanted = Timeouts(given.tcp // SECOND, given.tcpfin // SECOND, given.udp // SECOND)
        self._settle()

    def restore(self) -> None:
        """As they were."""
        self._wanted = Timeouts()
        for _ in range(_LAST_CHANCES):
            self._settle()
        self._again.set(None)

    def _stand(self, kernel: Ipvs, former: Timeouts) -> bool:
        """Whether those that we may have set are as we did, or as they were."""
        try:
            there = kernel.timeouts()
        except (KernelError, OSError):
            return True  # nothing is known
        fields = zip(astuple(there), astuple(former), *map(astuple, self._given), strict=True)
        return all(not any(given) or now in (was, *given) for now, was, *given in fields)

    def _settle(self) -> None:
        wanted = self._wanted
        if self._kernel is None or (self._done and self._given == [wanted]):
            return
        self._done = False
        try:
            former = self._former = self._former or self._kernel.timeouts()
            if wanted not in self._given:
                self._given.append(wanted)
            self._keepsake.keep("timeouts", [list(astuple(each)) for each in (former, *self._given)])
            fields = zip(astuple(wanted), astuple(former), *map(astuple, self._given), strict=True)
            self._kernel.set_timeouts(Timeouts(*(want or (was if any(given) else 0) for want, was, *given in fields)))
        except (KernelError, OSError) as error:
            number = error.errno or EIO
            text = f"IPVS cmd SET_CONFIG(12) error: {strerror(number)}({number}) for lvs_timeouts"
            if text != self._told:
                self._journal.log(Log(text, Level.WARNING, Kind.IPVS))
            self._told = text
            self._again.set(self._reactor.now() + _AGAIN)
        else:
            self._given, self._done, self._told = [wanted], True, ""
            self._again.set(None)
