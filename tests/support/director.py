"""A director: one running daemon in one host, of whatever make, with its file, its log and its end.

keepalived and pykeepalived take the same options, so a test or a benchmark says only which make it wants.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.support.netns import Host

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Make:
    """A program that is a keepalived: its name and how it is called."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def descendants(pid: int) -> list[int]:
    """A process and all its descendants, parents first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(after_name[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(sorted(parents.get(one, [])))
    return found


class Director:
    """One daemon in one host. The folder holds its file, log and pid files; the context ends it, whatever happened."""

    def __init__(
        self, host: Host, make: Make, folder: Path, config: str, *, options: Sequence[str] = ("-P", "-D")
    ) -> None:
        self.host = host
        self.make = make
        self.folder = folder
        self.options = tuple(options)
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "keepalived.conf"
        self.log_file = folder / "log"
        self.log_file.touch()
        self.write(config)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.crash()

    def write(self, config: str) -> None:
        """Replace the configuration file; nothing is told to the daemon."""
        self.file.write_text(config)

    def start(self) -> int:
        """Start the daemon and give the instant just before, on the clock of the captures."""
        if self.running:
            raise RuntimeError("already running")
        self.log_file.write_bytes(b"")
        with self.log_file.open("ab") as log:
            started_at = time.time_ns()
            self._process = self._popen(log)
        return started_at

    def start_again(self, within: float = 60.0) -> tuple[int, str]:
        """Start a second daemon with the same files and give its exit code and what it said."""
        second = self._popen(subprocess.PIPE)
        said, _ = second.communicate(timeout=within)
        return second.returncode, said.decode(errors="replace")

    def _popen(self, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """The daemon in the foreground, its log on `output`, nothing shared with other daemons or with systemd."""
        argv = [*self.make.argv, "-n", "-l", *self.options, "-f", str(self.file)]
        for letter, name in (("-p", "parent"), ("-r", "vrrp"), ("-c", "checkers")):
            argv += [letter, str(self.folder / f"{name}.pid")]
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        environment |= self.make.environment
        return self.host.popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=CHECKOUT
        )

    @property
    def running(self) -> bool:
        """Whether the parent lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The parent's process id."""
        if self._process is None:
            raise RuntimeError("never started")
        return self._process.pid

    def pids(self) -> list[int]:
        """All its processes, the parent first."""
        return descendants(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the parent."""
        os.kill(self.pid, number)

    def reload(self, config: str) -> None:
        """Replace the file and send SIGHUP."""
        self.write(config)
        self.signal(signal.SIGHUP)

    def wait(self, within: float = 60.0) -> int:
        """Wait for the parent's end and give its exit code."""
        if self._process is None:
            raise RuntimeError("never started")
        return self._process.wait(within)

    def stop(self, within: float = 60.0) -> int:
        """Stop it cleanly with SIGTERM and give its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(within)

    def crash(self) -> int:
        """Kill every process of it with SIGKILL, none having a moment to notice; give the instant just before.

        The parent is stopped first, so that it neither starts children again nor dies before them: a child of a dead
        parent ends cleanly, which a crash must not.
        """
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP)
        pids = self.pids()
        crashed_at = time.time_ns()
        for pid in reversed(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()
        # Orphans are reaped by init, in its own time; until then a pid file seems to name a living process.
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            time.sleep(0.01)
        return crashed_at

    def story(self, last: int = 60) -> str:
        """The log's end for a failure's message, without the many lines of single announcements."""
        lines = [line for line in self.log() if not re.search(r"Sending (gratuitous|unsolicited) ", line)]
        return "\n".join([f"--- {self.make.name} in {self.host.name} ---", *lines[-last:]])

    def log(self) -> list[str]:
        """The log's lines so far, of this run."""
        return self.log_file.read_text(errors="replace").splitlines()

    def mark(self) -> int:
        """A place in the log, for `since`."""
        return len(self.log())

    def logged(self, text: str, *, since: int = 0) -> bool:
        """Whether the log has a line with this text."""
        return any(text in line for line in self.log()[since:])

    def wait_log(self, text: str, *, since: int = 0, count: int = 1, within: float = 30.0) -> str:
        """Wait for the count-th line with this text, and give it."""
        end = time.monotonic() + within
        while True:
            lines = [line for line in self.log()[since:] if text in line]
            if len(lines) >= count:
                return lines[count - 1]
            if time.monotonic() > end:
                raise AssertionError(f"{text!r} not logged within {within} s\n{self.story()}")
            time.sleep(0.02)

    def wait_address(self, address: str, *, present: bool, device: str = "eth0", within: float = 30.0) -> None:
        """Wait until the host carries an address, or no longer does."""
        end = time.monotonic() + within
        while self.host.has(address, device) is not present:
            if time.monotonic() > end:
                word = "does not appear" if present else "stays"
                raise AssertionError(f"{address} {word} in {self.host.name} for {within} s\n{self.story()}")
            time.sleep(0.05)

    def states(self, instance: str) -> list[str]:
        """The states an instance has logged, in order."""
        pattern = re.compile(rf"\({re.escape(instance)}\) Entering (\w+) STATE")
        return [found[1] for line in self.log() if (found := pattern.search(line))]
