"""Tables of nftables that another program has removed or emptied: why each is to be made again, and when.

At once, then more and more slowly, as long as there is a quarrel. What a table holds is its owner's.
"""

from collections.abc import Callable

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.kernel.ports import FilterDisturbance
from pykeepalived.units import SECOND

NEWS_LOST = "there was more news of nftables than could be heard"
_PACE = SECOND
_SLOWEST = 60 * SECOND
_CALM = 120 * SECOND  # without a quarrel


class Repairs:
    """What is owed; ``mend`` is called with a family and the reason when its table is to be made again."""

    def __init__(self, reactor: Reactor, mend: Callable[[int, str], None]) -> None:
        self._reactor = reactor
        self._mend = mend
        self._owed: dict[int, str] = {}
        self._alarm = reactor.alarm(self._due)
        self._mended_at = -_CALM
        self._pace = _PACE

    def __contains__(self, family: int) -> bool:
        return family in self._owed

    def owe(self, family: int, why: str) -> int:
        """A table is to be made again: at once, or when the pace allows it, after as many nanoseconds."""
        now = self._reactor.now()
        if now - self._mended_at >= _CALM:
            self._pace = _PACE
        self._owed[family] = why
        wait = max(0, self._mended_at + self._pace - now)
        self._alarm.set(now + wait)
        return wait

    def owe_still(self, family: int, error: Exception) -> None:
        """A table could not be made: it is tried again, for the same reason or for this."""
        self.owe(family, self._owed.get(family, str(error)))

    def settled(self, family: int) -> None:
        """That table is there, or not wanted any more."""
        self._owed.pop(family, None)

    def close(self) -> None:
        """Nothing is made again."""
        self._alarm.set(None)

    def _due(self) -> None:
        if not self._owed:
            return
        now = self._reactor.now()
        self._pace = _PACE if now - self._mended_at >= _CALM else min(2 * self._pace, _SLOWEST)
        self._mended_at = now
        for family, why in tuple(self._owed.items()):
            self._mend(family, why)


def reason(disturbance: FilterDisturbance) -> str:
    """Why a table is to be made again."""
    return f"{disturbance.program} has removed it, or something in it" if disturbance.program else NEWS_LOST
