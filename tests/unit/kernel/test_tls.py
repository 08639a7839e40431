"""The context of TLS checks: nothing is verified, and files that are no use are told by keyword."""

import resource
import ssl
from pathlib import Path

import pytest

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.kernel.surroundings import LinuxSurroundings
from pykeepalived.kernel.tls import client_context
from tests.config.machine import Machine
from tests.config.reading import read
from tests.support.hostile_servers import certificate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    certificate(made)
    return made


def test_servers_are_not_verified() -> None:
    context, troubles = client_context(None)
    assert (context.verify_mode, context.check_hostname, dict(troubles)) == (ssl.CERT_NONE, False, {})


def test_not_even_with_a_ca(folder: Path) -> None:
    """As observed of keepalived 2.2.7: it reads the file and verifies nothing."""
    context, troubles = client_context(Ssl(ca=str(folder / "certificate.pem")))
    assert (context.verify_mode, dict(troubles)) == (ssl.CERT_NONE, {})


@pytest.mark.parametrize(
    ("given", "trouble"),
    [
        ({"certificate": "certificate.pem", "key": "key.pem"}, {}),
        ({"certificate": "certificate.pem", "key": "locked.pem", "password": "secret"}, {}),
        ({"certificate": "certificate.pem"}, {}),
        ({"key": "key.pem"}, {}),
        ({"certificate": "certificate.pem", "key": "locked.pem", "password": "wrong"}, {"key": "password"}),
        ({"certificate": "certificate.pem", "key": "locked.pem"}, {"key": "password"}),
        ({"certificate": "certificate.pem", "key": "openssl.cnf"}, {"key": "no private key"}),
        ({"certificate": "none.pem", "key": "key.pem"}, {"certificate": "No such file or directory"}),
        ({"certificate": "openssl.cnf", "key": "key.pem"}, {"certificate": "no certificate"}),
        ({"ca": "none.pem"}, {"ca": "No such file or directory"}),
        ({"ca": "openssl.cnf"}, {"ca": "no certificate or crl found"}),
    ],
)
def test_what_cannot_be_used_is_told(folder: Path, given: dict[str, str], trouble: dict[str, str]) -> None:
    settings = {name: word if name == "password" else str(folder / word) for name, word in given.items()}
    troubles = LinuxSurroundings().tls_troubles(Ssl(**settings))
    assert set(troubles) == set(trouble)
    for name, reason in trouble.items():
        assert reason in troubles[name]


@pytest.mark.parametrize("given", [{"ca": "certificate.pem"}, {"certificate": "certificate.pem", "key": "key.pem"}])
def test_a_want_of_descriptors_is_no_trouble_of_the_files(folder: Path, given: dict[str, str]) -> None:
    """It passes; a context without them would stay."""
    settings = Ssl(**{keyword: str(folder / name) for keyword, name in given.items()})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            client_context(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert client_context(settings)[1] == {}


def test_the_loader_says_it_with_place_and_remedy() -> None:
    machine = Machine({})
    machine.tls = {"key": "bad decrypt"}
    loaded = read("SSL {\ncertificate /c.pem\nkey /k.pem\n}\n", machine=machine)
    (said,) = loaded.diagnostics
    assert said.message == "key /k.pem cannot be used: bad decrypt - checks go on without it"
    assert said.span is not None
    assert said.span.line == 3
    assert "PEM" in (said.hint or "")
    assert loaded.exit_code == 0


@pytest.mark.parametrize(("alone", "other"), [("certificate", "key"), ("key", "certificate")])
def test_one_is_nothing_without_the_other(alone: str, other: str) -> None:
    (said,) = read(f"SSL {{\n{alone} /x.pem\n}}\n").diagnostics
    assert said.message == f"{alone} does nothing without {other}"
