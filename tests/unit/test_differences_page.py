"""docs/differences.md names tests that exist: each difference has one, and none of them was renamed meanwhile."""

import re

import pytest

from tests.support.references import ROOT, trouble

PAGE = ROOT / "docs" / "differences.md"
LEAST_ROWS = 246
"""May only rise, but for a difference that ends."""
_REFERENCE = re.compile(r"`(tests/[^`]*)`")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the page's tables, without heads."""
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if cells[-1] != "test" and set("".join(cells)) != {"-"}:
                found.append(cells)
    return found


def test_every_row_names_tests_that_exist() -> None:
    found = rows(PAGE.read_text("utf-8"))
    assert len(found) >= LEAST_ROWS
    for cells in found:
        assert len(cells) in (4, 2), cells  # what keepalived does, what we do, why, test; or what is kept, and its test
        assert all(cells), cells
        references = _REFERENCE.findall(cells[-1])
        assert references, f"no test: {cells[0]}"
        assert [trouble(each) for each in references if trouble(each)] == []


def test_no_row_stands_twice() -> None:
    first = [cells[0] for cells in rows(PAGE.read_text("utf-8"))]
    assert len(first) == len(set(first))


@pytest.mark.parametrize(
    ("reference", "sound"),
    [
        ("tests/unit/test_differences_page.py::test_no_row_stands_twice", True),
        ("tests/scenarios/vrrp/35_stop.txt", True),
        ("tests/unit/test_differences_page.py::test_no_row_stands_thrice", False),
        ("tests/unit/test_differences_page.py::rows", False),
        ("tests/unit/test_differences_page.py", False),
        ("tests/scenarios/vrrp/99_none.txt", False),
    ],
)
def test_a_reference_that_leads_nowhere_is_found(reference: str, sound: bool) -> None:
    assert (trouble(reference) == "") is sound
