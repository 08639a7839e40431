"""What other programs do to our tables of nftables, as far as the kernel tells of it."""

from collections.abc import Callable
from typing import Protocol

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.repairs import NEWS_LOST, reason
from pykeepalived.effects import Level
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import FilterDisturbance
from pykeepalived.units import SECOND

_AGAIN = 10 * SECOND


class _Source(Protocol):
    def listen(self) -> int:
        """Hear from now on what others do; the descriptor to watch."""

    def disturbances(self, table: str) -> list[FilterDisturbance]:
        """What others have done to the table since."""


class TableWatch:
    """``disturbed`` is called with the family, or None for each, and what was done. That nothing can be heard is said
    once, and tried again: what was missed meanwhile counts as done.
    """

    def __init__(
        self,
        reactor: Reactor,
        source: Callable[[], _Source],
        table: Callable[[], str],
        disturbed: Callable[[int | None, str], None],
        say: Callable[[str, Level], None],
    ) -> None:
        self._reactor = reactor
        self._source = source
        self._table = table
        self._disturbed = disturbed
        self._say = say
        self._watched: int | None = None
        self._deaf = False  # and that was said
        self._again = reactor.alarm(self.begin)

    def begin(self) -> None:
        """From the first table on, unless it has begun. Without news the tables are there all the same."""
        if self._watched is not None:
            return
        try:
            watched = self._source().listen()
            self._reactor.watch(watched, self._hear)
        except (KernelError, OSError) as error:
            self._fail(error)
            return
        self._watched = watched
        if self._deaf:
            self._deaf = False
            self._disturbed(None, NEWS_LOST)

    def close(self) -> None:
        """Hear nothing any more."""
        self._again.set(None)
        if self._watched is not None:
            self._reactor.unwatch(self._watched)
            self._watched = None

    def _hear(self) -> None:
        try:
            disturbances = self._source().disturbances(self._table())
        except (KernelError, OSError) as error:
            self.close()
            self._fail(error)
            return
        for disturbance in disturbances:
            self._disturbed(disturbance.family, reason(disturbance))

    def _fail(self, error: KernelError | OSError) -> None:
        if not self._deaf:
            text = f"{error}: until that works, an nftables table that another program removes is not made again"
            self._say(text, Level.WARNING)
        self._deaf = True
        self._again.set(self._reactor.now() + _AGAIN)
