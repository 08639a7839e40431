"""What a checker process that died believed of servers, in the one that takes over from it."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.checkers import FileCheck
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.virtual_server import VirtualServer
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_trackers import InitialContent, Weight
from pykeepalived.units import SECOND
from tests.unit.daemon import test_checks_that_follow as follow
from tests.unit.daemon.test_checker_process import TIMING, real, virtual
from tests.unit.daemon.test_ipvs_care import Respawned

ALPHA = replace(TIMING, alpha=True)


@pytest.fixture
def respawned(tmp_path: Path) -> Iterator[Respawned]:
    with (tmp_path / "kept").open("w+b") as file:
        respawned = Respawned(file)
        yield respawned
        respawned.reactor.close()


def listening(port: int = 0) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def place(port: int) -> str:
    return f"127.0.0.1:{port}"


def test_a_death_brings_no_dead_server_back_and_takes_no_living_one_out(respawned: Respawned) -> None:
    with ExitStack() as sockets:
        living = [sockets.enter_context(listening()).getsockname()[1] for _ in range(2)]
        with listening() as one, listening() as other:
            dead = [each.getsockname()[1] for each in (one, other)]
        timings = (TIMING, ALPHA, TIMING, ALPHA)
        block = virtual(*(real(port, timing=each) for port, each in zip(living + dead, timings, strict=True)))
        respawned.start(block)
        respawned.reactor.run_for(20 * SECOND)
        assert respawned.pool() == dict.fromkeys(map(place, living), 1)
        for _ in range(2):
            respawned.die()
            respawned.kernel.batches.clear()
            respawned.start(block)
            assert respawned.kernel.orders == []
        respawned.reactor.run_for(20 * SECOND)
        assert respawned.kernel.orders == []
        for port in dead:
            sockets.enter_context(listening(port))
        respawned.reactor.run_for(20 * SECOND)
        assert respawned.pool() == dict.fromkeys(map(place, living + dead), 1)


def test_a_server_has_its_retries_after_a_death_too(respawned: Respawned) -> None:
    """Of one that was shown to be up the first failure is not believed."""
    with listening() as living:
        port = living.getsockname()[1]
        block = virtual(real(port), real(1, checkers=()))
        respawned.start(block)
        respawned.reactor.run_for(20 * SECOND)
        respawned.die()
        respawned.start(block)
    respawned.reactor.run_for(7 * SECOND // 2)  # a second of bootstrap, half the warm-up
    assert f"TCP connection to [127.0.0.1]:tcp:{port} failed." in respawned.journal.lines(detail=True)
    assert place(port) in respawned.pool()
    respawned.reactor.run_for(SECOND)
    assert place(port) not in respawned.pool()


def test_nothing_is_known_of_what_a_reload_brings(respawned: Respawned) -> None:
    """Also where it was there before that process died, and went meanwhile."""
    with listening() as socket_of_the_dead:
        port = socket_of_the_dead.getsockname()[1]
    web = virtual(real(port), real(1, checkers=()))
    other = replace(web, service=replace(web.service, port=81))
    respawned.start(web, other)
    respawned.reactor.run_for(20 * SECOND)
    assert [len(pool) for pool in respawned.kernel.weights().values()] == [1, 1]
    respawned.die()
    respawned.start(web)
    respawned.reload(web, other)
    assert [len(pool) for pool in respawned.kernel.weights().values()] == [1, 2]


def test_the_weight_that_a_program_asked_for_outlives_a_death(respawned: Respawned) -> None:
    block = virtual(follow.real(1, follow.misc(dynamic=True)), follow.real(2, follow.misc("/other", dynamic=True)))
    respawned.start(block)
    respawned.reactor.run_for(2 * SECOND)
    respawned.scripts.end(1, 7)
    respawned.scripts.end(2, 1)
    respawned.reactor.run_for(2 * SECOND)
    assert respawned.pool() == {"10.0.0.1:80": 5}
    respawned.die()
    respawned.kernel.batches.clear()
    respawned.start(block)
    assert respawned.kernel.orders == []
    respawned.reactor.run_for(2 * SECOND)
    respawned.scripts.end(3, 4)
    respawned.scripts.end(4, 0)
    assert respawned.pool() == {"10.0.0.1:80": 2, "10.0.0.2:80": 10}


@pytest.mark.keyword("track_file.init_file")
def test_the_number_of_a_file_outlives_a_death(
    respawned: Respawned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """init_file is for the start of the daemon."""
    path = tmp_path / "f"
    file = TrackedFile(name="f", file=str(path), init_file=InitialContent(1, overwrite=True))
    part = respawned.part

    def with_file(*blocks: VirtualServer, **defs: Any) -> Configuration:
        return replace(part(*blocks, **defs), track_file=(file,))

    monkeypatch.setattr(respawned, "part", with_file)
    block = virtual(follow.real(1, FileCheck(track_file="f", weight=Weight(1))))
    respawned.start(block)
    assert respawned.pool() == {"10.0.0.1:80": 11}
    path.write_text("5")
    respawned.die()
    respawned.start(block)
    assert respawned.pool() == {"10.0.0.1:80": 15}
