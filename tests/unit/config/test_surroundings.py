"""The Linux machine, and its fake twin: the same questions, the same kind of answers."""

import os
from pathlib import Path

import pytest

from pykeepalived.config.load import LoadOptions, load
from pykeepalived.config.surroundings import Surroundings, Unreadable
from pykeepalived.kernel.surroundings import LinuxSurroundings
from tests.config.machine import Machine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files."""
    (tmp_path / "a.conf").write_text("include b.conf\nglobal_defs { router_id ${_PWD} }")
    (tmp_path / "b.conf").write_text("$B=2\n")
    return tmp_path


@pytest.fixture(params=["linux", "fake"])
def machine(request: pytest.FixtureRequest, folder: Path) -> Surroundings:
    """Each of the twins, with the same files."""
    if request.param == "linux":
        return LinuxSurroundings()
    files = {str(path): path.read_text() for path in folder.iterdir()}
    return Machine(files, commands=("/bin/sh",))


def test_files(machine: Surroundings, folder: Path) -> None:
    assert machine.read_file(f"{folder}/b.conf") == b"$B=2\n"
    with pytest.raises(Unreadable) as raised:
        machine.read_file(f"{folder}/no.conf")
    assert raised.value.absent
    assert machine.glob(f"{folder}/?.conf") == [f"{folder}/a.conf", f"{folder}/b.conf"]
    assert machine.glob(f"{folder}/b.conf") == [f"{folder}/b.conf"]
    assert machine.glob(f"{folder}/no.conf") == []


def test_a_whole_load(machine: Surroundings, folder: Path) -> None:
    loaded = load(f"{folder}/a.conf", machine, LoadOptions())
    assert loaded.diagnostics == ()
    assert loaded.configuration.global_defs.router_id == str(folder)


def test_hosts_and_cpus(machine: Surroundings) -> None:
    assert machine.cpus() >= 1
    assert machine.host_known("localhost")
    assert not machine.host_known("no..such..name")


def test_users_interfaces_and_commands(machine: Surroundings) -> None:
    root = machine.user("root")
    assert root is not None
    assert root.uid == 0
    assert machine.user("no-such-user") is None
    assert machine.group("root") == 0
    assert machine.group("no-such-group") is None
    found = machine.interfaces(None)
    assert found is not None
    assert found["lo"].loopback
    assert machine.interfaces("no-such-namespace") is None
    script = machine.script("/bin/sh")
    assert script is not None
    assert script.elements[0].path == "/"
    assert script.elements[-1].kind == "file"
    assert script.elements[-1].mode & 0o111
    assert machine.script("/no/such") is None
    assert 3 <= machine.random(3, 5) <= 5
    assert machine.host_name()


def test_what_a_configuration_must_not_be(folder: Path) -> None:
    linux = LinuxSurroundings()
    (folder / "x.conf").write_text("x")
    (folder / "x.conf").chmod(0o755)
    os.mkfifo(folder / "fifo")
    for name, reason in (("x.conf", "executable"), ("", "directory"), ("fifo", "no regular file"), ("a\x00b", "name")):
        with pytest.raises(Unreadable) as raised:
            linux.read_file(f"{folder}/{name}")
        assert reason in raised.value.reason
        assert not raised.value.absent


@pytest.mark.parametrize("name", ["../..", ".", "", "a/b", "\x00"])
def test_namespaces_are_names(name: str) -> None:
    assert LinuxSurroundings().interfaces(name) is None


def test_a_script_behind_a_link_is_judged_where_it_lies(folder: Path) -> None:
    (folder / "s.sh").write_text("#!/bin/sh\n")
    (folder / "s.sh").chmod(0o755)
    (folder / "link").symlink_to(folder / "s.sh")
    found = LinuxSurroundings().script(f"{folder}/link")
    assert found is not None
    # run under its own name (Debian's pidof is a link to killall5), judged by what it leads to
    assert found.path == f"{folder}/link"
    assert found.elements[-1].path == f"{folder}/s.sh"


def test_every_folder_on_the_way_is_judged(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real" / "s.sh").write_text("#!/bin/sh\n")
    (folder / "real" / "s.sh").chmod(0o755)
    (folder / "links").mkdir()
    (folder / "links" / "link").symlink_to(folder / "real" / "s.sh")
    (folder / "short").symlink_to(folder / "links")
    found = LinuxSurroundings().script(f"{folder}/short/link")
    assert found is not None
    assert found.path == f"{folder}/links/link"
    paths = [each.path for each in found.elements]
    assert {"/", f"{folder}/links", f"{folder}/real"} <= set(paths)
    assert f"{folder}/short" not in paths


def test_who_may_read_a_file(machine: Surroundings, folder: Path) -> None:
    path = folder / "b.conf"
    path.chmod(0o640)
    if isinstance(machine, Machine):
        machine.modes[str(path)] = 0o640
    assert machine.mode(str(path)) == 0o640
    assert machine.mode(f"{folder}/no.conf") is None


def test_the_loopback_interface_has_no_driver(machine: Surroundings) -> None:
    found = machine.interfaces(None)
    assert found is not None
    assert (found["lo"].loopback, found["lo"].driver) == (True, "")


def test_names_of_iproute2_are_read_as_iproute2_reads_them(tmp_path: Path) -> None:
    (tmp_path / "rt_dsfield").write_text("# names\n0x28\tAF11 # one\n16 low\n  5 five\nx bad\n1 two words\n7 low\n")
    machine = LinuxSurroundings()
    assert machine.iproute_names(str(tmp_path), "rt_dsfield") == {"AF11": 0x28, "low": 16, "five": 5}
    assert machine.iproute_names(str(tmp_path), "rt_tables") == {}


def test_protocols_have_numbers(machine: Surroundings) -> None:
    assert machine.ip_protocol("tcp") == 6
    assert machine.ip_protocol("no-such-protocol") is None
