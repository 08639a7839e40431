"""Who is meant by a vrrp_track_process, as seen with keepalived 2.2.7, and when its quorum is believed."""

from typing import Any

import pytest

from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.effects import Log
from pykeepalived.trackers.process import Change, Effect, Pattern, ProcessTracker, QuorumBelieved
from pykeepalived.units import SECOND

NAME = b"sleep"


def line(*words: str) -> bytes:
    return b"".join(word.encode() + b"\0" for word in words)


@pytest.mark.keyword("vrrp_track_process.process", "vrrp_track_process.param_match", "vrrp_track_process.full_command")
@pytest.mark.parametrize(
    ("process", "options", "fits", "others"),
    [
        (("sleep",), {}, [line("/bin/sleep", "10"), line("x"), b""], []),
        (
            ("sleep",),
            {"full_command": True},
            [line("sleep"), line("sleep", "10")],
            [line("/bin/sleep"), line("sleepy"), b""],
        ),
        (
            ("sleep", "10"),
            {"param_match": "exact", "full_command": True},
            [line("sleep", "10")],
            [line("sleep"), line("sleep", "10", "20"), line("sleep", "100"), line("/bin/sleep", "10"), b""],
        ),
        (
            ("sleep", "10"),
            {"param_match": "partial", "full_command": True},
            [line("sleep", "10"), line("sleep", "10", "20")],
            [line("sleep", "100"), line("sleep", "20", "10"), b""],
        ),
        (
            ("sleep", "10"),
            {"param_match": "initial", "full_command": True},
            [line("sleep", "10"), line("sleep", "10", "20"), line("sleep", "100")],
            [line("sleep", "20", "10"), line("sleep"), b""],
        ),
    ],
)
def test_who_is_meant(
    process: tuple[str, ...], options: dict[str, Any], fits: list[bytes], others: list[bytes]
) -> None:
    pattern = Pattern(VrrpTrackProcess(name="p", process=process, **options))
    assert [pattern.fits(NAME, each) for each in fits] == [True] * len(fits)
    assert [pattern.fits(NAME, each) for each in others] == [False] * len(others)


def test_a_name_is_compared_whole() -> None:
    assert not Pattern(VrrpTrackProcess(name="p", process=("sleep",))).fits(b"sleepy", b"")
    assert not Pattern(VrrpTrackProcess(name="p", process=("/bin/sleep",))).fits(NAME, line("/bin/sleep"))


def tracker(count: int = 0, **options: Any) -> ProcessTracker:
    return ProcessTracker(VrrpTrackProcess(name="p", process=("p",), **options), set(range(1, count + 1)))


def said(effects: list[Effect]) -> list[str | bool]:
    return [each.message if isinstance(each, Log) else each.up for each in effects]


GAINED: list[str | bool] = ["Quorum gained for tracked process p", True]
LOST: list[str | bool] = ["Quorum lost for tracked process p", False]


@pytest.mark.keyword("vrrp_track_process.quorum")
def test_quorum() -> None:
    subject = tracker(1, quorum=2)
    assert not subject.up
    assert said(subject.appeared(2, Change.OTHER, 0)) == GAINED
    assert subject.appeared(3, Change.FORKED, 0) == []
    assert subject.appeared(3, Change.OTHER, 0) == []  # told twice, counted once
    assert subject.vanished(3, Change.ENDED, 0) == []
    assert subject.vanished(2, Change.ENDED, 0)[1] == QuorumBelieved(
        "p", up=False, cause="tracked process p quorum not achieved: 1 running, at least 2 wanted"
    )


@pytest.mark.keyword("vrrp_track_process.quorum_max")
def test_quorum_max() -> None:
    subject = tracker(1, quorum_max=1)
    assert subject.up
    assert said(subject.appeared(2, Change.OTHER, 0)) == LOST
    assert said(subject.vanished(1, Change.ENDED, 0)) == GAINED
    none = tracker(quorum=0, quorum_max=0)
    assert none.up
    assert said(none.appeared(1, Change.OTHER, 0)) == LOST


@pytest.mark.keyword("vrrp_track_process.fork_delay")
def test_a_fork_that_executes_something_else_is_no_gain() -> None:
    subject = tracker(1, quorum=2, fork_delay=SECOND)
    assert subject.appeared(2, Change.FORKED, 0) == []
    assert subject.deadline == SECOND
    assert subject.vanished(2, Change.OTHER, 5) == []
    assert subject.deadline is None
    assert subject.tick(SECOND) == []
    assert subject.appeared(3, Change.FORKED, 2 * SECOND) == []
    assert subject.tick(3 * SECOND - 1) == []
    assert said(subject.tick(3 * SECOND)) == GAINED
    # what executes the program counts at once, as does one that forked without a delay
    assert said(tracker(1, quorum=2, fork_delay=SECOND).appeared(2, Change.OTHER, 0)) == GAINED
    assert said(tracker(1, quorum=2).appeared(2, Change.FORKED, 0)) == GAINED


@pytest.mark.keyword("vrrp_track_process.terminate_delay")
def test_a_program_may_be_started_again_in_time() -> None:
    subject = tracker(1, terminate_delay=SECOND)
    assert subject.vanished(1, Change.ENDED, 0) == []
    assert subject.appeared(2, Change.OTHER, SECOND // 2) == []
    assert subject.tick(SECOND) == []
    assert subject.up
    assert subject.vanished(2, Change.ENDED, 2 * SECOND) == []
    assert said(subject.tick(3 * SECOND)) == LOST


def test_the_first_of_two_ends_begins_the_delay() -> None:
    subject = tracker(2, quorum=2, terminate_delay=SECOND)
    assert subject.vanished(1, Change.ENDED, 0) == []
    assert subject.vanished(2, Change.ENDED, SECOND - 1) == []
    assert said(subject.tick(SECOND)) == LOST
