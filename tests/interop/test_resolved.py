"""What a file means: our configuration of it beside keepalived's own dumps, field by field.

keepalived runs on each file in a cell (`tests/support/cell.py`), with everything there that the file names, and tells
what it has understood. The mapping of its keys to our fields stands in ``dumped/``, one file a block. The files of
``resolved/`` use every keyword that a dump tells; the others come from a corpus of real files.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pykeepalived.config.configuration import Configuration
from tests.interop.dumped import files, mutants, whole
from tests.interop.dumped.fields import ABSENT, Comparison
from tests.support import cell

OWN = Path(__file__).parent / "resolved"
ROUND = ("0033", "0082", "0190", "0194", "0261", "0287", "0404", "0451", "0502@high", "0770")
"""Files of the corpus that are compared in every run: one of each kind."""
INTERFACES = ("eth0", "eth1", "eth2")

pytestmark = pytest.mark.skipif(bool(cell.why_not()), reason=str(cell.why_not()))
needs_corpus = pytest.mark.skipif(not files.CORPUS, reason="PYKEEPALIVED_CORPUS is not set: no corpus of files")


@dataclass(frozen=True, slots=True)
class Compared:
    """A file that ran, and what came of comparing."""

    both: files.Both
    comparison: Comparison


@pytest.fixture(scope="session")
def runs() -> Iterator[files.Files]:
    """Each file is run once."""
    yield from files.files()


def own(name: str) -> files.File:
    """A file of ours."""
    return files.File(name, (OWN / f"{name}.conf").read_bytes(), INTERFACES)


def compared(both: files.Both) -> Compared:
    """Compare, where there is something to compare."""
    assert both.run.failure == "", f"{both.file.name}: {both.run.failure}\n{both.run.log}"
    assert both.loaded.exit_code == 0, both.loaded.diagnostics
    return Compared(both, whole.compared(both.run.dumps, both.loaded.configuration))


def disagreements(many: list[Compared]) -> list[str]:
    """For a failure's message."""
    return [f"{each.both.file.name}: {one}" for each in many for one in each.comparison.disagreements]


@pytest.mark.parametrize("name", sorted(path.stem for path in OWN.glob("*.conf")))
def test_a_file_of_ours_resolves_as_keepalived_says(runs: files.Files, name: str) -> None:
    found = compared(runs.both(own(name)))
    assert disagreements([found]) == []
    assert sum(found.comparison.fields.values()) > 60


@needs_corpus
def test_files_of_each_kind_resolve_as_keepalived_says(runs: files.Files) -> None:
    chosen = [file for file in files.corpus(ROUND) if file.name in ROUND]
    assert [file.name for file in chosen] == list(ROUND)
    assert disagreements([compared(each) for each in runs.all(chosen)]) == []


@needs_corpus
@pytest.mark.long
def test_every_file_resolves_as_keepalived_says(runs: files.Files) -> None:
    found = [compared(each) for each in runs.all(files.corpus()) if each.run.failure != files.REFUSED]
    assert disagreements(found) == []
    told: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    for each in found:
        fields.update(each.comparison.fields)
        told.update({block for block, number in each.comparison.objects.items() if number})
        told.update(each.comparison.kinds)
    assert len([each for each in found if each.both.file.judged]) >= FILES
    assert {kind: told[kind] for kind in FLOORS if told[kind] < FLOORS[kind]} == {}
    assert sum(fields.values()) >= FIELDS


FILES = 110
FIELDS = 80_000
FLOORS = {
    "Global definitions": 110,
    "vrrp_instance": 80,
    "vrrp_sync_group": 15,
    "vrrp_script": 1,
    "virtual_server": 30,
    "real_server": 30,
    "checker": 20,
}
"""Files that have at least one of each."""


def test_a_changed_priority_is_found(runs: files.Files) -> None:
    both = runs.both(own("instances"))
    configuration = both.loaded.configuration
    first, *others = configuration.vrrp_instance
    wrong = dataclasses.replace(
        configuration, vrrp_instance=(dataclasses.replace(first, priority=first.priority + 1), *others)
    )
    found = whole.compared(both.run.dumps, wrong).disagreements
    assert [str(each) for each in found] == [
        f"vrrp_instance {first.name}: Priority: ours '{first.priority + 1}', keepalived '{first.priority}'"
    ]


def test_an_object_that_is_missing_is_found(runs: files.Files) -> None:
    both = runs.both(own("instances"))
    configuration = both.loaded.configuration
    fewer = dataclasses.replace(configuration, vrrp_instance=configuration.vrrp_instance[1:])
    found = whole.compared(both.run.dumps, fewer).disagreements
    assert (found[0].object, found[0].ours) == (configuration.vrrp_instance[0].name, ABSENT)


def test_a_key_that_nobody_knows_is_found(runs: files.Files) -> None:
    both = runs.both(own("instances"))
    dumps = {name: text.replace("   Priority =", "   Novelty = 5\n   Priority =") for name, text in both.run.dumps.items()}
    found = whole.compared(dumps, both.loaded.configuration).disagreements
    assert {(each.key, each.ours, each.keepalived) for each in found} == {("Novelty", ABSENT, "5")}


def test_a_section_that_nobody_knows_is_found(runs: files.Files) -> None:
    both = runs.both(own("instances"))
    dumps = {**both.run.dumps, "more": "------< Novelties >------\n"}
    found = whole.compared(dumps, both.loaded.configuration).disagreements
    assert [each.object for each in found] == ["Novelties"]


@pytest.mark.parametrize("name", sorted(path.stem for path in OWN.glob("*.conf")))
def test_every_field_that_is_changed_is_found(runs: files.Files, name: str) -> None:
    """Each field of each object made wrong in turn; what a dump does not tell stands in a list."""
    both = runs.both(own(name))
    unseen = set()
    tried = 0
    for where, wrong in mutants.mutants(both.loaded.configuration):
        tried += 1
        if not isinstance(wrong, Configuration):
            raise TypeError(where)
        if not whole.compared(both.run.dumps, wrong).disagreements:
            unseen.add(where)
    assert tried > 40
    assert sorted(unseen - mutants.NOT_TOLD.keys()) == []
