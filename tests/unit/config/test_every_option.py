"""Every option of every block of lines: its values, what is no value of it, too few words and too many.

A line that could mean something else without an option that is wrong is left out with it: the route, the rule.
"""

from collections.abc import Iterator

import pytest

from pykeepalived.config.dump import dump
from pykeepalived.config.kinds import NOTHING, Problem
from pykeepalived.config.listing import Row, Sort, rows
from tests.support.keyword_frames import Place, loaded, machine
from tests.support.option_samples import (
    SAID,
    Wrong,
    entry_of,
    field_of,
    grammar,
    name_of,
    option_place,
    option_values,
    option_wrong,
)

ROWS = [row for row in rows() if row.sort is Sort.OPTION]
VALUED = [row for row in ROWS if row.keyword is not None and row.keyword.kind.needs]
NOTHING_WRONG = {
    ("route", "congctl"): "the kernel knows which there are",
    ("route", "as"): "it has no effect",
}
"""Options with a value of which every word is one."""
INSTEAD_OF_DEFAULT = {
    ("rule", "preference"): 16384,  # handed out downwards
    ("rule", "protocol"): 0,  # of one that is not tracked
    ("address", "dev"): "eth0",  # that of the instance, or default_interface
    ("track_file", "weight"): 3,  # that of the definition
    ("track_process", "weight"): 3,
    ("track_bfd", "weight"): 3,
}
"""What stands where an option is not given, when it is not the default of the table."""
NO_END = {
    ("route", "encap"): 5,
    ("route", "nexthop"): 0,  # a way that leads nowhere is none
}
"""Options whose missing value is not the end of the reading as in other routes and rules."""
SKIPS = frozenset({"inet", "inet6"})
"""Options behind which keepalived skips a word: nobody knows what such a line means."""


def _mistakes(where: Place) -> list[str]:
    said = where.about(loaded(where.text))
    return [each.message for each in said if each.problem not in (None, Problem.DEPRECATED)]


def _cases() -> Iterator[tuple[Row, Wrong]]:
    for row in VALUED:
        for sample in option_wrong(row):
            yield row, sample


def test_every_option_is_here() -> None:
    assert len(ROWS) == 221
    assert sum(len(option_values(row)) for row in ROWS) >= 571
    assert len(list(_cases())) >= 687
    assert {(grammar(row), name_of(row)) for row in VALUED if not option_wrong(row)} == set(NOTHING_WRONG)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_values_are_read_and_written(row: Row) -> None:
    assert row.keyword is not None
    for words, value in option_values(row):
        where, _, _ = option_place(row, words)
        expected = SAID.get((grammar(row), name_of(row)))
        said = _mistakes(where)
        assert len(said) == (expected is not None), said
        assert expected is None or expected in said[0]
        configuration = loaded(where.text).configuration
        assert getattr(entry_of(row, configuration), field_of(row)) == value, words
        assert loaded(dump(configuration, machine())).configuration == configuration, words


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_without_it_the_default_stands(row: Row) -> None:
    where, _, _ = option_place(row, option_values(row)[0][0])
    found = entry_of(row, loaded(where.without).configuration)
    assert row.keyword is not None
    if found is not None and field_of(row) == name_of(row).replace("-", "_"):
        standing = INSTEAD_OF_DEFAULT.get((grammar(row), name_of(row)), row.keyword.default)
        assert getattr(found, field_of(row)) == standing


@pytest.mark.parametrize("row", VALUED, ids=lambda row: row.path)
def test_what_is_no_value_is_said_at_its_place(row: Row) -> None:
    for sample in option_wrong(row):
        where, none, place = option_place(row, sample.words)
        found = loaded(where.text)
        said = where.about(found)
        if row.deprecated:
            said = [each for each in said if each.problem is not Problem.DEPRECATED]
        assert said[0].span is not None
        assert said[0].span.column == place + sample.after, sample.words
        assert said[0].hint, sample.words
        assert found.exit_code == (5 if sample.counts else 0), sample.words
        if sample.stands is not NOTHING:
            assert getattr(entry_of(row, found.configuration), field_of(row)) == sample.stands, sample.words
        else:
            without = (loaded(where.without).configuration, loaded(none).configuration)
            assert found.configuration in without, sample.words


@pytest.mark.parametrize("row", VALUED, ids=lambda row: row.path)
def test_an_option_without_its_value(row: Row) -> None:
    where, none, place = option_place(row, "")
    found = loaded(where.text)
    said = [each for each in where.about(found) if each.problem is not Problem.DEPRECATED]
    assert said[0].span is not None
    assert said[0].span.column == place
    assert said[0].hint
    ends = grammar(row) in ("route", "rule", "virtual_server_group")
    assert found.exit_code == NO_END.get((grammar(row), name_of(row)), 2 if ends else 5)
    assert found.configuration in (loaded(where.without).configuration, loaded(none).configuration)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_a_word_behind_it_that_is_no_option(row: Row) -> None:
    words, _ = option_values(row)[-1]
    more = f"{words} surplus".strip()
    where, none, place = option_place(row, more)
    found = loaded(where.text)
    at = place if row.name in SKIPS else place + len(row.name) + 1 + len(words) + bool(words)
    said = [each for each in where.about(found) if each.span is not None and each.span.column == at]
    assert said, [(each.span and each.span.column, at, each.message) for each in where.about(found)]
    assert said[0].hint
    assert found.exit_code == (0 if row.name in SKIPS else 5)
    sound = loaded(option_place(row, words)[0].text).configuration
    assert found.configuration in (sound, loaded(none).configuration)
