"""A block like one before is not read again, and nobody can tell."""

import pytest

from pykeepalived.config import load as loading
from pykeepalived.config.blocks.checkers import TcpCheck
from pykeepalived.config.load import LoadOptions, load
from pykeepalived.units import SECOND
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
    "a virtual server begins with a wrong value": _file().replace("lvs_sched rr", "lvs_sched r"),
    "it begins with what is not effective": _file().replace("lvs_sched rr", "lvs_sched rr\nsmtp_alert"),
    "it begins with what is wrong beside its servers": _file().replace("lvs_sched rr", "lvs_sched rr\nquorum 9"),
    "it begins with a comment": _file().replace("lvs_sched rr", "# nothing\n\nlvs_sched rr\n\n"),
    "it begins behind a brace of its own": _file().replace(" 80 {", " 80\n{"),
    "a block in it begins behind a brace of its own": _file().replace(
        "protocol TCP", "protocol TCP\nreal_server ::1\n{\n}"
    ),
    "a brace where no block begins": _file().replace("protocol TCP", "protocol TCP\n{\n}"),
    "it goes on behind its servers": _file().replace("    }\n}\n", "    }\n    quorum 1\n}\n"),
    "it says behind its servers what it said": _file()
    .replace("lvs_sched rr", "lvs_sched rr\nquorum_up /bin/a")
    .replace("    }\n}\n", "    }\n    quorum_up /bin/b\n}\n"),
    "it goes on behind its servers, once": _file().replace("    }\n}\n", "    }\n    lvs_sched wrr\n}\n", 1),
    "it begins with an include": _file().replace("protocol TCP", "include /no_such_file\nprotocol TCP"),
    "its first lines are made": "$X=\\\nlvs_sched rr\\\nlvs_method DR\n" + _file().replace("    lvs_sched rr", "$X"),
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
    assert {line for _, line in recalled} == set(range(2, 13))
    servers = [each for server in loaded.configuration.virtual_server for each in server.real_server]
    ports = [each.target.connect_port for server in servers for each in server.checkers if isinstance(each, TcpCheck)]
    assert ports == list(range(81, 131))


def test_a_mistake_is_told_at_every_place() -> None:
    loaded = load(PATH, Machine({PATH: _file(weight="-1")}), LoadOptions())
    assert [each.span.line for each in loaded.diagnostics if each.span] == [6, 18, 30]


def test_each_has_its_own_where_they_differ() -> None:
    text = _file().replace("    }\n}\n", "    }\n    quorum 1\n    lvs_sched wrr\n    delay_loop 7\n}\n", 1)
    loaded = load(PATH, Machine({PATH: text}), LoadOptions())
    assert [each.lvs_sched for each in loaded.configuration.virtual_server] == ["wrr", "rr", "rr"]
    assert [each.delay_loop // SECOND for each in loaded.configuration.virtual_server] == [7, 60, 60]
    assert [each.span.line for each in loaded.diagnostics if each.span] == []


def test_a_second_use_names_the_line_of_the_first() -> None:
    text = _file().replace("lvs_sched rr", "lvs_sched rr\nvirtualhost a")
    text = text.replace("    }\n}\n", "    }\n\n    virtualhost b\n}\n")
    loaded = load(PATH, Machine({PATH: text}), LoadOptions())
    assert [each.hint for each in loaded.diagnostics] == [f"it is also set on line {line}" for line in (3, 18, 33)]
