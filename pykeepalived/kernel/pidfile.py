"""The pid file: says which process runs, and holds a lock that only a living one can hold.

The lock is one of the open file description (fcntl(2)): it vanishes with the last process that has the file open, so a
stale file is no obstacle. keepalived before 2.4 writes a plain file without a lock; such a pid counts while a process
of that number is a keepalived.
"""

import contextlib
import errno
import fcntl
import os
import struct
from pathlib import Path

from pykeepalived.errors import ProcessError
from pykeepalived.kernel import process_table

_F_OFD_SETLK = 37
_FLOCK = struct.Struct("@hhqqi4x")  # struct flock: type, whence, start, length, pid
_MODE = 0o644  # other programs read it
_LONGEST = 32
_ATTEMPTS = 10


class AlreadyRunning(ProcessError):  # noqa: N818 - the log says it in these words
    """Another instance holds the pid file. ``pid`` is its process, 0 when the file does not tell."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"daemon is already running (process {pid}, {path})" if pid else "daemon is already running")
        self.pid = pid


class PidFile:
    """The pid file of this process. Children give it up with ``leave_to_parent``."""

    def __init__(self, path: Path) -> None:
        """Take the file, or raise AlreadyRunning; any other trouble is a ProcessError."""
        self.path = path
        try:
            self._fd = self._take()
        except OSError as error:
            raise ProcessError(f"cannot write the pid file {path}: {error.strerror}") from error

    def write(self, pid: int | None = None) -> None:
        """Say which process runs (this one unless told otherwise; again after a fork into the background)."""
        text = f"{os.getpid() if pid is None else pid}\n".encode("ascii")
        os.pwrite(self._fd, text, 0)
        os.ftruncate(self._fd, len(text))

    def remove(self) -> None:
        """Remove the file, if it is still ours, and let go."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                if self._names(self._fd):
                    self.path.unlink()
            self.leave_to_parent()

    def leave_to_parent(self) -> None:
        """Close it and leave the file alone: in a forked child, which must not keep the lock alive."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _take(self) -> int:
        for _ in range(_ATTEMPTS):
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
            try:
                owner = _owner(fd)
                # whoever left in between has removed the file we hold; then there is another, or none
                ours = owner is None and self._names(fd)
                if ours:
                    os.fchmod(fd, _MODE)
                    os.ftruncate(fd, 0)
            except OSError:
                os.close(fd)
                raise
            if ours:
                return fd
            os.close(fd)
            if owner is not None:
                raise AlreadyRunning(self.path, owner)
        raise OSError(errno.EAGAIN, "it is replaced again and again")

    def _names(self, fd: int) -> bool:
        """Whether the path still leads to this open file."""
        try:
            return os.path.samestat(os.fstat(fd), self.path.lstat())
        except FileNotFoundError:
            return False


def running(path: Path) -> int:
    """The process that holds a pid file, 0 when none does."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return 0
    try:
        return _owner(fd) or 0
    finally:
        os.close(fd)


def _owner(fd: int) -> int | None:
    """The process that holds the file (0: it does not say which); None when nobody does, and then we have its lock."""
    pid = _recorded(fd)
    if not _lock(fd):
        return pid
    return pid if pid != os.getpid() and _is_keepalived(pid) else None


def _lock(fd: int) -> bool:
    """Take the lock of the open file description; False when another has it."""
    try:
        fcntl.fcntl(fd, _F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return False
        if error.errno != errno.EINVAL:  # Linux before 3.15: the pid alone has to do
            raise
    return True


def _recorded(fd: int) -> int:
    """The pid in the file, 0 when there is none."""
    text = os.pread(fd, _LONGEST, 0).partition(b"\n")[0].strip()
    return int(text) if text.isdigit() else 0


def _is_keepalived(pid: int) -> bool:
    """Whether a process of that number runs and is a keepalived, ours or the other.

    One that was killed keeps its name until its parent notices, which in many a container is never.
    """
    if pid <= 0 or process_table.has_ended(pid):
        return False
    return process_table.name(pid).lower().startswith((b"keepalived", b"pykeepalived"))
