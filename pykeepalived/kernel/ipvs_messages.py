"""Messages of the kernel's IPVS (linux/ip_vs.h): their layout, and the rows that are read from them.

The message class is our own: pyroute2's has edit mapped to delete, asks a netmask of IPv6 services in IPv4's form and
writes the tunnel port in host order. Statistics are not read, so kernels with and without 64-bit ones are alike.
"""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, cast

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.ipvs_table import DestinationRow, IPAddress, ServiceRow, SyncDaemonRow, SyncState, Timeouts
from pykeepalived.kernel.message_classes import Reader, Writer, ctrlmsg, genlmsg, nla

FORWARD = {"NAT": 0, "TUN": 2, "DR": 3}  # IP_VS_CONN_F_*; 1 (local) is what old kernels call a server on this host
FORWARD_NAME = {number: name for name, number in FORWARD.items()}
TUNNEL = {"ipip": 0, "gue": 1, "gre": 2}
TUNNEL_NAME = {number: name for name, number in TUNNEL.items()}
CHECKSUM = {"nocsum": 0, "csum": 1, "remcsum": 2}
CHECKSUM_NAME = {number: name for name, number in CHECKSUM.items()}
_HASHED = 0x2  # IP_VS_SVC_F_HASHED: the kernel's own mark
_STATE = {SyncState.MASTER: 1, SyncState.BACKUP: 2}

U16, U32 = struct.Struct("=H"), struct.Struct("=I")
BE16, BE32 = struct.Struct("!H"), struct.Struct("!I")
FLAGS = struct.Struct("=II")
ADDRESS_BYTES = 16  # union nf_inet_addr: IPv4 in the first four
SERVICE, DEST = "IPVS_CMD_ATTR_SERVICE", "IPVS_CMD_ATTR_DEST"


class ipvsmsg(genlmsg):  # type: ignore[misc] # noqa: N801 - named as pyroute2 names message classes, which are untyped
    """A message about services or servers."""

    prefix = "IPVS_CMD_ATTR_"
    nla_map = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "service"),
        ("IPVS_CMD_ATTR_DEST", "dest"),
        ("IPVS_CMD_ATTR_DAEMON", "daemon"),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP", "uint32"),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP_FIN", "uint32"),
        ("IPVS_CMD_ATTR_TIMEOUT_UDP", "uint32"),
    )

    class service(nla):  # type: ignore[misc] # noqa: N801
        """What identifies a service, and its settings."""

        prefix = "IPVS_SVC_ATTR_"
        nla_map = (
            ("IPVS_SVC_ATTR_UNSPEC", "none"),
            ("IPVS_SVC_ATTR_AF", "uint16"),
            ("IPVS_SVC_ATTR_PROTOCOL", "uint16"),
            ("IPVS_SVC_ATTR_ADDR", "cdata"),
            ("IPVS_SVC_ATTR_PORT", "be16"),
            ("IPVS_SVC_ATTR_FWMARK", "uint32"),
            ("IPVS_SVC_ATTR_SCHED_NAME", "asciiz"),
            ("IPVS_SVC_ATTR_FLAGS", "flags"),
            ("IPVS_SVC_ATTR_TIMEOUT", "uint32"),
            ("IPVS_SVC_ATTR_NETMASK", "uint32"),  # IPv4 in network order, an IPv6 prefix length in the host's
            ("IPVS_SVC_ATTR_STATS", "none"),
            ("IPVS_SVC_ATTR_PE_NAME", "asciiz"),
            ("IPVS_SVC_ATTR_STATS64", "none"),
        )

        class flags(nla):  # type: ignore[misc] # noqa: N801
            """Flags, and which of them are meant."""

            fields = (("flags", "I"), ("mask", "I"))

    class dest(nla):  # type: ignore[misc] # noqa: N801
        """A real server."""

        prefix = "IPVS_DEST_ATTR_"
        nla_map = (
            ("IPVS_DEST_ATTR_UNSPEC", "none"),
            ("IPVS_DEST_ATTR_ADDR", "cdata"),
            ("IPVS_DEST_ATTR_PORT", "be16"),
            ("IPVS_DEST_ATTR_FWD_METHOD", "uint32"),
            ("IPVS_DEST_ATTR_WEIGHT", "uint32"),
            ("IPVS_DEST_ATTR_U_THRESH", "uint32"),
            ("IPVS_DEST_ATTR_L_THRESH", "uint32"),
            ("IPVS_DEST_ATTR_ACTIVE_CONNS", "uint32"),
            ("IPVS_DEST_ATTR_INACT_CONNS", "uint32"),
            ("IPVS_DEST_ATTR_PERSIST_CONNS", "uint32"),
            ("IPVS_DEST_ATTR_STATS", "none"),
            ("IPVS_DEST_ATTR_ADDR_FAMILY", "uint16"),
            ("IPVS_DEST_ATTR_STATS64", "none"),
            ("IPVS_DEST_ATTR_TUN_TYPE", "uint8"),
            ("IPVS_DEST_ATTR_TUN_PORT", "be16"),
            ("IPVS_DEST_ATTR_TUN_FLAGS", "uint16"),
        )

    class daemon(nla):  # type: ignore[misc] # noqa: N801
        """A sync daemon."""

        prefix = "IPVS_DAEMON_ATTR_"
        nla_map = (
            ("IPVS_DAEMON_ATTR_UNSPEC", "none"),
            ("IPVS_DAEMON_ATTR_STATE", "uint32"),
            ("IPVS_DAEMON_ATTR_MCAST_IFN", "asciiz"),
            ("IPVS_DAEMON_ATTR_SYNC_ID", "uint32"),
            ("IPVS_DAEMON_ATTR_SYNC_MAXLEN", "uint16"),
            ("IPVS_DAEMON_ATTR_MCAST_GROUP", "ip4addr"),
            ("IPVS_DAEMON_ATTR_MCAST_GROUP6", "ip6addr"),
            ("IPVS_DAEMON_ATTR_MCAST_PORT", "uint16"),
            ("IPVS_DAEMON_ATTR_MCAST_TTL", "uint8"),
        )


class ipvsinfomsg(genlmsg):  # type: ignore[misc] # noqa: N801
    """The answer to GET_INFO, whose attributes are numbered by themselves."""

    prefix = "IPVS_INFO_ATTR_"
    nla_map = (
        ("IPVS_INFO_ATTR_UNSPEC", "none"),
        ("IPVS_INFO_ATTR_VERSION", "uint32"),
        ("IPVS_INFO_ATTR_CONN_TAB_SIZE", "uint32"),
    )


_MESSAGE, _SERVICE, _DEST, _DAEMON = (
    Reader(ipvsmsg),
    Reader(ipvsmsg.service),
    Reader(ipvsmsg.dest),
    Reader(ipvsmsg.daemon),
)
_INFO, _CONTROL = Reader(ipvsinfomsg), Reader(ctrlmsg)
_WRITE, _WRITE_DAEMON = Writer(ipvsmsg), Writer(ipvsmsg.daemon)


def version_text(data: bytes) -> str:
    """The answer to GET_INFO: ``1.2.1``."""
    number = u32(_INFO.attributes(data).get("IPVS_INFO_ATTR_VERSION"))
    return f"{number >> 16 & 0xFF}.{number >> 8 & 0xFF}.{number & 0xFF}"


def family_id(data: bytes) -> int:
    """The answer to CTRL_CMD_GETFAMILY."""
    return u16(_CONTROL.attributes(data).get("CTRL_ATTR_FAMILY_ID"))


def service_row(data: bytes) -> ServiceRow:
    """One answer to GET_SERVICE."""
    nest = _SERVICE.attributes(_MESSAGE.attributes(data).get(SERVICE, b""))
    family = u16(nest.get("IPVS_SVC_ATTR_AF"))
    mark = nest.get("IPVS_SVC_ATTR_FWMARK")
    if mark is not None:
        service = Service("fwmark", None, 0, 0, u32(mark), family)
    else:
        port = nest.get("IPVS_SVC_ATTR_PORT") or b"\0\0"
        service = Service(
            "address",
            _ip(family, nest.get("IPVS_SVC_ATTR_ADDR")),
            BE16.unpack(port)[0],
            u16(nest.get("IPVS_SVC_ATTR_PROTOCOL")),
            0,
            family,
        )
    flags = nest.get("IPVS_SVC_ATTR_FLAGS")
    netmask = nest.get("IPVS_SVC_ATTR_NETMASK") or bytes(U32.size)
    return ServiceRow(
        service=service,
        scheduler=_name(nest.get("IPVS_SVC_ATTR_SCHED_NAME")),
        flags=(FLAGS.unpack(flags)[0] if flags is not None else 0) & ~_HASHED,
        timeout=u32(nest.get("IPVS_SVC_ATTR_TIMEOUT")),
        netmask=(BE32 if family == socket.AF_INET else U32).unpack(netmask)[0],
        persistence_engine=_name(nest.get("IPVS_SVC_ATTR_PE_NAME")),
    )


def destination_row(data: bytes, service_family: int) -> DestinationRow:
    """One answer to GET_DEST."""
    nest = _DEST.attributes(_MESSAGE.attributes(data).get(DEST, b""))
    family = nest.get("IPVS_DEST_ATTR_ADDR_FAMILY")  # absent before Linux 3.18
    forward = FORWARD_NAME.get(u32(nest.get("IPVS_DEST_ATTR_FWD_METHOD")), "NAT")
    method = LvsMethod(cast('Literal["NAT", "DR", "TUN"]', forward))
    kind = nest.get("IPVS_DEST_ATTR_TUN_TYPE")  # absent before Linux 5.3
    if forward == "TUN" and kind is not None:
        method = LvsMethod(
            "TUN",
            cast('Literal["ipip", "gue", "gre"]', TUNNEL_NAME.get(kind[0], "ipip")),
            BE16.unpack(nest.get("IPVS_DEST_ATTR_TUN_PORT") or b"\0\0")[0],
            cast(
                'Literal["nocsum", "csum", "remcsum"]',
                CHECKSUM_NAME.get(u16(nest.get("IPVS_DEST_ATTR_TUN_FLAGS")), "nocsum"),
            ),
        )
    return DestinationRow(
        address=_ip(u16(family) if family is not None else service_family, nest.get("IPVS_DEST_ATTR_ADDR")),
        port=BE16.unpack(nest.get("IPVS_DEST_ATTR_PORT") or b"\0\0")[0],
        method=method,
        weight=u32(nest.get("IPVS_DEST_ATTR_WEIGHT")),
        upper_threshold=u32(nest.get("IPVS_DEST_ATTR_U_THRESH")),
        lower_threshold=u32(nest.get("IPVS_DEST_ATTR_L_THRESH")),
    )


def _ip(family: int, data: bytes | None) -> IPAddress:
    whole = (data or b"").ljust(ADDRESS_BYTES, b"\0")
    return IPv4Address(whole[:4]) if family == socket.AF_INET else IPv6Address(whole[:16])


def _name(data: bytes | None) -> str:
    return (data or b"").partition(b"\0")[0].decode("ascii", "replace")


def u16(data: bytes | None) -> int:
    """A number, or 0 where there is none."""
    return int(U16.unpack(data)[0]) if data is not None else 0


def u32(data: bytes | None) -> int:
    """A number, or 0 where there is none."""
    return int(U32.unpack(data)[0]) if data is not None else 0


# --- the sync daemons and the timeouts -----------------------------------------------------------------------------


def daemon_message(family: int, fields: dict[str, int], row: SyncDaemonRow) -> bytearray:
    """An order about a sync daemon; what the row leaves to the kernel is not said."""
    attributes = [
        ("IPVS_DAEMON_ATTR_STATE", U32.pack(_STATE[row.state])),
        ("IPVS_DAEMON_ATTR_MCAST_IFN", row.interface.encode("utf-8", "surrogateescape") + b"\0"),
        ("IPVS_DAEMON_ATTR_SYNC_ID", U32.pack(row.syncid)),
    ]
    if row.maxlen:
        attributes.append(("IPVS_DAEMON_ATTR_SYNC_MAXLEN", U16.pack(row.maxlen)))
    if row.group is not None:
        name = "IPVS_DAEMON_ATTR_MCAST_GROUP" + ("" if row.group.version == 4 else "6")
        attributes.append((name, row.group.packed))
    if row.port:
        attributes.append(("IPVS_DAEMON_ATTR_MCAST_PORT", U16.pack(row.port)))
    if row.ttl:
        attributes.append(("IPVS_DAEMON_ATTR_MCAST_TTL", bytes((row.ttl,))))
    return _WRITE.message(family, 0, fields, [("IPVS_CMD_ATTR_DAEMON", _WRITE_DAEMON.nest(attributes))])


def daemon_row(data: bytes) -> SyncDaemonRow:
    """One answer to GET_DAEMON."""
    nest = _DAEMON.attributes(_MESSAGE.attributes(data).get("IPVS_CMD_ATTR_DAEMON", b""))
    group, group6 = nest.get("IPVS_DAEMON_ATTR_MCAST_GROUP"), nest.get("IPVS_DAEMON_ATTR_MCAST_GROUP6")
    return SyncDaemonRow(
        state=SyncState.MASTER
        if u32(nest.get("IPVS_DAEMON_ATTR_STATE")) == _STATE[SyncState.MASTER]
        else SyncState.BACKUP,
        interface=_name(nest.get("IPVS_DAEMON_ATTR_MCAST_IFN")),
        syncid=u32(nest.get("IPVS_DAEMON_ATTR_SYNC_ID")),
        maxlen=u16(nest.get("IPVS_DAEMON_ATTR_SYNC_MAXLEN")),
        port=u16(nest.get("IPVS_DAEMON_ATTR_MCAST_PORT")),
        ttl=(nest.get("IPVS_DAEMON_ATTR_MCAST_TTL") or b"\0")[0],
        group=_ip(int(socket.AF_INET6 if group6 else socket.AF_INET), group6 or group) if group6 or group else None,
    )


def timeouts_message(family: int, fields: dict[str, int], timeouts: Timeouts) -> bytearray:
    """SET_CONFIG; a timeout of 0 is not said."""
    named = (
        ("IPVS_CMD_ATTR_TIMEOUT_TCP", timeouts.tcp),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP_FIN", timeouts.tcp_fin),
        ("IPVS_CMD_ATTR_TIMEOUT_UDP", timeouts.udp),
    )
    return _WRITE.message(family, 0, fields, [(name, U32.pack(value)) for name, value in named if value])


def timeouts_of(data: bytes) -> Timeouts:
    """The answer to GET_CONFIG."""
    found = _MESSAGE.attributes(data)
    return Timeouts(
        tcp=u32(found.get("IPVS_CMD_ATTR_TIMEOUT_TCP")),
        tcp_fin=u32(found.get("IPVS_CMD_ATTR_TIMEOUT_TCP_FIN")),
        udp=u32(found.get("IPVS_CMD_ATTR_TIMEOUT_UDP")),
    )
