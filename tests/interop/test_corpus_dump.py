"""Real files, resolved, dumped and read again: the same configuration, and nothing new to say."""

import csv
import os
from pathlib import Path

import pytest

from pykeepalived.config.dump import dump
from pykeepalived.config.load import LoadOptions, load
from tests.config.machine import Machine
from tests.interop.test_corpus import COMMANDS, PATH

FOLDER = os.environ.get("PYKEEPALIVED_CORPUS", "")

pytestmark = [
    pytest.mark.skipif(not FOLDER, reason="PYKEEPALIVED_CORPUS is not set: no corpus of configuration files"),
    pytest.mark.long,
]


def test_every_sound_file_resolved_reads_back_as_itself() -> None:
    folder = Path(FOLDER)
    with (folder / "verdicts.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    tried = 0
    for row in rows:
        names = tuple(name for name in (row["interfaces"] or "").split(",") if name)
        machine = Machine({PATH: (folder / f"{row['n']}.conf").read_bytes()}, names, COMMANDS)
        first = load(PATH, machine, LoadOptions())
        servers = [each for service in first.configuration.virtual_server for each in service.real_server]
        # a program that cannot be run keeps its server out: no file says that without the error
        if first.exit_code or any(each.untested for each in servers):
            continue
        tried += 1
        written = dump(first.configuration, machine)
        machine.files = {PATH: written.encode("utf-8", "surrogateescape")}
        again = load(PATH, machine, LoadOptions())
        assert again.configuration == first.configuration, (row["n"], written)
        said = {each.message for each in first.diagnostics}
        assert [each for each in again.diagnostics if each.message not in said] == [], (row["n"], written)
        assert again.exit_code == 0, row["n"]
    assert tried > 150
