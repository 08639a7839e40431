"""The example files: sound on the machines they are for, on both nodes, and without anything to advise."""

from pathlib import Path

import pytest

from pykeepalived.config.load import Loaded, LoadOptions, load
from tests.config.machine import Machine

FOLDER = Path(__file__).parents[3] / "etc"
EXAMPLES = sorted(FOLDER.glob("*.example"))
OTHERS_WORDS = {"150": "100", "director1": "director2", "node1": "node2", "router1": "router2"}


def _second(text: str) -> str:
    """The file of the second node: the lines marked (*) differ."""
    return "".join(_of_second(line) if "# (*)" in line else line for line in text.splitlines(keepends=True))


def _of_second(line: str) -> str:
    setting, mark, remark = line.partition("#")
    keyword, word = setting.split()
    return f"{keyword} {OTHERS_WORDS[word]} {mark}{remark}"


def _read(text: str, peer: str) -> Loaded:
    machine = Machine({"/conf": text, "/peer": peer}, commands=("/usr/bin/curl",))
    machine.interface_addresses = {"eth0": ("10.9.0.1/24",), "eth1": ("192.0.2.2/24",)}
    return load("/conf", machine, LoadOptions(lint=True, peers=("/peer",)))


def test_there_are_examples() -> None:
    assert {each.name for each in EXAMPLES} >= {
        "keepalived.conf.example",
        "keepalived.conf.haproxy.example",
        "keepalived.conf.routers.example",
    }


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_is_sound_on_both_nodes(file: Path) -> None:
    first = file.read_text("utf-8")
    second = _second(first)
    assert second.count("100") > first.count("100")
    for mine, other in ((first, second), (second, first)):
        loaded = _read(mine, other)
        assert not loaded.diagnostics
        assert loaded.exit_code == 0
        assert loaded.configuration.vrrp_instance
    damaged = first.replace("virtual_router_id", "virtual_ruoter_id", 1)
    assert _read(damaged, second).diagnostics, "a mistake would be seen"
