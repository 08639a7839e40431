"""The kernel's IPVS table over generic netlink (linux/ip_vs.h).

The message class is our own: pyroute2's has edit mapped to delete, asks a netmask of IPv6 services in IPv4's form and
writes the tunnel port in host order. Statistics are not read here, so kernels with and without 64-bit ones are alike.
"""

import errno
import socket
import struct
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, cast

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.errors import KernelError
from pykeepalived.kernel.message_classes import Form, Reader, ctrlmsg, encoded, genlmsg, nla, place
from pykeepalived.kernel.netlink import NETLINK_GENERIC, NetlinkSocket
from pykeepalived.kernel.ports import DestinationRow, Failure, IPAddress, IpvsOrder, ServiceRow

_GENL_ID_CTRL = 0x10
_CTRL_CMD_GETFAMILY = 3
_FAMILY_NAME = "IPVS"
_VERSION = 1

_GET_SERVICE, _GET_DEST, _GET_INFO, _FLUSH = 4, 8, 15, 17
_COMMAND = {
    "add-service": 1,
    "edit-service": 2,
    "delete-service": 3,
    "add-server": 5,
    "edit-server": 6,
    "delete-server": 7,
}
_DELETES = frozenset({"delete-service", "delete-server"})

_HASHED = 0x2  # IP_VS_SVC_F_HASHED: the kernel's own mark
_FORWARD = {"NAT": 0, "TUN": 2, "DR": 3}  # IP_VS_CONN_F_*; 1 (local) is what old kernels call a server on this host
_FORWARD_NAME = {number: name for name, number in _FORWARD.items()}
_TUNNEL = {"ipip": 0, "gue": 1, "gre": 2}
_TUNNEL_NAME = {number: name for name, number in _TUNNEL.items()}
_CHECKSUM = {"nocsum": 0, "csum": 1, "remcsum": 2}
_CHECKSUM_NAME = {number: name for name, number in _CHECKSUM.items()}

_U16, _U32 = struct.Struct("=H"), struct.Struct("=I")
_BE16, _BE32 = struct.Struct("!H"), struct.Struct("!I")
_FLAGS = struct.Struct("=II")
_ADDRESS_BYTES = 16  # union nf_inet_addr: IPv4 in the first four


class ipvsmsg(genlmsg):  # type: ignore[misc] # noqa: N801 - named as pyroute2 names message classes, which are untyped
    """A message about services or servers."""

    prefix = "IPVS_CMD_ATTR_"
    nla_map = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "service"),
        ("IPVS_CMD_ATTR_DEST", "dest"),
        ("IPVS_CMD_ATTR_DAEMON", "none"),
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


class ipvsinfomsg(genlmsg):  # type: ignore[misc] # noqa: N801
    """The answer to GET_INFO, whose attributes are numbered by themselves."""

    prefix = "IPVS_INFO_ATTR_"
    nla_map = (
        ("IPVS_INFO_ATTR_UNSPEC", "none"),
        ("IPVS_INFO_ATTR_VERSION", "uint32"),
        ("IPVS_INFO_ATTR_CONN_TAB_SIZE", "uint32"),
    )


_MESSAGE, _SETTINGS, _SERVER = Reader(ipvsmsg), Reader(ipvsmsg.service), Reader(ipvsmsg.dest)
_INFO, _CONTROL = Reader(ipvsinfomsg), Reader(ctrlmsg)

_SERVICE, _DEST = "IPVS_CMD_ATTR_SERVICE", "IPVS_CMD_ATTR_DEST"
_Layout = list[tuple[str, object, str]]
"""Attributes of a nest: name, a value of the right size, and the struct format to fill it by."""

_IDENTITY_BY_ADDRESS: _Layout = [
    ("AF", 0, "=H"),
    ("PROTOCOL", 0, "=H"),
    ("ADDR", bytes(_ADDRESS_BYTES), "16s"),
    ("PORT", 0, "!H"),
]
_IDENTITY_BY_FWMARK: _Layout = [("AF", 0, "=H"), ("FWMARK", 0, "=I")]
_DEST_IDENTITY: _Layout = [("ADDR", bytes(_ADDRESS_BYTES), "16s"), ("PORT", 0, "!H"), ("ADDR_FAMILY", 0, "=H")]
_DEST_SETTINGS: _Layout = [
    ("FWD_METHOD", 0, "=I"),
    ("WEIGHT", 0, "=I"),
    ("U_THRESH", 0, "=I"),
    ("L_THRESH", 0, "=I"),
]
_DEST_TUNNEL: _Layout = [("TUN_TYPE", 0, "=B"), ("TUN_PORT", 0, "!H"), ("TUN_FLAGS", 0, "=H")]


class LinuxIpvs:
    """The table of this network namespace."""

    def __init__(self) -> None:
        self._socket = NetlinkSocket(NETLINK_GENERIC)
        self._family = 0
        self._forms: dict[tuple[object, ...], Form] = {}

    def close(self) -> None:
        """Close the socket; the table stays."""
        self._socket.close()

    def version(self) -> str:
        """``1.2.1``; raises KernelError when the kernel has no IPVS."""
        _, data = self._socket.get(self._message(_GET_INFO))
        number = _u32(_INFO.attributes(data).get("IPVS_INFO_ATTR_VERSION"))
        return f"{number >> 16 & 0xFF}.{number >> 8 & 0xFF}.{number & 0xFF}"

    def table(self) -> list[tuple[ServiceRow, list[DestinationRow]]]:
        """The whole table."""
        rows = []
        for _, data in self._socket.dump(self._message(_GET_SERVICE)):
            service = _service_row(data)
            request = self._form("list-servers", service, None).fill(*_identity(service.service))
            found = self._socket.dump(request)
            family = service.service.family
            rows.append((service, [_destination_row(server, family) for _, server in found]))
        return rows

    def apply(self, orders: Sequence[IpvsOrder]) -> list[Failure]:
        """Carry out at most BATCH orders, an answer for each."""
        answers = self._socket.order([self._order(order) for order in orders])
        return [Failure(place_, code) for place_, code in enumerate(answers) if code]

    def flush(self) -> None:
        """Empty the table."""
        (code,) = self._socket.order([self._message(_FLUSH)])
        if code:
            raise KernelError("empty the IPVS table", code)

    def _order(self, order: IpvsOrder) -> bytearray:
        service, destination = order.service, order.destination
        values = _identity(service.service)
        if destination is not None:
            values += [
                destination.address.packed.ljust(_ADDRESS_BYTES, b"\0"),
                destination.port,
                _family_of(destination.address),
            ]
            if order.verb not in _DELETES:
                method = destination.method
                values += [
                    _FORWARD[method.forward],
                    destination.weight,
                    destination.upper_threshold,
                    destination.lower_threshold,
                ]
                if method.forward == "TUN":
                    values += [_TUNNEL[method.tunnel_type], method.tunnel_port, _CHECKSUM[method.checksum]]
        elif order.verb not in _DELETES:
            values.append(service.scheduler.encode() + b"\0")
            if service.persistence_engine:
                values.append(service.persistence_engine.encode() + b"\0")
            netmask = _BE32 if service.service.family == socket.AF_INET else _U32
            values += [_FLAGS.pack(service.flags, 0xFFFFFFFF), service.timeout, netmask.pack(service.netmask)]
        return self._form(order.verb, service, destination).fill(*values)

    def _form(self, verb: str, service: ServiceRow, destination: DestinationRow | None) -> Form:
        """The layout for an order of this shape, made at its first use."""
        shape: tuple[object, ...]
        by_address = service.service.kind == "address"
        if destination is not None:
            shape = (verb, by_address, destination.method.forward == "TUN")
        else:
            shape = (verb, by_address, len(service.scheduler), len(service.persistence_engine))
        form = self._forms.get(shape)
        if form is None:
            form = self._forms[shape] = self._new_form(verb, service, destination)
        return form

    def _new_form(self, verb: str, service: ServiceRow, destination: DestinationRow | None) -> Form:
        whole = verb in _COMMAND and verb not in _DELETES
        service_layout = list(_IDENTITY_BY_ADDRESS if service.service.kind == "address" else _IDENTITY_BY_FWMARK)
        dest_layout: _Layout = []
        if destination is not None:
            dest_layout = list(_DEST_IDENTITY)
            if whole:
                dest_layout += _DEST_SETTINGS
                if destination.method.forward == "TUN":
                    dest_layout += _DEST_TUNNEL
        elif whole:
            service_layout.append(_text("SCHED_NAME", service.scheduler))
            if service.persistence_engine:
                service_layout.append(_text("PE_NAME", service.persistence_engine))
            service_layout += [("FLAGS", {}, "8s"), ("TIMEOUT", 0, "=I"), ("NETMASK", 0, "4s")]
        nests = [(_SERVICE, "IPVS_SVC_ATTR_", service_layout)]
        if dest_layout:
            nests.append((_DEST, "IPVS_DEST_ATTR_", dest_layout))
        attributes = [
            (nest, {"attrs": [(prefix + name, value) for name, value, _ in layout]}) for nest, prefix, layout in nests
        ]
        command = _COMMAND.get(verb, _GET_DEST)
        message = encoded(ipvsmsg, self._family_id(), 0, {"cmd": command, "version": _VERSION}, attributes)
        places = [
            (place(message, [nest, prefix + name]), form) for nest, prefix, layout in nests for name, _, form in layout
        ]
        return Form(message, places)

    def _message(self, command: int) -> bytearray:
        """A command without attributes."""
        form = self._forms.get((command,))
        if form is None:
            message = encoded(ipvsmsg, self._family_id(), 0, {"cmd": command, "version": _VERSION}, [])
            form = self._forms[(command,)] = Form(message)
        return form.fill()

    def _family_id(self) -> int:
        """The number under which this kernel knows IPVS; asking for it may make the kernel load the module."""
        if not self._family:
            fields = {"cmd": _CTRL_CMD_GETFAMILY, "version": _VERSION}
            request = encoded(ctrlmsg, _GENL_ID_CTRL, 0, fields, [("CTRL_ATTR_FAMILY_NAME", _FAMILY_NAME)])
            try:
                _, data = self._socket.get(request.data)
            except KernelError as error:
                if error.errno != errno.ENOENT:
                    raise KernelError("look for IPVS in the kernel", error.errno) from error
                raise KernelError(
                    "the kernel has no IPVS: load it with 'modprobe ip_vs' (in a container: on its host), "
                    "or use a kernel built with CONFIG_IP_VS",
                    errno.ENOENT,
                ) from error
            self._family = _u16(_CONTROL.attributes(data).get("CTRL_ATTR_FAMILY_ID"))
        return self._family


def _text(name: str, value: str) -> tuple[str, object, str]:
    """A zero-terminated name in a layout."""
    return (name, value, f"{len(value.encode()) + 1}s")


def _family_of(address: IPAddress) -> int:
    return int(socket.AF_INET if address.version == 4 else socket.AF_INET6)


def _identity(service: Service) -> list[int | bytes]:
    """What every command about a service begins with."""
    if service.address is None:
        return [service.family, service.fwmark]
    return [service.family, service.protocol, service.address.packed.ljust(_ADDRESS_BYTES, b"\0"), service.port]


def _service_row(data: bytes) -> ServiceRow:
    nest = _SETTINGS.attributes(_MESSAGE.attributes(data).get(_SERVICE, b""))
    family = _u16(nest.get("IPVS_SVC_ATTR_AF"))
    mark = nest.get("IPVS_SVC_ATTR_FWMARK")
    if mark is not None:
        service = Service("fwmark", None, 0, 0, _u32(mark), family)
    else:
        port = nest.get("IPVS_SVC_ATTR_PORT") or b"\0\0"
        service = Service(
            "address",
            _ip(family, nest.get("IPVS_SVC_ATTR_ADDR")),
            _BE16.unpack(port)[0],
            _u16(nest.get("IPVS_SVC_ATTR_PROTOCOL")),
            0,
            family,
        )
    flags = nest.get("IPVS_SVC_ATTR_FLAGS")
    netmask = nest.get("IPVS_SVC_ATTR_NETMASK") or bytes(_U32.size)
    return ServiceRow(
        service=service,
        scheduler=_name(nest.get("IPVS_SVC_ATTR_SCHED_NAME")),
        flags=(_FLAGS.unpack(flags)[0] if flags is not None else 0) & ~_HASHED,
        timeout=_u32(nest.get("IPVS_SVC_ATTR_TIMEOUT")),
        netmask=(_BE32 if family == socket.AF_INET else _U32).unpack(netmask)[0],
        persistence_engine=_name(nest.get("IPVS_SVC_ATTR_PE_NAME")),
    )


def _destination_row(data: bytes, service_family: int) -> DestinationRow:
    nest = _SERVER.attributes(_MESSAGE.attributes(data).get(_DEST, b""))
    family = nest.get("IPVS_DEST_ATTR_ADDR_FAMILY")  # absent before Linux 3.18
    forward = _FORWARD_NAME.get(_u32(nest.get("IPVS_DEST_ATTR_FWD_METHOD")), "NAT")
    method = LvsMethod(cast('Literal["NAT", "DR", "TUN"]', forward))
    kind = nest.get("IPVS_DEST_ATTR_TUN_TYPE")  # absent before Linux 5.3
    if forward == "TUN" and kind is not None:
        method = LvsMethod(
            "TUN",
            cast('Literal["ipip", "gue", "gre"]', _TUNNEL_NAME.get(kind[0], "ipip")),
            _BE16.unpack(nest.get("IPVS_DEST_ATTR_TUN_PORT") or b"\0\0")[0],
            cast(
                'Literal["nocsum", "csum", "remcsum"]',
                _CHECKSUM_NAME.get(_u16(nest.get("IPVS_DEST_ATTR_TUN_FLAGS")), "nocsum"),
            ),
        )
    return DestinationRow(
        address=_ip(_u16(family) if family is not None else service_family, nest.get("IPVS_DEST_ATTR_ADDR")),
        port=_BE16.unpack(nest.get("IPVS_DEST_ATTR_PORT") or b"\0\0")[0],
        method=method,
        weight=_u32(nest.get("IPVS_DEST_ATTR_WEIGHT")),
        upper_threshold=_u32(nest.get("IPVS_DEST_ATTR_U_THRESH")),
        lower_threshold=_u32(nest.get("IPVS_DEST_ATTR_L_THRESH")),
    )


def _ip(family: int, data: bytes | None) -> IPAddress:
    whole = (data or b"").ljust(_ADDRESS_BYTES, b"\0")
    return IPv4Address(whole[:4]) if family == socket.AF_INET else IPv6Address(whole[:16])


def _name(data: bytes | None) -> str:
    return (data or b"").partition(b"\0")[0].decode("ascii", "replace")


def _u16(data: bytes | None) -> int:
    return int(_U16.unpack(data)[0]) if data is not None else 0


def _u32(data: bytes | None) -> int:
    return int(_U32.unpack(data)[0]) if data is not None else 0
