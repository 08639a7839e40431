"""Tracked files on a real file system: what is written, renamed, deleted, replaced, and what cannot be read."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.kinds_trackers import InitialContent
from pykeepalived.daemon import file_trackers
from pykeepalived.daemon.file_trackers import FileTrackers
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.errors import KernelError
from pykeepalived.kernel import small_files
from pykeepalived.kernel.inotify import Inotify
from pykeepalived.units import MILLISECOND
from tests.support.fakes_vrrp import FakeJournal

PATIENCE = 30.0


class Desk:
    """File trackers that turn, and what they told."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.reactor = Reactor(self.faults.append)
        self.journal = FakeJournal()
        self.told: list[tuple[str, int]] = []
        self.trackers = FileTrackers(self.reactor, self.journal, lambda name, number: self.told.append((name, number)))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        wake = self.reactor.alarm(lambda: None)
        while not condition():
            assert time.monotonic() < deadline, (self.told, self.journal.texts())
            wake.set(self.reactor.now() + 20 * MILLISECOND)
            self.reactor.turn()
        assert not self.faults

    def tells(self, number: int, name: str = "f") -> None:
        self.until(lambda: self.told[-1:] == [(name, number)])


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.trackers.stop()
    assert not desk.reactor._handlers, "nothing is left to watch"
    desk.reactor.close()


@pytest.fixture
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_trackers, "_LOOK_EVERY", 30 * MILLISECOND)


def tracked(path: Path, name: str = "f", init_file: InitialContent | None = None) -> TrackedFile:
    return TrackedFile(name=name, file=str(path), init_file=init_file)


@pytest.mark.keyword("track_file.file")
def test_what_is_written_renamed_and_deleted_is_told(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("20")
    assert desk.trackers.replace([tracked(file)]) == {"f": 20}
    file.write_text("50\n")
    desk.tells(50)
    (tmp_path / "new").write_text("40")
    (tmp_path / "new").rename(file)
    desk.tells(40)
    file.rename(tmp_path / "away")
    desk.tells(0)
    (tmp_path / "away").rename(file)
    desk.tells(40)
    file.unlink()
    desk.tells(0)
    file.write_text("60")
    desk.tells(60)
    assert desk.told == [("f", each) for each in (50, 40, 0, 40, 0, 60)]


def test_what_does_not_change_the_number_is_not_told(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "f"
    desk.trackers.replace([tracked(file)])
    for text in ("abc", "", "0x0", "99999999999"):
        file.write_text(text)
    (tmp_path / "other").write_text("5")
    file.write_text("6")
    desk.tells(6)
    assert desk.told == [("f", 6)]
    assert desk.journal.texts().count(f"Invalid number read from {file} - ignoring") <= 1


def test_a_number_that_does_not_fit_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("5")
    desk.trackers.replace([tracked(file)])
    file.write_text("3000000000")
    desk.until(lambda: bool(desk.journal.texts()))
    assert desk.journal.texts() == [f"Invalid number read from {file} - ignoring"]
    assert desk.told == []


@pytest.mark.usefixtures("looking_often")
def test_a_folder_that_comes_goes_and_is_replaced(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    assert desk.trackers.replace([tracked(folder / "f")]) == {"f": 0}
    assert desk.journal.texts() == [
        f"track_file f: folder {folder} cannot be watched yet: No such file or directory",
    ]
    folder.mkdir()
    (folder / "f").write_text("1")
    desk.tells(1)
    folder.rename(tmp_path / "old")
    desk.tells(0)
    folder.mkdir()
    (folder / "f").write_text("2")
    desk.tells(2)
    (folder / "f").unlink()
    folder.rmdir()
    desk.tells(0)
    (tmp_path / "old").rename(folder)
    desk.tells(1)
    (folder / "f").write_text("7")
    desk.tells(7)


@pytest.mark.usefixtures("looking_often")
def test_a_link_that_leads_elsewhere(desk: Desk, tmp_path: Path) -> None:
    """As Kubernetes replaces mounted files; and a file of several names."""
    for name, text in (("one", "1"), ("two", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text(text)
    (tmp_path / "data").symlink_to("one")
    (tmp_path / "f").symlink_to("data/f")
    assert desk.trackers.replace([tracked(tmp_path / "f"), tracked(tmp_path / "data" / "f", "g")]) == {"f": 1, "g": 1}
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "data")
    desk.until(lambda: sorted(desk.told) == [("f", 2), ("g", 2)])
    (tmp_path / "two" / "f").write_text("3")
    desk.until(lambda: sorted(desk.told)[1::2] == [("f", 3), ("g", 3)])


@pytest.mark.usefixtures("looking_often")
def test_a_file_that_is_written_slowly_keeps_its_number_meanwhile(desk: Desk, tmp_path: Path) -> None:
    """As by `score >file`: the shell empties the file before the program has begun."""
    file = tmp_path / "f"
    file.write_text("20")
    desk.trackers.replace([tracked(file)])
    with file.open("w") as slow:
        looks = time.monotonic() + 0.3
        desk.until(lambda: time.monotonic() > looks)
        slow.write("50")
    desk.tells(50)
    assert desk.told == [("f", 50)]
    file.write_text("")
    desk.tells(0)


@pytest.mark.usefixtures("looking_often")
@pytest.mark.parametrize("lacks", ["inotify", "room in epoll"])
def test_without_inotify_a_look_finds_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    def none(*_: object) -> None:
        if lacks == "inotify":
            raise KernelError("watch files", 24)
        raise OSError(errno.ENOSPC, "No space left on device")

    if lacks == "inotify":
        monkeypatch.setattr(file_trackers, "Inotify", none)
    else:
        monkeypatch.setattr(desk.reactor, "watch", none)
    file = tmp_path / "f"
    desk.trackers.replace([tracked(file)])
    assert "looked at once a second" in desk.journal.texts()[0]
    file.write_text("5")
    desk.tells(5)
    file.unlink()
    desk.tells(0)


@pytest.mark.usefixtures("looking_often")
def test_a_file_that_is_written_again_and_again_is_read_though_nothing_tells_of_it(desk: Desk, tmp_path: Path) -> None:
    """As by a program that writes its number each second to where a link leads: no two looks see the same."""
    file, link = tmp_path / "elsewhere" / "f", tmp_path / "f"
    file.parent.mkdir()
    file.write_text("20")
    link.symlink_to(file)
    assert desk.trackers.replace([tracked(link)]) == {"f": 20}

    def written(text: str) -> bool:
        file.write_text(text)
        return bool(desk.told)

    desk.until(lambda: written("50\n"))
    assert desk.told == [("f", 50)]
    looks = time.monotonic() + 0.5
    desk.until(lambda: written("") and time.monotonic() > looks)
    assert desk.told == [("f", 50)], "what is empty may be about to be written"
    desk.tells(0)
    desk.until(lambda: written("60\n") and desk.told[-1] == ("f", 60))
    file.unlink()
    desk.tells(0)


@pytest.mark.usefixtures("looking_often")
def test_a_fault_at_what_a_file_says_does_not_end_the_looks(desk: Desk, tmp_path: Path) -> None:
    files = {name: tmp_path / "elsewhere" / name for name in "fg"}
    (tmp_path / "elsewhere").mkdir()
    for name, file in files.items():
        file.write_text("20")
        (tmp_path / name).symlink_to(file)
    told = desk.trackers._told
    faults = [RuntimeError()]

    def fail_once(name: str, number: int) -> None:
        if faults:
            raise faults.pop()
        told(name, number)

    desk.trackers._told = fail_once
    desk.trackers.replace([tracked(tmp_path / name, name) for name in files])
    files["f"].write_text("30")
    wake = desk.reactor.alarm(lambda: None)
    while not desk.faults:
        wake.set(desk.reactor.now() + 20 * MILLISECOND)
        desk.reactor.turn()
    desk.faults.clear()
    files["g"].write_text("40")
    desk.tells(40, "g")


def test_what_is_no_file_counts_as_zero_and_blocks_nobody(desk: Desk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "big").write_bytes(b"0" * 200 + b"7")
    (tmp_path / "folder").mkdir()
    names = ("fifo", "endless", "big", "folder")
    assert desk.trackers.replace([tracked(tmp_path / name, name) for name in names]) == dict.fromkeys(names, 0)
    said = desk.journal.texts()
    assert [line.split()[1].rstrip(":") for line in said] == ["fifo", "endless", "folder"]
    assert said[0] == f"track_file fifo: {tmp_path}/fifo cannot be read, its number is 0: it is not a regular file"


@pytest.mark.keyword("track_file.init_file")
def test_init_file(desk: Desk, tmp_path: Path) -> None:
    there, absent, kept = tmp_path / "there", tmp_path / "absent", tmp_path / "kept"
    there.write_text("1")
    kept.write_text("2")
    files = [
        tracked(there, "there", InitialContent(9, overwrite=True)),
        tracked(absent, "absent", InitialContent(8)),
        tracked(kept, "kept", InitialContent(7)),
    ]
    assert desk.trackers.replace(files) == {"there": 9, "absent": 8, "kept": 2}
    assert absent.read_text() == "8\n"
    there.write_text("5")  # a reload leaves it
    assert desk.trackers.replace(files)["there"] == 5


def test_init_file_says_why_it_cannot(desk: Desk, tmp_path: Path) -> None:
    desk.trackers.replace([tracked(tmp_path / "none" / "f", "f", InitialContent())])
    assert desk.journal.texts()[0] == f"track_file f: cannot make {tmp_path}/none/f: No such file or directory"


def test_a_reload_follows_other_files(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    files = {name: tmp_path / place for name, place in (("a", "a"), ("b", "sub/b"))}
    for file in files.values():
        file.write_text("1")
    desk.trackers.replace([tracked(files["a"], "a"), tracked(files["b"], "b")])
    (tmp_path / "c").write_text("3")
    assert desk.trackers.replace([tracked(tmp_path / "c", "a")]) == {"a": 3}
    files["b"].write_text("9")
    files["a"].write_text("9")
    (tmp_path / "c").write_text("4")
    desk.tells(4, "a")
    assert desk.told == [("a", 4)]


@pytest.mark.usefixtures("looking_often")
def test_whoever_floods_the_folder_of_a_file_keeps_no_advert_waiting(tmp_path: Path) -> None:
    """As anybody may do in /tmp: there are turns of other work between."""
    watched = Inotify()
    watched.watch(str(tmp_path))
    for number in range(3000):
        (tmp_path / f"other{number % 2}").write_text("")
    (tmp_path / "f").write_text("1")
    turns = []
    while events := list(watched.events()):
        turns.append(events)
    assert sum(len(events) for events in turns) == 3001
    watched.close()
    assert max(len(events) for events in turns) < 2500
    assert turns[-1][-1][1] == "f"


def test_a_file_that_we_have_no_descriptor_for_says_what_it_said(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks may have taken all of them: no server may fall, or rise, for it."""
    file = tmp_path / "f"
    file.write_text("20")
    assert desk.trackers.replace([tracked(file)]) == {"f": 20}
    read_start = small_files.read_start
    tries: list[str] = []

    def fail(path: str, _: int) -> bytes:
        tries.append(path)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(small_files, "read_start", fail)
    file.write_text("50")
    desk.until(lambda: len(tries) > 3)
    assert desk.told == []
    (line,) = desk.journal.texts()
    assert line == f"track_file f: {file} cannot be read just now, its number stays: Too many open files"
    monkeypatch.setattr(small_files, "read_start", read_start)
    desk.tells(50)
