"""SSL_GET under load: how long we take ourselves is never taken for a server's slowness."""

import errno
import gc
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.checkers import CheckTiming, HttpsUrl, SslGet, Target
from pykeepalived.config.blocks.virtual_server import RealServer, VirtualServer
from pykeepalived.daemon import tcp_stream
from pykeepalived.daemon.connections import DialError
from pykeepalived.daemon.tls_stream import TlsSessions, TlsStream
from pykeepalived.daemon.tls_turns import TlsTurns
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.hostile_servers import certificate, contexts
from tests.support.tls_web import TlsWeb
from tests.unit.daemon.test_a_million_checks import LOCAL
from tests.unit.daemon.test_checker_process import Director, virtual

COUNT = 200
TIMING = CheckTiming(retry=0, delay_before_retry=SECOND, delay_loop=SECOND, warmup=0)
TIMEOUT = SECOND
A_FEW = 40  # sessions that have begun, at most


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


def counted(kind: type) -> int:
    return sum(type(each) is kind for each in gc.get_objects())


def slow_down(director: Director, monkeypatch: pytest.MonkeyPatch, cost: int) -> None:
    made = TlsSessions.__init__

    def slower(self: TlsSessions, *arguments: Any) -> None:
        made(self, *arguments)
        self.context = SlowContext(self.context, director, cost)  # type: ignore[assignment]

    monkeypatch.setattr(TlsSessions, "__init__", slower)


def run(director: Director, length: int) -> None:
    """There may always be something left to do: so it is not run until all is done."""
    end = director.reactor.time + length
    while director.reactor.time < end and director.reactor.step(end):
        pass
    assert director.reactor.errors == []


def test_servers_that_wait_for_us_do_not_fail(
    director: Director, server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 checks a second there is time for 25: all are made in their turn, none fails, and it is said."""
    slow_down(director, monkeypatch, 20 * MILLISECOND)
    web = TlsWeb(director.reactor, server_context)
    director.start(checked(web.port))
    run(director, 20 * SECOND)
    lines = director.lines()
    web.close()
    assert not [line for line in lines if "failed" in line or "imeout" in line or "Removing" in line]
    assert len(director.pool()) == COUNT
    assert web.answered > 2 * COUNT
    said = [line for line in lines if "SSL checks" in line]
    assert len(said) == 1
    assert " SSL checks wait for this process, for 5 s by now" in said[0]


def test_checks_that_go_while_they_wait_in_line_leave_nothing_behind(
    director: Director, server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon runs without a garbage collector; and what the former configuration had of TLS goes with it."""
    slow_down(director, monkeypatch, 20 * MILLISECOND)
    web = TlsWeb(director.reactor, server_context)
    director.start(checked(web.port))
    run(director, 3 * SECOND)
    gc.collect()
    gc.disable()
    try:
        assert counted(TlsStream) > COUNT // 2
        director.reload(checked(web.port, count=1))
        assert counted(TlsStream) < A_FEW
        run(director, 3 * SECOND)
        assert counted(TlsStream) <= 1
        assert counted(TlsSessions) == 1
        assert gc.collect() == 0
        answered = web.answered
        run(director, 3 * SECOND)
        assert web.answered > answered
    finally:
        gc.enable()
        web.close()


def test_a_want_of_descriptors_is_told_of_who_has_waited_in_line_too(
    director: Director, server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down(director, monkeypatch, 20 * MILLISECOND)
    web = TlsWeb(director.reactor, server_context)
    director.start(checked(web.port))
    run(director, 2 * SECOND)
    director.lines()

    def starved(_target: Target) -> None:
        raise DialError("create", errno.EMFILE)

    monkeypatch.setattr(TlsTurns, "may_begin", lambda _turns: False)
    monkeypatch.setattr(tcp_stream, "dial", starved)
    run(director, 2 * SECOND)
    web.close()
    lines = director.lines()
    assert sum("Too many open files" in line for line in lines if line.startswith("Checks are put off")) == 1
    assert not [line for line in lines if "Removing" in line]
    assert len(director.pool()) == COUNT


def test_a_library_that_does_not_work_says_nothing_of_the_server(
    director: Director, server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a broken openssl.cnf. The check goes on, and is made when it works again."""
    made = TlsSessions.__init__

    def refuse(self: TlsSessions, *arguments: Any) -> None:  # noqa: ARG001
        raise ssl.SSLError(1, "library has no ciphers")

    monkeypatch.setattr(TlsSessions, "__init__", refuse)
    web = TlsWeb(director.reactor, server_context)
    director.start(checked(web.port, 1))
    run(director, 10 * SECOND)
    (line,) = [each for each in director.lines() if "library has no ciphers" in each]
    assert line.startswith("HTTP socket TLS set-up failed (")
    assert "stays up until it can be checked" in line
    monkeypatch.setattr(TlsSessions, "__init__", made)
    run(director, 10 * SECOND)
    assert director.lines() == [f"Remote Web server [{LOCAL}]:tcp:{web.port} succeed on service."]
    web.close()
