"""The language cut into the sections of a reference: one a block, one for the lines of each block of lines."""

from dataclasses import dataclass
from functools import cache

from pykeepalived.config.facts import facts
from pykeepalived.config.listing import ENTRY, Row, Sort, by_path, rows


@dataclass(frozen=True, slots=True)
class Section:
    """What stands in a block, or in the lines of blocks that are alike. The section without paths is the root."""

    paths: tuple[str, ...]
    rows: tuple[Row, ...]
    lines: bool = False
    """The rows are options of lines."""

    @property
    def head(self) -> Row | None:
        """The block itself."""
        return by_path()[self.paths[0]] if self.paths else None


@cache
def sections() -> tuple[Section, ...]:
    """All of them, in the order of the tables; what is read before the blocks is not among them."""
    inside: dict[str, list[Row]] = {"": []}
    for row in rows():
        if row.sort is Sort.PREPROCESSOR:
            continue
        if row.sort is Sort.BLOCK and not row.target:
            inside.setdefault(row.path, [])
        parent = row.path.rpartition("/")[0]
        above = by_path().get(parent)
        if not (row.sort is Sort.BLOCK and row.target) and not (above is not None and above.target):
            inside.setdefault(parent, []).append(row)
    merged: dict[tuple[tuple[str, ...], ...], Section] = {}
    for path, members in inside.items():
        lines = path.endswith(f"/{ENTRY}")
        # lines of several blocks may be of one grammar; blocks are themselves
        key = tuple(_signature(row) for row in members) if lines else ((path,),)
        home = path.removesuffix(f"/{ENTRY}")
        earlier = merged.get(key)
        paths = (*earlier.paths, home) if earlier is not None else (home,) if home else ()
        merged[key] = Section(paths, tuple(members), lines)
    return tuple(merged.values())


def preprocessor() -> tuple[Row, ...]:
    """What is read before the blocks."""
    return tuple(row for row in rows() if row.sort is Sort.PREPROCESSOR)


def _signature(row: Row) -> tuple[str, ...]:
    return (row.name, row.arguments, row.doc, row.status, *(text for name, text in facts(row) if name != "spells"))


def notes(row: Row) -> list[str]:
    """Short sentences that follow that of the keyword."""
    told = dict(facts(row))
    found = []
    if told.get("deprecated"):
        found.append(f"Deprecated: {told['deprecated']}.")
    if told.get("inherits") and not row.target:
        found.append(f"Not given, it has {told['inherits'].removesuffix(', where this is not given')}.")
    if told.get("unit") and not row.target:
        found.append(f"In {told['unit']}.")
    if told.get("repeated") and not row.target:
        found.append(f"{told['repeated'][0].upper()}{told['repeated'][1:]}.")
    if told.get("also"):
        found.append(f"Also spelled {told['also']}.")
    if row.sort is Sort.BLOCK:
        old = [each.name for each in rows() if each.sort is Sort.BLOCK and each.target == row.path]
        if old:
            found.append(f"Deprecated spelling: {', '.join(old)}.")
    if told.get("taken back"):
        found.append(f"Taken back {told['taken back']}.")
    if row.since:
        linux = "Linux" in row.since
        found.append(f"Needs {row.since}." if linux else f"Since keepalived {row.since.removeprefix('keepalived ')}.")
    if not row.effective:
        found.append("Not effective yet.")
    return found
