"""The control socket between the parent and a child: whole messages, in order, each with at most one descriptor.

SOCK_SEQPACKET keeps messages apart and tells the end of the other side. A message is a JSON object whose ``type`` is in
``MESSAGES`` with exactly the fields listed there; anything else is refused before anybody acts on it.

    parent -> child   reload (descriptor: the new part)   ping   exited   bfd
    child -> parent   ready   reloaded   leaving   anew   pong   status   run   end   fifo
"""

import array
import errno
import json
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.errors import ProcessError
from pykeepalived.units import MILLISECOND

Message = dict[str, Any]

_SIZE = 64 * 1024
_BACKLOG = 65536  # messages kept while the other side does not read: thousands of servers may turn at once
_A_TURN = 64  # messages read before others get their turn
_NOT_NOW = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})  # the queue is full, or there is no memory

_OPTIONAL_INT = (int, type(None))
MESSAGES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "reload": {},
    "ping": {"number": int},
    "exited": {"id": int, "status": _OPTIONAL_INT, "signal": _OPTIONAL_INT, "timed_out": bool, "obstacle": str},
    "ready": {},
    "reloaded": {"whole": bool},
    "leaving": {},
    "anew": {},
    "pong": {"number": int},
    "status": {"text": str},
    "run": {
        "id": int,
        "argv": list,
        "uid": int,
        "gid": int,
        "groups": list,
        "arguments": list,
        "timeout": _OPTIONAL_INT,
        "answer": bool,
    },
    "end": {"id": int},
    "fifo": {"line": str},
    "bfd": {"name": str, "up": bool},
}
_ELEMENTS = {"argv": str, "arguments": str, "groups": int}


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    return json.dumps(message, separators=(",", ":")).encode()


def decode(data: bytes) -> Message:
    """The message in ``data``; raises ProcessError for whatever is not exactly one of ``MESSAGES``."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProcessError(f"control message is no JSON: {error}") from None
    kind = message.get("type") if isinstance(message, dict) else None
    fields = MESSAGES.get(kind) if isinstance(kind, str) else None
    if fields is None or set(message) != {"type", *fields}:
        raise ProcessError("control message of unknown shape")
    for name, wanted in fields.items():
        value = message[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise ProcessError(f"control message '{message['type']}': '{name}' is of the wrong type")
        if isinstance(value, list) and not all(type(element) is _ELEMENTS[name] for element in value):
            raise ProcessError(f"control message '{message['type']}': '{name}' holds the wrong type")
    decoded: Message = message
    return decoded


def pair() -> tuple[socket.socket, socket.socket]:
    """Two joined sockets: the parent's and the child's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return ours, theirs


class Channel:
    """One end of a control socket in a reactor. ``received`` gets (message, descriptor or None) and owns the
    descriptor; ``ended`` is called once when the other side is gone.
    """

    def __init__(
        self,
        reactor: Reactor,
        end: socket.socket,
        received: Callable[[Message, int | None], None],
        ended: Callable[[], None],
        refused: Callable[[str], None],
    ) -> None:
        end.setblocking(False)
        self._reactor = reactor
        self._socket = end
        self._received = received
        self._ended = ended
        self._refused = refused
        self._waiting: deque[tuple[bytes, int | None]] = deque()
        self.open = True
        reactor.watch(end.fileno(), self._read)

    def send(self, message: Message, descriptor: int | None = None) -> bool:
        """Send, or keep until that can be done. False when it is gone or keeps too much waiting.

        ``descriptor`` is duplicated when it has to wait, if that can be; the caller keeps its own.
        """
        if not self.open or len(self._waiting) >= _BACKLOG:
            return False
        data = encode(message)
        if len(data) > _SIZE:
            return False
        if not self._waiting:
            sent = self._try(data, descriptor)
            if sent is not None:
                return sent
        try:
            kept = os.dup(descriptor) if descriptor is not None else None
        except OSError:  # no descriptor is left
            return False
        self._waiting.append((data, kept))
        self._reactor.watch(self._socket.fileno(), self._read, self._write)
        return True

    def flush(self, limit: int) -> None:
        """Before the end: wait until the other side has taken what is kept for it, ``limit`` ns at the most."""
        if not self.open:
            return
        deadline = time.monotonic_ns() + limit
        poll = select.poll()  # select(2) knows no descriptor above 1023
        poll.register(self._socket, select.POLLOUT)
        while self.open and self._waiting and (left := deadline - time.monotonic_ns()) > 0:
            poll.poll(left / MILLISECOND)
            self._write()

    def drain(self) -> None:
        """The other side has ended: read what it said last."""
        while self.open and self._receive():
            pass

    def close(self) -> None:
        """Close without calling ``ended``."""
        if not self.open:
            return
        self.open = False
        self._reactor.unwatch(self._socket.fileno())
        self._socket.close()
        while self._waiting:
            descriptor = self._waiting.popleft()[1]
            if descriptor is not None:
                os.close(descriptor)

    def _try(self, data: bytes, descriptor: int | None) -> bool | None:
        """True: sent. False: the other side is gone. None: it cannot be sent just now."""
        ancillary = []
        if descriptor is not None:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
        try:
            self._socket.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)
        except OSError as error:
            return None if error.errno in _NOT_NOW else False  # of the end the reading side will tell
        return True

    def _write(self) -> None:
        while self._waiting:
            data, descriptor = self._waiting[0]
            if self._try(data, descriptor) is None:
                return
            self._waiting.popleft()
            if descriptor is not None:
                os.close(descriptor)
        self._reactor.watch(self._socket.fileno(), self._read)

    def _read(self) -> None:
        for _ in range(_A_TURN):
            if not self.open or not self._receive():
                return

    def _receive(self) -> bool:
        """Read one message and pass it on; False when there is none just now, or never again."""
        try:
            data, ancillary, _, _ = self._socket.recvmsg(_SIZE, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True  # the other side left without reading all; what it said still waits
        except OSError:
            data, ancillary = b"", []
        descriptor = None
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptor = array.array("i", value)[0]
        if not data:
            self.close()
            self._ended()
            return False
        try:
            message = decode(data)
        except ProcessError as error:
            if descriptor is not None:
                os.close(descriptor)
            self._refused(str(error))
            return True
        self._received(message, descriptor)
        return True
