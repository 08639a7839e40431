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

OWN = sorted((Path(__file__).parent / "resolved").glob("*.conf"))
ROUND = ("0033", "0082", "0190", "0194", "0261", "0287", "0404", "0451", "0502@high", "0770")
"""Files of the corpus that are compared in every run: some of each kind."""
INTERFACES = ("eth0", "eth1", "eth2")
FILES = 120
"""Files of the corpus, on the machine that keepalived's verdict was given for."""
FIELDS = 130_000
INSECURE = 6
"""The status for scripts that root runs without script security."""
DIFFERENT = {
    "0480@low": "two virtual servers of one group: keepalived sets the same services twice, we say it and use the first"
}
FLOORS = {
    "vrrp_instance": 180,
    "vrrp_sync_group": 40,
    "vrrp_script": 5,
    "track_file": 2,
    "vrrp_track_process": 1,
    "bfd_instance": 18,
    "static_ipaddress": 5,
    "static_routes": 1,
    "virtual_server": 40,
    "virtual_server_group": 5,
    "real_server": 40,
    "checker": 30,
    "Virtual Routes": 15,
    "Unicast Peer": 15,
    "SIMPLE_PASSWORD": 30,
    "IPSEC_AH": 5,
    "TCP_CHECK": 10,
    "HTTP_GET": 5,
    "SSL_GET": 3,
    "MISC_CHECK": 5,
    "DNS_CHECK": 1,
    "PING_CHECK": 1,
    "FILE_CHECK": 1,
}
"""Files, those for other ids included, that have at least one of each."""

pytestmark = pytest.mark.skipif(bool(cell.why_not()), reason=str(cell.why_not()))
needs_corpus = pytest.mark.skipif(not files.CORPUS, reason="PYKEEPALIVED_CORPUS is not set: no corpus of files")


@dataclass(frozen=True, slots=True)
class Compared:
    """A file that ran, and what came of comparing."""

    file: files.File
    comparison: Comparison


@pytest.fixture(scope="session")
def runs() -> Iterator[files.Files]:
    """Each file is run once."""
    yield from files.files()


def own(path: Path) -> files.File:
    """A file of ours."""
    return files.File(path.stem, path.read_bytes(), INTERFACES, finished=True)


def compared(both: files.Both) -> Compared:
    """Compare, where there is something to compare."""
    assert both.run.failure == "", f"{both.file.name}: {both.run.failure}\n{both.run.log}"
    # a script of root that is there now, and could be changed by others, is run all the same
    assert both.loaded.exit_code in {0, INSECURE}, both.loaded.diagnostics
    return Compared(both.file, whole.compared(both.run.dumps, both.loaded.configuration))


def disagreements(many: list[Compared]) -> list[str]:
    """For a failure's message."""
    return [f"{each.file.name}: {one}" for each in many for one in each.comparison.disagreements]


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_file_of_ours_resolves_as_keepalived_says(runs: files.Files, path: Path) -> None:
    found = compared(runs.both(own(path)))
    assert disagreements([found]) == []
    assert sum(found.comparison.fields.values()) > 170


@needs_corpus
def test_files_of_each_kind_resolve_as_keepalived_says(runs: files.Files) -> None:
    chosen = [file for file in files.corpus(ROUND) if file.name in ROUND]
    assert [file.name for file in chosen] == list(ROUND)
    found = [compared(each) for each in runs.all(chosen)]
    assert disagreements(found) == []
    assert sum(sum(each.comparison.fields.values()) for each in found) > 3000


@needs_corpus
@pytest.mark.long
def test_every_file_resolves_as_keepalived_says(runs: files.Files) -> None:
    chosen = [file for file in files.corpus() if file.name not in DIFFERENT]
    found = [compared(each) for each in runs.all(chosen) if each.run.failure != files.REFUSED]
    assert disagreements(found) == []
    fields: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for each in found:
        fields.update(each.comparison.fields)
        told.update({block for block, number in each.comparison.objects.items() if number})
        told.update(each.comparison.kinds)
    assert len([each for each in found if each.file.judged]) >= FILES
    assert {kind: told[kind] for kind, floor in FLOORS.items() if told[kind] < floor} == {}
    assert sum(fields.values()) >= FIELDS


@pytest.fixture
def instances(runs: files.Files) -> files.Both:
    """A file to be made wrong."""
    return runs.both(own(next(path for path in OWN if path.stem == "instances")))


def test_a_changed_priority_is_found(instances: files.Both) -> None:
    configuration = instances.loaded.configuration
    first, *others = configuration.vrrp_instance
    wrong = dataclasses.replace(
        configuration, vrrp_instance=(dataclasses.replace(first, priority=first.priority + 1), *others)
    )
    found = whole.compared(instances.run.dumps, wrong).disagreements
    assert [str(each) for each in found] == [
        f"vrrp_instance {first.name}: Priority: ours '{first.priority + 1}', keepalived '{first.priority}'"
    ]


def test_an_object_that_is_missing_is_found(instances: files.Both) -> None:
    configuration = instances.loaded.configuration
    fewer = dataclasses.replace(configuration, vrrp_instance=configuration.vrrp_instance[1:])
    found = whole.compared(instances.run.dumps, fewer).disagreements
    assert (found[0].object, found[0].ours) == (configuration.vrrp_instance[0].name, ABSENT)


def test_a_key_that_nobody_knows_is_found(instances: files.Both) -> None:
    dumps = {
        name: text.replace("   Priority =", "   Novelty = 5\n   Priority =")
        for name, text in instances.run.dumps.items()
    }
    found = whole.compared(dumps, instances.loaded.configuration).disagreements
    assert {(each.key, each.ours, each.keepalived) for each in found} == {("Novelty", ABSENT, "5")}


def test_a_section_that_nobody_knows_is_found(instances: files.Both) -> None:
    dumps = {**instances.run.dumps, "more": "------< Novelties >------\n"}
    found = whole.compared(dumps, instances.loaded.configuration).disagreements
    assert [each.object for each in found] == ["Novelties"]


def test_every_field_that_is_changed_is_found(runs: files.Files) -> None:
    """Each field of each object made wrong in turn; what no dump tells stands in a list, which only gets shorter."""
    seen: set[str] = set()
    unseen: set[str] = set()
    for path in OWN:
        both = runs.both(own(path))
        for where, wrong in mutants.mutants(both.loaded.configuration):
            (seen if _noticed(both, wrong) else unseen).add(where)
    assert sorted(unseen - seen - mutants.NOT_TOLD.keys()) == []
    assert sorted(mutants.NOT_TOLD.keys() & seen) == []
    assert len(seen) > 250


def _noticed(both: files.Both, wrong: Configuration) -> bool:
    """A value that keepalived has no words for is noticed too."""
    try:
        return bool(whole.compared(both.run.dumps, wrong).disagreements)
    except (KeyError, ValueError, IndexError):
        return True
