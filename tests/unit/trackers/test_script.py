"""The rise and fall of a vrrp_script: what each result does to the belief, and when the next run is due."""

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.events import ScriptExited, Tick
from pykeepalived.trackers.script import RunTrackScript, ScriptBelieved, ScriptTracker
from pykeepalived.units import SECOND

NOW = 1_000 * SECOND


def script(
    rise: int = 1, fall: int = 1, *, init_fail: bool = False, interval: int = SECOND, timeout: int = 10 * SECOND
) -> VrrpScript:
    return VrrpScript(
        name="chk",
        script=Script(("/chk",)),
        rise=rise,
        fall=fall,
        init_fail=init_fail,
        interval=interval,
        timeout=timeout,
    )


def beliefs(tracker: ScriptTracker, results: str) -> str:
    """One letter a result: ``.`` success, ``x`` failure; the answer: the belief after each, ``?`` while unknown."""
    seen = ""
    for letter in results:
        tracker.handle(ScriptExited(0 if letter == "." else 1), NOW)
        seen += {None: "?", True: "u", False: "d"}[tracker.up]
    return seen


@pytest.mark.parametrize(
    ("rise", "fall", "results", "expected"),
    [
        (1, 1, ".x.x", "udud"),
        (2, 1, ".", "u"),  # the very first success is enough
        (3, 3, "x", "d"),  # and so is the very first failure
        (2, 1, "x.x..", "ddddu"),  # any failure starts the rise anew
        (1, 3, ".xx.xxx", "uuuuuud"),  # a success restores the whole fall
        (2, 2, ".xx..x.xx", "uudduuuud"),
        (3, 2, ".xx.x...", "uudddddu"),
    ],
)
def test_rise_and_fall(rise: int, fall: int, results: str, expected: str) -> None:
    assert beliefs(ScriptTracker(script(rise, fall)), results) == expected


def test_init_fail_starts_down_and_has_to_rise() -> None:
    tracker = ScriptTracker(script(3, 1, init_fail=True))
    assert tracker.up is False
    assert beliefs(tracker, "..x...") == "dddddu"


def test_lines_of_a_failure_with_fall_2() -> None:
    tracker = ScriptTracker(script(1, 2))
    said = [[str(getattr(effect, "message", effect)) for effect in tracker.handle(event, NOW)] for event in (
        ScriptExited(0), ScriptExited(1), ScriptExited(1), ScriptExited(1), ScriptExited(0),
    )]  # fmt: skip
    believed = ScriptBelieved("chk", up=True, cause="script chk succeeds")
    failed = ScriptBelieved("chk", up=False, cause="script chk exited with status 1")
    assert said == [
        ["VRRP_Script(chk) succeeded", str(believed)],
        ["Script `chk` now returning 1"],
        ["VRRP_Script(chk) failed (exited with status 1)", str(failed)],
        [],
        ["Script `chk` now returning 0", "VRRP_Script(chk) succeeded", str(believed)],
    ]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ScriptExited(None, signal=11), "VRRP_Script(chk) failed (due to signal 11)"),
        (ScriptExited(None, signal=15, timed_out=True), "VRRP_Script(chk) timed_out"),
        (ScriptExited(3, timed_out=True), "VRRP_Script(chk) failed (exited with status 3)"),
    ],
)
def test_how_a_script_may_fail(event: ScriptExited, line: str) -> None:
    tracker = ScriptTracker(script())
    assert line in [getattr(effect, "message", "") for effect in tracker.handle(event, NOW)]
    assert tracker.up is False


def test_a_script_that_traps_term_and_succeeds_is_up() -> None:
    tracker = ScriptTracker(script())
    tracker.handle(ScriptExited(0, timed_out=True), NOW)
    assert tracker.up is True


def test_an_end_that_nobody_knows_changes_nothing() -> None:
    tracker = ScriptTracker(script())
    unknown = ScriptExited(None, obstacle="Resource temporarily unavailable")
    assert tracker.start(NOW) == [RunTrackScript(tracker.script)]
    assert tracker.handle(unknown, NOW) == []
    assert tracker.up is None
    for status, up in ((0, True), (1, False)):
        assert tracker.handle(Tick(), tracker.next_deadline() or 0) == [RunTrackScript(tracker.script)]
        tracker.handle(ScriptExited(status), NOW)
        assert tracker.handle(Tick(), tracker.next_deadline() or 0) == [RunTrackScript(tracker.script)]
        assert tracker.handle(unknown, NOW) == []
        assert tracker.up is up


def test_runs_are_due_from_the_due_time() -> None:
    tracker = ScriptTracker(script())
    assert tracker.start(NOW) == [RunTrackScript(tracker.script)]
    assert tracker.next_deadline() == NOW + SECOND
    tracker.handle(ScriptExited(0), NOW + 1)
    assert tracker.handle(Tick(), NOW + SECOND - 1) == []
    assert tracker.handle(Tick(), NOW + SECOND + 5) == [RunTrackScript(tracker.script)]
    assert tracker.next_deadline() == NOW + 2 * SECOND


def test_after_a_stall_there_is_one_run() -> None:
    tracker = ScriptTracker(script())
    tracker.start(NOW)
    tracker.handle(ScriptExited(0), NOW)
    assert tracker.handle(Tick(), NOW + 10 * SECOND) == [RunTrackScript(tracker.script)]
    assert tracker.next_deadline() == NOW + 11 * SECOND


def test_an_overlapping_run_is_skipped() -> None:
    tracker = ScriptTracker(script())
    tracker.start(NOW)
    (line,) = tracker.handle(Tick(), NOW + SECOND)
    assert getattr(line, "message", "") == "Track script chk is already running, expect idle - skipping run"
    tracker.handle(ScriptExited(0), NOW + SECOND)
    assert tracker.handle(Tick(), NOW + 2 * SECOND) == [RunTrackScript(tracker.script)]


def test_a_hanging_run_is_followed_at_once() -> None:
    tracker = ScriptTracker(script(timeout=SECOND))
    tracker.start(NOW)
    assert tracker.handle(Tick(), NOW + SECOND) == []  # it is being ended just now
    late = NOW + SECOND + 3_000_000  # so long it took to end it
    effects = tracker.handle(ScriptExited(None, 15, timed_out=True), late)
    assert effects[-1] == RunTrackScript(tracker.script)
    assert tracker.next_deadline() == late + SECOND
    tracker.handle(ScriptExited(0), late)
    assert tracker.handle(Tick(), late + SECOND) == [RunTrackScript(tracker.script)]


@pytest.mark.parametrize(("status", "word"), [(0, "successful"), (1, "unsuccessful")])
def test_a_reload_keeps_the_belief(status: int, word: str) -> None:
    tracker = ScriptTracker(script(1, 5))
    tracker.start(NOW)
    tracker.handle(ScriptExited(status), NOW)
    (line,) = tracker.replace(script(3, 1, interval=SECOND // 2), NOW)
    assert getattr(line, "message", "") == f"VRRP_Script(chk) considered {word} on reload"
    assert tracker.up is (status == 0)
    assert tracker.next_deadline() == NOW + SECOND // 2
    assert beliefs(tracker, "x" if status == 0 else "...") == ("d" if status == 0 else "ddu")


def test_a_reload_says_nothing_of_an_unknown_one() -> None:
    tracker = ScriptTracker(script())
    tracker.start(NOW)
    assert tracker.replace(script(), NOW) == []


def test_a_reload_before_the_first_result_leaves_it_decisive() -> None:
    tracker = ScriptTracker(script(rise=1))
    tracker.start(NOW)
    tracker.replace(script(rise=3), NOW)
    assert beliefs(tracker, ".") == "u"
