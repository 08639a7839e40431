"""One netlink socket: orders in batches with an answer each, dumps, and what the kernel tells by itself.

The kernel carries out a batch inside the send, so its answers are there when the send returns; waiting is bounded all
the same. Only the kernel is believed (sender 0), and only the answers to the batch under way. It knows netlink(7), and
nothing of what the messages mean.
"""

import contextlib
import errno
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

from pykeepalived.errors import KernelError
from pykeepalived.kernel.message_classes import NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLMSG_HEADER
from pykeepalived.kernel.socket_filter import Instruction, attach

NETLINK_ROUTE = socket.NETLINK_ROUTE
NETLINK_NETFILTER = 12
NETLINK_GENERIC = 16

_SOL_NETLINK = 270
_ADD_MEMBERSHIP = 1
_CAP_ACK = 10
_EXT_ACK = 11
_GET_STRICT_CHK = 12
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33

_NLMSG_NOOP = 1
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_FIRST_KIND = 16  # below are netlink's own messages
_NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1

_BATCH = 64
_WAIT_SECONDS = 2.0
_DUMP_PAUSES = (0, 0.001, 0.004, 0.016, 0.064, 0.128)  # seconds before each attempt
_AT_ONCE = (0, 0)
_BUFFER_BYTES = 1 << 17
_RECEIVE_BYTES = 1 << 20
_MOST_RECEIVE_BYTES = (1 << 30) - 1  # the kernel doubles it, as an int
_DATAGRAMS_A_TURN = 256
_DATAGRAMS_QUEUED = 1 << 16

_ERROR = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HH")

Message = tuple[int, bytes]
"""Its type, and the whole message with its header."""


Opener = Callable[[int], socket.socket]
"""Makes a bound netlink socket of a protocol: here, or in another network namespace. May raise OSError."""


def open_here(protocol: int) -> socket.socket:
    """A socket of the network namespace that this process is in."""
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    try:
        made.bind((0, 0))
    except OSError:
        made.close()
        raise
    return made


class Overrun(Exception):  # noqa: N818 - a fact about the queue, not a fault of ours
    """The kernel had more to tell than the socket could hold: what was known must be dumped again."""


class NetlinkSocket:
    """A socket of one netlink protocol. One that is a member of groups is for ``events`` only. Raises KernelError."""

    def __init__(
        self,
        protocol: int,
        groups: Sequence[int] = (),
        *,
        receive_bytes: int = 0,
        send_bytes: int = 0,
        open_socket: Opener | None = None,
    ) -> None:
        try:
            self._socket = (open_socket or open_here)(protocol)
        except OSError as error:
            raise KernelError("open a netlink socket", error.errno or errno.EIO) from error
        self._buffer = _memory(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._sequence = int(time.monotonic()) & 0x7FFFFFFF
        self._lost = False
        self.refusal = ""
        """The kernel's own words for the last refusal, where it gave any."""
        self.words: dict[int, str] = {}
        """The same for each order of the last call, by its place."""
        try:
            for option in (_CAP_ACK, _EXT_ACK):
                with contextlib.suppress(OSError):  # kernels before 4.12
                    self._socket.setsockopt(_SOL_NETLINK, option, 1)
            self.set_receive_buffer(receive_bytes, force=True)
            if send_bytes:
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, send_bytes)
            for group in groups:
                self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        except OSError as error:
            self._socket.close()
            raise KernelError("listen to netlink", error.errno or errno.EIO) from error

    def set_receive_buffer(self, size: int, *, force: bool) -> None:
        """Hold ``size`` bytes until they are read, with ``force`` more than rmem_max; 0: what we think right."""
        option = _SO_RCVBUFFORCE if force or not size else socket.SO_RCVBUF
        wanted = min(size, _MOST_RECEIVE_BYTES) or _RECEIVE_BYTES
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, option, wanted)
        except OSError:  # without CAP_NET_ADMIN
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._socket.fileno()

    def join(self, group: int, program: tuple[Instruction, ...]) -> None:
        """Listen to one more group, behind a filter in place of any earlier one. Raises KernelError."""
        try:
            attach(self._socket, program)
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        except OSError as error:
            raise KernelError("listen to netlink", error.errno or errno.EIO) from error

    def check_strictly(self) -> None:
        """Have the kernel list only what a dump asks for; kernels before 4.20 list everything."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(_SOL_NETLINK, _GET_STRICT_CHK, 1)

    @property
    def port(self) -> int:
        """What the kernel calls this socket: the sender of what it tells others of our orders."""
        return int(self._socket.getsockname()[0])

    def close(self) -> None:
        """Close."""
        self._socket.close()

    def order(self, messages: Sequence[bytearray]) -> list[int]:
        """Have the orders carried out, and answer an errno for each (0: done), in their order.

        The wish for an answer and the sequence numbers are set here. The kernel answers every refusal unasked, so only
        the last of a batch asks: its answer says that the others, unless refused, are done.
        """
        answers: list[int] = []
        self.refusal = ""
        self.words = {}
        for start in range(0, len(messages), _BATCH):
            answers += self._order_batch(messages[start : start + _BATCH], start)
        return answers

    def transact(self, begin: bytearray, messages: Sequence[bytearray], end: bytearray) -> int:
        """Have all orders between ``begin`` and ``end`` carried out, or none: 0, or the errno of the first refused."""
        self.refusal = ""
        return next(filter(None, self._order_batch([begin, *messages, end], framed=True)), 0)

    def dump(self, message: bytearray, *, patient: bool = True) -> list[Message]:
        """Everything the kernel lists for a request. A list that changed while it was read is read again, a little
        later each time: a host that is starting changes it for a while. Not ``patient``: only once more, and at once,
        for who has other things to do meanwhile. Raises KernelError.
        """
        for pause in _DUMP_PAUSES if patient else _AT_ONCE:
            time.sleep(pause)
            rows = self._dump_once(message)
            if rows is not None:
                return rows
        raise KernelError("list (the table kept changing)", errno.EINTR)

    def dump_in_parts(self, message: bytearray) -> Iterator[list[Message]]:
        """The same list in the kernel's own pieces (32 KiB at most), each read when it is asked for. It is to be read
        to its end before the socket is used for anything else. A list that changes meanwhile may lack rows, or have
        some twice. Raises KernelError.
        """
        self.discard()  # a list that nobody read to its end
        first = self._next_sequence(1)
        _stamp(message, first, NLM_F_DUMP)
        self._send(message)
        while True:
            rows: list[Message] = []
            for _, kind, flags, row in self._answers(first, 1, dump=True, one_datagram=True):
                if kind in {_NLMSG_ERROR, _NLMSG_DONE}:
                    code = self._code(row, flags) if len(row) >= NLMSG_HEADER.size + _ERROR.size else 0
                    if code:
                        raise KernelError(self.refusal or "list", code)
                    yield rows
                    return
                rows.append((kind, row))
            if self._lost or not rows:
                raise KernelError("list (no answer)", errno.ENOBUFS if self._lost else errno.ETIMEDOUT)
            yield rows

    def get(self, message: bytearray) -> Message:
        """The one message with which the kernel answers a request. Raises KernelError."""
        first = self._next_sequence(1)
        _stamp(message, first, 0)
        self._send(message)
        for _, kind, flags, found in self._answers(first, 1):
            if kind == _NLMSG_ERROR:
                code = self._code(found, flags)
                raise KernelError(self.refusal or "get", code)
            return kind, found
        raise KernelError("get (no answer)", errno.ETIMEDOUT)

    def events(self) -> Iterator[Message]:
        """What the kernel has told the groups since, at most a turn's worth. Raises Overrun when some was lost."""
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                length = self._receive()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    raise Overrun from error
                raise KernelError("listen to netlink", error.errno or errno.EIO) from error
            for _sequence, kind, _flags, message in self._split(length):
                if kind >= _FIRST_KIND:
                    yield kind, message

    def discard(self) -> None:
        """Forget what is queued: a dump follows."""
        for _ in range(_DATAGRAMS_QUEUED):
            try:
                self._receive()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise KernelError("listen to netlink", error.errno or errno.EIO) from error

    def _order_batch(self, messages: Sequence[bytearray], start: int = 0, *, framed: bool = False) -> list[int]:
        """An errno for each. ``framed``: the first and the last are the frame of the others; not every kernel answers
        the last, and a refusal of the first is one of all.
        """
        count = len(messages)
        last = count - 2 if framed else count - 1
        first = self._next_sequence(count)
        batch = bytearray().join(messages)
        offset = 0
        for place, message in enumerate(messages):
            _stamp(batch, first + place, NLM_F_ACK if place == last else 0, offset)
            offset += len(message)
        try:
            self._send(batch)
        except KernelError as error:
            return [error.errno] * count
        refusals: dict[int, int] = {}
        answered = False
        for place, kind, flags, answer in self._answers(first, last + 1, last_alone=True):
            if kind == _NLMSG_ERROR:
                before, self.refusal = self.refusal, ""
                refusals[place] = self._code(answer, flags)
                if self.refusal:
                    self.words[start + place] = self.refusal
                self.refusal = self.refusal or before
                answered |= place == last
                if framed and place == 0 and refusals[0]:
                    return [refusals[0]] * count
        unheard = 0 if answered and not self._lost else errno.ETIMEDOUT
        return [refusals.get(place, unheard) for place in range(count)]

    def _dump_once(self, message: bytearray) -> list[Message] | None:
        """The list, or None when it changed under the reading."""
        first = self._next_sequence(1)
        _stamp(message, first, NLM_F_DUMP)
        self._send(message)
        rows: list[Message] = []
        interrupted = False
        for _, kind, flags, row in self._answers(first, 1, dump=True):
            interrupted |= self._lost or bool(flags & NLM_F_DUMP_INTR)
            if kind in {_NLMSG_ERROR, _NLMSG_DONE}:
                code = self._code(row, flags) if len(row) >= NLMSG_HEADER.size + _ERROR.size else 0
                if code:
                    raise KernelError(self.refusal or "list", code)
                return None if interrupted else rows
            rows.append((kind, row))
        raise KernelError("list (no answer)", errno.ETIMEDOUT)

    def _answers(
        self, first: int, count: int, *, dump: bool = False, last_alone: bool = False, one_datagram: bool = False
    ) -> Iterator[tuple[int, int, int, bytes]]:
        """The answers to sequence numbers ``first`` and on: (place, type, flags, message), until all are in.

        With ``last_alone`` the last place's answer is the end, with ``one_datagram`` that of the first datagram that
        has any. Ends early when the kernel stays silent. ``_lost`` tells whether some did not fit.
        """
        self._lost = False
        waiting = count
        deadline = time.monotonic() + _WAIT_SECONDS
        while waiting > 0:
            try:
                length = self._receive()
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                poll = select.poll()  # select(2) knows no descriptor above 1023
                poll.register(self._socket, select.POLLIN)
                poll.poll(left * 1000)
                continue
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise KernelError("receive", error.errno or errno.EIO) from error
                self._lost = True
                continue
            deadline = time.monotonic() + _WAIT_SECONDS
            for sequence, kind, flags, message in self._split(length):
                place = sequence - first
                if 0 <= place < count and kind != _NLMSG_NOOP:
                    if last_alone:
                        waiting = 0 if place == count - 1 else waiting
                    elif one_datagram:
                        waiting = 0
                    elif not dump or kind in {_NLMSG_ERROR, _NLMSG_DONE}:
                        waiting -= 1
                    yield place, kind, flags, message

    def _send(self, data: bytes | bytearray) -> None:
        try:
            self._socket.sendto(data, (0, 0))
        except OSError as error:
            raise KernelError("send", error.errno or errno.EIO) from error

    def _receive(self) -> int:
        """One datagram of the kernel in the buffer, its length. What others send is dropped."""
        while True:
            length, (sender, _groups) = self._socket.recvfrom_into(self._buffer, 0, socket.MSG_TRUNC)
            if sender != 0:
                continue
            if length > len(self._buffer):
                self._buffer = _memory(2 * length)
                self._view = memoryview(self._buffer)
                raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
            return int(length)

    def _split(self, length: int) -> list[tuple[int, int, int, bytes]]:
        """The messages of the datagram in the buffer: (sequence number, type, flags, message)."""
        messages = []
        offset = 0
        while offset + NLMSG_HEADER.size <= length:
            size, kind, flags, sequence, _ = NLMSG_HEADER.unpack_from(self._buffer, offset)
            if size < NLMSG_HEADER.size or offset + size > length:
                break
            messages.append((sequence, kind, flags, bytes(self._view[offset : offset + size])))
            offset += (size + 3) & ~3
        return messages

    def _code(self, message: bytes, flags: int) -> int:
        """The errno of an NLMSG_ERROR or NLMSG_DONE; its words (NLMSGERR_ATTR_MSG) are kept in ``refusal``."""
        (code,) = _ERROR.unpack_from(message, NLMSG_HEADER.size)
        if code and flags & _NLM_F_ACK_TLVS:
            # the refused message's header follows the code, or all of it without NLM_F_CAPPED; then attributes
            offset = NLMSG_HEADER.size + _ERROR.size + NLMSG_HEADER.size
            while offset + _ATTRIBUTE.size <= len(message):
                size, kind = _ATTRIBUTE.unpack_from(message, offset)
                if size < _ATTRIBUTE.size:
                    break
                if kind == _NLMSGERR_ATTR_MSG:
                    text = message[offset + _ATTRIBUTE.size : offset + size]
                    self.refusal = text.rstrip(b"\0").decode("utf-8", "replace")
                offset += (size + 3) & ~3
        return -int(code)

    def _next_sequence(self, count: int) -> int:
        """The first of ``count`` fresh sequence numbers: late answers to an earlier batch are none of this one's."""
        first = self._sequence + 1
        if first + count > 0xFFFFFFFF:
            first = 1
        self._sequence = first + count
        return first


def _memory(size: int) -> mmap:
    """Room that is taken page by page, as it is written to."""
    return mmap(-1, size, MAP_PRIVATE | MAP_ANONYMOUS)


def _stamp(data: bytearray, sequence: int, flags: int, offset: int = 0) -> None:
    """Set the sequence number and further flags in the header of the message at ``offset``."""
    length, kind, old_flags, _, _ = NLMSG_HEADER.unpack_from(data, offset)
    NLMSG_HEADER.pack_into(data, offset, length, kind, old_flags | flags, sequence, 0)
