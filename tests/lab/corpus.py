"""The files of the corpus that both daemons play in the lab, and what is made of their text, in memory alone.

`corpus.txt` names them, chosen so that every scheduler, flag, forwarding method, kind of service and checker of the
corpus is met; beside each stands the file that it is reloaded with.
"""

import csv
import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.config.diagnostics import Diagnostic
from pykeepalived.config.kinds import AF_INET, Problem
from pykeepalived.config.load import Loaded, LoadOptions, load
from pykeepalived.lvs.fronts import fronts
from tests.config.machine import Machine
from tests.lab.world import Target, targets

FOLDER = os.environ.get("PYKEEPALIVED_CORPUS", "")
LIST = Path(__file__).with_name("corpus.txt")
PATH = "/etc/keepalived/keepalived.conf"
NEVER = "1000000000"
"""Seconds between checks that are not to be judged."""
MANY_PROGRAMS = 30
"""To start one costs a guest some hundredths of a second, for a page that is copied costs it 0.1 ms."""
BEFORE = "global_defs {\n    script_user root\n}\n"
ADDED = "\nchild_wait_time 60\nglobal_defs {\n    lvs_notify_fifo FOLDER/fifo root\n}\n"

_OPENED = re.compile(r"^[ \t]*virtual_server[ \t][^{\n]*\{[ \t]*$", re.MULTILINE)
_PERIOD = re.compile(r"\b(delay_loop|warmup)[ \t]+[^\s}]+")
_PATIENCE = re.compile(r"\b(delay_before_retry|connect_timeout)[ \t]+[^\s}]+")
_MISC_TIMEOUT = re.compile(r"\bmisc_timeout[ \t]+[^\s}]+")
_MISC_CHECK = re.compile(r"^[ \t]*MISC_CHECK[ \t]*\{[ \t]*$", re.MULTILINE)
_SCRIPT_USER = re.compile(r"^([ \t]*script_user)[ \t].*$", re.MULTILINE)
_ALPHA = re.compile(r"^[ \t]*alpha\b", re.MULTILINE)
_MISC_PATH = re.compile(r"\b(misc_path[ \t]+\"?)([^\"\s]+)")
_WEIGHT = re.compile(r"\bweight[ \t]+(\d+)")
_OF_GROUP = re.compile(r"^[ \t]*virtual_server[ \t]+group[ \t]", re.MULTILINE)
_TWICE = re.compile(r"Virtual server \[.*\]:\d+ is defined twice, the first is used")
_DRAINED = re.compile(r"\b(quorum|hysteresis) ")
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
    found = {word for word in (row["interfaces"] or "").split(",") if re.fullmatch(r"[\w.-]{1,15}", word)}
    if (daemon := _load(text(name), tuple(found)).configuration.global_defs.lvs_sync_daemon) is not None:
        found.add(daemon.interface)
    return tuple(sorted(found))


@cache
def text(name: str) -> str:
    """A file, with a notify FIFO if it has none, and time to stop in a slow guest. Scripts are root's.

    Alpha servers whose check script is missing, and virtual servers that want what another has, are stories of their
    own: here it is another script, and the first of such virtual servers is alone.
    """
    data = (Path(FOLDER) / f"{name}.conf").read_text(encoding="utf-8", errors="surrogateescape")
    data = _each_its_own(BEFORE + _SCRIPT_USER.sub(r"\1 root", data))
    if _ALPHA.search(data):
        data = _MISC_PATH.sub(lambda found: found[0] if Path(found[2]).exists() else f"{found[1]}/bin/true", data)
    return data if "notify_fifo" in data else data + ADDED


def unjudged(config: str) -> str:
    """The same, whose checks are never due: but keepalived waits 8,590 s at most before the first one, and of hundreds
    one may be due within seconds.
    """
    return _paced(config, NEVER, NEVER)


def judged(config: str) -> str:
    """The same, whose checks are due at once and every second, or so that the guest has time for all programs."""
    many = len(_MISC_CHECK.findall(config)) > MANY_PROGRAMS
    return _hurried(_paced(config, "30" if many else "1", "0"))


def at_rest(config: str) -> str:
    """The same as `judged`, but that no check is due any more."""
    return _hurried(_paced(config, NEVER, NEVER))


def derived(config: str, names: tuple[str, ...]) -> str:
    """The same with another weight, a service more, and a server less unless that would be a mistake."""
    changed = _WEIGHT.sub(lambda found: f"weight {int(found[1]) + 1}", config, count=1) + _ADDED_SERVICE
    shorter = _without_last_server(changed.removesuffix(_ADDED_SERVICE)) + _ADDED_SERVICE
    return shorter if _mistakes(shorter, names) <= _mistakes(config, names) else changed


def serving(config: str, names: tuple[str, ...]) -> list[Target]:
    """The servers that answer: every second one of those that are checked."""
    return targets(_load(config, names).configuration)[::2]


def _each_its_own(config: str) -> str:
    """The same without virtual servers that want what another has."""
    if not _OF_GROUP.search(config):
        return config
    spans = [each.span for each in _load(config, ()).diagnostics if _TWICE.fullmatch(each.message)]
    lines = config.splitlines(keepends=True)
    for place in sorted((sum(map(len, lines[: span.line - 1])) for span in spans if span is not None), reverse=True):
        config = _without_block(config, place)
    configuration = _load(config, ()).configuration
    servers, groups = configuration.virtual_server, configuration.virtual_server_group
    late = [clash.server for clash in fronts(servers, groups)[1]] + _second_families([each.service for each in servers])
    for place in sorted((_header(config, service) for service in late), reverse=True):
        config = _without_block(config, place)
    return config


def _second_families(services: list[Service]) -> list[Service]:
    """Those of IPv6 that share marks with one of IPv4 before them."""
    first: dict[str, int] = {}
    marks = [each for each in services if each.kind == "group" and not each.protocol]
    return [each for each in marks if first.setdefault(each.name, each.family) == AF_INET != each.family]


def _header(config: str, service: Service) -> int:
    """Where the block of a virtual server begins."""
    about = f"group {service.name}" if service.kind == "group" else f"{service.address} {service.port}"
    pattern = r"^[ \t]*virtual_server[ \t]+" + re.escape(about).replace("\\ ", r"[ \t]+") + r"[ \t]*\{"
    return [found.start() for found in re.finditer(pattern, config, re.MULTILINE)][service.number]


def _without_block(config: str, place: int) -> str:
    """Without the block that begins there."""
    end = _closed(config, config.index("{", place) + 1)
    return config if end is None else config[:place] + config[end:]


def _without_last_server(config: str) -> str:
    if len(opened := list(_SERVER.finditer(config))) < 2:
        return config
    end = _closed(config, opened[-1].end())
    return config if end is None else config[: opened[-1].start()] + config[end:]


def _mistakes(config: str, names: tuple[str, ...]) -> Counter[str]:
    """What a reload is refused for, unless the running file has it as well; and pools that are drained, which are
    stories of their own.
    """
    found = _load(config, names).diagnostics
    return Counter(each.message for each in found if each.severity == "error" or _is_drained(each))


def _is_drained(found: Diagnostic) -> bool:
    return found.problem is Problem.GENERAL_ERROR and _DRAINED.search(found.message) is not None


def _load(config: str, names: tuple[str, ...]) -> Loaded:
    return load(PATH, Machine({PATH: config.encode(errors="surrogateescape")}, names), LoadOptions())


def _hurried(config: str) -> str:
    return _MISC_CHECK.sub(r"\g<0>\nmisc_timeout 60", _MISC_TIMEOUT.sub("", _PATIENCE.sub(r"\1 1", config)))


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
