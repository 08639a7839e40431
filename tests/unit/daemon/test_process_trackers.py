"""Tracked processes with real ones: by the kernel's events where it has them, and by looking through /proc."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.daemon import process_trackers
from pykeepalived.daemon.process_trackers import ProcessTrackers
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.errors import KernelError
from pykeepalived.kernel.netlink import Overrun
from pykeepalived.kernel.process_events import ProcessEvents, open_socket
from pykeepalived.units import MILLISECOND
from tests.support.descriptors import descriptors_left
from tests.support.fakes_vrrp import FakeJournal

PATIENCE = 30.0
GLOBAL = GlobalDefs()


class Desk:
    """Process trackers that turn, what they told, and processes with a name that nobody else has."""

    def __init__(self, folder: Path, listener: socket.socket | None) -> None:
        self.faults: list[Exception] = []
        self.reactor = Reactor(self.faults.append)
        self.journal = FakeJournal()
        self.told: list[tuple[str, bool]] = []
        self.name = f"pk{os.getpid()}{folder.name[-3:]}"[:15]
        self.program = folder / self.name
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []
        self.trackers = ProcessTrackers(
            self.reactor, self.journal, lambda name, up, _: self.told.append((name, up)), listener
        )

    def config(self, name: str = "p", **options: Any) -> VrrpTrackProcess:
        return VrrpTrackProcess(name=name, **({"process": (self.name,)} | options))

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        if not self.program.exists():
            shutil.copy("/bin/sleep", self.program)
        process = subprocess.Popen([self.name, *(words or ("1000",))], executable=self.program)
        self.started.append(process)
        return process

    def turn_for(self, length: int) -> None:
        end = self.reactor.now() + length
        self.until(lambda: self.reactor.now() >= end)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        wake = self.reactor.alarm(lambda: None)
        while not condition():
            assert time.monotonic() < deadline, (self.told, self.journal.texts())
            wake.set(self.reactor.now() + 10 * MILLISECOND)
            self.reactor.turn()
        assert not self.faults

    def tells(self, *told: tuple[str, bool]) -> None:
        self.until(lambda: len(self.told) >= len(told))
        assert self.told == list(told)
        self.told.clear()


@pytest.fixture(params=["events", "looking"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(process_trackers, "_ROUND_EVERY", 50 * MILLISECOND)
    with contextlib.ExitStack() as stack:
        listener = None
        if request.param == "events":
            try:
                listener = stack.enter_context(open_socket())
                ProcessEvents(listener, names=True).close()
            except KernelError as error:
                pytest.skip(f"needs a kernel that tells of processes here: {error}")
        else:

            def none(*_: object, **__: object) -> None:
                raise KernelError("listen to process events", 111)

            monkeypatch.setattr(process_trackers, "ProcessEvents", none)
            monkeypatch.setattr(process_trackers, "open_socket", lambda: None)
        desk = Desk(tmp_path, listener)
        try:
            yield desk
        finally:
            desk.trackers.stop()
            for process in desk.started:
                process.kill()
                process.wait()
        assert not desk.reactor._handlers, "nothing is left to watch"
        desk.reactor.close()


pytestmark = pytest.mark.root


@pytest.mark.keyword("vrrp_instance.track_process")
def test_births_and_ends_are_told(desk: Desk) -> None:
    first = desk.start()
    desk.until(lambda: Path(f"/proc/{first.pid}/comm").read_text().strip() == desk.name)
    assert desk.trackers.replace([desk.config(), desk.config("q", quorum=2)], GLOBAL) == {"p": True, "q": False}
    second = desk.start()
    desk.tells(("q", True))
    first.kill()
    desk.tells(("q", False))
    first.wait()
    second.kill()
    desk.tells(("p", False))
    assert desk.journal.texts()[-3:] == [
        "Quorum gained for tracked process q",
        "Quorum lost for tracked process q",
        "Quorum lost for tracked process p",
    ]


def test_looking_is_said_once(desk: Desk, request: pytest.FixtureRequest) -> None:
    for _ in range(2):
        desk.trackers.replace([desk.config()], GLOBAL)
    said = [line for line in desk.journal.texts() if line.startswith("The kernel does not tell of processes here")]
    assert len(said) == ("[looking]" in request.node.name)


def test_a_process_that_waits_for_its_parent_is_none(desk: Desk) -> None:
    process = desk.start()
    desk.until(lambda: Path(f"/proc/{process.pid}/comm").read_text().strip() == desk.name)
    process.kill()
    desk.until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split(") ")[1][0] == "Z")
    assert desk.trackers.replace([desk.config()], GLOBAL) == {"p": False}
    desk.turn_for(200 * MILLISECOND)
    assert desk.told == []


def test_it_is_told_apart_by_its_parameters(desk: Desk) -> None:
    options: dict[str, Any] = {"process": (desk.name, "77"), "param_match": "exact", "full_command": True}
    assert desk.trackers.replace([desk.config(**options)], GLOBAL) == {"p": False}
    desk.start("1000")
    desk.turn_for(200 * MILLISECOND)
    assert desk.told == []
    process = desk.start("77")
    desk.tells(("p", True))
    process.kill()
    desk.tells(("p", False))


def test_another_name_and_another_program(desk: Desk) -> None:
    desk.trackers.replace([desk.config()], GLOBAL)
    script = f"sleep 0.1; printf {desk.name} > /proc/$$/comm; read x; exec sleep 1000"
    process = subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE)
    desk.started.append(process)
    desk.tells(("p", True))
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.close()
    desk.tells(("p", False))


def test_want_of_descriptors_says_nothing_of_a_process(desk: Desk) -> None:
    first = desk.start()
    desk.until(lambda: Path(f"/proc/{first.pid}/comm").read_text().strip() == desk.name)
    script = f"read x; printf {desk.name} > /proc/$$/comm; read x"
    second = subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE)
    desk.started.append(second)
    assert desk.trackers.replace([desk.config(), desk.config("q", quorum=2)], GLOBAL) == {"p": True, "q": False}
    assert second.stdin is not None
    with descriptors_left(0):
        second.stdin.write(b"\n")
        second.stdin.flush()
        desk.turn_for(300 * MILLISECOND)
        assert desk.trackers.replace([desk.config(), desk.config("q", quorum=2)], GLOBAL) == {"p": True, "q": False}
        desk.turn_for(300 * MILLISECOND)
    assert desk.told == []
    desk.tells(("q", True))
    second.stdin.close()
    desk.tells(("q", False))


def test_what_cannot_be_watched_is_read_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """fs.epoll.max_user_watches."""
    monkeypatch.setattr(process_trackers, "_ROUND_EVERY", 50 * MILLISECOND)

    def none(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(desk.reactor, "watch", none)
        desk.trackers.replace([desk.config()], GLOBAL)
        process = desk.start()
        desk.tells(("p", True))
    process.kill()
    desk.tells(("p", False))


@pytest.mark.parametrize("desk", ["looking"], indirect=True)
def test_processes_do_not_use_up_descriptors(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_trackers, "_MOST_ENDS", 1)
    processes = [desk.start() for _ in range(3)]
    desk.trackers.replace([desk.config(quorum=3), desk.config("q", quorum=1)], GLOBAL)
    desk.until(lambda: len(desk.trackers._known) == 3 and desk.trackers._trackers["q"][0].up)
    assert len(desk.trackers._ends) == 1
    desk.told.clear()
    for process in processes:
        process.kill()
    desk.tells(("p", False), ("q", False))


@pytest.mark.keyword("vrrp_track_process.terminate_delay")
def test_a_restart_within_the_delay_is_not_noticed(desk: Desk) -> None:
    process = desk.start()
    desk.trackers.replace([desk.config(terminate_delay=60_000 * MILLISECOND)], GLOBAL)
    desk.until(lambda: desk.trackers._trackers["p"][0].up)
    desk.told.clear()
    process.kill()
    desk.until(lambda: not desk.trackers._trackers["p"][0].pids)
    assert desk.trackers._trackers["p"][0].deadline is not None
    desk.start()
    desk.until(lambda: desk.trackers._trackers["p"][0].deadline is None)
    assert desk.told == []


def test_a_reload_does_not_shorten_a_delay(desk: Desk) -> None:
    process = desk.start()
    config = desk.config(terminate_delay=60_000 * MILLISECOND)
    desk.trackers.replace([config], GLOBAL)
    desk.until(lambda: desk.trackers._trackers["p"][0].up)
    desk.told.clear()
    process.kill()
    desk.until(lambda: not desk.trackers._trackers["p"][0].pids)
    found = desk.trackers.replace([config, desk.config("q", quorum_max=0, quorum=0)], GLOBAL)
    assert found == {"p": True, "q": True}
    assert desk.trackers._trackers["p"][0].deadline is not None
    assert desk.told == []


def test_a_fork_is_what_its_parent_is(desk: Desk) -> None:
    desk.trackers.replace([desk.config(quorum=2)], GLOBAL)
    shutil.copy("/bin/bash", desk.program)
    process = subprocess.Popen([desk.program, "-c", "(while read -t 1000; do :; done) ; exit"], stdin=subprocess.PIPE)
    desk.started.append(process)
    desk.tells(("p", True))
    assert process.stdin is not None
    process.stdin.close()
    desk.tells(("p", False))


def test_a_reload_keeps_what_is_known(desk: Desk) -> None:
    process = desk.start()
    desk.trackers.replace([desk.config()], GLOBAL)
    desk.until(lambda: desk.trackers._trackers["p"][0].up)
    desk.told.clear()
    assert desk.trackers.replace([desk.config(), desk.config("q", quorum_max=0, quorum=0)], GLOBAL) == {
        "p": True,
        "q": False,
    }
    assert desk.trackers.replace([desk.config("q", quorum_max=0, quorum=0)], GLOBAL) == {"q": False}
    process.kill()
    desk.tells(("q", True))
    assert desk.trackers.replace([], GLOBAL) == {}
    assert not desk.reactor._handlers


@pytest.mark.parametrize("desk", ["events"], indirect=True)
def test_lost_events_are_made_up_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.start()
    desk.trackers.replace([desk.config(), desk.config("q", quorum=2)], GLOBAL)
    desk.until(lambda: desk.trackers._trackers["p"][0].up)
    desk.told.clear()
    events = desk.trackers._events
    assert events is not None
    real, lost = events.events, [True]

    def lossy() -> Iterator[tuple[int, int, int]]:
        if lost.pop() if lost else False:
            list(real())
            raise Overrun
        return real()

    monkeypatch.setattr(events, "events", lossy)
    desk.reactor.unwatch(events.fileno())
    first.kill()
    first.wait()
    second = desk.start()
    desk.until(lambda: Path(f"/proc/{second.pid}/comm").read_text().strip() == desk.name)
    desk.reactor.watch(events.fileno(), desk.trackers._read)
    desk.until(lambda: second.pid in desk.trackers._known and not desk.trackers._left)
    assert first.pid not in desk.trackers._known
    assert ("q", True) not in desk.told
