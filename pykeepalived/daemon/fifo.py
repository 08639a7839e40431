"""Notify FIFOs: one line an event, never waiting for a reader. A full pipe loses the line, as keepalived's does."""

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.child import Journal, Scripts
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


class NotifyFifos:
    """The FIFOs that a process writes to, and the scripts that read them."""

    def __init__(self, journal: Journal, scripts: Scripts) -> None:
        self._journal = journal
        self._scripts = scripts
        self._fifos: dict[str, NotifyFifo] = {}
        self._readers: dict[str, Script | None] = {}

    def replace(self, wanted: Mapping[str | None, Script | None], global_defs: GlobalDefs) -> None:
        """Have these paths, each with its reader. What stays is not touched: its reader goes on reading."""
        readers = {path: script for path, script in wanted.items() if path is not None}
        for path in [path for path in self._fifos if path not in readers]:
            self._fifos.pop(path).close()
            del self._readers[path]
        owners = {path: (uid, gid) for path, uid, gid in global_defs.fifo_owner}
        for path, script in readers.items():
            if path not in self._fifos:
                self._fifos[path] = NotifyFifo(path, self._journal, owners.get(path))
                self._readers[path] = script
                if script is not None:
                    self._scripts.run(script, (path,))
            elif script is not None and script != self._readers[path]:
                text = f"The reader of {path} goes on: another one takes a restart, or another path"
                self._journal.log(Log(text, Level.WARNING, Kind.SCRIPT))

    def write(self, line: str) -> None:
        """One line to each."""
        for fifo in self._fifos.values():
            fifo.write(line)

    def close(self) -> None:
        """Close them all."""
        while self._fifos:
            self._fifos.popitem()[1].close()
