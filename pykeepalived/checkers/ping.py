"""PING_CHECK: success is the reply to an ICMP echo request."""

from pykeepalived.checkers.effects import CloseConnection, SendBytes
from pykeepalived.checkers.events import CheckEvent, Connected, ConnectionFailed, DataReceived, LocalFailure
from pykeepalived.checkers.probe import OPEN, PASSED, Failed, Impossible, ProbeEffect, verdict_line
from pykeepalived.config.blocks.checkers import PingCheck
from pykeepalived.errors import DecodeError
from pykeepalived.events import Tick
from pykeepalived.units import seconds_text
from pykeepalived.wire import icmp

_NONCE_LENGTH = 8
_TEXT = (b"keepalived check - " * 7)[: 128 - _NONCE_LENGTH]  # a message as long as keepalived's


class PingProbe:
    """One echo request to the target, and its reply.

    The kernel hands over only what carries the socket's identifier; a number that nobody can guess, at the head of the
    data, tells the reply of this try from all others.
    """

    __slots__ = ("_check", "_deadline_at", "_nonce", "_sequence", "_target", "_version", "_virtual_server")

    failure_name = "ICMP CHECK"
    pause_when_down = 0
    hurries = False
    silent_when_down = False

    def __init__(self, check: PingCheck, target: str, virtual_server: str) -> None:
        self._check = check
        self._target = target
        self._virtual_server = virtual_server
        self._version = check.target.connect_ip.version
        self._sequence = 0
        self._nonce = b""
        self._deadline_at = 0

    @property
    def success_line(self) -> str:
        """Logged when the server is found up."""
        return f"ICMP connection to {self._target} success."

    def verdict_line(self, tried: str, retries: int) -> str:  # noqa: ARG002 - as every probe
        """Logged when the server is found down; keepalived names the virtual server with the retries alone."""
        of = f" of {self._virtual_server}" if retries else ""
        return verdict_line(f"ICMP CHECK on service {self._target}{of}", retries)

    def begin(self, now: int) -> list[ProbeEffect]:
        """Open a socket."""
        self._deadline_at = now + self._check.target.connect_timeout
        self._sequence = self._sequence + 1 & 0xFFFF
        return OPEN

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """Ask; the reply, an error or the end of the wait decides."""
        if isinstance(event, Connected):
            self._nonce = event.nonce.to_bytes(_NONCE_LENGTH, "big")
            identifier, data = event.nonce & 0xFFFF, self._nonce + _TEXT
            return [SendBytes(icmp.echo_request(self._version, identifier, self._sequence, data))]
        if isinstance(event, DataReceived):
            return self._judge(event.data)
        if isinstance(event, Tick) and now >= self._deadline_at:
            waited = f"no reply within {seconds_text(self._check.target.connect_timeout)}"
            return self._failed("timeout", waited)
        if isinstance(event, ConnectionFailed):
            return self._failed("failed", event.reason)
        if isinstance(event, LocalFailure):
            if event.action == "send" and not event.shared:  # a firewall of ours: as keepalived, a failure
                return self._failed("failed", f"send: {event.reason}")
            line = f"ICMP socket {event.action} failed ({event.reason}). Rescheduling."
            return [CloseConnection(), Impossible(line, event.shared)]
        return []

    def next_deadline(self) -> int:
        """When the reply must be there."""
        return self._deadline_at

    def believed_down(self) -> None:
        """Nothing to remember: one reply shows all."""

    def _judge(self, message: bytes) -> list[ProbeEffect]:
        try:
            reply = icmp.read_echo_reply(self._version, message)
        except DecodeError:
            return []
        if reply.sequence != self._sequence or not reply.data.startswith(self._nonce):
            return []
        return PASSED

    def _failed(self, word: str, reason: str) -> list[ProbeEffect]:
        return [CloseConnection(), Failed(f"ICMP connection to address {self._target} {word}.", reason)]
