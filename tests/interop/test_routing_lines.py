"""keepalived judges lines of routes and rules: it complains about those we complain about, and ends where we say so.

The lines stand in ``routing_lines.txt``. One run of ``-t`` judges all of a block, for it names the lines; those that
lack a word, where it ends at once, are judged one by one. A program that complains of nothing, or of everything, fails.
"""

import re
import subprocess
from pathlib import Path

import pytest

from pykeepalived.config.kinds import Problem
from pykeepalived.kernel.surroundings import LinuxSurroundings
from tests.config.machine import Machine
from tests.config.reading import read
from tests.support import keepalived, netns

LINES = [
    line.split(" ", 1)
    for line in (Path(__file__).parent / "routing_lines.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
FILES = ("rt_tables", "rt_scopes", "rt_protos", "rt_realms", "rt_dsfield", "group")
NETWORK = (
    "ip link add eth0 type veth peer name eth1 && ip link set lo up && ip link set eth0 up && ip link set eth1 up && "
)
SILENT_LATER = "cannot track route"
"""2.2.7 counts a route without an interface as a mistake; 2.4.3 does not."""

pytestmark = pytest.mark.skipif(
    (netns.why_not() or keepalived.why_not()) is not None,
    reason=str(netns.why_not() or keepalived.why_not()),
)


def _machine() -> Machine:
    machine = Machine(interfaces=("eth0", "eth1"))
    asked = LinuxSurroundings()
    machine.iproute = {f"/etc/iproute2/{file}": dict(asked.iproute_names("/etc/iproute2", file)) for file in FILES}
    return machine


def _text(block: str, lines: list[str]) -> str:
    return "\n".join((f"{block} {{", *lines, "}", ""))


def _judged(text: str, folder: Path) -> tuple[int, list[str]]:
    """Keepalived's exit status, and what it says."""
    file = folder / "keepalived.conf"
    file.write_text(text, encoding="utf-8")
    command = f"{NETWORK} exec {keepalived.binary()} -t -f {file}"
    done = subprocess.run(["unshare", "-n", "sh", "-c", command], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


def _lacking(block: str) -> list[str]:
    """The lines that, as we say, end the reading."""
    machine = _machine()
    lines = [line for each, line in LINES if each == block]
    return [
        line
        for line in lines
        if any(each.problem is Problem.LACKS_WORD for each in read(_text(block, [line]), machine).diagnostics)
    ]


@pytest.mark.parametrize("block", ["static_routes", "static_rules"])
def test_keepalived_complains_about_the_same_lines(block: str, tmp_path: Path) -> None:
    lacking = _lacking(block)
    lines = [line for each, line in LINES if each == block and line not in lacking]
    status, said = _judged(_text(block, lines), tmp_path)
    assert status == 5
    theirs = {
        int(found[1]) for each in said if SILENT_LATER not in each and (found := re.search(r"Line (\d+)\)", each))
    }
    loaded = read(_text(block, lines), _machine())
    ours = {each.span.line for each in loaded.diagnostics if each.span is not None and each.problem is not None}
    assert sorted(lines[number - 2] for number in theirs ^ ours) == []
    assert len(lines) > 190
    assert 80 < len(ours) < len(lines) - 80


@pytest.mark.parametrize("block", ["static_routes", "static_rules"])
def test_keepalived_ends_where_a_word_is_lacking(block: str, tmp_path: Path) -> None:
    lacking = _lacking(block)
    assert len(lacking) >= 9
    assert [line for line in lacking if _judged(_text(block, [line]), tmp_path)[0] != 2] == []
