"""Everything pykeepalived raises.

    PykeepalivedError
    ├── ConfigError        the file cannot be used at all (not found, unreadable, loader died)
    ├── DecodeError        bytes from the network that are refused; carries its reason
    ├── KernelError        the kernel refused an order; carries the errno and what was ordered
    └── ProcessError       a process of ours could not be started, or another instance runs

A peer's mistake is a reason and a counter, never a traceback.
"""

from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM
from os import strerror

NO_ROOM = frozenset({EMFILE, ENFILE, ENOBUFS, ENOMEM})
"""What the machine lacks just now: that says nothing of what was asked for, and may be otherwise the next time."""


class PykeepalivedError(Exception):
    """Whatever goes wrong that we know how to name."""


class ConfigError(PykeepalivedError):
    """The configuration cannot be used at all."""


class DecodeError(PykeepalivedError):
    """Bytes that are refused.

    ``reason`` is a member of the decoder's own StrEnum; ``detail`` completes the log line.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class KernelError(PykeepalivedError):
    """The kernel refused an order."""

    def __init__(self, order: str, errno: int) -> None:
        super().__init__(order, errno)
        self.order = order
        self.errno = errno

    def __str__(self) -> str:
        return f"cannot {self.order}: {strerror(self.errno)}"


class ProcessError(PykeepalivedError):
    """A process of ours could not be started or asked, or another instance is running."""
