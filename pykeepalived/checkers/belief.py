"""From many tries to one belief about a server: ``retry``, ``delay_before_retry``, ``delay_loop``, ``alpha``.

It knows nothing of what a try is. A first failure is believed at once; a living server has ``retry`` more tries; a dead
one has a single try each ``delay_loop``, and one success suffices.
"""

from enum import Enum

from pykeepalived.config.blocks.checkers import CheckTiming


class Verdict(Enum):
    """What a try's result means."""

    AS_BEFORE = "as-before"
    RETRY = "retry"  # a living server failed, and has tries left
    UP = "up"
    DOWN = "down"


class Belief:
    """What is believed of one server through one checker."""

    __slots__ = ("failures", "has_run", "timing", "up")

    def __init__(self, timing: CheckTiming) -> None:
        self.timing = timing
        self.up = not timing.alpha
        self.has_run = False  # a verdict was given
        self.failures = 0  # tries failed in a row while up

    def recall(self, up: bool) -> None:
        """What a process that died believed."""
        self.up = up
        self.has_run = True

    def passed(self) -> Verdict:
        """The server stood the whole check."""
        self.failures = 0
        if self.up and self.has_run:
            return Verdict.AS_BEFORE
        self.up = True
        self.has_run = True
        return Verdict.UP

    def failed(self) -> Verdict:
        """A try failed."""
        if self.has_run:
            if not self.up:
                return Verdict.AS_BEFORE
            if self.failures < self.timing.retry:
                self.failures += 1
                return Verdict.RETRY
        self.up = False
        self.has_run = True
        self.failures = 0
        return Verdict.DOWN
