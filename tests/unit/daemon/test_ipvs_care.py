"""What somebody else does to our services is put right; timeouts and sync daemons of the checker process."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any, NoReturn

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.config.kinds_ipvs import LvsTimeouts, SyncDaemon
from pykeepalived.daemon.checker_process import CheckerService
from pykeepalived.daemon.child import ChildOptions
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import DestinationRow, ServiceRow, SyncDaemonRow, SyncState, Timeouts
from pykeepalived.kernel.ports import BATCH
from pykeepalived.lvs.rows import ServiceTable, key_of
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.fakes_lvs import FakeIpvs, SimulatedReactor
from tests.unit.daemon.test_checker_process import VS, Director, real, virtual

PASS = 61 * SECOND
DNS = Service("address", ip_address("fd00:9::1"), 53, 17, 0, 10)
MARK = Service("fwmark", None, 0, 0, 7, 2)


@pytest.fixture
def director() -> Iterator[Director]:
    director = Director()
    yield director
    for web in director.servers:
        web.close()
    director.reactor.close()


def begun(director: Director, servers: int = 2) -> FakeIpvs:
    blocks = [replace(real(8000 + number), checkers=()) for number in range(servers)]
    director.start(virtual(*blocks))
    director.lines()
    director.kernel.batches.clear()
    return director.kernel


def table(kernel: FakeIpvs) -> ServiceTable:
    (found,) = kernel.services.values()
    return found


def first(kernel: FakeIpvs) -> DestinationRow:
    return next(iter(table(kernel).destinations.values()))


def verbs(kernel: FakeIpvs) -> list[str]:
    orders = [str(order.verb) for order in kernel.orders]
    kernel.batches.clear()
    return orders


def test_a_table_that_nobody_touches_is_read_and_left(director: Director) -> None:
    kernel = begun(director)
    walks = kernel.walks
    director.reactor.run_for(10 * PASS)
    assert verbs(kernel) == []
    assert director.lines() == []
    assert 8 <= kernel.walks - walks <= 11


def test_a_changed_weight_is_said_and_put_right(director: Director) -> None:
    kernel = begun(director)
    row = first(kernel)
    table(kernel).destinations[key_of(row)] = replace(row, weight=77, method=LvsMethod("DR"))
    director.reactor.run_for(PASS)
    assert verbs(kernel) == ["edit-server"]
    assert first(kernel) == row
    (line,) = director.lines()
    assert line.startswith(f"IPVS: service [127.0.0.1]:tcp:8000 of VS {VS} was changed by somebody else: ")
    assert line.endswith(": lvs_method is DR, shall be NAT, weight is 77, shall be 1")


def test_a_removed_server_comes_back_and_an_added_one_goes(director: Director) -> None:
    kernel = begun(director)
    row = first(kernel)
    stranger = replace(row, address=ip_address("10.9.9.9"))
    del table(kernel).destinations[key_of(row)]
    table(kernel).destinations[key_of(stranger)] = stranger
    director.reactor.run_for(PASS)
    assert sorted(verbs(kernel)) == ["add-server", "delete-server"]
    removed, added = director.lines()
    assert removed == (
        f"IPVS: service [127.0.0.1]:tcp:8000 was removed from VS {VS} by somebody else: it is added again"
    )
    assert added.startswith("IPVS: service [10.9.9.9]:tcp:8000 was added to VS")


def test_a_removed_service_comes_back_with_its_servers(director: Director) -> None:
    kernel = begun(director)
    before = table(kernel)
    kernel.services.clear()
    director.reactor.run_for(PASS)
    assert verbs(kernel) == ["add-service", "add-server", "add-server"]
    assert table(kernel) == before
    assert director.lines() == [f"IPVS: VS {VS} was removed by somebody else: it is added again"]


def test_settings_of_a_service_are_put_right(director: Director) -> None:
    kernel = begun(director)
    table(kernel).row = replace(table(kernel).row, scheduler="rr", timeout=30)
    director.reactor.run_for(PASS)
    assert verbs(kernel) == ["edit-service"]
    (line,) = director.lines()
    assert line.endswith("lvs_sched is rr, shall be wlc, persistence_timeout is 30, shall be 0")


def test_services_of_others_are_not_touched(director: Director) -> None:
    kernel = begun(director)
    theirs = ServiceRow(replace(table(kernel).row.service, port=81), "rr", 0, 0, 0xFFFFFFFF)
    kernel.services[theirs.service] = ServiceTable(theirs, {key_of(first(kernel)): first(kernel)})
    director.reactor.run_for(5 * PASS)
    assert verbs(kernel) == []
    assert director.lines() == []


def test_a_quarrel_is_told_three_times_and_goes_on(director: Director) -> None:
    kernel = begun(director)
    row = first(kernel)
    said = []
    for _ in range(8):
        table(kernel).destinations[key_of(row)] = replace(row, weight=5)
        director.reactor.run_for(PASS)
        assert first(kernel) == row
        said += director.lines()
    assert len(said) == 3
    assert said[-1].endswith("said no more until it stays as it shall be")
    director.reactor.run_for(3 * PASS)
    table(kernel).destinations[key_of(row)] = replace(row, weight=5)
    director.reactor.run_for(PASS)
    assert len(director.lines()) == 1


def test_a_thousand_changes_are_twenty_one_lines(director: Director) -> None:
    kernel = begun(director, 1000)
    for key, row in list(table(kernel).destinations.items()):
        table(kernel).destinations[key] = replace(row, weight=9)
    director.reactor.run_for(PASS + 10 * SECOND)
    lines = director.lines()
    assert len(lines) == 21
    assert lines[-1] == "IPVS: 980 more rows were changed by somebody else: they are put right"
    assert {row.weight for row in table(kernel).destinations.values()} == {1}


def test_a_list_that_lacks_rows_is_looked_up_before_it_is_believed(
    director: Director, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = begun(director)
    monkeypatch.setattr(kernel, "walk_servers", lambda _: iter([[first(kernel)]]))
    director.reactor.run_for(3 * PASS)
    monkeypatch.setattr(kernel, "walk_services", lambda: iter([[]]))
    director.reactor.run_for(3 * PASS)
    assert verbs(kernel) == []
    assert director.lines() == []


def test_ipvs_that_is_taken_away_is_said_once_and_loaded_when_it_comes_back(director: Director) -> None:
    kernel = begun(director)
    kernel.missing = True
    kernel.services.clear()
    director.reactor.run_for(5 * PASS)
    gone, missed = director.lines()
    assert gone.endswith("the table is read again within a minute")
    assert missed.startswith("IPVS: Can't initialize ipvs")
    kernel.missing = False
    director.reactor.run_for(PASS)
    assert len(table(kernel).destinations) == 2
    assert director.lines() == ["IPVS 1.2.1 has appeared in the kernel: loading the table"]


def test_a_kernel_that_fails_amid_a_pass_is_no_fault_of_ours(director: Director) -> None:
    kernel = begun(director)
    kernel.services.clear()
    kernel.broken = True
    director.reactor.run_for(PASS)  # raises faults
    kernel.broken = False
    director.reactor.run_for(2 * PASS)
    assert len(table(kernel).destinations) == 2


def test_no_descriptor_for_a_pass_keeps_no_order_waiting(director: Director, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = begun(director)
    with monkeypatch.context() as starved:
        starved.setattr(kernel, "walk_services", _without_descriptors)
        director.reactor.run_for(PASS + SECOND)
        director.reload(virtual(replace(real(8001), checkers=())))
        assert director.pool() == {"127.0.0.1:8001": 1}
        assert [line for line in director.lines() if line.startswith("IPVS")] == []
    kernel.services.clear()
    director.reactor.run_for(2 * PASS)
    assert director.pool() == {"127.0.0.1:8001": 1}


def _without_descriptors() -> NoReturn:
    raise OSError(errno.EMFILE, "Too many open files")


def test_an_emptied_table_is_filled_in_haste(director: Director) -> None:
    director.start(*(virtual(replace(real(8000), checkers=()), last=last) for last in range(200)))
    everything = set(director.kernel.services)
    lookup = director.kernel.lookup

    def slow(service: ServiceRow) -> tuple[ServiceRow, list[DestinationRow]] | None:
        director.reactor.time += MILLISECOND
        return lookup(service)

    director.kernel.lookup = slow  # type: ignore[method-assign]
    director.kernel.services.clear()
    director.reactor.run_for(PASS + 5 * SECOND)
    assert set(director.kernel.services) == everything


def test_what_the_file_does_not_name_is_told_at_the_start(director: Director) -> None:
    row = ServiceRow(virtual().service, "rr", 0, 0, 0xFFFFFFFF)
    for port in range(1, 9):
        theirs = replace(row, service=replace(row.service, port=port))
        director.kernel.services[theirs.service] = ServiceTable(theirs)
    director.start(virtual(replace(real(8000), checkers=())))
    (line,) = [each for each in director.lines() if "left alone" in each]
    assert line.startswith("IPVS: left alone, for the file does not name them: [10.9.0.100]:tcp:1, ")
    assert line.endswith(" and 3 more (lvs_flush empties the table)")
    assert len(director.kernel.services) == 9


@pytest.mark.keyword("global_defs.lvs_timeouts")
def test_timeouts_are_set_and_given_back(director: Director) -> None:
    block = virtual(replace(real(8000), checkers=()))
    service = director.start(block, lvs_timeouts=LvsTimeouts(tcp=901 * SECOND, udp=301 * SECOND))
    assert director.kernel.held == Timeouts(901, 120, 301)
    service.reload(director.part(block, lvs_timeouts=LvsTimeouts(tcp=902 * SECOND, tcpfin=7 * SECOND)))
    assert director.kernel.held == Timeouts(902, 7, 300)
    director.stop()
    assert director.kernel.held == Timeouts(900, 120, 300)


def test_with_dont_release_ipvs_the_table_alone_stays(director: Director) -> None:
    director.options = ChildOptions(dont_release_ipvs=True)
    block = virtual(replace(real(8000), checkers=()))
    director.start(block, lvs_timeouts=LvsTimeouts(tcp=901 * SECOND), lvs_sync_daemon=SyncDaemon("eth0", syncid=0))
    director.reactor.run_for(SECOND)
    director.stop()
    assert director.kernel.held.tcp == 900
    assert director.kernel.running == {}
    assert len(table(director.kernel).destinations) == 1


class Respawned(Director):
    """A checker process that died, with what it left, and the one in its place."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file

    def service_of(self, *arguments: Any) -> CheckerService:
        context, *rest = arguments
        return super().service_of(replace(context, keepsake=Keepsake(self._file.fileno())), *rest)

    def die(self) -> None:
        self.reactor.close()
        self.reactor = SimulatedReactor()


@pytest.fixture
def respawned(tmp_path: Path) -> Iterator[Respawned]:
    with (tmp_path / "kept").open("w+b") as file:
        respawned = Respawned(file)
        yield respawned
        respawned.reactor.close()


@pytest.mark.keyword("global_defs.lvs_timeouts")
@pytest.mark.parametrize("anew", [False, True])
def test_timeouts_of_the_very_start_are_given_back_after_a_death(respawned: Respawned, *, anew: bool) -> None:
    block = virtual(replace(real(8000), checkers=()))
    respawned.start(block, lvs_timeouts=LvsTimeouts(tcp=901 * SECOND, udp=7 * SECOND))
    respawned.die()
    if anew:  # the module went and came meanwhile
        respawned.kernel.held = Timeouts(800, 120, 300)
    respawned.start(block, lvs_timeouts=LvsTimeouts(tcp=901 * SECOND, udp=7 * SECOND))
    respawned.die()
    service = respawned.start(block, lvs_timeouts=LvsTimeouts(tcp=902 * SECOND))
    assert respawned.kernel.held == Timeouts(902, 120, 300)
    respawned.die()
    assert service is not respawned.start(block)
    assert respawned.kernel.held == Timeouts(800 if anew else 900, 120, 300)


@pytest.mark.keyword("global_defs.lvs_flush")
def test_a_process_that_takes_over_flushes_nothing(respawned: Respawned) -> None:
    theirs = replace(virtual().service, port=7)
    block = virtual(replace(real(8000), checkers=()))
    respawned.kernel.services[theirs] = ServiceTable(ServiceRow(theirs, "rr", 0, 0, 0xFFFFFFFF))
    respawned.start(block, lvs_flush=True)
    assert theirs not in respawned.kernel.services
    respawned.kernel.services[theirs] = ServiceTable(ServiceRow(theirs, "rr", 0, 0, 0xFFFFFFFF))
    respawned.die()
    respawned.kernel.batches.clear()
    respawned.start(block, lvs_flush=True)
    assert theirs in respawned.kernel.services
    assert respawned.kernel.orders == []


@pytest.mark.keyword("global_defs.lvs_flush")
@pytest.mark.parametrize(("number", "flushed"), [(errno.ETIMEDOUT, True), (errno.ENOENT, False)])
def test_a_table_that_gave_no_answer_at_the_start_is_flushed_when_it_does(
    director: Director, monkeypatch: pytest.MonkeyPatch, *, number: int, flushed: bool
) -> None:
    """One that was not there is empty, or somebody has filled it since."""

    def refuse() -> NoReturn:
        raise KernelError("empty the IPVS table", number)

    theirs = replace(virtual().service, port=7)
    director.kernel.services[theirs] = ServiceTable(ServiceRow(theirs, "rr", 0, 0, 0xFFFFFFFF))
    with monkeypatch.context() as silent:
        silent.setattr(director.kernel, "version", refuse)
        director.start(virtual(replace(real(8000), checkers=())), lvs_flush=True)
    director.reactor.run_for(PASS)
    assert (theirs not in director.kernel.services) is flushed
    assert VS in director.kernel.weights()


def test_services_that_went_while_no_process_lived_go(respawned: Respawned) -> None:
    """Nobody would check their servers any more."""
    server = replace(real(8000), checkers=())
    web, dns, mark = virtual(server), replace(virtual(server), service=DNS), replace(virtual(server), service=MARK)
    theirs = replace(web.service, port=7)
    respawned.start(web, dns, mark)
    respawned.kernel.services[theirs] = ServiceTable(ServiceRow(theirs, "rr", 0, 0, 0xFFFFFFFF))
    respawned.die()
    respawned.start(web)
    assert respawned.kernel.services.keys() == {web.service, theirs}
    assert "IPVS: removed, for the file names them no more: FWM 7, [fd00:9::1]:udp:53" in respawned.lines()
    respawned.reactor.run_for(SECOND)
    respawned.kernel.services[DNS] = ServiceTable(ServiceRow(DNS, "rr", 0, 0, 128))  # somebody else's by now
    respawned.die()
    respawned.start(web)
    assert DNS in respawned.kernel.services


@pytest.mark.keyword("global_defs.lvs_sync_daemon")
def test_sync_daemons_that_went_while_no_process_lived_go(respawned: Respawned) -> None:
    block = virtual(replace(real(8000), checkers=()))
    respawned.start(block, lvs_sync_daemon=SyncDaemon("eth0", syncid=3))
    respawned.reactor.run_for(SECOND)
    assert len(respawned.kernel.cut()) == 2
    respawned.die()
    respawned.start(block)
    respawned.reactor.run_for(SECOND)
    assert respawned.kernel.cut() == [("stop", "master"), ("stop", "backup")]
    respawned.kernel.running[SyncState.MASTER] = SyncDaemonRow(SyncState.MASTER, "eth0", 4)  # somebody else's
    respawned.die()
    respawned.start(block)
    respawned.reactor.run_for(SECOND)
    assert respawned.kernel.cut() == []


def test_sync_daemons_that_could_not_be_stopped_before_a_death_go(respawned: Respawned) -> None:
    """Else this director would go on telling of connections beside the one that took over."""
    block = virtual(replace(real(8000), checkers=()))
    service = respawned.start(block, lvs_sync_daemon=SyncDaemon("eth0", syncid=3))
    respawned.reactor.run_for(SECOND)
    respawned.kernel.refuse["list"] = errno.ENOBUFS
    service.reload(respawned.part(block))
    respawned.reactor.run_for(SECOND)
    respawned.die()
    del respawned.kernel.refuse["list"]
    respawned.start(block)
    respawned.reactor.run_for(SECOND)
    assert respawned.kernel.running == {}


def test_one_that_comes_with_no_servers_to_stop_at_once_takes_all_away_without_a_word(respawned: Respawned) -> None:
    """As when the daemon is stopped while its checker process is dead."""
    defs = {"lvs_sync_daemon": SyncDaemon("eth0", syncid=3), "lvs_timeouts": LvsTimeouts(tcp=901 * SECOND)}
    many = [replace(virtual().service, port=port) for port in range(1, 4 * BATCH)]
    server = replace(real(8000), checkers=(), notify_down=Script(("/down",)))
    respawned.start(*(replace(virtual(server, quorum_down=Script(("/lost",))), service=each) for each in many), **defs)
    respawned.reactor.run_for(SECOND)
    respawned.scripts.runs.clear()
    respawned.fifo.clear()
    respawned.die()
    respawned.set_up(**defs)
    respawned.stop()
    assert respawned.finished
    assert respawned.signs_of_leaving > 1  # or it would be cut off where that takes long
    assert respawned.kernel.services == {}
    assert respawned.kernel.running == {}
    assert respawned.kernel.held.tcp == 900
    assert respawned.scripts.runs == []
    assert respawned.fifo == []


@pytest.mark.parametrize("batches", [0, 1])
def test_services_of_a_reload_that_was_never_carried_out_go(respawned: Respawned, batches: int) -> None:
    """It dies with the orders of a reload half done: what went by it, and what came, are known by the next one."""
    server = replace(real(8000), checkers=())
    block, dns = virtual(server), replace(virtual(server), service=DNS)
    many = [replace(block, service=replace(MARK, fwmark=number)) for number in range(1, BATCH + 5)]
    service = respawned.start(block, *many)
    service.reload(respawned.part(dns))  # a batch, and the rest in turns that never come
    assert len(respawned.kernel.services) > 1
    respawned.die()
    respawned.start(*([dns] * batches))
    assert respawned.kernel.services.keys() == {each.service for each in [dns] * batches}


@pytest.mark.parametrize("anew", [False, True])
def test_timeouts_after_the_kernel_was_silent(director: Director, *, anew: bool) -> None:
    """What is given back is what was there before us, not what we had set."""
    director.start(virtual(replace(real(8000), checkers=())), lvs_timeouts=LvsTimeouts(tcp=901 * SECOND))
    director.kernel.missing = True
    director.reactor.run_for(2 * PASS)
    if anew:
        director.kernel.services.clear()
        director.kernel.held = Timeouts(800, 120, 300)
    director.kernel.missing = False
    director.reactor.run_for(2 * PASS)
    assert director.kernel.held.tcp == 901
    director.stop()
    assert director.kernel.held.tcp == (800 if anew else 900)


def test_timeouts_that_the_kernel_did_not_take_at_once(director: Director, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at the start, nor at a reload amid which it gave no answer."""
    block, wanted = virtual(replace(real(8000), checkers=())), [LvsTimeouts(tcp=each * SECOND) for each in (901, 902)]
    with monkeypatch.context() as silent:
        silent.setattr(director.kernel, "set_timeouts", _silent)
        service = director.start(block, lvs_timeouts=wanted[0])
        director.reactor.run_for(10 * PASS)
    assert len([line for line in director.lines() if "SET_CONFIG" in line]) == 1
    director.reactor.run_for(PASS)
    assert director.kernel.held.tcp == 901
    with monkeypatch.context() as silent:
        silent.setattr(director.kernel, "set_timeouts", _silent)
        silent.setattr(director.kernel, "apply", _silent)
        service.reload(director.part(virtual(replace(real(8001), checkers=())), lvs_timeouts=wanted[1]))
    director.reactor.run_for(PASS)
    assert director.kernel.held.tcp == 902
    director.stop()
    assert director.kernel.held.tcp == 900


@pytest.mark.parametrize("before", [False, True])
def test_timeouts_after_a_death_amid_a_reload(
    respawned: Respawned, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    """Of the kernel it cannot be told whether it had the order yet."""
    block = virtual(replace(real(8000), checkers=()))
    service = respawned.start(block, lvs_timeouts=LvsTimeouts(tcp=901 * SECOND))

    def die(timeouts: Timeouts) -> NoReturn:
        if not before:
            FakeIpvs.set_timeouts(respawned.kernel, timeouts)
        raise SystemExit

    part = respawned.part(block, lvs_timeouts=LvsTimeouts(tcp=902 * SECOND))
    with monkeypatch.context() as killed:
        killed.setattr(respawned.kernel, "set_timeouts", die)
        with pytest.raises(SystemExit):
            service.reload(part)
    respawned.die()
    respawned.start(block, lvs_timeouts=LvsTimeouts(tcp=902 * SECOND))
    assert respawned.kernel.held.tcp == 902
    respawned.stop()
    assert respawned.kernel.held.tcp == 900


def _silent(*_: object) -> NoReturn:
    raise KernelError("give orders to IPVS", errno.ETIMEDOUT)


def test_timeouts_that_the_kernel_refuses_are_said(director: Director, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Timeouts) -> None:
        raise OSError(errno.EINVAL, "")

    monkeypatch.setattr(director.kernel, "set_timeouts", refuse)
    director.start(virtual(replace(real(8000), checkers=())), lvs_timeouts=LvsTimeouts(tcp=SECOND))
    assert "IPVS cmd SET_CONFIG(12) error: Invalid argument(22) for lvs_timeouts" in director.lines()


@pytest.mark.keyword("global_defs.lvs_sync_daemon")
def test_without_an_instance_both_daemons_run(director: Director) -> None:
    block = virtual(replace(real(8000), checkers=()))
    daemon = SyncDaemon("eth0", syncid=3)
    service = director.start(block, lvs_sync_daemon=daemon)
    director.reactor.run_for(SECOND)
    assert director.kernel.cut() == [("start", "master"), ("start", "backup")]
    service.reload(director.part(block, lvs_sync_daemon=daemon))
    director.reactor.run_for(SECOND)
    assert director.kernel.cut() == []
    service.reload(director.part(block, lvs_sync_daemon=replace(daemon, instance="VI_1")))
    director.reactor.run_for(SECOND)
    assert director.kernel.cut() == [("stop", "master"), ("stop", "backup")]
