"""The control socket: what is refused, order, descriptors, and the end of the other side."""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.channel import Channel, decode, encode, pair
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.script_client import ScriptClient
from pykeepalived.errors import ProcessError
from pykeepalived.events import ScriptExited
from pykeepalived.units import SECOND
from tests.support.descriptors import descriptors_left
from tests.support.fakes_lvs import FakeJournal

RUN: dict[str, Any] = {
    "type": "run",
    "id": 1,
    "argv": ["/bin/true"],
    "uid": 0,
    "gid": 0,
    "groups": [1],
    "arguments": ["a"],
    "timeout": None,
    "answer": True,
}


SIDES: list["Side"] = []


class Side:
    """One end that notes what it hears."""

    def __init__(self, reactor: Reactor, end: socket.socket) -> None:
        self.heard: list[tuple[dict[str, Any], int | None]] = []
        self.ended = 0
        self.refused: list[str] = []
        SIDES.append(self)
        self.channel = Channel(
            reactor,
            end,
            lambda message, descriptor: self.heard.append((message, descriptor)),
            self._end,
            self.refused.append,
        )

    def _end(self) -> None:
        self.ended += 1


def raises(error: Exception) -> None:
    raise error


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor(raises)
    yield reactor
    while SIDES:
        SIDES.pop().channel.close()
    reactor.close()


def test_a_message_comes_through_whole() -> None:
    assert decode(encode(RUN)) == RUN


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b"{}",
        b'{"type":"none"}',
        b'{"type":["run"]}',
        b'{"type":"ready","more":1}',
        b'{"type":"ping"}',
        b'{"type":"ping","number":"1"}',
        b'{"type":"ping","number":true}',
        b'{"type":"ping","number":1.5}',
        b'{"type":"status","text":null}',
        b'{"type":"fifo","line":["x"]}',
        b'{"type":"bfd","name":"x","up":1}',
        b'{"type":"bfd","up":true}',
        json.dumps(RUN | {"argv": "sh -c x"}).encode(),
        json.dumps(RUN | {"argv": ["x", 1]}).encode(),
        json.dumps(RUN | {"groups": [True]}).encode(),
        json.dumps(RUN | {"uid": None}).encode(),
        b"[" * 100_000,
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ProcessError):
        decode(data)


def test_order_is_kept_while_the_other_side_does_not_read(reactor: Reactor) -> None:
    ours, theirs = pair()
    side = Side(reactor, ours)
    for number in range(2000):
        assert side.channel.send({"type": "ping", "number": number})
    other = Side(reactor, theirs)
    for _ in range(2000):
        reactor.soon(lambda: None)
        reactor.turn()
        if len(other.heard) == 2000:
            break
    assert [message["number"] for message, _ in other.heard] == list(range(2000))


def test_what_waits_is_bounded(reactor: Reactor) -> None:
    ours, theirs = pair()
    side = Side(reactor, ours)
    sent = 0
    while side.channel.send({"type": "ping", "number": sent}) and sent < 200_000:
        sent += 1
    assert 1000 < sent < 200_000
    theirs.close()


class Short(socket.socket):
    """An end for whose messages the kernel has no memory, so many times."""

    refusals: list[int]

    def sendmsg(self, *arguments: Any) -> int:
        if self.refusals:
            number = self.refusals.pop()
            raise OSError(number, os.strerror(number))
        return super().sendmsg(*arguments)


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.ENOMEM])
def test_what_the_kernel_has_no_memory_for_arrives_when_it_has(reactor: Reactor, number: int) -> None:
    """A ping that is lost would be the last one: systemd's watchdog would end the daemon."""
    ours, theirs = pair()
    short = Short(fileno=ours.detach())
    short.refusals = [number] * 5
    side, other = Side(reactor, short), Side(reactor, theirs)
    for each in range(3):
        assert side.channel.send({"type": "ping", "number": each})
    for _ in range(20):
        reactor.soon(lambda: None)
        reactor.turn()
    assert [message["number"] for message, _ in other.heard] == [0, 1, 2]
    assert not side.channel._waiting


def test_a_message_too_long_is_not_sent(reactor: Reactor) -> None:
    ours, theirs = pair()
    side = Side(reactor, ours)
    assert not side.channel.send({"type": "status", "text": "x" * 70_000})
    theirs.close()


def test_a_descriptor_travels_along(reactor: Reactor) -> None:
    ours, theirs = pair()
    side, other = Side(reactor, ours), Side(reactor, theirs)
    file = os.memfd_create("test")
    os.write(file, b"words")
    assert side.channel.send({"type": "reload"}, file)
    os.close(file)
    reactor.turn()
    ((message, descriptor),) = other.heard
    assert message == {"type": "reload"}
    assert descriptor is not None
    assert os.pread(descriptor, 10, 0) == b"words"
    os.close(descriptor)


def test_a_descriptor_that_cannot_wait_is_not_sent(reactor: Reactor) -> None:
    ours, theirs = pair()
    side = Side(reactor, ours)
    while not side.channel._waiting:
        assert side.channel.send({"type": "ping", "number": 1})
    file = os.memfd_create("test")
    with descriptors_left(0):
        assert not side.channel.send({"type": "reload"}, file)
    assert side.channel.send({"type": "reload"}, file)
    os.close(file)
    theirs.close()


def test_a_strange_message_is_told_and_the_next_one_heard(reactor: Reactor) -> None:
    ours, theirs = pair()
    other = Side(reactor, theirs)
    ours.send(b"nonsense")
    ours.send(encode({"type": "ready"}))
    reactor.turn()
    assert len(other.refused) == 1
    assert [message["type"] for message, _ in other.heard] == ["ready"]
    ours.close()


def test_last_words_are_heard_before_the_end(reactor: Reactor) -> None:
    ours, theirs = pair()
    side = Side(reactor, ours)
    side.channel.send({"type": "ping", "number": 1})  # never read: its end resets the connection
    theirs.send(encode({"type": "ready"}))
    theirs.send(encode({"type": "reloaded", "whole": True}))
    theirs.close()
    side.channel.drain()
    assert [message["type"] for message, _ in side.heard] == ["ready", "reloaded"]
    assert side.ended == 1
    assert not side.channel.send({"type": "ping", "number": 2})


def test_what_waits_is_given_away_before_the_end(reactor: Reactor) -> None:
    ours, theirs = pair()
    side = Side(reactor, ours)
    for number in range(2000):
        assert side.channel.send({"type": "ping", "number": number})
    begin = time.monotonic_ns()
    side.channel.flush(SECOND // 20)  # nobody reads
    assert SECOND // 20 <= time.monotonic_ns() - begin < SECOND
    pid = os.fork()
    if pid == 0:  # the other side
        try:
            ours.close()
            heard = sum(1 for _ in iter(lambda: theirs.recv(65536), b""))
            os._exit(0 if heard == 2000 else 1)
        finally:
            os._exit(2)
    theirs.close()
    side.channel.flush(10 * SECOND)
    side.channel.close()
    assert os.waitpid(pid, 0)[1] == 0


def test_the_end_is_waited_for_at_any_descriptor(reactor: Reactor) -> None:
    """A process that is born amid a storm of scripts has a high one."""
    near, theirs = pair()
    with near:
        ours = socket.socket(fileno=fcntl.fcntl(near.fileno(), fcntl.F_DUPFD_CLOEXEC, 1100))
    side = Side(reactor, ours)
    for number in range(2000):
        assert side.channel.send({"type": "ping", "number": number})
    side.channel.flush(SECOND // 20)
    side.channel.close()
    side.channel.flush(SECOND // 20)
    theirs.close()


def test_what_thousands_of_servers_tell_in_one_turn_all_arrives(reactor: Reactor) -> None:
    ours, theirs = (Side(reactor, end) for end in pair())
    lines = [
        {"type": "fifo", "line": f"RS [10.0.0.1]:tcp:{number} VS [10.9.0.100]:tcp:80 UP"} for number in range(20_000)
    ]
    assert all(ours.channel.send(line) for line in lines)
    patience = time.monotonic() + 30
    while len(theirs.heard) < len(lines) and time.monotonic() < patience:
        reactor.turn()
    assert [message for message, _ in theirs.heard] == lines


def test_scripts_that_the_parent_does_not_take_are_told_once(reactor: Reactor) -> None:
    ours, theirs = (Side(reactor, end) for end in pair())
    journal = FakeJournal()
    client = ScriptClient(reactor, ours.channel, journal)
    client.run(Script(("/notify",)))
    assert journal.lines() == []
    ours.channel.close()
    for _ in range(3):
        client.run(Script(("/notify",)))
    assert journal.lines() == ["Script '/notify' and those after it are not run: the parent process does not take them"]
    theirs.channel.close()


def test_a_parent_that_is_gone_says_nothing_of_scripts(reactor: Reactor) -> None:
    """The process stops in good order; it must not fall into FAULT before, for a script that nobody can judge."""
    ours, theirs = (Side(reactor, end) for end in pair())
    client = ScriptClient(reactor, ours.channel, FakeJournal())
    ended: list[ScriptExited] = []
    client.run(Script(("/check",)), timeout=SECOND, on_exit=ended.append)
    theirs.channel.close()
    client.lost()
    ours.channel.close()
    client.run(Script(("/check",)), timeout=SECOND, on_exit=ended.append)
    reactor.soon(lambda: None)
    reactor.turn()
    assert [(each.status, each.signal, bool(each.obstacle)) for each in ended] == [(None, None, True)] * 2
