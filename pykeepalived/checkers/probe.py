"""What every probe is: one conversation with a server, and nothing about how often or how many.

A probe that ends a try does so by giving ``Passed``, ``Failed`` or ``Impossible`` as its last effect; the checker takes
it from there.
"""

from dataclasses import dataclass
from typing import Protocol

from pykeepalived.checkers.effects import CloseConnection, OpenConnection, OpenSession, SendBytes
from pykeepalived.checkers.events import CheckEvent


@dataclass(frozen=True, slots=True)
class Passed:
    """The try succeeded. ``whole``: the server has now shown all it must; ``line`` is logged while it is down."""

    whole: bool = True
    line: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The try failed: ``line`` for the log, ``reason`` in short."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """The try could not be made. ``shared``: for want of something that all checkers want."""

    line: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know of the server beside the outcome that follows. The same is said once."""

    check: str
    text: str


Outcome = Passed | Failed | Impossible
ProbeEffect = OpenConnection | OpenSession | SendBytes | CloseConnection | Remark | Passed | Failed | Impossible

OPEN: list[ProbeEffect] = [OpenConnection()]
"""How most tries begin, made once: thousands of checks a second share it."""
PASSED: list[ProbeEffect] = [CloseConnection(), Passed()]
"""How most tries end."""


class Names(Protocol):
    """How a checker's target and servers are called in logs: made when somebody asks."""

    @property
    def target(self) -> str:
        """Who is asked."""

    @property
    def real_server(self) -> str:
        """The real server."""

    @property
    def virtual_server(self) -> str:
        """Its virtual server."""


class Probe(Protocol):
    """One kind of check against one target."""

    @property
    def failure_name(self) -> str:
        """TCP_CHECK, HTTP_CHECK: what a verdict's reason begins with."""

    @property
    def success_line(self) -> str:
        """Logged when the server is found up; may be empty."""

    def verdict_line(self, tried: str, retries: int) -> str:
        """Logged when the server is found down, after so many retries (0 if none was made). ``tried`` is the line of
        the last try, which is not logged by itself where this one begins with it.
        """

    @property
    def pause_when_down(self) -> int:
        """The least time until a dead server's next try."""

    @property
    def hurries(self) -> bool:
        """A server that starts or recovers is asked for its remaining parts at once."""

    @property
    def silent_when_down(self) -> bool:
        """A first failure of a server that starts as down (alpha) is told to nobody."""

    def begin(self, now: int) -> list[ProbeEffect]:
        """Start a try."""

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """Go on with the try."""

    def next_deadline(self) -> int:
        """When the running try must have got on."""

    def believed_down(self) -> None:
        """The try that just failed was believed: what failed must be shown first, then everything."""


def verdict_line(subject: str, retries: int) -> str:
    """How most verdicts are told."""
    return f"{subject} failed after {retries} retries." if retries else f"{subject} failed."
