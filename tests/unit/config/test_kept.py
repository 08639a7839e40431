"""A reading that keeps what the one before has read: nobody can tell, but by the time."""

import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pykeepalived.config import kept
from pykeepalived.config.configuration import Amendment, Configuration
from pykeepalived.config.effective import effective
from pykeepalived.config.kept import Memory, leave
from pykeepalived.config.load import Loaded, LoadOptions, load
from tests.config.machine import Machine
from tests.config.mutations import mutations
from tests.config.reading import PATH

INCLUDED = "/conf.d/more.conf"
SERVER = """virtual_server 10.9.0.{vs} 80 {{
    lvs_sched {sched}
    lvs_method NAT
    protocol TCP
    real_server 10.0.0.1 {port} {{
        weight 1
        {more}
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
    real_server 10.0.0.2 80 {{
    }}
}}
"""


def _server(number: int, *, sched: str = "rr", more: str = "") -> str:
    return SERVER.format(vs=number, port=80 + number, sched=sched, more=more)


def _file(count: int = 5, **changes: str) -> str:
    return "global_defs {\n  router_id r\n}\n" + "".join(_server(number, **changes) for number in range(1, count + 1))


class Reader:
    """Reads again and again, as a daemon does; each time it compares with a reading of the whole file."""

    def __init__(self) -> None:
        self.memory: Memory | None = None
        self.running = Configuration()
        self.kept = self.kept_inside = 0

    def read(self, text: str, more: str = "") -> Loaded:
        files = {PATH: text.encode("utf-8", "surrogateescape"), INCLUDED: more.encode("utf-8", "surrogateescape")}
        commands = ("/usr/bin/true",)
        whole = load(PATH, Machine(dict(files), commands=commands), LoadOptions())
        loaded = load(PATH, Machine(dict(files), commands=commands), LoadOptions(), self.memory)
        for name in ("diagnostics", "exit_code", "not_effective", "fatal", "files"):
            assert getattr(loaded, name) == getattr(whole, name), text
        wanted, said = effective(whole.configuration)
        part, part_said = effective(loaded.configuration)
        if loaded.reading is None or not loaded.reading.amends:
            assert (part, part_said) == (wanted, said)
        if loaded.reading is None:
            return loaded  # refused
        memory, runs, woven, schedulers = leave(loaded.reading, part.virtual_server)
        self.kept = sum(run.count for run in runs if run.first is not None)
        self.kept_inside = sum(run.count for each in woven for run in each.runs if run.first is not None)
        if loaded.reading.amends:
            assert part_said == said
            part = Amendment(part, runs, loaded.reading.memory.count, woven).applied(self.running)
        assert part == wanted, text
        assert {each.lvs_sched for each in wanted.virtual_server} >= set(schedulers)
        assert memory.count == len(wanted.virtual_server)
        self.memory, self.running = pickle.loads(pickle.dumps(memory)), part
        return loaded


@pytest.fixture(autouse=True, params=[64, 2])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """From how many real servers on each of them is looked at."""
    monkeypatch.setattr(kept, "_MANY", request.param)
    return int(request.param)


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_only_what_changed_is_read(reader: Reader) -> None:
    reader.read(_file())
    assert reader.kept == 0
    former = reader.running.virtual_server
    reader.read(_file().replace("real_server 10.0.0.1 83", "real_server 10.0.0.3 83"))
    assert reader.kept == 4
    same = [now is before for now, before in zip(reader.running.virtual_server, former, strict=True)]
    assert same == [True, True, False, True, True]


BIG = """virtual_server 10.9.1.1 80 {{
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  quorum {quorum}
  {servers}
  # the last
  sorry_server 10.1.1.1 80
}}
"""
REAL = """real_server 10.0.{} 80 {{
    weight {}
    TCP_CHECK {{
    }}
  }}"""


def _big(servers: dict[str, int], quorum: int = 1) -> str:
    return BIG.format(quorum=quorum, servers="\n  ".join(REAL.format(*each) for each in servers.items()))


def test_only_the_real_servers_that_changed_are_read(reader: Reader) -> None:
    servers = {f"0.{number}": 1 for number in range(100)}
    reader.read(_big(servers))
    before = reader.running.virtual_server[0].real_server
    reader.read(_big({**servers, "0.7": 2, "1.1": 1}))
    assert (reader.kept, reader.kept_inside) == (0, 99)
    same = [now is then for now, then in zip(reader.running.virtual_server[0].real_server, before, strict=False)]
    assert same == [number != 7 for number in range(100)]
    del servers["0.30"]
    reader.read(_file(2) + _big(servers))
    reader.read(_file(2) + _big(dict(reversed(servers.items()))))
    assert (reader.kept, reader.kept_inside) == (2, 99)
    reader.read(_big(servers))
    assert reader.kept_inside == 0  # global_defs is gone
    for changed in (
        _big(servers, quorum=99),  # around them
        _big(servers, quorum=100),
        _big({**servers, "00.1": 1}),
        _big({**servers, "0.1": 0}, quorum=99),
        _big(servers) + _big(servers),
        _big(servers).replace("weight 1", "wieght 1", 1),
        _big(servers).replace("  }\n  real", "  }\n  weight 5\n  real", 1),
        _big(servers).replace("    }\n  }\n", "    }\n   }\n   weight 7\n   real_server 10.0.5.5 80 {\n  }\n", 1),
        _big(servers).replace("    }\n  }\n", "    }\n   }\n}\n" + BIG.partition("  quo")[0].format(), 1),
        _big(servers).replace("  # the last", "  # the last of all"),
        _big(servers).replace("10.9.1.1 80", "10.9.1.1 81"),
        _big(servers).replace("virtual_server", " virtual_server"),
        _big({}),
    ):
        reader.read(_big(servers))
        reader.read(changed)


def test_blocks_may_move_come_and_go(reader: Reader) -> None:
    reader.read(_file())
    blocks = [_server(number) for number in (4, 2, 7, 1)]
    reader.read("# a comment\n\n" + "\n".join(blocks))
    assert reader.kept == 0  # the settings are others
    reader.read("# another\n\n\n" + "# x\n".join(reversed(blocks)) + _server(9))
    assert reader.kept == 4
    reader.read("".join(blocks), more=_server(9))
    assert reader.kept == 4


def test_a_file_that_is_included(reader: Reader) -> None:
    include = f"include {INCLUDED}\n"
    reader.read(_file() + include + _server(20), more=_server(10) + _server(11))
    reader.read(_server(21) + "\n" + _file() + include + _server(20), more=_server(11) + _server(12))
    assert reader.kept == 7


def test_every_diagnostic_is_at_its_place(reader: Reader) -> None:
    text = _file() + _server(6, more="uthreshold 1\nlthreshold 2") + _server(7)
    reader.read(text)
    loaded = reader.read("\n" + text)
    assert reader.kept == 6
    assert len([each for each in loaded.diagnostics if each.span and each.span.line > 3]) == 1


CHANGES: dict[str, Callable[[str], str]] = {
    "a setting": lambda text: text.replace("router_id r", "router_id s"),
    "a setting for checkers": lambda text: text.replace("router_id r", "checker_log_all_failures"),
    "a second of the same": lambda text: text + _server(3),
    "a second of the same service": lambda text: text + _server(3, sched="wrr"),
    "the same service before": lambda text: _server(3, sched="wrr") + text,
    "a mistake": lambda text: text + _server(8, more="weight -1"),
    "an unknown word": lambda text: text + _server(8, more="wieght 1"),
    "a warning": lambda text: text + _server(8, more="uthreshold 1\nlthreshold 2"),
    "a brace is missing above": lambda text: text.replace("router_id r\n}", "router_id r"),
    "a brace too many above": lambda text: text.replace("router_id r\n}", "router_id r\n}\n}"),
    "a definition around": lambda text: text.replace("  router_id r\n}\n", "  router_id r\n}\n$X= \\\n"),
    "a quote above": lambda text: text.replace("router_id r", 'router_id "r'),
    "an unknown block around": lambda text: "no_such_block {\n" + text + "}\n",
    "an unknown word above": lambda text: "no_such_word\n" + text,
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "a NUL": lambda text: text + "\x00\n",
    "a byte order mark": lambda text: "\ufeff" + text,
    "no end of line": lambda text: text.rstrip("\n"),
    "a long line": lambda text: text + "#" * 2000 + "\n",
    "nothing": lambda text: text,
    "nothing is left": lambda text: text[:0],
    "a keyword that is not effective yet": lambda text: text + _server(8, more="snmp_name x"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of(name: str, reader: Reader) -> None:
    reader.read(_file())
    reader.read(CHANGES[name](_file()))
    reader.read(_file())
    reader.read(CHANGES[name](_file()))


@pytest.mark.parametrize(
    "more",
    [
        "notify_up /usr/bin/true",
        "MISC_CHECK {\n misc_path /usr/bin/true\n}",
        "FILE_CHECK {\n track_file f\n}",
        "snmp_name x",
        "uthreshold 1\nlthreshold 2",
        "# a comment",
        'HTTP_GET {\n url {\n path "/"\n status_code 200\n}\n}',
    ],
)
def test_blocks_that_ask_for_more_than_themselves(more: str, reader: Reader) -> None:
    first = "track_file f {\n  file /run/f\n}\n"
    reader.read(first + _file(more=more))
    reader.read(first + "\n" + _file(more=more) + _server(9))
    reader.read(_file(more=more) + _server(9))
    reader.read(_server(2) + _file(1, more=more))


CORPUS = os.environ.get("PYKEEPALIVED_CORPUS", "")


@pytest.mark.skipif(not CORPUS, reason="PYKEEPALIVED_CORPUS is not set: no corpus of configuration files")
@pytest.mark.long
def test_files_of_the_world_edited_and_joined() -> None:
    """Each with lines before it, each edited, each with virtual servers of another."""
    dice = random.Random(7)
    texts = [each.read_bytes().decode("utf-8", "surrogateescape") for each in sorted(Path(CORPUS).glob("*.conf"))]
    balancing = [text for text in texts if "\nvirtual_server " in text]
    total = 0
    for text in balancing:
        reader = Reader()
        other = dice.choice(balancing)
        for now in (text, "\n" + text, _edit(text, dice), text + other, other + "\n" + text, text):
            reader.read(now)
            total += reader.kept + reader.kept_inside
    assert len(balancing) > 50
    assert total > 20


def _edit(text: str, dice: random.Random) -> str:
    """What an operator does, or an accident."""
    if dice.random() < 0.25:
        return next(mutations([text], dice.randrange(1 << 30), 1))
    blocks = text.split("virtual_server ")
    at = dice.randrange(len(blocks))
    match dice.randrange(6):
        case 0:
            blocks.insert(at, f"10.9.1.{dice.randrange(9)} 80 {{\n" + _server(1).partition("{\n")[2])
        case 1 if at:
            del blocks[at]
        case 2:
            dice.shuffle(blocks[1:])
        case 3:
            blocks[at] = blocks[at].replace("weight 1", f"weight {dice.randrange(9)}")
        case 4:
            blocks[at] += dice.choice(("\n", "# more\n", "vrrp_script x {\n script /usr/bin/true\n}\n", "! x\n"))
        case _:
            blocks[at] = blocks[at].replace("10.0.0.1", f"10.0.0.{dice.randrange(256)}")
    return "virtual_server ".join(blocks)


def _edits(seed: int, count: int, lives: int) -> int:
    """How many blocks were kept, in all."""
    dice = random.Random(seed)
    total = 0
    for _ in range(lives):
        reader = Reader()
        good = (
            _file(6) + _big({f"0.{number}": 1 for number in range(6)}) + f"include {INCLUDED}\n",
            _server(10) + _server(11),
        )
        reader.read(*good)
        for _ in range(count):
            text, more = good
            now = (_edit(text, dice), more) if dice.random() < 0.8 else (text, _edit(more, dice))
            if reader.read(*now).reading is not None:
                good = now
                total += reader.kept + reader.kept_inside
    return total


def test_random_edits() -> None:
    assert _edits(seed=1, count=8, lives=12) > 100


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_random_edits(seed: int) -> None:
    assert _edits(seed, count=12, lives=400) > 3000
