"""Asking a driver for the link of its interface: the PHY's register, ethtool's word, or the flag IFF_RUNNING."""

import array
import fcntl
import socket
import struct

from pykeepalived.config.blocks.interfaces import Method

_SIOCGIFFLAGS, _SIOCETHTOOL, _SIOCGMIIPHY, _SIOCGMIIREG = 0x8913, 0x8946, 0x8947, 0x8948
_ETHTOOL_GLINK = 0x0A
_IFF_RUNNING = 0x40
_BMSR = 1  # IEEE 802.3 22.2.4.2: the basic mode status register
_BMSR_LINK_STATUS = 0x0004

# struct ifreq: the name, and a union of 24 bytes
_FLAGS = struct.Struct("=16sH22x")
_MII = struct.Struct("=16sHHHH16x")  # phy, register, written, read
_POINTER = struct.Struct("@16sP16x")


class LinuxLinkProber:
    """By ioctl(2) on a socket of this network namespace."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ways = {"MII": self._mii, "ETHTOOL": self._ethtool, "IOCTL": self._running}

    def link(self, name: str, method: Method) -> bool | None:
        """Whether the link is up; None when the driver, or the name, does not answer to that way of asking."""
        try:
            return self._ways[method](name.encode("utf-8", "surrogateescape"))
        except OSError:
            return None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _mii(self, name: bytes) -> bool:
        _, phy, _, _, _ = _MII.unpack(self._ioctl(_SIOCGMIIPHY, _MII.pack(name, 0, 0, 0, 0)))
        status = 0
        for _ in range(2):  # the bit keeps a loss until it was read once
            status = _MII.unpack(self._ioctl(_SIOCGMIIREG, _MII.pack(name, phy, _BMSR, 0, 0)))[4]
        return bool(status & _BMSR_LINK_STATUS)

    def _ethtool(self, name: bytes) -> bool:
        value = array.array("I", (_ETHTOOL_GLINK, 0))
        address, _ = value.buffer_info()
        self._ioctl(_SIOCETHTOOL, _POINTER.pack(name, address))
        return bool(value[1])

    def _running(self, name: bytes) -> bool:
        _, flags = _FLAGS.unpack(self._ioctl(_SIOCGIFFLAGS, _FLAGS.pack(name, 0)))
        return bool(flags & _IFF_RUNNING)

    def _ioctl(self, order: int, request: bytes) -> bytes:
        return fcntl.ioctl(self._socket, order, request)
