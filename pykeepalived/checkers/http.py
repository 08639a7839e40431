"""HTTP_GET and SSL_GET: success is a good response to each url in turn, one url a try.

The server ends its response by closing. When a url has failed and the server is down, that url must be answered well
first; then all of them, from the first.
"""

from typing import TYPE_CHECKING

from pykeepalived.checkers.effects import CloseConnection, OpenSession, SendBytes
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    HandshakeFailed,
    HeldUp,
    LocalFailure,
    PeerClosed,
    WentOn,
)
from pykeepalived.checkers.probe import OPEN, Failed, Impossible, Passed, ProbeEffect, Remark, verdict_line
from pykeepalived.config.blocks.checkers import HttpGet, HttpsUrl, HttpUrl, SslGet, Target
from pykeepalived.errors import DecodeError
from pykeepalived.events import Tick
from pykeepalived.units import seconds_text
from pykeepalived.wire import http

if TYPE_CHECKING:
    from pykeepalived.pcre2 import Search


class HttpProbe:
    """Requests to one target, url after url."""

    __slots__ = (
        "_check",
        "_deadline_at",
        "_end_at",
        "_failed",
        "_held_at",
        "_index",
        "_longest",
        "_reader",
        "_requests",
        "_search",
        "_success",
        "_target",
        "held",
    )

    failure_name = "HTTP_CHECK"
    silent_when_down = True

    def __init__(self, check: HttpGet | SslGet, target: str) -> None:
        self._check = check
        self._target = target
        # each wait is bounded by connect_timeout; a server that drips is not waited for beyond this
        self._longest = max(check.timing.delay_loop, check.target.connect_timeout)
        self._requests = tuple([_request(check, url) for url in check.url])
        self._index = 0
        self._failed = False  # the url at hand took the server down
        self._reader: http.ResponseReader | None = None  # none while connecting
        self._search: Search | None = None
        self._success: Passed | None = None  # of a whole round: made once, for it is mostly the same
        self._deadline_at = 0
        self._end_at = 0
        self._held_at: int | None = None  # since when this process keeps the server waiting
        self.held = 0
        """By how much the deadline has moved on because of that: a watch must not."""

    @property
    def pause_when_down(self) -> int:
        """The least time until a dead server's next try."""
        return self._check.timing.delay_before_retry

    @property
    def hurries(self) -> bool:
        """A server that starts or recovers is asked for its remaining parts at once."""
        return self._check.fast_recovery

    @property
    def success_line(self) -> str:
        """Logged when the server is found up."""
        return f"Remote Web server {self._target} succeed on service."

    def verdict_line(self, tried: str, retries: int) -> str:  # noqa: ARG002 - as every probe
        """Logged when the server is found down."""
        return verdict_line(f"HTTP_CHECK on service {self._target}", retries)

    def begin(self, now: int) -> list[ProbeEffect]:
        """Connect, to ask for the url that is next."""
        self._reader = self._search = self._held_at = None
        self.held = 0
        self._deadline_at = now + self._check.target.connect_timeout
        self._end_at = now + self._longest
        url = self._url
        if isinstance(url, HttpsUrl):
            return [OpenSession(self._server_name(url), url.tls_compliant)]
        return OPEN

    def handle(self, event: CheckEvent, now: int) -> list[ProbeEffect]:
        """Ask when connected, read until the server closes, judge."""
        reader = self._reader
        if isinstance(event, DataReceived) and reader is not None:
            return self._read(reader, event.data, now)
        if isinstance(event, PeerClosed) and reader is not None:
            if self._encrypted and not reader.begun:
                return self._failure("SSL read error from", "the session ended without a response")
            return [CloseConnection(), *self._judge(reader)]
        if isinstance(event, Connected) and reader is None:
            return self._ask(now)
        if isinstance(event, HandshakeFailed):
            return self._failure("SSL handshake/communication error connecting to", f"TLS: {event.reason}")
        if isinstance(event, ConnectionFailed):
            return self._broken(event.reason)
        if isinstance(event, LocalFailure):
            line = f"HTTP socket {event.action} failed ({event.reason}). Rescheduling."
            return [CloseConnection(), Impossible(line, event.shared)]
        if isinstance(event, Tick) and now >= self._deadline_at:
            return self._too_late(now) if self._held_at is None else self._hold(now)
        if isinstance(event, HeldUp):
            self._held_at = now
        elif isinstance(event, WentOn) and self._held_at is not None:
            self._put_off(now - self._held_at - self.held)
            self._held_at = None
            self.held = 0
        return []

    def next_deadline(self) -> int:
        """When the connection must stand, or the next bytes must come."""
        return self._deadline_at

    def believed_down(self) -> None:
        """The url at hand must succeed before a whole round counts."""
        self._failed = True

    @property
    def _url(self) -> HttpUrl:
        return self._check.url[self._index]

    @property
    def _encrypted(self) -> bool:
        return isinstance(self._check, SslGet)

    def _server_name(self, url: HttpUrl) -> str | None:
        if not self._check.enable_sni:
            return None
        return self._check.sni_name or url.virtualhost or None

    def _ask(self, now: int) -> list[ProbeEffect]:
        url = self._url
        self._search = _search(url)
        self._reader = http.ResponseReader(digest=url.digest is not None, search=self._search)
        self._deadline_at = now + self._check.target.connect_timeout
        return [SendBytes(self._requests[self._index])]

    def _read(self, reader: http.ResponseReader, data: bytes, now: int) -> list[ProbeEffect]:
        try:
            reader.feed(data)
        except DecodeError as error:
            return self._failure("Read, no data received from ", f"{error.reason}: {error.detail}")
        if not self._encrypted:  # over TLS connect_timeout is for the whole response, as in keepalived
            timeout = self._check.target.connect_timeout
            self._deadline_at = min(now + timeout, max(self._end_at, now + 1))
        return []

    def _broken(self, reason: str) -> list[ProbeEffect]:
        """The connection could not be made, or broke."""
        reader = self._reader
        if reader is None:
            return self._failure("Connection failed", f"connection: {reason}")
        if not self._encrypted:
            return self._failure("Read error with", f"connection: {reason}")
        if not reader.begun:
            return self._failure("Read, no data received from ", f"connection: {reason}")
        return [CloseConnection(), *self._judge(reader)]  # many servers end TLS in no proper way

    def _too_late(self, now: int) -> list[ProbeEffect]:
        waited = seconds_text(self._check.target.connect_timeout)
        reader = self._reader
        if reader is None:
            return self._failure("Timeout connecting", f"no connection within {waited}")
        if self._encrypted:
            return self._failure("Timeout SSL read", f"the response took more than {waited}")
        if not reader.begun:
            return self._failure("Timeout WEB read", f"nothing came for {waited}")
        if now >= self._end_at:
            return self._failure("Timeout HTTP read", f"the response took more than {seconds_text(self._longest)}")
        return self._failure("Timeout HTTP read", f"nothing came for {waited}")

    def _hold(self, now: int) -> list[ProbeEffect]:
        """The time of a server that waits for us is not over."""
        length = now - self._deadline_at + self._check.target.connect_timeout
        self._put_off(length)
        self.held += length
        return []

    def _put_off(self, length: int) -> None:
        self._deadline_at += length
        self._end_at += length

    def _judge(self, reader: http.ResponseReader) -> list[ProbeEffect]:
        """In keepalived's order: something came, its status, its digest, its text."""
        url = self._url
        try:
            response = reader.finish()
        except DecodeError:
            return [self._failed_at("Read, no data received from ", "no response")]
        said: list[ProbeEffect] = []
        if response.content_length not in (None, response.received):
            differs = f"content_length ({response.content_length}) does not match received bytes ({response.received})"
            said.append(Remark("http_check", f"url {url.path}: {differs}"))
        if not _is_good(url, response.status):
            return [*said, self._failed_at("HTTP status code error to", f"status code {response.status}")]
        shown = "HTTP status code"
        if url.digest is not None:
            if response.digest != url.digest:
                found = "none" if response.digest is None else response.digest.hex()
                reason = f"MD5 digest {found} of {response.length} bytes"
                return [*said, self._failed_at("MD5 digest error to", reason)]
            shown = "MD5 digest"
        search = self._search
        if search is not None:
            if search.trouble:
                line = f"url {url.path}: the search for regex was given up: {search.trouble}"
                said.append(Remark("http_check", line))
            if search.found == url.regex_no_match:
                reason = search.trouble or ("the pattern was found" if search.found else "the pattern was not found")
                return [*said, self._failed_at("Regex match failed", f"regex: {reason}")]
            shown = "Regex match"
        if not self._url_passed():
            return [*said, Passed(whole=False, line=self._success_of(url, shown))]
        if self._success is None:
            self._success = Passed(line=self._success_of(url, shown))
        return [*said, self._success]

    def _success_of(self, url: HttpUrl, shown: str) -> str:
        return f"{shown} success to {self._target} url({url.path})"

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

    def _failure(self, line: str, reason: str) -> list[ProbeEffect]:
        return [CloseConnection(), self._failed_at(line, reason)]

    def _failed_at(self, line: str, reason: str) -> Failed:
        return Failed(f"{line} server {self._target}.", f"url {self._url.path}: {reason}")


def _is_good(url: HttpUrl, status: int) -> bool:
    for low, high in url.status_code:  # noqa: SIM110 - a generator would cost as much as reading the response
        if low <= status <= high:
            return True
    return False


def _search(url: HttpUrl) -> "Search | None":
    if url.regex is None:
        return None
    from pykeepalived import pcre2  # noqa: PLC0415 - it brings ctypes along: only a regex is worth it

    pattern = pcre2.compiled(url.regex, url.regex_options, url.regex_stack)  # the loader leaves out what PCRE2 refuses
    return pcre2.Search(pattern, url.regex_min_offset, url.regex_max_offset)


def _request(check: HttpGet | SslGet, url: HttpUrl) -> bytes:
    return http.request(url.path, host(url, check.target), check.http_protocol)


def host(url: HttpUrl, target: Target) -> str:
    """The Host header: the virtualhost as it stands, else the target with its port."""
    if url.virtualhost is not None:
        return url.virtualhost
    address = f"[{target.connect_ip}]" if target.connect_ip.version == 6 else str(target.connect_ip)
    return f"{address}:{target.connect_port}"
