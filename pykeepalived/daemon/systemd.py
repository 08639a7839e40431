"""What systemd is told of the daemon's life: READY, STATUS, RELOADING, STOPPING and the watchdog's beat.

systemd-python speaks the protocol. Without NOTIFY_SOCKET every call is silently nothing. We do not wait for a systemd
that does not read, nor fail with one that is not there: what could not be told is told with the next words.
"""

import errno
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping

from pykeepalived.units import MICROSECOND

Notify = Callable[[str], object]

# ours to keep: a script must not speak to systemd in our name
OWN_VARIABLES = frozenset(
    {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}
)


_BEAT = "WATCHDOG=1"
_MOST_OWED = 64


class Systemd:
    """The one place that notifies. ``notify`` may raise OSError, of which ``say`` tells once."""

    def __init__(
        self,
        environment: Mapping[str, str],
        notify: Notify | None = None,
        say: Callable[[str], None] = lambda text: None,  # noqa: ARG005 - nobody asks
    ) -> None:
        address = environment.get("NOTIFY_SOCKET")
        self._notify = (notify or _notifier(address)) if address else None
        self._say = say
        self._owed: deque[str] = deque(maxlen=_MOST_OWED)
        self._failing = False
        self._status = ""
        self.watchdog = _watchdog(environment)

    def ready(self, status: str) -> None:
        """Started, or done with a reload. MAINPID matters when we have daemonised."""
        self._send(f"READY=1\nMAINPID={os.getpid()}\n{self._status_line(status)}")

    def status(self, status: str) -> None:
        """The sentence of ``systemctl status``; sent only when it is another."""
        if status != self._status:
            self._send(self._status_line(status))

    def reloading(self) -> None:
        """A reload has begun; ends with ``ready``."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // MICROSECOND
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now}\n{self._status_line('Reloading the configuration')}")

    def stopping(self) -> None:
        """The stop has begun."""
        self._send(f"STOPPING=1\n{self._status_line('Stopping')}")

    def alive(self) -> None:
        """The watchdog's beat."""
        if _BEAT in self._owed:
            self._owed.remove(_BEAT)
        self._send(_BEAT)

    def _status_line(self, status: str) -> str:
        self._status = status
        return f"STATUS={status}"

    def _send(self, text: str) -> None:
        if self._notify is None:
            return
        self._owed.append(text)
        try:
            while self._owed:
                self._notify(self._owed[0])
                self._owed.popleft()
        except OSError as error:
            if not self._failing:
                self._say(f"systemd cannot be told of the daemon's life: {error.strerror}")
            self._failing = True
        else:
            self._failing = False


def _notifier(address: str) -> Notify:
    from systemd import daemon  # noqa: PLC0415 - it brings libraries along: 1 MiB that only systemd's own service is worth

    def notify(text: str) -> None:
        _look_for_room(address)
        daemon.notify(text)

    return notify


def _look_for_room(address: str) -> None:
    """Raises OSError where libsystemd would wait until its words are taken, for ever if need be."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        poll = select.poll()
        poll.register(there, select.POLLOUT)
        if not poll.poll(0):
            raise OSError(errno.EAGAIN, "it does not read")


def _watchdog(environment: Mapping[str, str]) -> int | None:
    """The watchdog's time in ns, when it is set and meant for this process."""
    text = environment.get("WATCHDOG_USEC", "")
    meant_for = environment.get("WATCHDOG_PID", "")
    if not text.isdigit() or int(text) == 0 or (meant_for and meant_for != str(os.getpid())):
        return None
    return int(text) * MICROSECOND
