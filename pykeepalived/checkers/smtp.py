"""SMTP_CHECK: success is a mail server that greets, takes our HELO, and says something to QUIT."""

from enum import Enum

from pykeepalived.checkers.effects import CloseConnection, SendBytes
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    LocalFailure,
    PeerClosed,
)
from pykeepalived.checkers.probe import OPEN, PASSED, Failed, Impossible, ProbeEffect
from pykeepalived.config.blocks.checkers import SmtpCheck
from pykeepalived.errors import DecodeError
from pykeepalived.events import Tick
from pykeepalived.units import seconds_text
from pykeepalived.wire import smtp

_LISTEN = SendBytes(b"")


class _Stage(Enum):
    """What is waited for."""

    CONNECTION = "the connection"
    GREETING = "the greeting"
    HELO = "the answer to HELO"
    QUIT = "the answer to QUIT"


_WANTED = {_Stage.GREETING: b"220", _Stage.HELO: b"250"}
_COMPLAINTS = {_Stage.GREETING: "Bad greeting banner from", _Stage.HELO: "Bad HELO response from"}


class SmtpProbe:
    """One short dialogue with the target."""

    __slots__ = ("_check", "_deadline_at", "_end_at", "_longest", "_reader", "_server", "_stage", "_target")

    failure_name = "SMTP_CHECK"
    pause_when_down = 0
    hurries = False
    silent_when_down = False

    def __init__(self, check: SmtpCheck, target: str) -> None:
        self._check = check
        self._target = target
        address, port = check.target.connect_ip, check.target.connect_port
        self._server = f"server [{address}]:{port}"
        # each wait is bounded by connect_timeout; a server that drips is not waited for beyond this
        self._longest = max(check.timing.delay_loop, check.target.connect_timeout)
        self._stage = _Stage.CONNECTION
        self._reader = smtp.LineReader()
        self._deadline_at = 0
        self._end_at = 0

    @property
    def success_line(self) -> str:
        """Logged when the server is found up."""
        return f"Remote SMTP server {self._target} succeed on service."

    def verdict_line(self, tried: str, retries: int) -> str:  # noqa: ARG002 - as every probe
        """Logged when the server is found down: the last try says it."""
        return tried

    def begin(self, now: int) -> list[ProbeEffect]:
        """Connect."""
        self._stage = _Stage.CONNECTION
        self._end_at = now + self._longest
        self._deadline_at = now + self._check.target.connect_timeout
        return OPEN

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """Listen, answer, judge."""
        connecting = self._stage is _Stage.CONNECTION
        if isinstance(event, DataReceived) and not connecting:
            return self._read(event.data, now)
        if isinstance(event, Connected) and connecting:
            return self._go_on(_Stage.GREETING, _LISTEN, now)
        if isinstance(event, PeerClosed) and not connecting:
            return self._failure("Read failure from", f"it closed before {self._stage.value}")
        if isinstance(event, ConnectionFailed):
            what = "Could not connect to" if connecting else "Read failure from"
            return self._failure(what, f"connection: {event.reason}")
        if isinstance(event, LocalFailure):
            line = f"SMTP_CHECK socket {event.action} failed ({event.reason}). Rescheduling."
            return [CloseConnection(), Impossible(line, event.shared)]
        if isinstance(event, Tick) and now >= self._deadline_at:
            what = "Connection timeout to" if connecting else "Read timeout from"
            waited = self._longest if now >= self._end_at else self._check.target.connect_timeout
            return self._failure(what, f"{self._stage.value} did not come within {seconds_text(waited)}")
        return []

    def next_deadline(self) -> int:
        """When the connection must stand, or the next bytes must come."""
        return self._deadline_at

    def believed_down(self) -> None:
        """Nothing to remember: one dialogue shows all."""

    def _read(self, data: bytes, now: int) -> list[ProbeEffect]:
        try:
            line = self._reader.feed(data)
        except DecodeError as error:
            return self._failure(_COMPLAINTS.get(self._stage, "Read failure from"), f"{error.reason}: {error.detail}")
        if line is None:
            self._wait_on(now)
            return []
        stage = self._stage
        if stage is _Stage.QUIT:
            return PASSED
        if not smtp.answers(line, _WANTED[stage]):
            found = line[:60].decode("ascii", "backslashreplace")
            return self._failure(_COMPLAINTS[stage], f"{stage.value} is '{found}'")
        if stage is _Stage.GREETING:
            return self._go_on(_Stage.HELO, SendBytes(smtp.helo(self._check.helo_name)), now)
        return self._go_on(_Stage.QUIT, SendBytes(smtp.QUIT), now)

    def _go_on(self, stage: _Stage, order: SendBytes, now: int) -> list[ProbeEffect]:
        """What came behind the line before is no answer to what is sent now: a reader begins anew."""
        self._stage = stage
        self._reader = smtp.LineReader()
        self._wait_on(now)
        return [order]

    def _wait_on(self, now: int) -> None:
        self._deadline_at = min(now + self._check.target.connect_timeout, max(self._end_at, now + 1))

    def _failure(self, what: str, reason: str) -> list[ProbeEffect]:
        return [CloseConnection(), Failed(f"SMTP_CHECK {what} {self._server}", reason)]
