"""Dropping capabilities for good: as root, as an ordinary user, and as root of a user namespace."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.assemble import CHECKER
from pykeepalived.daemon.file_trackers import FileTrackers
from pykeepalived.daemon.frame import to_read_files
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.kernel.capabilities import Capability, effective, keep_only, no_new_privileges
from pykeepalived.kernel.processes import enter_network_namespace
from pykeepalived.kernel.tls import client_context
from tests.namespaces.veth_pair import veth_pair
from tests.support.fakes_vrrp import FakeJournal
from tests.support.hostile_servers import certificate
from tests.unit.kernel.forked import in_child

KEPT = frozenset({Capability.NET_ADMIN, Capability.NET_RAW})
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@needs_root
def test_only_the_kept_ones_remain_here_and_in_what_is_started() -> None:
    def work() -> str:
        keep_only(KEPT)
        told = subprocess.run(["grep", "-E", "^(Cap|NoNewPrivs)", "/proc/self/status"], capture_output=True, check=True)
        return told.stdout.decode()

    words = dict(line.split(":\t") for line in in_child(work).splitlines())
    only = f"{1 << 12 | 1 << 13:016x}"
    assert words == {
        "CapInh": "0" * 16,
        "CapPrm": only,  # a program of root has the bounding set
        "CapEff": only,
        "CapBnd": only,
        "CapAmb": "0" * 16,
        "NoNewPrivs": "1",
    }


@needs_root
def test_what_is_kept_works_and_what_is_not_is_refused() -> None:
    def work() -> str:
        keep_only(frozenset({Capability.NET_RAW}))
        socket.socket(socket.AF_INET, socket.SOCK_RAW, 112).close()
        with pytest.raises(PermissionError):
            os.setgid(1)
        with pytest.raises(PermissionError):
            os.chown("/", 1, 1)
        return f"{sorted(effective())} {no_new_privileges()}"

    assert in_child(work) == "[13] True"


@needs_root
@pytest.mark.parametrize(
    ("part", "told"), [(Configuration(), "Permission denied"), (Configuration(ssl=Ssl(key="/k")), "secret")]
)
def test_the_key_of_checks_may_be_another_users(part: Configuration, told: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    key.chmod(0o600)
    os.chown(key, 65534, 65534)

    def work() -> str:
        keep_only(CHECKER.capabilities | to_read_files(part))
        try:
            return key.read_text()
        except OSError as error:
            return str(error.strerror)

    assert in_child(work) == told


@needs_root
@pytest.mark.parametrize("gave_up", [True, False])
def test_what_first_comes_by_a_reload_and_cannot_be_read_is_told_with_its_remedy(
    tmp_path: Path, *, gave_up: bool
) -> None:
    """A start with such a file keeps what it takes; root's own files can always be read."""
    of_root, of_another = tmp_path / "root", tmp_path / "another"
    for file in (of_root, of_another):
        file.write_text("7")
        file.chmod(0o600)
    os.chown(of_another, 65534, 65534)
    files = [TrackedFile(name=file.name, file=str(file)) for file in (of_root, of_another)]
    certificate(tmp_path)
    key = Ssl(certificate=str(tmp_path / "certificate.pem"), key=str(tmp_path / "key.pem"))
    os.chown(tmp_path / "key.pem", 65534, 65534)
    (tmp_path / "key.pem").chmod(0o600)

    def work() -> str:
        keep_only(CHECKER.capabilities | to_read_files(Configuration(track_file=() if gave_up else tuple(files))))
        journal = FakeJournal()
        reactor = Reactor(lambda error: pytest.fail(repr(error)))
        trackers = FileTrackers(reactor, journal, lambda _name, _number: None)
        found = trackers.replace(files)
        trackers.stop()
        _, troubles = client_context(key)
        return json.dumps([found, journal.texts(), dict(troubles)])

    found, said, troubles = json.loads(in_child(work))
    remedy = (
        "Permission denied - other users' files take CAP_DAC_READ_SEARCH,"
        " which is kept when the daemon starts with such a file: restart it"
    )
    if gave_up:
        assert found == {"root": 7, "another": 0}
        assert said == [f"track_file another: {of_another} cannot be read, its number is 0: {remedy}"]
        assert troubles == {"key": remedy}
    else:
        assert (found, said, troubles) == ({"root": 7, "another": 7}, [], {})


@needs_root
def test_nothing_comes_back() -> None:
    def work() -> str:
        keep_only(frozenset())
        keep_only(KEPT)
        return str(sorted(effective()))

    assert in_child(work) == "[]"


@needs_root
def test_an_ordinary_user_has_none_to_lose() -> None:
    def work() -> str:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        keep_only(KEPT)
        return f"{sorted(effective())} {no_new_privileges()}"

    assert in_child(work) == "[] True"


def test_root_of_a_user_namespace_keeps_what_it_has_there() -> None:
    code = (
        "from pykeepalived.kernel.capabilities import *; import socket;"
        "keep_only(frozenset({Capability.NET_RAW, Capability.NET_ADMIN}));"
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 112);"
        "print(sorted(effective()), sorted(bounding()), no_new_privileges())"
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(f"needs user namespaces: {done.stderr.strip()}")
    assert done.stderr == ""
    assert done.stdout == "[12, 13] [12, 13] True\n"


@needs_root
def test_entering_a_named_network_namespace() -> None:
    with veth_pair() as (left, _):
        left.ip("link set eth0 name inside0")

        def work() -> str:
            enter_network_namespace(left.name)
            return ",".join(name for _, name in socket.if_nameindex())

        assert in_child(work) == "lo,inside0"
