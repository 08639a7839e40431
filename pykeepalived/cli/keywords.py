"""``--list-keywords`` and ``--explain``: the language, from its tables. No file is read."""

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from pykeepalived.cli.screen import BOLD, DIM, coloured, colours
from pykeepalived.config.facts import REPEATED, default_text, facts, unit
from pykeepalived.config.lint.rules import RULES, reason
from pykeepalived.config.listing import Row, Sort, children, find, inherited_from, nearest, rows
from pykeepalived.daemon.settings import Settings

_WIDTH = 100


def run(settings: Settings) -> int:
    """0, or 1 where nothing is known by that name."""
    if settings.list_keywords:
        return _list(settings)
    asked = settings.explain or ""
    found = find(asked)
    if asked in RULES:
        print(f"{asked}\n    advice of -t: {reason(asked)}")
        return 0
    if not found:
        near = nearest(asked)
        block = asked.strip("/").rpartition("/")[0]
        shows = (
            f"--explain {block} shows what it holds" if block and find(block) else "--list-keywords shows all of them"
        )
        hint = f"did you mean {' or '.join(near)}?" if near else shows
        print(f"pykeepalived: no keyword '{asked}': {hint}", file=sys.stderr)
        return 1
    if settings.output == "json":
        print(json.dumps([as_json(row) for row in found], indent=2))
        return 0
    colour = colours(sys.stdout)
    print("\n\n".join("\n".join(_explained(group, colour=colour)) for group in _grouped(found)))
    return 0


def _list(settings: Settings) -> int:
    if settings.output == "json":
        print(json.dumps([as_json(row) for row in rows()], indent=2))
        return 0
    sys.stdout.write("".join(f"{row.path}\t{row.status}\n" for row in rows()))
    return 0


def as_json(row: Row) -> dict[str, Any]:
    """All that is known of a path."""
    spec = row.keyword
    return {
        "path": row.path,
        "sort": row.sort.value,
        "status": row.status,
        "arguments": row.arguments,
        "doc": row.doc,
        "default": default_text(spec) if spec is not None and not row.negates else "",
        "values": spec.kind.expected() if spec is not None and not row.negates else "",
        "unit": unit(spec) if spec is not None else "",
        "inherits": inherited_from(row),
        "repeated": REPEATED[spec.repeat] if spec is not None else "",
        "process": row.process,
        "since": row.since,
        "deprecated": row.deprecated,
        "target": row.target or None,
    }


def _grouped(found: tuple[Row, ...]) -> list[list[Row]]:
    """Places where the same is to be said, together."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in found:
        key = (row.name, row.arguments, row.doc, *(text for _, text in facts(row)))
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _explained(group: list[Row], *, colour: bool) -> Iterator[str]:
    """Paths for a person: what to write, what it does, and what else there is to know."""
    row = group[0]
    for each in group:
        yield coloured(each.path, BOLD, on=colour)
    glue = "" if row.name.endswith(("=", "(")) or not row.arguments else " "
    if row.arguments or row.sort is Sort.KEYWORD or row.sort is Sort.OPTION:
        yield f"    {row.name}{glue}{row.arguments}"
    yield from textwrap.wrap(row.doc, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    for name, text in facts(row):
        if text:
            indent = " " * 15
            lines = textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
            yield f"    {coloured(f'{name:<11}', DIM, on=colour)}{lines[0][15:]}"
            yield from lines[1:]
    inside = children(row)
    if inside:
        yield f"    {coloured('holds', DIM, on=colour)}"
        for each in inside:
            yield from _inside(each)


def _inside(row: Row) -> Iterator[str]:
    """One line, or a few, about what stands in a block."""
    left = " ".join(part for part in (row.name, row.arguments) if part)
    text = row.doc if row.effective else f"{row.doc} (Not effective yet.)"
    indent = " " * 44
    lines = textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    if len(left) > 34:
        yield f"        {left}"
        yield from lines
    else:
        yield f"        {left:<36}{lines[0].lstrip()}"
        yield from lines[1:]
