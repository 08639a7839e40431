"""The packet filter of Linux: our tables in nf_tables, over nfnetlink. No program is run.

Every order is one transaction: packets meet the table as it was before or as it is after. What others do to it is heard
in the kernel's own group of nf_tables.
"""

import contextlib
import errno
import struct
from collections.abc import Sequence

from pykeepalived.errors import KernelError
from pykeepalived.kernel import nft_messages as nft
from pykeepalived.kernel.message_classes import NLMSG_HEADER
from pykeepalived.kernel.netlink import NETLINK_NETFILTER, NetlinkSocket, Opener, Overrun
from pykeepalived.kernel.nft_messages import Hook, Order
from pykeepalived.kernel.nft_tables import FAMILY_WORD, NFPROTO, change, table
from pykeepalived.kernel.ports import FilterDisturbance, FilterElement, FilterSet, FilterSettings

_ADDRESS_BYTES = 16  # of a key, at most; an interface may follow
_SEND_BYTES = 1 << 22  # some 50,000 addresses in one transaction
TRIAL = "pykeepalived-trial"
_NEWS_BYTES = 1 << 23  # a transaction of others may have thousands of rules
_TAKING = {Order.DELTABLE, Order.DELCHAIN, Order.DELRULE, Order.DELSET, Order.DELSETELEM, Order.NEWTABLE}
"""What changes a table of ours for the worse; a table that is there tells NEWTABLE when it is put to sleep."""
_ADDRESS_SETS = (FilterSet.VIPS, FilterSet.LINK_LOCAL, FilterSet.LINK_LOCAL_NAME)


class OwnTables:
    """Tables of ours: orders about them, and what others do to them."""

    def __init__(self, open_socket: Opener | None = None) -> None:
        self._open_socket = open_socket
        self._orders: NetlinkSocket | None = None
        self._news: NetlinkSocket | None = None
        self._disturbed: list[int] = []

    def remove(self, family: int, table: str) -> None:
        """The table with all that is in it."""
        try:
            self.carry_out("remove", family, table, [nft.table_named(Order.DELTABLE, NFPROTO[family], table)])
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise

    def listen(self) -> int:
        """A socket of its own, for a dump of others must not mix with answers."""
        if self._news is None:
            self._news = NetlinkSocket(
                NETLINK_NETFILTER, (nft.NFNLGRP_NFTABLES,), receive_bytes=_NEWS_BYTES, open_socket=self._open_socket
            )
        return self._news.fileno()

    def disturbances(self, table: str) -> list[FilterDisturbance]:
        """A transaction is told as its changes, then who made it (NEWGEN)."""
        if self._news is None:
            return []
        families = {number: family for family, number in NFPROTO.items()}
        found = []
        try:
            for kind, message in self._news.events():
                order = nft.order_of(kind)
                if order == Order.NEWGEN:
                    found += [FilterDisturbance(family, _program(message)) for family in self._disturbed]
                    self._disturbed.clear()
                elif order in _TAKING and not self._ours(message):
                    family = families.get(nft.family_of(message))
                    if family is not None and family not in self._disturbed and _table_of(message) == table:
                        self._disturbed.append(family)
        except Overrun:
            self._news.discard()
            self._disturbed.clear()
            found.append(FilterDisturbance(None, ""))
        return found

    def close(self) -> None:
        """Close both sockets."""
        for each in (self._orders, self._news):
            if each is not None:
                each.close()
        self._orders = self._news = None

    def _ours(self, message: bytes) -> bool:
        """Whether it tells of an order of ours: the kernel puts the orderer's port into its header."""
        sender = NLMSG_HEADER.unpack_from(message)[4]
        return self._orders is not None and sender == self._orders.port

    def carry_out(self, what: str, family: int, table: str, messages: Sequence[bytearray]) -> None:
        """One transaction. Raises KernelError."""
        socket = self._socket()
        code = socket.transact(nft.begin(), messages, nft.end())
        if code:
            reason = f" ({socket.refusal})" if socket.refusal else ""
            raise KernelError(f"{what} the nftables table {FAMILY_WORD[family]} {table}{reason}", code)

    def _socket(self) -> NetlinkSocket:
        if self._orders is None:
            self._orders = NetlinkSocket(NETLINK_NETFILTER, send_bytes=_SEND_BYTES, open_socket=self._open_socket)
        return self._orders


class LinuxPacketFilter(OwnTables):
    """The Linux side of PacketFilter."""

    def check(self, family: int) -> None:
        """Make a base chain and remove it again in one transaction: a kernel may have nf_tables without IPv4."""
        number = NFPROTO[family]
        orders = [
            nft.new_table(number, TRIAL),
            nft.new_chain(number, TRIAL, "in", Hook.INPUT),
            nft.table_named(Order.DELTABLE, number, TRIAL),
        ]
        self.carry_out("make", family, TRIAL, orders)

    def leftover(self, family: int, table: str) -> frozenset[bytes] | None:
        """The addresses dropped by a table of that name, or None when there is no such table."""
        number = NFPROTO[family]
        try:
            self._socket().get(nft.table_named(Order.GETTABLE, number, table))
        except KernelError as error:
            if error.errno in {errno.ENOENT, errno.EOPNOTSUPP, errno.EINVAL, errno.EPROTONOSUPPORT}:
                return None
            raise
        found: set[bytes] = set()
        for name in _ADDRESS_SETS:
            with contextlib.suppress(KernelError):  # not every table has every set
                for _, listed in self._socket().dump(nft.set_named(number, table, name)):
                    found.update(key[:_ADDRESS_BYTES] for key in nft.keys_of(listed))
        return frozenset(found)

    def write(
        self, family: int, settings: FilterSettings, sets: frozenset[FilterSet], elements: frozenset[FilterElement]
    ) -> None:
        """One transaction removes what is there and makes the table."""
        self.carry_out("make", family, settings.table, table(family, settings, sets, sorted(elements)))

    def change(
        self, family: int, settings: FilterSettings, added: frozenset[FilterElement], removed: frozenset[FilterElement]
    ) -> None:
        """One transaction for both."""
        messages = [
            *change(family, settings, Order.DELSETELEM, sorted(removed)),
            *change(family, settings, Order.NEWSETELEM, sorted(added)),
        ]
        if messages:
            self.carry_out("change", family, settings.table, messages)


def _table_of(message: bytes) -> str:
    return nft.attributes(message).get(1, b"").rstrip(b"\0").decode("utf-8", "replace")


def _program(message: bytes) -> str:
    """Who made a generation, as ``nft[1234]``."""
    found = nft.attributes(message)
    name = found.get(3, b"").rstrip(b"\0").decode("utf-8", "replace")
    pid = found.get(2, b"")
    return f"{name}[{struct.unpack('>I', pid)[0]}]" if name and len(pid) == 4 else "another program"
