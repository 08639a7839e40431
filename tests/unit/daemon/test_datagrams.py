"""The transport of UDP checks, over the loopback."""

import errno
from ipaddress import ip_address

from pykeepalived.checkers.events import CheckEvent, ConnectionFailed
from pykeepalived.config.blocks.checkers import Target
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.datagrams import Datagrams
from tests.support.fakes_lvs import SimulatedReactor


def test_one_that_would_hear_what_it_sends_is_refused() -> None:
    told: list[CheckEvent] = []
    reactor = SimulatedReactor()
    ours, port = ip_address("127.0.0.77"), 54321  # where nobody listens
    target = Target(ours, port, bindto=ours, bind_port=port)
    datagrams = Datagrams(target, 100, reactor, Attempts(reactor), told.append)
    assert datagrams.open() == ConnectionFailed("Connection refused", errno.ECONNREFUSED)
    assert told == []
    datagrams.close()
    reactor.close()
