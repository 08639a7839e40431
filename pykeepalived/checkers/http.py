"""HTTP_GET: success is a good response to each url in turn, one url a try.

The server ends its response by closing. When a url has failed and the server is down, that url must be answered well
first; then all of them, from the first.
"""

from pykeepalived.checkers.effects import CloseConnection, OpenConnection, SendBytes
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    LocalFailure,
    PeerClosed,
)
from pykeepalived.checkers.probe import Failed, Impossible, Passed, ProbeEffect, verdict_line
from pykeepalived.config.blocks.checkers import HttpGet, HttpUrl, Target
from pykeepalived.errors import DecodeError
from pykeepalived.events import Tick
from pykeepalived.units import seconds_text
from pykeepalived.wire import http

_OPEN: list[ProbeEffect] = [OpenConnection()]


class HttpProbe:
    """Requests to one target, url after url."""

    __slots__ = (
        "_check",
        "_deadline_at",
        "_end_at",
        "_failed",
        "_index",
        "_longest",
        "_reader",
        "_target",
        "hurries",
        "pause_when_down",
    )

    failure_name = "HTTP_CHECK"

    def __init__(self, check: HttpGet, target: str) -> None:
        self._check = check
        self._target = target
        self.pause_when_down = check.timing.delay_before_retry
        self.hurries = check.fast_recovery
        # each wait is bounded by connect_timeout; a server that drips is not waited for beyond this
        self._longest = max(check.timing.delay_loop, check.target.connect_timeout)
        self._index = 0
        self._failed = False  # the url at hand took the server down
        self._reader: http.ResponseReader | None = None  # none while connecting
        self._deadline_at = 0
        self._end_at = 0

    @property
    def success_line(self) -> str:
        """Logged when the server is found up."""
        return f"Remote Web server {self._target} succeed on service."

    def verdict_line(self, tried: str, retries: int) -> str:  # noqa: ARG002 - as every probe
        """Logged when the server is found down."""
        return verdict_line(f"HTTP_CHECK on service {self._target}", retries)

    def begin(self, now: int) -> list[ProbeEffect]:
        """Connect, to ask for the url that is next."""
        self._reader = None
        self._deadline_at = now + self._check.target.connect_timeout
        self._end_at = now + self._longest
        return _OPEN

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """Ask when connected, read until the server closes, judge."""
        reader = self._reader
        if isinstance(event, DataReceived) and reader is not None:
            return self._read(reader, event.data, now)
        if isinstance(event, PeerClosed) and reader is not None:
            return [CloseConnection(), self._judge(reader)]
        if isinstance(event, Connected) and reader is None:
            url = self._check.url[self._index]
            self._reader = http.ResponseReader(digest=url.digest is not None)
            self._wait_on(now)
            return [SendBytes(http.request(url.path, host(url, self._check.target), self._check.http_protocol))]
        if isinstance(event, ConnectionFailed):
            line = "Connection failed server" if reader is None else "Read error with server"
            return self._failure(line, f"connection: {event.reason}")
        if isinstance(event, LocalFailure):
            line = f"HTTP socket {event.action} failed ({event.reason}). Rescheduling."
            return [CloseConnection(), Impossible(line, event.shared)]
        if isinstance(event, Tick) and now >= self._deadline_at:
            waited = seconds_text(self._check.target.connect_timeout)
            if reader is None:
                return self._failure("Timeout connecting server", f"no connection within {waited}", ".")
            if now >= self._end_at:
                whole = seconds_text(self._longest)
                return self._failure("Timeout HTTP read server", f"the response took more than {whole}", ".")
            return self._failure("Timeout HTTP read server", f"nothing came for {waited}", ".")
        return []

    def next_deadline(self) -> int:
        """When the connection must stand, or the next bytes must come."""
        return self._deadline_at

    def believed_down(self) -> None:
        """The url at hand must succeed before a whole round counts."""
        self._failed = True

    def _read(self, reader: http.ResponseReader, data: bytes, now: int) -> list[ProbeEffect]:
        try:
            reader.feed(data)
        except DecodeError as error:
            return self._failure("Read error with server", f"{error.reason}: {error.detail}")
        self._wait_on(now)
        return []

    def _wait_on(self, now: int) -> None:
        self._deadline_at = min(now + self._check.target.connect_timeout, max(self._end_at, now + 1))

    def _judge(self, reader: http.ResponseReader) -> ProbeEffect:
        """In keepalived's order: something came, its status, its digest."""
        url = self._check.url[self._index]
        try:
            response = reader.finish()
        except DecodeError:
            return Failed(f"Read, no data received from server {self._target}", f"url {url.path}: no response")
        if not any(low <= response.status <= high for low, high in url.status_code):
            line = f"HTTP status code error to server {self._target}."
            return Failed(line, f"url {url.path}: status code {response.status}")
        shown = "HTTP status code"
        if url.digest is not None:
            if response.digest != url.digest:
                found = "none" if response.digest is None else response.digest.hex()
                line = f"MD5 digest error to server {self._target}."
                return Failed(line, f"url {url.path}: MD5 digest {found} of {response.length} bytes")
            shown = "MD5 digest"
        return Passed(self._url_passed(), f"{shown} success to {self._target} url({url.path})")

    def _url_passed(self) -> bool:
        """Choose the next url; True when with this one a whole round has passed."""
        if self._failed:
            self._failed = False
            self._index = 0
            return False
        self._index += 1
        if self._index < len(self._check.url):
            return False
        self._index = 0
        return True

    def _failure(self, line: str, reason: str, end: str = "") -> list[ProbeEffect]:
        url = self._check.url[self._index]
        return [CloseConnection(), Failed(f"{line} {self._target}{end}", f"url {url.path}: {reason}")]


def host(url: HttpUrl, target: Target) -> str:
    """The Host header: the virtualhost as it stands, else the target with its port."""
    if url.virtualhost is not None:
        return url.virtualhost
    address = f"[{target.connect_ip}]" if target.connect_ip.version == 6 else str(target.connect_ip)
    return f"{address}:{target.connect_port}"
