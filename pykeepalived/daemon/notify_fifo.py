"""The notify FIFOs: a line for each change, to whoever reads; a full or missing pipe loses lines and delays nobody."""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from pykeepalived.effects import Kind, Level, Log

_MODE = 0o644


class NotifyFifos:
    """The FIFOs one process writes to. Those that were made here are removed by ``close``."""

    def __init__(self, paths: Iterable[str], owners: Iterable[tuple[str, int, int]] = ()) -> None:
        self._paths = tuple(dict.fromkeys(paths))
        self._owners = {path: (uid, gid) for path, uid, gid in owners}
        self._open: list[int] = []
        self._made: list[str] = []

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it writes."""
        return self._paths

    def open(self) -> list[Log]:
        """Make and open them; what could not be opened is told, and does without."""
        troubles: list[Log] = []
        for path in self._paths:
            try:
                self._open.append(self._opened(path))
            except OSError as error:
                line = f"Unable to open notify FIFO {path} - {error.strerror}"
                troubles.append(Log(line, Level.WARNING, Kind.SCRIPT))
        return troubles

    def write(self, line: str) -> None:
        """One line to each."""
        data = f"{line}\n".encode("utf-8", "surrogateescape")
        for descriptor in self._open:
            with contextlib.suppress(OSError):  # nobody reads: the pipe is full
                os.write(descriptor, data)

    def close(self) -> None:
        """Close, and remove what was made here."""
        for descriptor in self._open:
            os.close(descriptor)
        for path in self._made:
            with contextlib.suppress(OSError):
                Path(path).unlink()
        self._open.clear()
        self._made.clear()

    def _opened(self, path: str) -> int:
        try:
            os.mkfifo(path, _MODE)
        except FileExistsError:
            pass
        else:
            self._made.append(path)
            Path(path).chmod(_MODE)
            if path in self._owners:
                os.chown(path, *self._owners[path])
        # opened for both, or opening would wait for a reader, and writing without one would fail
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(0, "it is no FIFO", path)
        return descriptor
