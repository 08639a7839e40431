"""How long a process that died stays down: 0, 1, 2, 4 … 60 seconds, from the start again once it lived a minute."""

from pykeepalived.units import SECOND

LONGEST = 60 * SECOND
_GOOD_LIFE = 60 * SECOND


class Respawn:
    """The memory of one process's deaths."""

    def __init__(self) -> None:
        self._next = 0

    def died(self, lived: int) -> int:
        """The wait before its next start, given how long it lived."""
        if lived >= _GOOD_LIFE:
            self._next = 0
        delay = self._next
        self._next = min(delay * 2, LONGEST) if delay else SECOND
        return delay
