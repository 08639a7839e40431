"""What systemd is told of the daemon's life: READY, STATUS, RELOADING, STOPPING and the watchdog's beat.

systemd-python speaks the protocol. Without NOTIFY_SOCKET every call is silently nothing.
"""

import os
import time
from collections.abc import Callable, Mapping

from pykeepalived.units import MICROSECOND

Notify = Callable[[str], object]

# ours to keep: a script must not speak to systemd in our name
OWN_VARIABLES = frozenset(
    {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}
)


class Systemd:
    """The one place that notifies."""

    def __init__(self, environment: Mapping[str, str], notify: Notify | None = None) -> None:
        present = bool(environment.get("NOTIFY_SOCKET"))
        self._notify = (notify or _notifier()) if present else None
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
        self._send("WATCHDOG=1")

    def _status_line(self, status: str) -> str:
        self._status = status
        return f"STATUS={status}"

    def _send(self, text: str) -> None:
        if self._notify is not None:
            self._notify(text)


def _notifier() -> Notify:
    from systemd import daemon  # noqa: PLC0415 - it brings libraries along: 1 MiB that only systemd's own service is worth

    notify: Notify = daemon.notify
    return notify


def _watchdog(environment: Mapping[str, str]) -> int | None:
    """The watchdog's time in ns, when it is set and meant for this process."""
    text = environment.get("WATCHDOG_USEC", "")
    meant_for = environment.get("WATCHDOG_PID", "")
    if not text.isdigit() or int(text) == 0 or (meant_for and meant_for != str(os.getpid())):
        return None
    return int(text) * MICROSECOND
