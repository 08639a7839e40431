"""Dropping privileges: a protocol process keeps the capabilities(7) it uses, for good, and can gain no others."""

import ctypes
import errno
import os
import struct
from enum import IntEnum
from pathlib import Path

from pykeepalived.errors import KernelError

_libc = ctypes.CDLL(None, use_errno=True)

_VERSION_3 = 0x20080522  # linux/capability.h: two words of 32 bits each
_HEADER = struct.Struct("=Ii")  # version, process (0: this one)
_SETS = struct.Struct("=6I")  # effective, permitted, inheritable of the low word; then of the high one

_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_TO_READ = (
    "other users' files take CAP_DAC_READ_SEARCH, which is kept when the daemon starts with such a file: restart it"
)


class Capability(IntEnum):
    """Those that parts of this daemon use (linux/capability.h)."""

    DAC_OVERRIDE = 1
    DAC_READ_SEARCH = 2
    KILL = 5
    SETGID = 6
    SETUID = 7
    SETPCAP = 8
    NET_BIND_SERVICE = 10
    NET_BROADCAST = 11
    NET_ADMIN = 12
    NET_RAW = 13
    IPC_LOCK = 14
    SYS_MODULE = 16
    SYS_ADMIN = 21
    SYS_NICE = 23
    SYS_RESOURCE = 24


def effective() -> frozenset[int]:
    """The numbers of the capabilities in force in this process."""
    low, _, _, high, _, _ = _get()
    return _members(low | high << 32)


def bounding() -> frozenset[int]:
    """The numbers of those that any program started from here could have."""
    return frozenset(number for number in range(_last() + 1) if _prctl(_PR_CAPBSET_READ, number) == 1)


def words(number: int) -> str:
    """strerror(3) for a file that cannot be read, with the remedy if it is that this process gave up the right to."""
    text = os.strerror(number)
    if number not in (errno.EACCES, errno.EPERM) or os.geteuid() != 0:
        return text
    if effective() & {Capability.DAC_READ_SEARCH, Capability.DAC_OVERRIDE}:
        return text
    return f"{text} - {_TO_READ}"


def keep_only(kept: frozenset[Capability]) -> None:
    """Give up all other capabilities, for this process and whatever it starts. Those it never had stay absent.

    Raises KernelError.
    """
    low, permitted_low, _, high, permitted_high, _ = _get()
    if (low | high << 32) & 1 << Capability.SETPCAP:
        for number in range(_last() + 1):
            if number not in kept and _prctl(_PR_CAPBSET_DROP, number) != 0:
                _fail("drop a capability from the bounding set")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)  # there are none before Linux 4.3
    _prctl(_PR_SET_KEEPCAPS, 0)
    wanted = sum(1 << capability for capability in kept) & (permitted_low | permitted_high << 32)
    word = wanted & 0xFFFFFFFF, wanted >> 32
    header = ctypes.create_string_buffer(_HEADER.pack(_VERSION_3, 0))
    data = ctypes.create_string_buffer(_SETS.pack(word[0], word[0], 0, word[1], word[1], 0))
    if _libc.capset(header, data) != 0:
        _fail("give up capabilities")
    if _prctl(_PR_SET_NO_NEW_PRIVS, 1) != 0:
        _fail("set no_new_privs")


def no_new_privileges() -> bool:
    """Whether no program started from here can gain privileges."""
    return _prctl(_PR_GET_NO_NEW_PRIVS, 0) == 1


def _get() -> tuple[int, ...]:
    header = ctypes.create_string_buffer(_HEADER.pack(_VERSION_3, 0))
    data = ctypes.create_string_buffer(_SETS.size)
    if _libc.capget(header, data) != 0:
        _fail("read the capabilities")
    return _SETS.unpack(data.raw[: _SETS.size])


def _prctl(option: int, argument: int) -> int:
    """prctl(2) with its unused arguments zero, as newer kernels demand."""
    zero = ctypes.c_ulong(0)
    return int(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(argument), zero, zero, zero))


def _last() -> int:
    """The highest capability this kernel knows."""
    try:
        return int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    except (OSError, ValueError):
        number = 0
        while _prctl(_PR_CAPBSET_READ, number + 1) >= 0:
            number += 1
        return number


def _members(mask: int) -> frozenset[int]:
    return frozenset(number for number in range(64) if mask >> number & 1)


def _fail(order: str) -> None:
    code = ctypes.get_errno() or errno.EPERM
    raise KernelError(f"{order}", code)
