"""The transport of TCP checks, over the loopback."""

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from pykeepalived.checkers.events import CheckEvent, Connected, ConnectionFailed
from pykeepalived.config.blocks.checkers import Target
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import BEAT
from pykeepalived.daemon.tcp_stream import TcpStream
from tests.support.fakes_lvs import SimulatedReactor

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def reactor() -> Iterator[SimulatedReactor]:
    reactor = SimulatedReactor()
    yield reactor
    reactor.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize("ended_before", [False, True])
def test_a_connection_that_is_reset_before_it_is_looked_at_did_stand(
    reactor: SimulatedReactor, listener: socket.socket, ended_before: bool
) -> None:
    told: list[CheckEvent] = []
    target = Target(ip_address("127.0.0.1"), listener.getsockname()[1])
    stream = TcpStream(target, reactor, Attempts(reactor), told.append)
    assert stream.open() is None
    accepted, _ = listener.accept()
    if ended_before:
        accepted.shutdown(socket.SHUT_WR)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    accepted.close()
    reactor.run_for(3 * BEAT)
    assert told == [Connected()]
    stream.close()


def test_a_connection_to_itself_is_none(reactor: SimulatedReactor) -> None:
    told: list[CheckEvent] = []
    ours, port = ip_address("127.0.0.77"), 54321  # where nobody listens
    stream = TcpStream(Target(ours, port, bindto=ours, bind_port=port), reactor, Attempts(reactor), told.append)
    assert stream.open() is None
    reactor.run_for(3 * BEAT)
    assert told == [ConnectionFailed("Connection refused")]
    stream.close()
