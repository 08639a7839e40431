"""Where keepalived itself is, the peer and the oracle: Debian's package, never installed as a service."""

import os
import shlex
import subprocess
from functools import cache
from pathlib import Path

from tests.support.director import CHECKOUT, Make


def binary() -> Path | None:
    """``KEEPALIVED_BIN``, else the one unpacked in the checkout, else the system's, else None."""
    if named := os.environ.get("KEEPALIVED_BIN"):
        return Path(named)
    for place in (CHECKOUT / ".lab/bin/keepalived", Path("/usr/sbin/keepalived")):
        if place.exists():
            return place
    return None


@cache
def why_not() -> str | None:
    """Why keepalived cannot be a peer here, or None when it can."""
    place = binary()
    if place is None:
        return "needs keepalived: set KEEPALIVED_BIN, or run script/test, which unpacks it"
    try:
        done = subprocess.run([place, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{place} does not start: {error.strerror}"
    if done.returncode != 0:
        return f"{place} does not start: {done.stderr.strip()}"
    return None


def version() -> str:
    """Such as ``2.2.7``."""
    done = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, check=True)
    return done.stderr.split()[1].lstrip("v")


def program() -> tuple[Path, str]:
    """The program behind the script that starts it, and the folders of libraries that the script names."""
    place = binary()
    if place is None:
        raise RuntimeError("there is no keepalived here")
    head = place.read_bytes()[:4096]
    if head.startswith(b"#!"):
        words = shlex.split(head.decode().splitlines()[1])
        libraries = next((word.partition("=")[2] for word in words if word.startswith("LD_LIBRARY_PATH=")), "")
        return Path(words[words.index("exec") + 1]), libraries
    return place, ""


def make() -> Make:
    """keepalived, as a make of director."""
    return Make("keepalived", (str(binary()),))
