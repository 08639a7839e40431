"""Files with what keepalived makes of them and what we make of them, each run once.

What a file needs of the machine (commands, network namespaces, further interfaces) is found by reading it on a machine
that has everything, and noting what was asked for. The cell and the machine of our own reading then have the same.
"""

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pykeepalived.config.load import Loaded, LoadOptions, load
from pykeepalived.config.surroundings import NetworkInterface, ScriptPath
from tests.config.machine import Machine
from tests.support import cell

CORPUS = os.environ.get("PYKEEPALIVED_CORPUS", "")
AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class File:
    """A file of the corpus and the machine it is tried on."""

    name: str
    data: bytes
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Both:
    """keepalived's run, and our reading."""

    file: File
    run: cell.Run
    loaded: Loaded


class Asked(Machine):
    """A machine that notes which commands and network namespaces it is asked for."""

    def __init__(self, file: File, commands: Sequence[str] = (), namespaces: Sequence[str] = ()) -> None:
        super().__init__({cell.FILE: file.data}, file.interfaces, tuple(commands), cell.ENVIRONMENT)
        self.asked_commands: set[str] = set()
        self.asked_namespaces: set[str] = set()
        for name in namespaces:
            self.namespaces[name] = self._interfaces

    def script(self, name: str) -> ScriptPath | None:
        path = name if "/" in name else f"/usr/bin/{name}"
        if cell.may_hold(path):
            self.asked_commands.add(path)
        return super().script(name)

    def interfaces(self, namespace: str | None) -> Mapping[str, NetworkInterface] | None:
        if namespace is not None:
            self.asked_namespaces.add(namespace)
        return super().interfaces(namespace)


def chosen() -> list[File]:
    """The files that both accept when the interfaces are there."""
    if not CORPUS:
        return []
    folder = Path(CORPUS)
    with (folder / "verdicts.tsv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["rc_if"] == "0"]
    files = []
    for row in rows:
        interfaces = tuple(name for name in (row["interfaces"] or "").split(",") if name)
        file = File(row["n"], (folder / f"{row['n']}.conf").read_bytes(), interfaces)
        if load(cell.FILE, Asked(file), LoadOptions()).exit_code == 0:
            files.append(file)
    return files


class Files:
    """Runs files, several at once, and keeps what came of each."""

    def __init__(self, folder: Path) -> None:
        self._programs = cell.Programs(folder)
        self._known: dict[str, Both] = {}

    def both(self, file: File) -> Both:
        """What both make of a file."""
        if file.name not in self._known:
            self._known[file.name] = self._run(file)
        return self._known[file.name]

    def all(self, files: Sequence[File]) -> list[Both]:
        """What both make of many files."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.both, files))

    def _run(self, file: File) -> Both:
        machine = Asked(file)
        load(cell.FILE, machine, LoadOptions())
        if machine.asked_namespaces:  # there are more commands behind that door
            machine = Asked(file, namespaces=sorted(machine.asked_namespaces))
            load(cell.FILE, machine, LoadOptions())
        commands, namespaces = sorted(machine.asked_commands), sorted(machine.asked_namespaces)
        run = cell.run(self._programs, cell.Wanted(file.data, file.interfaces, tuple(commands), tuple(namespaces)))
        loaded = load(cell.FILE, Asked(file, commands, namespaces), LoadOptions())
        return Both(file, run, loaded)


def files() -> Iterator[Files]:
    """For a fixture."""
    with tempfile.TemporaryDirectory(prefix="pyk-files-") as name:
        yield Files(Path(name))
