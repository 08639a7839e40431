"""The ledger of the RFCs: every requirement has its two tests, or a reason; every test exists; the page is fresh."""

from pathlib import Path

import pytest

from tests.conformance import page
from tests.conformance.requirements import RFCS, Reason, Requirement, ledger, read
from tests.support.references import trouble

LEAST = {9568: 93, 3768: 51}
"""May only rise."""
LEAST_TESTED = {9568: 59, 3768: 41}
MOST_DEVIATIONS = {9568: 12, 3768: 3}
"""May only fall, but for one that is found."""
FOUND = ledger()


def test_nothing_was_lost() -> None:
    for rfc in RFCS:
        ours = [one for one in FOUND if one.rfc == rfc]
        assert len(ours) >= LEAST[rfc]
        assert sum(one.reason is None for one in ours) >= LEAST_TESTED[rfc]
        assert sum(one.reason is Reason.DEVIATES for one in ours) <= MOST_DEVIATIONS[rfc]


def test_numbers_stand_once_and_in_order() -> None:
    for rfc in RFCS:
        places = [one.place for one in FOUND if one.rfc == rfc]
        assert places == sorted(set(places))


@pytest.mark.parametrize("one", FOUND, ids=lambda one: f"{one.rfc}-{one.number}")
def test_each_has_both_tests_or_a_reason(one: Requirement) -> None:
    assert one.text.endswith(".")
    references = (*one.obeys, *one.refuses, *one.shown)
    assert [trouble(each) for each in references if trouble(each)] == []
    assert len(set(references)) == len(references)
    if one.reason is None:
        assert one.obeys
        assert one.refuses
        assert not one.shown
    else:
        assert one.because.endswith(".")
        assert one.obeys == one.refuses == ()
        assert one.takes == one.note == ""


def test_every_test_of_ours_stands_for_something() -> None:
    named = {each for one in FOUND for each in (*one.obeys, *one.refuses, *one.shown)}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path != Path(__file__):
            tests = [line.split("(")[0][4:] for line in path.read_text("utf-8").splitlines() if line[:9] == "def test_"]
            assert tests
            assert [test for test in tests if f"tests/conformance/{path.name}::{test}" not in named] == []


def test_the_page_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert page.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_page_is_named_and_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.md"
    assert page.main(["--check"], path) == 1
    assert "python -m tests.conformance.page" in capsys.readouterr().err
    assert page.main([], path) == 0
    assert page.main(["--check"], path) == 0
    assert page.main(["--chekc"], path) == 2


def test_what_the_reader_reads() -> None:
    text = (
        "# a comment\n7.1-4 MUST NOT\n    Something\n        that goes on.\n    with this or that\n    obeys a\n"
        "    refuses b\n    refuses c\n    note It is\n        so.\n\n"
        "8-1 rule\n    More.\n    kernel It does.\n    shown d\n"
    )
    first, second = read(9568, text)
    assert (first.number, first.section, first.level, first.text) == (
        "7.1-4",
        "7.1",
        "MUST NOT",
        "Something that goes on.",
    )
    assert (first.obeys, first.refuses, first.takes, first.note) == (("a",), ("b", "c"), "this or that", "It is so.")
    assert page.here(first) == "with `this` or `that`"
    assert (second.reason, second.because, second.shown, page.here(second)) == (
        Reason.KERNEL,
        "It does.",
        ("d",),
        "kernel",
    )


@pytest.mark.parametrize(
    "text",
    [
        "    Before all.",
        "7.1-4 OUGHT",
        "7.1-4 MUST\n    Text.\n    obeys a\n    abeys b",
        "7.1-4 MUST\n    Text.\n    kernel a\n    deviates b",
    ],
)
def test_what_the_reader_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"7\.1-4|before|OUGHT"):
        read(9568, text)
