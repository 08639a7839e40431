"""A changed configuration: what stays as it was, what changes in place, and in keepalived's words."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service, SorryServer
from pykeepalived.config.blocks.virtual_server import VirtualServer as Block
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.lvs.effects import TableChanged, TablesDropped
from pykeepalived.lvs.events import CheckerJudged
from pykeepalived.lvs.fronts import Front, front_of
from pykeepalived.lvs.rows import key_of
from pykeepalived.lvs.virtual_server import VirtualServer
from tests.support.pool import VS, block, brief, key, rs, server, table


def down(core: VirtualServer, number: int) -> list[str]:
    return brief(core.handle(CheckerJudged(key(number), up=False, changed=True, reason="because")))


def started(*arguments: object, **keywords: object) -> VirtualServer:
    core = VirtualServer(block(*arguments, **keywords))  # type: ignore[arg-type]
    core.start()
    return core


def reload(core: VirtualServer, new: Block, **failed: int) -> list[str]:
    counts = {key_of(each): failed.get(f"rs{each.address.packed[-1]}", 0) for each in new.real_server}
    return brief(core.reload(new, counts))


def test_reload_changes_weight_in_place() -> None:
    core = VirtualServer(block(server(11, weight=2), server(12)))
    core.start()
    down(core, 12)
    lines = reload(core, block(server(11, weight=5), server(12, weight=7)), rs12=1)
    assert lines == [
        f"Changing weight from 2 to 5 for active service {rs(11)} of VS {VS}",
        f"Changing weight from 1 to 7 for inactive service {rs(12)} of VS {VS}",
        "table",
    ]
    assert table(core) == {11: 5}


def test_reload_drops_and_adds_servers() -> None:
    core = VirtualServer(block(server(11), server(12)))
    core.start()
    lines = reload(core, block(server(12), server(13), server(14, alpha=True)), rs14=1)
    assert lines == [
        f"service {rs(11)} no longer exist",
        f"Removing service {rs(11)} from VS {VS}",
        "table",
        f"fifo RS {rs(11)} {VS} DOWN",
    ]
    assert table(core) == {12: 1, 13: 1}


def test_reload_evaluates_the_quorum_anew() -> None:
    core = VirtualServer(block(server(11)))
    core.start()
    lines = reload(core, block(server(11), quorum=2, sorry=99))
    assert f"Starting with quorum down 2-0=2 > 1 for VS {VS}" in lines  # keepalived's words for a reload
    assert table(core) == {99: 1}
    assert f"Gained quorum 1+0=1 <= 1 for VS {VS}" in reload(core, block(server(11), sorry=99))
    assert table(core) == {11: 1}


def test_reload_that_brings_a_needed_sorry_server() -> None:
    core = VirtualServer(block(server(11)))
    core.start()
    down(core, 11)
    lines = reload(core, block(server(11), sorry=99), rs11=1)
    assert f"Adding sorry server {rs(99)} to VS {VS}" in lines
    assert table(core) == {99: 1}
    assert reload(core, block(server(11), sorry=99), rs11=1) == ["table"]


def test_reload_that_takes_the_sorry_server() -> None:
    core = VirtualServer(block(server(11), server(12), sorry=99, quorum=2))
    core.start()
    down(core, 11)
    reload(core, block(server(11), server(12), quorum=2), rs11=1)
    assert table(core) == {12: 1}


def test_reload_without_the_checker_that_failed() -> None:
    core = VirtualServer(block(server(11)))
    core.start()
    down(core, 11)
    assert f"Adding service {rs(11)} to VS {VS}" in reload(core, block(replace(server(11), checkers=())))
    assert table(core) == {11: 1}


def test_observed_order_of_a_reload() -> None:
    """Who turns is first, who goes is next, then weights change. Scripts and FIFOs are told once the table is right."""
    core = VirtualServer(block(server(11), server(12)))
    core.start()
    down(core, 11)
    assert reload(core, block(replace(server(11, weight=4), checkers=()), server(13))) == [
        f"Adding service {rs(11)} to VS {VS}",
        f"service {rs(12)} no longer exist",
        f"Removing service {rs(12)} from VS {VS}",
        f"Changing weight from 1 to 4 for active service {rs(11)} of VS {VS}",
        "table",
        f"fifo RS {rs(11)} {VS} UP",
        f"fifo RS {rs(12)} {VS} DOWN",
    ]
    assert table(core) == {11: 4, 13: 1}


def test_a_quorum_that_a_reload_keeps_is_not_told() -> None:
    """Though all that lived go."""
    core = started(server(11), server(12))
    down(core, 11)
    lines = reload(core, block(server(11), server(13)), rs11=1)
    assert lines[-2:] == ["table", f"fifo RS {rs(12)} {VS} DOWN"]
    lines = reload(core, block(server(11)), rs11=1)
    assert [line for line in lines if line.startswith("fifo VS")] == [f"fifo VS {VS} DOWN"]
    assert not core.quorum_up


def test_reload_changes_the_forwarding() -> None:
    core = VirtualServer(block(server(11)))
    core.start()
    reload(core, block(server(11, lvs_method=LvsMethod("DR"))))
    assert core.tables[0].destinations[key(11)].method.forward == "DR"


def test_only_servers_that_changed_are_looked_at() -> None:
    core = started(server(11), server(12), server(13))
    new = block(server(11), server(12, weight=3), server(14))
    effects = core.reload(new, {key(12): 0, key(14): 0})
    assert [each.servers for each in effects if isinstance(each, TableChanged)] == [
        frozenset((key(12), key(13), key(14)))
    ]
    effects = core.reload(replace(new, lvs_sched="rr"), {})
    assert [each.servers for each in effects if isinstance(each, TableChanged)] == [frozenset()]
    assert core.tables[0].row.scheduler == "rr"


def test_a_server_that_stays_keeps_its_row() -> None:
    core = started(server(11), server(12))
    before = core.tables[0].destinations[key(11)]
    core.reload(block(server(11), server(12, weight=3), quorum=2), {key(12): 0})
    assert core.tables[0].destinations[key(11)] is before


def test_observed_words_for_a_quorum_at_a_reload() -> None:
    """Server 12 is down all the time."""
    core = started(server(11), server(12), sorry=99)
    down(core, 12)
    assert reload(core, block(server(11), server(12), quorum=2, sorry=99), rs12=1) == [
        "table",
        f"Starting with quorum down 2-0=2 > 1 for VS {VS}",
        f"Adding sorry server {rs(99)} to VS {VS}",
        f"Removing alive servers from the pool for VS {VS}",
        f"fifo VS {VS} DOWN",
    ]
    assert reload(core, block(server(11), server(12), sorry=99), rs12=1) == [
        "table",
        f"Gained quorum 1+0=1 <= 1 for VS {VS}",
        f"Removing sorry server {rs(99)} from VS {VS}",
        f"Adding alive servers to the pool for VS {VS}",
        f"fifo VS {VS} UP",
    ]
    assert reload(core, block(server(11), server(12), quorum=2), rs12=1) == [
        "table",
        f"Starting with quorum down 2-0=2 > 1 for VS {VS}",
        f"fifo VS {VS} DOWN",
    ]
    # the sorry server comes when there is no quorum: all of it is told once more
    assert reload(core, block(server(11), server(12), quorum=2, sorry=99), rs12=1)[1:] == [
        f"Starting with quorum down 2-0=2 > 1 for VS {VS}",
        f"Adding sorry server {rs(99)} to VS {VS}",
        f"Removing alive servers from the pool for VS {VS}",
        f"fifo VS {VS} DOWN",
    ]
    assert reload(core, block(server(11), server(12), quorum=2, sorry=99, inhibit=True), rs12=1) == ["table"]
    assert reload(core, block(server(11), server(12), sorry=99, inhibit=True), rs12=1)[2:4] == [
        f"Disabling sorry server {rs(99)} from VS {VS}",
        f"Adding alive servers to the pool for VS {VS}",
    ]
    assert table(core) == {11: 1, 99: 0}
    assert reload(core, block(server(11), server(12), sorry=98, inhibit=True), rs12=1) == [
        f"Removing sorry server {rs(99)} from VS {VS}",
        "table",
    ]
    assert table(core) == {11: 1, 98: 0}


def test_an_idle_sorry_server_that_is_inhibited_no_more_goes() -> None:
    core = started(server(11), sorry=99, inhibit=True)
    assert table(core) == {11: 1, 99: 0}
    assert reload(core, block(server(11), sorry=99)) == ["table"]
    assert table(core) == {11: 1}


def test_a_sorry_server_at_work_that_is_replaced() -> None:
    core = started(server(11), sorry=99)
    down(core, 11)
    assert reload(core, block(server(11), sorry=98), rs11=1) == [
        f"Removing sorry server {rs(99)} from VS {VS}",
        "table",
        f"Starting with quorum down 1-0=1 > 0 for VS {VS}",
        f"Adding sorry server {rs(98)} to VS {VS}",
        f"Removing alive servers from the pool for VS {VS}",
        f"fifo VS {VS} DOWN",
    ]
    assert table(core) == {98: 1}
    assert reload(core, block(server(11)), rs11=1) == [f"Removing sorry server {rs(98)} from VS {VS}", "table"]
    assert table(core) == {}


@pytest.mark.keyword("virtual_server.sorry_server_lvs_method")
def test_a_sorry_server_is_reached_otherwise() -> None:
    core = started(server(11), sorry=99)
    down(core, 11)
    sorry = SorryServer(address=ip_address("10.9.0.99"), port=80, lvs_method=LvsMethod("DR"))
    assert reload(core, replace(block(server(11)), sorry_server=sorry), rs11=1) == ["table"]
    assert core.tables[0].destinations[key(99)].method == LvsMethod("DR")


def test_observed_inhibition_that_changes_while_a_server_is_down() -> None:
    core = started(server(11), server(12))
    down(core, 12)
    new = block(server(11), server(12, weight=3, inhibit_on_failure=True))
    assert reload(core, new, rs12=1) == [
        f"Changing weight from 1 to 3 for inactive service {rs(12)} of VS {VS}",
        "table",
    ]
    assert table(core) == {11: 1, 12: 0}
    assert reload(core, block(server(11), server(12, weight=3)), rs12=1) == ["table"]
    assert table(core) == {11: 1}


@pytest.mark.keyword("global_defs.rs_init_notifies")
def test_new_servers_are_told_of_on_wish() -> None:
    core = started(server(11))
    new = block(server(11, weight=2), server(12), server(13, alpha=True))
    effects = core.reload(new, {key(11): 0, key(12): 0, key(13): 1}, init_notifies=True)
    assert brief(effects)[-1] == f"fifo RS {rs(12)} {VS} UP"
    assert [line for line in brief(effects) if line.startswith("fifo")] == [f"fifo RS {rs(12)} {VS} UP"]


@pytest.mark.keyword("virtual_server.persistence_engine")
def test_a_persistence_engine_is_a_setting_of_the_service() -> None:
    core = started(server(11), persistence_engine="sip", persistence_timeout=60)
    assert core.tables[0].row.persistence_engine == "sip"
    reload(core, block(server(11), persistence_engine="sip"))  # without persistence there is nothing for it to do
    assert core.tables[0].row.persistence_engine == ""


# groups

GROUP = Service("group", None, 0, 6, 0, 2, "web")
DR = LvsMethod("DR")


def entry(first: str, last: str = "", port: int = 80) -> GroupEntry:
    return GroupEntry(ip_address(first), ip_address(last or first), port, family=2)


def front(*entries: GroupEntry) -> Front:
    return front_of(GROUP, VirtualServerGroup("web", entries))


def wanted(core: VirtualServer) -> dict[str, list[tuple[str, int, int]]]:
    return {
        str(each.row.service): [(str(row.address), row.port, row.weight) for row in each.destinations.values()]
        for each in core.tables
    }


@pytest.mark.keyword("virtual_server_group")
def test_every_service_of_a_group_has_every_server() -> None:
    core = VirtualServer(block(server(11), server(12), service=GROUP), front(entry("10.9.0.1"), GroupEntry(fwmark=7)))
    assert brief(core.start()) == ["table", "Gained quorum 1+0=1 <= 2 for VS [web]:0", "fifo VS [web]:0 UP"]
    both = [("10.9.0.11", 80, 1), ("10.9.0.12", 80, 1)]
    assert wanted(core) == {"[10.9.0.1]:tcp:80": both, "FWM 7": both}
    assert down(core, 12)[0] == f"Removing service {rs(12)} from VS [web]:0"
    assert wanted(core) == {"[10.9.0.1]:tcp:80": both[:1], "FWM 7": both[:1]}


def test_observed_ports_of_a_group() -> None:
    """NAT: the server's own, and none if it has none. DR and TUN cannot change it: that of each service."""
    servers = (server(11, port=0), server(12), server(13, port=0, lvs_method=DR))
    serving = front(entry("10.9.0.1"), entry("10.9.0.2", port=81), GroupEntry(fwmark=7))
    core = VirtualServer(block(*servers, service=GROUP), serving)
    core.start()
    assert wanted(core) == {
        str(service): [("10.9.0.11", 0, 1), ("10.9.0.12", 80, 1), ("10.9.0.13", port, 1)]
        for service, port in zip(serving.services, (80, 81, 0), strict=True)
    }
    effects = core.handle(CheckerJudged(key(13, 0), up=False, changed=True))
    assert brief(effects)[0] == "Removing service [10.9.0.13]:tcp:0 from VS [web]:0"
    (changed,) = (each.servers for each in effects if isinstance(each, TableChanged))
    assert changed == frozenset((key(13, 0), key(13), key(13, 81)))


def test_observed_lines_when_entries_come_and_go() -> None:
    first = front(entry("10.9.0.1"), entry("10.9.0.3", "10.9.0.5"), GroupEntry(fwmark=7), entry("10.9.0.40", port=81))
    second = front(entry("10.9.0.1"), entry("10.9.0.4", "10.9.0.6"), GroupEntry(fwmark=8), entry("10.9.0.3"))
    core = VirtualServer(block(server(11), service=GROUP), first)
    core.start()
    stayed = {each.row.service: each for each in core.tables}
    effects = core.reload(block(server(11, weight=3), service=GROUP), {key(11): 0}, front=second)
    assert brief(effects) == [
        "VS [[10.9.0.3]:tcp:80-10.9.0.5] in group web no longer exists",
        "VS [7] in group web no longer exists",
        "VS [[10.9.0.40]:tcp:81] in group web no longer exists",
        f"Changing weight from 1 to 3 for active service {rs(11)} of VS [web]:0",
        "VS [[10.9.0.4]:tcp:80-10.9.0.6] added into group web",
        "VS [FWM 8] added into group web",
        "VS [[10.9.0.3]:tcp:80] added into group web",
        "dropped",
        "table",
    ]
    (dropped,) = (each.tables for each in effects if isinstance(each, TablesDropped))
    assert [str(each.row.service) for each in dropped] == ["FWM 7", "[10.9.0.40]:tcp:81"]
    assert [each.row.service for each in core.tables] == list(second.services)
    for each in core.tables:
        assert stayed.get(each.row.service, each) is each  # also those that another line names now
    assert set(wanted(core)) == {str(service) for service in second.services}
    assert all(found == [("10.9.0.11", 80, 3)] for found in wanted(core).values())


def test_a_group_that_leaves_drops_all_its_services() -> None:
    core = VirtualServer(block(server(11), service=GROUP), front(entry("10.9.0.1", "10.9.0.9")))
    core.start()
    effects = core.leave(stopping=False)
    assert isinstance(effects[0], TablesDropped)
    assert len(effects[0].tables) == 9
    assert brief(effects)[1] == "Removing Virtual Server Group [web]"
