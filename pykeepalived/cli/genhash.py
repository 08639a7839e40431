"""The ``genhash`` command: asks for a page as HTTP_GET and SSL_GET do, and prints the digest that it has for them.

Options and output are those of keepalived's program of that name; a failure is told on standard error and by the
status.
"""

import getopt
import socket
import sys
import time
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from pykeepalived.cli.options import Option, Value
from pykeepalived.errors import DecodeError
from pykeepalived.records import record
from pykeepalived.wire import http

OPTIONS = (
    Option("S", "use-ssl", Value.NONE, "", "speak TLS with the server"),
    Option("I", "use-sni", Value.NONE, "", "tell the server the name of -V when TLS begins"),
    Option("s", "server", Value.REQUIRED, "ADDRESS", "the address of the server"),
    Option("p", "port", Value.REQUIRED, "PORT", "its port"),
    Option("u", "url", Value.REQUIRED, "PATH", "what is asked for"),
    Option("V", "use-virtualhost", Value.REQUIRED, "NAME", "the Host header; default: address and port"),
    Option("P", "protocol", Value.REQUIRED, "VERSION", "1.0, 1.0c (1.0 with Connection: close) or 1.1; default: 1.0"),
    Option("t", "timeout", Value.REQUIRED, "SECONDS", "how long to wait for the connection, and for each answer"),
    Option("m", "fwmark", Value.REQUIRED, "MARK", "the mark of the firewall on the packets"),
    Option("v", "verbose", Value.NONE, "", "show the header and the page too"),
    Option("h", "help", Value.NONE, "", "this help"),
)
_VERSIONS = {"1.0": "1.0", "1.0c": "1.0C", "1.1": "1.1"}
_CHUNK = 4096
_WIDTH = 16


class _Usage(Exception):  # noqa: N818 - what it says is for the user
    """The command line cannot be understood."""


class _Failed(Exception):  # noqa: N818 - likewise
    """There is no digest; the message is keepalived's."""


@record(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for."""

    server: str
    port: int
    url: str
    encrypted: bool = False
    sni: bool = False
    virtualhost: str | None = None
    protocol: str = "1.0"
    timeout: float = 5.0
    mark: int = 0
    verbose: bool = False

    @property
    def host(self) -> str:
        """The Host header."""
        if self.virtualhost is not None:
            return self.virtualhost
        return f"[{self.server}]:{self.port}" if ":" in self.server else f"{self.server}:{self.port}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status."""
    try:
        request = parse(sys.argv[1:] if arguments is None else arguments)
    except _Usage as error:
        print(*filter(None, [str(error)]), usage(), sep="\n", file=sys.stderr)
        return 1
    began = time.monotonic_ns()
    try:
        digest = _ask(request)
    except _Failed as error:
        print(f"genhash: {error} server [{request.server}]:{request.port}", file=sys.stderr)
        return 1
    if request.verbose and not request.encrypted:
        print("\n-----------------------[    HTML hash resulting    ]-----------------------")
        print(*_dump(digest), sep="\n")
        print("-----------------------[ HTML hash final resulting ]-----------------------")
    print(digest.hex())
    if request.verbose:
        print(f"\nGlobal response time for [{request.url}] = {(time.monotonic_ns() - began) // 1000} usecs")
    return 0


def parse(arguments: Sequence[str]) -> Request:
    """The request of a command line, or _Usage."""
    letters = "".join(f"{option.letter}{':' if option.value is Value.REQUIRED else ''}" for option in OPTIONS)
    words = [f"{option.word}{'=' if option.value is Value.REQUIRED else ''}" for option in OPTIONS]
    try:
        found, rest = getopt.gnu_getopt(list(arguments), letters, words)
    except getopt.GetoptError as error:
        raise _Usage(f"{error.msg[0].upper()}{error.msg[1:]}") from None
    if rest:
        raise _Usage(f"Unexpected argument(s): {' '.join(rest)}")
    by_word = {f"--{option.word}": option.letter for option in OPTIONS}
    given = {by_word.get(name, name[1:]): value for name, value in found}
    if "h" in given or not {"s", "p", "u"} <= set(given):
        raise _Usage
    if given.get("P", "1.0").lower() not in _VERSIONS:
        raise _Usage(f"invalid HTTP protocol version '{given['P']}'")
    return Request(
        server=_address(given["s"]),
        port=int(_number(given["p"], 1, 65535, "port number")),
        url=given["u"],
        encrypted="S" in given,
        sni="I" in given,
        virtualhost=given.get("V"),
        protocol=_VERSIONS[given.get("P", "1.0").lower()],
        timeout=_number(given.get("t", "5"), 1, 4294, "timeout"),
        mark=int(_number(given.get("m", "0"), 0, (1 << 32) - 1, "fwmark")),
        verbose="v" in given,
    )


def usage() -> str:
    """What --help says."""
    lines = ["Usage: genhash -s ADDRESS -p PORT -u PATH [OPTION...]", "", "Options:"]
    for option in OPTIONS:
        head = f"-{option.letter}, --{option.word}{' ' if option.metavar else ''}{option.metavar}"
        lines.append(f"  {head:<32} {option.text}")
    return "\n".join(lines)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise _Usage(f"server should be an IP, not {text}") from None


def _number(text: str, least: int, most: int, name: str) -> float:
    try:
        value = float(text) if name == "timeout" else int(text)
    except ValueError:
        value = -1
    if not least <= value <= most:
        raise _Usage(f"invalid {name} '{text}'")
    return value


def _ask(request: Request) -> bytes:
    """The digest of the page."""
    reader = http.ResponseReader(digest=True)
    page = _Page(request) if request.verbose else None
    with _connected(request) as connection:
        try:
            connection.sendall(http.request(request.url, request.host, request.protocol))
            while data := connection.recv(_CHUNK):
                reader.feed(data)
                if page is not None:
                    page.show(data)
        except TimeoutError:
            raise _Failed("Timeout SSL read" if request.encrypted else "Timeout HTTP read") from None
        except (OSError, DecodeError):
            if not request.encrypted or not reader.begun:
                raise _Failed("SSL read error from" if request.encrypted else "Read error with") from None
    try:
        digest = reader.finish().digest
    except DecodeError:
        raise _Failed("Read, no data received from") from None
    assert digest is not None  # noqa: S101 - it was asked for
    return digest


def _connected(request: Request) -> socket.socket:
    family = socket.AF_INET6 if isinstance(ip_address(request.server), IPv6Address) else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(request.timeout)
    try:
        if request.mark:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, request.mark)
        connection.connect((request.server, request.port))
    except OSError as error:
        connection.close()
        raise _Failed("Timeout connecting" if isinstance(error, TimeoutError) else "Connection failed") from None
    if not request.encrypted:
        return connection
    from pykeepalived.kernel.tls import client_context  # noqa: PLC0415 - only TLS needs it

    try:
        name = request.virtualhost if request.sni else None
        return client_context(None)[0].wrap_socket(connection, server_hostname=name, suppress_ragged_eofs=True)
    except TimeoutError:
        raise _Failed("Timeout connecting") from None
    except (OSError, ValueError):
        raise _Failed("SSL handshake/communication error connecting to") from None
    finally:
        connection.close()  # of no effect where the session has taken it over


class _Page:
    """Shows a response as it comes."""

    def __init__(self, request: Request) -> None:
        self._encrypted = request.encrypted
        self._head: bytearray | None = bytearray()
        self._offset = 0

    def show(self, data: bytes) -> None:
        """The next bytes."""
        if self._head is not None:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = bytes(self._head[: end + 4]), bytes(self._head[end + 4 :])
            self._head = None
            print("-----------------------[    HTTP Header Buffer    ]-----------------------")
            print(*_dump(head), sep="\n")
            print("-----------------------[ HTTP Header Ascii Buffer ]-----------------------")
            sys.stdout.flush()
            sys.stdout.buffer.write(head + b"\n")
            sys.stdout.buffer.flush()
            if not self._encrypted:
                print("-----------------------[        HTML Buffer        ]-----------------------")
        if data:
            print(*_dump(data, self._offset), sep="\n")
            self._offset += len(data)


def _dump(data: bytes, offset: int = 0) -> list[str]:
    """Lines of sixteen bytes: where, in hexadecimal digits, as letters."""
    lines = []
    for at in range(0, len(data), _WIDTH):
        piece = data[at : at + _WIDTH]
        digits = [f"{octet:02x}" for octet in piece] + ["  "] * (_WIDTH - len(piece))
        middle = "-" if len(piece) > _WIDTH // 2 else " "
        letters = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in piece)
        columns = f"{' '.join(digits[:8])} {middle} {' '.join(digits[8:])}"
        lines.append(f"{offset + at:04d}  {columns}   {letters:<{_WIDTH}}")
    return lines
