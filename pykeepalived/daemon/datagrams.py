"""The transports of UDP_CHECK, DNS_CHECK and PING_CHECK: a connected socket for each try, one datagram out, others in.

Being connected, it hears its target alone, and the ICMP errors of what it sent. What it does not hear by the next beat
goes to the reactor, and from there one datagram a turn is read, so that a server that floods us delays nobody.
"""

import errno
import os
import socket
import sys
from collections.abc import Callable

from pykeepalived.checkers.events import CheckEvent, Connected, ConnectionFailed, DataReceived, LocalFailure
from pykeepalived.config.blocks.checkers import Target
from pykeepalived.daemon.attempts import READABLE, Attempts
from pykeepalived.daemon.connections import REFUSALS, Connection, DialError, dial, meets_itself
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.errors import NO_ROOM
from pykeepalived.events import Tick
from pykeepalived.wire import icmp

_RECEIVE_ERRORS: dict[
    int, tuple[int, int]
] = {  # linux/in.h: IP_RECVERR, linux/in6.h: IPV6_RECVERR; errors that may pass are told as well
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_ICMP = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
# linux/icmp.h: a bit for each type that is dropped; linux/icmpv6.h likewise, in words of 32
_REPLIES_ALONE = {
    4: (255, 1, (~(1 << icmp.ECHO_REPLY[4]) & 0xFFFFFFFF).to_bytes(4, sys.byteorder)),
    6: (
        socket.IPPROTO_ICMPV6,
        1,
        b"".join(
            (0xFFFFFFFF & ~((1 << icmp.ECHO_REPLY[6]) >> 32 * word)).to_bytes(4, sys.byteorder) for word in range(8)
        ),
    ),
}
_NOT_FOR_US = (errno.EACCES, errno.EPERM, errno.EPROTONOSUPPORT)
_LONGEST = 65535  # a checksum is over all


class Datagrams:
    """A Transport over UDP. Of a datagram the first ``limit`` bytes are read."""

    __slots__ = ("_attempts", "_connection", "_limit", "_reactor", "_target", "_tell")

    def __init__(
        self, target: Target, limit: int, reactor: Reactor, attempts: Attempts, tell: Callable[[CheckEvent], None]
    ) -> None:
        self._reactor = reactor
        self._attempts = attempts
        self._tell = tell
        self._limit = limit
        self._target = target
        self._connection: Connection | None = None

    def open(self) -> CheckEvent | None:
        """Make a socket that talks to the target alone, from a port that the kernel draws."""
        nonce = self._draw()
        try:
            connection, number = self._dial()
        except DialError as error:
            return LocalFailure(error.action, os.strerror(error.errno), error.errno in NO_ROOM)
        self._connection = connection
        if number:
            return ConnectionFailed(os.strerror(number), number)
        if meets_itself(connection, self._target.connect_port):
            return ConnectionFailed(os.strerror(errno.ECONNREFUSED), errno.ECONNREFUSED)
        connection.setsockopt(*_RECEIVE_ERRORS[connection.family], 1)
        return Connected(nonce)

    def send(self, data: bytes) -> CheckEvent | None:
        """Send one datagram, and listen."""
        connection = self._connection
        if connection is None:
            return None
        try:
            connection.send(data)
        except OSError as error:
            number = error.errno or errno.EIO
            if number in REFUSALS:
                return ConnectionFailed(os.strerror(number), number)
            return LocalFailure("send", os.strerror(number), number == errno.EAGAIN or number in NO_ROOM)
        self._attempts.add(self, connection, READABLE)
        return None

    def close(self) -> None:
        """Hear no more."""
        connection = self._connection
        if connection is not None:
            self._connection = None
            self._reactor.unwatch(connection.fileno())
            connection.close()

    def ready(self, connection: Connection, happened: int) -> None:  # noqa: ARG002 - reading tells of errors, too
        """An answer to a question, or an error; ours may be another one by now, or none."""
        if self._connection is connection:
            self._readable()
        self.wait(connection)

    def wait(self, connection: Connection) -> None:
        """It takes its time."""
        if self._connection is not connection:
            return
        try:
            self._reactor.watch(connection.fileno(), self._readable)
        except OSError as error:  # fs.epoll.max_user_watches, or memory
            self._tell(LocalFailure("watch", os.strerror(error.errno or errno.EIO), shared=True))
            return
        self._tell(Tick())

    def _draw(self) -> int:
        return int.from_bytes(os.urandom(8), "big")

    def _dial(self) -> tuple[Connection, int]:
        return dial(self._target, socket.SOCK_DGRAM)

    def _readable(self) -> None:
        if self._connection is None:
            return
        try:
            data = self._receive(self._connection)
        except BlockingIOError:
            return
        except OSError as error:
            number = error.errno or errno.EIO
            self._tell(ConnectionFailed(os.strerror(number), number))
            return
        self._tell(DataReceived(data))

    def _receive(self, connection: Connection) -> bytes:
        return connection.recv(self._limit)


class IcmpMessages(Datagrams):
    """A Transport of ICMP messages.

    The kernel's datagram sockets for it put in an identifier of their own and hand over the replies to it. Where
    ``net.ipv4.ping_group_range`` keeps them from us, a raw socket does, which is given the echo replies of the target
    alone; the identifier is then the low 16 bits of the nonce. The sysctl is left as it is.
    """

    __slots__ = ("_identifier", "_raw")

    def __init__(
        self, target: Target, reactor: Reactor, attempts: Attempts, tell: Callable[[CheckEvent], None]
    ) -> None:
        super().__init__(target, _LONGEST, reactor, attempts, tell)
        self._identifier = b""
        self._raw = False

    def _draw(self) -> int:
        nonce = super()._draw()
        self._identifier = (nonce & 0xFFFF).to_bytes(2, "big")
        return nonce

    def _dial(self) -> tuple[Connection, int]:
        version = self._target.connect_ip.version
        self._raw = False
        try:
            return dial(self._target, socket.SOCK_DGRAM, _ICMP[version])
        except DialError as error:
            if error.action != "create" or error.errno not in _NOT_FOR_US:
                raise
        self._raw = True
        connection, number = dial(self._target, socket.SOCK_RAW, _ICMP[version])
        connection.setsockopt(*_REPLIES_ALONE[version])
        return connection, number

    def _receive(self, connection: Connection) -> bytes:
        """Of the target alone: the kernel's datagram sockets hear others even when connected."""
        try:
            data, sender = connection.recvfrom(self._limit)
        except BlockingIOError:
            raise
        except OSError:
            if self._raw and self._is_of_another(connection):
                return b""
            raise
        target = self._target.connect_ip
        if sender[0] != socket.inet_ntop(connection.family, target.packed):
            return b""
        if not self._raw:
            return data
        message = icmp.behind_ip(data) if target.version == 4 else data
        return message if message[4:6] == self._identifier else b""

    def _is_of_another(self, connection: Connection) -> bool:
        """Whether the error that was told is about a message of another program (ping, traceroute) to the target: raw
        sockets hear of these as well. It leaves the queue with that; of the one behind it is told anew.
        """
        try:
            quoted = connection.recv(self._limit, socket.MSG_ERRQUEUE)
        except OSError:  # about none
            return False
        return quoted[4:6] != self._identifier
