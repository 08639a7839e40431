"""The transport of plain TCP checks: a non-blocking connection, and how it is waited for."""

import errno
import os
import socket
from collections.abc import Callable

from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    LocalFailure,
    PeerClosed,
)
from pykeepalived.config.blocks.checkers import Target
from pykeepalived.daemon.attempts import BROKEN, ENDED, READABLE, WRITABLE, Attempts
from pykeepalived.daemon.connections import Connection, DialError, dial, meets_itself
from pykeepalived.daemon.reactor import Callback, Reactor
from pykeepalived.errors import NO_ROOM
from pykeepalived.events import Tick

_CHUNK = 65536
_HUNG_UP = (errno.ECONNRESET, errno.EPIPE)  # before it stood this would be ECONNREFUSED

# made once: thousands of checks a second share them
_CONNECTED = Connected()
_CLOSED = PeerClosed()
_TICK = Tick()


class TcpStream:
    """A Transport: a connection to a target."""

    __slots__ = (
        "_attempts",
        "_connected",
        "_connection",
        "_looked",
        "_reactor",
        "_target",
        "_tell",
        "_unsent",
        "_watched",
    )

    def __init__(
        self, target: Target, reactor: Reactor, attempts: Attempts, tell: Callable[[CheckEvent], None]
    ) -> None:
        self._reactor = reactor
        self._attempts = attempts
        self._tell = tell
        self._target = target
        self._connection: Connection | None = None
        self._connected = False
        self._looked = False  # for an answer, once
        self._watched = False  # by the reactor
        self._unsent = b""

    def open(self) -> CheckEvent | None:
        """Connect."""
        try:
            connection, number = dial(self._target)
        except DialError as error:
            return LocalFailure(error.action, os.strerror(error.errno), error.errno in NO_ROOM)
        self._connection = connection
        self._connected = not number
        if number == errno.EINPROGRESS:
            self._attempts.add(self, connection, WRITABLE)
            return None
        return ConnectionFailed(os.strerror(number)) if number else _CONNECTED

    def send(self, data: bytes) -> CheckEvent | None:
        """Send, after what is not sent yet; then read."""
        self._unsent += data
        return self._send()

    def close(self) -> None:
        """Hang up, and forget what was not sent."""
        connection = self._connection
        if connection is None:
            return
        self._connection = None
        if self._watched:
            self._watched = False
            self._reactor.unwatch(connection.fileno())
        self._unsent = b""
        connection.close()

    def ready(self, connection: Connection, happened: int) -> None:
        """What was begun has come to something, a connection or an answer; or there is room to send more."""
        if self._connection is not connection:
            return
        if not self._connected:
            self._decided(_error(connection) if happened & BROKEN else 0)
        elif self._unsent:
            self._writable()
        else:
            self._look_for_answer(connection, ended=happened & (ENDED | BROKEN) == ENDED)

    def wait(self, connection: Connection) -> None:
        """It takes its time."""
        if self._connection is not connection or self._watched:
            return
        try:
            if self._connected and not self._unsent:
                self._watch(connection, self._readable, None)
            else:
                self._watch(connection, None, self._writable)
        except OSError as error:  # fs.epoll.max_user_watches, or memory
            self._tell(LocalFailure("watch", os.strerror(error.errno or errno.EIO), shared=True))
            return
        self._tell(_TICK)

    def _decided(self, number: int) -> None:
        """The attempt has ended, one way or the other. What ends it from now on is not of our machine: a firewall on
        the way may say whatever ICMP has. One that was reset before it was looked at did stand.
        """
        if number and number not in _HUNG_UP:
            self._tell(ConnectionFailed(os.strerror(number)))
        elif self._connection is not None and meets_itself(self._connection, self._target.connect_port):
            self._tell(ConnectionFailed(os.strerror(errno.ECONNREFUSED)))
        else:
            self._connected = True
            self._tell(_CONNECTED)

    def _watch(self, connection: Connection, readable: Callback | None, writable: Callback | None) -> None:
        self._reactor.watch(connection.fileno(), readable, writable)
        self._watched = True

    def _send(self) -> CheckEvent | None:
        connection = self._connection
        if connection is None:
            return None
        try:
            sent = connection.send(self._unsent, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            return ConnectionFailed(os.strerror(error.errno or errno.EIO))
        self._unsent = self._unsent[sent:]
        if not self._watched:
            self._attempts.add(self, connection, WRITABLE if self._unsent else READABLE)
        elif self._unsent:
            self._watch(connection, None, self._writable)
        else:
            self._watch(connection, self._readable, None)
        return None

    def _writable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        if not self._connected:
            self._decided(_error(connection))
            return
        event = self._send()
        if event is not None:
            self._tell(event)

    def _look_for_answer(self, connection: Connection, *, ended: bool) -> None:
        """Most answers have come whole by now, or at once. Of the others the reactor tells."""
        size = self._read(connection)
        if ended and 0 < size < _CHUNK and self._connection is connection:
            self._tell(_CLOSED)  # that was all
        if self._connection is not connection or self._watched:
            return
        if self._looked:
            self.wait(connection)
        else:
            self._looked = True
            self._attempts.add(self, connection, READABLE)

    def _readable(self) -> None:
        """One piece a turn, so that a server that floods us delays nobody."""
        if self._connection is not None:
            self._read(self._connection)

    def _read(self, connection: Connection) -> int:
        """Tell the next piece; its size."""
        try:
            data = connection.recv(_CHUNK)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._tell(ConnectionFailed(os.strerror(error.errno or errno.EIO)))
            return 0
        self._tell(DataReceived(data) if data else _CLOSED)
        return len(data)


def _error(connection: Connection) -> int:
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
