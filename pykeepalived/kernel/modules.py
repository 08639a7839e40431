"""Loading kernel modules by modprobe, as root and outside of any protocol process."""

import os
import subprocess
from collections.abc import Sequence

from pykeepalived.units import SECOND

FOLDERS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
"""Where modprobe is looked for, whatever PATH says."""

_PATIENCE = 10 * SECOND


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
        done = subprocess.run(
            [program, "-q", "--", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": ":".join(folders)},
            timeout=patience / SECOND,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
