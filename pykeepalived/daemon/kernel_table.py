"""The kernel's IPVS table, brought to what is wanted in batches.

It is read once and planned by ``lvs.table``. Without IPVS in the kernel nothing is lost: the table is loaded when IPVS
appears.
"""

import errno
from collections.abc import Callable
from os import strerror

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import IpvsOrder
from pykeepalived.kernel.ports import BATCH, Ipvs
from pykeepalived.lvs.table import Table
from pykeepalived.units import SECOND

_LOOK_AGAIN = 60 * SECOND  # for IPVS, and for what the kernel refused


class KernelTable:
    """``table`` is told what is wanted; ``pump`` carries it out, and ``settled`` is called whenever all is done."""

    def __init__(
        self, reactor: Reactor, log: Callable[[Log], None], settled: Callable[[], None], kernel: Ipvs | None = None
    ) -> None:
        self.table = Table(strerror)
        self._reactor = reactor
        self._log = log
        self._settled = settled
        self._kernel = kernel
        self._pumping = False
        self._missed = False
        self._look_again = reactor.alarm(self._looked_again)

    @property
    def pending(self) -> bool:
        """Whether the kernel is not yet as wanted."""
        return self.table.pending

    def start(self, *, flush: bool) -> None:
        """Read the kernel's table, or empty it."""
        self._open(flush=flush)
        self._look_again.set(self._reactor.now() + _LOOK_AGAIN)

    def stop(self) -> None:
        """Look for nothing any more; what is wanted is still carried out."""
        self._look_again.set(None)

    def pump(self) -> None:
        """Carry out a batch; the rest in the next turns."""
        orders = self.table.next_orders(BATCH)
        if orders:
            self._apply(orders)
        if not self.table.pending:
            self._settled()
        elif not self._pumping:
            self._pumping = True
            self._reactor.soon(self._pump_on)

    def flush(self) -> None:
        """lvs_flush_on_stop: whatever stands in the table goes."""
        if self._kernel is None or not self.table.loaded:
            return
        try:
            self._kernel.flush()
            self.table.load(())
        except (KernelError, OSError) as error:
            number = error.errno or errno.EIO
            line = f"IPVS cmd FLUSH(17) error: {strerror(number)}({number})"
            self._log(Log(line, Level.WARNING, Kind.IPVS))

    def _pump_on(self) -> None:
        self._pumping = False
        self.pump()

    def _apply(self, orders: list[IpvsOrder]) -> None:
        if self._kernel is None:
            return
        try:
            failures = self._kernel.apply(orders)
        except (KernelError, OSError) as error:
            self.table.unload(orders)
            line = f"IPVS: {strerror(error.errno or errno.EIO)} - the table is read again within a minute"
            self._log(Log(line, Level.WARNING, Kind.IPVS))
            return
        for answer in self.table.answered(orders, [(failure.index, failure.errno) for failure in failures]):
            self._log(answer)

    def _open(self, *, flush: bool = False) -> None:
        """Read the table; without one say so, once."""
        try:
            if self._kernel is None:
                from pykeepalived.kernel.ipvs import LinuxIpvs  # noqa: PLC0415 - tests bring their own

                self._kernel = LinuxIpvs()
            version = self._kernel.version()
            if flush:
                self._kernel.flush()
            self.table.load(self._kernel.table())
        except (KernelError, OSError) as error:
            if not self._missed:
                self._log(_missing(error.errno or errno.ENOENT))
            self._missed = True
            return
        if self._missed:
            self._missed = False
            line = f"IPVS {version} has appeared in the kernel: loading the table"
            self._log(Log(line, Level.NOTICE, Kind.IPVS))

    def _looked_again(self) -> None:
        """What was missing or refused may have been mended."""
        self._look_again.set(self._reactor.now() + _LOOK_AGAIN)
        if self.table.loaded:
            self.table.retry_refused()
        else:
            self._open()
        self.pump()


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
