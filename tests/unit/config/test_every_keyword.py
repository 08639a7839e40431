"""Every keyword of every block: its values, what is no value of it, too few words and too many. From its kind."""

from collections import Counter
from typing import Any

import pytest

from pykeepalived.config import kinds, kinds_lvs
from pykeepalived.config.kinds import NOTHING
from pykeepalived.config.listing import Row, Sort, rows
from tests.support.keyword_frames import column, loaded, parent, place, raw
from tests.support.keyword_samples import Bad, bad, good

KEYWORDS = [row for row in rows() if row.sort is Sort.KEYWORD and not row.negates]
GOOD = [(row, words, value) for row in KEYWORDS for words, value in good(row.keyword.kind)]
BAD = [(row, sample) for row in KEYWORDS for sample in bad(row.keyword.kind)]


def name_of(value: Any) -> str:
    """For the test's name."""
    return value.path if isinstance(value, Row) else value.words if isinstance(value, Bad) else ""


def target(row: Row) -> str:
    return (row.target or row.path).rpartition("/")[2]


@pytest.mark.parametrize(("row", "words", "value"), GOOD, ids=name_of)
def test_good(row: Row, words: str, value: Any) -> None:
    where = place(row, words)
    found = loaded(where.text)
    assert [each.message for each in where.about(found) if each.problem] == []
    given = raw(where.text, parent(row.path)).given[target(row)].value
    assert given == value


@pytest.mark.parametrize(("row", "sample"), BAD, ids=name_of)
def test_bad(row: Row, sample: Bad) -> None:
    where = place(row, sample.words)
    found = loaded(where.text)
    said = where.about(found)
    ours = [each for each in said if each.span.column == column(row.name, sample.words, sample.at)]
    assert ours, [(each.span.column, each.message) for each in said]
    assert ours[0].hint
    assert found.exit_code == (5 if sample.counts else 0), said
    if sample.kept is NOTHING:
        assert found.configuration == loaded(where.without).configuration
    else:
        assert raw(where.text, parent(row.path)).given[target(row)].value == sample.kept
