"""SSL_GET under load: how long we take ourselves is never taken for a server's slowness."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.checkers import CheckTiming, HttpsUrl, SslGet, Target
from pykeepalived.config.blocks.virtual_server import RealServer, VirtualServer
from pykeepalived.daemon.tls_stream import TlsSessions
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.hostile_servers import certificate, contexts
from tests.support.tls_web import TlsWeb
from tests.unit.daemon.test_a_million_checks import LOCAL
from tests.unit.daemon.test_checker_process import Director, virtual

COUNT = 200
TIMING = CheckTiming(retry=0, delay_before_retry=SECOND, delay_loop=SECOND, warmup=0)
TIMEOUT = SECOND


class SlowContext:
    """Handshakes whose every step takes this process a while."""

    def __init__(self, context: ssl.SSLContext, director: Director, cost: int) -> None:
        self._context = context
        self._director = director
        self._cost = cost

    def wrap_bio(self, *arguments: Any, **keywords: Any) -> "SlowSession":
        return SlowSession(self._context.wrap_bio(*arguments, **keywords), self._director, self._cost)


class SlowSession:
    """One of them."""

    def __init__(self, session: ssl.SSLObject, director: Director, cost: int) -> None:
        self._session = session
        self._director = director
        self._cost = cost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def do_handshake(self) -> None:
        self._director.reactor.time += self._cost
        self._session.do_handshake()


@pytest.fixture(scope="module")
def server_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    certificate(folder)
    return contexts(folder)


@pytest.fixture
def director() -> Iterator[Director]:
    director = Director()
    yield director
    director.stop()
    director.reactor.close()


def checked(port: int, count: int = COUNT, first: int = 1000) -> VirtualServer:
    target = Target(LOCAL, port, connect_timeout=TIMEOUT)
    check = SslGet(target=target, timing=TIMING, url=(HttpsUrl(path="/"),))
    return virtual(*(RealServer(address=LOCAL, port=first + number, checkers=(check,)) for number in range(count)))


def slow_down(director: Director, monkeypatch: pytest.MonkeyPatch, cost: int) -> None:
    made = TlsSessions.__init__

    def slower(self: TlsSessions, *arguments: Any) -> None:
        made(self, *arguments)
        self.context = SlowContext(self.context, director, cost)  # type: ignore[assignment]

    monkeypatch.setattr(TlsSessions, "__init__", slower)


def test_servers_that_wait_for_us_do_not_fail(
    director: Director, server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 checks a second there is time for 25: all are made in their turn, none fails, and it is said."""
    slow_down(director, monkeypatch, 20 * MILLISECOND)
    web = TlsWeb(director.reactor, server_context)
    director.start(checked(web.port))
    end = director.reactor.time + 20 * SECOND
    while director.reactor.time < end and director.reactor.step(end):  # there is always something left to do
        pass
    lines = director.lines()
    web.close()
    assert not [line for line in lines if "failed" in line or "imeout" in line or "Removing" in line]
    assert len(director.pool()) == COUNT
    assert web.answered > 2 * COUNT
    said = [line for line in lines if "SSL checks" in line]
    assert len(said) == 1
    assert " SSL checks wait for this process, for 5 s by now" in said[0]
