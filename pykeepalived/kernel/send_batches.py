"""Many messages by one system call: sendmmsg(2), from memory that is prepared once."""

import ctypes
import errno
import socket
from collections.abc import Sequence

from pykeepalived.kernel.batches import MESSAGE, VECTOR, address_of

_sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


class Letter:
    """A message with its address, as the kernel wants them. ``octets`` may be written to."""

    __slots__ = ("_memory", "header", "octets")

    def __init__(self, where: bytes, octets: bytes, control: bytes = b"") -> None:
        control_at = VECTOR.size
        where_at = control_at + len(control)
        octets_at = where_at + len(where)
        self._memory = memory = bytearray(octets_at) + octets
        at = address_of(memory)
        VECTOR.pack_into(memory, 0, at + octets_at, len(octets))
        memory[control_at:octets_at] = control + where
        self.header = MESSAGE.pack(at + where_at, len(where), at, 1, at + control_at, len(control), 0, 0)
        self.octets = memoryview(memory)[octets_at:]


class SendBatch:
    """Letters that one socket sends together, any number of times."""

    __slots__ = ("_at", "_flags", "_headers", "_letters", "_socket")

    def __init__(self, sock: socket.socket, flags: int, letters: Sequence[Letter]) -> None:
        self._socket = sock
        self._flags = flags
        self._letters = letters
        self._headers = bytearray().join([letter.header for letter in letters])
        self._at = address_of(self._headers)

    def send(self) -> list[tuple[int, int]]:
        """Send them in their order. The places of those that the kernel refused, with errno."""
        fd, count, done = self._socket.fileno(), len(self._letters), 0
        refused: list[tuple[int, int]] = []
        while done < count:
            sent = _sendmmsg(fd, self._at + done * MESSAGE.size, count - done, self._flags)
            if sent < 0:  # the first of them: before a later one it would have ended
                code = ctypes.get_errno()
                if code == errno.EINTR:
                    continue
                refused.append((done, code))
                sent = 1
            done += sent
        return refused
