"""MISC_CHECKs with programs that misbehave, run for real: right verdict, right line, in bounded time."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.checkers.misc import MiscChecker
from pykeepalived.config.blocks.checkers import CheckTiming, MiscCheck
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.check_scripts import CheckScripts, ScriptRun
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.scripts import OnExit, ScriptRunner
from pykeepalived.effects import Log
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.names import Names
from tests.support.open_folder import open_folder

PATIENCE = 60.0
NOBODY = 65534
TIMEOUT = 2 * SECOND


class Parent:
    """The runner as a child sees it, without the socket between."""

    def __init__(self, runner: ScriptRunner) -> None:
        self.runner = runner

    def run(
        self,
        script: Script,
        arguments: tuple[str, ...] = (),
        *,
        timeout: int | None = None,
        on_exit: OnExit | None = None,
    ) -> int:
        return self.runner.run(script, arguments, timeout, on_exit)

    def cut_short(self, number: int) -> None:
        self.runner.cut_short(number)


@dataclass
class Bench:
    """A runner, a queue, and what the checks found."""

    reactor: Reactor
    runner: ScriptRunner
    queue: CheckScripts
    lines: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    @classmethod
    def made(cls) -> "Bench":
        faults: list[Exception] = []
        lines: list[str] = []
        reactor = Reactor(faults.append)

        class Journal:
            def log(self, line: Log) -> None:
                lines.append(line.message)

        runner = ScriptRunner(reactor, Journal(), os.environ)
        queue = CheckScripts(reactor, Parent(runner), Journal().log)
        return cls(reactor, runner, queue, lines, faults)

    def check(
        self, script: Script, *, dynamic: bool = False, delay_loop: int = 3600 * SECOND
    ) -> tuple[ScriptRun, list[ServerJudged | ServerWeighed]]:
        found: list[ServerJudged | ServerWeighed] = []
        timing = CheckTiming(retry=0, delay_loop=delay_loop)
        block = MiscCheck(misc_path=script, misc_dynamic=dynamic, timing=timing, timeout=TIMEOUT)
        checker = MiscChecker(block, 10, Names("RS", "RS", "VS"), self.reactor.now())
        run = ScriptRun(
            self.reactor, self.queue, block, checker, found.append, lambda log: self.lines.append(log.message)
        )
        return run, found

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        beat = self.reactor.alarm(lambda: beat.set(self.reactor.now() + 20 * MILLISECOND))
        beat.set(self.reactor.now())
        while not true():
            assert time.monotonic() < end, self.lines
            self.reactor.turn()
        beat.set(None)
        assert self.faults == []


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench.made()
    yield bench
    bench.runner.finish(0, 0, lambda: None)
    bench.reactor.close()


@pytest.fixture
def everybodys() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


CASES: dict[str, tuple[str, bool, str]] = {
    "passes": ("exit 0", True, "succeeded."),
    "fails": ("exit 1", False, "failed with retry disabled (exited with status 1)."),
    "status-255": ("exit 255", False, "failed with retry disabled (exited with status 255)."),
    "hangs": ("exec sleep 60", False, "timed out with retry disabled."),
    "ignores-term": ("trap '' TERM; while :; do sleep 0.05; done", False, "timed out with retry disabled."),
    "ends-well-at-term": ("trap 'exit 0' TERM; while :; do sleep 0.05; done", True, "succeeded."),
    "ends-badly-at-term": (
        "trap 'exit 3' TERM; while :; do sleep 0.05; done",
        False,
        "failed with retry disabled (exited with status 3).",
    ),
    "leaves-children": ("sleep 60 & sleep 60 & exit 0", True, "succeeded."),
    "hangs-with-children": ("(trap '' TERM; sleep 60) & sleep 60", False, "timed out with retry disabled."),
    "writes-without-end": ("exec cat /dev/zero", False, "timed out with retry disabled."),
    "writes-errors-without-end": ("while :; do echo error >&2; done", False, "timed out with retry disabled."),
    "reads": ("read line; exit 4", False, "failed with retry disabled (exited with status 4)."),
    "dies": ("kill -SEGV $$", False, "failed with retry disabled (due to signal 11)."),
    "kills-its-group": ("kill -KILL 0", False, "failed with retry disabled (due to signal 9)."),
    "stops-itself": ("kill -STOP $$", False, "timed out with retry disabled."),
    "starts-late": ("sleep 0.1; exit 0", True, "succeeded."),
    "another-session": ("setsid sleep 60 & exit 0", True, "succeeded."),
    "says-what-a-shell-says": ("exit 127", False, "failed with retry disabled (exited with status 127)."),
}


def test_hostile_programs(bench: Bench, tmp_path: Path) -> None:
    """All at once, each judged by itself."""
    scripts = {}
    for name, (text, _, _) in CASES.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        scripts[name] = Script((str(path),))
    bench.runner.allow(scripts.values())
    checks = {name: bench.check(script) for name, script in scripts.items()}
    bench.until(lambda: all(found for _, found in checks.values()))
    for name, (_, up, end) in CASES.items():
        run, found = checks[name]
        assert [isinstance(each, ServerJudged) and each.up for each in found] == [up], name
        assert f"Misc check for [RS VS VS] by [{tmp_path}/{name}] {end}" in bench.lines
        report = run.checker.report()
        assert report.duration < 30 * SECOND
        run.close()
    bench.until(lambda: not len(bench.runner))
    # one whose time was over leaves nobody behind in its group
    assert not _alive(tmp_path / "hangs-with-children")


def _alive(script: Path) -> bool:
    return any(
        _command(entry).find(os.fsencode(script)) >= 0 for entry in Path("/proc").iterdir() if entry.name.isdecimal()
    )


def _command(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def _cannot(path: Path) -> None:
    path.chmod(0o644)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _other_format(path: Path) -> None:
    path.write_bytes(b"\x7fELF" + bytes(60))
    path.chmod(0o755)


def _no_interpreter(path: Path) -> None:
    path.write_text("#!/nowhere/interpreter\n")


OBSTACLES: dict[str, tuple[Callable[[Path], None], str]] = {
    "vanishes": (lambda path: path.unlink(), "No such file or directory"),
    "not-executable": (_cannot, "Permission denied"),
    "a-folder": (_folder, "Permission denied"),
    "no-program": (_other_format, "Exec format error"),
    "no-interpreter": (_no_interpreter, "No such file or directory"),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_a_program_that_is_spoilt_between_runs_says_nothing_of_the_server(
    bench: Bench, tmp_path: Path, case: str
) -> None:
    """The state stays, that is said once, and a program that is good again is believed."""
    path = tmp_path / "check"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    script = Script((str(path),))
    bench.runner.allow([script])
    run, found = bench.check(script, delay_loop=50 * MILLISECOND)
    bench.until(lambda: bool(found) and run.number is None)  # one that is about to be read would fail by itself
    spoil, obstacle = OBSTACLES[case]
    spoil(path)
    bench.until(lambda: run.checker.report().result == f"could not be run: {obstacle}")
    tried_at = run.checker.report().last_run_at
    bench.until(lambda: run.checker.report().last_run_at != tried_at)
    assert len(found) == 1
    assert bench.lines == [
        "Misc check for [RS VS VS] by [" + str(path) + "] succeeded.",
        f"Script '{path}' cannot be run: {obstacle}",
        f"Misc check for [RS VS VS] by [{path}] cannot be run: {obstacle}. The service stays up until it can.",
    ]
    if path.is_dir():
        path.rmdir()
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\nexit 5\n")
    other.chmod(0o755)
    other.rename(path)
    bench.until(lambda: len(found) == 2)
    assert isinstance(found[1], ServerJudged)
    assert not found[1].up
    run.close()


def test_dynamic_statuses_are_weights(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "check"
    path.write_text('#!/bin/sh\nexit "$1"\n')
    path.chmod(0o755)
    scripts = {status: Script((str(path), str(status))) for status in (0, 1, 2, 12, 255)}
    bench.runner.allow(scripts.values())
    checks = {status: bench.check(script, dynamic=True) for status, script in scripts.items()}
    bench.until(lambda: all(found for _, found in checks.values()))
    assert {status: run.checker.offset for status, (run, _) in checks.items()} == {0: 0, 1: 0, 2: -10, 12: 0, 255: 243}
    assert [run.checker.up for run, _ in checks.values()] == [True, False, True, True, True]


def test_one_that_is_closed_while_it_runs_is_gone_soon(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "check"
    path.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.05; done\n")
    path.chmod(0o755)
    script = Script((str(path),))
    bench.runner.allow([script])
    run, found = bench.check(script)
    bench.until(lambda: len(bench.runner) == 1)
    run.close()
    bench.until(lambda: not len(bench.runner))
    assert bench.queue.running == 0
    assert found == []


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_user_s_program_stays_that_user_s(bench: Bench, everybodys: Path) -> None:
    """No way back to root, no descriptor of ours, no terminal."""
    said = everybodys / "said"
    said.touch()
    said.chmod(0o666)
    path = everybodys / "check"
    path.write_text(
        "#!/bin/sh\n"
        f"exec >{said}\nid -u; id -g; id -G; umask\n"
        "python3 -c 'import os; os.setuid(0)' 2>/dev/null && echo root again\n"
        "cat /etc/shadow >/dev/null 2>&1 && echo read\n"
        f"kill -0 {os.getpid()} 2>/dev/null && echo signals the daemon\n"
        "ls -l /proc/self/fd | grep -c -e socket: -e eventpoll -e pidfd\n"
        "exit 0\n"
    )
    path.chmod(0o755)
    script = Script((str(path),), NOBODY, NOBODY)
    bench.runner.allow([script])
    run, found = bench.check(script, delay_loop=3600 * SECOND)
    bench.until(lambda: bool(found))
    words = said.read_text().split()
    assert words[:3] == [str(NOBODY)] * 3
    assert words[4:] == ["0"]
    run.close()
