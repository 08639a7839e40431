"""What to say about a word that is no keyword where it stands."""

import difflib
from collections.abc import Iterable, Iterator

from pykeepalived.config.braces import Braces
from pykeepalived.config.language import ROOT, TOP
from pykeepalived.config.schema import Block

MOST = 200
"""Different words that are looked up; nobody reads further, and looking for similar ones takes its time."""


class UnknownWords:
    """Remembers what it found out."""

    def __init__(self, braces: Braces) -> None:
        self._braces = braces
        self._hints: dict[tuple[str, str], str | None] = {}

    def hint(self, name: str, path: str, known: Iterable[str]) -> str | None:
        """The remedy for a word in the block of that path; ``known`` are the words that may stand there."""
        if (name, path) in self._hints:
            return self._hints[name, path]
        if len(self._hints) >= MOST:
            return None
        hint = self._elsewhere(name, path)
        if hint is None and (near := difflib.get_close_matches(name, known, 1, 0.7)):
            hint = f"did you mean {near[0]}?"
        self._hints[name, path] = hint
        return hint

    def _elsewhere(self, name: str, path: str) -> str | None:
        """Where a keyword belongs that is known, but not here."""
        homes = [home for top, table in (("", ROOT), *TOP.items()) for home in _homes(name, top, table) if home != path]
        if name in TOP or "" in homes:
            return f"{name} stands outside every block: is a }} missing above?" if path else None
        if not homes:
            return None
        closed = "".join(self._braces.closed_above(home) for home in homes) if not path else ""
        return f"{name} belongs in {_some(homes)}{closed}"


def _some(homes: list[str]) -> str:
    """At most three of them, those of the blocks that are written most often first."""
    common = sorted(homes, key=lambda home: (home.partition("/")[0] not in ("vrrp_instance", "virtual_server"), home))
    return " or ".join(common[:3])


def _homes(name: str, path: str, table: Block) -> Iterator[str]:
    if name in table.words():
        yield path
    for inner in table.blocks.values():
        yield from _homes(name, f"{path}/{inner.name}", inner)
