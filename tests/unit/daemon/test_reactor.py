"""The loop: alarms that move, sockets before alarms, faults that stay with their owner, and how late it is."""

import os
import socket
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from statistics import median

import pytest

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.units import MICROSECOND, MILLISECOND, SECOND


class Loop:
    """A reactor, and the faults that left its callbacks."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.reactor = Reactor(self.faults.append)
        self.said: list[str] = []

    def run_for(self, length: int) -> None:
        end = self.reactor.alarm(self.reactor.stop)
        end.set(self.reactor.now() + length)
        self.reactor.run()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.reactor.close()


def test_alarms_ring_in_order_and_once(loop: Loop) -> None:
    reactor = loop.reactor
    now = reactor.now()
    for word, due in (("c", 3), ("a", 1), ("b", 2)):
        reactor.alarm(lambda word=word: loop.said.append(word)).set(now + due * MILLISECOND)  # type: ignore[misc]
    loop.run_for(10 * MILLISECOND)
    assert loop.said == ["a", "b", "c"]


def test_an_alarm_that_moves_rings_at_its_last_place_only(loop: Loop) -> None:
    reactor = loop.reactor
    rung: list[int] = []
    now = reactor.now()
    alarm = reactor.alarm(lambda: rung.append(reactor.now() - now))
    for due in (5, 1, 8, 3):
        alarm.set(now + due * MILLISECOND)
    loop.run_for(20 * MILLISECOND)
    assert len(rung) == 1
    assert rung[0] >= 3 * MILLISECOND


def test_a_cleared_alarm_is_silent_and_can_be_set_again(loop: Loop) -> None:
    reactor = loop.reactor
    alarm = reactor.alarm(lambda: loop.said.append("rung"))
    alarm.set(reactor.now() + MILLISECOND)
    alarm.set(None)
    loop.run_for(5 * MILLISECOND)
    assert loop.said == []
    alarm.set(reactor.now())
    loop.run_for(MILLISECOND)
    assert loop.said == ["rung"]


def test_an_alarm_moved_a_million_times_takes_no_memory(loop: Loop) -> None:
    alarm = loop.reactor.alarm(lambda: None)
    now = loop.reactor.now()
    for number in range(100_000):
        alarm.set(now + SECOND + number)
    assert len(loop.reactor._heap) == 1


def test_an_alarm_set_from_its_own_callback_does_not_starve_the_sockets(loop: Loop) -> None:
    reactor = loop.reactor
    ours, theirs = socket.socketpair()
    alarm = reactor.alarm(lambda: alarm.set(0))  # always due
    alarm.set(0)
    reactor.watch(ours.fileno(), reactor.stop)
    theirs.send(b"x")
    reactor.run()
    reactor.unwatch(ours.fileno())
    ours.close()
    theirs.close()


def test_sockets_are_read_before_an_expired_alarm_is_believed(loop: Loop) -> None:
    reactor = loop.reactor
    ours, theirs = socket.socketpair()
    down = reactor.alarm(lambda: loop.said.append("master is down"))

    def heard() -> None:
        ours.recv(10)
        loop.said.append("advert")
        down.set(reactor.now() + SECOND)

    reactor.watch(ours.fileno(), heard)
    down.set(reactor.now())
    theirs.send(b"x")  # arrived while we were held up, and the deadline passed
    reactor.turn()
    assert loop.said == ["advert"]
    reactor.unwatch(ours.fileno())
    ours.close()
    theirs.close()


def test_soon_runs_after_the_sockets_and_may_ask_again(loop: Loop) -> None:
    reactor = loop.reactor
    ours, theirs = socket.socketpair()
    reactor.watch(ours.fileno(), lambda: loop.said.append(ours.recv(1).decode()))

    def work(left: int) -> None:
        loop.said.append(f"work {left}")
        if left:
            reactor.soon(lambda: work(left - 1))

    reactor.soon(lambda: work(1))
    theirs.send(b"x")
    reactor.turn()
    theirs.send(b"y")
    reactor.turn()
    assert loop.said == ["x", "work 1", "y", "work 0"]
    reactor.unwatch(ours.fileno())
    ours.close()
    theirs.close()


def test_a_fault_stays_with_its_owner(loop: Loop) -> None:
    reactor = loop.reactor

    def fail() -> None:
        raise ValueError("mine")

    reader, writer = os.pipe()

    def read_and_fail() -> None:
        os.read(reader, 1)
        fail()

    reactor.watch(reader, read_and_fail)
    os.write(writer, b"x")
    reactor.soon(fail)
    reactor.alarm(fail).set(reactor.now())
    reactor.alarm(lambda: loop.said.append("other")).set(reactor.now())
    loop.run_for(2 * MILLISECOND)
    assert len(loop.faults) == 3
    assert loop.said == ["other"]
    reactor.unwatch(reader)
    os.close(reader)
    os.close(writer)


def test_a_callback_may_take_another_ones_descriptor_away(loop: Loop) -> None:
    reactor = loop.reactor
    pairs = [socket.socketpair() for _ in range(2)]

    def first_come() -> None:
        loop.said.append("one")
        for ours, _ in pairs:
            reactor.unwatch(ours.fileno())

    for ours, theirs in pairs:
        reactor.watch(ours.fileno(), first_come)
        theirs.send(b"x")
    reactor.turn()
    assert loop.said == ["one"]
    for pair in pairs:
        for each in pair:
            each.close()


def test_what_was_ready_is_not_told_of_another_one_with_the_same_number(loop: Loop) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    others: list[tuple[socket.socket, socket.socket]] = []

    def take_the_other_away(mine: int) -> None:
        loop.said.append("one")
        ours, theirs = pairs[1 - mine]
        number = ours.fileno()
        loop.reactor.unwatch(number)
        ours.close()
        others.append(socket.socketpair())
        fresh = next(each for each in others[0] if each.fileno() == number)  # the kernel gives the lowest number
        loop.reactor.watch(number, lambda: loop.said.append(repr(fresh.recv(1, socket.MSG_DONTWAIT))))
        theirs.close()

    for mine, (ours, theirs) in enumerate(pairs):
        loop.reactor.watch(ours.fileno(), partial(take_the_other_away, mine))
        theirs.send(b"x")
    loop.reactor.turn()
    assert (loop.said, loop.faults) == (["one"], [])
    for pair in (*pairs, *others):
        for each in pair:
            each.close()


def test_a_loop_that_was_held_up_hears_every_socket_before_it_believes_a_deadline(loop: Loop) -> None:
    """Far more than are read in one turn; each server answered in time."""
    reactor = loop.reactor
    pairs = [socket.socketpair() for _ in range(300)]
    judged_down: list[int] = []

    def heard(number: int) -> None:
        pairs[number][0].recv(10)
        alarms[number].set(None)

    alarms = [reactor.alarm(partial(judged_down.append, number)) for number in range(len(pairs))]
    due_at = reactor.now() - SECOND
    for number, (ours, theirs) in enumerate(pairs):
        reactor.watch(ours.fileno(), partial(heard, number))
        alarms[number].set(due_at - number)  # whoever is heard last is the first to be judged
        theirs.send(b"x")
    for _ in range(10):
        reactor.soon(lambda: None)
        reactor.turn()
    assert judged_down == []
    for pair in pairs:
        reactor.unwatch(pair[0].fileno())
        for each in pair:
            each.close()


def test_what_the_other_side_closed_is_readable(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    loop.reactor.watch(ours.fileno(), lambda: loop.said.append(repr(ours.recv(1))))
    theirs.close()
    loop.reactor.turn()
    assert loop.said == ["b''"]
    loop.reactor.unwatch(ours.fileno())
    ours.close()


def test_writable_only_while_watched(loop: Loop) -> None:
    ours, theirs = socket.socketpair()

    def written() -> None:
        loop.said.append("writable")
        loop.reactor.watch(ours.fileno(), lambda: None)

    loop.reactor.watch(ours.fileno(), lambda: None, written)
    loop.run_for(3 * MILLISECOND)
    assert loop.said == ["writable"]
    loop.reactor.unwatch(ours.fileno())
    ours.close()
    theirs.close()


def test_waits_are_never_early_and_mostly_exact(loop: Loop) -> None:
    reactor = loop.reactor
    late: list[int] = []
    for number in range(40):
        due = reactor.now() + MILLISECOND * 3 + number * 37_000
        alarm = reactor.alarm(reactor.stop)
        alarm.set(due)
        reactor.run()
        late.append(reactor.now() - due)
    assert min(late) >= 0
    assert sorted(late)[len(late) // 4] < 2 * MILLISECOND  # a busy machine delays some


def test_what_comes_thick_and_fast_is_handled_together(loop: Loop) -> None:
    reactor = loop.reactor
    ours, theirs = socket.socketpair()
    theirs.send(b"!")  # never read: ready in every turn
    turns: list[int] = []
    reactor.watch(ours.fileno(), lambda: turns.append(reactor.now()))
    loop.run_for(30 * MILLISECOND)
    ours.close()
    theirs.close()
    assert 2 <= len(turns) <= 61
    # one turn may come late on a busy machine, and the next is then the nearer to it
    assert median(after - before for before, after in pairwise(turns)) > 400 * MICROSECOND


def test_a_loop_that_stood_still_tells_it_before_it_believes_a_deadline() -> None:
    """Also when it stops in the midst of its alarms."""
    told: list[str] = []
    faults: list[Exception] = []
    reactor = Reactor(faults.append)

    def rest(name: str) -> None:
        told.append(name)
        if name == "first":
            time.sleep(0.2)

    for name in ("first", "second"):
        reactor.alarm(partial(rest, name)).set(reactor.now())
    reactor.tell_stalls(50 * MILLISECOND, lambda length: told.append(f"stall {length // (100 * MILLISECOND)}"))
    reactor.turn()
    assert told == ["first"]
    reactor.turn()
    assert told == ["first", "stall 2", "second"]
    reactor.tell_stalls(0, None)
    time.sleep(0.1)
    reactor.soon(lambda: told.append("soon"))
    reactor.turn()
    assert told[3:] == ["soon"]
    assert faults == []
    reactor.close()


def test_who_may_be_late_is_woken_once(loop: Loop) -> None:
    """A wait of milliseconds takes two wake-ups, unless a thousandth of it does not matter."""
    reactor = loop.reactor
    rung: list[int] = []
    reactor.may_be_late(100 * MILLISECOND)
    due_at = reactor.now() + 90 * MILLISECOND
    reactor.alarm(lambda: rung.append(reactor.now())).set(due_at)
    reactor.turn()
    assert [at >= due_at for at in rung] == [True]
