"""A check whose socket the kernel refuses to watch (fs.epoll.max_user_watches): that says nothing of the server."""

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pykeepalived.config.blocks.checkers import (
    Checker,
    CheckTiming,
    DnsCheck,
    HttpGet,
    HttpsUrl,
    HttpUrl,
    SmtpCheck,
    SslGet,
    Target,
)
from pykeepalived.config.blocks.virtual_server import RealServer
from pykeepalived.units import SECOND
from tests.unit.daemon.test_a_million_checks import LOCAL
from tests.unit.daemon.test_checker_process import Director, virtual

TIMING = CheckTiming(retry=0, delay_before_retry=SECOND, delay_loop=5 * SECOND, warmup=0)


@pytest.fixture
def director() -> Iterator[Director]:
    director = Director()
    yield director
    if director.service is not None:
        director.stop()
    director.reactor.close()


def checks(port: int) -> dict[str, Checker]:
    target = Target(LOCAL, port, connect_timeout=2 * SECOND)
    return {
        "HTTP": HttpGet(target=target, timing=TIMING, url=(HttpUrl(path="/"),)),
        "SSL": SslGet(target=target, timing=TIMING, url=(HttpsUrl(path="/"),)),
        "SMTP": SmtpCheck(target=target, timing=TIMING),
        "DNS": DnsCheck(target=target, timing=TIMING, name="example.org"),
    }


@pytest.mark.parametrize("kind", ["HTTP", "SSL", "SMTP", "DNS"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOMEM])
def test_the_server_keeps_its_state(
    director: Director, monkeypatch: pytest.MonkeyPatch, kind: str, number: int
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM if kind == "DNS" else socket.SOCK_STREAM) as silent:
        silent.bind((str(LOCAL), 0))
        if kind != "DNS":
            silent.listen()
        port = silent.getsockname()[1]
        director.start(virtual(RealServer(address=LOCAL, port=port, checkers=(checks(port)[kind],))))
        tries = []

        def refuse(fd: int, *_: Any) -> None:
            tries.append(fd)
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patched:
            patched.setattr(director.reactor, "watch", refuse)
            director.reactor.run_for(30 * SECOND)
        assert len(tries) >= 5
        assert len(director.pool()) == 1
        (line,) = [each for each in director.lines() if each.startswith("Checks are put off")]
        assert line.startswith(f"Checks are put off: {os.strerror(number)} (")
        assert ("fs.epoll.max_user_watches" in line) == (number == errno.ENOSPC)
        director.reactor.run_for(10 * SECOND)  # it is watched again: it gives no answer
        assert director.pool() == {}
