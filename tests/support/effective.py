"""Which keywords the daemon of this checkout obeys already."""

from collections.abc import Iterable

from pykeepalived.config.listing import by_path


def lacking(keywords: Iterable[str]) -> list[str]:
    """Those that are read and have no effect yet."""
    rows = by_path()
    return [each for each in keywords if each in rows and not rows[each].effective]
