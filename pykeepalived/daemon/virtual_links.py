"""Makes and removes the virtual links that the core wants, with the settings they and their bases need.

The firewall, which lets multicast reports leave by the base, is told which VMACs stand whenever that may have changed.
"""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from errno import EEXIST, ENOENT
from typing import assert_never

from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.vrrp_kernel import VrrpKernel
from pykeepalived.effects import Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel import ports
from pykeepalived.kernel.ports import Interface, NewLink
from pykeepalived.kernel.sysctls import BorrowedSysctls
from pykeepalived.vrrp.virtual_links import (
    MACVLAN,
    LinkGone,
    LinkMade,
    LinkOrder,
    LinkRefused,
    MakeLink,
    ReleaseBase,
    RemoveLink,
    SeenLink,
    SettleLink,
    VirtualLink,
    VirtualLinks,
)

_MACVLAN_MODE_PRIVATE = 1
_VRF = "vrf"
_OF_VMAC = (("arp_ignore", "1"), ("accept_local", "1"), ("rp_filter", "0"), ("promote_secondaries", "1"))
_OF_BASE = (("arp_ignore", "1"), ("arp_filter", "1"))
_ALL_RP_FILTER = "ipv4/conf/all/rp_filter"
_FIRST_SPARE_GROUP, _LAST_GROUP = 0x70796B00, 0x7FFFFFFF
"""Groups of links that nobody is likely to use; one in use is passed over."""
_ALIAS = "pykeepalived:"
"""A link's alias begins so, and goes on with what its base's settings were: a crash forgets everything else."""


class VirtualInterfaces:
    """The virtual links of a host, as the kernel has them."""

    def __init__(
        self,
        kernel: VrrpKernel,
        reactor: Reactor,
        journal: Journal,
        relay_only: Callable[[Mapping[tuple[int, int], int]], None],
    ) -> None:
        self._kernel = kernel
        self._reactor = reactor
        self._journal = journal
        self._relay_only = relay_only
        self._core = VirtualLinks()
        self._interfaces: dict[int, Interface] = {}
        self._indexes: dict[str, int] = {}
        self._alarm = reactor.alarm(self._rang)
        self._port: ports.VirtualLinks | None = None
        self._sysctls: ports.Sysctls = kernel.sysctls()
        self._borrowed = BorrowedSysctls(self._sysctls)
        self._trouble = 0

    def begin(self, interfaces: Sequence[Interface]) -> None:
        """The links that are there at the beginning."""
        self._interfaces = {interface.index: interface for interface in interfaces}
        self._indexes = {interface.name: interface.index for interface in interfaces}
        for interface in interfaces:
            self._core.handle(self._seen(interface), self._reactor.now())

    def take(self, part: Configuration) -> tuple[Configuration, list[RemoveLink | ReleaseBase]]:
        """The configuration with its links, which are made now, and the orders for when it has been applied."""
        taken = self._core.take(part, self._reactor.now())
        self.carry_out(taken.before)
        self._relay()
        return taken.configuration, taken.after

    def changed(self, old: Interface | None, new: Interface | None) -> None:
        """A link appeared, changed or vanished."""
        now = self._reactor.now()
        if old is not None and (new is None or new.name != old.name):
            if new is None:
                self._interfaces.pop(old.index, None)
            if self._indexes.get(old.name) == old.index:
                del self._indexes[old.name]
            self._borrowed.forget(f"ipv4/conf/{old.name}/")
            self.carry_out(self._core.handle(LinkGone(old.name), now))
        if new is not None:
            self._interfaces[new.index] = new
            self._indexes[new.name] = new.index
            if old is not None and old.name != new.name:
                for link in [each for each in self._interfaces.values() if each.base == new.index]:
                    self.carry_out(self._core.handle(self._seen(link), now))
            self.carry_out(self._core.handle(self._seen(new), now))
        self._relay()

    def stop(self, *, release: bool) -> None:
        """Remove every link and give the settings back; without ``release`` leave them as they are."""
        orders = self._core.stop()
        if release:
            removals = [order for order in orders if isinstance(order, RemoveLink)]
            self._remove_together([order.link for order in removals])
            self.carry_out(orders)  # those that are gone are said to be
        self._alarm.set(None)
        if self._port is not None:
            self._port.close()

    def carry_out(self, orders: Sequence[LinkOrder]) -> None:
        """Do what the core orders."""
        for order in orders:
            match order:
                case Log():
                    self._journal.log(order)
                case MakeLink(link, group, vrf):
                    self._make(link, group, vrf)
                case SettleLink(link, group, vrf):
                    self._settle(link, group, vrf)
                case RemoveLink():
                    self._remove(order)
                case ReleaseBase(base):
                    self._give_back(base)
                case _:
                    assert_never(order)
        self._alarm.set(self._core.next_deadline())

    def _relay(self) -> None:
        """Tell the firewall of each VMAC, by family and index, what its base is."""
        indices = {interface.name: index for index, interface in self._interfaces.items()}
        self._relay_only(
            {
                (link.family, index): self._interfaces[index].base
                for link in self._core.standing
                if link.kind == MACVLAN and (index := indices.get(link.name, 0))
            }
        )

    def _rang(self) -> None:
        self.carry_out(self._core.tick(self._reactor.now()))

    def _seen(self, interface: Interface) -> SeenLink:
        base, master = self._interfaces.get(interface.base), self._interfaces.get(interface.master)
        return SeenLink(
            interface.name,
            interface.kind,
            "" if base is None else base.name,
            interface.mac,
            interface.kind == MACVLAN and interface.mode == _MACVLAN_MODE_PRIVATE,
            interface.group,
            master.name if master is not None and master.kind == _VRF else "",
            interface.loopback,
        )

    # --- links --------------------------------------------------------------------------------------------------

    def _links(self) -> ports.VirtualLinks:
        if self._port is None:
            self._port = self._kernel.virtual_links()
        return self._port

    def _index(self, name: str) -> int:
        return self._indexes.get(name, 0)

    def _make(self, link: VirtualLink, group: int, vrf: str) -> None:
        new = NewLink(link.name, link.kind, self._index(link.base), link.mac, link.flags, group)
        try:
            self._links().add(new)
        except KernelError as error:
            if error.errno != EEXIST:  # there is one that we have not been told of yet
                self._refused(link, error)
            return
        try:
            self._dress(link, group, vrf)
        except KernelError as error:
            self._refused(link, error)
            self._remove(RemoveLink(link, farewell=False))
            return
        self.carry_out(self._core.handle(LinkMade(link.name), self._reactor.now()))
        self._say(link, f"({link.instance}): Success creating {link}")

    def _settle(self, link: VirtualLink, group: int, vrf: str) -> None:
        try:
            self._dress(link, group, vrf)
        except KernelError as error:
            self._say(link, f"({link.instance}) Unable to {error.order}", Level.ERROR)

    def _remove(self, order: RemoveLink) -> None:
        link = order.link
        self._recall(link)
        try:
            self._links().remove(link.name)
        except KernelError as error:
            self._say(link, f"({link.instance}) Unable to remove {link}: {os.strerror(error.errno)}", Level.ERROR)
            return
        if order.farewell:
            self._say(link, f"({link.instance}) Success removing {link}")

    def _remove_together(self, links: Sequence[VirtualLink]) -> None:
        """The kernel waits 20 ms for each link that it removes, but only once for a group."""
        for link in links:
            self._recall(link)
        groups = {interface.group for interface in self._interfaces.values()}
        group = next(number for number in range(_FIRST_SPARE_GROUP, _LAST_GROUP) if number not in groups)
        if len(links) > 1:
            with contextlib.suppress(KernelError):  # one by one then
                self._links().remove_together([link.name for link in links], group)

    def _refused(self, link: VirtualLink, error: KernelError) -> None:
        self.carry_out(self._core.handle(LinkRefused(link.name, error.order), self._reactor.now()))

    def _dress(self, link: VirtualLink, group: int, vrf: str) -> None:
        """Settings first, so that the last message of the kernel about the link comes when they are all there."""
        self._recall(link)
        if link.arp:
            self._unfilter()
            for name, value in _OF_VMAC:
                self._set(f"ipv4/conf/{link.name}/{name}", value)
            for name, value in _OF_BASE:
                self._borrow(f"ipv4/conf/{link.base}/{name}", value)
        self._set(f"ipv6/conf/{link.name}/disable_ipv6", "0" if link.ipv6 else "1")
        master = self._index(vrf) if vrf else 0
        made = link.addresses_made
        self._links().settle(link.name, group=group, master=master, alias=self._alias(link), link_local=made)

    def _say(self, link: VirtualLink, message: str, level: Level = Level.INFO) -> None:
        self._journal.log(Log(message, level, fields=(("VRRP_INSTANCE", link.instance),)))

    # --- settings -----------------------------------------------------------------------------------------------

    def _unfilter(self) -> None:
        """all.rp_filter counts for each link that has a lower value: each gets what it had by that, and all has 0."""
        everywhere = self._sysctls.read(_ALL_RP_FILTER) or "0"
        if not everywhere.isdigit() or everywhere == "0":
            return
        for name in ("default", *(interface.name for interface in self._interfaces.values())):
            path = f"ipv4/conf/{name}/rp_filter"
            own = self._sysctls.read(path) or "0"
            if own.isdigit() and int(own) < int(everywhere):
                self._borrow(path, everywhere)
        self._journal.log(Log(f"NOTICE: setting sysctl net.ipv4.conf.all.rp_filter from {everywhere} to 0"))
        self._borrow(_ALL_RP_FILTER, "0")

    def _give_back(self, base: str) -> None:
        self._borrowed.give_back(f"ipv4/conf/{base}/arp_")
        if not any(link.arp for link in self._core.standing):
            self._borrowed.give_back(_ALL_RP_FILTER)
            self._borrowed.give_back()

    def _set(self, path: str, value: str) -> None:
        if self._sysctls.read(path) not in (None, value):
            self._check(path, self._sysctls.write(path, value))

    def _borrow(self, path: str, value: str) -> None:
        self._check(path, self._borrowed.set(path, value))

    def _check(self, path: str, code: int) -> None:
        """Say once that settings cannot be made: in a container /proc/sys may be read-only."""
        if code in (0, ENOENT) or self._trouble:
            return
        self._trouble = code
        name = path.replace("/", ".", 2).replace("/", ".")
        message = (
            f"Unable to set sysctl net.{name}: {os.strerror(code)} - virtual interfaces go on without such settings"
            " (let /proc/sys/net be written, or set them on the host)"
        )
        self._journal.log(Log(message, Level.WARNING))

    def _alias(self, link: VirtualLink) -> str:
        """What the settings of the base were before us, for whoever comes after a crash."""
        if not link.arp:
            return _ALIAS
        known = [(name, self._borrowed.former(f"ipv4/conf/{link.base}/{name}")) for name, _ in _OF_BASE]
        known.append(("all.rp_filter", self._borrowed.former(_ALL_RP_FILTER)))
        return " ".join((_ALIAS, *(f"{name}={value}" for name, value in known if value is not None)))

    def _recall(self, link: VirtualLink) -> None:
        """The other half of ``_alias``."""
        found = self._interfaces.get(self._index(link.name))
        if found is None or not found.alias.startswith(_ALIAS):
            return
        told = dict(word.split("=", 1) for word in found.alias.split()[1:] if "=" in word)
        for name, path in (
            *((name, f"ipv4/conf/{link.base}/{name}") for name, _ in _OF_BASE),
            ("all.rp_filter", _ALL_RP_FILTER),
        ):
            value = told.get(name, "")
            if value.isascii() and value.isdigit() and len(value) <= 3:
                self._borrowed.remember(path, value)
