"""What a process may ask of the kernel for itself: its name, its memory, its network namespace, its end.

Each returns or raises KernelError with what was asked; whether a refusal matters is the caller's to say.
"""

import contextlib
import ctypes
import errno
import os
import signal
from pathlib import Path

from pykeepalived.errors import KernelError

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_ALL_OF_IT = 1 << 30
_PR_SET_NAME = 15
_PR_SET_TIMERSLACK = 29
_CLONE_NEWNET = 0x40000000
_NAME_BYTES = 15  # TASK_COMM_LEN without its zero
_NAMESPACES = Path("/run/netns")


def die_with_parent(parent: int, with_signal: signal.Signals = signal.SIGTERM) -> None:
    """Be sent a signal when the parent ends. Called in the child; a parent that has ended already ends us at once."""
    if _prctl(_PR_SET_PDEATHSIG, int(with_signal)) != 0:
        _fail("be told of the parent's end")
    if os.getppid() != parent:
        os.kill(os.getpid(), with_signal)


def set_name(name: str) -> None:
    """What ``ps`` and ``top`` show (``comm``); longer names are cut at 15 octets."""
    text = ctypes.create_string_buffer(name.encode("utf-8", "surrogateescape")[:_NAME_BYTES])
    if _libc.prctl(_PR_SET_NAME, text, 0, 0, 0) != 0:
        _fail(f"be named {name}")


def set_timer_slack(slack: int) -> None:
    """How many nanoseconds late a sleep may end so that the processor wakes less often; the kernel's own is 50 us."""
    if _prctl(_PR_SET_TIMERSLACK, max(slack, 1)) != 0:
        _fail("set the timer slack")


def give_back_free_memory() -> None:
    """What the allocator holds and nobody uses: worth doing before forks, which would share it for nothing."""
    with contextlib.suppress(AttributeError):  # glibc has it
        _libc.malloc_trim(0)


def keep_free_memory() -> None:
    """What is freed is used again rather than given back and asked for anew, page by page: for a process that is short
    of time, not of memory.
    """
    with contextlib.suppress(AttributeError):  # glibc has it
        _libc.mallopt(_M_MMAP_THRESHOLD, _ALL_OF_IT)
        _libc.mallopt(_M_TRIM_THRESHOLD, _ALL_OF_IT)


def enter_network_namespace(name: str) -> None:
    """Go on in a network namespace that ``ip netns`` has named (``net_namespace NAME``)."""
    if not name or "/" in name or name in {".", ".."}:
        raise KernelError(f"enter the network namespace {name!r}", errno.EINVAL)
    try:
        with (_NAMESPACES / name).open("rb") as door:
            refused = _libc.setns(door.fileno(), _CLONE_NEWNET) != 0
            code = ctypes.get_errno()
    except OSError as error:
        raise KernelError(f"find the network namespace {name}", error.errno or errno.ENOENT) from error
    if refused:
        raise KernelError(f"enter the network namespace {name}", code)


def _prctl(option: int, argument: int) -> int:
    zero = ctypes.c_ulong(0)
    return int(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(argument), zero, zero, zero))


def _fail(order: str) -> None:
    code = ctypes.get_errno() or errno.EPERM
    raise KernelError(f"{order}", code)
