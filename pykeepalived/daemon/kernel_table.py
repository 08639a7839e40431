"""The kernel's IPVS table, brought to what is wanted in batches.

It is read once and planned by ``lvs.table``. Without IPVS in the kernel nothing is lost: the table is loaded when IPVS
appears.
"""

import errno
from collections.abc import Callable, Sequence
from os import strerror
from typing import TYPE_CHECKING

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import IpvsOrder
from pykeepalived.kernel.ports import BATCH, Ipvs
from pykeepalived.lvs.table import Table
from pykeepalived.units import SECOND

if TYPE_CHECKING:
    from pykeepalived.kernel.netlink import Opener

_LOOK_AGAIN = 60 * SECOND  # for IPVS, and for what the kernel refused
_LOOK_SOON = SECOND  # after a failure that may pass at once; then less and less often
_LAST_CHANCES = 2  # a stop is not to take long
_PASSING = frozenset({errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ETIMEDOUT})


class KernelTable:
    """``table`` is told what is wanted; ``pump`` carries it out, and ``settled`` is called whenever all is done."""

    def __init__(
        self,
        reactor: Reactor,
        log: Callable[[Log], None],
        settled: Callable[[], None],
        kernel: Ipvs | None = None,
        open_socket: "Opener | None" = None,
    ) -> None:
        self.table = Table(strerror)
        self._reactor = reactor
        self._log = log
        self._settled = settled
        self._kernel = kernel
        self._open_socket = open_socket
        self.opened: Callable[[Ipvs], None] = _unheard
        """Called when the table was read: at the start, and when IPVS appears."""
        self.closed: Callable[[], None] = _unheard
        """Called when the kernel gives no answer; ``opened`` follows when it does."""
        self.leaving: Callable[[], None] = _unheard
        """Called when a stop goes on."""
        self._pumping = False
        self._flush = False  # before it is read
        self._missed = False
        self._silent = False  # the table is there, but was not read since the kernel gave no answer
        self._look_again = reactor.alarm(self._looked_again)
        self._soon = _LOOK_SOON
        self._calm = True  # nothing of that kind since the last look
        self._last_chance = reactor.alarm(self._try_for_the_last_time)
        self._last_chances: int | None = None  # at a stop

    def start(self, *, flush: bool) -> None:
        """Read the kernel's table, or empty it."""
        self._look_again.set(self._reactor.now() + _LOOK_AGAIN)
        self._flush = flush
        self._open()

    def stop(self) -> None:
        """Look for nothing any more; what is wanted is still carried out, also if the kernel gave no answer lately."""
        self._look_again.set(None)
        self._last_chances = _LAST_CHANCES
        if self._kernel is None or not self._silent:
            return
        try:
            self.table.load(self._kernel.table())
        except (KernelError, OSError) as error:
            if error.errno in _PASSING:
                self.failed(error)

    def pump(self) -> None:
        """Carry out a batch; the rest in the next turns."""
        self.push()
        if not self.table.pending:
            if self._last_chance.due_at is None:
                self._settled()
        elif not self._pumping:
            self._pumping = True
            self._reactor.soon(self._pump_on)

    def push(self) -> None:
        """Carry out a batch."""
        orders = self.table.next_orders(BATCH)
        if orders:
            self._apply(orders)

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

    def failed(self, error: KernelError | OSError, orders: Sequence[IpvsOrder] = ()) -> None:
        """The kernel gave no answer; ``orders`` may have been carried out or not."""
        self.closed()
        self.table.unload(orders)
        self._silent = error.errno in _PASSING
        cause = str(error) if error.errno == errno.ENOENT else strerror(error.errno or errno.EIO)
        following = "the table is read again within a minute"
        if self._last_chances is not None:
            self._last_chances -= 1
            again = self._last_chances >= 0 and error.errno in _PASSING
            following = "the table is read again" if again else "what is in the table stays there"
            self._last_chance.set(self._reactor.now() + _LOOK_SOON if again else None)
        self._log(Log(f"IPVS: {cause} - {following}", Level.WARNING, Kind.IPVS))
        self._look_sooner({error.errno})

    def _pump_on(self) -> None:
        self._pumping = False
        if self._last_chances is not None:
            self.leaving()
        self.pump()

    def _apply(self, orders: list[IpvsOrder]) -> None:
        if self._kernel is None:
            return
        try:
            failures = self._kernel.apply(orders)
        except (KernelError, OSError) as error:
            self.failed(error, orders)
            return
        for answer in self.table.answered(orders, [(failure.index, failure.errno) for failure in failures]):
            self._log(answer)
        if failures:
            self._look_sooner({failure.errno for failure in failures})

    def _open(self) -> None:
        """Read the table; without one say so, once."""
        try:
            if self._kernel is None:
                from pykeepalived.kernel.ipvs import LinuxIpvs  # noqa: PLC0415 - tests bring their own

                self._kernel = LinuxIpvs(self._open_socket)
            version = self._kernel.version()
            if self._flush:
                self._kernel.flush()
                self._flush = False
            self.table.load(self._kernel.table())
        except (KernelError, OSError) as error:
            if not self._missed:
                self._log(_missing(error.errno or errno.ENOENT))
            self._missed = True
            self._silent = error.errno in _PASSING
            self._flush &= self._silent  # whoever brings IPVS later may fill it before we see it
            self._look_sooner({error.errno})
            return
        self._silent = False
        self.opened(self._kernel)
        if self._missed:
            self._missed = False
            line = f"IPVS {version} has appeared in the kernel: loading the table"
            self._log(Log(line, Level.NOTICE, Kind.IPVS))

    def _try_for_the_last_time(self) -> None:
        """A stop has waited for a failure to pass."""
        if self._kernel is not None:
            try:
                self.table.load(self._kernel.table())
            except (KernelError, OSError) as error:
                self.failed(error)
        self.pump()

    def _look_sooner(self, numbers: set[int | None]) -> None:
        """Something failed that may pass at once."""
        due_at = self._look_again.due_at
        if due_at is None or numbers.isdisjoint(_PASSING):
            return
        self._calm = False
        sooner = self._reactor.now() + self._soon
        if sooner < due_at:
            self._look_again.set(sooner)
            self._soon = min(2 * self._soon, _LOOK_AGAIN)

    def _looked_again(self) -> None:
        """What was missing or refused may have been mended."""
        if self._calm:
            self._soon = _LOOK_SOON
        self._calm = True
        self._look_again.set(self._reactor.now() + _LOOK_AGAIN)
        if self.table.loaded:
            self.table.retry_refused()
        else:
            self._open()
        self.pump()


def _unheard(*_: object) -> None:
    """Nobody wants to know."""


def _missing(number: int) -> Log:
    """One line: what is missing, and what mends it."""
    cause = strerror(number)
    if number in (errno.EPERM, errno.EACCES):
        remedy = "To mend it: run as root, or give the container NET_ADMIN (CAP_NET_ADMIN is missing)"
    elif number in _PASSING:
        remedy = "It is tried again within a minute"
    else:
        remedy = (
            "To mend it: `modprobe ip_vs` (package linux-image-amd64 for Debian's cloud kernels, linux-modules-extra"
            " for Ubuntu, kernel-modules for RHEL; in a container: on its host)"
        )
    line = f"IPVS: Can't initialize ipvs: {cause} - nothing is balanced, checks and scripts run. {remedy}"
    return Log(line, Level.WARNING, Kind.IPVS, fields=(("CAUSE", cause),))
