"""Every cell of docs/interop.md: two makes, an election, and both ends agree about it."""

import pytest

from tests.interop.matrix import PAGE, Cell, cells, page, play
from tests.support import frr

pytestmark = [pytest.mark.root, pytest.mark.interop]

QUICK = frozenset(
    {
        "keepalived-v3-ipv4-multicast-0.4s-vmac-none-master",
        "keepalived-v3-ipv6-unicast-0.4s-vmac-none-backup",
        "frr-v3-ipv4-multicast-0.4s-vmac-the-peer's-master",
        "frr-v3-ipv6-multicast-0.4s-vmac-the-peer's-backup",
    }
)


def _cases() -> list[object]:
    marks = {str(cell): () if str(cell) in QUICK else (pytest.mark.long,) for cell in cells()}
    return [pytest.param(cell, id=str(cell), marks=marks[str(cell)]) for cell in cells()]


@pytest.mark.concurrent
@pytest.mark.parametrize("cell", _cases())
def test_both_ends_agree(cell: Cell) -> None:
    if cell.unsupported:
        pytest.skip(cell.unsupported)
    if cell.not_yet:
        pytest.skip(f"{', '.join(cell.not_yet)}: not effective yet")
    if cell.peer == "frr" and (missing := frr.why_not()):
        pytest.skip(missing)
    play(cell)


def test_the_page_has_every_cell_and_no_failure() -> None:
    """What the page says is what a run with nothing failing writes."""
    found = cells()
    assert {str(cell) for cell in found} >= QUICK
    said = {cell: "-" if cell.unsupported else "not yet" if cell.not_yet else "yes" for cell in found}
    assert PAGE.read_text(encoding="utf-8") == page(said), "run python -m tests.interop.matrix"
