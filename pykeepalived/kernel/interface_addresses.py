"""The addresses of the interfaces, asked once: one dump over netlink, read by struct, without pyroute2's 33 MiB."""

import socket
import struct
from collections.abc import Iterator, Mapping

_NETLINK_ROUTE = 0
_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_DUMP_REQUEST = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, interface
_ATTRIBUTE = struct.Struct("=HH")


def interface_addresses() -> Mapping[str, tuple[str, ...]]:
    """Interface -> its addresses as ``192.0.2.1/24``; empty when the kernel does not answer."""
    found: dict[str, list[str]] = {}
    try:
        names = dict(socket.if_nameindex())
        for index, address in _dump():
            if index in names:
                found.setdefault(names[index], []).append(address)
    except OSError:
        return {}
    return {name: tuple(addresses) for name, addresses in found.items()}


def _dump() -> Iterator[tuple[int, str]]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE) as asking:
        asking.settimeout(1.0)
        request = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        asking.send(_HEADER.pack(_HEADER.size + len(request), _RTM_GETADDR, _DUMP_REQUEST, 1, 0) + request)
        while True:
            data = asking.recv(1 << 16)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind, _, _, _ = _HEADER.unpack_from(data, at)
                if kind in (_NLMSG_DONE, _NLMSG_ERROR) or length < _HEADER.size:
                    return
                if kind == _RTM_NEWADDR:
                    yield from _address(data[at + _HEADER.size : at + length])
                at += (length + 3) & ~3


def _address(message: bytes) -> Iterator[tuple[int, str]]:
    """The interface's number and the address; of a point-to-point link the own end."""
    family, prefix_length, _, _, index = _ADDRESS.unpack_from(message)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    values: dict[int, bytes] = {}
    at = _ADDRESS.size
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            break
        values[kind] = message[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    packed = values.get(_IFA_LOCAL) or values.get(_IFA_ADDRESS)
    if packed:
        yield index, f"{socket.inet_ntop(family, packed)}/{prefix_length}"
