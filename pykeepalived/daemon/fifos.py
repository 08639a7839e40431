"""Notify FIFOs: one line an event, never waiting for a reader. A full pipe loses the line, as keepalived's does.

They are the parent's, which alone may give them to another user and start their readers. A protocol process hands its
lines over by the control socket, in order with the scripts it asks for.
"""

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds_global import Fifo
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.journal import harmless
from pykeepalived.daemon.scripts import ScriptRunner
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import ScriptExited
from pykeepalived.records import record

_MODE = 0o644
_LONGEST = 4095  # with its newline no more than PIPE_BUF, so that lines never mix
_OWN = {"vrrp": "vrrp_notify_fifo", "checkers": "lvs_notify_fifo"}  # beside the global one, by the role's key

Place = tuple[str, tuple[int, int] | None]


@record(frozen=True, slots=True)
class Spec:
    """One FIFO as it is configured."""

    path: str
    owner: tuple[int, int] | None = None
    script: Script | None = None

    @property
    def place(self) -> Place:
        """What tells one pipe from another."""
        return self.path, self.owner


def configured(key: str, global_defs: GlobalDefs) -> tuple[Spec, ...]:
    """The FIFOs that get the lines of the role ``key``."""
    specs = []
    for name in ("notify_fifo", _OWN.get(key)):
        fifo: Fifo | None = getattr(global_defs, name) if name else None
        if fifo is not None and fifo.path:
            specs.append(Spec(fifo.path, fifo.owner, getattr(global_defs, f"{name}_script")))
    return tuple(specs)


class NotifyFifo:
    """One pipe, made here unless it exists; only one made here is given its owner, and removed at the end."""

    def __init__(self, path: str, owner: tuple[int, int] | None, journal: Journal) -> None:
        self.path = path
        self._journal = journal
        self._created = False
        self._full = False
        self._fd = -1
        try:
            self._open(owner)
        except OSError as error:
            self._say(f"cannot be used: {error.strerror}")
            self.close()

    def _open(self, owner: tuple[int, int] | None) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self.path, _MODE)
            self._created = True
        # read as well: opening does not wait for a reader, and writing never ends in SIGPIPE
        self._fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        if not stat.S_ISFIFO(os.fstat(self._fd).st_mode):
            self._say("is no FIFO")
            self.close()
        elif self._created:
            os.fchmod(self._fd, _MODE)  # whatever the umask
            if owner is not None:
                os.fchown(self._fd, *owner)

    def write(self, line: bytes) -> None:
        """One line with its newline."""
        if self._fd < 0:
            return
        try:
            os.write(self._fd, line)
            self._full = False
        except OSError as error:
            if not self._full:
                self._full = True
                self._say(f"takes no more lines, its reader is too slow: {error.strerror}")

    def close(self) -> None:
        """Close, and remove what was made here, if it is still there."""
        if self._created and self.stands():
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
        self.release()

    def stands(self) -> bool:
        """Whether it is open, and its path leads to it."""
        try:
            return self._fd >= 0 and os.path.samestat(os.lstat(self.path), os.fstat(self._fd))
        except OSError:
            return False

    def release(self) -> None:
        """Only let go of the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _say(self, what: str) -> None:
        self._journal.log(Log(f"Notify FIFO {self.path} {what}", Level.ERROR, Kind.SCRIPT))


class NotifyFifos:
    """All FIFOs of the configuration, for these roles, and the scripts that read them."""

    def __init__(self, keys: tuple[str, ...], scripts: ScriptRunner, journal: Journal) -> None:
        self._keys = keys
        self._scripts = scripts
        self._journal = journal
        self._specs: Mapping[str, tuple[Spec, ...]] = {}
        self._fifos: dict[Place, NotifyFifo] = {}
        self._readers: dict[Spec, int] = {}

    def replace(self, global_defs: GlobalDefs) -> None:
        """Those of a new configuration: what it does not change stays open, and its reader goes on."""
        self._specs = {key: configured(key, global_defs) for key in self._keys}
        wanted = dict.fromkeys(spec for specs in self._specs.values() for spec in specs)
        kept = {spec.place for spec in wanted if spec.place in self._fifos and self._fifos[spec.place].stands()}
        for spec in [spec for spec in self._readers if spec not in wanted or spec.place not in kept]:
            self._scripts.end(self._readers.pop(spec))
        for place in self._fifos.keys() - kept:
            self._fifos.pop(place).close()
        for spec in wanted:
            if spec.place not in self._fifos:
                self._fifos[spec.place] = NotifyFifo(spec.path, spec.owner, self._journal)
            if spec.script is not None and spec not in self._readers and self._fifos[spec.place].stands():
                self._start_reader(spec, spec.script)

    def write(self, key: str, line: str) -> None:
        """A line of the role ``key``, without its newline."""
        data = harmless(line).encode()[:_LONGEST] + b"\n"
        for spec in self._specs.get(key, ()):
            self._fifos[spec.place].write(data)

    def close(self) -> None:
        """The daemon ends: a reader finds the end of its input."""
        for fifo in self._fifos.values():
            fifo.close()
        self._fifos.clear()
        self._specs = {}
        self._readers.clear()

    def release(self) -> None:
        """In a forked child: the pipes are the parent's."""
        for fifo in self._fifos.values():
            fifo.release()

    def _start_reader(self, spec: Spec, script: Script) -> None:
        """A former one may live yet: its end is not that of this one."""

        def ended(exited: ScriptExited) -> None:
            if number and self._readers.get(spec) == number:
                self._reader_ended(spec, exited)

        number = self._readers[spec] = self._scripts.run(script, (spec.path,), None, ended, reads=True)

    def _reader_ended(self, spec: Spec, exited: ScriptExited) -> None:
        """It is not started again as long as the configuration stays as it is."""
        self._readers[spec] = 0
        how = exited.obstacle or (f"status {exited.status}" if exited.signal is None else f"signal {exited.signal}")
        reads = f"that reads the notify FIFO {spec.path}"
        text = f"Script '{spec.script}' {reads} has ended ({how}) and is not started again"
        self._journal.log(Log(text, Level.WARNING, Kind.SCRIPT))
