"""The parent's runner of scripts in a loop of its own, with real processes."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.scripts import ScriptRunner
from pykeepalived.effects import Log
from pykeepalived.events import ScriptExited
from pykeepalived.units import SECOND


class Bench:
    """A runner in a loop, its lines, and how scripts ended."""

    def __init__(self, most: int = 512, loop: type[Reactor] = Reactor) -> None:
        self.lines: list[Log] = []
        self.faults: list[Exception] = []
        self.ended: list[ScriptExited] = []
        self.reactor = loop(self.faults.append)
        self.runner = ScriptRunner(self.reactor, self, dict(os.environ) | {"IFS": "x", "LD_PRELOAD": "y"}, most)

    def log(self, line: Log) -> None:
        """As a journal."""
        self.lines.append(line)

    def run(self, script: Script, *arguments: str, timeout: int | None = None) -> int:
        """Start one whose end is noted."""
        return self.runner.run(script, arguments, timeout, self.ended.append)

    def until(self, condition: Callable[[], bool], patience: int = 20 * SECOND) -> None:
        """Turn the loop until something holds."""
        over = self.reactor.alarm(lambda: None)
        over.set(self.reactor.now() + patience)
        look = self.reactor.alarm(lambda: None)
        while not condition() and over.due_at is not None:
            look.set(self.reactor.now() + SECOND // 100)
            self.reactor.turn()
        look.set(None)
        assert condition(), [line.message for line in self.lines]
        assert self.faults == []

    def until_ended(self, count: int) -> None:
        """Turn the loop until so many have ended."""
        self.until(lambda: len(self.ended) >= count)
        assert len(self.ended) == count

    def close(self) -> None:
        """Nothing stays."""
        self.runner.finish(self.reactor.now(), 0, lambda: None)
        self.reactor.close()


def shell(path: Path, text: str) -> Script:
    """A shell script at this path."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return Script((str(path),))


def starters() -> list[int]:
    """The script starters of this process."""
    found = []
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/comm").read_text() == "keepalived_exec\n":
                found.append(int(pid))
    return found
