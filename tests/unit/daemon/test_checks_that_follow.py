"""MISC_CHECK, FILE_CHECK and BFD_CHECK in the checker process whole: real files, simulated time, a fake kernel."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.checkers import (
    AnyChecker,
    BfdCheck,
    CheckTiming,
    FileCheck,
    MiscCheck,
    Target,
    TcpCheck,
)
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.virtual_server import RealServer, VirtualServer
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_trackers import Weight
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from tests.unit.daemon.test_checker_process import VS, Director, virtual

PATIENCE = 30.0
TIMING = CheckTiming(retry=0, delay_loop=10 * SECOND, warmup=0)


class Pool(Director):
    """A director whose servers follow files, sessions and programs."""

    files: tuple[TrackedFile, ...] = ()

    def part(self, *blocks: VirtualServer, **defs: Any) -> Configuration:
        return Configuration(global_defs=GlobalDefs(**defs), virtual_server=blocks, track_file=self.files)

    def until(self, true: Callable[[], bool]) -> None:
        """Inotify tells in its own time; the simulated one stands meanwhile."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end
            self.reactor.run_for(0)


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    if pool.service is not None and not pool.finished:
        pool.stop()
    pool.reactor.close()


def real(last: int, *checkers: AnyChecker, weight: int = 10, **keywords: Any) -> RealServer:
    return RealServer(address=ip_address(f"10.0.0.{last}"), port=80, weight=weight, checkers=checkers, **keywords)


def misc(name: str = "/check", *, dynamic: bool = False, timing: CheckTiming = TIMING) -> MiscCheck:
    return MiscCheck(misc_path=Script((name,)), misc_dynamic=dynamic, timing=timing, timeout=5 * SECOND)


def rs(last: int) -> str:
    return f"[10.0.0.{last}]:tcp:80"


# MISC_CHECK


def test_a_program_moves_the_weight_and_the_server(pool: Pool) -> None:
    pool.start(virtual(real(1, misc(dynamic=True)), real(2)))
    assert f"Activating healthchecker for service {rs(1)} for VS {VS}" in pool.lines()
    subject = f"Misc check for [{rs(1)} VS {VS}] by [/check]"
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(1, 7)
    assert pool.lines() == [
        f"Changing weight from 10 to 5 for active service {rs(1)} of VS {VS}",
        f"{subject} succeeded.",
    ]
    assert pool.pool() == {"10.0.0.1:80": 5, "10.0.0.2:80": 10}
    pool.reactor.run_for(10 * SECOND)
    pool.scripts.end(2, 1)
    assert pool.lines() == [
        f"{subject} failed with retry disabled (exited with status 1).",
        f"Removing service {rs(1)} from VS {VS}",
    ]
    pool.reactor.run_for(10 * SECOND)
    pool.scripts.end(3, 0)
    # its own weight came back without a word
    assert pool.lines() == [f"{subject} succeeded.", f"Adding service {rs(1)} to VS {VS}"]
    assert pool.pool() == {"10.0.0.1:80": 10, "10.0.0.2:80": 10}


def test_alpha_keeps_a_server_out_whose_program_cannot_be_run(pool: Pool) -> None:
    """Until it can, and has succeeded. Where keepalived lets it in at the first reload."""
    timing = replace(TIMING, alpha=True)
    pool.start(virtual(real(1, untested=("MISC_CHECK",)), real(2)))
    assert pool.pool() == {"10.0.0.2:80": 10}
    missing = f"MISC_CHECK of service {rs(1)} for VS {VS} cannot be run: alpha keeps the service out until it can"
    assert missing in pool.lines()
    pool.reload(virtual(real(1, untested=("MISC_CHECK",), weight=5), real(2)))
    assert pool.pool() == {"10.0.0.2:80": 10}
    assert missing in pool.lines()
    pool.reload(virtual(real(1, misc(timing=timing)), real(2)))
    assert pool.pool() == {"10.0.0.2:80": 10}
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(1, 0)
    assert pool.pool() == {"10.0.0.1:80": 10, "10.0.0.2:80": 10}
    # what was shown to be up is not thrown out by a program that is gone
    pool.reload(virtual(real(1, untested=("MISC_CHECK",)), real(2)))
    assert pool.pool() == {"10.0.0.1:80": 10, "10.0.0.2:80": 10}


def test_a_status_of_0_keeps_the_weight_at_a_reload(pool: Pool) -> None:
    """Where keepalived sets it to 0 until the status changes."""
    pool.start(virtual(real(1, misc(dynamic=True))))
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(1, 0)
    pool.lines()
    pool.reload(virtual(real(1, misc(dynamic=True)), real(2)))
    pool.reload(virtual(real(1, misc(dynamic=True, timing=replace(TIMING, retry=2))), real(2)))
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(2, 0)
    assert not [line for line in pool.lines() if "Changing weight" in line]
    assert pool.pool()["10.0.0.1:80"] == 10


def test_a_reload_keeps_the_weight_that_the_program_asked_for(pool: Pool) -> None:
    pool.start(virtual(real(1, misc(dynamic=True))))
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(1, 7)
    pool.reload(virtual(real(1, misc(dynamic=True), weight=3)))
    assert pool.pool() == {"10.0.0.1:80": 5}
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(2, 9)
    assert pool.pool() == {"10.0.0.1:80": 7}
    pool.reactor.run_for(10 * SECOND)
    pool.scripts.end(3, 0)
    assert pool.pool() == {"10.0.0.1:80": 3}


def test_a_check_that_goes_takes_its_program_with_it(pool: Pool) -> None:
    pool.start(virtual(real(1, misc())))
    pool.reactor.run_for(2 * SECOND)
    pool.reload(virtual(real(1)))
    assert pool.scripts.cut == [1]
    pool.scripts.end(1, None, signal=15, timed_out=True)
    assert pool.pool() == {"10.0.0.1:80": 10}


# FILE_CHECK


def follow(path: Path, pool: Pool, number: str, weight: int = 3) -> FileCheck:
    path.write_text(number)
    pool.files = (TrackedFile(name="f", file=str(path)),)
    return FileCheck(track_file="f", weight=Weight(weight))


def test_a_file_is_heard_from_the_start_to_the_end(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "f"
    check = follow(path, pool, "2\n")
    pool.start(virtual(real(1, check), real(2)))
    # what the file says at the start counts in silence
    assert pool.lines() == ["Initializing ipvs", f"Gained quorum 1+0=1 <= 26 for VS {VS}"]
    assert pool.pool()["10.0.0.1:80"] == 16
    path.write_text("-1\n")
    pool.until(lambda: pool.pool()["10.0.0.1:80"] == 7)
    assert pool.lines() == [f"Changing weight from 16 to 7 for active service {rs(1)} of VS {VS}"]
    path.write_text("-2147483648\n")
    pool.until(lambda: "10.0.0.1:80" not in pool.pool())
    assert pool.lines() == [f"Removing service {rs(1)} from VS {VS}"]
    path.write_text("5\n")
    pool.until(lambda: "10.0.0.1:80" in pool.pool())
    assert pool.lines() == [f"Adding service {rs(1)} to VS {VS}"]
    assert pool.pool()["10.0.0.1:80"] == 25
    path.unlink()
    pool.until(lambda: pool.pool()["10.0.0.1:80"] == 10)


def test_a_fault_that_stands_at_the_start_keeps_the_server_out(pool: Pool, tmp_path: Path) -> None:
    check = follow(tmp_path / "f", pool, "1", 0)
    pool.start(virtual(real(1, check), real(2)))
    assert pool.pool() == {"10.0.0.2:80": 10}
    pool.reload(virtual(real(1, replace(check, weight=Weight(1))), real(2)))
    assert pool.pool() == {"10.0.0.1:80": 11, "10.0.0.2:80": 10}
    pool.reload(virtual(real(1), real(2)))
    assert pool.pool()["10.0.0.1:80"] == 10


def test_several_checkers_of_a_server_add_up(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "f"
    check = follow(path, pool, "2")
    pool.start(virtual(real(1, check, misc(dynamic=True)), real(2)))
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(1, 7)
    assert pool.pool()["10.0.0.1:80"] == 11
    path.write_text("-2147483648")
    pool.until(lambda: "10.0.0.1:80" not in pool.pool())
    pool.reactor.run_for(10 * SECOND)
    pool.scripts.end(2, 1)
    path.write_text("1")
    pool.until(lambda: pool.service is not None and pool.service.reports()[0].up)
    assert "10.0.0.1:80" not in pool.pool()  # the program says no still
    pool.reactor.run_for(10 * SECOND)
    pool.scripts.end(3, 0)
    assert pool.pool()["10.0.0.1:80"] == 13


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _link(target: str, path: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def _loop(path: Path) -> None:
    _link(str(path), path)


def _fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


HOSTILE: dict[str, tuple[Callable[[Path], None], int]] = {
    "missing": (lambda path: path.unlink(), 10),
    "empty": (lambda path: _put(path, b""), 10),
    "no-number": (lambda path: _put(path, b"five"), 10),
    "binary": (lambda path: _put(path, bytes(range(256)) * 40), 10),
    "a-number-and-more": (lambda path: _put(path, b" \t\n-3 apples"), 1),
    "octal": (lambda path: _put(path, b"010"), 34),
    "huge": (lambda path: os.truncate(path, 1 << 40), 16),  # its beginning is 2 still
    "too-big-a-number": (lambda path: _put(path, b"9" * 4000), 16),  # ignored: the one before stands
    "fifo": (_fifo, 10),
    "folder": (_folder, 10),
    "link-to-nowhere": (partial(_link, "/nowhere/at/all"), 10),
    "link-to-itself": (_loop, 10),
    "link-to-a-device": (partial(_link, "/dev/zero"), 10),
}


def _put(path: Path, data: bytes) -> None:
    """As programs replace a file: whole, by a rename."""
    other = path.with_name("other")
    other.write_bytes(data)
    other.rename(path)


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files(pool: Pool, tmp_path: Path, case: str) -> None:
    """The weight follows what can be read, nothing waits, and a good number counts again."""
    path = tmp_path / "f"
    check = follow(path, pool, "2")
    spoil, weight = HOSTILE[case]
    pool.start(virtual(real(1, check), real(2)))
    spoil(path)
    for _ in range(4):
        pool.reactor.run_for(SECOND)  # what no event tells is looked at once a second
    pool.until(lambda: pool.pool()["10.0.0.1:80"] == weight)
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    _put(path, b"4")
    pool.until(lambda: pool.pool()["10.0.0.1:80"] == 22)


# BFD_CHECK


def test_a_session_takes_the_server_out_and_in(pool: Pool) -> None:
    service = pool.start(virtual(real(1, BfdCheck(name="b")), real(2, BfdCheck(name="b", alpha=True)), real(3)))
    assert pool.pool() == {"10.0.0.1:80": 10, "10.0.0.3:80": 10}
    lines = pool.lines()
    assert lines.count("Activating BFD healthchecker") == 1
    assert "BFD_CHECK b: there is no BFD process yet, servers stay as they start" in lines
    service.bfd_changed("b", up=False)
    assert pool.lines() == [
        f"BFD check of [b] RS({rs(1)}) is DOWN",
        f"Removing service {rs(1)} from VS {VS}",
        f"BFD check of [b] RS({rs(2)}) is DOWN",
    ]
    service.bfd_changed("other", up=True)
    service.bfd_changed("b", up=False)
    assert pool.lines() == []
    service.bfd_changed("b", up=True)
    assert pool.pool() == {"10.0.0.1:80": 10, "10.0.0.2:80": 10, "10.0.0.3:80": 10}


def test_a_session_that_was_told_is_known_after_a_reload(pool: Pool) -> None:
    service = pool.start(virtual(real(1, BfdCheck(name="b"))))
    service.bfd_changed("b", up=False)
    pool.reload(virtual(real(1, BfdCheck(name="b")), real(2, BfdCheck(name="b"))))
    assert pool.pool() == {}
    service.bfd_changed("b", up=True)
    assert pool.pool() == {"10.0.0.1:80": 10, "10.0.0.2:80": 10}


def test_a_fault_at_one_server_costs_no_other_that_follows_the_same(pool: Pool, tmp_path: Path) -> None:
    """Nobody would tell them again until the file or the session changes."""
    path = tmp_path / "f"
    check, session = follow(path, pool, "2"), BfdCheck(name="b")
    service = pool.start(virtual(*(real(last, check, session) for last in (1, 2, 3))))

    def fail_once() -> None:
        def fail() -> None:
            undo.undo()
            raise RuntimeError

        undo = pytest.MonkeyPatch()
        undo.setattr(service._kernel_table, "pump", fail)

    fail_once()
    path.write_text("5")
    with pytest.raises(RuntimeError):
        pool.until(lambda: False)
    pool.reactor.run_for(0)
    assert pool.pool() == {f"10.0.0.{last}:80": 25 for last in (1, 2, 3)}
    fail_once()
    service.bfd_changed("b", up=False)
    with pytest.raises(RuntimeError):
        pool.reactor.run_for(0)
    assert pool.pool() == {}


# what is remembered


def test_every_check_remembers(pool: Pool, tmp_path: Path) -> None:
    tcp = TcpCheck(Target(ip_address("127.0.0.1"), 1), TIMING)
    check = follow(tmp_path / "f", pool, "2")
    service = pool.start(virtual(real(1, tcp, misc(), check, BfdCheck(name="b"))))
    began = pool.reactor.now()
    pool.reactor.run_for(2 * SECOND)
    pool.scripts.end(1, 3)
    reports = service.reports()
    assert [(each.check, each.up, each.result) for each in reports] == [
        ("TCP_CHECK", False, "failed: connection: Connection refused"),
        ("MISC_CHECK", False, "failed (exited with status 3)"),
        ("FILE_CHECK", True, "track_file f says 2: weight +6"),
        ("BFD_CHECK", True, "not run yet"),
    ]
    assert {(each.real_server, each.virtual_server) for each in reports} == {(rs(1), VS)}
    for each in reports[:2]:
        assert each.last_run_at is not None
        assert 0 <= each.last_run_at - began - SECOND < SECOND // 10
        assert each.due_at is not None
        assert 0 <= each.due_at - each.last_run_at - 10 * SECOND < SECOND // 10
    assert reports[1].duration > SECOND // 2


def test_a_check_that_lost_its_alarm_is_an_alarm_and_goes_on(pool: Pool) -> None:
    web = pool.web()
    tcp = TcpCheck(Target(ip_address("127.0.0.1"), web.port), TIMING)
    service = pool.start(virtual(real(1, tcp)))
    pool.reactor.run_for(2 * SECOND)
    pool.lines()
    [served] = service._served.values()
    [run] = served.all_runs()
    run.woken_at = None  # type: ignore[union-attr]  # as a fault of ours would
    pool.reactor.run_for(30 * SECOND)
    lines = pool.lines()
    assert lines[0].startswith(f"TCP_CHECK of service {rs(1)} for VS {VS} is overdue: its next run is 1")
    assert lines[1:] == [f"TCP_CHECK of service {rs(1)} for VS {VS} is not overdue any more"]
    assert web.accepted >= 2
    web.close()


def test_what_fails_while_the_process_stood_still_is_tried_again_first(pool: Pool) -> None:
    """A response that did not come in time because nobody looked."""
    web = pool.web()
    tcp = TcpCheck(Target(ip_address("127.0.0.1"), web.port), TIMING)
    service = pool.start(virtual(real(1, tcp)))
    pool.reactor.run_for(SECOND - 1)
    [served] = service._served.values()
    [run] = served.all_runs()
    run.checker.handle(Tick(), pool.reactor.now() + 1)  # type: ignore[union-attr]  # it has begun
    pool.reactor.time += 600 * SECOND
    pool.reactor._on_stall(600 * SECOND)  # type: ignore[misc]
    run.wake()  # type: ignore[union-attr]
    pool.reactor.run_for(SECOND)
    lines = pool.lines()
    assert any("stood still for 600 s" in line for line in lines)
    assert not any("failed" in line or "Removing" in line for line in lines)
    assert f"TCP connection to [127.0.0.1]:tcp:{web.port} success." in lines
    web.close()
