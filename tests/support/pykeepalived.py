"""How the daemon of this checkout is started: from its virtual environment when there is one, never from elsewhere."""

import sys

from tests.support.director import CHECKOUT, Make


def python() -> str:
    """The interpreter that has the daemon's libraries."""
    place = CHECKOUT / ".venv/bin/python"
    return str(place) if place.exists() else sys.executable


def make() -> Make:
    """pykeepalived, as a make of director."""
    return Make("pykeepalived", (python(), "-m", "pykeepalived"), {"PYTHONPATH": str(CHECKOUT)})
