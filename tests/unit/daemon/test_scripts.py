"""Scripts as the parent runs them; how they are judged when they end is shown with whole processes in test_parent."""

import errno
import gc
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon import scripts
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.scripts import clean_environment
from pykeepalived.units import SECOND
from tests.support.script_bench import Bench, shell


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_only_what_stands_in_the_configuration(bench: Bench, tmp_path: Path) -> None:
    good = shell(tmp_path / "good", "exit 4")
    bench.runner.allow({good})
    bench.run(Script((good.argv[0], "more")))
    bench.run(Script(good.argv, uid=1))
    bench.run(good)
    bench.until_ended(3)
    assert sorted(each.status or 0 for each in bench.ended) == [4, 127, 127]
    assert sum("does not stand in the configuration" in line.message for line in bench.lines) == 2


def test_the_configuration_before_counts_too_but_not_the_one_before_that(bench: Bench, tmp_path: Path) -> None:
    old = shell(tmp_path / "old", "exit 0")
    bench.runner.allow({old})
    bench.runner.allow(())
    bench.run(old)
    bench.until_ended(1)
    bench.runner.allow(())
    bench.run(old)
    bench.until_ended(2)
    assert [each.status for each in bench.ended] == [0, 127]


def test_words_are_words_and_the_environment_is_clean(bench: Bench, tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = shell(tmp_path / "say", f'printf "%s|" "$@" "${{LD_PRELOAD-none}}" "$(readlink /proc/$$/fd/0)" > {said}')
    bench.runner.allow({script})
    bench.run(script, "two words", "$(id)", "*", "")
    bench.until_ended(1)
    assert said.read_text() == "two words|$(id)|*||none|/dev/null|"


def test_what_a_script_inherits() -> None:
    given = {"PATH": "/bin", "IFS": " ", "LD_LIBRARY_PATH": "/x", "LD_PRELOAD": "y", "NOTIFY_SOCKET": "/z", "LANG": "C"}
    assert clean_environment(given) == {"PATH": "/bin", "LANG": "C"}


def test_a_storm_is_bounded_and_said_once(tmp_path: Path) -> None:
    bench = Bench(most=3)
    script = shell(tmp_path / "slow", "sleep 0.2")
    bench.runner.allow({script})
    for _ in range(10):
        bench.run(script)
    bench.until_ended(10)
    assert [each.status for each in bench.ended] == [None] * 7 + [0] * 3  # it says nothing of the script
    assert sum("3 scripts run already" in line.message for line in bench.lines) == 1
    bench.run(script)  # and it goes on
    bench.until_ended(11)
    assert bench.ended[-1].status == 0
    bench.close()


def test_notifications_that_hang_leave_room_for_what_is_watched(tmp_path: Path) -> None:
    bench = Bench(most=2)
    hangs, check = shell(tmp_path / "hangs", "exec sleep 60"), shell(tmp_path / "check", "exit 3")
    bench.runner.allow({hangs, check})
    for _ in range(4):
        bench.runner.run(hangs, (), None, None)
        bench.run(check, timeout=20 * SECOND)
        bench.until(lambda: len(bench.runner) <= 2)
    assert [each.status for each in bench.ended] == [3] * 4
    assert [line.message for line in bench.lines] == [f"Script '{hangs}' cannot be run: 2 scripts run already"]
    bench.close()


def test_a_notification_that_cannot_be_run_is_said_each_time_and_a_check_once(bench: Bench, tmp_path: Path) -> None:
    notify, check = Script((str(tmp_path / "notify"),)), Script((str(tmp_path / "check"),))
    bench.runner.allow({notify, check})
    for _ in range(3):
        bench.run(notify)
        bench.run(check, timeout=20 * SECOND)
    bench.until_ended(6)
    said = sorted(line.message.partition(" cannot be run: ")[0] for line in bench.lines)
    assert said == [f"Script '{check}'", *[f"Script '{notify}'"] * 3]


def test_the_whole_group_ends_when_time_is_over(bench: Bench, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = shell(tmp_path / "deep", f"sleep 60 & echo $! > {pids}; echo $$ >> {pids}; wait")
    bench.runner.allow({script})
    bench.run(script, timeout=SECOND // 5)
    bench.until_ended(1)
    assert (bench.ended[0].signal, bench.ended[0].timed_out) == (15, True)
    child, _ = map(int, pids.read_text().split())
    deadline = time.monotonic() + 3
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_one_that_nothing_ends_has_failed_and_has_no_second_beside_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a dead disk, and signals wait with it."""
    monkeypatch.setattr(scripts, "_TERM_TO_KILL", SECOND // 20)
    monkeypatch.setattr(scripts, "_KILL_TO_KILL", (SECOND // 20, 10 * SECOND))
    hangs = shell(tmp_path / "hangs", f"echo $$ >> {tmp_path}/pids; exec sleep 60")
    other = shell(tmp_path / "other", "exit 3")
    bench.runner.allow({hangs, other})
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", lambda *_: None)
        bench.run(hangs, timeout=SECOND // 5)
        bench.until_ended(1)
        bench.run(hangs, timeout=SECOND // 5)
        bench.until_ended(2)
        bench.run(other, timeout=SECOND)
        bench.until_ended(3)
    assert [(each.status, each.timed_out) for each in bench.ended] == [(None, True), (None, True), (3, False)]
    (pid,) = (tmp_path / "pids").read_text().split()
    os.kill(int(pid), signal.SIGKILL)
    bench.until(lambda: len(bench.runner) == 0)
    assert len(bench.ended) == 3, "it was told once"
    bench.run(hangs, timeout=SECOND // 5)
    bench.until_ended(4)
    assert len((tmp_path / "pids").read_text().split()) == 2, "it is started again"


def test_nothing_is_left_of_a_script_that_ended(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "quick", "exit 0")
    bench.runner.allow({script})
    bench.run(script, timeout=SECOND)
    bench.until_ended(1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        bench.run(script, timeout=SECOND)
    bench.until_ended(21)
    assert len(bench.runner) == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_no_collector_is_needed_for_scripts_that_ended(bench: Bench, tmp_path: Path) -> None:
    """The daemon has none: what refers to itself stays for ever."""
    script = shell(tmp_path / "quick", "exit 0")
    bench.runner.allow({script})
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            bench.run(script, timeout=SECOND // 4)
        bench.until_ended(3)
        time.sleep(0.3)  # the loop keeps an alarm until its time
        later = bench.reactor.alarm(lambda: None)
        later.set(bench.reactor.now() + SECOND // 100)
        while later.due_at is not None:
            bench.reactor.turn()
        assert not [each for each in gc.get_objects() if type(each).__name__ == "_Running"]
    finally:
        gc.enable()


class FullReactor(Reactor):
    """One that can watch nothing more."""

    def watch(self, *_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_one_whose_end_could_not_be_heard_is_not_started(tmp_path: Path) -> None:
    """A check waits for the end of its program, and would wait for ever."""
    bench = Bench(loop=FullReactor)
    script = shell(tmp_path / "slow", "sleep 60")
    bench.runner.allow({script})
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = len(list(Path("/proc/self/fd").iterdir()))
    alive = children.read_text()
    bench.run(script)
    bench.until_ended(1)
    assert bench.ended[0].obstacle == "No space left on device"
    assert len(bench.runner) == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert children.read_text() == alive
    bench.close()
