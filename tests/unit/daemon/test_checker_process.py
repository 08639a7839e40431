"""The checker process whole: real sockets on the loopback, simulated time, a fake kernel."""

import errno
import gc
import resource
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet, HttpUrl, Target, TcpCheck
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import RealServer, Service, SorryServer, VirtualServer
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.checker_process import CheckerService
from pykeepalived.daemon.child import ChildContext, ChildOptions
from pykeepalived.effects import Level, Log, RunScript
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import DestinationRow, ServiceRow
from pykeepalived.kernel.frames import FrameTemplates, Template
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.fakes_lvs import FakeIpvs, FakeJournal, FakeScripts, SimulatedReactor

VS = "[10.9.0.100]:tcp:80"
TIMING = CheckTiming(retry=1, delay_before_retry=SECOND, delay_loop=10 * SECOND, warmup=4 * SECOND)
BEAT = 10 * MILLISECOND
"""Checks begin, and connections are looked at, on beats."""
NO_FRAMES = FrameTemplates(Template(b"", (), ()), Template(b"", (), ()), 0, 0)


class WebServer:
    """A server in the reactor: takes connections, and answers each with fixed bytes."""

    def __init__(self, reactor: SimulatedReactor, response: bytes = b"") -> None:
        self.response = response
        self.accepted = 0
        self.peers: list[tuple[str, int]] = []
        self._reactor = reactor
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        reactor.watch(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        connection, peer = self._listener.accept()
        self.accepted += 1
        self.peers.append(peer)
        if not self.response:
            connection.close()
            return

        def answer() -> None:
            connection.recv(65536)
            connection.sendall(self.response)
            self._reactor.unwatch(connection.fileno())
            connection.close()

        self._reactor.watch(connection.fileno(), answer)

    def close(self) -> None:
        self._reactor.unwatch(self._listener.fileno())
        self._listener.close()

    def reopen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.setblocking(False)
        self._reactor.watch(self._listener.fileno(), self._accept)


class Director:
    """A checker process at work."""

    def __init__(self) -> None:
        self.reactor = SimulatedReactor()
        self.kernel = FakeIpvs()
        self.journal = FakeJournal()
        self.scripts = FakeScripts(self.kernel.weights)
        self.readied = 0
        self.statuses: list[str] = []
        self.fifo: list[str] = []
        self.has_fifos = True
        self.finished = False
        self.signs_of_leaving = 0
        self.servers: list[WebServer] = []
        self.options = ChildOptions()
        self.service: CheckerService | None = None

    def web(self, response: bytes = b"") -> WebServer:
        server = WebServer(self.reactor, response)
        self.servers.append(server)
        return server

    def start(self, *blocks: VirtualServer, **defs: Any) -> CheckerService:
        service = self.set_up(*blocks, **defs)
        self.reactor.run_for(0)
        return service

    def set_up(self, *blocks: VirtualServer, **defs: Any) -> CheckerService:
        context = ChildContext(
            reactor=self.reactor,
            journal=self.journal,
            scripts=self.scripts,
            options=self.options,
            frames=NO_FRAMES,
            ready=self._ready,
            status=self.statuses.append,
            fifo=self.fifo.append,
            has_fifos=lambda: self.has_fifos,
            leaving=self._leaving,
        )
        self.service = self.service_of(context, self.part(*blocks, **defs), self.kernel, lambda: 0.5)
        self.service.start()
        return self.service

    def service_of(self, *arguments: Any) -> CheckerService:
        return CheckerService(*arguments)

    def reload(self, *blocks: VirtualServer) -> None:
        assert self.service is not None
        self.service.reload(self.part(*blocks))
        self.reactor.run_for(0)

    def stop(self) -> None:
        assert self.service is not None
        self.service.stop(self._finish)
        self.reactor.run_for(0)

    def part(self, *blocks: VirtualServer, **defs: Any) -> Configuration:
        return Configuration(global_defs=GlobalDefs(**defs), virtual_server=blocks)

    def lines(self) -> list[str]:
        return self.journal.lines()

    def pool(self, virtual: str = VS) -> dict[str, int]:
        return self.kernel.weights()[virtual]

    def _ready(self) -> None:
        self.readied += 1

    def _finish(self) -> None:
        self.finished = True

    def _leaving(self) -> None:
        self.signs_of_leaving += 1


@pytest.fixture
def director() -> Iterator[Director]:
    director = Director()
    yield director
    if director.service is not None and not director.finished:
        director.stop()
    for server in director.servers:
        server.close()
    director.reactor.close()


def virtual(*servers: RealServer, last: int = 100, **keywords: Any) -> VirtualServer:
    service = Service("address", ip_address(f"10.9.0.{last}"), 80, 6, 0, 2)
    return VirtualServer(service=service, real_server=servers, **keywords)


def real(port: int, *, timing: CheckTiming = TIMING, url: HttpUrl | None = None, **keywords: Any) -> RealServer:
    target = Target(ip_address("127.0.0.1"), port)
    check = TcpCheck(target, timing) if url is None else HttpGet(target=target, timing=timing, url=(url,))
    keywords.setdefault("checkers", (check,))
    keywords.setdefault("address", target.connect_ip)
    return RealServer(port=port, **keywords)


def patient(port: int, timing: CheckTiming) -> RealServer:
    target = Target(ip_address("127.0.0.1"), port, connect_timeout=9 * SECOND)
    return real(port, checkers=(TcpCheck(target, timing),))


def name(server: WebServer) -> str:
    return f"[127.0.0.1]:tcp:{server.port}"


def test_start_loads_the_table_and_waits_for_the_first_check(director: Director) -> None:
    web = director.web()
    director.start(virtual(real(web.port)))
    assert director.lines() == [
        "Initializing ipvs",
        f"Activating healthchecker for service {name(web)} for VS {VS}",
        f"Gained quorum 1+0=1 <= 1 for VS {VS}",
    ]
    assert director.pool() == {f"127.0.0.1:{web.port}": 1}
    assert director.readied == 1
    # a second of bootstrap, half the warm-up
    director.reactor.run_for(3 * SECOND - 1)
    assert web.accepted == 0
    director.reactor.run_for(1)
    assert web.accepted == 1
    director.reactor.run_for(BEAT)
    assert director.lines() == [f"TCP connection to {name(web)} success."]
    director.reactor.run_for(25 * SECOND)
    assert web.accepted == 3


def test_lines_for_fifos_that_nobody_has_wait_for_nothing(director: Director) -> None:
    director.has_fifos = False
    service = director.set_up(virtual(real(1)), virtual(real(2), last=101, quorum_up=Script(("/up",))))
    assert list(service._waiting) == [RunScript(Script(("/up",)))]
    director.reactor.run_for(0)
    assert (director.fifo, director.scripts.runs) == ([], [("/up",)])
    director.has_fifos = True
    director.reload(virtual(real(1)))
    gone = "[10.9.0.101]:tcp:80"
    assert director.fifo == [f"RS [127.0.0.1]:tcp:2 {gone} DOWN", f"VS {gone} DOWN"]


def test_a_server_that_dies_leaves_the_pool_and_comes_back(director: Director) -> None:
    web, other = director.web(), director.web()
    director.start(virtual(real(web.port, notify_down=Script(("/down",))), real(other.port)))
    director.reactor.run_for(4 * SECOND)
    director.lines()
    web.close()
    director.reactor.run_for(10 * SECOND + 3 * BEAT)
    assert director.lines() == [
        f"TCP_CHECK on service {name(web)} failed after 1 retries.",
        f"Removing service {name(web)} from VS {VS}",
    ]
    assert director.pool() == {f"127.0.0.1:{other.port}": 1}
    # the script sees the table as it now is
    assert director.scripts.runs == [("/down",)]
    assert director.scripts.seen == [{VS: {f"127.0.0.1:{other.port}": 1}}]
    web.reopen()
    director.reactor.run_for(10 * SECOND + BEAT)
    assert director.lines() == [
        f"TCP connection to {name(web)} success.",
        f"Adding service {name(web)} to VS {VS}",
    ]
    assert len(director.pool()) == 2
    assert [str(order.verb) for order in director.kernel.orders] == [
        "add-service",
        "add-server",
        "add-server",
        "delete-server",
        "add-server",
    ]


def test_http_check_with_a_real_response(director: Director) -> None:
    web = director.web(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    digest = bytes.fromhex("5d41402abc4b2a76b9719d911017c592")
    director.start(virtual(real(web.port, url=HttpUrl(path="/", digest=digest))))
    director.lines()
    director.reactor.run_for(4 * SECOND)
    assert director.lines() == [f"Remote Web server {name(web)} succeed on service."]
    web.response = b"HTTP/1.0 200 OK\r\n\r\nother"
    director.reactor.run_for(12 * SECOND)
    assert f"Removing service {name(web)} from VS {VS}" in director.lines()


def test_rows_of_a_crashed_run_are_reconciled_and_foreign_ones_kept(director: Director) -> None:
    web = director.web()
    director.start(virtual(real(web.port)))
    [(row, rows)] = director.kernel.table()
    foreign = replace(row, service=replace(row.service, port=81))
    gone = DestinationRow(ip_address("10.0.0.7"), 80, rows[0].method, 1, 0, 0)
    after = Director()
    after.kernel = FakeIpvs([(replace(row, scheduler="rr"), [*rows, gone]), (foreign, [gone])])
    after.start(virtual(real(web.port)))
    assert [str(order.verb) for order in after.kernel.orders] == ["edit-service", "delete-server"]
    assert after.kernel.weights() == {VS: {f"127.0.0.1:{web.port}": 1}, "[10.9.0.100]:tcp:81": {"10.0.0.7:80": 1}}
    after.reactor.close()


@pytest.mark.keyword("global_defs.lvs_flush")
def test_lvs_flush_empties_the_table_first(director: Director) -> None:
    row = ServiceRow(Service("fwmark", None, 0, 0, 9, 2), "rr", 0, 0, 0xFFFFFFFF)
    director.kernel = FakeIpvs([(row, [])])
    director.start(virtual(real(1)), lvs_flush=True)
    assert list(director.kernel.weights()) == [VS]


def test_many_servers_are_loaded_in_batches_between_turns(director: Director) -> None:
    blocks = [virtual(*(real(1000 + port, checkers=()) for port in range(100)), last=last) for last in range(1, 11)]
    script = Script(("/up",))
    blocks[-1] = replace(blocks[-1], quorum_up=script)
    director.start(*blocks)
    assert max(len(batch) for batch in director.kernel.batches) == 64
    assert len(director.kernel.orders) == 1010
    assert director.readied == 1
    assert director.scripts.runs == [("/up",)]
    assert [len(each) for each in director.scripts.seen[0].values()] == [100] * 10  # type: ignore[attr-defined]


def test_without_ipvs_everything_else_runs_until_it_appears(director: Director) -> None:
    web = director.web()
    director.kernel.missing = True
    director.start(virtual(real(web.port, notify_down=Script(("/down",)))))
    warnings = [entry for entry in director.journal.entries if entry.level is Level.WARNING]
    assert len(warnings) == 1
    assert warnings[0].message.startswith("IPVS: Can't initialize ipvs: No such file or directory - ")
    assert "modprobe ip_vs" in warnings[0].message
    assert director.readied == 1
    director.reactor.run_for(5 * SECOND)
    director.lines()
    web.close()
    director.reactor.run_for(500 * SECOND)
    assert director.scripts.runs == [("/down",)]
    assert not [line for line in director.lines() if "ipvs" in line.lower()]
    web.reopen()
    director.reactor.run_for(20 * SECOND)
    director.kernel.missing = False
    director.reactor.run_for(60 * SECOND)
    assert "IPVS 1.2.1 has appeared in the kernel: loading the table" in director.lines()
    assert director.pool() == {f"127.0.0.1:{web.port}": 1}
    director.stop()
    assert director.fifo == [
        f"VS {VS} UP",
        f"RS {name(web)} {VS} DOWN",
        f"VS {VS} DOWN",
        f"RS {name(web)} {VS} UP",
        f"VS {VS} UP",
    ]


def test_netlink_that_breaks_is_read_anew(director: Director) -> None:
    web = director.web()
    director.start(virtual(real(web.port)))
    director.reactor.run_for(5 * SECOND)
    director.lines()
    director.kernel.broken = True
    web.close()
    director.reactor.run_for(20 * SECOND)
    assert "IPVS: No buffer space available - the table is read again within a minute" in director.lines()
    assert len(director.pool()) == 1
    director.kernel.broken = False
    director.reactor.run_for(60 * SECOND)
    assert director.pool() == {}


def test_a_failure_that_passes_costs_a_second(director: Director) -> None:
    web = director.web()
    director.start(virtual(real(web.port)))
    director.reactor.run_for(5 * SECOND)
    director.kernel.broken = True
    web.close()
    director.reactor.run_for(12 * SECOND)
    director.lines()
    director.kernel.broken = False
    director.reactor.run_for(16 * SECOND)
    assert director.pool() == {}
    director.kernel.broken = True
    web.reopen()
    director.reactor.run_for(600 * SECOND)
    said = [line for line in director.lines() if line.startswith("IPVS:")]
    assert 5 <= len(said) <= 18  # sooner at first, then once a minute
    director.stop()
    director.reactor.run_for(5 * SECOND)
    assert director.finished


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EBUSY])
def test_an_order_that_failed_in_passing_is_given_again_soon(director: Director, number: int) -> None:
    """Of one that the kernel refuses for good it is heard once a minute."""
    web = director.web()
    director.start(virtual(real(web.port)))
    director.reactor.run_for(5 * SECOND)
    order, director.kernel.order = director.kernel.order, lambda order: number  # type: ignore[method-assign] # noqa: ARG005
    web.close()
    director.reactor.run_for(12 * SECOND)
    assert director.pool()
    assert any("DEL_DEST" in line for line in director.lines())
    director.kernel.order = order  # type: ignore[method-assign]
    director.reactor.run_for(4 * SECOND)
    assert director.pool() == {}


def test_a_start_that_the_kernel_does_not_answer_is_not_a_missing_module(director: Director) -> None:
    table, director.kernel.table = director.kernel.table, _without_buffers  # type: ignore[method-assign]
    director.start(virtual(real(8000)))
    (line,) = [line for line in director.lines() if "IPVS" in line]
    assert line.startswith("IPVS: Can't initialize ipvs: No buffer space available - nothing is balanced")
    assert line.endswith("It is tried again within a minute")
    director.kernel.table = table  # type: ignore[method-assign]
    director.reactor.run_for(2 * SECOND)
    assert director.pool()


def _without_buffers(*_: object) -> Any:
    raise KernelError("list", errno.ENOBUFS)


# reload


def test_reload_of_the_same_orders_nothing_and_keeps_the_checkers(director: Director) -> None:
    web = director.web()
    director.start(virtual(real(web.port)))
    director.reactor.run_for(5 * SECOND)
    director.lines()
    orders = len(director.kernel.orders)
    director.reload(virtual(real(web.port)))
    assert director.lines() == ["Reinitializing ipvs"]
    assert len(director.kernel.orders) == orders
    assert web.accepted == 1
    director.reactor.run_for(8 * SECOND + BEAT)
    assert web.accepted == 2  # at its time of before


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.alpha")
def test_a_new_check_of_an_alpha_server_leaves_it_where_it_is(director: Director) -> None:
    web, dead = director.web(), director.web()
    dead.close()
    timing = replace(TIMING, alpha=True)
    director.start(virtual(real(web.port, timing=timing), real(dead.port, timing=timing)))
    director.reactor.run_for(5 * SECOND)
    assert director.pool() == {f"127.0.0.1:{web.port}": 1}
    director.lines()
    director.reload(virtual(patient(web.port, timing), patient(dead.port, timing)))
    assert director.pool() == {f"127.0.0.1:{web.port}": 1}
    assert [line for line in director.lines() if "service" in line and "Activating" not in line] == []
    web.close()
    dead.reopen()
    director.reactor.run_for(15 * SECOND)
    assert director.pool() == {f"127.0.0.1:{dead.port}": 1}


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.alpha")
def test_a_reload_takes_in_no_alpha_server_that_no_check_has_seen(director: Director) -> None:
    web = director.web()
    timing = replace(TIMING, alpha=True)
    director.start(virtual(real(web.port, timing=timing)))
    director.reload(virtual(real(web.port, timing=timing, weight=5)))
    assert director.pool() == {}
    director.reactor.run_for(5 * SECOND)
    assert director.pool() == {f"127.0.0.1:{web.port}": 5}


def test_reload_changes_a_weight_in_place_and_keeps_what_is_down_down(director: Director) -> None:
    web, dead = director.web(), director.web()
    dead.close()
    director.start(virtual(real(web.port), real(dead.port)))
    director.reactor.run_for(5 * SECOND)
    director.lines()
    orders = len(director.kernel.orders)
    slower = replace(TIMING, delay_loop=20 * SECOND)
    director.reload(virtual(real(web.port, weight=5, timing=slower), real(dead.port)))
    assert director.lines() == [
        "Reinitializing ipvs",
        f"Changing weight from 1 to 5 for active service {name(web)} of VS {VS}",
    ]
    assert [str(order.verb) for order in director.kernel.orders[orders:]] == ["edit-server"]
    assert director.pool() == {f"127.0.0.1:{web.port}": 5}
    director.reactor.run_for(4 * SECOND)
    assert director.lines() == []  # the new timing keeps the belief, so success is no news
    assert web.accepted == 2
    dead.reopen()


def test_a_reload_that_fails_half_way_loses_nobody(director: Director, monkeypatch: pytest.MonkeyPatch) -> None:
    web = director.web()
    blocks = [virtual(real(web.port), last=last) for last in (1, 2, 3)]
    service = director.start(*blocks)
    director.reactor.run_for(9 * SECOND)
    changed = [replace(block, quorum=2) for block in blocks]
    with monkeypatch.context() as patched:
        patched.setattr(service._checkers, "change", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            director.reload(*changed)
    director.reload(*changed)
    before = web.accepted
    director.reactor.run_for(20 * SECOND)
    assert web.accepted - before == 6  # each is checked by one checker
    director.stop()
    assert director.kernel.services == {}


class Trouble:
    """Something goes wrong in the calls of a method from the given one on; ``end`` mends it."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: object, method: str, *, first: int = 1) -> None:
        self._right = getattr(owner, method)
        self._left = first - 1
        self._on = True
        patch.setattr(owner, method, self._call)

    def _call(self, *arguments: Any, **keywords: Any) -> Any:
        self._left -= 1
        if self._on and self._left < 0:
            raise ZeroDivisionError
        return self._right(*arguments, **keywords)

    def end(self) -> None:
        self._on = False


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(("method", "first"), [("_begin", 2), ("_begin", 3), ("_run", 2)])
def test_a_reload_that_fails_amid_a_server_ends_no_check_and_doubles_none(
    director: Director, monkeypatch: pytest.MonkeyPatch, *, method: str, first: int, back: bool
) -> None:
    webs = [director.web() for _ in range(3)]

    def block(delay: int, last: int = 100) -> VirtualServer:
        timing = replace(TIMING, delay_loop=delay * SECOND)
        return virtual(*(real(web.port, timing=timing) for web in webs), last=last)

    service = director.start(block(10))
    director.reactor.run_for(5 * SECOND)
    trouble = Trouble(monkeypatch, service._checkers, method, first=first)
    with pytest.raises(ZeroDivisionError):
        director.reload(block(5), block(5, last=101))
    director.reactor.run_for(20 * SECOND)
    before = [web.accepted for web in webs]
    director.reactor.run_for(20 * SECOND)
    assert [web.accepted - count for web, count in zip(webs, before, strict=True)] == [2, 2, 2]
    trouble.end()
    delay = 10 if back else 5
    director.reload(block(delay), block(delay, last=101))
    director.reactor.run_for(20 * SECOND)
    before = [web.accepted for web in webs]
    director.reactor.run_for(20 * SECOND)
    assert [web.accepted - count for web, count in zip(webs, before, strict=True)] == [2 * 20 // delay] * 3
    director.reload()
    before = [web.accepted for web in webs]
    director.reactor.run_for(20 * SECOND)
    assert [web.accepted for web in webs] == before


def test_a_new_virtual_server_that_goes_wrong_leaves_no_checks_behind(
    director: Director, monkeypatch: pytest.MonkeyPatch
) -> None:
    webs = [director.web() for _ in range(3)]
    service = director.start()
    new = virtual(*(real(web.port) for web in webs))
    for owner, method, first in ((service._checkers, "_begin", 3), (service, "_carry_out", 1)):
        trouble = Trouble(monkeypatch, owner, method, first=first)
        with pytest.raises(ZeroDivisionError):
            director.reload(new)
        trouble.end()
    director.reload(new)
    director.reactor.run_for(20 * SECOND)
    before = [web.accepted for web in webs]
    director.reactor.run_for(20 * SECOND)
    assert [web.accepted - count for web, count in zip(webs, before, strict=True)] == [2, 2, 2]


def test_one_check_that_goes_wrong_as_it_ends_keeps_no_other(
    director: Director, monkeypatch: pytest.MonkeyPatch
) -> None:
    webs = [director.web() for _ in range(3)]
    service = director.start(virtual(*(real(web.port) for web in webs)))
    (served,) = service._served.values()
    first, *_ = served.all_runs()
    monkeypatch.setattr(type(first), "close", _close_but_one(first, type(first).close))
    with pytest.raises(ZeroDivisionError):
        director.reload(virtual(real(webs[2].port)))
    director.reload(virtual(real(webs[2].port)))
    director.reactor.run_for(25 * SECOND)
    assert [web.accepted for web in webs] == [0, 0, 3]


def _close_but_one(one: object, close: Callable[[Any], None]) -> Callable[[Any], None]:
    def close_it(run: object) -> None:
        close(run)
        if run is one:
            raise ZeroDivisionError

    return close_it


def test_reload_drops_and_adds(director: Director) -> None:
    web, other = director.web(), director.web()
    director.start(virtual(real(web.port), real(other.port)), virtual(real(web.port), last=101))
    director.reactor.run_for(5 * SECOND)
    director.lines()
    orders = len(director.kernel.orders)
    director.reload(virtual(real(other.port)), virtual(real(web.port), last=102))
    gone, new = "[10.9.0.101]:tcp:80", "[10.9.0.102]:tcp:80"
    assert director.lines() == [
        "Reinitializing ipvs",
        f"service {name(web)} no longer exist",
        f"Removing service {name(web)} from VS {VS}",
        f"Removing Virtual Server {gone}",
        f"Removing service {name(web)} from VS {gone}",
        f"Activating healthchecker for service {name(web)} for VS {new}",
        f"Gained quorum 1+0=1 <= 1 for VS {new}",
    ]
    assert [str(order.verb) for order in director.kernel.orders[orders:]] == [
        "delete-server",
        "delete-service",
        "add-service",
        "add-server",
    ]
    accepted = web.accepted
    director.reactor.run_for(9 * SECOND)
    assert web.accepted == accepted + 1  # the two checkers that are gone do not check


def test_checkers_that_are_gone_leave_nothing_behind(director: Director) -> None:
    """The daemon runs without a garbage collector."""
    web = director.web()
    slow = replace(TIMING, delay_loop=20 * SECOND)
    director.start(virtual(real(web.port), real(9)), virtual(real(web.port), last=101))
    gc.collect()
    gc.disable()
    try:
        director.reload(virtual(real(web.port, timing=slow)))
        director.reactor.run_for(100 * SECOND)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_reload_with_another_probe_starts_afresh(director: Director) -> None:
    web = director.web(b"HTTP/1.0 500 Oh\r\n\r\n")
    director.start(virtual(real(web.port)))
    director.reactor.run_for(5 * SECOND)
    director.reload(virtual(real(web.port, url=HttpUrl(path="/"))))
    assert director.pool() == {f"127.0.0.1:{web.port}": 1}
    director.reactor.run_for(4 * SECOND)
    assert director.pool() == {}


def test_status_sums_up(director: Director) -> None:
    web = director.web()
    director.start(virtual(real(web.port), real(9)), virtual(real(9), last=101))
    director.reactor.run_for(10 * SECOND)
    assert director.statuses[0] == "IPVS: 2 virtual servers, 2 with quorum, 3 of 3 real servers up"
    assert director.statuses[-1] == "IPVS: 2 virtual servers, 1 with quorum, 1 of 3 real servers up"
    assert len(director.statuses) <= 4


# the end


def test_stop_empties_what_is_ours(director: Director) -> None:
    web = director.web()
    director.start(
        virtual(real(web.port), sorry_server=SorryServer(address=ip_address("10.0.0.9"), port=80)),
        virtual(real(web.port), last=101),
    )
    director.lines()
    director.stop()
    assert director.finished
    assert director.kernel.weights() == {}
    assert director.lines() == [
        f"Shutting down service {name(web)} from VS {VS}",
        f"Shutting down service {name(web)} from VS [10.9.0.101]:tcp:80",
    ]
    director.reactor.run_for(100 * SECOND)
    assert web.accepted == 0


def test_stop_may_leave_the_table(director: Director) -> None:
    director.options = ChildOptions(dont_release_ipvs=True)
    director.start(virtual(real(1)))
    director.stop()
    assert director.finished
    assert len(director.pool()) == 1


@pytest.mark.keyword("global_defs.lvs_flush_on_stop")
@pytest.mark.parametrize(("wish", "left"), [("", 1), ("VS", 1), ("all", 0)])
def test_stop_may_flush(director: Director, wish: str, left: int) -> None:
    row = ServiceRow(Service("fwmark", None, 0, 0, 9, 2), "rr", 0, 0, 0xFFFFFFFF)
    director.kernel = FakeIpvs([(row, [])])
    director.start(virtual(real(1)), lvs_flush_on_stop=wish)
    director.stop()
    assert director.finished
    assert len(director.kernel.weights()) == left


def test_stop_amid_the_first_load(director: Director) -> None:
    director.start()
    assert director.service is not None
    director.service.reload(director.part(virtual(*(real(1000 + port, checkers=()) for port in range(300)))))
    director.stop()
    assert director.finished
    assert director.kernel.weights() == {}


# sockets


def test_stop_while_the_kernel_fails_in_passing(director: Director) -> None:
    director.start(virtual(replace(real(8000), checkers=())))
    apply, director.kernel.apply = director.kernel.apply, _without_buffers  # type: ignore[method-assign,assignment]
    director.stop()
    assert not director.finished
    director.kernel.apply = apply  # type: ignore[method-assign]
    director.reactor.run_for(2 * SECOND)
    assert director.finished
    assert director.kernel.services == {}
    assert not [line for line in director.lines() if "within a minute" in line]


def test_stop_after_the_kernel_has_failed_and_before_the_table_is_read_again(director: Director) -> None:
    service = director.start(virtual(replace(real(8000), checkers=())))
    apply, director.kernel.apply = director.kernel.apply, _without_buffers  # type: ignore[method-assign,assignment]
    service.reload(director.part(virtual(replace(real(8001), checkers=()))))
    director.kernel.apply = apply  # type: ignore[method-assign]
    assert director.kernel.services
    director.stop()
    assert director.finished
    assert director.kernel.services == {}


def test_stop_without_ipvs_asks_for_it_no_more(director: Director) -> None:
    director.kernel.missing = True
    director.start(virtual(replace(real(8000), checkers=())))
    director.lines()
    director.stop()
    assert director.finished
    assert [line for line in director.lines() if "ipvs" in line.lower()] == []


def test_stop_while_the_kernel_fails_for_good(director: Director) -> None:
    director.start(virtual(replace(real(8000), checkers=())))
    director.lines()
    director.kernel.apply = _without_buffers  # type: ignore[method-assign,assignment]
    director.stop()
    director.reactor.run_for(10 * SECOND)
    assert director.finished
    assert director.lines()[-1] == "IPVS: No buffer space available - what is in the table stays there"


def test_a_server_that_never_answers_times_out(director: Director) -> None:
    with socket.socket() as full:
        # a listener whose queue is full does not answer
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        director.start(virtual(real(port)))
        director.lines()
        director.reactor.run_for(3 * SECOND + 4999 * MILLISECOND)
        assert director.lines() == []
        director.reactor.run_for(MILLISECOND)
        failed = f"TCP_CHECK on service [127.0.0.1]:tcp:{port} failed."
        assert director.lines() == [
            failed,
            f"Removing service [127.0.0.1]:tcp:{port} from VS {VS}",
            f"Lost quorum 1-0=1 > 0 for VS {VS}",
        ]
        for filler in fillers:
            filler.close()


def test_an_address_that_is_not_ours_changes_nothing(director: Director) -> None:
    check = TcpCheck(Target(ip_address("127.0.0.1"), 9, bindto=ip_address("192.0.2.1")), TIMING)
    director.start(virtual(real(9, checkers=(check,))))
    director.lines()
    director.reactor.run_for(30 * SECOND)
    [line] = director.lines()
    assert line.startswith("TCP socket bind failed (Cannot assign requested address). Rescheduling.")
    assert len(director.pool()) == 1


@pytest.mark.keyword("virtual_server.real_server.TCP_CHECK.bindto")
def test_bindto_and_bind_port(director: Director) -> None:
    web = director.web()
    with socket.socket() as free:
        free.bind(("127.0.0.2", 0))
        bind_port = free.getsockname()[1]
    target = Target(ip_address("127.0.0.1"), web.port)
    targets = [
        replace(target, bindto=ip_address("127.0.0.2"), bind_port=bind_port),
        replace(target, bindto=ip_address("127.0.0.3")),
    ]
    director.start(virtual(real(web.port, checkers=tuple(TcpCheck(each, TIMING) for each in targets))))
    director.reactor.run_for(5 * SECOND)
    first, second = sorted(web.peers)
    assert first == ("127.0.0.2", bind_port)
    assert second[0] == "127.0.0.3"


def test_trouble_in_one_check_leaves_the_others_alone(director: Director) -> None:
    webs = [director.web() for _ in range(3)]
    blocks = [virtual(real(web.port), last=last) for last, web in enumerate(webs, 1)]

    class Picky(FakeJournal):
        def log(self, line: Log) -> None:
            if line.message == f"TCP connection to {name(webs[1])} success.":
                raise RuntimeError("no place for this line")
            super().log(line)

    director.journal = Picky()
    director.start(*blocks)
    director.lines()
    with pytest.raises(RuntimeError):
        director.reactor.run_for(4 * SECOND)
    assert sorted(director.lines()) == sorted(f"TCP connection to {name(web)} success." for web in (webs[0], webs[2]))


def test_want_of_descriptors_puts_checks_off(director: Director) -> None:
    web = director.web()
    director.start(virtual(real(web.port, timing=replace(TIMING, warmup=0))))
    director.lines()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = socket.socket()
    lowest = spare.fileno()
    spare.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        director.reactor.run_for(2 * SECOND)
        assert director.lines() == [
            f"Checks are put off: Too many open files ({lowest} file descriptors allowed; LimitNOFILE= raises it)"
        ]
        assert len(director.pool()) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    director.reactor.run_for(10 * SECOND)
    assert director.lines() == [f"TCP connection to {name(web)} success."]


def test_the_descriptor_limit_follows_the_number_of_checks(director: Director) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        director.start(virtual(*(real(2000 + port) for port in range(200))))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 264
        director.reload(virtual(*(real(2000 + port) for port in range(300))))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 364
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Pages(FakeJournal):
    """Counts the lines of each turn of the loop."""

    def __init__(self, reactor: SimulatedReactor) -> None:
        super().__init__()
        self.of_turns: list[int] = []
        self._reactor = reactor
        self._turn: Callable[[int], bool] = reactor.step
        reactor.step = self._step  # type: ignore[method-assign]  # the loop is watched, not changed

    def _step(self, until: int) -> bool:
        before = len(self.entries)
        went_on = self._turn(until)
        self.of_turns.append(len(self.entries) - before)
        return went_on


def test_an_outage_of_a_rack_is_told_server_by_server_and_holds_nobody_up(director: Director) -> None:
    """Each dead server has its two lines; what is written before others get their turn is bounded all the same."""
    count = 500
    journal = director.journal = Pages(director.reactor)
    timing = replace(TIMING, warmup=0)
    at = [real(9, address=ip_address("127.1.0.0") + number, timing=timing) for number in range(count)]
    director.start(virtual(*at))
    director.lines()
    journal.of_turns.clear()
    director.reactor.run_for(2 * SECOND)
    lines = director.lines()
    assert sum(line.startswith("TCP_CHECK on service") for line in lines) == count
    assert sum(line.startswith("Removing service") for line in lines) == count
    assert len(lines) <= 2 * count + 2
    assert max(journal.of_turns) <= 3 * 64 + 2  # with one that only detail shows
