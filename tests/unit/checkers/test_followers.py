"""FILE_CHECK and BFD_CHECK: what a number and a session mean to a server."""

import pytest

from pykeepalived.checkers.effects import FollowerEffect, ServerJudged, ServerWeighed
from pykeepalived.checkers.followers import BfdFollower, FileFollower, product
from pykeepalived.config.blocks.checkers import BfdCheck, FileCheck
from pykeepalived.config.kinds_trackers import Weight
from pykeepalived.effects import Log
from tests.support.names import Names

RS, VS = "[127.0.0.11]:tcp:80", "[10.9.0.100]:tcp:80"
NAMES = Names(RS, RS, VS)
LEAST, MOST = -(1 << 31), (1 << 31) - 1
FAULT, OVER = f"({RS}): tracked file f now FAULT state", f"({RS}): tracked file f leaving FAULT state"


def told(effects: list[FollowerEffect]) -> list[str]:
    lines = []
    for effect in effects:
        match effect:
            case Log():
                lines.append(effect.message)
            case ServerWeighed(offset, silent):
                lines.append(f"weight {offset:+}{' silently' if silent else ''}")
            case ServerJudged(up, changed):
                lines.append(f"{'up' if up else 'down'}{'' if changed else ' as before'}")
    return lines


@pytest.mark.keyword("virtual_server.real_server.FILE_CHECK.weight")
@pytest.mark.parametrize(
    ("weight", "number", "value"),
    [
        (Weight(3), 2, 6),
        (Weight(3), -4, -12),
        (Weight(3, reverse=True), 2, -6),
        (Weight(-3), 2, -6),
        (Weight(1), LEAST, LEAST),
        (Weight(1), LEAST + 1, LEAST + 1),
        (Weight(3), LEAST + 1, LEAST),
        (Weight(3), MOST, MOST),
        (Weight(-1), LEAST, MOST),
        (Weight(0), 0, 0),
        (Weight(0), -9, LEAST),
        (Weight(0, reverse=True), 0, LEAST),
        (Weight(0, reverse=True), 1, 0),
    ],
)
def test_what_a_number_comes_to(weight: Weight, number: int, value: int) -> None:
    """The least is a fault. As keepalived 2.2.7 had it with these files."""
    assert product(FileCheck(track_file="f", weight=weight), number) == value


@pytest.mark.keyword("virtual_server.real_server.FILE_CHECK.track_file")
def test_a_file_moves_the_weight_and_takes_the_server_down() -> None:
    follower = FileFollower(FileCheck(track_file="f", weight=Weight(3)), NAMES, 2)
    assert (follower.up, follower.offset) == (True, 6)
    assert told(follower.told(-1, 0)) == ["weight -3"]
    assert told(follower.told(-1, 0)) == []
    assert told(follower.told(LEAST, 0)) == [FAULT, "down"]
    assert told(follower.told(LEAST + 1, 0)) == []
    # it comes back with its weight
    assert told(follower.told(5, 7)) == ["weight +15 silently", OVER, "up"]
    report = follower.report()
    assert (report.result, report.last_run_at, report.due_at) == ("track_file f says 5: weight +15", 7, None)


def test_without_a_weight_a_number_is_a_fault() -> None:
    follower = FileFollower(FileCheck(track_file="f", weight=Weight(0)), NAMES, 1)
    assert (follower.up, follower.offset) == (False, 0)
    assert follower.report().result == "track_file f says 1: down"
    assert told(follower.told(0, 0)) == [OVER, "up"]
    assert told(follower.told(-9, 0)) == [FAULT, "down"]
    assert told(follower.told(3, 0)) == []


@pytest.mark.keyword("virtual_server.real_server.BFD_CHECK.name")
def test_a_session_is_the_server() -> None:
    follower = BfdFollower(BfdCheck(name="b"), NAMES, None)
    assert (follower.up, follower.has_run, follower.report().result) == (True, False, "not run yet")
    assert told(follower.told(False, 0)) == [f"BFD check of [b] RS({RS}) is DOWN", "down"]
    assert told(follower.told(False, 0)) == []
    assert told(follower.told(True, 0)) == [f"BFD check of [b] RS({RS}) is UP", "up"]
    assert follower.report().result == "session b is up"


@pytest.mark.keyword("virtual_server.real_server.BFD_CHECK.alpha")
def test_a_session_of_which_nobody_told_leaves_the_server_as_it_starts() -> None:
    follower = BfdFollower(BfdCheck(name="b", alpha=True), NAMES, None)
    assert not follower.up
    assert told(follower.told(False, 0)) == [f"BFD check of [b] RS({RS}) is DOWN", "down as before"]
    assert told(follower.told(True, 0)) == [f"BFD check of [b] RS({RS}) is UP", "up"]


def test_what_was_told_is_known_to_the_next() -> None:
    assert BfdFollower(BfdCheck(name="b", alpha=True), NAMES, True).up
    first = BfdFollower(BfdCheck(name="b"), NAMES, None)
    assert not BfdFollower(BfdCheck(name="b"), NAMES, False, first).up
    first.told(False, 5)
    after = BfdFollower(BfdCheck(name="b"), NAMES, None, first)
    assert (after.up, after.has_run, after.report().last_run_at) == (False, True, 5)
