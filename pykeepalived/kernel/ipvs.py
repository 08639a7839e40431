"""The kernel's IPVS over generic netlink: its table, its sync daemons, its timeouts.

The module may be taken away and come back under another number, at any time. The kernel's answer to an order for a
family that is not there is ENOENT, as for a server that is not: so ENOENT is looked into before it is believed.
"""

import errno
import socket
from collections.abc import Iterator, Sequence

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import SyncDaemonRow, Timeouts
from pykeepalived.kernel.ipvs_messages import (
    ADDRESS_BYTES,
    BE16,
    BE32,
    CHECKSUM,
    DEST,
    FLAGS,
    FORWARD,
    SERVICE,
    TUNNEL,
    U32,
    daemon_message,
    daemon_row,
    destination_row,
    family_id,
    ipvsmsg,
    service_row,
    timeouts_message,
    timeouts_of,
    version_text,
)
from pykeepalived.kernel.message_classes import Form, ctrlmsg, encoded, place
from pykeepalived.kernel.netlink import NETLINK_GENERIC, NetlinkSocket, Opener
from pykeepalived.kernel.ports import DestinationRow, Failure, IpvsOrder, ServiceRow

_GENL_ID_CTRL = 0x10
_CTRL_CMD_GETFAMILY = 3
_FAMILY_NAME = "IPVS"
_VERSION = 1

_GET_SERVICE, _GET_DEST = 4, 8
_NEW_DAEMON, _DEL_DAEMON, _GET_DAEMON = 9, 10, 11
_SET_CONFIG, _GET_CONFIG, _GET_INFO, _FLUSH = 12, 13, 15, 17
_COMMAND = {
    "add-service": 1,
    "edit-service": 2,
    "delete-service": 3,
    "add-server": 5,
    "edit-server": 6,
    "delete-server": 7,
    "get-service": _GET_SERVICE,
    "list-servers": _GET_DEST,
}
_WHOLE = frozenset({"add-service", "edit-service", "add-server", "edit-server"})
_UNHEARD = frozenset({errno.ETIMEDOUT, errno.ENOBUFS, errno.EAGAIN})  # of the socket: what was done is not known
_DELETES = frozenset({"delete-service", "delete-server"})
_AF_INET, _AF_INET6 = int(socket.AF_INET), int(socket.AF_INET6)


_Layout = list[tuple[str, object, str]]
"""Attributes of a nest: name, a value of the right size, and the struct format to fill it by. Shorter bytes are filled
up with zeros, as those of an IPv4 address.
"""

_IDENTITY_BY_ADDRESS: _Layout = [
    ("AF", 0, "=H"),
    ("PROTOCOL", 0, "=H"),
    ("ADDR", bytes(ADDRESS_BYTES), "16s"),
    ("PORT", 0, "2s"),
]
_IDENTITY_BY_FWMARK: _Layout = [("AF", 0, "=H"), ("FWMARK", 0, "=I")]
_DEST_IDENTITY: _Layout = [("ADDR", bytes(ADDRESS_BYTES), "16s"), ("PORT", 0, "2s"), ("ADDR_FAMILY", 0, "=H")]
_DEST_SETTINGS: _Layout = [
    ("FWD_METHOD", 0, "=I"),
    ("WEIGHT", 0, "=I"),
    ("U_THRESH", 0, "=I"),
    ("L_THRESH", 0, "=I"),
]
_DEST_TUNNEL: _Layout = [("TUN_TYPE", 0, "=B"), ("TUN_PORT", 0, "2s"), ("TUN_FLAGS", 0, "=H")]


class LinuxIpvs:
    """The Linux side of Ipvs, in this network namespace or in the one that ``open_socket`` opens sockets of."""

    def __init__(self, open_socket: Opener | None = None) -> None:
        self._open_socket = open_socket
        self._socket = NetlinkSocket(NETLINK_GENERIC, open_socket=open_socket)
        self._walker: NetlinkSocket | None = None
        self._family = 0
        self._forms: dict[tuple[object, ...], Form] = {}

    def close(self) -> None:
        """Close the sockets; the table stays."""
        self._socket.close()
        if self._walker is not None:
            self._walker.close()
            self._walker = None

    def version(self) -> str:
        """``1.2.1``; raises KernelError when the kernel has no IPVS."""
        return version_text(self._get(_GET_INFO))

    def table(self) -> list[tuple[ServiceRow, list[DestinationRow]]]:
        """The whole table."""
        rows = []
        for _, data in self._socket.dump(self._message(_GET_SERVICE)):
            service = service_row(data)
            rows.append((service, self._servers(service)))
        return rows

    def walk_services(self) -> Iterator[list[ServiceRow]]:
        """All services, in parts."""
        for rows in self._walk(self._message(_GET_SERVICE)):
            yield [service_row(data) for data in rows]

    def walk_servers(self, service: ServiceRow) -> Iterator[list[DestinationRow]]:
        """The destinations of a service, in parts."""
        family = service.service.family
        for rows in self._walk(self._list_servers(service)):
            yield [destination_row(data, family) for data in rows]

    def lookup(self, service: ServiceRow) -> tuple[ServiceRow, list[DestinationRow]] | None:
        """One service as it is now, None when it is not there."""
        request = self._form("get-service", service, None).fill(*_identity(service.service))
        try:
            _, data = self._socket.get(request)
        except KernelError as error:
            if error.errno == errno.ESRCH:
                return None
            self._doubt(error)
            raise
        return service_row(data), self._servers(service)

    def apply(self, orders: Sequence[IpvsOrder]) -> list[Failure]:
        """Carry out at most BATCH orders, an answer for each. Raises KernelError when some have none."""
        answers = self._socket.order([self._order(order) for order in orders])
        unheard = next((code for code in answers if code in _UNHEARD), 0)
        if unheard:
            raise KernelError("give orders to IPVS", unheard)
        if errno.ENOENT in answers:
            self._assert_family()
        return [Failure(place_, code) for place_, code in enumerate(answers) if code]

    def flush(self) -> None:
        """Empty the table."""
        self._one("empty the IPVS table", self._message(_FLUSH))

    def timeouts(self) -> Timeouts:
        """How long connections are remembered."""
        return timeouts_of(self._get(_GET_CONFIG))

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Change those that are not 0. Raises KernelError."""
        message = timeouts_message(self._family_id(), {"cmd": _SET_CONFIG, "version": _VERSION}, timeouts)
        self._one("set the timeouts of IPVS", message)

    def daemons(self) -> list[SyncDaemonRow]:
        """The sync daemons that run. Raises KernelError."""
        try:
            return [daemon_row(data) for _, data in self._socket.dump(self._message(_GET_DAEMON))]
        except KernelError as error:
            self._doubt(error)
            raise

    def start_daemon(self, row: SyncDaemonRow) -> None:
        """Start a sync daemon. Raises KernelError."""
        self._daemon("start", _NEW_DAEMON, row)

    def stop_daemon(self, row: SyncDaemonRow) -> None:
        """Stop the sync daemon of that state. Raises KernelError."""
        self._daemon("stop", _DEL_DAEMON, row)

    def _daemon(self, what: str, command: int, row: SyncDaemonRow) -> None:
        message = daemon_message(self._family_id(), {"cmd": command, "version": _VERSION}, row)
        self._one(f"{what} the IPVS sync daemon ({row.state})", message)

    def _one(self, what: str, message: bytearray) -> None:
        (code,) = self._socket.order([message])
        if code:
            error = KernelError(what, code)
            self._doubt(error)
            raise error

    def _get(self, command: int) -> bytes:
        try:
            return self._socket.get(self._message(command))[1]
        except KernelError as error:
            self._doubt(error)
            raise

    def _servers(self, service: ServiceRow) -> list[DestinationRow]:
        family = service.service.family
        return [destination_row(data, family) for _, data in self._socket.dump(self._list_servers(service))]

    def _list_servers(self, service: ServiceRow) -> bytearray:
        return self._form("list-servers", service, None).fill(*_identity(service.service))

    def _walk(self, request: bytearray) -> Iterator[list[bytes]]:
        """A list that is read beside all other work has a socket of its own."""
        if self._walker is None:
            self._walker = NetlinkSocket(NETLINK_GENERIC, open_socket=self._open_socket)
        try:
            for rows in self._walker.dump_in_parts(request):
                yield [data for _, data in rows]
        except KernelError as error:
            self._doubt(error)
            raise

    def _order(self, order: IpvsOrder) -> bytearray:
        service, destination = order.service, order.destination
        values = _identity(service.service)
        if destination is not None:
            address, port = destination.key[:-2], destination.key[-2:]  # as the kernel has them
            values += [address, port, _AF_INET if destination.address.version == 4 else _AF_INET6]
            if order.verb not in _DELETES:
                method = destination.method
                values += [
                    FORWARD[method.forward],
                    destination.weight,
                    destination.upper_threshold,
                    destination.lower_threshold,
                ]
                if method.forward == "TUN":
                    values += [
                        TUNNEL[method.tunnel_type],
                        BE16.pack(method.tunnel_port),
                        CHECKSUM[method.checksum],
                    ]
        elif order.verb not in _DELETES:
            values.append(service.scheduler.encode() + b"\0")
            if service.persistence_engine:
                values.append(service.persistence_engine.encode() + b"\0")
            netmask = BE32 if service.service.family == _AF_INET else U32
            values += [FLAGS.pack(service.flags, 0xFFFFFFFF), service.timeout, netmask.pack(service.netmask)]
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
        whole = verb in _WHOLE
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
        nests = [(SERVICE, "IPVS_SVC_ATTR_", service_layout)]
        if dest_layout:
            nests.append((DEST, "IPVS_DEST_ATTR_", dest_layout))
        attributes = [
            (nest, {"attrs": [(prefix + name, value) for name, value, _ in layout]}) for nest, prefix, layout in nests
        ]
        command = _COMMAND[verb]
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
                    "find IPVS in the kernel (modprobe ip_vs, in a container on its host)",
                    errno.ENOENT,
                ) from error
            self._family = family_id(data)
        return self._family

    def _doubt(self, error: KernelError) -> None:
        if error.errno == errno.ENOENT:
            self._assert_family()

    def _assert_family(self) -> None:
        """ENOENT was answered: raises KernelError when it is IPVS itself that is gone. Asked by its number, for a
        question by name makes the kernel load the module again.
        """
        if not self._family:
            return
        fields = {"cmd": _CTRL_CMD_GETFAMILY, "version": _VERSION}
        request = encoded(ctrlmsg, _GENL_ID_CTRL, 0, fields, [("CTRL_ATTR_FAMILY_ID", self._family)])
        try:
            self._socket.get(request.data)
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
            self._family = 0
            self._forms.clear()
            raise KernelError("reach IPVS, which was removed from the kernel", errno.ENOENT) from error


def _text(name: str, value: str) -> tuple[str, object, str]:
    """A zero-terminated name in a layout."""
    return (name, value, f"{len(value.encode()) + 1}s")


def _identity(service: Service) -> list[int | bytes]:
    """What every command about a service begins with."""
    if service.address is None:
        return [service.family, service.fwmark]
    return [service.family, service.protocol, service.address.packed, BE16.pack(service.port)]
