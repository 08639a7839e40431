"""What a kernel's IPVS holds, every attribute of every row, as lines of text.

Read by our own few lines of netlink and not by what is under test, so that an attribute that we neither write nor read
is seen all the same. Counters are left out.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.netns import Host

_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("=BBH")
_ATTRIBUTE = struct.Struct("=HH")
_DUMP, _REQUEST, _ERROR, _DONE = 0x300, 1, 2, 3
_CONTROL, _GET_FAMILY = 0x10, 3
_GET_SERVICE, _GET_DEST, _GET_DAEMON, _GET_CONFIG = 4, 8, 11, 13
_SERVICE, _DEST, _DAEMON = 1, 2, 3  # IPVS_CMD_ATTR_*
_MOST_LOOKS = 5
_FAMILIES: dict[int, str] = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
_METHODS = {0: "NAT", 1: "LOCAL", 2: "TUN", 3: "DR", 4: "BYPASS"}

# The kind of each attribute by its number (IPVS_SVC_ATTR_*, IPVS_DEST_ATTR_*, IPVS_DAEMON_ATTR_*); "" are counters.
SERVICE = {
    1: "family",
    2: "protocol",
    3: "address",
    4: "port",
    5: "fwmark",
    6: "scheduler",
    7: "flags",
    8: "timeout",
    9: "netmask",
    10: "",
    11: "engine",
    12: "",
}
DEST = {
    1: "address",
    2: "port",
    3: "method",
    4: "weight",
    5: "upper",
    6: "lower",
    7: "",
    8: "",
    9: "",
    10: "",
    11: "family",
    12: "",
    13: "tunnel",
    14: "tunnel-port",
    15: "tunnel-flags",
}
DAEMON = {1: "state", 2: "interface", 3: "id", 4: "maxlen", 5: "group", 6: "group6", 7: "daemon-port", 8: "ttl"}
TIMEOUTS = {4: "tcp", 5: "tcpfin", 6: "udp"}
_NAMES = frozenset({"scheduler", "engine", "interface"})
_NETWORK_ORDER = frozenset({"port", "tunnel-port"})


@dataclass(frozen=True, slots=True)
class Look:
    """What IPVS holds at one moment: a line a service, indented ones for its servers, sorted: their order is chance."""

    rows: tuple[str, ...]
    daemons: tuple[str, ...]
    timeouts: tuple[str, ...]

    def lines(self) -> list[str]:
        """All of it."""
        return [*self.rows, *self.daemons, *self.timeouts]


class IpvsReader:
    """Reads the table of a host's namespace from outside of it."""

    def __init__(self, host: Host) -> None:
        self._socket = host.inside(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16))
        self._socket.settimeout(20)
        name = _attribute(2, b"IPVS\0")
        (told,) = self._ask(_CONTROL, _GET_FAMILY, name)
        self._family = int.from_bytes(told[1], "little")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def look(self) -> Look:
        """Everything, now."""
        groups = []
        for told in self._ask(self._family, _GET_SERVICE, dump=True):
            nest = told[_SERVICE]
            identity = {kind: value for kind, value in _attributes(nest) if kind <= 5}
            wanted = b"".join(_attribute(kind, value) for kind, value in identity.items())
            servers = self._ask(self._family, _GET_DEST, _attribute(_SERVICE | 0x8000, wanted), dump=True)
            groups.append([_line(nest, SERVICE), *sorted(f"  -> {_line(each[_DEST], DEST)}" for each in servers)])
        daemons = self._ask(self._family, _GET_DAEMON, dump=True)
        timeouts = self._ask(self._family, _GET_CONFIG)
        return Look(
            tuple(line for group in sorted(groups) for line in group),
            tuple(sorted(f"sync daemon {_line(each[_DAEMON], DAEMON)}" for each in daemons)),
            tuple(f"timeouts {_described(each, TIMEOUTS)}" for each in timeouts),
        )

    def look_surely(self) -> Look:
        """The same, seen twice: a list that the kernel gives in parts lacks rows when another namespace's changes."""
        looks = [self.look()]
        while len(looks) < _MOST_LOOKS and looks[-1] not in looks[:-1]:
            looks.append(self.look())
        return looks[-1]

    def _ask(self, family: int, command: int, attributes: bytes = b"", *, dump: bool = False) -> list[dict[int, bytes]]:
        """One request; the attributes of each answer."""
        body = _GENERIC.pack(command, 1, 0) + attributes
        flags = _REQUEST | (_DUMP if dump else 0)
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), family, flags, 1, 0) + body)
        return [dict(_attributes(data[_GENERIC.size :])) for data in self._answers(dump)]

    def _answers(self, dump: bool) -> Iterator[bytes]:
        while True:
            data = self._socket.recv(1 << 18)
            while data:
                size, kind, *_ = _HEADER.unpack_from(data)
                payload, data = data[_HEADER.size : size], data[size + 3 & ~3 :]
                if kind == _ERROR:
                    code = -int.from_bytes(payload[:4], "little", signed=True)
                    if code == errno.ESRCH:
                        return  # a service that went since it was listed
                    raise OSError(code, os.strerror(code))
                if kind == _DONE:
                    return
                yield payload
            if not dump:
                return


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data)
        yield kind & 0x3FFF, data[_ATTRIBUTE.size : size]
        data = data[size + 3 & ~3 :]


def _line(nest: bytes, kinds: dict[int, str]) -> str:
    return _described(dict(_attributes(nest)), kinds)


def _described(values: dict[int, bytes], kinds: dict[int, str]) -> str:
    """The attributes by name, in the order of their numbers; one that we do not know by its number."""
    if kinds is SERVICE or kinds is DEST:
        family = int.from_bytes(values.get(1 if kinds is SERVICE else 11, b"\2"), "little")
    else:
        family = 0
    named = ((kinds.get(number, f"attribute-{number}"), value) for number, value in sorted(values.items()))
    return " ".join(f"{kind} {_text(kind, value, family)}" for kind, value in named if kind)


def _text(kind: str, value: bytes, family: int) -> str:
    number = int.from_bytes(value, "big" if kind in _NETWORK_ORDER else "little")
    if kind == "address":
        return socket.inet_ntop(family, value[: 4 if family == socket.AF_INET else 16])
    if kind == "family":
        return _FAMILIES.get(number, str(number))
    if kind == "method":
        return _METHODS.get(number, str(number))
    if kind in _NAMES:
        return value.rstrip(b"\0").decode(errors="backslashreplace")
    if kind == "netmask":
        return socket.inet_ntoa(value) if family == socket.AF_INET else f"/{number}"
    if kind in {"group", "group6"}:
        return socket.inet_ntop(socket.AF_INET if len(value) == 4 else socket.AF_INET6, value)
    return f"{int.from_bytes(value[:4], 'little'):#x}" if kind == "flags" else str(number)
