"""The pid file: one owner at a time, stale ones ignored, a keepalived without lock respected."""

import ctypes
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pykeepalived.errors import ProcessError
from pykeepalived.kernel.pidfile import AlreadyRunning, PidFile, running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keepalived.pid"


@pytest.fixture
def forked() -> Iterator[Callable[[Callable[[], None]], int]]:
    """Runs something in a child, which then waits to be killed."""
    children: list[int] = []

    def fork(work: Callable[[], None]) -> int:
        ready, told = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                work()
                os.write(told, b"!")
                signal.pause()
            finally:
                os._exit(1)
        os.close(told)
        assert os.read(ready, 1) == b"!"
        os.close(ready)
        children.append(child)
        return child

    yield fork
    for child in children:
        end(child)


def end(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def rename(name: bytes) -> None:
    ctypes.CDLL(None).prctl(15, ctypes.create_string_buffer(name), 0, 0, 0)


def test_it_says_which_process_runs_and_anybody_may_read_it(path: Path) -> None:
    held = PidFile(path)
    held.write()
    assert path.read_text() == f"{os.getpid()}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    held.write(7)
    assert path.read_text() == "7\n"
    held.remove()
    assert not path.exists()


def test_a_second_instance_is_refused_while_the_first_lives(path: Path, forked: Callable[..., int]) -> None:
    child = forked(lambda: PidFile(path).write())
    # the child has lost every reference to its PidFile, but not the descriptor
    with pytest.raises(AlreadyRunning, match="daemon is already running") as told:
        PidFile(path)
    assert told.value.pid == child
    assert running(path) == child
    assert path.read_text() == f"{child}\n"
    end(child)
    assert running(path) == 0
    held = PidFile(path)
    held.write()
    assert path.read_text() == f"{os.getpid()}\n"
    held.remove()


def test_a_child_that_left_the_file_does_not_keep_it(path: Path, forked: Callable[..., int]) -> None:
    held = PidFile(path)
    forked(held.leave_to_parent)
    held.leave_to_parent()  # as if this process had ended without removing it
    assert path.exists()
    again = PidFile(path)
    forked(lambda: None)  # this one does keep it
    again.leave_to_parent()
    with pytest.raises(AlreadyRunning):
        PidFile(path)


@pytest.mark.parametrize("content", ["", "\n", "0\n", "-1\n", "nonsense\n", "99999999999999999999\n", "1\n"])
def test_stale_and_odd_files_are_no_obstacle(path: Path, content: str) -> None:
    path.write_text(content)
    held = PidFile(path)
    held.write()
    assert path.read_text() == f"{os.getpid()}\n"
    held.remove()


@pytest.mark.parametrize(
    ("name", "counts"),
    [(b"keepalived", True), (b"keepalived_vrrp", True), (b"pykeepalived", True), (b"nginx", False)],
)
def test_a_plain_pid_counts_while_that_process_is_a_keepalived(
    path: Path, forked: Callable[..., int], name: bytes, counts: bool
) -> None:
    child = forked(lambda: rename(name))
    path.write_text(f"{child}\n")
    assert running(path) == (child if counts else 0)
    if counts:
        with pytest.raises(AlreadyRunning):
            PidFile(path)
        assert path.read_text() == f"{child}\n"
    else:
        PidFile(path).remove()


def test_a_keepalived_that_was_killed_and_not_yet_waited_for_does_not_count(
    path: Path, forked: Callable[..., int]
) -> None:
    child = forked(lambda: rename(b"keepalived"))
    path.write_text(f"{child}\n")
    assert running(path) == child
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{child}/comm").read_text() == "keepalived\n"
    assert running(path) == 0
    PidFile(path).remove()


def test_somebody_elses_file_is_not_removed(path: Path) -> None:
    held = PidFile(path)
    path.unlink()
    path.write_text("another's")
    held.remove()
    assert path.read_text() == "another's"


def test_links_and_missing_folders_are_errors(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProcessError, match="cannot write the pid file"):
        PidFile(path)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(ProcessError, match="No such file"):
        PidFile(tmp_path / "nowhere" / "keepalived.pid")
    assert running(tmp_path / "nowhere") == 0


def test_programs_we_start_do_not_inherit_it(path: Path) -> None:
    held = PidFile(path)
    code = "import os; print([os.readlink(e) for e in os.scandir('/proc/self/fd') if os.path.exists(e)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, close_fds=False)
    assert "keepalived.pid" not in done.stdout
    assert "pipe:" in done.stdout
    held.remove()
