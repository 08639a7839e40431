"""What a host's programs tell its kernel's IPVS, heard on the wire that is netlink: whoever says it, and however."""

import socket
import struct
from collections import Counter
from types import TracebackType
from typing import Self

from tests.support.lab_network import Host, run

COMMANDS = {
    1: "NEW_SERVICE", 2: "SET_SERVICE", 3: "DEL_SERVICE", 5: "NEW_DEST", 6: "SET_DEST", 7: "DEL_DEST",
    9: "NEW_DAEMON", 10: "DEL_DAEMON", 12: "SET_CONFIG", 16: "ZERO", 17: "FLUSH",
}  # fmt: skip
"""Those that change something (linux/ip_vs.h)."""
ETH_P_ALL = 3
NETLINK_GENERIC = 16
GENL_ID_CTRL = 16
NLM_F_REQUEST = 1
SO_RCVBUFFORCE = 33


class IpvsTap:
    """Counts the orders for IPVS from its beginning on."""

    def __init__(self, host: Host) -> None:
        self._host = host
        with host.inside():
            run("modprobe", "nlmon")
            run("ip", "link", "add", "tap0", "type", "nlmon")
            run("ip", "link", "set", "tap0", "up")
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
            self._socket.bind(("tap0", ETH_P_ALL))
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._host.ip("link", "delete", "tap0")

    def orders(self) -> Counter[str]:
        """The orders since the last call."""
        found: Counter[str] = Counter()
        while True:
            try:
                packet, address = self._socket.recvfrom(1 << 20)
            except BlockingIOError:
                return found
            if address[1] == NETLINK_GENERIC:
                found += _orders(packet)


def _orders(packet: bytes) -> Counter[str]:
    found: Counter[str] = Counter()
    while len(packet) >= 20:
        length, family, flags = struct.unpack_from("=IHH", packet)
        if length < 16:
            break
        command = packet[16]
        if family > GENL_ID_CTRL and flags & NLM_F_REQUEST and command in COMMANDS:
            found[COMMANDS[command]] += 1
        packet = packet[(length + 3) & ~3 :]
    return found
