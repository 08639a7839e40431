"""How a block's class says which keywords it has. The one table behind parser, defaults, checks and hints.

A field made by ``keyword()`` is a keyword of the file. A field without is a result that the reader works out.
Nothing here reads text.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import field
from enum import Enum
from functools import cache
from typing import Any, Required, TypedDict, TypeVar, Unpack

from pykeepalived.config.kinds import Kind
from pykeepalived.records import record


class Repeat(Enum):
    """What a second use of a keyword in one block means."""

    LAST = "last"  # silently replaces
    FIRST = "first"  # the second is an error and ignored
    REPLACE = "replace"  # replaces, and is an error
    COLLECT = "collect"  # adds
    EACH = "each"  # every use stays, with its place: a list as Given
    STRONGEST = "strongest"  # as LAST, but nothing replaces the first word of its Choice
    SAME = "same"  # a second that differs is an error and ignored


class Unset(Enum):
    """The default of a keyword that has none."""

    UNSET = "unset"


UNSET = Unset.UNSET


@record(frozen=True, slots=True)
class Keyword:
    """One keyword of one block."""

    kind: Kind
    doc: str
    default: Any = UNSET
    repeat: Repeat = Repeat.LAST
    inherit: str = ""
    """The keyword, of global_defs or the enclosing block, whose value is the default."""
    aliases: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    """Aliases that are an error of the class DEPRECATED when used, and work."""
    former: tuple[str, ...] = ()
    """Aliases that are deprecated as well, which is said and does not count."""
    negated: str = ""
    """The keyword that takes this flag back."""
    process: str = ""
    """global, vrrp, checker or bfd; empty: that of the block."""
    spelled: str = ""
    """As it stands in the file, where that is no name of Python's: ``tunnel-id``."""
    since: str = ""
    """The kernel, or the keepalived after 2.0, that it needs."""
    unit: str = ""
    """What is counted, where the kind does not say: bytes, hops."""
    arguments: str = ""
    """The words after it, for people, where the kind does not say it well: ``[[name] IFNAME] [MAC]``."""
    effective: bool = True
    """False: read and checked, and the daemon says at the start that it does not act upon it yet."""
    listed: bool = True
    """False: part of another keyword's arguments, no keyword of its own: ``reverse`` behind a weight."""
    checked: bool = False
    """A missing word is said and the keyword ignored; otherwise it is the end of the reading."""


@record(frozen=True, slots=True)
class Block:
    """The table of one block."""

    name: str
    doc: str
    keywords: Mapping[str, Keyword]
    blocks: Mapping[str, "Block"]
    alias: Mapping[str, str]
    """Other spelling -> keyword."""
    negated: Mapping[str, str]
    """Keyword that takes back -> keyword."""
    deprecated: frozenset[str]
    former: frozenset[str] = frozenset()
    process: str = ""
    """Whose block it is: global, vrrp, checker or bfd."""
    arguments: str = ""
    """The words between its name and its brace, for people."""
    since: str = ""
    effective: bool = True
    """False: nothing in it is acted upon yet."""
    names: tuple[str, ...] = ()
    """Other spellings, deprecated."""
    subject: Mapping[str, str] = field(default_factory=dict)
    """Of an entry: what its first words may be, each with a sentence: ``IPADDR``."""

    def words(self) -> list[str]:
        """Every word that may begin a line of this block."""
        return [*self.keywords, *self.blocks, *self.alias, *self.negated]


_BLOCK: dict[type, Block] = {}
_ENTRY: dict[str, type] = {}
_Class = TypeVar("_Class", bound=type)


class _Said(TypedDict, total=False):
    """What may be said of a keyword besides its kind."""

    doc: Required[str]
    default: Any
    repeat: Repeat
    inherit: str
    aliases: tuple[str, ...]
    deprecated: tuple[str, ...]
    former: tuple[str, ...]
    negated: str
    process: str
    spelled: str
    since: str
    unit: str
    arguments: str
    effective: bool
    listed: bool
    checked: bool


def option(kind: Kind, **said: Unpack[_Said]) -> Keyword:
    """A keyword that is read here and passed down: it is no field of the class."""
    return Keyword(kind, **said)


def keyword(kind: Kind, **said: Unpack[_Said]) -> Any:
    """A field that is a keyword of the file. Without a default it must be given."""
    word = Keyword(kind, **said)
    if word.default is UNSET:
        return field(metadata={"keyword": word})
    return field(default=word.default, metadata={"keyword": word})


def block(
    name: str,
    *,
    blocks: tuple[type, ...] = (),
    passes: Mapping[str, Keyword] | None = None,
    process: str = "",
    arguments: str = "",
    since: str = "",
    effective: bool = True,
    names: tuple[str, ...] = (),
    subject: Mapping[str, str] | None = None,
) -> Callable[[_Class], _Class]:
    """Declares the class as a block of the file; its table is made from its fields."""

    def declare(cls: _Class) -> _Class:
        keywords: dict[str, Keyword] = {}
        for each in dataclasses.fields(cls):
            if "keyword" in each.metadata:
                keywords[each.metadata["keyword"].spelled or each.name] = each.metadata["keyword"]
        keywords.update(passes or {})
        inner = by_name(*blocks)
        _BLOCK[cls] = Block(
            name=name,
            doc=(cls.__doc__ or "").strip(),
            keywords=keywords,
            blocks=inner,
            alias={
                other: word
                for word, spec in keywords.items()
                for other in (*spec.aliases, *spec.deprecated, *spec.former)
            },
            negated={spec.negated: word for word, spec in keywords.items() if spec.negated},
            deprecated=frozenset(other for spec in keywords.values() for other in spec.deprecated),
            former=frozenset(other for spec in keywords.values() for other in spec.former),
            process=process,
            arguments=arguments,
            since=since,
            effective=effective,
            names=names,
            subject=dict(subject or {}),
        )
        return cls

    return declare


def entry(
    grammar: str, *, subject: Mapping[str, str], passes: Mapping[str, Keyword] | None = None
) -> Callable[[_Class], _Class]:
    """Declares the class as the entries of that grammar: lines of a block, such as those of virtual_ipaddress.

    Its fields made by ``keyword()`` are the options that may follow the subject.
    """

    def declare(cls: _Class) -> _Class:
        _ENTRY[grammar] = cls
        return block(grammar, subject=subject, passes=passes)(cls)

    return declare


def written_options(value: Any, always: tuple[str, ...] = ()) -> list[str]:
    """The options of an entry as the file has them, in the order of its table; defaults stay out unless ``always``.

    A value that writes itself (``entry_text``) stands behind the option's name, several such values one by one.
    """
    words = []
    for each in dataclasses.fields(value):
        spec: Keyword | None = each.metadata.get("keyword")
        found = getattr(value, each.name)
        if spec is None or (found == spec.default and each.name not in always):
            continue
        members = found if isinstance(found, tuple) and hasattr(found[0], "entry_text") else (found,)
        for one in members:
            text = one.entry_text() if hasattr(one, "entry_text") else spec.kind.write(one)
            words.append(f"{spec.spelled or each.name} {text}".rstrip())
    return words


def entry_table(grammar: str) -> Block:
    """The table of the entries of that grammar."""
    return _BLOCK[_ENTRY[grammar]]


@cache
def entry_options(grammar: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the options that have a value, and of those that have none."""
    table = entry_table(grammar)
    flags = frozenset({name for name, spec in table.keywords.items() if not spec.kind.needs} | {*table.negated})
    return frozenset(word for word in table.words() if table.alias.get(word, word) not in flags), flags


def by_name(*classes: type) -> dict[str, Block]:
    """The tables of blocks, by each of their names."""
    return {name: table for table in map(table_of, classes) for name in (table.name, *table.names)}


def table_of(cls: type) -> Block:
    """The table of a block's class."""
    return _BLOCK[cls]


def is_block(cls: type) -> bool:
    """Whether the class is a block of the file."""
    return cls in _BLOCK
