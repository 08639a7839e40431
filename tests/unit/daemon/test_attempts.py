"""What was begun with sockets is looked at together."""

import socket
from collections.abc import Iterator

import pytest

from pykeepalived.daemon.attempts import READABLE, Attempts
from pykeepalived.daemon.beats import BEAT
from pykeepalived.daemon.connections import Connection
from pykeepalived.units import MILLISECOND
from tests.support.fakes_lvs import SimulatedReactor


class Question:
    """Waits for an answer, and notes when it was told what."""

    def __init__(self, reactor: SimulatedReactor, trouble: Exception | None = None) -> None:
        self.connection, self.peer = socket.socketpair()
        self.told: list[tuple[str, int]] = []
        self._reactor = reactor
        self._start = reactor.now()
        self._trouble = trouble

    def ready(self, connection: Connection, happened: int) -> None:
        assert connection is self.connection
        self.told.append(("ready" if happened & READABLE else "broken", self._reactor.now() - self._start))
        if self._trouble is not None:
            raise self._trouble

    def wait(self, connection: Connection) -> None:
        assert connection is self.connection
        self.told.append(("wait", self._reactor.now() - self._start))

    def answer(self) -> None:
        self.peer.send(b"!")

    def close(self) -> None:
        self.connection.close()
        self.peer.close()


@pytest.fixture
def reactor() -> Iterator[SimulatedReactor]:
    reactor = SimulatedReactor()
    yield reactor
    reactor.close()


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        (0, ("ready", 0)),
        (1, ("ready", MILLISECOND)),
        (MILLISECOND, ("ready", MILLISECOND)),
        (MILLISECOND + 1, ("ready", BEAT)),
        (BEAT - 1, ("ready", BEAT)),
        (BEAT + 1, ("wait", BEAT)),
    ],
)
def test_when_an_answer_is_seen(reactor: SimulatedReactor, answered: int, told: tuple[str, int]) -> None:
    attempts, question, silent = Attempts(reactor), Question(reactor), Question(reactor)
    if answered:
        reactor.alarm(question.answer).set(reactor.now() + answered)
    else:
        question.answer()
    for each in (question, silent):
        attempts.add(each, each.connection, READABLE)
    reactor.run_for(3 * BEAT)
    assert question.told == [told]
    assert silent.told == [("wait", BEAT)]
    for each in (question, silent):
        each.close()


def test_who_has_hung_up_is_told_nothing(reactor: SimulatedReactor) -> None:
    attempts, gone, there = Attempts(reactor), Question(reactor), Question(reactor)
    attempts.add(gone, gone.connection, READABLE)
    gone.close()
    attempts.add(there, there.connection, READABLE)
    there.answer()
    reactor.run_for(BEAT)
    assert (gone.told, there.told) == ([], [("ready", 0)])
    there.close()


def test_one_that_goes_wrong_stops_no_other(reactor: SimulatedReactor) -> None:
    attempts = Attempts(reactor)
    questions = [Question(reactor), Question(reactor, ValueError("of this one")), Question(reactor)]
    for each in questions:
        attempts.add(each, each.connection, READABLE)
        each.answer()
    with pytest.raises(ValueError, match="of this one"):
        reactor.run_for(BEAT)
    reactor.run_for(BEAT)
    assert [len(each.told) for each in questions] == [1, 1, 1]
    for each in questions:
        each.close()
