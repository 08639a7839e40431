"""How the daemon of this checkout is started: from its virtual environment when there is one, never from elsewhere."""

import importlib.util
import sys

from tests.support.director import CHECKOUT, Make


def why_not() -> str | None:
    """Why the daemon cannot run here, or None when it can."""
    if importlib.util.find_spec("pykeepalived.__main__") is None:
        return "needs pykeepalived.__main__"
    return None


def python() -> str:
    """The interpreter that has the daemon's libraries."""
    place = CHECKOUT / ".venv/bin/python"
    return str(place) if place.exists() else sys.executable


def make() -> Make:
    """pykeepalived, as a make of director."""
    return Make("pykeepalived", (python(), "-m", "pykeepalived"), {"PYTHONPATH": str(CHECKOUT)})
