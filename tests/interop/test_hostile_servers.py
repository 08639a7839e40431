"""keepalived's own verdicts on the hostile servers: ours are expected to be the same, but for those that are told."""

import time
from pathlib import Path

import pytest

from benchmarks.checkers import without_ipvs
from tests.support import hostile_expected, hostile_servers, keepalived, netns
from tests.support.director import Director

MISSING = netns.why_not() or keepalived.why_not()
pytestmark = [pytest.mark.long, pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]

TIMING = "retry 0\nlog_all_failures\ndelay_loop 3\nconnect_timeout 2\nwarmup 0\n"
LINES = hostile_expected.lines()
COMPARED = sorted(set(LINES) - set(hostile_expected.OTHERWISE))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What keepalived says until it has judged all that it is compared on."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with netns.Network() as network:
        host = network.host("checker")
        make = without_ipvs(keepalived.make(), folder)
        with (
            hostile_servers.serving(host),
            Director(host, make, folder / "daemon", hostile_servers.config(TIMING), options=["-C", "-D"]) as director,
        ):
            director.start()
            end_at = time.monotonic() + 60
            while not all(_judged(text := _text(director), name) for name in COMPARED) and time.monotonic() < end_at:
                time.sleep(0.2)
            return text


def _text(director: Director) -> str:
    return director.log_file.read_text(errors="replace")


def _judged(text: str, name: str) -> bool:
    return _line(name) in text


def _line(name: str) -> str:
    address, port = hostile_servers.address(name), hostile_servers.PORT
    there = f"[{address}]:{port}" if LINES[name].startswith("SMTP_CHECK") else f"[{address}]:tcp:{port}"
    return LINES[name].format(there)


@pytest.mark.parametrize("name", COMPARED)
def test_keepalived_says_the_same(log: str, name: str) -> None:
    address = f"[{hostile_servers.address(name)}]"
    said = [line.partition(": ")[2] for line in log.splitlines() if address in line]
    told = [line for line in said if not line.startswith(("http_check for ", "Activating "))]
    assert told[:1] == [_line(name)]


def test_what_is_otherwise_is_some_of_it() -> None:
    assert set(hostile_expected.OTHERWISE) < set(LINES)
    assert len(COMPARED) > 200
