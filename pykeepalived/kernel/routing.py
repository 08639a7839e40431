"""Routes and rules in the kernel: orders, and the removals by others.

A router may have hundreds of thousands of routes that change all the time. So the socket that listens is in no group
until a route (or a rule) is added whose removal matters, and the kernel filters: of routes, the removals of those of
keepalived's protocol come through, nothing else. After an overrun it is asked for these routes alone.
"""

import contextlib
import errno
import struct
from collections.abc import Callable, Sequence
from socket import AF_INET6
from typing import TypeVar

from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.errors import KernelError
from pykeepalived.kernel import routes, rules
from pykeepalived.kernel.message_classes import Form, Reader, encoded
from pykeepalived.kernel.ports import Failure, Interface, RoutingListener
from pykeepalived.kernel.route_classes import ifinfmsg
from pykeepalived.kernel.routes import RouteKey, UnknownLink
from pykeepalived.kernel.rtnetlink import Rtnetlink
from pykeepalived.kernel.rules import RuleKey
from pykeepalived.kernel.socket_filter import removal_program

_GROUPS = {"IPv4 route": 7, "IPv4 rule": 8, "IPv6 route": 11, "IPv6 rule": 19}
"""RTNLGRP_*."""
_RTM_GETLINK = 18
_PROGRAM = removal_program(routes.RTM_DELROUTE, rules.RTM_DELRULE, routes.RTPROT_KEEPALIVED)
_LINK, _LINK_INFO = Reader(ifinfmsg), Reader(ifinfmsg.ifinfo)
_ATTRIBUTE, _U32 = struct.Struct("=HH"), struct.Struct("=I")
_IFLA_VRF_TABLE = 1
_NO_TABLE = frozenset({errno.ENOENT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP})

_NO_ROUTE = frozenset({errno.ESRCH, errno.ENODEV, errno.ENOENT})

_Key = TypeVar("_Key", RouteKey, RuleKey)
_Entry = TypeVar("_Entry", RouteEntry, RuleEntry)


class LinuxRouting:
    """The routes and rules of this network namespace, as far as they are ours."""

    def __init__(self, listener: RoutingListener, interface: Callable[[str], Interface | None]) -> None:
        self._listener = listener
        self._interface = interface
        self._routes: dict[RouteKey, RouteEntry] = {}
        """Those that we added and whose removal matters, as the kernel names them."""
        self._route_keys: dict[RouteEntry, RouteKey] = {}
        self._rules: dict[RuleKey, RuleEntry] = {}
        self._joined: set[int] = set()
        self._link = Form(encoded(ifinfmsg, _RTM_GETLINK, 0, {}, []), [(20, "=i")])  # ifi_index
        self._netlink = Rtnetlink()
        self._orders = self._netlink.orders
        self._orders.check_strictly()

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._netlink.fileno()

    def close(self) -> None:
        """Close both sockets."""
        self._netlink.close()

    def drain(self) -> None:
        """Read what the kernel has told, and tell the listener what somebody else removed."""
        self._netlink.drain(self._heard, self._look)

    def add_routes(self, entries: Sequence[RouteEntry], *, replace: bool = False) -> list[Failure]:
        """Add routes, or replace those that are the same but for how packets go; EEXIST is no failure."""

        def message(entry: RouteEntry) -> bytearray:
            table = self._table(entry)
            if not entry.no_track:
                self._watch(entry, routes.key_of(entry, table, self._index))
            return routes.add_message(entry, table, self._index, replace=replace)

        failures = self._order(entries, message, frozenset({errno.EEXIST}))
        for failure in failures:
            self._forget(entries[failure.index])
        return failures

    def remove_routes(self, entries: Sequence[RouteEntry]) -> list[Failure]:
        """Remove routes; an absent one is no failure."""

        def message(entry: RouteEntry) -> bytearray:
            self._forget(entry)
            return routes.remove_message(entry, self._table(entry), self._index)

        return self._order(entries, message, _NO_ROUTE)

    def add_rules(self, entries: Sequence[RuleEntry]) -> list[Failure]:
        """Add rules; EEXIST is no failure."""
        for entry in entries:
            if not entry.no_track:
                self._join("IPv6 rule" if entry.family == AF_INET6 else "IPv4 rule")
                self._rules[rules.key_of(entry)] = entry
        return self._order(entries, rules.add_message, frozenset({errno.EEXIST}))

    def remove_rules(self, entries: Sequence[RuleEntry]) -> list[Failure]:
        """Remove rules; an absent one is no failure."""
        for entry in entries:
            if not entry.no_track:
                self._rules.pop(rules.key_of(entry), None)
        return self._order(entries, rules.remove_message, frozenset({errno.ENOENT}))

    def _order(
        self, entries: Sequence[_Entry], message: Callable[[_Entry], bytearray], harmless: frozenset[int]
    ) -> list[Failure]:
        failures: list[Failure] = []
        messages: list[bytearray] = []
        places: list[int] = []
        for place, entry in enumerate(entries):
            try:
                messages.append(message(entry))
                places.append(place)
            except UnknownLink:
                if errno.ENODEV not in harmless:
                    failures.append(Failure(place, errno.ENODEV))
        codes = self._orders.order(messages)
        words = self._orders.words
        failures += [
            Failure(place, code, words.get(at, ""))
            for at, (place, code) in enumerate(zip(places, codes, strict=True))
            if code and code not in harmless
        ]
        return sorted(failures, key=lambda failure: failure.index)

    def _index(self, name: str) -> int:
        interface = self._interface(name)
        if interface is None:
            raise UnknownLink
        return interface.index

    def _table(self, entry: RouteEntry) -> int:
        """Its table, or that of its VRF."""
        if entry.vrf is None:
            return entry.table
        try:
            _, message = self._orders.get(self._link.fill(self._index(entry.vrf)))
            info = _LINK_INFO.attributes(_LINK.attributes(message)["IFLA_LINKINFO"])["IFLA_INFO_DATA"]
            size, kind = _ATTRIBUTE.unpack_from(info)
            return int(_U32.unpack_from(info, _ATTRIBUTE.size)[0]) if kind == _IFLA_VRF_TABLE and size else entry.table
        except (KernelError, KeyError, struct.error) as error:
            raise UnknownLink from error

    # --- what others remove -------------------------------------------------------------------------------------

    def _watch(self, entry: RouteEntry, key: RouteKey) -> None:
        self._join("IPv6 route" if entry.family == AF_INET6 else "IPv4 route")
        self._forget(entry)  # its interface may have another number now
        self._routes[key] = entry
        self._route_keys[entry] = key

    def _forget(self, entry: RouteEntry) -> None:
        key = self._route_keys.pop(entry, None)
        if key is not None and self._routes.get(key) == entry:
            del self._routes[key]

    def _join(self, what: str) -> None:
        group = _GROUPS[what]
        if group not in self._joined:
            self._netlink.monitor.join(group, _PROGRAM)
            self._joined.add(group)

    def _heard(self, kind: int, message: bytes) -> None:
        with contextlib.suppress(struct.error):
            if kind == routes.RTM_DELROUTE:
                self._route_gone(routes.read_key(message))
            elif kind == rules.RTM_DELRULE:
                self._rule_gone(rules.read_key(message))

    def _route_gone(self, key: RouteKey) -> None:
        entry = self._routes.get(key) or self._routes.get((*key[:9], 0, b""))
        if entry is not None:
            self._forget(entry)
            self._listener.route_removed(entry)

    def _rule_gone(self, key: RuleKey) -> None:
        entry = self._rules.pop(key, None)
        if entry is not None:
            self._listener.rule_removed(entry)

    def _look(self) -> None:
        """See which of ours are still there, and tell the others."""
        there: set[RouteKey] = set()
        for family, table in {key[:2] for key in self._routes}:
            for key in self._listed(routes.dump_message(family, table), routes.read_key):
                there.update((key, (*key[:9], 0, b"")))
        for gone in [key for key in self._routes if key not in there]:
            self._route_gone(gone)
        present: set[RuleKey] = set()
        for rule_family in {entry.family for entry in self._rules.values()}:
            present.update(self._listed(rules.dump_message(rule_family), rules.read_key))
        for absent in [each for each in self._rules if each not in present]:
            self._rule_gone(absent)

    def _listed(self, request: bytearray, read: Callable[[bytes], _Key]) -> list[_Key]:
        found: list[_Key] = []
        try:
            for _, message in self._orders.dump(request, patient=False):
                with contextlib.suppress(struct.error):
                    found.append(read(message))
        except KernelError as error:
            if error.errno in _NO_TABLE:
                return []
            raise
        return found
