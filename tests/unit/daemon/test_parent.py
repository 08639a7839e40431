"""The parent with real processes: starts, deaths, reloads, scripts, stops. The services are little ones."""

import contextlib
import errno
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pykeepalived.daemon.child import ChildOptions
from pykeepalived.daemon.children import Child
from pykeepalived.daemon.journal import ConsoleSink, Lines
from pykeepalived.daemon.loader import MEMORY, Compiled, Outcome
from pykeepalived.daemon.parent import Parent, Plan
from pykeepalived.daemon.roles import Role
from pykeepalived.daemon.systemd import Systemd
from tests.support.lives import alive, gone

PROGRAM = Path(__file__).with_name("little_daemon.py")
ROOT = Path(__file__).parents[3]
PATIENCE = 10.0


class Daemon:
    """A little daemon that runs, and what it has said."""

    def __init__(self, folder: Path, *options: str, conf: str = "vrrp\ncheckers\n", **environment: str) -> None:
        self.folder = folder
        (folder / "control").mkdir(exist_ok=True)
        self.configure(conf)
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), *options],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **environment},
            start_new_session=True,
        )
        self.text = ""

    def configure(self, conf: str) -> None:
        (self.folder / "conf").write_text(conf)

    def until(self, pattern: str, count: int = 1) -> str:
        """Read on until that pattern was said ``count`` times; gives the last one's first group, or all of it."""
        assert self.process.stderr is not None
        deadline = time.monotonic() + PATIENCE
        while True:
            found = list(re.finditer(pattern, self.text))
            if len(found) >= count:
                return found[count - 1][1] if found[0].re.groups else found[count - 1][0]
            ready, _, _ = select.select([self.process.stderr], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.process.stderr.fileno(), 65536) if ready else b""
            assert data, f"{pattern!r} was not said {count} times:\n{self.text}"
            self.text += data.decode()

    def reload(self, conf: str) -> None:
        """Give it another configuration."""
        self.configure(conf)
        self.send(signal.SIGHUP)

    def kill(self, role: str) -> None:
        """End one of its processes."""
        os.kill(self.children()[role], signal.SIGKILL)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.send(number)
        return self.wait()

    def wait(self) -> int:
        assert self.process.stderr is not None
        code = self.process.wait(PATIENCE)
        self.text += self.process.stderr.read().decode()
        return code

    def children(self) -> dict[str, int]:
        return {path.stem: int(path.read_text()) for path in self.folder.glob("*.pid")}


Start = Callable[..., Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a daemon in the test's folder; arguments as those of Daemon."""
    started: list[Daemon] = []

    def begin(*options: str, **how: str) -> Daemon:
        started.append(Daemon(tmp_path, *options, **how))
        return started[-1]

    yield begin
    for daemon in started:
        if daemon.process.poll() is None:
            os.killpg(daemon.process.pid, signal.SIGKILL)
            daemon.process.wait()
        assert daemon.process.stderr is not None
        daemon.process.stderr.close()


@pytest.fixture
def daemon(start: Start) -> Daemon:
    """One that has started."""
    daemon = start()
    daemon.until("Startup complete")
    return daemon


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_whole_life(tmp_path: Path, start: Start) -> None:
    daemon = start(conf="vrrp\ncheckers\nrouter_id one\n")
    daemon.until("Startup complete")
    children = daemon.children()
    assert set(children) == {"vrrp", "checkers"}
    assert Path(f"/proc/{children['vrrp']}/comm").read_text() == "little_vrrp\n"
    assert daemon.text.index("Starting Healthcheck") < daemon.text.index("Starting VRRP")
    daemon.reload("vrrp\ncheckers\nrouter_id two\n")
    daemon.until("Reload complete", 2)
    assert daemon.text.count("reloaded with router_id two") == 2
    assert daemon.children() == children
    assert daemon.end() == 0
    assert daemon.text.count("told to stop") == 2
    assert "Stopped Keepalived v" in daemon.text
    assert not any(alive(pid) for pid in children.values())
    assert list(tmp_path.glob("*.pid")) == []


def test_a_child_holds_nothing_of_the_parents(daemon: Daemon) -> None:
    for role, pid in daemon.children().items():
        held = sorted(str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir())
        kinds = [re.sub(r"\d+|\[|\]", "", name) for name in held]
        # standard streams apart: its loop, its signals, its control socket, its pid file, its keepsake
        assert kinds.count("anon_inode:eventpoll") == 1, held
        assert kinds.count("socket:") == 3, held
        memory = [name for name in held if "memfd" in name or "pidfd" in name]
        assert memory == [f"/memfd:{role} keepsake (deleted)"], held
        assert not [name for name in held if name.endswith(".pid") and Path(name).read_text() != f"{pid}\n"], held
        status = Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert int(re.findall(r"CapEff:\t(\w+)", status)[0], 16) & ~(1 << 13) == 0
    assert daemon.end() == 0


def test_a_dead_child_is_started_again(daemon: Daemon) -> None:
    before = daemon.children()
    os.kill(before["vrrp"], signal.SIGKILL)
    daemon.until(rf"VRRP child process\({before['vrrp']}\) died: Respawning")
    daemon.until("Restart of VRRP process delayed 0 seconds")
    pid = int(daemon.until(r"Starting VRRP child process, pid=(\d+)", 2))
    daemon.until(f"service {pid}: made")
    assert f"pid {before['vrrp']} exited due to signal 9 (Killed)" in daemon.text
    os.kill(pid, signal.SIGKILL)
    daemon.until("Restart of VRRP process delayed 1 seconds")
    assert daemon.end() == 0  # without waiting for the respawn
    assert gone(before["checkers"])


def test_one_that_cannot_be_started_for_want_of_descriptors_is_tried_again(start: Start) -> None:
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    pid = daemon.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    daemon.kill("vrrp")
    daemon.until("VRRP process cannot be started: Too many open files", 2)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    daemon.until(r"Starting VRRP child process, pid=(\d+)", 2)
    assert daemon.end() == 0


@pytest.mark.parametrize("room", [0, 1])
def test_one_that_cannot_be_watched_is_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """As where other programs use up fs.epoll.max_user_watches."""
    monkeypatch.setattr("pykeepalived.daemon.parent.Signals", lambda *_: SimpleNamespace(close=lambda: None))
    role = Role("Healthcheck", "checkers", "i", "p", frozenset(), make=None, warm=lambda: None)  # type: ignore[arg-type]
    files, idents = {"checkers": str(tmp_path / "pid")}, {"checkers": "c"}
    plan = Plan((role,), lambda *_: Compiled(Outcome()), files, idents, ChildOptions(), {})
    parent = Parent(plan, Lines(ConsoleSink(), "Little"), Systemd({}))
    parent._accept(Outcome(parts=frozenset({"checkers"})), {"checkers": os.memfd_create("part")})
    open_before = set(Path("/proc/self/fd").iterdir())
    watch = parent.reactor.watch
    watched: list[int] = []

    def refuse(fd: int, *callbacks: Callable[[], None]) -> None:
        if len(watched) == room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        watched.append(fd)
        watch(fd, *callbacks)

    with monkeypatch.context() as patch:
        patch.setattr(parent.reactor, "watch", refuse)
        parent._start(role)
    assert parent._children == {}
    assert set(Path("/proc/self/fd").iterdir()) <= open_before
    assert "Healthcheck process cannot be started: No space left on device" in capfd.readouterr().err
    parent.reactor.turn()
    child = parent._children["checkers"]
    assert child.channel is not None
    assert parent.reactor._handlers.keys() == {child.pidfd, child.channel._socket.fileno()}
    child.signal(signal.SIGKILL)
    os.waitpid(child.pid, 0)
    child.channel.close()
    os.close(child.pidfd)
    parent.reactor.close()


def test_a_loader_that_cannot_be_watched_refuses_one_reload_only(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pykeepalived.daemon.parent.Signals", lambda *_: None)
    plan = Plan((), lambda *_: Compiled(Outcome()), {}, {}, ChildOptions(), {})
    parent = Parent(plan, Lines(ConsoleSink(), "Little"), Systemd({}))
    parent._accept(Outcome(), {})

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(parent.reactor, "watch", refuse)
        parent._reload()
    assert "New configuration refused, the running configuration stays: the loader" in capfd.readouterr().err
    parent._reload()
    deadline = time.monotonic() + PATIENCE
    while parent._loader is not None and time.monotonic() < deadline:
        parent.reactor.turn()
    assert "New configuration applied" in capfd.readouterr().err
    parent.reactor.close()


def test_a_process_finds_what_its_dead_predecessor_kept_and_nothing_of_one_that_left(daemon: Daemon) -> None:
    daemon.kill("vrrp")
    daemon.until("life 2")
    daemon.reload("checkers\n")
    daemon.until("VRRP process has nothing to do any more")
    daemon.until("New configuration applied")
    daemon.reload("vrrp\ncheckers\n")
    daemon.until("New configuration applied", 2)
    daemon.until("life 1", 3)
    assert daemon.end() == 0


def test_what_one_kept_that_was_killed_as_it_left_is_there_for_the_next(tmp_path: Path, daemon: Daemon) -> None:
    """It has not taken away what it had made."""
    (tmp_path / "control" / "never-stop").touch()
    daemon.reload("checkers\n")
    daemon.until("New configuration applied")
    daemon.reload("vrrp\ncheckers\n")
    daemon.until("VRRP process failed to die - forcing termination")
    daemon.until(r"life 2\n")
    (tmp_path / "control" / "never-stop").unlink()
    assert daemon.end() == 0


@pytest.mark.parametrize("ends", ["reload", "stop"])
def test_one_that_is_killed_as_it_leaves_is_followed_by_one_that_takes_away_what_it_had_made(
    start: Start, ends: str
) -> None:
    daemon = start(conf="vrrp\nrouter_id one\n")
    daemon.until("Startup complete")
    pid = daemon.children()["vrrp"]
    os.kill(pid, signal.SIGSTOP)  # it hangs
    if ends == "reload":
        daemon.reload("checkers\n")
    else:
        daemon.send(signal.SIGTERM)
    daemon.until("VRRP process failed to die - forcing termination")
    pid = int(daemon.until(r"service (\d+): life 2 only to leave"))
    assert f"service {pid}: made with router_id one" in daemon.text
    daemon.until(f"service {pid}: told to stop")
    assert gone(pid)
    if ends == "reload":
        daemon.send(signal.SIGTERM)
    assert daemon.wait() == 0
    assert daemon.text.count("Starting VRRP child process") == 2


def test_one_whose_stop_goes_wrong_is_followed_by_one_that_takes_away_what_it_had_made(
    tmp_path: Path, daemon: Daemon
) -> None:
    (tmp_path / "control" / "fault-in-stop").touch()
    assert daemon.end() == 0
    assert daemon.text.count("life 2 only to leave") == 2
    assert daemon.text.count("child process, pid") == 4


def test_one_that_is_dead_when_a_reload_leaves_it_nothing_to_do_comes_once_more(daemon: Daemon) -> None:
    """To take away what it had made: services whose servers nobody checks."""
    for life in (1, 2, 3):
        daemon.until(f"life {life}", 2 if life == 1 else 1)
        daemon.kill("vrrp")
    daemon.until("Restart of VRRP process delayed 2 seconds")
    daemon.reload("checkers\n")
    pid = daemon.until(r"service (\d+): life 4")
    daemon.until(f"service {pid}: told to stop")
    daemon.until("New configuration applied")
    assert gone(int(pid))
    assert set(daemon.children()) == {"checkers"}
    assert daemon.end() == 0


def test_one_that_is_dead_at_a_reload_goes_on_from_the_part_before(start: Start) -> None:
    """What the reload removes may be there still. The reload is complete when the process has taken it."""
    daemon = start(conf="vrrp\nrouter_id one\n")
    daemon.until("Startup complete")
    for life in (1, 2):
        daemon.until(f"life {life}")
        daemon.kill("vrrp")
    daemon.until("Restart of VRRP process delayed 1 seconds")
    daemon.reload("vrrp\nrouter_id two\n")
    pid = int(daemon.until(r"service (\d+): made with router_id one", 3))
    daemon.until("New configuration applied")
    assert f"service {pid}: reloaded with router_id two" in daemon.text
    held = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    assert [name for name in held if "memfd" in name] == ["/memfd:vrrp keepsake (deleted)"]
    os.kill(pid, signal.SIGKILL)
    daemon.until("made with router_id two")
    assert daemon.end() == 0
    assert daemon.text.count("reloaded with") == 1


def test_one_that_dies_before_it_has_reloaded_goes_on_from_the_part_before(start: Start) -> None:
    daemon = start(conf="vrrp\ncheckers\nrouter_id one\n")
    daemon.until("Startup complete")
    vrrp = daemon.children()["vrrp"]
    os.kill(vrrp, signal.SIGSTOP)
    daemon.reload("vrrp\ncheckers\nrouter_id two\n")
    daemon.until("reloaded with router_id two")
    os.kill(vrrp, signal.SIGKILL)
    pid = int(daemon.until(r"service (\d+): made with router_id one", 3))
    daemon.until(f"service {pid}: reloaded with router_id two")
    assert daemon.end() == 0


def _after_a_stop_while_dead(daemon: Daemon, role: str) -> list[str]:
    """What was told of a process that comes once more."""
    daemon.until("Startup complete")
    for life in (1, 2):
        daemon.until(f"life {life}")
        os.kill(daemon.children()[role], signal.SIGKILL)
    daemon.until("process delayed 1 seconds")
    assert daemon.end() == 0
    return re.findall(r"service \d+: (made .*|life 3.*|told to stop)", daemon.text)[2:]


@pytest.mark.parametrize("options", [(), ("--dont-release-ipvs",)])
def test_one_that_is_dead_at_a_stop_comes_once_more_with_nothing_to_do(start: Start, options: tuple[str, ...]) -> None:
    """To take away what it had made, which its keepsake names; where that is to stay it does not come."""
    daemon = start(*options, conf="checkers\nserver 1\n")
    last = _after_a_stop_while_dead(daemon, "checkers")
    assert last == ([] if options else ["made with router_id ", "life 3 only to leave", "told to stop"])


@pytest.mark.parametrize("options", [(), ("--dont-release-vrrp",)])
def test_one_that_is_dead_at_a_stop_comes_once_more_with_its_part(start: Start, options: tuple[str, ...]) -> None:
    """It names what is to be taken away."""
    daemon = start(*options, conf="vrrp\nrouter_id one\n")
    last = _after_a_stop_while_dead(daemon, "vrrp")
    assert last == ([] if options else ["made with router_id one", "life 3 only to leave", "told to stop"])


def test_one_that_hangs_as_it_only_comes_to_leave_is_killed(tmp_path: Path, start: Start) -> None:
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    for life in (1, 2):
        daemon.until(f"life {life}")
        daemon.kill("vrrp")
    daemon.until("Restart of VRRP process delayed 1 seconds")
    (tmp_path / "control" / "hang-in-start").touch()
    begin = time.monotonic()
    assert daemon.end() == 0
    assert time.monotonic() - begin < 5  # child_wait_time is a second here
    assert "life 3 only to leave" in daemon.text
    assert "VRRP process failed to die - forcing termination" in daemon.text


def test_one_that_has_left_nothing_does_not_come_once_more(tmp_path: Path, start: Start) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "keeps-nothing").touch()
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    for count in (1, 2):
        daemon.until("life 1", count)
        daemon.kill("vrrp")
    daemon.until("Restart of VRRP process delayed 1 seconds")
    assert daemon.end() == 0
    assert daemon.text.count("Starting VRRP child process") == 2


def test_no_respawn_when_told_so(start: Start) -> None:
    daemon = start("--dont-respawn")
    daemon.until("Startup complete")
    daemon.kill("vrrp")
    assert daemon.wait() == 1  # whoever supervises us must see that this was no orderly stop
    assert "died: Exiting" in daemon.text
    assert "died: Respawning" not in daemon.text


def test_a_permanent_error_ends_all_with_its_status(tmp_path: Path, start: Start) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "exit-config").touch()
    daemon = start()
    assert daemon.wait() == 2
    assert "exited with permanent error CONFIG. Terminating" in daemon.text


@pytest.mark.parametrize(
    ("conf", "reason"),
    [
        ("vrrp\nerror bad word\nerror worse\n", r"2 errors, the first: \(conf: Line 2\) bad word"),
        ("vrrp\nerror bad word\n", r"1 error: \(conf: Line 2\) bad word"),
        ("loader-crash\n", "the loader was ended by SIGABRT"),
        ("loader-fault\n", "the loader failed: ValueError: a fault of the loader"),
    ],
)
def test_a_broken_configuration_is_refused_whole(daemon: Daemon, conf: str, reason: str) -> None:
    before = daemon.children()
    daemon.reload(conf)
    daemon.until(rf"New configuration refused, the running configuration stays: {reason}")
    assert "reloaded with" not in daemon.text
    daemon.reload("vrrp\ncheckers\nrouter_id better\n")
    daemon.until("reloaded with router_id better", 2)
    daemon.until("New configuration applied")
    assert daemon.children() == before
    assert daemon.end() == 0


def test_mistakes_that_it_has_been_running_with_refuse_no_reload(start: Start) -> None:
    daemon = start(conf="vrrp\nerror old one\nrouter_id first\n")
    daemon.until("Startup complete")
    daemon.reload("vrrp\n\n\nerror old one\nrouter_id second\n")
    daemon.until("reloaded with router_id second")
    daemon.until("New configuration applied")
    daemon.reload("vrrp\nerror old one\nerror old one\nerror new one\nrouter_id third\n")
    daemon.until(
        r"New configuration refused, the running configuration stays: 2 errors, the first: \(conf: Line 3\) old one"
    )
    assert "third" not in daemon.text
    assert daemon.end() == 0


def test_a_stop_does_not_wait_for_a_loader_that_hangs(daemon: Daemon) -> None:
    daemon.reload("loader-hang\n")
    daemon.until("Reloading ...")
    begin = time.monotonic()
    assert daemon.end() == 0
    assert time.monotonic() - begin < 3


def test_reloads_that_come_together_are_all_heard(start: Start) -> None:
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    daemon.send(signal.SIGHUP)
    daemon.until("Reloading ...")
    daemon.configure("vrrp\nrouter_id last\n")
    for _ in range(5):
        daemon.send(signal.SIGHUP)
    daemon.until("reloaded with router_id last")
    assert daemon.end() == 0
    assert daemon.text.count("Reloading ...") <= 4


def test_a_process_that_hangs_does_not_hold_reloads_up_for_ever(start: Start) -> None:
    daemon = start(conf="vrrp\ncheckers\n")
    daemon.until("Startup complete")
    vrrp = daemon.children()["vrrp"]
    os.kill(vrrp, signal.SIGSTOP)
    daemon.reload("vrrp\ncheckers\nrouter_id one\n")
    daemon.until("reloaded with router_id one")
    daemon.reload("vrrp\ncheckers\nrouter_id two\n")
    daemon.until("VRRP process has not completed the reload for 500 ms")
    daemon.until("The last reload is not complete in the VRRP process")
    daemon.until("reloaded with router_id two")
    os.kill(vrrp, signal.SIGCONT)
    daemon.until("reloaded with router_id two", 2)  # it catches up
    assert daemon.end() == 0


def test_a_process_that_hangs_in_its_start_does_not_hold_reloads_up_for_ever(tmp_path: Path, daemon: Daemon) -> None:
    (tmp_path / "control" / "hang-in-start").touch()
    daemon.kill("vrrp")
    hanging = daemon.until(r"service (\d+): life 2")
    daemon.reload("vrrp\ncheckers\nrouter_id one\n")
    daemon.until("VRRP process has not got ready for 500 ms: it is ended, and started again")
    daemon.until(rf"VRRP child process\({hanging}\) died: Respawning")
    daemon.until("life 3")
    daemon.until("New configuration applied")
    for pid in daemon.children().values():  # one that was slow to start may have been ended once more
        daemon.until(rf"service {pid}: (made|reloaded) with router_id one")
    assert daemon.end() == 0


def test_a_refused_reload_does_not_wait_for_ever_either(tmp_path: Path, daemon: Daemon) -> None:
    """For a process that died while the file was read: systemd waits for the end of the reload."""
    (tmp_path / "control" / "hang-in-start").touch()
    daemon.reload("vrrp\ncheckers\nloader-waits\nerror bad word\n")
    daemon.until("Reloading ...")
    daemon.kill("vrrp")
    daemon.until("life 2")
    (tmp_path / "control" / "read-on").touch()
    daemon.until("New configuration refused")
    daemon.until("VRRP process has not got ready for 500 ms")
    daemon.until("life 3")
    assert daemon.end() == 0


def test_a_reload_starts_and_stops_processes(start: Start) -> None:
    daemon = start(conf="")
    daemon.until("keepalived has no configuration to run")
    daemon.until("Startup complete")
    assert daemon.children() == {}
    daemon.reload("vrrp\n")
    daemon.until(r"service \d+: made")
    assert set(daemon.children()) == {"vrrp"}
    pid = daemon.children()["vrrp"]
    daemon.reload("checkers\n")
    daemon.until(r"service \d+: made", 2)
    daemon.until(f"service {pid}: told to stop")
    assert gone(pid)
    assert set(daemon.children()) == {"checkers"}
    assert daemon.end() == 0
    assert "died" not in daemon.text


def test_a_child_that_does_not_stop_is_killed(tmp_path: Path, start: Start) -> None:
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    (tmp_path / "control" / "never-stop").touch()
    begin = time.monotonic()
    assert daemon.end() == 0
    assert 0.9 < time.monotonic() - begin < 5  # child_wait_time is a second here, and again for what it has left
    assert daemon.text.count("VRRP process failed to die - forcing termination") == 2


def test_one_with_a_fault_amid_its_stop_is_followed_by_one_that_takes_away_what_it_left(
    tmp_path: Path, start: Start
) -> None:
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    (tmp_path / "control" / "fault-amid-stop").touch()
    assert daemon.end() == 0
    assert "Program error: ValueError: a fault of the service" in daemon.text
    assert "life 2 only to leave" in daemon.text
    assert daemon.text.count("told to stop") == 2


def test_a_child_that_says_so_has_time_to_leave(tmp_path: Path, daemon: Daemon) -> None:
    (tmp_path / "control" / "long-stop").touch()
    begin = time.monotonic()
    assert daemon.end() == 0
    assert time.monotonic() - begin > 2  # twice child_wait_time
    assert "forcing termination" not in daemon.text


@pytest.mark.long
def test_a_parent_that_is_slow_loses_no_last_words(tmp_path: Path, start: Start) -> None:
    """It stands still for longer than a second while a child tells more than a socket holds, and ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    daemon = start(conf=f"checkers\nlvs-fifo {pipe}\n")
    daemon.until("Startup complete")
    (tmp_path / "control" / "talk-at-the-end").touch()
    daemon.send(signal.SIGTERM)
    daemon.until("told to stop")
    daemon.send(signal.SIGSTOP)
    time.sleep(2.5)
    daemon.send(signal.SIGCONT)
    assert daemon.wait() == 0
    assert os.read(reader, 1 << 20).splitlines() == [f"word {number}".encode() for number in range(2000)]
    os.close(reader)


def test_children_leave_in_good_order_when_the_parent_is_killed(daemon: Daemon) -> None:
    children = daemon.children()
    daemon.send(signal.SIGKILL)
    daemon.wait()
    assert all(gone(pid) for pid in children.values())
    assert daemon.text.count("told to stop") == 2


def test_signals_that_dump_do_no_harm(daemon: Daemon) -> None:
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN + 2, signal.SIGRTMAX - 1, signal.SIGRTMAX):
        daemon.send(number)
    os.kill(daemon.children()["vrrp"], signal.SIGUSR1)
    daemon.until("not effective yet", 6)
    assert daemon.end(signal.SIGINT) == 0
    assert "died" not in daemon.text


def test_a_fault_in_a_service_is_told_and_survived(tmp_path: Path, start: Start) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "fault").touch()
    daemon = start(conf="vrrp\n")
    daemon.until("Program error: ValueError: a fault of the service")
    daemon.until("Startup complete")
    assert daemon.end() == 0
    assert "died" not in daemon.text


@pytest.mark.parametrize("fault", ["fault", "reported"])
def test_a_reload_that_goes_wrong_half_way_is_not_called_applied(daemon: Daemon, fault: str) -> None:
    daemon.reload(f"vrrp\ncheckers\nrouter_id {fault}\n")
    daemon.until("The last reload went wrong half way: a restart is needed")
    assert "New configuration applied" not in daemon.text
    daemon.reload("vrrp\ncheckers\nrouter_id better\n")
    daemon.until("New configuration applied")
    assert daemon.end() == 0


def test_a_process_without_a_descriptor_for_its_part_says_so_and_takes_the_next_one(daemon: Daemon) -> None:
    daemon.reload("vrrp\ncheckers\nrouter_id one\n")
    daemon.until("New configuration applied")
    pid = daemon.children()["vrrp"]
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    daemon.reload("vrrp\ncheckers\nrouter_id two\n")
    daemon.until("The last reload went wrong")
    assert "no descriptor was left for the new configuration" in daemon.text
    assert "has not completed the reload" not in daemon.text
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    daemon.reload("vrrp\ncheckers\nrouter_id three\n")
    daemon.until(f"service {pid}: reloaded with router_id three")
    daemon.until("New configuration applied", 2)
    assert daemon.end() == 0


def test_a_part_is_told_by_the_one_before(start: Start) -> None:
    """A process that is started again has what it had, after amendments and after one that went wrong, too."""
    daemon = start(conf="checkers\nserver 1\nserver 2\n")
    daemon.until("made with router_id  1 2\n")
    daemon.until("Startup complete")

    def reload(*ports: int, router_id: str) -> None:
        lines = "".join(f"server {port}\n" for port in ports)
        daemon.reload(f"checkers\nrouter_id {router_id}\n{lines}")
        daemon.until(f"reloaded with router_id {router_id} {' '.join(map(str, ports))}\n")

    reload(1, 3, 2, router_id="a")
    daemon.until("New configuration applied", 1)
    reload(3, 4, 1, router_id="b")
    daemon.until("New configuration applied", 2)
    daemon.kill("checkers")
    daemon.until("made with router_id b 3 4 1\n")
    reload(4, 5, router_id="c")
    daemon.until("New configuration applied", 3)
    reload(5, 6, router_id="fault")
    daemon.until("went wrong half way")
    reload(6, 5, 7, router_id="d")
    daemon.until("New configuration applied", 4)
    for number in range(20):  # more than are kept in a row
        reload(*range(10, 12 + number % 3), router_id=f"e{number}")
        daemon.until("New configuration applied", 5 + number)
    daemon.kill("checkers")
    daemon.until("made with router_id e19 10 11 12\n")
    assert daemon.end() == 0


def test_a_process_that_is_started_again_keeps_the_ipvs_namespace_of_the_start(daemon: Daemon) -> None:
    daemon.reload("vrrp\ncheckers\nipvs-namespace nowhere\nrouter_id b\n")
    daemon.until("Cannot change net_namespace_ipvs at a reload")
    daemon.until("New configuration applied")
    daemon.kill("checkers")
    daemon.until("made with router_id b\n")
    assert daemon.end() == 0
    assert "IPVS is not used" not in daemon.text


@pytest.mark.parametrize(
    ("name", "until"), [("nowhere", "there is one"), ("/proc/self/ns/net", "the daemon is started again")]
)
def test_an_ipvs_namespace_is_waited_for_if_it_may_come(start: Start, name: str, until: str) -> None:
    daemon = start(conf=f"checkers\nipvs-namespace {name}\n")
    daemon.until(f"net_namespace_ipvs {name}: .* - IPVS is not used until {until}\n")
    daemon.until("Startup complete")
    assert daemon.end() == 0


@pytest.mark.parametrize("options", [(), ("--dont-respawn",)])
def test_a_process_that_wants_to_begin_anew_is_stopped_in_good_order_and_started_again(
    tmp_path: Path, start: Start, options: tuple[str, ...]
) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "anew").touch()
    daemon = start(*options, conf="checkers\n")
    daemon.until("life 1\n", 2)  # nothing is left to it
    daemon.until("Starting Healthcheck child process", 2)
    assert daemon.text.count("told to stop") == 1
    assert daemon.end() == 0
    for word in ("died", "life 2", "Restart of"):
        assert word not in daemon.text


def test_what_was_kept_and_cannot_be_read_refuses_one_reload_only(start: Start) -> None:
    daemon = start(conf="checkers\nserver 1\n")
    daemon.until("Startup complete")
    daemon.reload("checkers\nserver 2\nloader-forgets\n")
    daemon.until("New configuration applied")
    assert daemon.end() == 0
    assert "refused" not in daemon.text


def test_a_reload_that_does_not_reach_a_process_is_read_whole_the_next_time(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next amendment would be applied to another configuration than it was made for."""
    monkeypatch.setattr("pykeepalived.daemon.parent.Signals", lambda *_: None)
    role = Role("Healthcheck", "checkers", "i", "p", frozenset(), make=None, warm=lambda: None)  # type: ignore[arg-type]
    plan = Plan((role,), lambda *_: Compiled(Outcome()), {}, {}, ChildOptions(), {})
    parent = Parent(plan, Lines(ConsoleSink(), "Little"), Systemd({}))
    outcome = Outcome(parts=frozenset({"checkers"}))
    parent._accept(outcome, {"checkers": os.memfd_create("part")})
    child = parent._children["checkers"] = Child(role, os.getpid(), 0, parent.reactor.alarm(lambda: None))
    child.channel = SimpleNamespace(send=lambda *_: False, open=True)  # type: ignore[assignment]
    memory = os.memfd_create("memory")
    os.write(memory, b"something")
    parent._apply(outcome, {"checkers": os.memfd_create("part"), MEMORY: memory})
    assert parent._memory is None
    said = capfd.readouterr().err
    assert "The last reload did not reach the Healthcheck process" in said
    assert "applied" not in said
    parent.reactor.close()


@pytest.mark.parametrize("whole", [True, False])
def test_a_process_that_starts_amid_a_reload_has_not_applied_it_when_it_is_ready(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    monkeypatch.setattr("pykeepalived.daemon.parent.Signals", lambda *_: None)
    role = Role("VRRP", "vrrp", "i", "p", frozenset(), make=None, warm=lambda: None)  # type: ignore[arg-type]
    parent = Parent(
        Plan((role,), lambda *_: Compiled(Outcome()), {}, {}, ChildOptions(), {}),
        Lines(ConsoleSink(), "Little"),
        Systemd({}),
    )
    outcome = Outcome(parts=frozenset({"vrrp"}))
    parent._accept(outcome, {"vrrp": os.memfd_create("part")})
    child = parent._children["vrrp"] = Child(role, os.getpid(), 0, parent.reactor.alarm(lambda: None))
    child.channel = SimpleNamespace(send=lambda *_: True, open=True)  # type: ignore[assignment]
    parent._apply(outcome, {"vrrp": os.memfd_create("part")})
    parent._received(child, {"type": "ready"}, None)
    assert "applied" not in capfd.readouterr().err
    parent._received(child, {"type": "reloaded", "whole": whole}, None)
    said = capfd.readouterr().err
    assert ("New configuration applied" in said) is whole
    assert ("The last reload went wrong half way" in said) is not whole
    parent.reactor.close()


def test_scripts_end_as_they_are_judged(tmp_path: Path, start: Start) -> None:
    script(tmp_path / "script-good", f'echo "$1 $$ $(ps -o sid= $$)" > {tmp_path}/said; exit 3')
    script(tmp_path / "script-slow", "exec sleep 60")
    script(tmp_path / "script-trap", "trap 'exit 5' TERM; while :; do sleep 0.05; done")
    (tmp_path / "script-absent").symlink_to(tmp_path / "nowhere")
    daemon = start(conf="vrrp\n")
    daemon.until("script ended", 4)
    ended = sorted(re.findall(r"script ended: (.*)", daemon.text))
    assert ended == ["127 None False", "3 None False", "5 None False", "None 15 True"]
    assert re.search(r"Script '\S+/script-absent' cannot be run: No such file", daemon.text)
    word, pid, session = (tmp_path / "said").read_text().split()
    assert word == "word"
    assert pid == session
    assert daemon.end() == 0


def test_a_script_can_be_cut_short(tmp_path: Path, start: Start) -> None:
    script(tmp_path / "cut-long", f"touch {tmp_path}/cut-long.ready; exec sleep 60")
    daemon = start(conf="vrrp\n")
    daemon.until("script ended: None 15 True")
    assert daemon.end() == 0


def test_a_script_that_a_dead_process_waited_for_goes_with_it(tmp_path: Path, start: Start) -> None:
    text = f"rm $0; echo $$ > {tmp_path}/part; mv {tmp_path}/part {tmp_path}/pid-said; exec sleep 60"
    script(tmp_path / "cut-long", text)
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    deadline = time.monotonic() + PATIENCE
    while not (said := tmp_path / "pid-said").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    daemon.kill("vrrp")
    assert gone(int(said.read_text()))
    assert daemon.end() == 0


def test_what_scripts_leave_behind_is_no_zombie_for_ever(tmp_path: Path, start: Start) -> None:
    """In a container the daemon is the first process, and inherits it."""
    text = f"sleep 0.1 & echo $! > {tmp_path}/part; mv {tmp_path}/part {tmp_path}/left"
    script(tmp_path / "script-leaves", text)
    daemon = start("--inherits", conf="vrrp\n", WATCHDOG_USEC="200000")
    daemon.until("script ended: 0 None False")
    left = Path(f"/proc/{(tmp_path / 'left').read_text().strip()}")
    deadline = time.monotonic() + PATIENCE
    while left.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert daemon.end() == 0


def test_stop_scripts_have_a_second(tmp_path: Path, start: Start) -> None:
    script(tmp_path / "stop-quick", f"echo done > {tmp_path}/quick")
    script(tmp_path / "stop-slow", f"echo $$ > {tmp_path}/slow; sleep 60")
    daemon = start(conf="vrrp\n")
    daemon.until("Startup complete")
    begin = time.monotonic()
    assert daemon.end() == 0
    assert 0.9 < time.monotonic() - begin < 3
    assert (tmp_path / "quick").read_text() == "done\n"
    assert gone(int((tmp_path / "slow").read_text()))


def test_systemd_hears_of_everything(tmp_path: Path, start: Start) -> None:
    there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    there.bind(str(tmp_path / "notify"))
    there.settimeout(PATIENCE)
    heard: list[str] = []

    def until(word: str) -> None:
        while not heard or word not in heard[-1]:
            heard.append(there.recv(4096).decode())

    with there:
        daemon = start(conf="vrrp\n", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
        until("READY=1")
        assert f"MAINPID={daemon.process.pid}" in heard[-1]
        until("WATCHDOG=1")
        daemon.reload("error no\n")
        until("RELOADING=1")
        until("READY=1")
        assert "STATUS=little: well; last reload refused" in heard[-1]
        # a child that does not turn any more: no further beat
        os.kill(daemon.children()["vrrp"], signal.SIGSTOP)
        daemon.until("VRRP process has not answered for")
        there.setblocking(False)
        try:
            while there.recv(4096):
                pass
        except BlockingIOError:
            pass
        time.sleep(0.4)
        with pytest.raises(BlockingIOError):
            there.recv(4096)
        there.settimeout(PATIENCE)
        os.kill(daemon.children()["vrrp"], signal.SIGCONT)
        daemon.until("VRRP process answers again after")
        until("WATCHDOG=1")
        daemon.send(signal.SIGTERM)
        until("STOPPING=1")
        assert daemon.wait() == 0


def test_a_systemd_that_cannot_be_told_holds_nothing_up(tmp_path: Path, start: Start) -> None:
    daemon = start(conf="vrrp\n", NOTIFY_SOCKET=str(tmp_path / "nobody"), WATCHDOG_USEC="100000")
    daemon.until("Startup complete")
    daemon.reload("vrrp\nrouter_id two\n")
    daemon.until("New configuration applied")
    daemon.kill("vrrp")
    daemon.until("life 2")
    assert daemon.end() == 0
    assert "Program error" not in daemon.text


def test_a_systemd_that_does_not_read_is_not_waited_for(tmp_path: Path, start: Start) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(tmp_path / "notify"))
        others = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        with others, contextlib.suppress(BlockingIOError):
            while others.sendto(b"others", str(tmp_path / "notify")):
                pass
        daemon = start(conf="vrrp\n", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
        daemon.until("Startup complete")
        daemon.reload("vrrp\nrouter_id two\n")
        daemon.until("New configuration applied")
        there.settimeout(PATIENCE)
        while not there.recv(4096).startswith(b"READY=1"):  # it is said as soon as there is room
            pass
        assert daemon.end() == 0
