"""HTTP/1.x as the health checks speak it: the request's bytes, and a reader of responses from servers nobody trusts.

The reader is fed as bytes arrive and keeps the header alone, up to ``HEADER_LIMIT``; the body is counted and hashed on
the fly. It knows nothing of sockets, of which status is good, or of which digest is expected.
"""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pykeepalived.errors import DecodeError

if TYPE_CHECKING:
    import hashlib


class Search(Protocol):
    """What looks for a pattern in the response."""

    def feed(self, data: bytes) -> None:
        """Look at the next data."""


HEADER_LIMIT = 65536

# as keepalived reads them, so that a configured digest means the same body: only this end of a header, three digits
# between blanks, this spelling (behind any other letters), nothing after the number, nothing behind a NUL
_HEADER_END = b"\r\n\r\n"
_STATUS = re.compile(rb"[^ \n]* ([0-9]{3}) ")
_CONTENT_LENGTH = re.compile(rb"Content-Length:[ \t]*\+?([0-9]{1,18})\r?\n")


class Reason(StrEnum):
    """Why a response is refused."""

    EMPTY = "no-data"  # nothing at all came, or no whole header
    HEADER_TOO_LONG = "header-too-long"


class Response(NamedTuple):
    """What a finished response said. ``status`` is 0 when the first line has none; ``digest`` is the body's MD5 sum, up
    to Content-Length where one was given.
    """

    status: int
    digest: bytes | None
    length: int  # of the body, as far as it was digested
    content_length: int | None  # as the header has it
    received: int  # of the body, all of it


def request(path: str, host: str, http_protocol: str) -> bytes:
    """The request as it goes out. ``http_protocol`` is 1.0, 1.0C (with Connection: close) or 1.1."""
    version = "1.1" if http_protocol == "1.1" else "1.0"
    close = "" if http_protocol == "1.0" else "Connection: close\r\n"
    text = f"GET {path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n"
    return text.encode("utf-8", "surrogateescape")


class ResponseReader:
    """Reads one response. ``feed`` what arrives, ``finish`` when the server has closed."""

    __slots__ = ("_content_length", "_head", "_in_body", "_md5", "_received", "_search", "_status")

    def __init__(self, digest: bool = False, search: Search | None = None) -> None:
        self._head = bytearray()
        self._in_body = False
        self._status = 0
        self._received = 0
        self._content_length: int | None = None  # None: the body ends with the connection
        self._md5 = _md5() if digest else None
        self._search = search

    @property
    def begun(self) -> bool:
        """Something has come."""
        return self._in_body or bool(self._head)

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises DecodeError when the header does not end within ``HEADER_LIMIT``."""
        if self._in_body:
            self._body(data)
            return
        head = self._head
        if not head and (end := data.find(_HEADER_END) + len(_HEADER_END)) >= len(_HEADER_END) and end <= HEADER_LIMIT:
            self._head_ends(data, end)  # in one piece, as it mostly is
            return
        searched = max(0, len(head) - 3)
        head += data
        found = head.find(_HEADER_END, searched)
        end = found + len(_HEADER_END) if found >= 0 else len(head)
        if end > HEADER_LIMIT:
            self._head = bytearray()
            raise DecodeError(Reason.HEADER_TOO_LONG, f"more than {HEADER_LIMIT} bytes")
        if found < 0:
            return
        self._head = bytearray()
        self._head_ends(bytes(head), end)

    def _head_ends(self, data: bytes, end: int) -> None:
        """The header, and what has come of the body."""
        self._in_body = True
        self._status = _status(data)
        self._content_length = _content_length(data[:end])
        if end < len(data):
            if self._search is not None:
                self._search.feed(data)  # with the header that came together with it, as keepalived does
            self._body(data[end:], searched=True)

    def finish(self) -> Response:
        """The server has closed. Raises DecodeError when it sent no whole header."""
        if not self._in_body:
            raise DecodeError(Reason.EMPTY)
        length, received = self._content_length, self._received
        digest = self._md5.digest() if self._md5 is not None else None
        return Response(self._status, digest, received if length is None else min(received, length), length, received)

    def _body(self, data: bytes, *, searched: bool = False) -> None:
        if self._md5 is not None:
            length = self._content_length
            self._md5.update(data if length is None else data[: max(0, length - self._received)])
        self._received += len(data)
        if self._search is not None and not searched:
            self._search.feed(data)


def _status(head: bytes) -> int:
    """The code after the first space of the first line; 0 when there is none."""
    found = _STATUS.match(head)
    return int(found[1]) if found else 0


def _content_length(head: bytes) -> int | None:
    found = _CONTENT_LENGTH.search(head.partition(b"\0")[0])
    return int(found[1]) if found else None


def _md5() -> "hashlib._Hash":
    import hashlib  # noqa: PLC0415 - it brings OpenSSL along: 2 MiB that only a digest is worth

    return hashlib.md5(usedforsecurity=False)
