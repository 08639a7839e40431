"""SMTP as the health check speaks it: the commands' bytes, and a reader of one answer's first line.

The reader knows nothing of which answer is good. What follows the line is not looked at.
"""

from enum import StrEnum

from pykeepalived.errors import DecodeError

LINE_LIMIT = 512  # RFC 5321 4.5.3.1.5, with the end of the line

QUIT = b"QUIT\r\n"


class Reason(StrEnum):
    """Why an answer is refused."""

    LINE_TOO_LONG = "line-too-long"


def helo(name: str) -> bytes:
    """The greeting of the client."""
    return b"HELO " + name.encode("utf-8", "surrogateescape") + b"\r\n"


class LineReader:
    """Reads one line. ``feed`` what arrives until it gives the line."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes | None:
        """Take the next bytes; the line without its end, once it is whole. Raises DecodeError when it is too long."""
        self._held += data[:LINE_LIMIT]
        line, end, _ = self._held.partition(b"\n")
        if len(line) + len(end) > LINE_LIMIT or (not end and len(self._held) >= LINE_LIMIT):
            self._held = b""
            raise DecodeError(Reason.LINE_TOO_LONG, f"more than {LINE_LIMIT} bytes")
        return line.removesuffix(b"\r") if end else None


def answers(line: bytes, code: bytes) -> bool:
    """Whether a line is the last one of an answer with that code. A NUL makes it none."""
    return line.startswith(code + b" ") and b"\0" not in line
