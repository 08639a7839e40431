"""The kernel's process events connector (NETLINK_CONNECTOR, CN_IDX_PROC): who forked, executed, was renamed, ended.

It is there in the first network namespace only, for processes of the first process namespace: its socket is made before
another namespace is entered. A filter in the kernel drops threads and everything else that nobody here wants. It knows
process numbers, and nothing of what they run.
"""

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Iterator
from enum import IntEnum

from pykeepalived.errors import KernelError
from pykeepalived.kernel.netlink import Overrun
from pykeepalived.kernel.socket_filter import Instruction, attach

_NETLINK_CONNECTOR = 11
_SOL_NETLINK = 270
_ADD_MEMBERSHIP, _DROP_MEMBERSHIP = 1, 2
_SO_RCVBUFFORCE = 33
_CN_IDX_PROC = _CN_VAL_PROC = 1
_LISTEN, _IGNORE = 1, 2  # PROC_CN_MCAST_LISTEN, PROC_CN_MCAST_IGNORE
_NLMSG_DONE = 3

# linux/cn_proc.h: struct nlmsghdr (16), struct cn_msg (20), struct proc_event: what, cpu, timestamp (16), its data
_ORDER = struct.Struct("=IHHIIIIIIHHI")
_HEADER_LENGTH, _MESSAGE_LENGTH = 16, 20
_WHAT, _DATA = 36, 52
_EVENT = struct.Struct("=36xI12x4I")
_RECEIVE_BYTES = 1 << 20
_DATAGRAM = 512
_DATAGRAMS_A_TURN = 512
_DATAGRAMS_QUEUED = 1 << 16


_Line = tuple[int, int] | tuple[int, int, str] | str


class Kind(IntEnum):
    """The events that are told, by the kernel's numbers."""

    FORK = 0x1  # of the parent: parent, child
    EXEC = 0x2
    COMM = 0x200
    EXIT = 0x80000000


def open_socket() -> socket.socket:
    """A socket of this network namespace, that listens to nothing yet. Raises KernelError."""
    try:
        return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, _NETLINK_CONNECTOR)
    except OSError as error:
        raise KernelError("open a socket for process events", error.errno or errno.EIO) from error


class ProcessEvents:
    """Listens on a socket made by ``open_socket``. Raises KernelError where the kernel does not tell of processes."""

    def __init__(self, sock: socket.socket, *, names: bool, receive_bytes: int = 0, force: bool = False) -> None:
        self._socket = sock
        self._buffer = bytearray(_DATAGRAM)
        try:
            self.configure(names=names, receive_bytes=receive_bytes, force=force)
            sock.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _CN_IDX_PROC)
            self._discard()
            self._order(_LISTEN)
            # the answer is there when the send returns; from within a process namespace there is none
            refusal = self._answer()
        except OSError as error:
            refusal = error.errno or errno.EIO
        if refusal:
            with contextlib.suppress(OSError):
                sock.setsockopt(_SOL_NETLINK, _DROP_MEMBERSHIP, _CN_IDX_PROC)
            raise KernelError("listen to process events", refusal)

    def configure(self, *, names: bool, receive_bytes: int, force: bool) -> None:
        """``names``: a new name is told as well. The buffer's size: 0 is ours; ``force``: beyond rmem_max."""
        attach(self._socket, _program(names=names))
        if force or not receive_bytes:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, receive_bytes or _RECEIVE_BYTES)
                return
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes or _RECEIVE_BYTES)

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._socket.fileno()

    def events(self) -> Iterator[tuple[int, int, int]]:
        """What happened, at most a turn's worth: the kind, the process, and for a fork its parent (else 0).

        Raises Overrun when some was lost; what is still queued is then forgotten.
        """
        receive, buffer, unpack = self._socket.recvfrom_into, self._buffer, _EVENT.unpack_from
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                length, (sender, _group) = receive(buffer)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    self._discard()
                    raise Overrun from error
                raise KernelError("listen to process events", error.errno or errno.EIO) from error
            if sender != 0 or length < _EVENT.size:
                continue
            what, first, _, third, _ = unpack(buffer)
            if what == Kind.FORK:
                yield what, third, first
            elif what:
                yield what, first, 0

    def close(self) -> None:
        """Listen no more; the socket stays, for it could not be made again from within another namespace."""
        with contextlib.suppress(OSError):
            self._order(_IGNORE)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(_SOL_NETLINK, _DROP_MEMBERSHIP, _CN_IDX_PROC)

    def _order(self, order: int) -> None:
        size = _HEADER_LENGTH + _MESSAGE_LENGTH + 4
        data = _ORDER.pack(size, _NLMSG_DONE, 0, 0, 0, _CN_IDX_PROC, _CN_VAL_PROC, 0, 0, 4, 0, order)
        self._socket.sendto(data, (0, 0))

    def _answer(self) -> int:
        """The errno with which the kernel answered the order, 0 for a yes."""
        for _ in range(_DATAGRAMS_QUEUED):
            try:
                length, (sender, _group) = self._socket.recvfrom_into(self._buffer)
            except BlockingIOError:
                break
            if sender == 0 and length >= _EVENT.size:
                what, refusal, *_ = _EVENT.unpack_from(self._buffer)
                if what == 0:
                    return int(refusal)
        return errno.EOPNOTSUPP

    def _discard(self) -> None:
        """Forget what is queued."""
        for _ in range(_DATAGRAMS_QUEUED):
            try:
                self._socket.recv_into(self._buffer)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise


def _program(*, names: bool) -> tuple[Instruction, ...]:
    """Pass answers, and the wanted events of whole processes: their number is that of their first thread."""
    kinds = (Kind.EXEC, Kind.EXIT, Kind.COMM) if names else (Kind.EXEC, Kind.EXIT)
    return _assemble(
        (_LOAD, _WHAT),
        (_JUMP_EQUAL, 0, "pass"),
        (_JUMP_EQUAL, Kind.FORK, "fork"),
        *((_JUMP_EQUAL, kind, "process") for kind in kinds),
        (_RETURN, 0),
        "process",
        *((_LOAD, _DATA), (_TO_X, 0), (_LOAD, _DATA + 4), (_JUMP_EQUAL_X, 0, "pass")),
        (_RETURN, 0),
        "fork",  # the child's numbers stand behind the parent's
        *((_LOAD, _DATA + 8), (_TO_X, 0), (_LOAD, _DATA + 12), (_JUMP_EQUAL_X, 0, "pass")),
        (_RETURN, 0),
        "pass",
        (_RETURN, _DATAGRAM),
    )


def _assemble(*lines: _Line) -> tuple[Instruction, ...]:
    """Instructions from lines: (code, operand), with the label to jump to if equal, and labels."""
    labels: dict[str, int] = {}
    steps: list[tuple[int, int, str]] = []
    for line in lines:
        if isinstance(line, str):
            labels[line] = len(steps)
        else:
            steps.append((line[0], line[1], line[2] if len(line) == 3 else ""))
    program: list[Instruction] = []
    for place, (code, operand, label) in enumerate(steps):
        jump = labels[label] - place - 1 if label else 0
        program.append((code, jump, 0, _native(operand) if code == _JUMP_EQUAL else operand))
    return tuple(program)


_LOAD = 0x20  # BPF_LD|BPF_W|BPF_ABS, in network order
_TO_X = 0x07  # BPF_MISC|BPF_TAX
_JUMP_EQUAL = 0x15  # BPF_JMP|BPF_JEQ|BPF_K
_JUMP_EQUAL_X = 0x1D  # BPF_JMP|BPF_JEQ|BPF_X
_RETURN = 0x06


def _native(value: int) -> int:
    """A number of this machine as BPF loads it, in network order."""
    return int.from_bytes(int(value).to_bytes(4, sys.byteorder), "big")
