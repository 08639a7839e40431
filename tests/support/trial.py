"""A checker under simulated time, and what it says."""

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import CheckEffect, OpenConnection, OpenSession, SendBytes, ServerJudged
from pykeepalived.checkers.events import CheckEvent
from pykeepalived.config.blocks.checkers import Checker as Block
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from tests.support.names import Names

RS, VS = "[127.0.0.11]:tcp:80", "[10.9.0.100]:tcp:80"
NAMES = Names(RS, RS, VS)


class Trial:
    """A checker under simulated time: each try is answered at once."""

    def __init__(self, block: Block, first_at: int = 0, former: Checker | None = None) -> None:
        self.checker = Checker(block, NAMES, first_at, former)
        self.now = 0
        self.entries: list[Log] = []
        self.verdicts: list[ServerJudged] = []
        self.started_at: list[int] = []
        self.sent: list[bytes] = []

    def tell(self, event: CheckEvent) -> list[CheckEffect]:
        effects = self.checker.handle(event, self.now)
        for effect in effects:
            if isinstance(effect, Log):
                self.entries.append(effect)
            elif isinstance(effect, ServerJudged):
                self.verdicts.append(effect)
            elif isinstance(effect, SendBytes):
                self.sent.append(effect.data)
            elif isinstance(effect, OpenConnection | OpenSession):
                self.started_at.append(self.now)
        return effects

    def begin(self) -> None:
        """Go to the next try."""
        self.now = max(self.now, self.checker.next_deadline())
        (opened,) = self.tell(Tick())
        assert isinstance(opened, OpenConnection | OpenSession)

    def attempt(self, *events: CheckEvent) -> tuple[int, list[str]]:
        """One try; when it began, in seconds, and the lines it made."""
        self.begin()
        for event in events:
            self.tell(event)
        return self.started_at[-1] // SECOND, self.lines()

    def lines(self, *, detail: bool = False) -> list[str]:
        lines = [entry.message for entry in self.entries if detail or not entry.detail]
        self.entries.clear()
        return lines
