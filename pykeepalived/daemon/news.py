"""What the kernel tells at a netlink socket, and what if it cannot be read.

Of a socket that overflowed all is asked for again, and on a host that changes much that can fail for a while. Nothing
waits for it: orders are given meanwhile, and the reading is tried again though the kernel may tell nothing more.
"""

from collections.abc import Callable

from pykeepalived.daemon.child import ChildContext
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.units import MILLISECOND

_AGAIN = 100 * MILLISECOND


class News:
    """``read`` what ``source`` tells about ``what``, and ``then`` act on it; ``end`` when nobody wants to know."""

    def __init__(
        self, context: ChildContext, what: str, source: Callable[[], None], then: Callable[[], None] = lambda: None
    ) -> None:
        self._reactor = context.reactor
        self._journal = context.journal
        self._what = what
        self._source = source
        self._then = then
        self._failing = False
        self._alarm = context.reactor.alarm(self.read)

    def read(self) -> None:
        """Now, or in a moment where it failed a moment ago: until it works it takes a bounded share of the time. That
        it fails is said once.
        """
        if self._failing and self._alarm.due_at is not None and self._reactor.now() < self._alarm.due_at:
            self._then()
            return
        try:
            self._source()
        except KernelError as error:
            self._alarm.set(self._reactor.now() + _AGAIN)
            if not self._failing:
                text = f"Changes of {self._what} are missed just now: {error} - tried again ten times a second"
                self._journal.log(Log(text, Level.WARNING, Kind.PROCESS))
            self._failing = True
        else:
            if self._failing:
                self._alarm.set(None)
                self._failing = False
                self._journal.log(Log(f"Changes of {self._what} are known again", Level.NOTICE, Kind.PROCESS))
        finally:
            self._then()

    def end(self) -> None:
        """No more."""
        self._alarm.set(None)
