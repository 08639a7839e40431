"""The transport of plain TCP checks: a non-blocking connection, and how it is waited for."""

import errno
import os
import socket
from collections.abc import Callable
from typing import Protocol

from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    LocalFailure,
    PeerClosed,
)
from pykeepalived.config.blocks.checkers import Target
from pykeepalived.daemon.beats import on_beat
from pykeepalived.daemon.connections import NO_DESCRIPTOR, REFUSALS, Connection, Dialer, DialError
from pykeepalived.daemon.reactor import Callback, Reactor

_CHUNK = 65536
_PIECES = 2  # an answer, and its end
_A_TURN = 64  # looked at before others get their turn
_UNDECIDED = (errno.EALREADY, errno.EINPROGRESS)

# made once: thousands of checks a second share them
_CONNECTED = Connected()
_CLOSED = PeerClosed()


class Attempt(Protocol):
    """What has begun something with a socket."""

    def look_at(self, connection: Connection) -> None:
        """See what has become of it."""


class Attempts:
    """Connections and questions begun in one beat are looked at in the next. By then nearly all are decided, with one
    system call each; only those that are not go to the reactor.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._alarm = reactor.alarm(self._look)
        self._begun: list[tuple[Attempt, Connection]] = []
        self._due: list[tuple[Attempt, Connection]] = []

    def add(self, attempt: Attempt, connection: Connection) -> None:
        """An attempt that is not decided yet."""
        if not self._begun:
            self._alarm.set(on_beat(self._reactor.now() + 1))
        self._begun.append((attempt, connection))

    def _look(self) -> None:
        begun, self._begun = self._begun, []
        waiting = bool(self._due)
        self._due += begun
        if not waiting:
            self._look_at_some()

    def _look_at_some(self) -> None:
        """After some of them others get their turn."""
        due = self._due
        try:
            for _ in range(min(_A_TURN, len(due))):
                attempt, connection = due.pop()
                attempt.look_at(connection)
        finally:  # one may have gone wrong; the others must not be taken for silent servers
            if due:
                self._reactor.soon(self._look_at_some)


class TcpStream:
    """A Transport: one connection at a time to one target."""

    __slots__ = ("_attempts", "_connected", "_connection", "_dialer", "_reactor", "_tell", "_unsent", "_watched")

    def __init__(
        self, target: Target, reactor: Reactor, attempts: Attempts, tell: Callable[[CheckEvent], None]
    ) -> None:
        self._reactor = reactor
        self._attempts = attempts
        self._tell = tell
        self._dialer = Dialer(target)
        self._connection: Connection | None = None
        self._connected = False
        self._watched = False  # by the reactor
        self._unsent = b""

    def open(self) -> CheckEvent | None:
        """Connect."""
        try:
            connection, number = self._dialer.dial()
        except DialError as error:
            return LocalFailure(error.action, os.strerror(error.errno), error.errno in NO_DESCRIPTOR)
        self._connection = connection
        self._connected = not number
        if number == errno.EINPROGRESS:
            self._attempts.add(self, connection)
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

    def look_at(self, connection: Connection) -> None:
        """What was begun in the beat before, a connection or an answer; ours may be another one by now, or none."""
        if self._connection is not connection:
            return
        if self._connected:
            self._look_for_answer(connection)
            return
        number = self._dialer.outcome(connection)
        if number in _UNDECIDED:
            self._watch(connection, None, self._writable)
        else:
            self._decided(number)

    def _decided(self, number: int) -> None:
        """The attempt has ended, one way or the other."""
        if not number:
            self._connected = True
            self._tell(_CONNECTED)
        elif number in REFUSALS:
            self._tell(ConnectionFailed(os.strerror(number)))
        else:
            self._tell(LocalFailure("connect", os.strerror(number)))

    def _watch(self, connection: Connection, readable: Callback | None, writable: Callback | None) -> None:
        self._watched = True
        self._reactor.watch(connection.fileno(), readable, writable)

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
        if self._unsent:
            self._watch(connection, None, self._writable)
        elif self._watched:
            self._watch(connection, self._readable, None)
        else:
            self._attempts.add(self, connection)
        return None

    def _writable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        if not self._connected:
            self._decided(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            return
        event = self._send()
        if event is not None:
            self._tell(event)

    def _look_for_answer(self, connection: Connection) -> None:
        """Most answers have come by now, and their end with them. Of the others the reactor tells."""
        for _ in range(_PIECES):
            if not self._read(connection) or self._connection is not connection:
                break
        if self._connection is connection and not self._watched:
            self._watch(connection, self._readable, None)

    def _readable(self) -> None:
        """One piece a turn, so that a server that floods us delays nobody."""
        if self._connection is not None:
            self._read(self._connection)

    def _read(self, connection: Connection) -> bool:
        """Tell the next piece; False: there is none yet."""
        try:
            data = connection.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            self._tell(ConnectionFailed(os.strerror(error.errno or errno.EIO)))
            return True
        self._tell(DataReceived(data) if data else _CLOSED)
        return True
