"""Signals as events of a reactor: the handlers do nothing, the number comes through a socket and waits its turn."""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterable
from types import FrameType

from pykeepalived.daemon.reactor import Reactor

STATS_JSON = signal.SIGRTMIN + 2
STATS_CLEAR = signal.SIGRTMAX - 1
DUMPS = {
    signal.SIGUSR1: "data",
    signal.SIGUSR2: "statistics",
    STATS_JSON: "JSON data",
    STATS_CLEAR: "statistics",
    signal.SIGRTMAX: "threads",
}


def name_of(number: int) -> str:
    """As its users know it; real-time signals have numbers only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Signals:
    """Those signals of this process that somebody acts on."""

    def __init__(self, reactor: Reactor, numbers: Iterable[int], received: Callable[[int], None]) -> None:
        self._reactor = reactor
        self._received = received
        self._numbers = tuple(numbers)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in self._numbers:
            signal.signal(number, _noted)
        reactor.watch(self._reader.fileno(), self._read)

    def close(self) -> None:
        """Default actions again."""
        signal.set_wakeup_fd(-1)
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)
        self._reactor.unwatch(self._reader.fileno())
        self._reader.close()
        self._writer.close()

    def _read(self) -> None:
        numbers = b""
        with contextlib.suppress(BlockingIOError):
            numbers = self._reader.recv(4096)
        for number in dict.fromkeys(numbers):  # several of one kind are one, as the kernel itself has it
            if number in self._numbers:
                self._received(number)


def _noted(number: int, frame: FrameType | None) -> None:
    """The number is in the socket already."""


def reset(ignored: Iterable[int] = ()) -> None:
    """In a new process before it runs something else: default actions, nothing blocked. Those that are ``ignored`` are
    meant for others, and sent to all of the service.
    """
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    for number in signal.valid_signals() - set(ignored):
        if signal.getsignal(number) is not signal.SIG_DFL:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
