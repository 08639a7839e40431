"""ha_suspend: which virtual servers have an address on this machine. The checkers of the others wait.

The kernel is asked, and listened to, only while a virtual server wants it.
"""

import errno
from collections.abc import Callable, Iterable
from os import strerror

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.kinds import IP
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.served import Served
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import HostAddress, HostListener, HostTable, Interface, ReceiveBuffer
from pykeepalived.lvs.fronts import Front
from pykeepalived.units import SECOND

_AGAIN = SECOND

Place = tuple[int, int]
"""Interface and prefix length: an address may be in several."""


class HaSuspend:
    """A listener of the host's addresses. ``turned`` is told of a virtual server that gained its first, or lost its
    last.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Callable[[Log], None],
        make_host: Callable[[HostListener], HostTable],
        turned: Callable[[Served, bool], None],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._make_host = make_host
        self._turned = turned
        self._host: HostTable | None = None
        self._buffers = (ReceiveBuffer(), ReceiveBuffer())
        self._deaf = False
        self._again = reactor.alarm(self._hear_again)  # what was lost is read again, though nothing may tell of it
        self._places: dict[IP, set[Place]] = {}
        self._followers: dict[IP, list[Served]] = {}
        self._present: dict[Served, int] = {}
        """How many of its addresses are here."""

    def listen(self, settings: GlobalDefs, *, wanted: bool) -> None:
        """Begin to listen, or end. Until the kernel answers no checker waits."""
        if not wanted:
            self.close()
            return
        self._buffers = (
            ReceiveBuffer(settings.lvs_netlink_cmd_rcv_bufs, settings.lvs_netlink_cmd_rcv_bufs_force),
            ReceiveBuffer(settings.lvs_netlink_monitor_rcv_bufs, settings.lvs_netlink_monitor_rcv_bufs_force),
        )
        self._open()

    def _open(self) -> None:
        try:
            if self._host is None:
                self._host = self._make_host(self)
                self._reactor.watch(self._host.fileno(), self._drain)
                for interface in self._host.interfaces():
                    for address in self._host.addresses(interface.index):
                        self._note(address)
            self._host.set_receive_buffers(*self._buffers)
        except (KernelError, OSError) as error:
            self._close_host()
            self._fault(error)

    def follow(self, all_served: Iterable[Served]) -> None:
        """These want to know: all that there are, in place of those of before."""
        self._followers.clear()
        self._present.clear()
        for served in all_served:
            addresses = _addresses(served.core.front)
            self._present[served] = sum(address in self._places for address in addresses)
            for address in addresses:
                self._followers.setdefault(address, []).append(served)

    def is_away(self, front: Front) -> bool:
        """Whether none of its addresses is here. What the kernel knows by marks alone is nowhere else."""
        addresses = _addresses(front)
        return self._host is not None and bool(addresses) and addresses.isdisjoint(self._places)

    def close(self) -> None:
        """Listen no more."""
        self._again.set(None)
        self._deaf = False
        self._close_host()
        self._followers.clear()
        self._present.clear()

    def _close_host(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            self._reactor.unwatch(host.fileno())
            host.close()
        self._places.clear()

    # --- HostListener -------------------------------------------------------------------------------------------

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None:
        """Of no matter: an address counts whether its link is up or not, as for keepalived."""

    def address_added(self, address: HostAddress) -> None:
        """An address appeared, or changed."""
        if self._note(address):
            self._log_address(address.address, "added")
            for served in self._followers.get(address.address, ()):
                self._present[served] += 1
                if self._present[served] == 1:
                    self._turned(served, True)

    def address_removed(self, address: HostAddress) -> None:
        """An address vanished."""
        places = self._places.get(address.address)
        if places is None:
            return
        places.discard(_place(address))
        if places:
            return
        del self._places[address.address]
        self._log_address(address.address, "removed")
        for served in self._followers.get(address.address, ()):
            self._present[served] -= 1
            if not self._present[served]:
                self._turned(served, False)

    def _note(self, address: HostAddress) -> bool:
        """Whether it is the first of its kind."""
        known = address.address in self._places
        self._places.setdefault(address.address, set()).add(_place(address))
        return not known

    def _drain(self) -> None:
        if self._host is None:
            return
        try:
            self._host.drain()
        except (KernelError, OSError) as error:
            self._fault(error)
        else:
            self._deaf = False

    def _hear_again(self) -> None:
        if self._host is None:
            self._open()
            if self._host is not None:
                followers = tuple(self._present)
                self.follow(followers)
                for served in followers:
                    if self.is_away(served.core.front):
                        self._turned(served, False)
        self._drain()

    def _log_address(self, address: IP, what: str) -> None:
        if address in self._followers:
            self._log(Log(f"Netlink reflector reports IP {address} {what}", kind=Kind.CHECK, detail=True))

    def _fault(self, error: KernelError | OSError) -> None:
        """Said once, and tried again."""
        self._again.set(self._reactor.now() + _AGAIN)
        if self._deaf:
            return
        self._deaf = True
        cause = strerror(error.errno or errno.EIO)
        line = f"ha_suspend: the kernel does not tell of addresses: {cause}"
        self._log(Log(line, Level.WARNING, Kind.CHECK, fields=(("CAUSE", cause),)))


def _place(address: HostAddress) -> Place:
    return address.interface, address.prefix_length


def _addresses(front: Front) -> set[IP]:
    return {service.address for service in front.services if service.address is not None}
