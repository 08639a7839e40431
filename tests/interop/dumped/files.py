"""Files with what keepalived makes of them and what we make of them, each run once.

What a file needs of the machine (commands, network namespaces, further interfaces) is found by reading it on a machine
that has everything, and noting what was asked for. The cell and the machine of our own reading then have the same.
"""

import csv
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pykeepalived.config.load import Loaded, LoadOptions, load
from pykeepalived.config.surroundings import NetworkInterface, ScriptPath
from tests.config.machine import Machine
from tests.support import cell

CORPUS = os.environ.get("PYKEEPALIVED_CORPUS", "")
AT_ONCE = 3
REFUSED = "keepalived's test refuses it"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the corpus and the machine it is tried on."""

    name: str
    data: bytes
    interfaces: tuple[str, ...] = ()
    config_id: str = ""
    """What its ``@`` lines are chosen by; empty for the host's name."""
    judged: bool = False
    """keepalived's verdict for just this machine is known: it accepts the file."""
    finished: bool = False
    """These are all interfaces; otherwise those that it asks for are made."""

    @property
    def options(self) -> LoadOptions:
        """For our reading."""
        return LoadOptions(config_id=self.config_id)

    @property
    def arguments(self) -> tuple[str, ...]:
        """For keepalived."""
        return ("-i", self.config_id) if self.config_id else ()


@dataclass(frozen=True, slots=True)
class Both:
    """keepalived's run, and our reading."""

    file: File
    run: cell.Run
    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Needs:
    """What a file asks of the machine."""

    interfaces: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


class Everything(dict[str, NetworkInterface]):
    """Every interface that there can be: one is there when it is asked for."""

    def get(self, key: str, _default: object = None) -> NetworkInterface | None:  # type: ignore[override]  # no default
        """Make it so."""
        if not cell.is_interface_name(key):
            return None
        return self.setdefault(key, NetworkInterface(key))

    def __contains__(self, key: object) -> bool:
        return self.get(str(key)) is not None


class Asked(Machine):
    """A machine that has everything, and notes what it is asked for."""

    def __init__(self, file: File) -> None:
        super().__init__({cell.FILE: file.data}, file.interfaces, (), cell.ENVIRONMENT)
        self.asked = Everything(self._interfaces)
        self.asked_commands: set[str] = set()
        self.asked_namespaces: set[str] = set()

    def script(self, name: str) -> ScriptPath | None:
        path = name if "/" in name else f"/usr/bin/{name}"
        if cell.may_hold(path):
            self.asked_commands.add(path)
        return super().script(name)

    def interfaces(self, namespace: str | None) -> Mapping[str, NetworkInterface] | None:
        if namespace is not None:
            self.asked_namespaces.add(namespace)
        return self.asked


def needs(file: File) -> Needs:
    """What the file asks for. Where keepalived has judged it without further interfaces there are none."""
    machine = Asked(file)
    load(cell.FILE, machine, file.options)
    known = file.finished or (file.judged and not machine.asked_namespaces)
    interfaces = set(file.interfaces) if known else set(machine.asked)
    # those of its own making must not be there already
    interfaces -= {found.decode() for found in re.findall(rb"use_(?:vmac|ipvlan)\s+(\S+)", file.data)}
    return Needs(
        tuple(sorted(interfaces - {"lo"})),
        tuple(sorted(machine.asked_commands)),
        tuple(sorted(machine.asked_namespaces)),
    )


def without_commands(wants: Needs) -> Needs:
    """The machine of the verdicts: what is not there is no danger either, and counts for nothing."""
    return replace(wants, commands=())


def loaded(file: File, with_needs: Needs) -> Loaded:
    """Our reading, on the machine of the cell."""
    machine = Machine({cell.FILE: file.data}, with_needs.interfaces, with_needs.commands, cell.ENVIRONMENT)
    for name in with_needs.namespaces:
        machine.namespaces[name] = machine.interfaces(None) or {}
    return load(cell.FILE, machine, file.options)


def corpus(names: Collection[str] = ()) -> list[File]:
    """The files that keepalived accepts when the interfaces are there, and those of other ids that it may accept.

    With names only those; all are such that we accept them.
    """
    if not CORPUS:
        return []
    folder = Path(CORPUS)
    with (folder / "verdicts.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    files = []
    wanted = {name.partition("@")[0] for name in names}
    for row in rows:
        if wanted and row["n"] not in wanted:
            continue
        data = (folder / f"{row['n']}.conf").read_bytes()
        interfaces = tuple(name for name in (row["interfaces"] or "").split(",") if name)
        if row["rc_if"] == "0":
            files.append(File(row["n"], data, interfaces, judged=True))
        ids = {found.decode() for found in re.findall(rb"(?m)^@([a-z0-9]+)[ \t]", data)}
        files += [File(f"{row['n']}@{config_id}", data, config_id=config_id) for config_id in sorted(ids)]
    return [file for file in files if _accepted(file)]


def _accepted(file: File) -> bool:
    """Whether we accept it, with its commands or on the machine of the verdicts."""
    wants = needs(file)
    return loaded(file, without_commands(wants)).exit_code == 0 or loaded(file, wants).exit_code == 0


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
        wants = needs(file)
        wanted = cell.Wanted(file.data, wants.interfaces, wants.commands, wants.namespaces, file.arguments)
        judged = file.judged and not wants.namespaces
        machines = (wanted, replace(wanted, commands=()))
        if not judged and all(cell.verdict(self._programs, each) != 0 for each in machines):
            return Both(file, cell.Run("", {}, REFUSED), loaded(file, wants))
        return Both(file, cell.run(self._programs, wanted), loaded(file, wants))


def files() -> Iterator[Files]:
    """For a fixture."""
    with tempfile.TemporaryDirectory(prefix="pyk-files-") as name:
        yield Files(Path(name))
