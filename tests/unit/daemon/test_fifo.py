"""Notify FIFOs and their readers: which process has which, and what a reload changes."""

from pathlib import Path

import pytest

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import Service, VirtualServer
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET
from pykeepalived.config.load import Loaded
from pykeepalived.daemon import assemble
from pykeepalived.daemon.fifo import NotifyFifos
from tests.support.fakes_vrrp import FakeJournal, FakeScripts

READER, OTHER = Script(("/reader",)), Script(("/other",))
DEFS = GlobalDefs()
SERVER = VirtualServer(service=Service("fwmark", None, 0, 0, 7, AF_INET))


def made() -> tuple[NotifyFifos, FakeJournal, FakeScripts]:
    journal, scripts = FakeJournal(), FakeScripts()
    return NotifyFifos(journal, scripts), journal, scripts


def test_each_reader_is_started_once_with_its_path(tmp_path: Path) -> None:
    fifos, journal, scripts = made()
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    fifos.replace({one: READER, two: None, None: None}, DEFS)
    fifos.replace({one: READER, two: None}, DEFS)
    assert [(script, arguments) for script, arguments, _ in scripts.ran] == [(READER, (one,))]
    with Path(one).open("rb", buffering=0) as first, Path(two).open("rb", buffering=0) as second:
        fifos.write("VS FWM 7 UP")
        assert first.read(100) == second.read(100) == b"VS FWM 7 UP\n"
    fifos.close()
    assert not list(tmp_path.iterdir())
    assert journal.lines == []


def test_a_reload_moves_to_another_path_and_keeps_what_stays(tmp_path: Path) -> None:
    fifos, _, scripts = made()
    one, two, three = (str(tmp_path / name) for name in ("one", "two", "three"))
    fifos.replace({one: READER, two: None}, DEFS)
    with Path(two).open("rb", buffering=0) as reader:
        fifos.replace({three: READER, two: None}, DEFS)
        fifos.write("x")
        assert reader.read(100) == b"x\n"
    assert not Path(one).exists()
    assert Path(three).is_fifo()
    assert [arguments for _, arguments, _ in scripts.ran] == [(one,), (three,)]


def test_another_reader_of_the_same_path_is_said(tmp_path: Path) -> None:
    fifos, journal, scripts = made()
    path = str(tmp_path / "one")
    fifos.replace({path: READER}, DEFS)
    fifos.replace({path: OTHER}, DEFS)
    assert len(scripts.ran) == 1
    assert journal.texts() == [f"The reader of {path} goes on: another one takes a restart, or another path"]


@pytest.mark.parametrize(
    ("servers", "check", "all_roles", "starts"),
    [
        ((), True, False, True),  # no checker process
        ((SERVER,), True, False, False),
        ((SERVER,), False, False, True),  # -P
        ((), True, True, False),  # --all
    ],
)
def test_the_global_reader_is_the_checkers_where_they_run(
    servers: tuple[VirtualServer, ...], check: bool, all_roles: bool, starts: bool
) -> None:
    configuration = Configuration(
        global_defs=GlobalDefs(notify_fifo="/run/f", notify_fifo_script=READER), virtual_server=servers
    )
    compiled = assemble.compiled(Loaded(configuration, (), 0), with_frames=False, check=check, all_roles=all_roles)
    part = compiled.parts["vrrp"]
    assert isinstance(part, Configuration)
    assert part.global_defs.notify_fifo == "/run/f"
    assert (part.global_defs.notify_fifo_script is not None) is starts
    assert READER in compiled.outcome.scripts
