"""The files of the corpus that both daemons play in the lab, and what is made of their text, in memory alone.

`corpus.txt` names them, chosen so that every scheduler, flag, forwarding method, kind of service and checker of the
corpus is met; beside each stands the file that it is reloaded with.
"""

import csv
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pykeepalived.config.load import LoadOptions, load
from tests.config.machine import Machine
from tests.lab.world import Target, targets

FOLDER = os.environ.get("PYKEEPALIVED_CORPUS", "")
LIST = Path(__file__).with_name("corpus.txt")
PATH = "/etc/keepalived/keepalived.conf"
NEVER = "1000000000"
"""Seconds between checks that are not to be judged."""
ADDED = "\nchild_wait_time 60\nglobal_defs {\n    lvs_notify_fifo FOLDER/fifo\n}\n"

_OPENED = re.compile(r"^[ \t]*virtual_server[ \t][^{\n]*\{[ \t]*$", re.MULTILINE)
_PERIOD = re.compile(r"\b(delay_loop|warmup)[ \t]+[^\s}]+")
_PATIENCE = re.compile(r"\b(delay_before_retry|connect_timeout|misc_timeout)[ \t]+[^\s}]+")
_WEIGHT = re.compile(r"\bweight[ \t]+(\d+)")
_SERVER = re.compile(r"^[ \t]*real_server[ \t][^{\n]*\{", re.MULTILINE)
_ADDED_SERVICE = """
virtual_server 198.51.100.77 8077 {
    delay_loop 1000000000
    lvs_sched wrr
    lvs_method DR
    protocol TCP
    real_server 198.51.100.78 8077 {
        weight 7
    }
}
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the list."""

    name: str
    second: str
    """The file that it is reloaded with."""


def entries() -> list[Entry]:
    """The list, in its order."""
    lines = (line.partition("#")[0].split() for line in LIST.read_text(encoding="utf-8").splitlines())
    return [Entry(*words) for words in lines if words]


def interfaces(name: str) -> tuple[str, ...]:
    """The interfaces that a file needs, as far as they can be made."""
    with (Path(FOLDER) / "verdicts.tsv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file, delimiter="\t") if row["n"] == name)
    return tuple(word for word in (row["interfaces"] or "").split(",") if re.fullmatch(r"[\w.-]{1,15}", word))


def text(name: str) -> str:
    """A file, with a notify FIFO if it has none, and time to stop in a slow guest."""
    data = (Path(FOLDER) / f"{name}.conf").read_text(encoding="utf-8", errors="surrogateescape")
    return data if "notify_fifo" in data else data + ADDED


def unjudged(config: str) -> str:
    """The same, whose checks are never due."""
    return _paced(config, NEVER, NEVER)


def judged(config: str) -> str:
    """The same, whose checks are due at once and every second."""
    return _PATIENCE.sub(r"\1 1", _paced(config, "1", "0"))


def derived(config: str) -> str | None:
    """The same with another weight, a server less and a service more; None where nothing can be taken away."""
    changed = _WEIGHT.sub(lambda found: f"weight {int(found[1]) + 1}", config, count=1)
    if len(opened := list(_SERVER.finditer(changed))) < 2:
        return None
    begin = opened[-1].start()
    end = _closed(changed, opened[-1].end())
    return None if end is None else changed[:begin] + changed[end:] + _ADDED_SERVICE


def serving(config: str, names: tuple[str, ...]) -> list[Target]:
    """The servers that answer: every second one of those that are checked."""
    loaded = load(PATH, Machine({PATH: config.encode(errors="surrogateescape")}, names), LoadOptions())
    return targets(loaded.configuration)[::2] if loaded.configuration else []


def sound(config: str, names: tuple[str, ...]) -> bool:
    """Whether a reload with it is taken, and not refused for its mistakes."""
    loaded = load(PATH, Machine({PATH: config.encode(errors="surrogateescape")}, names), LoadOptions())
    return not any(each.severity == "error" for each in loaded.diagnostics)


def _paced(config: str, delay_loop: str, warmup: str) -> str:
    values = {"delay_loop": delay_loop, "warmup": warmup}
    paced = _PERIOD.sub(lambda found: f"{found[1]} {values[found[1]]}", config)
    return _OPENED.sub(lambda found: f"{found[0]}\n    delay_loop {delay_loop}\n    warmup {warmup}", paced)


def _closed(config: str, begin: int) -> int | None:
    """Where the block ends whose brace was opened just before."""
    depth = 1
    for place in range(begin, len(config)):
        depth += {"{": 1, "}": -1}.get(config[place], 0)
        if depth == 0:
            return place + 1
    return None
