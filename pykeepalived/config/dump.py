"""A configuration as a file that reads back as the same: what this node really gets (``--resolved``).

Written from the tables: each block with the keywords whose value is not what a file without them would mean, what is
defined before what uses it. Passwords are written, for it is a file.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import Command, Entries, Flag, Names, word_text
from pykeepalived.config.kinds_lvs import NamedEntries
from pykeepalived.config.language import ROOT, TOP
from pykeepalived.config.resolved import Around, Words, head, inner_blocks, said, values
from pykeepalived.config.schema import Block, Keyword, Repeat, table_of
from pykeepalived.config.surroundings import AccountNames

_INDENT = "    "
_LONGEST = 900
"""Beyond that a value that may be given in parts is."""
_FIRST = ("global_defs", "track_group", "vrrp_script", "track_file", "vrrp_track_process", "bfd_instance")
"""Blocks that others name, in the order in which they are written. Values of the root come behind them."""


def dump(configuration: Configuration, names: AccountNames) -> str:
    """The whole configuration as a file."""
    return "\n".join(_Writer(configuration, names).lines()) + "\n"


class _Writer:
    def __init__(self, configuration: Configuration, names: AccountNames) -> None:
        self._configuration = configuration
        settings = values(configuration.global_defs, TOP["global_defs"])
        self._around = Around(configuration, names, inside=(settings,))

    def lines(self) -> Iterator[str]:
        """Line by line; an empty one before each block."""
        plain, later = self._root()
        yield from plain
        rest = [name for name, table in TOP.items() if name == table.name and name not in _FIRST]
        for name in _FIRST:
            yield from self._top(name)
        yield from later
        for name in rest:
            yield from self._top(name)

    def _top(self, name: str) -> Iterator[str]:
        if name not in TOP:
            return
        found = getattr(self._configuration, name, getattr(self._configuration, name.lower(), None))
        for item in found if isinstance(found, tuple) else (found,):
            if item is not None:
                yield from self._block(item, TOP[name], self._around, "", always=name != "global_defs")

    def _root(self) -> tuple[list[str], list[str]]:
        """The keywords outside every block: those on one line, and those that are blocks of lines."""
        plain: list[str] = []
        later: list[str] = []
        held = {**values(self._configuration.global_defs, ROOT), **values(self._configuration, ROOT)}
        for name, spec in ROOT.keywords.items():
            value = held.get(name)
            if value is None or value == spec.default:
                continue
            if isinstance(spec.kind, NamedEntries):
                for each in value:
                    block = self._keyword(f"{name} {word_text(each.name)}", each.entries, spec, None, "")
                    later += ["", *block]
            elif spec.kind.entries:
                later += ["", *self._keyword(name, value, spec, None, "")]
            else:
                plain += self._keyword(name, value, spec, None, "")
        return plain, later

    def _block(self, item: Any, table: Block, around: Around, indent: str, *, always: bool = True) -> Iterator[str]:
        inside = indent + _INDENT
        lines: list[str] = []
        for name, value in said(item, table, around).items():
            lines += self._keyword(name, value, table.keywords[name], item, inside)
        held = values(item, table)
        below = replace(around, inside=(held, *around.inside), parents=(item, *around.parents))
        for each in inner_blocks(item, table, around):
            lines += self._block(each, table_of(type(each)), below, inside)
        if not lines and not always:
            return
        if not indent:
            yield ""
        words = head(item)
        yield f"{indent}{table.name}{' ' if words else ''}{words} {{"
        yield from lines
        yield f"{indent}}}"

    def _keyword(self, name: str, value: Any, spec: Keyword, owner: Any, indent: str) -> Iterator[str]:
        kind = spec.kind
        if isinstance(kind, Entries | Names):
            if value:
                yield f"{indent}{name} {{"
                for each in value:
                    yield f"{indent}{_INDENT}{self._entry(each, kind, owner)}"
                yield f"{indent}}}"
            return
        if isinstance(kind, Flag) and value is False:
            if spec.negated:
                yield f"{indent}{spec.negated}"
            return
        if isinstance(value, Words):
            text = value.text
        elif isinstance(kind, Command) and isinstance(value, Script):
            text = self._around.script(value, user=kind.user)
        else:
            text = "" if spec.repeat is Repeat.EACH else kind.write(value)
        if spec.repeat is Repeat.EACH:
            for each in value:
                yield f"{indent}{name} {kind.write(each)}"
        elif spec.repeat is Repeat.COLLECT and isinstance(value, tuple) and len(text) > _LONGEST:
            for each in value:
                yield f"{indent}{name} {kind.write((each,))}"
        else:
            yield f"{indent}{name} {text}".rstrip()

    def _entry(self, item: Any, kind: Entries | Names, owner: Any) -> str:
        if isinstance(kind, Names):
            return word_text(str(item))
        if hasattr(item, "entry_text"):
            return str(item.entry_text())
        if isinstance(item, AddressEntry):
            return _address(item, getattr(owner, "interface", None))
        return _plain_entry(item)


def _plain_entry(item: Any) -> str:
    """The subject, then the options that are not as they would be anyway."""
    table = table_of(type(item))
    words = [word_text(str(getattr(item, each.name))) for each in fields(item) if "keyword" not in each.metadata]
    for name, value in values(item, table).items():
        spec = table.keywords[name]
        if value is None or value == spec.default:
            continue
        if isinstance(spec.kind, Flag):
            words.append(name if value else spec.negated)
        else:
            words += [name, spec.kind.write(value)]
    return " ".join(words)


def _address(item: AddressEntry, interface: str | None) -> str:
    """A line of virtual_ipaddress; an address stands on the instance's interface unless it names another."""
    plain = item.peer is not None and item.prefix_length == item.address.max_prefixlen
    words = [str(item.address) if plain else f"{item.address}/{item.prefix_length}"]
    if item.dev is not None and item.dev != interface:
        words += ["dev", word_text(item.dev)]
    if item.scope:
        words += ["scope", str(item.scope)]
    if item.label is not None:
        words += ["label", word_text(item.label)]
    if item.broadcast is not None:
        words += ["brd", str(item.broadcast)]
    if item.peer is not None:
        words += ["peer", str(item.peer)]
    whole = item.address.version == 6 and item.prefix_length == 128
    if item.preferred_lft != (0 if whole else None):
        words += ["preferred_lft", "forever" if item.preferred_lft is None else str(item.preferred_lft)]
    words += [
        name
        for name in ("home", "mngtmpaddr", "noprefixroute", "no_track", "autojoin", "use_vmac")
        if getattr(item, name)
    ]
    if item.address.version == 6 and not item.nodad:
        words.append("-nodad")
    if item.track_group is not None:
        words += ["track_group", word_text(item.track_group)]
    return " ".join(words)
