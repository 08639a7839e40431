"""Orders that a checker gives, beside ``pykeepalived.effects.Log``."""

from dataclasses import dataclass

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.effects import Log


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Connect to the checker's target; answered by Connected, ConnectionFailed or LocalFailure."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Connect to the checker's target and begin TLS; answered as OpenConnection is, or by HandshakeFailed."""

    server_name: str | None  # told to the server
    compliant: bool  # the session ends with close_notify


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send these, and read from then on: DataReceived, PeerClosed or ConnectionFailed follow."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Give the connection up, in whatever state it is."""


@dataclass(frozen=True, slots=True)
class ServerJudged:
    """The checker's verdict on the server: a change, or (not ``changed``) the first one, which only confirms what was
    assumed. ``reason`` says why, for the journal.
    """

    up: bool
    changed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ServerWeighed:
    """From now on this checker adds ``offset`` to its server's weight. ``silent``: it is a matter of course, and not
    logged.
    """

    offset: int
    silent: bool = False


@dataclass(frozen=True, slots=True)
class RunCheckScript:
    """Run a program, at most ``timeout`` long; answered by ScriptExited."""

    script: Script
    timeout: int


CheckEffect = OpenConnection | OpenSession | SendBytes | CloseConnection | ServerWeighed | ServerJudged | Log
FollowerEffect = RunCheckScript | ServerWeighed | ServerJudged | Log
"""Of the checkers that follow something else."""
