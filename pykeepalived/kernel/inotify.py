"""inotify(7): what happens in folders. It knows watch numbers and names, and nothing of what the files are for."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator

from pykeepalived.errors import KernelError

_libc = ctypes.CDLL(None, use_errno=True)

_IN_CLOSE_WRITE, _IN_MOVED_FROM, _IN_MOVED_TO, _IN_DELETE = 0x8, 0x40, 0x80, 0x200
_IN_DELETE_SELF, _IN_MOVE_SELF = 0x400, 0x800
_IN_Q_OVERFLOW, _IN_IGNORED = 0x4000, 0x8000
_IN_ONLYDIR = 0x01000000
_WANTED = _IN_CLOSE_WRITE | _IN_MOVED_FROM | _IN_MOVED_TO | _IN_DELETE | _IN_DELETE_SELF | _IN_MOVE_SELF | _IN_ONLYDIR
_GONE = _IN_DELETE_SELF | _IN_MOVE_SELF | _IN_IGNORED

_EVENT = struct.Struct("=iIII")  # watch, mask, cookie, length of the name that follows
_BUFFER = 1 << 16  # some 2000 events

ANY = -1
"""Events were lost: anything may have happened anywhere."""


class Inotify:
    """One queue of events. Raises KernelError."""

    def __init__(self) -> None:
        self._fd = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise KernelError("watch files", ctypes.get_errno())

    def fileno(self) -> int:
        """The descriptor to watch."""
        return int(self._fd)

    def watch(self, folder: str) -> int:
        """Watch what is written, renamed and deleted in a folder; the number of this watch."""
        watch = _libc.inotify_add_watch(self._fd, os.fsencode(folder), _WANTED)
        if watch < 0:
            raise KernelError(f"watch folder {folder}", ctypes.get_errno() or errno.EIO)
        return int(watch)

    def unwatch(self, watch: int) -> None:
        """Watch it no more; one that is gone already does not matter."""
        _libc.inotify_rm_watch(self._fd, watch)

    def events(self) -> Iterator[tuple[int, str]]:
        """What happened since, at most a turn's worth, for anybody may write to a folder like /tmp: the watch, and the
        name in its folder; empty: the folder itself is gone or was moved. ``ANY``: some was lost.
        """
        try:
            data = os.read(self._fd, _BUFFER)
        except BlockingIOError:
            return
        offset = 0
        while offset + _EVENT.size <= len(data):
            watch, mask, _cookie, length = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size
            name = data[offset : offset + length].rstrip(b"\0")
            offset += length
            if mask & _IN_Q_OVERFLOW:
                yield ANY, ""
            elif name or mask & _GONE:
                yield watch, os.fsdecode(name)

    def close(self) -> None:
        """Close."""
        os.close(self._fd)
