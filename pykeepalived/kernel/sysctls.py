"""Settings of links below /proc/sys/net: read, written, and given back as they were found.

A path is told from there on: ``ipv4/conf/eth0/arp_ignore``.
"""

import errno
from pathlib import Path

from pykeepalived.kernel.ports import Sysctls

_ROOT = Path("/proc/sys/net")


class LinuxSysctls:
    """Those of the network namespace we are in."""

    @staticmethod
    def read(path: str) -> str | None:
        """The value, None where there is no such setting."""
        try:
            return (_ROOT / path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None

    @staticmethod
    def write(path: str, value: str) -> int:
        """Set it: 0 or errno."""
        try:
            with (_ROOT / path).open("r+b", buffering=0) as file:  # "w" would make what is not there
                file.write(value.encode("ascii"))
        except OSError as error:
            return error.errno or errno.EIO
        return 0


class BorrowedSysctls:
    """Settings that are ours for a while. Who else changes one meanwhile has the last word: it is not put back."""

    def __init__(self, sysctls: Sysctls) -> None:
        self._sysctls = sysctls
        self._former: dict[str, str] = {}
        self._ours: dict[str, str] = {}

    def set(self, path: str, value: str) -> int:
        """Set a value, remembering what stood there first: 0 or errno (ENOENT: there is no such setting)."""
        found = self._sysctls.read(path)
        if found is None:
            return errno.ENOENT
        if found != value:
            code = self._sysctls.write(path, value)
            if code:
                return code
        self._former.setdefault(path, found)
        self._ours[path] = value
        return 0

    def former(self, path: str) -> str | None:
        """What stood there before us, None when it is not borrowed."""
        return self._former.get(path)

    def remember(self, path: str, former: str) -> None:
        """What stood there before us, as somebody who was here earlier knew it."""
        self._former.setdefault(path, former)

    def forget(self, beginning: str) -> None:
        """The settings below ``beginning`` are gone, or nobody's any more."""
        for path in [path for path in self._former if path.startswith(beginning)]:
            del self._former[path]
            self._ours.pop(path, None)

    def give_back(self, beginning: str = "") -> None:
        """Put back what stood below ``beginning``."""
        for path in [path for path in self._former if path.startswith(beginning)]:
            former, ours = self._former.pop(path), self._ours.pop(path, None)
            if ours is not None and ours != former and self._sysctls.read(path) == ours:
                self._sysctls.write(path, former)
