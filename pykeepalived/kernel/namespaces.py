"""Netlink sockets of another network namespace than the one a process is in.

They are made while the process still may enter a namespace, and live on after it has given up that right.
"""

import ctypes
import errno
import os
import socket
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from pykeepalived.errors import KernelError
from pykeepalived.kernel.netlink import NETLINK_GENERIC, NETLINK_NETFILTER, open_here

FOR_IPVS = (NETLINK_GENERIC, NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_NETFILTER)
"""The protocols for whoever uses IPVS: orders, and long lists; marks by nftables, and news of them."""

_NAMED = Path("/run/netns")
_OWN = Path("/proc/self/ns/net")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def own_namespace() -> int:
    """A descriptor of the network namespace that this process is in."""
    return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)


def named_namespace(name: str) -> int:
    """A descriptor of the one that ``ip netns`` has named. Raises KernelError."""
    path = _path(name)
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _not_found(name, error.errno or errno.ENOENT) from error


class NamedNamespace:
    """A name that ``ip netns`` gives: it may be taken away, and given to another network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._opened: tuple[int, int] | None = None

    @property
    def opened(self) -> bool:
        """Whether one was found by this name."""
        return self._opened is not None

    def open(self) -> int:
        """A descriptor of the one that has the name now; while it is open no other one looks the same. Raises
        KernelError.
        """
        door = named_namespace(self.name)
        try:
            self._opened = self._identity(os.fstat(door))
        except KernelError:
            os.close(door)
            raise
        return door

    def is_another(self) -> bool:
        """Whether another one than was opened has the name now. Raises KernelError when none has it."""
        path = _path(self.name)
        try:
            found = path.stat()
        except OSError as error:
            raise _not_found(self.name, error.errno or errno.ENOENT) from error
        return self._identity(found) != self._opened

    def _identity(self, found: os.stat_result) -> tuple[int, int]:
        if found.st_dev != _OWN.stat().st_dev:  # the file that it is mounted on a moment later
            raise _not_found(self.name, errno.ENOENT)
        return found.st_dev, found.st_ino


class SocketsElsewhere:
    """An Opener whose sockets are of the namespace behind ``door``: one for each protocol given, at most so many at a
    time. One that was closed may be asked for again. Raises KernelError.
    """

    def __init__(self, door: int, protocols: Sequence[int]) -> None:
        home = own_namespace()
        made: dict[int, deque[socket.socket]] = {}
        try:
            _enter(door)
            try:
                for protocol in protocols:
                    made.setdefault(protocol, deque()).append(open_here(protocol))
            finally:
                _enter(home)
        except OSError as error:
            raise KernelError(
                "open a netlink socket in another network namespace", error.errno or errno.EPERM
            ) from error
        finally:
            os.close(home)
        self._made = made

    def __call__(self, protocol: int) -> socket.socket:
        """The next one of the protocol."""
        made = self._made[protocol]
        given = made[0].dup()
        made.rotate(-1)  # not where there was no descriptor for it: no two may have the same
        return given

    def close(self) -> None:
        """No more; those that were given stay open."""
        for sockets in self._made.values():
            for each in sockets:
                each.close()


class Nowhere:
    """An Opener that opens nothing."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self, protocol: int) -> socket.socket:
        """Raises OSError."""
        del protocol
        raise OSError(self._number, os.strerror(self._number))


def _path(name: str) -> Path:
    if not name or "/" in name or name in {".", ".."}:
        raise KernelError(f"find the network namespace {name!r}", errno.EINVAL)
    return _NAMED / name


def _not_found(name: str, number: int) -> KernelError:
    return KernelError(f"find the network namespace {name}", number)


def _enter(door: int) -> None:
    if _libc.setns(door, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise KernelError("enter a network namespace", code)
