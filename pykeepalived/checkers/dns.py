"""DNS_CHECK: success is an answer without an error to one question over UDP.

What is no answer to the very question of this try (another id, another question, no response at all) is passed over,
and the wait goes on: only silence to the end makes it a failure.
"""

from pykeepalived.checkers.effects import CloseConnection, SendBytes
from pykeepalived.checkers.events import CheckEvent, Connected, ConnectionFailed, DataReceived, LocalFailure
from pykeepalived.checkers.probe import OPEN, PASSED, Failed, Impossible, ProbeEffect
from pykeepalived.config.blocks.checkers import DnsCheck
from pykeepalived.errors import DecodeError
from pykeepalived.events import Tick
from pykeepalived.units import seconds_text
from pykeepalived.wire import dns


class DnsProbe:
    """One query to the target, and its answer."""

    __slots__ = ("_asked", "_check", "_deadline_at", "_id", "_passed_over", "_sent", "_target")

    failure_name = "DNS_CHECK"
    success_line = ""  # keepalived says nothing
    pause_when_down = 0
    hurries = False
    silent_when_down = False

    def __init__(self, check: DnsCheck, target: str) -> None:
        self._check = check
        self._target = target
        self._asked = dns.question(check.name, check.type)
        self._id = 0
        self._sent = False
        self._passed_over: dns.Reason | str = ""  # why the last datagram was no answer
        self._deadline_at = 0

    def verdict_line(self, tried: str, retries: int) -> str:
        """Logged when the server is found down: what the last try said, and after how many."""
        return f"{tried} after {retries} retries" if retries else tried

    def begin(self, now: int) -> list[ProbeEffect]:
        """Open a socket."""
        self._deadline_at = now + self._check.target.connect_timeout
        self._sent = False
        self._passed_over = ""
        return OPEN

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """Ask; the answer, an error or the end of the wait decides."""
        if isinstance(event, Connected):
            self._sent = True
            self._id = event.nonce & 0xFFFF
            return [SendBytes(dns.query(self._id, self._asked))]
        if isinstance(event, DataReceived):
            return self._judge(event.data)
        if isinstance(event, Tick) and now >= self._deadline_at:
            waited = f"no answer within {seconds_text(self._check.target.connect_timeout)}"
            if self._passed_over:
                waited += f" (what came was none: {self._passed_over})"
            return self._failed("read timeout from socket", waited)
        if isinstance(event, ConnectionFailed):
            if not self._sent:
                place = self._check.target
                at = f"[{place.connect_ip}]:{place.connect_port}"
                return self._failed(f"network unreachable for {at}", event.reason)
            return self._failed(f"failed to read socket; errno {event.errno} ({event.reason})", event.reason)
        if isinstance(event, LocalFailure):
            if event.action == "send" and not event.shared:  # a firewall of ours: as keepalived, a failure
                return self._failed("failed to write socket.", f"send: {event.reason}")
            line = f"DNS_CHECK ({self._target}) UDP socket {event.action} failed ({event.reason}). Rescheduling."
            return [CloseConnection(), Impossible(line, event.shared)]
        return []

    def next_deadline(self) -> int:
        """When the answer must be there."""
        return self._deadline_at

    def believed_down(self) -> None:
        """Nothing to remember: one answer shows all."""

    def _judge(self, message: bytes) -> list[ProbeEffect]:
        try:
            rcode = dns.read_rcode(message, self._id, self._asked)
        except DecodeError as error:
            self._passed_over = error.reason
            return []
        if rcode:
            return self._failed(f"read error occurred. (rcode = {rcode})", f"rcode {rcode}")
        return PASSED

    def _failed(self, line: str, reason: str) -> list[ProbeEffect]:
        return [CloseConnection(), Failed(f"DNS_CHECK ({self._target}) {line}", reason)]
