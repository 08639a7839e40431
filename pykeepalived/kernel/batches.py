"""Many IPv4 datagrams by one system call: recvmmsg(2), into memory that all sockets of a process share.

Each comes as one string of bytes. What differs between two adverts that say the same (the identification of the IP
header, and with it its checksum) is left out, so that an unchanged advert is found by looking it up.
"""

import ctypes
import errno
import os
import socket
import struct

from pykeepalived.kernel.ports import MANY, Datagram

_KEPT_BYTES = 1536  # 255 addresses, authentication and trailer take 1.1 KiB; of anything longer nothing is kept
_LEFT_OUT = 9  # of the IP header: type of service to fragment offset, and the checksum
_LEAST = 28  # an IP header without options and VRRP's own
_ADDRESSES_AT, _MESSAGE_AT = 3, 11  # in what is kept: version and length, TTL, protocol come before

MESSAGE = struct.Struct("=QI4xQQQQi4xI4x")  # struct mmsghdr
_LENGTH = struct.Struct("=56xI4x")
VECTOR = struct.Struct("=QQ")  # struct iovec
_VECTORS = 5
_recvmmsg = ctypes.CDLL(None, use_errno=True).recvmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)


class Batch:
    """The memory of a batch."""

    def __init__(self) -> None:
        kept, left_out = bytearray(MANY * _KEPT_BYTES), bytearray(8)
        vectors, headers = bytearray(MANY * _VECTORS * VECTOR.size), bytearray(MANY * MESSAGE.size)
        self._kept, self._headers = memoryview(kept), memoryview(headers)
        self._starts = range(0, MANY * _KEPT_BYTES, _KEPT_BYTES)
        self._at = address_of(headers)
        kept_at, left_out_at, vectors_at = address_of(kept), address_of(left_out), address_of(vectors)
        for number, start in enumerate(self._starts):
            place = kept_at + start
            parts = ((place, 1), (left_out_at, 7), (place + 1, 2), (left_out_at, 2), (place + 3, _KEPT_BYTES - 3))
            first = number * _VECTORS * VECTOR.size
            for offset, part in enumerate(parts):
                VECTOR.pack_into(vectors, first + offset * VECTOR.size, *part)
            MESSAGE.pack_into(headers, number * MESSAGE.size, 0, 0, vectors_at + first, _VECTORS, 0, 0, 0, 0)
        self._memory = (kept, left_out, vectors, headers)  # the kernel writes there

    def receive(self, fd: int) -> list[bytes]:
        """What waits at a raw IPv4 socket, at most MANY. Raises OSError; nothing waiting is an empty list."""
        count = _recvmmsg(fd, self._at, MANY, socket.MSG_DONTWAIT | socket.MSG_TRUNC, None)
        if count < 0:
            code = ctypes.get_errno()
            if code in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(code, os.strerror(code))
        kept = self._kept
        lengths = _LENGTH.iter_unpack(self._headers[: count * MESSAGE.size])
        return [
            bytes(kept[start : start + length - _LEFT_OUT]) if _LEAST <= length <= _KEPT_BYTES else b""
            for start, (length,) in zip(self._starts, lengths, strict=False)
        ]


def datagram(kept: bytes) -> Datagram | None:
    """The VRRP message of what was received, None where there is none: headers that lie, too short, too long."""
    if not kept:
        return None
    header = (kept[0] & 15) * 4
    message_at = _MESSAGE_AT + header - 20
    if kept[0] >> 4 != 4 or header < 20 or len(kept) < message_at + 8:
        return None
    source, destination = kept[_ADDRESSES_AT : _ADDRESSES_AT + 4], kept[_ADDRESSES_AT + 4 : _MESSAGE_AT]
    data = kept[message_at:]
    return Datagram(source, destination, kept[1], data, len(data))  # the kernel has cut it to the header's total length


def address_of(memory: bytearray) -> int:
    """Where it lies. It stays there for as long as it lives and keeps its size."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
