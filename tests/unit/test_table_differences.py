"""The comparison of both daemons' tables lets through what is listed, and nothing else."""

import pytest

from tests.lab.table_differences import Comparison, Difference, report, stale

TABLE = ["family a", "  -> one weight 1", "  -> two weight 2", "timeouts 900"]


def told(theirs: list[str], ours: list[str], listed: Difference) -> tuple[bool, list[str]]:
    """Whether they count as the same, and which entries are stale."""
    comparison = Comparison()
    lines = report("0001", {"table after the start": {"keepalived": theirs, "ours": ours}}, comparison, [listed])
    return not lines, stale(comparison, [listed])


@pytest.mark.parametrize(
    "ours",
    [TABLE[:2] + TABLE[3:], [*TABLE, "more"], [*TABLE[:2], "  -> two weight 3", TABLE[3]], []],
)
def test_what_is_not_listed_is_told(ours: list[str]) -> None:
    unlike = Difference("other words", theirs="theirs", ours="ours")
    assert told(TABLE, TABLE, unlike) == (True, ["other words"])
    assert told(TABLE, ours, unlike) == (False, ["other words"])


def test_a_listed_line_is_left_out_only_as_often_as_is_said() -> None:
    listed = Difference("two stays", theirs="  -> two .*", number=(1, 0))
    assert told(TABLE, TABLE[:2] + TABLE[3:], listed) == (True, [])
    assert told([*TABLE, TABLE[2]], TABLE[:2] + TABLE[3:], listed) == (False, ["two stays"])
    assert told(TABLE, TABLE[:1] + TABLE[3:], listed) == (False, [])


def test_of_lines_that_differ_in_parts_the_rest_is_compared_in_any_order() -> None:
    listed = Difference("weights", theirs=r"  -> (?:.*) weight (\d)", ours=r"  -> (?:.*) weight (\d)", parts=True)
    assert told(TABLE, [TABLE[0], "  -> two weight 9", TABLE[1], TABLE[3]], listed) == (True, [])
    assert told(TABLE, [*TABLE[:2], "  -> three weight 2", TABLE[3]], listed) == (False, [])
    assert told(TABLE, TABLE[:2] + TABLE[3:], listed) == (False, [])
