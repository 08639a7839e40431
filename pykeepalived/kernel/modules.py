"""Loading kernel modules by modprobe, as root and outside of any protocol process."""

import os
import select
import signal
from collections.abc import Sequence

from pykeepalived.units import MILLISECOND, SECOND

FOLDERS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
"""Where modprobe is looked for, whatever PATH says."""

_PATIENCE = 10 * SECOND
_SILENT = (
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
    (os.POSIX_SPAWN_DUP2, 0, 1),
    (os.POSIX_SPAWN_DUP2, 0, 2),
)


def load_module(name: str, *, folders: Sequence[str] = FOLDERS, patience: int = _PATIENCE) -> bool:
    """Have modprobe load a module; False when there is no modprobe, no such module, or no answer in time.

    In a container this is mostly False: the host has to load it.
    """
    if not name.replace("_", "").replace("-", "").isalnum():
        return False
    for folder in folders:
        program = os.path.join(folder, "modprobe")  # noqa: PTH118 - a plain path for a plain call
        if os.access(program, os.X_OK):
            break
    else:
        return False
    try:
        pid = os.posix_spawn(
            program,
            [program, "-q", "--", name],
            {"PATH": ":".join(folders)},
            file_actions=_SILENT,
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # which Python ignores
        )
    except OSError:
        return False
    return _exit_code(pid, patience) == 0


def _exit_code(pid: int, patience: int) -> int:
    """How the child ends, or is ended when it takes longer, or nobody could tell."""
    try:
        ending = os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
    else:
        poll = select.poll()
        poll.register(ending, select.POLLIN)
        if not poll.poll(patience // MILLISECOND):
            os.kill(pid, signal.SIGKILL)
        os.close(ending)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
