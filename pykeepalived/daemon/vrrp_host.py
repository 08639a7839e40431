"""The host's links and addresses, told to the virtual routers in their own words.

It tells our own removals of virtual addresses from those of others: what was ordered to be there and has vanished was
taken by somebody else. Facts are noted while the kernel's words are read, and heard when all of them are read: what is
done about one reads on, and who follows the links would hear of them in the wrong order.
"""

import contextlib
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.kinds import IP
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.news import News
from pykeepalived.daemon.vrrp_kernel import VrrpKernel
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import Failure, HostAddress, Interface
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved, Event, InterfaceChanged
from pykeepalived.vrrp.virtual_links import IPVLAN, MACVLAN

Place = tuple[str | None, IP, int]


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A link as it was and as it is, for whoever makes virtual links: in its place among the facts."""

    old: Interface | None
    new: Interface | None


class VrrpHost:
    """The listener of the host's table, and the way to change addresses."""

    def __init__(
        self,
        kernel: VrrpKernel,
        context: ChildContext,
        note: Callable[[Event | LinkChanged], None],
        hear: Callable[[], None],
        link_appeared: Callable[[str], None],
    ) -> None:
        self._note = note
        self._link_appeared = link_appeared
        self._links: dict[int, Interface] = {}
        self._names: dict[str, Interface] = {}
        self._installed: dict[Place, AddressEntry] = {}
        self.virtual: Container[Place] = ()
        self._begun = False
        self._host = kernel.host(self)
        self._news = News(context, "interfaces and addresses", self._host.drain, hear)
        self.drain = self._news.read
        self.fileno = self._host.fileno
        self.interfaces = self._host.interfaces
        self.set_receive_buffers = self._host.set_receive_buffers

    def tell_all(self) -> None:
        """Tell everything that is known now, and from now on what changes."""
        self._begun = True
        for interface in self._host.interfaces():
            self._links[interface.index] = interface
            self._names[interface.name] = interface
            self._note(InterfaceChanged(interface.name, interface.up, flags=interface.flags))
            self._tell_addresses(interface)

    def interface(self, name: str) -> Interface | None:
        """The link of that name."""
        return self._names.get(name)

    def physical(self, name: str) -> str:
        """The link that carries an interface's frames: a VMAC's or an ipvlan's base, or itself."""
        link = self._names.get(name)
        if link is None or link.kind not in {MACVLAN, IPVLAN}:
            return name
        base = self._links.get(link.base)
        return name if base is None else base.name

    def change(self, entries: tuple[AddressEntry, ...], *, adding: bool) -> Iterator[tuple[AddressEntry, int]]:
        """Add or remove addresses; what the kernel refused, with its errno.

        What it told before is read first, and what it tells of this is read at once: announcements come after that.
        """
        self.drain()
        try:
            if adding:
                failures = self._host.add_addresses(entries)
                self._installed.update({_place(entry): entry for entry in entries})
            else:
                for entry in entries:
                    self._installed.pop(_place(entry), None)
                failures = self._host.remove_addresses(entries)
        except KernelError as error:  # no answer at all
            failures = [Failure(index, error.errno) for index in range(len(entries))]
        for failure in failures:
            self._installed.pop(_place(entries[failure.index]), None)
        self.drain()
        return iter([(entries[failure.index], failure.errno) for failure in failures])

    # --- HostListener -------------------------------------------------------------------------------------------

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None:
        """A link appeared, changed or vanished. Virtual links are made again after everybody knows that one is gone."""
        if self._begun:
            self._tell_link(old, new)
        self._note(LinkChanged(old, new))

    def _tell_link(self, old: Interface | None, new: Interface | None) -> None:
        if old is not None and (new is None or new.name != old.name or new.index != old.index):
            self._links.pop(old.index, None)
            if self._names.get(old.name) == old:
                del self._names[old.name]
            renamed = "" if new is None or new.index != old.index else new.name
            self._abandon(old.name, renamed)
            self._note(InterfaceChanged(old.name, up=False, present=False, renamed=renamed))
            old = None
        if new is None:
            return
        self._links[new.index] = new
        self._names[new.name] = new
        if old is None:
            self._link_appeared(new.name)
            self._tell_addresses(new)
        if old is None or old.up != new.up:
            self._note(InterfaceChanged(new.name, new.up, flags=new.flags))

    def _abandon(self, name: str, renamed: str) -> None:
        """Our addresses on a link are nobody's any more. One that was renamed has them still: they are taken off it."""
        entries = [entry for place, entry in self._installed.items() if place[0] == name]
        for entry in entries:
            del self._installed[_place(entry)]
        if renamed and entries:
            with contextlib.suppress(KernelError):
                self._host.remove_addresses([replace(entry, dev=renamed) for entry in entries])

    def address_added(self, address: HostAddress) -> None:
        """An address appeared, or changed."""
        interface = self._links.get(address.interface)
        if interface is not None:
            self._note(
                AddressAdded(
                    interface.name,
                    address.address,
                    address.prefix_length,
                    address.secondary,
                    address.tentative,
                    address.dad_failed,
                )
            )

    def address_removed(self, address: HostAddress) -> None:
        """An address vanished."""
        interface = self._links.get(address.interface)
        if interface is None:
            return
        place = (interface.name, address.address, address.prefix_length)
        ours = place in self.virtual and place not in self._installed
        self._installed.pop(place, None)
        self._note(AddressRemoved(interface.name, address.address, address.prefix_length, ours))

    def _tell_addresses(self, interface: Interface) -> None:
        for address in self._host.addresses(interface.index):
            self.address_added(address)


def _place(entry: AddressEntry) -> Place:
    return (entry.dev, entry.address, entry.prefix_length)
