"""Every path of the language in one list: blocks, keywords with all spellings, options of entries, the preprocessor.

Walked from the tables; ``--list-keywords``, ``--explain``, the manual and the completion are made of it.
"""

import difflib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from pykeepalived.config.kinds import Entries
from pykeepalived.config.language import ROOT, TOP
from pykeepalived.config.preprocess_words import WORDS
from pykeepalived.config.schema import Block, Keyword, entry_table
from pykeepalived.records import record

ENTRY = "<entry>"


class Sort(StrEnum):
    """What stands at a path."""

    BLOCK = "block"
    KEYWORD = "keyword"
    OPTION = "option"  # of an entry, in a block of lines
    SUBJECT = "subject"  # the first words of such an entry
    PREPROCESSOR = "preprocessor"


@record(frozen=True, slots=True)
class Row:
    """One path of the language."""

    path: str
    sort: Sort
    doc: str
    effective: bool
    """Whether the daemon acts upon it today."""
    arguments: str = ""
    process: str = ""
    since: str = ""
    target: str = ""
    """Another spelling of the path of this keyword or block."""
    deprecated: bool = False
    negates: bool = False
    """It takes back its target."""
    keyword: Keyword | None = None

    @property
    def name(self) -> str:
        """The last word of the path."""
        return self.path.rpartition("/")[2] if not self.path.startswith("$") else self.path

    @property
    def status(self) -> str:
        """``works`` or ``not-yet``."""
        return "works" if self.effective else "not-yet"


@cache
def rows() -> tuple[Row, ...]:
    """Everything, in the order of the tables."""
    return tuple(_rows())


def _rows() -> Iterator[Row]:
    yield from _inside("", ROOT, effective=True, process=ROOT.process)
    yield from _blocks("", TOP, effective=True, process="")
    for word in WORDS:
        yield Row(word.name, Sort.PREPROCESSOR, word.doc, effective=True, arguments=word.arguments, process="parser")


def _blocks(prefix: str, blocks: Mapping[str, Block], *, effective: bool, process: str) -> Iterator[Row]:
    for name, table in blocks.items():
        path = prefix + name
        works = effective and table.effective
        whose = table.process or process
        other = name in table.names
        yield Row(
            path,
            Sort.BLOCK,
            table.doc,
            works,
            arguments=f"{table.arguments} {{ ... }}".strip(),
            process=whose,
            since=table.since,
            target=prefix + table.name if other else "",
            deprecated=other,
        )
        yield from _inside(f"{path}/", table, effective=works, process=whose)


def _inside(prefix: str, table: Block, *, effective: bool, process: str) -> Iterator[Row]:
    yield from _keywords(prefix, table.keywords, Sort.KEYWORD, effective=effective, process=process)
    yield from _blocks(prefix, table.blocks, effective=effective, process=process)


def _keywords(
    prefix: str, keywords: Mapping[str, Keyword], sort: Sort, *, effective: bool, process: str
) -> Iterator[Row]:
    for name, spec in keywords.items():
        if not spec.listed:
            continue
        works = effective and spec.effective
        whose = spec.process or process
        path = prefix + name
        more: dict[str, Any] = {
            "arguments": spec.arguments or spec.kind.arguments(),
            "process": whose,
            "since": spec.since,
        }
        yield Row(path, sort, spec.doc, works, keyword=spec, **more)
        for other in (*spec.aliases, *spec.deprecated, *spec.former):
            old = other not in spec.aliases
            doc = f"{'Old' if old else 'Other'} spelling of {name}. {spec.doc}"
            yield Row(prefix + other, sort, doc, works, target=path, deprecated=old, keyword=spec, **more)
        if spec.negated:
            doc = f"Takes {name} back."
            yield Row(prefix + spec.negated, sort, doc, works, process=whose, target=path, negates=True, keyword=spec)
        if isinstance(spec.kind, Entries) and not spec.kind.plain:
            yield from _entries(f"{path}/{ENTRY}/", spec.kind, effective=works, process=whose)


def _entries(prefix: str, kind: Entries, *, effective: bool, process: str) -> Iterator[Row]:
    table = entry_table(kind.grammar)
    for name, doc in table.subject.items():
        if name not in kind.without:
            yield Row(prefix + name, Sort.SUBJECT, doc, effective, process=process)
    keywords = {name: spec for name, spec in table.keywords.items() if name not in kind.without}
    yield from _keywords(prefix, keywords, Sort.OPTION, effective=effective, process=process)


def inherited_from(row: Row) -> str:
    """The path whose value a keyword has where it is not given: in a block around it, or in global_defs."""
    spec = row.keyword
    if spec is None or not spec.inherit:
        return ""
    block = row.path
    while block:
        block = block.rpartition("/")[0]
        path = f"{block}/{spec.inherit}" if block else f"global_defs/{spec.inherit}"
        if path != row.path and path in by_path():
            return path
    return spec.inherit


@cache
def by_path() -> Mapping[str, Row]:
    """Each row by its path."""
    return {row.path: row for row in rows()}


def children(row: Row) -> tuple[Row, ...]:
    """What stands directly within a block, or in the lines of a block of lines; other spellings left out."""
    inside = (f"{row.path}/", f"{row.path}/{ENTRY}/")
    found = (each for each in rows() if not each.target and each.path.startswith(inside[0]))
    return tuple(each for each in found if each.path in (inside[0] + each.name, inside[1] + each.name))


def find(asked: str) -> tuple[Row, ...]:
    """The row of that path, or every place where a keyword of that bare name exists."""
    wanted = asked.strip().strip("/")
    exact = tuple(row for row in rows() if row.path == wanted)
    if exact:
        same = tuple(row for row in rows() if row.name == wanted and row not in exact)
        return (*exact, *same)
    found = tuple(row for row in rows() if row.name == wanted or row.path.endswith(f"/{wanted}"))
    if found:
        return found
    folded = wanted.lower().lstrip("$~@").rstrip("=(")
    return tuple(row for row in rows() if row.name.lower().strip("$~@={}(") == folded) if folded else ()


def nearest(asked: str) -> list[str]:
    """What may have been meant: names for a name; for a path those of its block, else any path."""
    wanted = asked.strip().strip("/")
    parent, slash, name = wanted.rpartition("/")
    if not slash:
        return difflib.get_close_matches(wanted, sorted({row.name for row in rows()}), 3, 0.7)
    inside = [row.name for row in rows() if row.path == f"{parent}/{row.name}"]
    if inside:
        return [f"{parent}/{each}" for each in difflib.get_close_matches(name, inside, 3, 0.7)]
    same = [row.path for row in rows() if row.name == name]
    return difflib.get_close_matches(wanted, same or [row.path for row in rows()], 3, 0.7)
