"""Notify FIFOs: one line an event, never waiting for a reader. A full pipe loses the line, as keepalived's does."""

import contextlib
import os
import stat
from pathlib import Path

from pykeepalived.daemon.child import Journal
from pykeepalived.effects import Kind, Level, Log

_MODE = 0o644


class NotifyFifo:
    """One FIFO, made here unless it exists; only one made here is removed at the end."""

    def __init__(self, path: str, journal: Journal, owner: tuple[int, int] | None = None) -> None:
        self.path = path
        self._journal = journal
        self._created = False
        self._full = False
        self._fd = -1
        try:
            with contextlib.suppress(FileExistsError):
                os.mkfifo(path, _MODE)
                self._created = True
                Path(path).chmod(_MODE)  # whatever the umask
                if owner is not None:
                    os.chown(path, *owner)
            # read as well: opening does not wait for a reader, and writing never ends in SIGPIPE
            self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
            if not stat.S_ISFIFO(os.fstat(self._fd).st_mode):
                os.close(self._fd)
                self._fd = -1
                self._say("is no FIFO")
        except OSError as error:
            self._say(f"cannot be used: {error.strerror}")

    def write(self, line: str) -> None:
        """One line, without its newline."""
        if self._fd < 0:
            return
        try:
            os.write(self._fd, f"{line}\n".encode())
            self._full = False
        except OSError as error:
            if not self._full:
                self._full = True
                self._say(f"takes no more lines, its reader is too slow: {error.strerror}")

    def close(self) -> None:
        """Close, and remove what was made here."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._created:
            with contextlib.suppress(OSError):
                Path(self.path).unlink()

    def _say(self, what: str) -> None:
        self._journal.log(Log(f"Notify FIFO {self.path} {what}", Level.ERROR, Kind.SCRIPT))
