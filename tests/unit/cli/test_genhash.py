"""genhash: the command line, the digest, and what is told when there is none."""

import hashlib
import socket
import threading
from collections.abc import Iterator

import pytest

from pykeepalived.cli import main as command
from pykeepalived.cli.genhash import OPTIONS, _dump, main, parse, usage

BODY = bytes(range(256)) * 20
DIGEST = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
HEAD = b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n"


class Web:
    """A server of one page, which remembers what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(4096))
                connection.sendall(self.answer)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web(HEAD + BODY)
    yield server
    server.close()


def arguments(port: int, *more: str) -> list[str]:
    return ["-s", "127.0.0.1", "-p", str(port), "-u", "/page", *more]


def test_the_digest_alone(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(web.port)) == 0
    assert capsys.readouterr() == (f"{DIGEST}\n", "")
    host = f"Host: 127.0.0.1:{web.port}\r\n\r\n".encode()
    assert web.asked == [b"GET /page HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\n" + host]


@pytest.mark.parametrize("first", ["-T", "--genhash"])
def test_as_a_mode_of_the_daemon(web: Web, first: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([first, *arguments(web.port, "-P", "1.1", "-V", "shop")]) == 0
    assert capsys.readouterr().out == f"{DIGEST}\n"
    assert web.asked == [
        b"GET /page HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: shop\r\n\r\n"
    ]


def test_the_page_is_shown_as_keepalived_shows_it(web: Web, capfd: pytest.CaptureFixture[str]) -> None:
    web.answer = HEAD + b"hello\0\1 world, page\n"
    assert main(arguments(web.port, "-v")) == 0
    lines = capfd.readouterr().out.split("\n")
    assert lines[:3] == [
        "-----------------------[    HTTP Header Buffer    ]-----------------------",
        "0000  48 54 54 50 2f 31 2e 30 - 20 32 30 30 20 4f 4b 0d   HTTP/1.0 200 OK.",
        "0016  0a 53 65 72 76 65 72 3a - 20 78 0d 0a 0d 0a         .Server: x....  ",
    ]
    assert "0000  68 65 6c 6c 6f 00 01 20 - 77 6f 72 6c 64 2c 20 70   hello.. world, p" in lines
    assert lines[-3:-1] == ["", *[line for line in lines if line.startswith("Global response time for [/page] = ")]]


def test_a_short_line_of_bytes() -> None:
    assert _dump(b"abc") == [f"0000  61 62 63{' ' * 44}abc{' ' * 13}"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["-P", "2"], "invalid HTTP protocol version '2'"),
        (["-p", "0"], "invalid port number '0'"),
        (["-p", "x"], "invalid port number 'x'"),
        (["-s", "localhost"], "server should be an IP, not localhost"),
        (["-t", "0"], "invalid timeout '0'"),
        (["extra"], "Unexpected argument(s): extra"),
        (["-z"], "Option -z not recognized"),
        (["-h"], "Usage: genhash"),
    ],
)
def test_mistakes_are_said_with_the_usage(more: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(80, *more)) == 1
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.endswith(usage() + "\n")


@pytest.mark.parametrize("missing", ["-s", "-p", "-u"])
def test_what_is_needed(missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = arguments(80)
    at = given.index(missing)
    assert main(given[:at] + given[at + 2 :]) == 1
    assert capsys.readouterr().err == usage() + "\n"


def test_every_option_has_a_letter_and_a_word() -> None:
    request = parse(["--server", "::1", "--port", "443", "--url", "/", "--use-ssl", "--use-sni", "--fwmark", "7"])
    assert (request.encrypted, request.sni, request.mark, request.host) == (True, True, 7, "[::1]:443")
    assert len({option.letter for option in OPTIONS}) == len({option.word for option in OPTIONS}) == len(OPTIONS) == 11


@pytest.mark.parametrize(
    ("answer", "more", "said"),
    [
        (b"", [], "Read, no data received from server"),
        (b"HTTP/1.0 200 OK\r\n", [], "Read, no data received from server"),
        (b"x" * 100_000, [], "Read error with server"),
        (HEAD, ["-S"], "SSL handshake/communication error connecting to server"),
    ],
)
def test_no_digest_is_told_by_the_status(
    web: Web, answer: bytes, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    web.answer = answer
    assert main(arguments(web.port, *more)) == 1
    assert capsys.readouterr() == ("", f"genhash: {said} [127.0.0.1]:{web.port}\n")


def test_nobody_there(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert main(arguments(unused.getsockname()[1])) == 1
    assert capsys.readouterr().err.startswith("genhash: Connection failed server [127.0.0.1]:")
    assert web.asked == []
