"""Elections between keepalived and pykeepalived, in both roles: who is master, who says so, and who sent what when.

Each step asks both logs, both kernels' addresses and the wire. Lower bounds of time are the protocol's; upper bounds
only where they tell two rules apart by whole intervals.
"""

import pytest

from tests.interop.stage import Stage, rounds, stage
from tests.interop.wires import ALL, INSTANCE, QUICK, QUICK_6, V2_PASS, Wire
from tests.support.capture import now
from tests.support.director import Director

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

# A frame's time stamp and the daemon's idea of the instant differ by its own way to the kernel.
ALLOWANCE = 5_000_000

HIGH, LOW = 150, 100


def _first_master(on: Stage, director: Director, priority: int) -> None:
    """The first director starts alone: not master before its master-down interval, then in every respect."""
    mark = 0
    started_at = director.start()
    first = on.becomes_master(director, since=started_at, mark=mark, priority=priority)
    assert director.logged(f"({INSTANCE}) Entering BACKUP STATE (init)")
    assert first.at - started_at >= on.wire.master_down(priority) - ALLOWANCE


def _preempted(on: Stage, winner: Director, loser: Director) -> None:
    """A better director starts, waits, takes over; the other hears it, says whom it heard, and is silent from then on.

    A daemon that sends nothing never gets here: the loser only yields to an advert. One that does not listen would
    become master beside the other and leave it two masters: the loser's log and silence rule that out.
    """
    mark = loser.mark()
    started_at = winner.start()
    first = on.becomes_master(winner, since=started_at, mark=0, priority=HIGH)
    assert first.at - started_at >= on.wire.master_down(HIGH) - ALLOWANCE
    assert winner.logged(
        f"({INSTANCE}) received lower priority ({LOW}) advert from {on.wire.source(_number(on, loser))}"
    )
    loser.wait_log(f"advert from {first.source} with higher priority {HIGH}, ours {LOW}", since=mark)
    on.becomes_backup(loser, mark=mark)
    after = on.keeps_advertising(winner)
    assert not on.capture.adverts(loser.host.name, since=after), on.capture.story()
    yielded = [one.priority for one in on.capture.adverts(loser.host.name, since=first.at)]
    assert 0 not in yielded, "who yields to a better router does not resign"


def _number(on: Stage, director: Director) -> int:
    return 1 if director is on.left else 2


def _stops(on: Stage, leaver: Director, heir: Director) -> None:
    """A clean stop: priority 0 is the last word, and the heir waits its skew time only.

    A daemon that ignored priority 0 would come too, three intervals later: its log and, at whole seconds, the time say
    no. One that resigned without removing its addresses is caught by the kernel's list.
    """
    mark = heir.mark()
    stopped_at = now()
    assert leaver.stop() == 0
    farewell = on.capture.wait_advert(leaver.host.name, priority=0, since=stopped_at)
    first = on.becomes_master(heir, since=farewell.at, mark=mark, priority=LOW)
    heir.wait_log(f"({INSTANCE}) Backup received priority 0 advertisement", since=mark)
    assert first.at - farewell.at >= on.wire.skew(LOW) - ALLOWANCE
    if on.wire.advert_int >= 1_000_000_000:
        assert first.at - farewell.at < on.wire.master_down(LOW)
    farewells = [one.priority for one in on.capture.adverts(leaver.host.name, since=farewell.at)]
    assert farewells == [0], f"one farewell and then nothing, not {farewells}"
    for address in on.wire.addresses:
        assert not leaver.host.has(address)


def _crashes(on: Stage, victim: Director, heir: Director) -> None:
    """Every process killed and the cable pulled: no farewell, and the heir waits its whole master-down interval."""
    mark = heir.mark()
    crashed_at = victim.crash()
    victim.host.cables["eth0"].pull()
    first = on.becomes_master(heir, since=crashed_at, mark=mark, priority=LOW)
    assert heir.logged(f"({INSTANCE}) Receive advertisement timeout", since=mark)
    last = on.capture.adverts(victim.host.name)[-1]
    assert last.priority == HIGH, "a crash says no farewell"
    assert first.at - last.at >= on.wire.master_down(LOW) - ALLOWANCE
    assert victim.host.has(on.wire.address), "a crash leaves the address behind"
    victim.host.cables["eth0"].plug()


@rounds((V2_PASS, QUICK), ALL)
def test_better_router_takes_over_and_gives_back(wire: Wire, makes: tuple[str, str]) -> None:
    """Election, preemption, clean stop, crash, and the return with an address left behind by the crash."""
    with stage(wire, makes, wire.config(1, HIGH), wire.config(2, LOW)) as on:
        _first_master(on, on.right, LOW)
        _preempted(on, on.left, on.right)
        _stops(on, on.left, on.right)
        _preempted(on, on.left, on.right)
        _crashes(on, on.left, on.right)
        _preempted(on, on.left, on.right)
        assert on.right.stop() == 0
        on.alone(on.left, since=now())


@rounds((QUICK_6,), ALL)
def test_equal_priorities_are_decided_by_address(wire: Wire, makes: tuple[str, str]) -> None:
    """Two masters after a partition: the higher address stays, the lower yields; without one, the incumbent stays.

    A daemon that never compares addresses stays master (or yields on both sides); one that compares them as BACKUP
    would preempt the incumbent in the first step.
    """
    with stage(wire, makes, wire.config(1, LOW), wire.config(2, LOW)) as on:
        _first_master(on, on.left, LOW)
        on.right.start()
        on.right.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)")
        incumbent_since = on.keeps_advertising(on.left, count=10)
        on.alone(on.left, since=incumbent_since)
        assert on.right.states(INSTANCE) == ["BACKUP"], "an equal advert is obeyed, whatever its address"

        for director in (on.left, on.right):
            director.host.cables["eth0"].isolate()
        parted_at = now()
        mark_left, mark_right = on.left.mark(), 0
        on.becomes_master(on.right, since=parted_at, mark=mark_right, priority=LOW)
        on.keeps_advertising(on.left, count=3)
        mark_right = on.right.mark()

        for director in (on.left, on.right):
            director.host.cables["eth0"].join()
        joined_at = now()
        on.left.wait_log(
            f"advert from {wire.source(2)} with same priority {LOW} but higher IP address than ours", since=mark_left
        )
        on.becomes_backup(on.left, mark=mark_left)
        after = on.keeps_advertising(on.right)
        assert not on.capture.adverts(on.left.host.name, since=after), on.capture.story()
        assert on.right.host.has(wire.address)
        assert not on.right.logged(f"({INSTANCE}) Entering BACKUP STATE", since=mark_right)
        assert 0 not in {one.priority for one in on.capture.adverts(since=joined_at)}


@rounds((QUICK,), ALL)
def test_nopreempt_lets_the_lower_one_be(wire: Wire, makes: tuple[str, str]) -> None:
    """A better router with nopreempt keeps still while the other lives, takes over when it resigns, and is obeyed then.

    A daemon that sends nothing passes the first half, and fails the second.
    """
    with stage(wire, makes, wire.config(1, HIGH, "nopreempt"), wire.config(2, LOW)) as on:
        _first_master(on, on.right, LOW)
        on.left.start()
        on.left.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)")
        since = on.keeps_advertising(on.right, count=10)
        on.alone(on.right, since=since, count=10)
        assert on.left.states(INSTANCE) == ["BACKUP"]
        assert not on.left.host.has(wire.address)

        mark = on.left.mark()
        stopped_at = now()
        assert on.right.stop() == 0
        farewell = on.capture.wait_advert(on.right.host.name, priority=0, since=stopped_at)
        first = on.becomes_master(on.left, since=farewell.at, mark=mark, priority=HIGH)
        assert first.at - farewell.at >= wire.skew(HIGH) - ALLOWANCE

        on.right.start()
        on.right.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)")
        since = on.keeps_advertising(on.left, count=10)
        on.alone(on.left, since=since, count=10)
        assert on.right.states(INSTANCE) == ["BACKUP"]
