"""Alive servers, quorum and sorry server: the order of lines, scripts, FIFO lines, and the table wanted."""

from typing import Any

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.effects import Log
from pykeepalived.lvs.effects import TableChanged
from pykeepalived.lvs.events import CheckerJudged
from pykeepalived.lvs.virtual_server import VirtualServer
from tests.support.pool import VS, block, brief, key, rs, server, table


def up(core: VirtualServer, number: int) -> list[str]:
    return brief(core.handle(CheckerJudged(key(number), up=True, changed=True, reason="because")))


def down(core: VirtualServer, number: int) -> list[str]:
    return brief(core.handle(CheckerJudged(key(number), up=False, changed=True, reason="because")))


def test_start_with_living_servers_gains_quorum() -> None:
    core = VirtualServer(block(server(11, weight=2), server(12), quorum=2, hysteresis=1))
    assert brief(core.start()) == ["table", f"Gained quorum 2+1=3 <= 3 for VS {VS}", f"fifo VS {VS} UP"]
    assert table(core) == {11: 2, 12: 1}


@pytest.mark.keyword("virtual_server.alpha")
def test_start_with_alpha_is_silent_and_empty() -> None:
    core = VirtualServer(block(server(11, alpha=True), server(12, alpha=True, inhibit_on_failure=True)))
    assert brief(core.start()) == ["table"]
    assert table(core) == {12: 0}
    assert up(core, 11) == [
        f"Adding service {rs(11)} to VS {VS}",
        "table",
        f"fifo RS {rs(11)} {VS} UP",
        f"Gained quorum 1+0=1 <= 1 for VS {VS}",
        f"fifo VS {VS} UP",
    ]
    assert table(core) == {11: 1, 12: 0}
    assert up(core, 12)[0] == f"Enabling service {rs(12)} of VS {VS}"


@pytest.mark.keyword("virtual_server.sorry_server")
def test_start_with_alpha_and_sorry_server() -> None:
    core = VirtualServer(block(server(11, alpha=True), sorry=99, quorum=3, hysteresis=1))
    assert brief(core.start()) == [
        "table",
        f"Starting with quorum down 3-1=2 > 0 for VS {VS}",
        f"Adding sorry server {rs(99)} to VS {VS}",
        f"Removing alive servers from the pool for VS {VS}",
        f"fifo VS {VS} DOWN",
    ]
    assert table(core) == {99: 1}


def test_start_notifies_living_servers_on_wish() -> None:
    core = VirtualServer(block(server(11), server(12, alpha=True)))
    assert brief(core.start(init_notifies=True))[:2] == ["table", f"fifo RS {rs(11)} {VS} UP"]


def test_alpha_server_whose_first_check_fails_is_told_without_change() -> None:
    core = VirtualServer(block(server(11, alpha=True)))
    core.start()
    effects = core.handle(CheckerJudged(key(11), up=False, changed=False))
    assert brief(effects) == [f"fifo RS {rs(11)} {VS} DOWN"]
    assert core.handle(CheckerJudged(key(11), up=True, changed=False)) == []


@pytest.mark.keyword("virtual_server.real_server.notify_down")
@pytest.mark.keyword("virtual_server.quorum_down")
def test_order_of_a_loss_with_scripts() -> None:
    scripts: dict[str, Any] = {"notify_up": Script(("/up",)), "notify_down": Script(("/down",))}
    core = VirtualServer(
        block(
            server(11, **scripts),
            sorry=99,
            quorum_up=Script(("/quorum_up",)),
            quorum_down=Script(("/quorum_down",)),
        )
    )
    core.start()
    assert down(core, 11) == [
        f"Removing service {rs(11)} from VS {VS}",
        "table",
        "run /down",
        f"fifo RS {rs(11)} {VS} DOWN",
        f"Lost quorum 1-0=1 > 0 for VS {VS}",
        f"Adding sorry server {rs(99)} to VS {VS}",
        f"Removing alive servers from the pool for VS {VS}",
        "run /quorum_down",
        f"fifo VS {VS} DOWN",
    ]
    assert table(core) == {99: 1}
    assert up(core, 11) == [
        f"Adding service {rs(11)} to VS {VS}",
        "table",
        "run /up",
        f"fifo RS {rs(11)} {VS} UP",
        f"Gained quorum 1+0=1 <= 1 for VS {VS}",
        f"Removing sorry server {rs(99)} from VS {VS}",
        f"Adding alive servers to the pool for VS {VS}",
        "run /quorum_up",
        f"fifo VS {VS} UP",
    ]
    assert table(core) == {11: 1}


@pytest.mark.keyword("virtual_server.quorum")
@pytest.mark.keyword("virtual_server.hysteresis")
def test_observed_numbers_of_quorum_and_hysteresis() -> None:
    """Weights 2+1, quorum 2, hysteresis 1: lost only at sum 0, regained only at sum 3."""
    core = VirtualServer(block(server(11, weight=2), server(12), quorum=2, hysteresis=1))
    core.start()
    down(core, 12)
    assert core.quorum_up  # sum 2
    up(core, 12)
    down(core, 11)
    assert core.quorum_up  # sum 1, the threshold
    lines = down(core, 12)
    assert f"Lost quorum 2-1=1 > 0 for VS {VS}" in lines
    assert not core.quorum_up
    up(core, 11)
    assert not core.quorum_up  # sum 2
    assert f"Gained quorum 2+1=3 <= 3 for VS {VS}" in up(core, 12)


def test_quorum_without_sorry_server_leaves_the_servers_in() -> None:
    core = VirtualServer(block(server(11), server(12), quorum=2))
    core.start()
    lines = down(core, 11)
    assert lines[-2:] == [f"Lost quorum 2-0=2 > 1 for VS {VS}", f"fifo VS {VS} DOWN"]
    assert table(core) == {12: 1}


@pytest.mark.keyword("virtual_server.inhibit_on_failure")
def test_inhibited_servers_stay_with_weight_0() -> None:
    core = VirtualServer(block(server(11, inhibit_on_failure=True), server(12, weight=3), sorry=99, quorum=4))
    core.start()
    assert down(core, 11)[0] == f"Disabling service {rs(11)} of VS {VS}"
    assert table(core) == {11: 0, 99: 1}
    up(core, 11)
    assert table(core) == {11: 1, 12: 3}
    down(core, 12)
    assert table(core) == {11: 0, 99: 1}  # alive, but the sorry server answers


@pytest.mark.keyword("virtual_server.sorry_server_inhibit")
def test_inhibited_sorry_server_waits_with_weight_0() -> None:
    core = VirtualServer(block(server(11), sorry=99, inhibit=True))
    core.start()
    assert table(core) == {11: 1, 99: 0}
    assert f"Enabling sorry server {rs(99)} to VS {VS}" in down(core, 11)
    assert table(core) == {99: 1}
    assert f"Disabling sorry server {rs(99)} from VS {VS}" in up(core, 11)
    assert table(core) == {11: 1, 99: 0}


def test_sorry_server_that_is_also_a_real_server() -> None:
    core = VirtualServer(block(server(11), server(12), sorry=12, quorum=2))
    core.start()
    assert table(core) == {11: 1, 12: 1}
    down(core, 11)
    assert table(core) == {12: 1}
    down(core, 12)
    assert table(core) == {12: 1}
    up(core, 12)
    up(core, 11)
    assert table(core) == {11: 1, 12: 1}


def test_servers_change_only_in_the_books_while_the_sorry_server_answers() -> None:
    core = VirtualServer(block(server(11), server(12), sorry=99, quorum=2))
    core.start()
    down(core, 11)
    lines = down(core, 12)
    assert lines[0] == f"Removing service {rs(12)} from VS {VS}"
    assert table(core) == {99: 1}
    up(core, 11)
    assert table(core) == {99: 1}


def test_a_server_is_up_only_while_all_its_checkers_are() -> None:
    core = VirtualServer(block(server(11, checkers=2), server(12)))
    core.start()
    assert down(core, 11)[0].startswith("Removing")
    assert down(core, 11) == []
    assert up(core, 11) == []
    assert up(core, 11)[0].startswith("Adding")


def test_only_the_server_that_changed_is_touched() -> None:
    core = VirtualServer(block(server(11), server(12)))
    core.start()
    effects = core.handle(CheckerJudged(key(11), up=False, changed=True))
    assert [each.servers for each in effects if isinstance(each, TableChanged)] == [frozenset((key(11),))]


def test_entries_name_both_servers_and_the_cause() -> None:
    core = VirtualServer(block(server(11)))
    core.start()
    effects = core.handle(CheckerJudged(key(11), up=False, changed=True, reason="TCP_CHECK: refused"))
    assert isinstance(effects[0], Log)
    assert effects[0].fields == (("VIRTUAL_SERVER", VS), ("REAL_SERVER", rs(11)), ("CAUSE", "TCP_CHECK: refused"))


# the end


def test_stop_is_silent_to_scripts() -> None:
    core = VirtualServer(block(server(11), server(12), sorry=99))
    core.start()
    down(core, 12)
    assert brief(core.leave(stopping=True)) == [
        "dropped",
        f"Shutting down service {rs(11)} from VS {VS}",
        f"Shutting down service {rs(12)} from VS {VS}",
    ]


@pytest.mark.keyword("virtual_server.omega")
def test_stop_with_omega_notifies() -> None:
    core = VirtualServer(block(server(11), server(12), server(13), quorum=2, omega=True, quorum_down=Script(("/q",))))
    core.start()
    down(core, 13)
    assert brief(core.leave(stopping=True)) == [
        "dropped",
        f"Shutting down service {rs(11)} from VS {VS}",
        f"fifo RS {rs(11)} {VS} DOWN",
        f"Shutting down service {rs(12)} from VS {VS}",
        f"fifo RS {rs(12)} {VS} DOWN",
        f"Shutting down service {rs(13)} from VS {VS}",
        "run /q",
        f"fifo VS {VS} DOWN",
    ]


def test_stop_with_omega_when_there_is_no_quorum() -> None:
    """Observed: of the servers nothing is told, for none is in the table; of the virtual server it is told again."""
    core = VirtualServer(block(server(11), server(12), server(13), quorum=2, omega=True, sorry=99))
    core.start()
    down(core, 11)
    down(core, 12)
    assert brief(core.leave(stopping=True)) == [
        "dropped",
        *(f"Shutting down service {rs(number)} from VS {VS}" for number in (11, 12, 13)),
        f"fifo VS {VS} DOWN",
    ]


def test_a_block_with_omega_that_is_gone() -> None:
    core = VirtualServer(block(server(11), server(12), quorum=2, omega=True, sorry=99))
    core.start()
    assert brief(core.leave(stopping=False)) == [
        "dropped",
        f"Removing Virtual Server {VS}",
        f"Removing service {rs(11)} from VS {VS}",
        f"fifo RS {rs(11)} {VS} DOWN",
        f"Removing service {rs(12)} from VS {VS}",
        f"fifo RS {rs(12)} {VS} DOWN",
        f"fifo VS {VS} DOWN",
    ]
    core = VirtualServer(block(server(11), server(12), quorum=2, omega=True, sorry=99))
    core.start()
    down(core, 11)
    assert brief(core.leave(stopping=False)) == ["dropped", f"Removing Virtual Server {VS}"]


def test_a_block_that_is_gone() -> None:
    core = VirtualServer(block(server(11), server(12)))
    core.start()
    down(core, 12)
    assert brief(core.leave(stopping=False)) == [
        "dropped",
        f"Removing Virtual Server {VS}",
        f"Removing service {rs(11)} from VS {VS}",
        f"fifo RS {rs(11)} {VS} DOWN",
        f"fifo VS {VS} DOWN",
    ]


def test_an_inhibited_server_that_goes_is_told_as_such() -> None:
    core = VirtualServer(block(server(11, inhibit_on_failure=True), server(12, inhibit_on_failure=True)))
    core.start()
    down(core, 12)
    assert brief(core.leave(stopping=True)) == [
        "dropped",
        f"Shutting down service {rs(11)} from VS {VS}",
        f"Shutting down (inhibited) service {rs(12)} from VS {VS}",
    ]
