"""One loop a process: file descriptors by epoll, deadlines by a heap.

It knows nothing of what it drives. Three rules were learnt by measuring. Sockets are read before an expired deadline is
believed: a loop that was late must hear the master's advert before it judges the master dead. A deadline is never
cancelled: an alarm that moved is found not yet due, and goes back into the heap. And waking costs more than most of the
work: a loop that turns again and again waits a moment each time, so that what comes thick and fast is handled together.
"""

import heapq
import select
import time
from collections.abc import Callable

from pykeepalived.units import MICROSECOND, MILLISECOND, SECOND

Callback = Callable[[], None]

READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
WRITABLE = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR

_COARSE = 20 * MILLISECOND  # above this epoll's own wait will do: the kernel takes a thousandth of a wait as leeway
_PACE = 500 * MICROSECOND  # turns that follow each other are at least so far apart, unless work is left over
_HORIZON = 4  # in paces: alarms nearer than this are asked whether they still mean it
_WAKING = 200 * MICROSECOND  # what a waking may be late: an exact alarm is waited for awake
_EVENTS_A_TURN = 64
_ALARMS_A_TURN = 64  # then the sockets are looked at again
_LATE = 20 * MILLISECOND  # a deadline that is missed by more is believed when every socket was heard
_NEVER = 1 << 63


def _nothing() -> None:
    """What an alarm calls that has ended."""


class Alarm:
    """One deadline of one owner. ``set`` moves it at no cost; the callback runs once for each time it is reached.

    An owner that keeps its deadline itself gives ``deadline``: then only a deadline that comes nearer needs ``set``.
    ``exact`` alarms, which hardly ever ring, ring to the microsecond.
    """

    __slots__ = ("_callback", "_deadline", "_queued_at", "_reactor", "due_at", "exact")

    def __init__(
        self, reactor: "Reactor", callback: Callback, deadline: Callable[[], int | None] | None = None
    ) -> None:
        self._reactor = reactor
        self._callback = callback
        self._deadline = deadline
        self._queued_at: int | None = None
        self.due_at: int | None = None
        self.exact = False

    def set(self, due_at: int | None) -> None:
        """Move the deadline (monotonic nanoseconds), or clear it with None."""
        self.due_at = due_at
        if due_at is not None and (self._queued_at is None or due_at < self._queued_at):
            self._queued_at = due_at
            self._reactor._queue(due_at, self)

    def end(self) -> None:
        """Never again. The heap keeps it until its time, which may be a day; what it would have called goes now."""
        self.due_at = None
        self._callback, self._deadline = _nothing, None

    def _stands(self, queued_at: int) -> bool:
        """Whether the heap's entry of ``queued_at`` is still meant; otherwise the entry is to be dropped."""
        if queued_at != self._queued_at:
            return False  # an earlier entry has replaced this one
        if self._deadline is not None:
            self.due_at = self._deadline()
        if self.due_at is not None and self.due_at <= queued_at:
            return True
        self._queued_at = None
        self.set(self.due_at)
        return False

    def _ring(self) -> None:
        self._queued_at = self.due_at = None
        self._callback()


class Reactor:
    """The loop. ``on_error`` is told of an exception that left a callback, or is reported; the loop goes on."""

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._epoll = select.epoll()
        self._epoll_fd = [self._epoll.fileno()]
        self._handlers: dict[int, tuple[Callback | None, Callback | None]] = {}
        self._gone: set[int] = set()  # of this turn: what is ready there is not meant for another one of that number
        self._heap: list[tuple[int, int, Alarm]] = []
        self._order = 0
        self._running = False
        self._on_error = on_error
        self._soon: list[Callback] = []
        self._turned_at = 0
        self._busy = False  # the last turn followed closely upon the one before
        self._pace = _PACE
        self._punctual = False
        self._coarse = _COARSE
        self._left_over = False  # alarms are due that the last turn had no room for
        self._stall = _NEVER  # a pause of the loop that is told
        self._on_stall: Callable[[int], None] | None = None
        self._seen_at = 0

    @staticmethod
    def now() -> int:
        """The monotonic clock in nanoseconds."""
        return time.monotonic_ns()

    def watch(self, fd: int, readable: Callback | None = None, writable: Callback | None = None) -> None:
        """Call ``readable`` or ``writable`` whenever ``fd`` is; a second call for the same fd replaces the first."""
        mask = (select.EPOLLIN if readable else 0) | (select.EPOLLOUT if writable else 0)
        if fd in self._handlers:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
        self._handlers[fd] = (readable, writable)

    def unwatch(self, fd: int) -> None:
        """Forget ``fd``; must come before it is closed. Unknown ones are ignored."""
        if self._handlers.pop(fd, None) is not None:
            self._gone.add(fd)
            self._epoll.unregister(fd)

    def alarm(self, callback: Callback, deadline: Callable[[], int | None] | None = None) -> Alarm:
        """A new alarm, not set."""
        return Alarm(self, callback, deadline)

    def set_pace(self, pace: int, *, punctual: bool) -> None:
        """How far apart the turns of a busy loop are; a ``punctual`` one still wakes for each alarm."""
        self._pace, self._punctual = pace, punctual

    def may_be_late(self, wait: int) -> None:
        """Waits up to this length may end late by a thousandth of it: that saves a wake-up in each."""
        self._coarse = max(wait, _COARSE)

    def soon(self, callback: Callback) -> None:
        """Call back in the next turn, after the sockets were looked at: long work is cut into turns with this."""
        self._soon.append(callback)

    def report(self, fault: Exception) -> None:
        """Tell of a fault of ours, as of one that leaves a callback: what its owner was to do besides goes on."""
        self._on_error(fault)

    def tell_stalls(self, limit: int, callback: Callable[[int], None] | None) -> None:
        """Tell, before anything else, of a loop that stood still for longer than ``limit``, suspended or not. Its
        caller sees to it that the loop turns more often than that.
        """
        self._on_stall = callback
        self._stall = limit if callback is not None else _NEVER
        self._seen_at = time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def run(self) -> None:
        """Turn until ``stop``."""
        self._running = True
        while self._running:
            self.turn()

    def stop(self) -> None:
        """End ``run`` after the current callback."""
        self._running = False

    def close(self) -> None:
        """Give the epoll descriptor back (a forked child closes its parent's loop)."""
        self._handlers.clear()
        self._heap.clear()
        self._epoll.close()

    def turn(self) -> None:
        """Wait for the next event or deadline, and do what is due."""
        ready = self._wait()
        if self._on_stall is not None:
            self._look_back(self._on_stall)
        self._hear(ready)
        left = len(self._handlers)
        while len(ready) == _EVENTS_A_TURN and left > 0 and self._is_late():
            left -= len(ready)
            ready = self._epoll.poll(0, _EVENTS_A_TURN)
            self._hear(ready)
        if self._soon:
            callbacks, self._soon = self._soon, []
            for callback in callbacks:
                self._call(callback)
        self._ring()

    def _is_late(self) -> bool:
        return bool(self._heap) and time.monotonic_ns() - self._heap[0][0] > _LATE

    def _hear(self, ready: list[tuple[int, int]]) -> None:
        self._gone.clear()
        for fd, mask in ready:
            if fd in self._gone:
                continue
            readable, writable = self._handlers.get(fd, (None, None))
            if readable is not None and mask & READABLE:
                self._call(readable)
                # the first callback may have closed or replaced it
                if writable is not self._handlers.get(fd, (None, None))[1]:
                    continue
            if writable is not None and mask & WRITABLE:
                self._call(writable)

    def _look_back(self, on_stall: Callable[[int], None]) -> None:
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        gap, self._seen_at = now - self._seen_at, now
        if gap > self._stall:
            self._call(lambda: on_stall(gap))

    def _queue(self, due_at: int, alarm: Alarm) -> None:
        self._order += 1
        heapq.heappush(self._heap, (due_at, self._order, alarm))

    def _wait(self) -> list[tuple[int, int]]:
        """Sleep until a socket is ready or the first deadline; the sockets that are ready.

        epoll's own wait has whole milliseconds, so the last stretch before a deadline is select's.
        """
        poll = self._epoll.poll
        if self._soon or self._left_over:
            return poll(0, _EVENTS_A_TURN)
        now = time.monotonic_ns()
        deadline = self._next_deadline(now)
        exact = deadline is not None and self._heap[0][2].exact
        wake_at = deadline - _WAKING if exact and deadline is not None else deadline
        if self._busy:
            rested_at = self._turned_at + self._pace
            if self._punctual and wake_at is not None and wake_at < rested_at:
                rested_at = wake_at
            if rested_at > now:
                time.sleep((rested_at - now) / SECOND)
                now = rested_at
                if ready := poll(0, _EVENTS_A_TURN):
                    return self._turns(ready)
        if wake_at is None:
            ready = poll(-1, _EVENTS_A_TURN)
        elif (wait := wake_at - now) > self._coarse:
            ready = poll((wait // MILLISECOND - 1) / 1000, _EVENTS_A_TURN)
        elif wait <= 0 or select.select(self._epoll_fd, (), (), wait / SECOND)[0]:
            ready = poll(0, _EVENTS_A_TURN)
        else:
            ready = []
        while exact and not ready and wake_at is not None and 0 <= time.monotonic_ns() - wake_at < _WAKING:
            ready = poll(0, _EVENTS_A_TURN)
        return self._turns(ready)

    def _turns(self, ready: list[tuple[int, int]]) -> list[tuple[int, int]]:
        turned_at = time.monotonic_ns()
        self._busy = turned_at - self._turned_at < 2 * self._pace
        self._turned_at = turned_at
        return ready

    def _next_deadline(self, now: int) -> int | None:
        """The earliest deadline. Whoever is near is asked first: nobody is woken for a deadline that has moved."""
        heap, horizon = self._heap, _HORIZON * self._pace
        for _ in range(_ALARMS_A_TURN):
            if not heap:
                return None
            due_at, _, alarm = heap[0]
            if due_at - now > horizon or alarm._stands(due_at):
                return due_at
            heapq.heappop(heap)  # still the first: one that moved was queued behind it
        return heap[0][0] if heap else None

    def _ring(self) -> None:
        heap = self._heap
        self._left_over = False
        now = _NEVER
        for _ in range(_ALARMS_A_TURN):
            if not heap:
                return
            before, now = now, time.monotonic_ns()
            if now - before > self._stall:
                break  # that is told before any more deadlines are believed
            due_at, _, alarm = heap[0]
            if due_at > now:
                return
            heapq.heappop(heap)
            if not alarm._stands(due_at):
                continue
            try:
                alarm._ring()
            except Exception as error:  # noqa: BLE001 - one owner's fault must not stop the others
                self._on_error(error)
        self._left_over = True

    def _call(self, callback: Callback) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - one owner's fault must not stop the others
            self._on_error(error)
