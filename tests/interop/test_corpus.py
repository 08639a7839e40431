"""keepalived's own verdicts on real files: what -t exits with, for each file of the corpus.

A file agrees when our status is that of 2.4.3, or that of 2.2.7 where the two builds differ by what they were built
with (SNMP, D-Bus, iptables). Files known to differ stand in ``corpus_differs.txt`` with the reason; the number that
agree may only rise.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from pykeepalived.config.load import LoadOptions, load
from tests.config.machine import Machine

PATH = "/etc/keepalived/keepalived.conf"
FOLDER = os.environ.get("PYKEEPALIVED_CORPUS", "")
AGREEING = 932
"""Of the verdicts, with the missing interfaces made and without. May only rise."""
NO_PARITY = frozenset({"124", "134", "139", "143"})
BUILD = ("dbus", "snmp", "enable_traps", "iptables", "ipsets")
COMMANDS = (
    *("/bin/bash", "/bin/pidof", "/bin/ping", "/bin/sh", "/bin/true", "/sbin/ip", "/sbin/ipvsadm"),
    *("/usr/bin/[", "/usr/bin/bash", "/usr/bin/curl", "/usr/bin/echo", "/usr/bin/killall", "/usr/bin/nc"),
    *("/usr/bin/nft", "/usr/bin/pgrep", "/usr/bin/pidof", "/usr/bin/ping", "/usr/bin/ps", "/usr/bin/python3"),
    *("/usr/bin/sh", "/usr/bin/sleep", "/usr/bin/test", "/usr/bin/true"),
)
"""What the machine of the verdicts had."""

pytestmark = pytest.mark.skipif(not FOLDER, reason="PYKEEPALIVED_CORPUS is not set: no corpus of configuration files")


@dataclass(frozen=True)
class Verdict:
    """One file in one setting."""

    name: str
    setting: str
    wanted: frozenset[str]
    got: str

    @property
    def agrees(self) -> bool:
        """Whether we exit as keepalived."""
        return self.got in self.wanted


def _verdicts() -> list[Verdict]:
    found = []
    folder = Path(FOLDER)
    with (folder / "verdicts.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        data = (folder / f"{row['n']}.conf").read_bytes()
        built_differently = any(word.encode() in data for word in BUILD)
        for setting, interfaces in (("rc_if", tuple((row["interfaces"] or "").split(","))), ("rc", ())):
            wanted = {row[f"{setting}_2.4.3"], *([row[setting]] if built_differently else [])} - NO_PARITY
            if row[f"{setting}_2.4.3"] in NO_PARITY:
                continue
            names = tuple(name for name in interfaces if name)
            loaded = load(PATH, Machine({PATH: data}, names, COMMANDS), LoadOptions())
            found.append(Verdict(row["n"], setting, frozenset(wanted), str(loaded.exit_code)))
    return found


def _known() -> set[tuple[str, str]]:
    lines = (Path(__file__).parent / "corpus_differs.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.partition("#")[0].split() for line in lines]
    return {(words[0], setting) for words in entries if words for setting in words[1:]}


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """Every verdict, ours beside keepalived's."""
    return _verdicts()


def test_no_file_differs_that_is_not_known_to(verdicts: list[Verdict]) -> None:
    differ = {(each.name, each.setting): each for each in verdicts if not each.agrees}
    news = sorted(differ.keys() - _known())
    assert news == [], [differ[each] for each in news]


def test_files_known_to_differ_still_do(verdicts: list[Verdict]) -> None:
    agree = {(each.name, each.setting) for each in verdicts if each.agrees}
    assert sorted(agree & _known()) == [], "they agree now: take them off the list and raise AGREEING"


def test_the_number_that_agree_only_rises(verdicts: list[Verdict]) -> None:
    agreeing = sum(each.agrees for each in verdicts)
    assert len(verdicts) > 900
    assert agreeing >= AGREEING
    # a program that says the same of every file would not get here
    assert {each.got for each in verdicts} >= {"0", "2", "5", "6"}
