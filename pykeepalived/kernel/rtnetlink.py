"""Two sockets of rtnetlink(7): one orders and dumps, the other only listens.

What was missed is asked for again; nothing here knows what the messages mean.
"""

from collections.abc import Callable, Sequence

from pykeepalived.errors import KernelError
from pykeepalived.kernel.netlink import NETLINK_ROUTE, NetlinkSocket, Overrun


class Rtnetlink:
    """Both sockets of this network namespace; ``monitor`` hears what is told to ``groups``. Raises KernelError."""

    def __init__(self, groups: Sequence[int] = ()) -> None:
        self._stale = False
        self.orders = NetlinkSocket(NETLINK_ROUTE)
        try:
            self.monitor = NetlinkSocket(NETLINK_ROUTE, groups)
        except KernelError:
            self.orders.close()
            raise

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self.monitor.fileno()

    def close(self) -> None:
        """Close both."""
        self.monitor.close()
        self.orders.close()

    def drain(self, heard: Callable[[int, bytes], None], read_again: Callable[[], None]) -> None:
        """Read what the kernel has told. After an overrun all is read again, of which that is a part."""
        try:
            for kind, message in self.monitor.events():
                heard(kind, message)
        except Overrun:
            self._stale = True
        if self._stale:  # stays so when the reading fails: the next call tries again
            self.monitor.discard()
            read_again()
            self._stale = False
