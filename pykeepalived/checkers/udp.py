"""UDP_CHECK: success is any answer, or silence without an ICMP error; ``require_reply`` wants a certain answer."""

from pykeepalived.checkers.effects import CloseConnection, SendBytes
from pykeepalived.checkers.events import CheckEvent, Connected, ConnectionFailed, DataReceived, LocalFailure
from pykeepalived.checkers.probe import OPEN, PASSED, Failed, Impossible, ProbeEffect, verdict_line
from pykeepalived.config.blocks.checkers import UdpCheck
from pykeepalived.events import Tick
from pykeepalived.units import seconds_text

PAYLOAD = b"keepalived check - keepalived ch"


class UdpProbe:
    """One datagram to the target, and what comes of it."""

    __slots__ = ("_check", "_deadline_at", "_send", "_target")

    failure_name = "UDP_CHECK"
    pause_when_down = 0
    hurries = False
    silent_when_down = False

    def __init__(self, check: UdpCheck, target: str) -> None:
        self._check = check
        self._target = target
        self._send: list[ProbeEffect] = [SendBytes(PAYLOAD if check.payload is None else check.payload)]
        self._deadline_at = 0

    @property
    def success_line(self) -> str:
        """Logged when the server is found up."""
        return f"UDP connection to {self._target} success."

    def verdict_line(self, tried: str, retries: int) -> str:  # noqa: ARG002 - as every probe
        """Logged when the server is found down."""
        return verdict_line(f"UDP_CHECK on service {self._target}", retries)

    def begin(self, now: int) -> list[ProbeEffect]:
        """Open a socket."""
        self._deadline_at = now + self._check.target.connect_timeout
        return OPEN

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """Send; an answer, an error or the end of the wait decides."""
        if isinstance(event, Connected):
            return self._send
        if isinstance(event, DataReceived):
            return self._judge(event.data)
        if isinstance(event, Tick) and now >= self._deadline_at:
            if self._check.require_reply is None:
                return PASSED
            return self._failed(f"no reply within {seconds_text(self._check.target.connect_timeout)}")
        if isinstance(event, ConnectionFailed):
            return self._failed(event.reason)
        if isinstance(event, LocalFailure):
            if (
                event.action == "send" and not event.shared
            ):  # a firewall of ours, or a payload too long: as keepalived, a failure
                return self._failed(f"send: {event.reason}")
            line = f"UDP socket {event.action} failed ({event.reason}). Rescheduling."
            return [CloseConnection(), Impossible(line, event.shared)]
        return []

    def next_deadline(self) -> int:
        """When silence is judged."""
        return self._deadline_at

    def believed_down(self) -> None:
        """Nothing to remember: one datagram shows all."""

    def _judge(self, reply: bytes) -> list[ProbeEffect]:
        """The lengths count where a content is asked for, as keepalived has it."""
        check = self._check
        wanted = check.require_reply
        if wanted is None or not wanted.value:
            return PASSED
        length = len(reply)
        if length < check.min_reply_length:
            cause = f"the reply has {length} bytes, fewer than {check.min_reply_length}"
        elif length > check.max_reply_length:
            cause = f"the reply has more than {check.max_reply_length} bytes"
        elif not wanted.matches(reply):
            cause = f"the reply begins with {reply[: len(wanted.value)][:32].hex()}"
        else:
            return PASSED
        return [CloseConnection(), Failed(f"UDP check to {self._target} reply data mismatch.", cause)]

    def _failed(self, reason: str) -> list[ProbeEffect]:
        return [CloseConnection(), Failed(f"UDP connection to {self._target} failed.", reason)]
