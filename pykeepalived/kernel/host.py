"""The links and addresses of this network namespace, kept current by rtnetlink(7).

The listener hears of real changes only: the kernel repeats itself, and a dump after an overrun repeats everything.
"""

import errno
import socket
import struct
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.errors import KernelError
from pykeepalived.kernel.message_classes import NLM_F_CREATE, NLM_F_EXCL, Form, Reader, attribute, encoded, place
from pykeepalived.kernel.ports import Failure, HostAddress, HostListener, Interface, ReceiveBuffer
from pykeepalived.kernel.route_classes import ifaddrmsg, ifinfmsg
from pykeepalived.kernel.rtnetlink import Rtnetlink

_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18
_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_RTNLGRP_LINK, _RTNLGRP_IPV4_IFADDR, _RTNLGRP_IPV6_IFADDR = 1, 5, 9

_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING, _IFF_NOARP, _IFF_MULTICAST = 0x1, 0x8, 0x40, 0x80, 0x1000

_IFA_F_SECONDARY, _IFA_F_NODAD, _IFA_F_DADFAILED, _IFA_F_HOMEADDRESS, _IFA_F_TENTATIVE = 0x01, 0x02, 0x08, 0x10, 0x40
_IFA_F_MANAGETEMPADDR, _IFA_F_NOPREFIXROUTE, _IFA_F_MCAUTOJOIN = 0x100, 0x200, 0x400
_IFAPROT_KEEPALIVED = 18
_FOREVER = 0xFFFFFFFF

_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.ENODEV})
_NEW_FLAGS = NLM_F_CREATE | NLM_F_EXCL
_CACHEINFO = struct.Struct("=IIII")  # preferred, valid, created, updated
_U32 = struct.Struct("=I")
_U16 = struct.Struct("=H")
_LINK, _ADDRESS = Reader(ifinfmsg), Reader(ifaddrmsg)
_LINK_INFO = Reader(ifinfmsg.ifinfo)
_MODE = {"macvlan": 1, "ipvlan": 2}
"""The attribute of IFLA_INFO_DATA that is kept: IFLA_MACVLAN_MODE (u32), IFLA_IPVLAN_FLAGS (u16)."""

_AddressKey = tuple[bytes, int, bytes]
"""Address, prefix length, and what the prefix belongs to (the peer, where there is one)."""


class LinuxHost:
    """Interfaces and addresses of this network namespace. Nothing is told for what stood there at the beginning."""

    def __init__(self, listener: HostListener) -> None:
        self._listener = listener
        self._interfaces: dict[int, Interface] = {}
        self._indexes: dict[str, int] = {}
        self._addresses: dict[int, dict[_AddressKey, HostAddress]] = {}
        self._forms: dict[tuple[object, ...], Form] = {}
        self._links = Form(encoded(ifinfmsg, _RTM_GETLINK, 0, {}, []))
        self._every_address = Form(encoded(ifaddrmsg, _RTM_GETADDR, 0, {}, []))
        self._netlink = Rtnetlink((_RTNLGRP_LINK, _RTNLGRP_IPV4_IFADDR, _RTNLGRP_IPV6_IFADDR))
        try:
            self._interfaces, self._addresses = self._read()
        except KernelError:
            self.close()
            raise
        self._indexes = {interface.name: index for index, interface in self._interfaces.items()}

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._netlink.fileno()

    def close(self) -> None:
        """Close both sockets."""
        self._netlink.close()

    def drain(self) -> None:
        """Read what the kernel has told, and tell the listener."""
        self._netlink.drain(self._heard, self._resynchronise)

    def set_receive_buffers(self, orders: ReceiveBuffer, monitor: ReceiveBuffer) -> None:
        """Of the socket that orders and dumps, and of the one that listens."""
        self._netlink.orders.set_receive_buffer(orders.size, force=orders.force)
        self._netlink.monitor.set_receive_buffer(monitor.size, force=monitor.force)

    def interfaces(self) -> Sequence[Interface]:
        """All links known now."""
        return tuple(self._interfaces.values())

    def interface(self, name: str) -> Interface | None:
        """The link of that name, None where there is none."""
        index = self._indexes.get(name)
        return None if index is None else self._interfaces[index]

    def addresses(self, interface: int) -> Sequence[HostAddress]:
        """The addresses of one link, in the kernel's order."""
        return tuple(self._addresses.get(interface, {}).values())

    def add_addresses(self, entries: Sequence[AddressEntry]) -> list[Failure]:
        """Add entries by their ``dev``; EEXIST is no failure. An unknown ``dev`` fails with ENODEV."""
        return self._order(entries, _RTM_NEWADDR, frozenset({errno.EEXIST}), frozenset())

    def remove_addresses(self, entries: Sequence[AddressEntry]) -> list[Failure]:
        """Remove entries; an absent one (EADDRNOTAVAIL, ENODEV) is no failure."""
        return self._order(entries, _RTM_DELADDR, _ABSENT, _ABSENT)

    def _order(
        self, entries: Sequence[AddressEntry], kind: int, harmless: frozenset[int], harmless_unknown: frozenset[int]
    ) -> list[Failure]:
        failures: list[Failure] = []
        messages: list[bytearray] = []
        places: list[int] = []
        for place_, entry in enumerate(entries):
            index = self._indexes.get(entry.dev or "")
            if index is None:
                if errno.ENODEV not in harmless_unknown:
                    failures.append(Failure(place_, errno.ENODEV))
                continue
            messages.append(self._address_message(kind, index, entry))
            places.append(place_)
        failures += [
            Failure(place_, code)
            for place_, code in zip(places, self._netlink.orders.order(messages), strict=True)
            if code and code not in harmless
        ]
        return sorted(failures, key=lambda failure: failure.index)

    def _address_message(self, kind: int, index: int, entry: AddressEntry) -> bytearray:
        """RTM_NEWADDR or RTM_DELADDR. IFA_LOCAL is the address; IFA_ADDRESS owns the prefix: the peer or itself."""
        local = entry.address.packed
        values: list[int | bytes] = [entry.prefix_length, entry.scope, index]
        values += [local, local if entry.peer is None else entry.peer.packed]
        label = b""
        broadcast = lifetime = False
        if kind == _RTM_NEWADDR:
            values += [_flags(entry), _IFAPROT_KEEPALIVED]
            if entry.label is not None:
                label = entry.label.encode() + b"\0"
                values.append(label)
            if entry.broadcast is not None:
                broadcast = True
                values.append(entry.broadcast.packed)
            if entry.preferred_lft is not None:
                lifetime = True
                values.append(_CACHEINFO.pack(entry.preferred_lft, _FOREVER, 0, 0))
        shape = (kind, len(local), len(label), broadcast, lifetime)
        form = self._forms.get(shape)
        if form is None:
            form = self._forms[shape] = _address_form(kind, entry.address.version, len(label), broadcast, lifetime)
        return form.fill(*values)

    def _read(self, *, patient: bool = True) -> tuple[dict[int, Interface], dict[int, dict[_AddressKey, HostAddress]]]:
        """Dump links and addresses."""
        interfaces: dict[int, Interface] = {}
        for _, data in self._netlink.orders.dump(self._links.fill(), patient=patient):
            interface = _interface(data, None)
            if interface is not None:
                interfaces[interface.index] = interface
        addresses: dict[int, dict[_AddressKey, HostAddress]] = {}
        for _, data in self._netlink.orders.dump(self._every_address.fill(), patient=patient):
            key, address = _address(data)
            if address is not None and address.interface in interfaces:
                addresses.setdefault(address.interface, {})[key] = address
        return interfaces, addresses

    def _heard(self, kind: int, data: bytes) -> None:
        if kind in {_RTM_NEWADDR, _RTM_DELADDR}:
            key, address = _address(data)
            if address is None:
                return
            if kind == _RTM_NEWADDR:
                self._address_appeared(key, address)
            else:
                self._address_vanished(key, address.interface)
        elif kind in {_RTM_NEWLINK, _RTM_DELLINK}:
            fields = _LINK.fields(data)
            if fields["family"] != socket.AF_UNSPEC:
                return  # a bridge speaks of its port, not of the link
            if kind == _RTM_DELLINK:
                self._link_vanished(fields["index"])
            else:
                new = _interface(data, self._interfaces.get(fields["index"]))
                if new is not None:
                    self._link_is(new)

    def _address_appeared(self, key: _AddressKey, address: HostAddress) -> None:
        known = self._addresses.setdefault(address.interface, {})
        if known.get(key) != address:
            known[key] = address
            self._listener.address_added(address)

    def _address_vanished(self, key: _AddressKey, interface: int) -> None:
        address = self._addresses.get(interface, {}).pop(key, None)
        if address is not None:
            self._listener.address_removed(address)

    def _link_is(self, new: Interface) -> None:
        old = self._interfaces.get(new.index)
        if old == new:
            return
        if old is not None:
            self._forget_name(old)
        self._interfaces[new.index] = new
        self._indexes[new.name] = new.index
        self._listener.interface_changed(old, new)

    def _link_vanished(self, index: int) -> None:
        for address in self._addresses.pop(index, {}).values():
            self._listener.address_removed(address)
        old = self._interfaces.pop(index, None)
        if old is not None:
            self._forget_name(old)
            self._listener.interface_changed(old, None)

    def _forget_name(self, interface: Interface) -> None:
        """Another link may have the name by now."""
        if self._indexes.get(interface.name) == interface.index:
            del self._indexes[interface.name]

    def _resynchronise(self) -> None:
        """Read everything again, and tell the differences: what is gone first, addresses before their links. Adverts
        are due meanwhile: where that fails it is for a later turn.
        """
        interfaces, addresses = self._read(patient=False)
        for index, known in list(self._addresses.items()):
            for key in [key for key in known if key not in addresses.get(index, {})]:
                self._address_vanished(key, index)
        for index in [index for index in self._interfaces if index not in interfaces]:
            self._link_vanished(index)
        for interface in interfaces.values():
            self._link_is(interface)
        for now_known in addresses.values():
            for key, address in now_known.items():
                self._address_appeared(key, address)


def _flags(entry: AddressEntry) -> int:
    """IFA_F_* of an entry."""
    return (
        (_IFA_F_NODAD if entry.nodad else 0)
        | (_IFA_F_HOMEADDRESS if entry.home else 0)
        | (_IFA_F_MANAGETEMPADDR if entry.mngtmpaddr else 0)
        | (_IFA_F_NOPREFIXROUTE if entry.noprefixroute else 0)
        | (_IFA_F_MCAUTOJOIN if entry.autojoin else 0)
    )


def _address_form(kind: int, version: int, label_bytes: int, broadcast: bool, lifetime: bool) -> Form:
    """The layout of an order on one address, by pyroute2."""
    blank, family = ("0.0.0.0", socket.AF_INET) if version == 4 else ("::", socket.AF_INET6)  # noqa: S104 - not bound
    width = f"{4 if version == 4 else 16}s"
    attributes: list[tuple[str, object]] = [("IFA_LOCAL", blank), ("IFA_ADDRESS", blank)]
    forms = [width, width]
    if kind == _RTM_NEWADDR:
        attributes += [("IFA_FLAGS", 0), ("IFA_PROTO", 0)]
        forms += ["=I", "=B"]
        if label_bytes:
            attributes.append(("IFA_LABEL", "x" * (label_bytes - 1)))
            forms.append(f"{label_bytes}s")
        if broadcast:
            attributes.append(("IFA_BROADCAST", blank))
            forms.append(width)
        if lifetime:
            attributes.append(("IFA_CACHEINFO", {}))
            forms.append(f"{_CACHEINFO.size}s")
    flags = _NEW_FLAGS if kind == _RTM_NEWADDR else 0
    message = encoded(ifaddrmsg, kind, flags, {"family": family}, attributes)
    places = [(17, "=B"), (19, "=B"), (20, "=I")]  # struct ifaddrmsg: prefix length, scope, index
    places += [(place(message, [name]), form) for (name, _), form in zip(attributes, forms, strict=True)]
    return Form(message, places)


def _interface(data: bytes, known: Interface | None) -> Interface | None:
    """A link. Wireless events carry only some attributes: the others stay as known."""
    fields, attributes = _LINK.fields(data), _LINK.attributes(data)
    name = attributes.get("IFLA_IFNAME")
    mtu = attributes.get("IFLA_MTU")
    mac = attributes.get("IFLA_ADDRESS")
    if name is None and known is None:
        return None
    flags = fields["flags"]
    return Interface(
        index=fields["index"],
        name=name.rstrip(b"\0").decode("utf-8", "surrogateescape") if name is not None else known.name if known else "",
        up=bool(flags & _IFF_UP and flags & _IFF_RUNNING),
        mac=mac if mac is not None else known.mac if known else b"",
        mtu=_U32.unpack(mtu)[0] if mtu is not None else known.mtu if known else 0,
        arp=not flags & _IFF_NOARP,
        multicast=bool(flags & _IFF_MULTICAST),
        loopback=bool(flags & _IFF_LOOPBACK),
        flags=flags,
        **_place_among_links(attributes, known),
    )


def _place_among_links(attributes: dict[str, bytes], known: Interface | None) -> dict[str, Any]:
    """What a link is and belongs to."""
    if "IFLA_MTU" not in attributes and known is not None:  # a wireless event
        return {name: getattr(known, name) for name in ("kind", "mode", "base", "master", "group", "alias")}
    info = _LINK_INFO.attributes(attributes.get("IFLA_LINKINFO", b""))
    kind = info.get("IFLA_INFO_KIND", b"").rstrip(b"\0").decode("ascii", "replace")
    elsewhere = "IFLA_LINK_NETNSID" in attributes
    return {
        "kind": kind,
        "mode": _mode(kind, info.get("IFLA_INFO_DATA", b"")),
        "base": 0 if elsewhere else _number(attributes, "IFLA_LINK"),
        "master": _number(attributes, "IFLA_MASTER"),
        "group": _number(attributes, "IFLA_GROUP"),
        "alias": attributes.get("IFLA_IFALIAS", b"").rstrip(b"\0").decode("utf-8", "replace"),
    }


def _number(attributes: dict[str, bytes], name: str) -> int:
    value = attributes.get(name, b"")
    return int(_U32.unpack(value)[0]) if len(value) == _U32.size else 0


def _mode(kind: str, data: bytes) -> int:
    value = attribute(data, _MODE[kind]) if kind in _MODE else b""
    if len(value) == _U32.size:
        return int(_U32.unpack(value)[0])
    return int(_U16.unpack(value)[0]) if len(value) == _U16.size else 0


def _address(data: bytes) -> tuple[_AddressKey, HostAddress | None]:
    """An address and what tells it from the others of its link; None for families that are not IP."""
    fields, attributes = _ADDRESS.fields(data), _ADDRESS.attributes(data)
    prefixed = attributes.get("IFA_ADDRESS", b"")
    local = attributes.get("IFA_LOCAL", prefixed)
    key = (local, fields["prefixlen"], prefixed)
    address: IPv4Address | IPv6Address
    ipv4 = fields["family"] == socket.AF_INET
    if ipv4 and len(local) == 4:
        address = IPv4Address(local)
    elif fields["family"] == socket.AF_INET6 and len(local) == 16:
        address = IPv6Address(local)
    else:
        return key, None
    wide_flags = attributes.get("IFA_FLAGS")
    flags = _U32.unpack(wide_flags)[0] if wide_flags is not None else fields["flags"]
    return key, HostAddress(
        interface=fields["index"],
        address=address,
        prefix_length=fields["prefixlen"],
        scope=fields["scope"],
        tentative=bool(flags & _IFA_F_TENTATIVE),
        secondary=ipv4 and bool(flags & _IFA_F_SECONDARY),
        dad_failed=bool(flags & _IFA_F_DADFAILED),
    )
