"""The programs of MISC_CHECKs: a bounded number at once, started at a bounded pace, each run by the parent.

A thousand checks that are due together would otherwise fork together, and checks that hang would leave no room for the
scripts that notify. Whoever finds no room waits in turn; its own time begins when it runs.
"""

from collections import deque
from collections.abc import Callable

from pykeepalived.checkers.effects import RunCheckScript, ServerJudged, ServerWeighed
from pykeepalived.checkers.misc import MiscChecker
from pykeepalived.config.blocks.followers import MiscCheck
from pykeepalived.daemon.beats import BEAT, on_beat
from pykeepalived.daemon.child import Scripts
from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import ScriptExited, Tick
from pykeepalived.units import SECOND

MOST = 256
"""At once: half of what the parent runs of all kinds."""

_A_BEAT = 16  # started in one beat
_PATIENCE = 5 * SECOND  # waiting for longer is worth a word,
_SAID_AGAIN = 60 * SECOND  # so often at the most


class CheckScripts:
    """The queue that all ScriptRuns of a process share."""

    def __init__(self, reactor: Reactor, scripts: Scripts, log: Callable[[Log], None], most: int = MOST) -> None:
        self._reactor = reactor
        self._scripts = scripts
        self._log = log
        self._most = most
        self._waiting: deque[tuple[ScriptRun, RunCheckScript, int]] = deque()  # since when
        self._running = 0
        self._started = 0  # in this beat
        self._beat = 0
        self._alarm = reactor.alarm(self._start)
        self._silent_until = 0

    @property
    def running(self) -> int:
        """How many run now."""
        return self._running

    def add(self, run: "ScriptRun", order: RunCheckScript) -> None:
        """Start it as soon as there is room."""
        self._waiting.append((run, order, self._reactor.now()))
        self._start()

    def cut_short(self, number: int) -> None:
        """Nobody wants the result of this one any more; it counts as running until it has ended."""
        self._scripts.cut_short(number)

    def _start(self) -> None:
        now = self._reactor.now()
        if now >= self._beat + BEAT:
            self._beat = now
            self._started = 0
        while self._waiting and self._running < self._most:
            if self._started >= _A_BEAT:
                self._alarm.set(on_beat(now + 1))
                return
            run, order, _ = self._waiting.popleft()
            if run.open:
                self._started += 1
                self._running += 1
                run.number = self._scripts.run(order.script, timeout=order.timeout, on_exit=self._ender(run))
        if self._waiting and now >= max(self._waiting[0][2] + _PATIENCE, self._silent_until):
            self._silent_until = now + _SAID_AGAIN
            line = (
                f"MISC_CHECKs wait for each other: {self._most} programs run at once, {len(self._waiting)} more are due"
                " (they take too long for their delay_loop: shorten misc_timeout, or check less often)"
            )
            self._log(Log(line, Level.WARNING, Kind.CHECK))

    def _ender(self, run: "ScriptRun") -> Callable[[ScriptExited], None]:
        def ended(event: ScriptExited) -> None:
            self._running -= 1
            try:
                run.ended(event)
            finally:
                self._start()

        return ended


class ScriptRun:
    """One MISC_CHECK at work: its alarm, its program, and the carrying of facts and orders between them."""

    __slots__ = ("_alarm", "_judged", "_log", "_queue", "_reactor", "block", "checker", "number")

    def __init__(
        self,
        reactor: Reactor,
        queue: CheckScripts,
        block: MiscCheck,
        checker: MiscChecker,
        judged: Callable[[ServerJudged | ServerWeighed], None],
        log: Callable[[Log], None],
    ) -> None:
        self.block = block
        self.checker = checker
        self.number: int | None = None  # of the program that runs
        self._reactor = reactor
        self._queue = queue
        self._judged = judged
        self._log = log
        self._alarm: Alarm | None = reactor.alarm(self.wake)
        self._set_alarm()

    @property
    def open(self) -> bool:
        """Whether anybody wants results still."""
        return self._alarm is not None

    def close(self) -> None:
        """End for good; a program that runs is ended."""
        if self._alarm is not None:
            self._alarm.end()
            self._alarm = None  # it knows us: no cycle may stay, for there is no collector
        if self.number is not None:
            self._queue.cut_short(self.number)

    def wake(self) -> None:
        """Do what is due."""
        self._tell(Tick())

    def ended(self, event: ScriptExited) -> None:
        """The program has ended, or never began."""
        self.number = None
        self._tell(event)

    def _tell(self, event: Tick | ScriptExited) -> None:
        if self._alarm is None:
            return
        try:
            for effect in self.checker.handle(event, self._reactor.now() // BEAT * BEAT):
                if isinstance(effect, RunCheckScript):
                    self._queue.add(self, effect)
                elif isinstance(effect, Log):
                    self._log(effect)
                elif isinstance(effect, (ServerJudged, ServerWeighed)):
                    self._judged(effect)
        finally:  # whoever hears of it may go wrong; the check goes on
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            deadline = self.checker.next_deadline()
            self._alarm.set(None if deadline is None else on_beat(deadline))
