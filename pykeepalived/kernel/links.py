"""Virtual links by rtnetlink(7): macvlan and ipvlan. It makes what it is told and knows no reason for it."""

import errno
import os
from collections.abc import Sequence
from typing import Any

from pykeepalived.errors import KernelError
from pykeepalived.kernel.message_classes import NLM_F_CREATE, NLM_F_EXCL, encoded
from pykeepalived.kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from pykeepalived.kernel.ports import NewLink
from pykeepalived.kernel.route_classes import ifinfmsg

_RTM_NEWLINK, _RTM_DELLINK = 16, 17
_IFF_UP = 1
_MACVLAN_MODE_PRIVATE = "private"
_IPVLAN_MODE_L2 = 0
_ADDR_GEN_MODE_NONE = 1
_MAC_TEXT = ":"
_KEPT = 1024


class LinuxVirtualLinks:
    """Orders links through a socket of its own."""

    def __init__(self) -> None:
        self._orders = NetlinkSocket(NETLINK_ROUTE)
        self._messages: dict[str, bytes] = {}

    def add(self, link: NewLink) -> None:
        """Make a link; it is down. MTU is that of its base. Raises KernelError."""
        attributes: list[Any] = [("IFLA_IFNAME", link.name), ("IFLA_LINK", link.base), ("IFLA_GROUP", link.group)]
        if link.kind == "macvlan":
            attributes.append(("IFLA_ADDRESS", link.mac.hex(_MAC_TEXT)))
            data: list[tuple[str, int | str]] = [("IFLA_MACVLAN_MODE", _MACVLAN_MODE_PRIVATE)]
        else:
            data = [("IFLA_IPVLAN_MODE", _IPVLAN_MODE_L2), ("IFLA_IPVLAN_FLAGS", link.flags)]
        info = [("IFLA_INFO_KIND", link.kind), ("IFLA_INFO_DATA", {"attrs": data})]
        attributes.append(("IFLA_LINKINFO", {"attrs": info}))
        self._order(f"make {link.kind} {link.name}", [({}, NLM_F_CREATE | NLM_F_EXCL, attributes)])

    def settle(self, name: str, *, group: int, master: int, alias: str, link_local: bool) -> None:
        """Put a link into its group, into the VRF with index ``master`` (0: none), name it, and bring it up. Without
        ``link_local`` the kernel gives it no IPv6 address by itself. Raises KernelError.
        """
        if not link_local:  # by netlink: /proc/sys may be read-only. A kernel without IPv6 refuses, and is right.
            mode = [("IFLA_INET6_ADDR_GEN_MODE", _ADDR_GEN_MODE_NONE)]
            inside = {"attrs": [("AF_INET6", {"attrs": mode})]}
            given: list[Any] = [("IFLA_IFNAME", name), ("IFLA_AF_SPEC", inside)]
            self._orders.order([self._message(_RTM_NEWLINK, 0, {}, given)])
        place = [("IFLA_IFNAME", name), ("IFLA_GROUP", group), ("IFLA_MASTER", master), ("IFLA_IFALIAS", alias)]
        up = {"flags": _IFF_UP, "change": _IFF_UP}
        self._order(f"bring up {name}", [({}, 0, place), (up, 0, [("IFLA_IFNAME", name)])])

    def remove(self, name: str) -> None:
        """Remove a link; an absent one (ENODEV) does not matter. Raises KernelError."""
        (code,) = self._orders.order([self._message(_RTM_DELLINK, 0, {}, [("IFLA_IFNAME", name)])])
        if code and code != errno.ENODEV:
            raise KernelError(f"remove link {name}", code)

    def remove_together(self, names: Sequence[str], group: int) -> None:
        """Remove many links by putting them into a group that no other link is in: that takes no longer than one.

        Raises KernelError.
        """
        place = [("IFLA_GROUP", group)]
        messages = [self._message(_RTM_NEWLINK, 0, {}, [("IFLA_IFNAME", name), *place]) for name in names]
        codes = self._orders.order([*messages, self._message(_RTM_DELLINK, 0, {}, place)])
        code = next((code for code in codes if code and code != errno.ENODEV), 0)
        if code:
            raise KernelError(f"remove {len(names)} links", code)

    def close(self) -> None:
        """Close."""
        self._orders.close()

    def _order(self, what: str, changes: Sequence[tuple[dict[str, int], int, list[Any]]]) -> None:
        messages = [self._message(_RTM_NEWLINK, flags, fields, given) for fields, flags, given in changes]
        for code in self._orders.order(messages):
            if code:
                words = self._orders.refusal or os.strerror(code)
                raise KernelError(f"{what} ({words})", code)

    def _message(self, kind: int, flags: int, fields: dict[str, int], attributes: list[Any]) -> bytearray:
        """The message, made by pyroute2 once: its objects are cycles, which nobody collects here, and an order that is
        refused is given again and again.
        """
        key = repr((kind, flags, fields, attributes))
        if key not in self._messages:
            if len(self._messages) >= _KEPT:
                self._messages.clear()
            self._messages[key] = bytes(encoded(ifinfmsg, kind, flags, fields, attributes).data)
        return bytearray(self._messages[key])
