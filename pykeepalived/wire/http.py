"""HTTP/1.x as the health checks speak it: the request's bytes, and a reader of responses from servers nobody trusts.

The reader is fed as bytes arrive and keeps the header alone, up to ``HEADER_LIMIT``; the body is counted and hashed on
the fly. It knows nothing of sockets, of which status is good, or of which digest is expected.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pykeepalived.errors import DecodeError

if TYPE_CHECKING:
    import hashlib

HEADER_LIMIT = 65536

_HEADER_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"[^ \n]* ([0-9]{1,9})(?![0-9])")
# matched by case, as keepalived does, so that a configured digest means the same body; more digits are no length
_CONTENT_LENGTH = re.compile(rb"\nContent-Length:[ \t]*([0-9]{1,18})[ \t]*\r?\n")


class Reason(StrEnum):
    """Why a response is refused."""

    EMPTY = "no-data"  # nothing at all came, or no whole header
    HEADER_TOO_LONG = "header-too-long"


@dataclass(frozen=True, slots=True)
class Response:
    """What a finished response said. ``status`` is 0 when the first line has none; ``digest`` is the body's MD5 sum, up
    to Content-Length where one was given.
    """

    status: int
    digest: bytes | None
    length: int  # of the body, as far as it was digested


def request(path: str, host: str, http_protocol: str) -> bytes:
    """The request as it goes out. ``http_protocol`` is 1.0, 1.0C (with Connection: close) or 1.1."""
    version = "1.1" if http_protocol == "1.1" else "1.0"
    close = "" if http_protocol == "1.0" else "Connection: close\r\n"
    text = f"GET {path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n"
    return text.encode("utf-8", "surrogateescape")


class ResponseReader:
    """Reads one response. ``feed`` what arrives, ``finish`` when the server has closed."""

    __slots__ = ("_head", "_in_body", "_length", "_md5", "_remaining", "_status")

    def __init__(self, digest: bool = False) -> None:
        self._head = bytearray()
        self._in_body = False
        self._status = 0
        self._length = 0
        self._remaining: int | None = None  # None: the body ends with the connection
        self._md5 = _md5() if digest else None

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises DecodeError when the header does not end within ``HEADER_LIMIT``."""
        if self._in_body:
            self._body(data)
            return
        head = self._head
        searched = max(0, len(head) - 2)
        head += data
        found = _HEADER_END.search(head, searched)
        end = len(head) if found is None else found.end()
        if end > HEADER_LIMIT:
            self._head = bytearray()
            raise DecodeError(Reason.HEADER_TOO_LONG, f"more than {HEADER_LIMIT} bytes")
        if found is None:
            return
        self._in_body = True
        self._status = _status(head)
        self._remaining = _content_length(bytes(head[: found.start() + 1]))
        self._head = bytearray()
        self._body(bytes(head[end:]))

    def finish(self) -> Response:
        """The server has closed. Raises DecodeError when it sent no whole header."""
        if not self._in_body:
            raise DecodeError(Reason.EMPTY)
        return Response(self._status, self._md5.digest() if self._md5 is not None else None, self._length)

    def _body(self, data: bytes) -> None:
        if self._remaining is not None:
            data = data[: self._remaining]
            self._remaining -= len(data)
        self._length += len(data)
        if self._md5 is not None:
            self._md5.update(data)


def _status(head: bytearray) -> int:
    """The digits after the first space of the first line; 0 when there are none."""
    found = _STATUS.match(head)
    return int(found[1]) if found else 0


def _content_length(head: bytes) -> int | None:
    found = _CONTENT_LENGTH.search(head)
    return int(found[1]) if found else None


def _md5() -> "hashlib._Hash":
    import hashlib  # noqa: PLC0415 - it brings OpenSSL along: 2 MiB that only a digest is worth

    return hashlib.md5(usedforsecurity=False)
