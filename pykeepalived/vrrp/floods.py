"""Whether so many wrong packets come in at one socket that the kernel had better drop them."""

from pykeepalived.units import MILLISECOND, SECOND

WINDOW = 100 * MILLISECOND
MOST_A_SECOND = 5000
GUARD = 10 * SECOND
"""How long the kernel drops them, before it is tried again without."""
QUIET = 60 * SECOND
"""After a pause of this length it is another flood, and said again."""


class FloodWatch:
    """Of one socket. Told now and then how many packets were refused so far; never told, it costs nothing."""

    __slots__ = ("_guarded_until", "_refused", "_since", "_told_at")

    def __init__(self) -> None:
        self._since = 0
        self._refused = 0
        self._guarded_until = 0
        self._told_at: int | None = None

    def due(self, now: int) -> bool:
        """Whether it is time to look: that is cheaper than to know how many were refused."""
        return now >= self._guarded_until and now - self._since >= WINDOW

    def look(self, refused: int, now: int) -> bool:
        """Whether to begin guarding until ``now + GUARD``."""
        if not self.due(now):
            return False
        elapsed = now - self._since
        # a window that is far longer was mostly quiet: the next one will tell
        flooded = elapsed < 10 * WINDOW and (refused - self._refused) * SECOND > MOST_A_SECOND * elapsed
        self._since, self._refused = now, refused
        if flooded:
            self._guarded_until = now + GUARD
        return flooded

    def news(self, now: int) -> bool:
        """Whether the guard that begins is to be said: not while the same flood goes on."""
        told_at, self._told_at = self._told_at, now
        return told_at is None or now - told_at > QUIET
