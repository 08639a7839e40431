"""A folder that every user of the machine reaches: pytest closes its own to others whenever another run begins."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """It is gone afterwards, with all that is in it."""
    with tempfile.TemporaryDirectory(prefix="pyk-open-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
