"""The processes that start scripts: what scripts have of them, and what happens when one hangs or dies."""

import errno
import fcntl
import os
import random
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon import script_starter
from pykeepalived.daemon.script_orders import MOST_HANGING
from pykeepalived.events import ScriptExited
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.descriptors import descriptors_left
from tests.support.lives import alive, gone
from tests.support.script_bench import Bench, shell, starters

NOBODY = 65534
LIBC_SIGNALS = 3 << 31  # 32 and 33, which glibc leaves ignored to what it spawns, and takes back for itself

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()
    assert starters() == []


@contextmanager
def unreadable(*scripts: Script) -> Iterator[None]:
    """Their files as on a file server that does not answer: whoever opens one waits for a lease to be given back."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # the kernel asks for it
    files = [os.open(script.argv[0], os.O_RDONLY) for script in scripts]
    try:
        for file in files:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
    finally:
        for file in files:
            os.close(file)
        signal.signal(signal.SIGIO, before)


def said(bench: Bench, text: str) -> int:
    return sum(text in line.message for line in bench.lines)


# What a script has


def test_one_process_starts_all_scripts_of_a_user_and_none_is_there_before(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "quick", "exit 3")
    bench.runner.allow({script})
    assert starters() == []
    for _ in range(5):
        bench.run(script)
    bench.until_ended(5)
    assert [each.status for each in bench.ended] == [3] * 5
    assert len(starters()) == 1


@root
@pytest.mark.root
def test_each_user_has_a_process_of_its_own(bench: Bench, tmp_path: Path) -> None:
    ours = shell(tmp_path / "quick", "exit 0")
    theirs = Script(("/usr/bin/id",), NOBODY, NOBODY, (12, 13))
    bench.runner.allow({ours, theirs})
    bench.run(ours)
    bench.run(theirs)
    bench.until_ended(2)
    assert [each.status for each in bench.ended] == [0, 0]
    status = {Path(f"/proc/{pid}/status").read_text() for pid in starters()}
    assert len(status) == 2
    (text,) = (each for each in status if f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}\n" in each)
    assert "Groups:\t12 13 \n" in text
    assert "CapPrm:\t0000000000000000\n" in text


def test_what_a_script_inherits_is_what_the_daemon_has(bench: Bench, tmp_path: Path) -> None:
    """Limits, processors, mask of files, folder, network namespace, priority; and a clean start of its own."""
    files = ("limits", "status", "oom_score_adj")
    copies = "\n".join(f"cat /proc/self/{name} > {tmp_path}/{name}" for name in files)
    links = f"readlink /proc/$$/cwd /proc/$$/ns/net /proc/$$/ns/mnt > {tmp_path}/links"
    own = f"ls -l /proc/$$/fd > {tmp_path}/fd; cat /proc/$$/stat > {tmp_path}/stat"
    script = shell(tmp_path / "look", f"{own}\n{copies}\n{links}")
    bench.runner.allow({script})

    def seen() -> dict[str, str]:
        bench.ended.clear()
        bench.run(script)
        bench.until_ended(1)
        return {path.name: path.read_text() for path in tmp_path.iterdir()}

    first = seen()
    assert first["limits"] == Path("/proc/self/limits").read_text()
    assert first["oom_score_adj"] == Path("/proc/self/oom_score_adj").read_text()
    assert first["links"].split() == [str(Path("/proc/self", name).readlink()) for name in ("cwd", "ns/net", "ns/mnt")]
    ours, theirs = (
        dict(line.split(":\t") for line in text.splitlines())
        for text in (Path("/proc/self/status").read_text(), first["status"])
    )
    same = ("Umask", "Uid", "Gid", "Groups", "Cpus_allowed", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")
    assert {name: theirs[name] for name in same} == {name: ours[name] for name in same}
    assert [int(theirs[name], 16) & ~LIBC_SIGNALS for name in ("SigBlk", "SigIgn", "SigCgt", "SigPnd")] == [0] * 4
    assert theirs["VmLck"].split() == ["0", "kB"]
    fields = first["stat"].rpartition(")")[2].split()
    pid, group, session, nice, policy = first["stat"].split()[0], fields[2], fields[3], fields[16], fields[38]
    assert (group, session) == (pid, pid)
    assert (int(nice), int(policy)) == (os.nice(0), os.sched_getscheduler(0))
    opened = [line.split() for line in first["fd"].splitlines()[1:]]
    assert {words[-1] for words in opened if int(words[-3]) < 3} >= {"/dev/null"}
    assert all(words[-1] == "/dev/null" or words[-1].startswith(str(tmp_path)) for words in opened)

    # what the daemon has then is what scripts have after the next reload
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    mask = os.umask(0o27)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        bench.runner.allow({script})
        second = seen()
        assert second["limits"] == Path("/proc/self/limits").read_text() != first["limits"]
        assert "Umask:\t0027\n" in second["status"]
    finally:
        os.umask(mask)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_words_that_no_program_can_be_given(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "say", f'printf "%s" "$1" > {tmp_path}/said; exit 0')
    plain = tmp_path / "plain"
    plain.write_text("exit 0\n")
    plain.chmod(0o755)
    no_program = Script((str(plain),))
    bench.runner.allow({script, no_program})
    bench.run(script, "x" * 200_000)
    bench.run(script, "a\0b")
    bench.run(script, "\ud800")
    bench.run(no_program)
    bench.until_ended(4)
    assert [each.status for each in bench.ended] == [127] * 4
    wanted = (errno.E2BIG, errno.EINVAL, errno.EINVAL, errno.ENOEXEC)
    assert [each.obstacle for each in bench.ended] == [os.strerror(each) for each in wanted]
    bench.run(script, "\udcff\udc80 é" + "x" * 60_000)
    bench.until_ended(5)
    assert (tmp_path / "said").read_bytes() == b"\xff\x80 \xc3\xa9" + b"x" * 60_000


@root
@pytest.mark.root
def test_a_user_cannot_look_into_the_process_that_starts_its_scripts(bench: Bench) -> None:
    """Its memory was the daemon's, which has read secrets."""
    script = Script(("/bin/sh", "-c", "cat /proc/$$/environ /proc/$$/maps >/dev/null || exit 9"), NOBODY, NOBODY)
    curious = Script(("/bin/sh", "-c", "cat /proc/$PPID/environ || cat /proc/$PPID/maps"), NOBODY, NOBODY)
    bench.runner.allow({script, curious})
    bench.run(script)
    bench.until_ended(1)
    bench.run(curious)
    bench.until_ended(2)
    assert [each.status for each in bench.ended] == [0, 1]


@root
@pytest.mark.root
def test_a_user_that_cannot_be_is_said() -> None:
    daemon = os.fork()
    if daemon == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        bench = Bench()
        script = Script(("/bin/true",), NOBODY, NOBODY, (12,))
        bench.runner.allow({script})
        for _ in range(2):
            bench.run(script, timeout=10 * SECOND)
        bench.until_ended(2)
        good = [each.obstacle for each in bench.ended] == [os.strerror(errno.EPERM)] * 2
        os._exit(not (good and said(bench, "cannot be run: Operation not permitted") == len(bench.lines) == 1))
    assert os.waitpid(daemon, 0)[1] == 0


# Its life


def test_a_reload_has_starters_leave_after_their_last_script(bench: Bench, tmp_path: Path) -> None:
    slow = shell(tmp_path / "slow", f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; exit 4")
    bench.runner.allow({slow})
    bench.run(slow)
    bench.until(lambda: len(starters()) == 1)
    (first,) = starters()
    bench.runner.allow({slow})
    bench.run(slow)
    bench.until(lambda: len(starters()) == 2)
    (tmp_path / "go").touch()
    bench.until_ended(2)
    assert [each.status for each in bench.ended] == [4, 4]
    bench.until(lambda: len(starters()) == 1)
    assert starters() != [first]
    bench.runner.allow({slow})
    bench.until(lambda: starters() == [])
    assert bench.lines == []


def test_one_that_is_not_wanted_any_more_before_it_begins(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "slow", "exec sleep 60")
    bench.runner.allow({script})
    bench.runner.end(bench.run(script))
    bench.runner.cut_short(bench.run(script))
    bench.until(lambda: len(bench.runner) == 0)
    assert [each.signal for each in bench.ended] == [15, 15]


def test_a_stop_waits_for_those_that_have_not_begun(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "tell", f"sleep 0.1; echo > {tmp_path}/told.$1")
    bench.runner.allow({script})
    since = bench.reactor.now()
    for number in range(3):
        bench.runner.run(script, (str(number),), None, None)
    idle: list[int] = []
    bench.runner.finish(since, 20 * SECOND, lambda: idle.append(1))
    bench.until(lambda: bool(idle))
    assert len(list(tmp_path.glob("told.*"))) == 3
    assert starters() == []


def test_a_forked_child_has_nothing_of_it(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "slow", f"echo > {tmp_path}/begun; exec sleep 60")
    bench.runner.allow({script})
    before = len(list(Path("/proc/self/fd").iterdir()))
    bench.run(script)
    bench.until((tmp_path / "begun").exists)
    assert len(list(Path("/proc/self/fd").iterdir())) > before
    child = os.fork()
    if child == 0:
        bench.reactor.close()
        bench.runner.release()
        os._exit(len(list(Path("/proc/self/fd").iterdir())) - before + 1)  # without the loop's own
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("deaf", [False, True])
def test_scripts_end_with_the_daemon(tmp_path: Path, *, deaf: bool) -> None:
    """Also if it has not read all that was answered."""
    script = shell(tmp_path / "slow", f"echo $$ >> {tmp_path}/pids; exec sleep 60")
    quick = shell(tmp_path / "quick", "exit 0")

    def begun() -> list[int]:
        return list(map(int, (tmp_path / "pids").read_text().split())) if (tmp_path / "pids").exists() else []

    daemon = os.fork()
    if daemon == 0:
        bench = Bench()
        bench.runner.allow({script, quick})
        bench.run(script)
        bench.run(quick)
        bench.until_ended(1)  # its starter is free
        bench.run(script)
        while not deaf:
            bench.reactor.turn()
        time.sleep(60)
    deadline = time.monotonic() + 20
    while len(begun()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    pids = begun()
    assert len(pids) == 2
    assert all(map(alive, pids))
    starter = int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(daemon, signal.SIGKILL)
    os.waitpid(daemon, 0)
    assert all(map(gone, (*pids, starter)))


def test_signals_to_all_do_not_end_it(bench: Bench, tmp_path: Path) -> None:
    """A stop of the service may send TERM to all of its processes; its last scripts are still to be judged."""
    script = shell(tmp_path / "slow", f"echo > {tmp_path}/begun; sleep 0.2; exit 6")
    bench.runner.allow({script})
    bench.run(script)
    bench.until((tmp_path / "begun").exists)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGRTMAX):
        os.kill(starters()[0], number)
    bench.until_ended(1)
    assert bench.ended[0].status == 6


# It dies


def test_when_it_is_killed_its_scripts_are_ended_and_that_is_said(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "slow", f"echo $$ >> {tmp_path}/pids; exec sleep 60")
    quick = shell(tmp_path / "quick", "exit 2")
    bench.runner.allow({script, quick})
    for _ in range(3):
        bench.run(script)
    bench.until(lambda: (tmp_path / "pids").exists() and len((tmp_path / "pids").read_text().split()) == 3)
    os.kill(starters()[0], signal.SIGKILL)
    bench.until_ended(3)
    assert bench.ended == [ScriptExited(None, obstacle="the process that started it has ended")] * 3
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())
    assert said(bench, "has ended (signal 9), scripts that ended with it: 3") == len(bench.lines) == 1
    bench.run(quick)
    bench.until_ended(4)
    assert bench.ended[-1].status == 2


def test_orders_that_it_has_not_got_go_to_the_next_one(bench: Bench, tmp_path: Path) -> None:
    script = shell(tmp_path / "quick", "exit 2")
    bench.runner.allow({script})
    bench.run(script)
    bench.until_ended(1)
    os.kill(starters()[0], signal.SIGSTOP)
    for _ in range(3):
        bench.run(script)
    os.kill(starters()[0], signal.SIGKILL)
    bench.until_ended(4)
    assert sorted(each.status or 0 for each in bench.ended) == [0, 2, 2, 2]


def test_a_daemon_that_is_short_of_descriptors_loses_no_starter(bench: Bench, tmp_path: Path) -> None:
    """It says what is missing: the starter has room as soon as it has let go of what is the daemon's."""
    script = shell(tmp_path / "quick", "exit 0")
    for spare in range(9):
        bench.runner.allow({script})
        bench.until(lambda: starters() == [])
        with descriptors_left(spare):
            bench.run(script, timeout=20 * SECOND)
            bench.reactor.turn()
        bench.until_ended(spare + 1)
    assert {each.obstacle for each in bench.ended} == {os.strerror(errno.EMFILE), ""}
    assert said(bench, "cannot be run: Too many open files") == len(bench.lines) > 0


def test_one_that_was_slow_and_has_reaped_its_script_is_seen_off(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = shell(tmp_path / "quick", "exit 0")
    bench.runner.allow({script})
    bench.run(script)
    bench.until_ended(1)
    (starter,) = starters()
    gone = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(gone, 0)
    monkeypatch.setattr(script_starter.Starter, "_children", lambda _self: [gone])
    os.kill(starter, signal.SIGSTOP)
    ended: list[bool] = []
    bench.runner.finish(bench.reactor.now(), 0, lambda: ended.append(True))
    assert ended
    assert starters() == []


# It hangs


def test_a_file_that_cannot_be_read_holds_up_nothing_else(bench: Bench, tmp_path: Path) -> None:
    stuck = shell(tmp_path / "stuck", f"echo > {tmp_path}/ran; exec sleep 60")
    quick = shell(tmp_path / "quick", "exit 5")
    bench.runner.allow({stuck, quick})
    with unreadable(stuck):
        bench.run(stuck, timeout=SECOND // 10)
        bench.until_ended(1)  # the loop goes on
        assert bench.ended == [ScriptExited(None, 15, timed_out=True)]
        assert len(bench.runner) == 1  # it may begin yet
        bench.ended.clear()
        bench.run(quick)
        bench.until_ended(1)
        assert bench.ended[0].status == 5
        assert said(bench, f"Script {stuck} does not start: its file cannot be read") == len(bench.lines) == 1
        assert len(starters()) == 2
        # no second one is lost to the same file
        bench.run(stuck)
        bench.until_ended(2)
        assert bench.ended[1].obstacle == "its file cannot be read: a start of it hangs already"
        assert len(starters()) == 2
    # it answers: what begins now is not wanted any more
    bench.until(lambda: len(bench.runner) == 0)
    assert len(bench.ended) == 2
    bench.until(lambda: len(starters()) == 1)
    bench.run(quick)
    bench.until_ended(3)
    assert bench.ended[2].status == 5


def test_one_that_hangs_says_nothing_of_those_behind_it(bench: Bench, tmp_path: Path) -> None:
    stuck = shell(tmp_path / "stuck", "exit 0")
    quick = shell(tmp_path / "quick", f"echo > {tmp_path}/ran")
    bench.runner.allow({stuck, quick})
    with unreadable(stuck):
        bench.run(stuck, timeout=100 * MILLISECOND)
        bench.run(quick, timeout=50 * MILLISECOND)
        bench.until_ended(2)
        assert [(each.status, each.signal, each.timed_out) for each in bench.ended] == [
            (None, None, False),
            (None, 15, True),
        ]
        assert len(bench.runner) == 1
    bench.until(lambda: len(bench.runner) == 0)
    reason = "those of its user that were to start before it did not start in time"
    assert [line.message for line in bench.lines] == [f"Script '{quick}' cannot be run: {reason}"]
    assert bench.ended[0].obstacle == reason
    assert not (tmp_path / "ran").exists()


@pytest.mark.long
def test_one_that_hangs_says_nothing_of_those_that_end_meanwhile(bench: Bench, tmp_path: Path) -> None:
    stuck = shell(tmp_path / "stuck", "exit 0")
    well = shell(tmp_path / "well", f"echo > {tmp_path}/begun; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done")
    bench.runner.allow({stuck, well})
    bench.run(well, timeout=8 * SECOND)
    bench.until((tmp_path / "begun").exists)
    with unreadable(stuck):
        bench.run(stuck, timeout=100 * MILLISECOND)
        bench.until_ended(1)
        (tmp_path / "go").touch()
        bench.until_ended(2)
        reason = "nobody told how it ended, while another one of its user hung at its start"
        assert bench.ended[1] == ScriptExited(None, obstacle=reason)
        assert said(bench, f"Script '{well}' cannot be run: {reason}") == len(bench.lines) == 1
    bench.until(lambda: len(bench.runner) == 0)
    assert len(bench.ended) == 2


@root
@pytest.mark.root
def test_a_machine_without_room_says_nothing_of_a_script(bench: Bench) -> None:
    """Of a missing file it does: that is a failure, as in a shell."""
    script, absent = Script(("/bin/true",), NOBODY, NOBODY), Script(("/absent",), NOBODY, NOBODY)
    bench.runner.allow({script, absent})
    most = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, most[1]))
    try:
        bench.run(script, timeout=20 * SECOND)
        bench.until_ended(1)
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, most)
    bench.runner.allow({script, absent})
    bench.run(absent, timeout=20 * SECOND)
    bench.until_ended(2)
    bench.run(script, timeout=20 * SECOND)
    bench.until_ended(3)
    assert [(each.status, each.signal, each.obstacle) for each in bench.ended] == [
        (None, None, os.strerror(errno.EAGAIN)),
        (127, None, os.strerror(errno.ENOENT)),
        (0, None, ""),
    ]


def test_a_program_that_is_being_written_has_not_failed(bench: Bench, tmp_path: Path) -> None:
    """As by `scp` of a new one: its next run tells."""
    script = shell(tmp_path / "new", "exit 3")
    bench.runner.allow({script})
    with Path(script.argv[0]).open("a"):
        bench.run(script, timeout=20 * SECOND)
        bench.until_ended(1)
    if bench.ended[0].status == 3:
        pytest.skip("this kernel runs files that are being written")
    bench.run(script, timeout=20 * SECOND)
    bench.until_ended(2)
    assert [(each.status, each.signal, each.obstacle) for each in bench.ended] == [
        (None, None, os.strerror(errno.ETXTBSY)),
        (3, None, ""),
    ]


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.ENOMEM])
def test_an_order_that_the_kernel_has_no_memory_for_is_given_when_it_has(
    bench: Bench, tmp_path: Path, number: int
) -> None:
    """Nobody answers what was never sent: the script would count as one that hangs for good."""
    script = shell(tmp_path / "quick", "exit 3")
    bench.runner.allow({script})
    bench.run(script)
    bench.until_ended(1)
    refusals = [number] * 3

    class Short(socket.socket):
        """An end for whose messages the kernel has no memory for a while."""

        def send(self, *arguments: Any) -> int:
            if refusals:
                raise OSError(refusals.pop(), "no memory")
            return super().send(*arguments)

    (starter,) = bench.runner._orders._starters
    starter._end = Short(fileno=starter._end.detach())
    bench.run(script, timeout=20 * SECOND)
    bench.until(lambda: len(bench.ended) == 2, patience=5 * SECOND)
    assert [each.status for each in bench.ended] == [3, 3]
    assert bench.lines == []
    assert bench.reactor._handlers[starter._end.fileno()][1] is None, "nobody waits for room any more"


def test_a_stop_does_not_wait_for_one_that_hangs_and_it_never_runs(bench: Bench, tmp_path: Path) -> None:
    stuck = shell(tmp_path / "stuck", f"echo > {tmp_path}/ran; sleep 60")
    bench.runner.allow({stuck})

    def starting() -> list[int]:
        return [
            int(pid) for each in starters() for pid in Path(f"/proc/{each}/task/{each}/children").read_text().split()
        ]

    with unreadable(stuck):
        bench.run(stuck)
        bench.until(lambda: len(starting()) == 1)
        (pid,) = starting()
        idle: list[int] = []
        bench.runner.finish(bench.reactor.now(), 0, lambda: idle.append(1))
        assert idle
        assert starters() == []
    assert gone(pid)
    assert not (tmp_path / "ran").exists()


@pytest.mark.long
def test_only_a_few_may_hang_then_scripts_are_refused(bench: Bench, tmp_path: Path) -> None:
    stuck = [shell(tmp_path / f"stuck{number}", "exit 0") for number in range(MOST_HANGING)]
    quick = shell(tmp_path / "quick", "exit 5")
    bench.runner.allow({*stuck, quick})
    with unreadable(*stuck):
        for script in stuck:
            bench.run(script)
        bench.run(quick)
        bench.run(quick)
        bench.until_ended(2)
        assert {each.obstacle for each in bench.ended} == {"4 other scripts of this user hang while they are started"}
        bench.runner.allow({*stuck, quick})  # a reload gives no more of them
        bench.run(quick)
        bench.until_ended(3)
        assert len(starters()) == MOST_HANGING
    bench.until_ended(3 + MOST_HANGING)
    bench.run(quick)
    bench.until_ended(4 + MOST_HANGING)
    assert bench.ended[-1].status == 5
    bench.until(lambda: len(starters()) == 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_each_script_is_answered_for_once_whatever_happens_to_starters(bench: Bench, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    texts = ("exit 0", "sleep 0.0$1", "trap '' TERM; sleep 0.2", "sleep 0.1 & exit 3")
    scripts = [shell(tmp_path / f"script{number}", text) for number, text in enumerate(texts)]
    scripts.append(Script((str(tmp_path / "absent"),)))
    bench.runner.allow(scripts)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    answers: Counter[int] = Counter()
    numbers = [0]
    asked = 0

    def hit() -> None:
        for pid in starters():
            number = chance.choice((signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT))
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    for _ in range(1500):
        for _ in range(chance.choice((0, 1, 1, 2, 20))):
            asked += 1
            timeout = chance.choice((None, 5 * MILLISECOND, 100 * MILLISECOND, SECOND))
            tell = partial(lambda name, _: answers.update((name,)), asked)
            numbers.append(bench.runner.run(chance.choice(scripts), (str(chance.randint(0, 9)),), timeout, tell))
        chance.choices(
            (
                lambda: None,
                lambda: bench.runner.allow(scripts),
                hit,
                lambda: bench.runner.cut_short(chance.choice(numbers)),
                lambda: bench.runner.end(chance.choice(numbers)),
            ),
            (70, 5, 5, 10, 10),
        )[0]()
        turn = bench.reactor.alarm(lambda: None)
        turn.set(bench.reactor.now() + MILLISECOND)
        bench.reactor.turn()
    for pid in starters():
        os.kill(pid, signal.SIGCONT)
    bench.until(lambda: len(bench.runner) == 0 and len(answers) == asked, 60 * SECOND)
    assert set(answers.values()) == {1}
    bench.runner.allow(scripts)
    bench.until(lambda: starters() == [])
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
