"""A block like one before is not read again, and nobody can tell."""

import pytest

from pykeepalived.config import load as loading
from pykeepalived.config.blocks.checkers import TcpCheck
from pykeepalived.config.load import LoadOptions, load
from tests.config.machine import Machine
from tests.config.reading import PATH

SERVER = """virtual_server 10.9.0.{vs} 80 {{
    lvs_sched rr
    lvs_method NAT
    protocol TCP
    real_server 10.0.0.1 {port} {{
        weight {weight}
        {more}
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
}}
"""


def _file(*, weight: str = "1", more: str = "", count: int = 3) -> str:
    return "".join(
        SERVER.format(vs=number, port=80 + number, weight=weight, more=more) for number in range(1, count + 1)
    )


def _both(text: str) -> tuple[loading.Loaded, loading.Loaded]:
    """With blocks recalled, and with each read."""
    quick = load(PATH, Machine({PATH: text}), LoadOptions(lint=True))
    whole, _ = loading._load(PATH, Machine({PATH: text}), LoadOptions(lint=True), remember=False)
    return quick, whole


TEXTS = {
    "sound": _file(),
    "a value is wrong": _file(weight="-1"),
    "an unknown word": _file(more="wieght 2"),
    "wrong where blocks are resolved": _file(more="lvs_method TUN type gue"),
    "not effective": _file(more="smtp_alert"),
    "advice": _file().replace("connect_timeout 3", "connect_timeout 3\n delay_loop 2"),
    "a definition in the middle": "$X=7\n" + _file(weight="${X}"),
    "a comment in the middle": _file(more="# nothing"),
    "an include in the middle": _file(more="include /no_such_file"),
    "a tracked file defined behind the first use": _file(more="FILE_CHECK {\n track_file f\n}").replace(
        "virtual_server 10.9.0.2", "track_file f {\n file /run/f\n}\nvirtual_server 10.9.0.2"
    ),
    "a brace too many": _file(more="}"),
    "a brace is missing": _file().replace("        }\n", "", 1),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_comes_of_a_file_is_the_same(name: str) -> None:
    quick, whole = _both(TEXTS[name])
    assert quick == whole


def test_blocks_are_recalled() -> None:
    loaded, recalled = loading._load(PATH, Machine({PATH: _file(count=50)}), LoadOptions(), remember=True)
    assert loaded.exit_code == 0
    assert {line for _, line in recalled} == set(range(5, 13))
    servers = [each for server in loaded.configuration.virtual_server for each in server.real_server]
    ports = [each.target.connect_port for server in servers for each in server.checkers if isinstance(each, TcpCheck)]
    assert ports == list(range(81, 131))


def test_a_mistake_is_told_at_every_place() -> None:
    loaded = load(PATH, Machine({PATH: _file(weight="-1")}), LoadOptions())
    assert [each.span.line for each in loaded.diagnostics if each.span] == [6, 18, 30]
