"""TCP_CHECK: success is an established connection, closed at once."""

from pykeepalived.checkers.effects import CloseConnection
from pykeepalived.checkers.events import CheckEvent, Connected, ConnectionFailed, LocalFailure
from pykeepalived.checkers.probe import OPEN, PASSED, Failed, Impossible, Names, ProbeEffect, verdict_line
from pykeepalived.config.blocks.checkers import TcpCheck
from pykeepalived.events import Tick
from pykeepalived.units import seconds_text


class TcpProbe:
    """One connection to the target."""

    __slots__ = ("_deadline_at", "_names", "_timeout")

    failure_name = "TCP_CHECK"
    pause_when_down = 0
    hurries = False
    silent_when_down = False

    def __init__(self, check: TcpCheck, names: Names) -> None:
        self._names = names
        self._timeout = check.target.connect_timeout
        self._deadline_at = 0

    @property
    def success_line(self) -> str:
        """Logged when the server is found up."""
        return f"TCP connection to {self._names.target} success."

    def verdict_line(self, tried: str, retries: int) -> str:  # noqa: ARG002 - as every probe
        """Logged when the server is found down."""
        return verdict_line(f"TCP_CHECK on service {self._names.target}", retries)

    def begin(self, now: int) -> list[ProbeEffect]:
        """Connect."""
        self._deadline_at = now + self._timeout
        return OPEN

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """The connection stands, failed, or took too long."""
        if isinstance(event, Connected):
            return PASSED
        if isinstance(event, ConnectionFailed):
            return [
                CloseConnection(),
                Failed(f"TCP connection to {self._names.target} failed.", f"connection: {event.reason}"),
            ]
        if isinstance(event, LocalFailure):
            line = f"TCP socket {event.action} failed ({event.reason}). Rescheduling."
            return [CloseConnection(), Impossible(line, event.shared)]
        if isinstance(event, Tick) and now >= self._deadline_at:
            return [
                CloseConnection(),
                Failed(
                    f"TCP connection to {self._names.target} timeout.",
                    f"no connection within {seconds_text(self._timeout)}",
                ),
            ]
        return []

    def next_deadline(self) -> int:
        """When the connection must stand."""
        return self._deadline_at

    def believed_down(self) -> None:
        """Nothing to remember: one connection shows all."""
