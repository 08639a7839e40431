"""One checker at work: its alarm, its connection, and the carrying of facts and orders between them."""

import errno
import os
import socket
from collections.abc import Callable

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import CloseConnection, OpenConnection, SendBytes, ServerJudged
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    LocalFailure,
    PeerClosed,
)
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.daemon.connections import NO_DESCRIPTOR, REFUSALS, Connection, Dialer, DialError
from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import MILLISECOND

_CHUNK = 65536

_BEAT = 8 * MILLISECOND
"""Deadlines are met at the next of these beats: checks that are due about together share a wake-up, which costs as much
as a check."""

# made once: thousands of checks a second share them
_TICK = Tick()
_CONNECTED = Connected()
_CLOSED = PeerClosed()


class Attempts:
    """Connections begun in one beat are looked at in the next. By then nearly all are decided, with one system call
    each; only those that are not go to the reactor.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._alarm = reactor.alarm(self._look)
        self._begun: list[tuple[CheckRun, Connection]] = []

    def add(self, run: "CheckRun", connection: Connection) -> None:
        """An attempt that is not decided yet."""
        if not self._begun:
            self._alarm.set(_on_beat(self._reactor.now() + 1))
        self._begun.append((run, connection))

    def _look(self) -> None:
        due, self._begun = self._begun, []
        try:
            while due:
                run, connection = due.pop()
                run.look_at(connection)
        finally:
            if due:  # one went wrong; the others must not be taken for silent servers
                self._begun += due
                self._alarm.set(_on_beat(self._reactor.now() + 1))


class CheckRun:
    """``judged`` is told verdicts, ``log`` lines, ``starved`` a want of descriptors or memory."""

    __slots__ = (
        "_alarm",
        "_attempts",
        "_connection",
        "_dialer",
        "_judged",
        "_log",
        "_reactor",
        "_starved",
        "_unsent",
        "block",
        "checker",
    )

    def __init__(
        self,
        reactor: Reactor,
        attempts: Attempts,
        block: CheckerBlock,
        checker: Checker,
        judged: Callable[[ServerJudged], None],
        log: Callable[[Log], None],
        starved: Callable[[int], None],
    ) -> None:
        self.block = block
        self.checker = checker
        self._reactor = reactor
        self._attempts = attempts
        self._judged = judged
        self._log = log
        self._starved = starved
        self._dialer = Dialer(block.target)
        self._connection: Connection | None = None
        self._unsent = b""
        self._alarm: Alarm | None = reactor.alarm(self._tick)
        self._alarm.set(_on_beat(checker.next_deadline()))

    def close(self) -> None:
        """End for good."""
        self._hang_up()
        if self._alarm is not None:
            self._alarm.set(None)
            self._alarm = None  # it knows us: no cycle may stay, for there is no collector

    def _tick(self) -> None:
        self._tell(_TICK)

    def _tell(self, first: CheckEvent) -> None:
        """Tell the checker a fact, and carry out what it orders."""
        event: CheckEvent | None = first
        now = self._reactor.now() // _BEAT * _BEAT  # what is counted from a beat falls on a beat
        while event is not None:
            fact, event = event, None
            for effect in self.checker.handle(fact, now):
                if isinstance(effect, OpenConnection):
                    event = self._dial()
                elif isinstance(effect, CloseConnection):
                    self._hang_up()
                elif isinstance(effect, SendBytes):
                    self._unsent = effect.data
                    event = self._send()
                elif isinstance(effect, ServerJudged):
                    self._judged(effect)
                else:
                    self._log(effect)
        if self._alarm is not None:
            self._alarm.set(_on_beat(self.checker.next_deadline()))

    def _dial(self) -> CheckEvent | None:
        try:
            connection, number = self._dialer.dial()
        except DialError as error:
            shared = error.errno in NO_DESCRIPTOR
            if shared:
                self._starved(error.errno)
            return LocalFailure(error.action, os.strerror(error.errno), shared)
        self._connection = connection
        if number == errno.EINPROGRESS:
            self._attempts.add(self, connection)
            return None
        return ConnectionFailed(os.strerror(number)) if number else _CONNECTED

    def _hang_up(self) -> None:
        connection = self._connection
        if connection is not None:
            self._connection = None
            self._reactor.unwatch(connection.fileno())
            connection.close()

    def look_at(self, connection: Connection) -> None:
        """An attempt of the beat before; ours may be another one by now, or none."""
        if self._connection is not connection:
            return
        number = self._dialer.outcome(connection)
        if number in (errno.EALREADY, errno.EINPROGRESS):
            self._reactor.watch(connection.fileno(), None, self._connected)
        else:
            self._decided(number)

    def _connected(self) -> None:
        """The attempt has ended, one way or the other."""
        if self._connection is None:
            return
        self._decided(self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _decided(self, number: int) -> None:
        if not number:
            self._tell(_CONNECTED)
        elif number in REFUSALS:
            self._tell(ConnectionFailed(os.strerror(number)))
        else:
            self._tell(LocalFailure("connect", os.strerror(number)))

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
            self._reactor.watch(connection.fileno(), None, self._writable)
        else:
            self._reactor.watch(connection.fileno(), self._readable)
        return None

    def _writable(self) -> None:
        event = self._send()
        if event is not None:
            self._tell(event)

    def _readable(self) -> None:
        """One piece a turn, so that a server that floods us delays nobody."""
        if self._connection is None:
            return
        try:
            data = self._connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._tell(ConnectionFailed(os.strerror(error.errno or errno.EIO)))
            return
        self._tell(DataReceived(data) if data else _CLOSED)


def _on_beat(instant: int) -> int:
    """The first beat that is not before it."""
    return -(-instant // _BEAT) * _BEAT
