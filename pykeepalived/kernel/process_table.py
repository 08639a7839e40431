"""/proc: which processes there are, and what they are called. A process that has ended in between has no name.

For want of descriptors or memory, which says nothing of a process, each raises OSError.
"""

import os

from pykeepalived.errors import NO_ROOM

_LONGEST = 4096
_NAME_FILE, _LINE_FILE, _STATE_FILE = "/proc/%d/comm", "/proc/%d/cmdline", "/proc/%d/stat"
_ENDED = (b"Z", b"X")


def pids() -> list[int]:
    """The processes of this moment."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - a path for each costs more


def name(pid: int) -> bytes:
    """What ``ps -o comm`` shows, at most 15 octets."""
    return _read(_NAME_FILE % pid)[:-1]


def command_line(pid: int) -> bytes:
    """Its words, each with a zero behind it; empty for a thread of the kernel."""
    return _read(_LINE_FILE % pid)


def has_ended(pid: int) -> bool:
    """Whether it is gone, or only waits for its parent to notice the end."""
    return _read(_STATE_FILE % pid).rpartition(b") ")[2][:1] in (b"", *_ENDED)


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(fd, _LONGEST)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        return b""  # it has ended
