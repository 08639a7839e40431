"""Notify FIFOs and their readers, as the parent keeps them; written through whole processes in test_parent."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds_global import Fifo
from pykeepalived.daemon.fifos import NotifyFifos, configured
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.scripts import ScriptRunner
from pykeepalived.effects import Log
from pykeepalived.units import SECOND
from tests.support.lives import alive, gone


class Bench:
    """FIFOs in a loop, with a runner, and what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.reactor = Reactor(lambda error: self.lines.append(repr(error)))
        self.runner = ScriptRunner(self.reactor, self, {"PATH": os.environ["PATH"]})
        self.fifos = NotifyFifos(("vrrp", "checkers"), self.runner, self)

    def log(self, line: Log) -> None:
        self.lines.append(line.message)

    def configure(self, global_defs: GlobalDefs) -> None:
        scripts = (global_defs.notify_fifo_script, global_defs.vrrp_notify_fifo_script)
        self.runner.allow(script for script in scripts if script is not None)
        self.fifos.replace(global_defs)

    def until(self, condition: Callable[[], bool]) -> None:
        patience = self.reactor.alarm(lambda: None)
        deadline = time.monotonic() + 5
        while not condition() and time.monotonic() < deadline:
            patience.set(self.reactor.now() + SECOND // 100)
            self.reactor.turn()
        assert condition(), self.lines

    def finish(self, grace: int = 5 * SECOND) -> None:
        ended: list[int] = []
        self.fifos.close()
        self.runner.finish(self.reactor.now(), grace, lambda: ended.append(1))
        self.until(lambda: bool(ended))


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.finish(0)
    bench.reactor.close()


def said(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def reader(path: Path, text: str) -> Script:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return Script((str(path), "word"))


def test_each_role_has_the_global_one_and_its_own() -> None:
    script = Script(("/x",))
    global_defs = GlobalDefs(
        notify_fifo=Fifo("/a"),
        vrrp_notify_fifo=Fifo("/b", "daemon", owner=(1, 2)),
        lvs_notify_fifo=Fifo("/c"),
        lvs_notify_fifo_script=script,
    )
    vrrp, checkers = configured("vrrp", global_defs), configured("checkers", global_defs)
    assert [(spec.path, spec.owner, spec.script) for spec in vrrp] == [("/a", None, None), ("/b", (1, 2), None)]
    assert [(spec.path, spec.owner, spec.script) for spec in checkers] == [("/a", None, None), ("/c", None, script)]
    assert configured("vrrp", GlobalDefs(lvs_notify_fifo=Fifo("/c"))) == ()


def test_lines_go_where_the_role_says_and_stay_one_line(bench: Bench, tmp_path: Path) -> None:
    both, vrrp = tmp_path / "both", tmp_path / "vrrp"
    before = os.umask(0o077)
    try:
        bench.configure(GlobalDefs(notify_fifo=Fifo(str(both)), vrrp_notify_fifo=Fifo(str(vrrp))))
    finally:
        os.umask(before)
    assert stat.S_IMODE(both.stat().st_mode) == 0o644
    with both.open("rb", buffering=0) as everything, vrrp.open("rb", buffering=0) as own:
        bench.fifos.write("vrrp", "one")
        bench.fifos.write("checkers", "two\nlines\0")
        bench.fifos.write("vrrp", "é" * 9000)
        data = everything.read(65536)
        assert data.startswith(b"one\ntwo\\x0alines\\x00\n")
        assert data.count(b"\n") == 3
        assert len(data.splitlines()[2]) < 4096
        assert own.read(65536).startswith(b"one\n\xc3")
        bench.fifos.close()
        assert everything.read(10) == b""
    assert not both.exists()
    assert not vrrp.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a FIFO away")
def test_only_one_made_here_gets_its_owner_and_is_removed(bench: Bench, tmp_path: Path) -> None:
    made, found = tmp_path / "made", tmp_path / "found"
    os.mkfifo(found, 0o600)
    first, second = (Fifo(str(path), "nobody", owner=(65534, 65533)) for path in (made, found))
    bench.configure(GlobalDefs(notify_fifo=first, vrrp_notify_fifo=second))
    assert (made.stat().st_uid, made.stat().st_gid) == (65534, 65533)
    assert (found.stat().st_uid, stat.S_IMODE(found.stat().st_mode)) == (0, 0o600)
    bench.configure(GlobalDefs(notify_fifo=Fifo(str(made), "nobody", owner=(65534, 65532))))
    assert made.stat().st_gid == 65532
    bench.fifos.close()
    assert not made.exists()
    assert found.exists()


def test_what_is_no_fifo_is_left_alone_and_said(bench: Bench, tmp_path: Path) -> None:
    file, link, real = tmp_path / "file", tmp_path / "link", tmp_path / "real"
    file.write_text("precious")
    os.mkfifo(real)
    link.symlink_to(real)
    absent = tmp_path / "absent" / "fifo"
    script = reader(tmp_path / "reader", f"echo started > {tmp_path}/started")
    bench.configure(
        GlobalDefs(notify_fifo=Fifo(str(file)), notify_fifo_script=script, vrrp_notify_fifo=Fifo(str(link)))
    )
    bench.fifos.write("vrrp", "line")
    assert bench.lines[0] == f"Notify FIFO {file} is no FIFO"
    assert bench.lines[1].startswith(f"Notify FIFO {link} cannot be used: ")
    bench.configure(GlobalDefs(notify_fifo=Fifo(str(absent))))
    assert bench.lines[2] == f"Notify FIFO {absent} cannot be used: No such file or directory"
    # mended, and told by a reload
    file.unlink()
    bench.configure(GlobalDefs(notify_fifo=Fifo(str(file)), notify_fifo_script=script))
    assert len(bench.lines) == 3
    assert stat.S_ISFIFO(file.stat().st_mode)
    bench.fifos.close()
    assert link.is_symlink()
    assert real.exists()


def test_a_full_pipe_loses_lines_and_says_so_once(bench: Bench, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    bench.configure(GlobalDefs(notify_fifo=Fifo(str(fifo))))
    for number in range(20_000):
        bench.fifos.write("vrrp", f"line {number}")
    assert len(bench.lines) == 1
    assert "its reader is too slow" in bench.lines[0]
    with fifo.open("rb", buffering=0) as pipe:
        assert pipe.read(65536).startswith(b"line 0\nline 1\n")
        bench.fifos.write("vrrp", "again")
        assert pipe.read(65536).endswith(b"again\n")


def test_a_reader_is_started_once_and_again_when_it_changes(bench: Bench, tmp_path: Path) -> None:
    heard, fifo = tmp_path / "heard", tmp_path / "fifo"
    text = f'echo "start $1 $2" >> {heard}\nwhile read -r line; do echo "$line" >> {heard}; done < "$2"\n'
    one, two = reader(tmp_path / "one", text), reader(tmp_path / "two", text)
    bench.configure(GlobalDefs(notify_fifo=Fifo(str(fifo)), notify_fifo_script=one))
    bench.fifos.write("checkers", "first")
    bench.until(lambda: len(said(heard)) == 2)
    bench.configure(GlobalDefs(notify_fifo=Fifo(str(fifo)), notify_fifo_script=one, router_id="other"))
    bench.fifos.write("vrrp", "second")
    bench.until(lambda: len(said(heard)) == 3)
    bench.configure(GlobalDefs(notify_fifo=Fifo(str(fifo)), notify_fifo_script=two))
    bench.until(lambda: len(bench.runner) == 1)  # the former has ended
    bench.fifos.write("vrrp", "third")
    bench.until(lambda: len(said(heard)) == 5)
    bench.fifos.write("vrrp", "last words")
    bench.finish()  # by the end of its input
    assert said(heard) == [f"start word {fifo}", "first", "second", f"start word {fifo}", "third", "last words"]
    assert bench.lines == []


def test_a_reader_that_ends_is_said_and_one_that_does_not_is_ended(bench: Bench, tmp_path: Path) -> None:
    short = reader(tmp_path / "short", "exit 3")
    stubborn = reader(tmp_path / "long", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    first, second = Fifo(str(tmp_path / "a")), Fifo(str(tmp_path / "b"))
    scripts = {"notify_fifo_script": short, "vrrp_notify_fifo_script": stubborn}
    bench.configure(GlobalDefs(notify_fifo=first, vrrp_notify_fifo=second, **scripts))  # type: ignore[arg-type]
    bench.until(lambda: bool(bench.lines))
    text = f"Script '{short}' that reads the notify FIFO {tmp_path}/a has ended (status 3) and is not started again"
    assert bench.lines == [text]
    bench.until(lambda: bool(said(tmp_path / "pid")))
    bench.finish(SECOND // 10)
    assert gone(int(said(tmp_path / "pid")[0]))
    assert bench.lines == [text]


def test_the_end_of_a_former_reader_is_not_that_of_the_one_in_its_place(bench: Bench, tmp_path: Path) -> None:
    """One whose FIFO was deleted takes its time to leave; the next one is still ended when nobody wants it any more."""
    heard, fifo = tmp_path / "heard", tmp_path / "fifo"
    slow = reader(tmp_path / "slow", f"trap 'sleep 0.3; exit' TERM\necho $$ >> {heard}\nwhile :; do sleep 0.1; done")
    wanted = GlobalDefs(notify_fifo=Fifo(str(fifo)), notify_fifo_script=slow)
    bench.configure(wanted)
    bench.until(lambda: len(said(heard)) == 1)
    fifo.unlink()
    bench.configure(wanted)
    bench.until(lambda: len(said(heard)) == 2)
    first, second = map(int, said(heard))
    bench.until(lambda: not alive(first) and len(bench.runner) == 1)
    bench.configure(GlobalDefs())
    bench.until(lambda: not alive(second))
    assert bench.lines == []
