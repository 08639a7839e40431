"""What there is to know of a path besides its sentence, in words: default, values, inheritance, spellings, status."""

from collections.abc import Iterator
from dataclasses import is_dataclass

from pykeepalived.config.kinds import Timer, Words
from pykeepalived.config.listing import Row, Sort, inherited_from
from pykeepalived.config.schema import UNSET, Keyword, Repeat

REPEATED = {
    Repeat.LAST: "",
    Repeat.FIRST: "a second one is an error, the first counts",
    Repeat.REPLACE: "a second one is an error, the last counts",
    Repeat.COLLECT: "a second one adds to the first",
    Repeat.EACH: "each one counts",
    Repeat.SAME: "a second one that differs is an error, the first counts",
    Repeat.STRONGEST: "the first word of its values cannot be taken back",
}
_SORTS = {
    Sort.BLOCK: "block",
    Sort.KEYWORD: "keyword",
    Sort.OPTION: "option of a line",
    Sort.SUBJECT: "beginning of a line",
    Sort.PREPROCESSOR: "read before the blocks",
}


def facts(row: Row) -> Iterator[tuple[str, str]]:
    """Names and texts; an empty text is nothing to tell."""
    if row.sort is not Sort.KEYWORD:
        yield "kind", _SORTS[row.sort]
    if row.target:
        yield ("spells" if not row.negates else "takes back"), row.target
    if row.deprecated:
        yield "deprecated", f"write {row.target.rpartition('/')[2]}"
    spec = row.keyword
    if spec is not None and not row.negates:
        expected = spec.kind.expected()
        counted = unit(spec)
        default = default_text(spec)
        yield "default", f"{default} {spec.kind.unit}".rstrip() if default[:1].isdigit() else default
        yield "values", "" if expected in row.arguments else expected
        yield "unit", "" if spec.kind.unit and expected.endswith(f" {spec.kind.unit}") else counted
        source = inherited_from(row)
        yield "inherits", f"the value of {source}, where this is not given" if source else ""
        yield "repeated", REPEATED[spec.repeat]
        if not row.target:
            others = [*spec.aliases, *(f"{each} (deprecated)" for each in (*spec.deprecated, *spec.former))]
            yield "also", ", ".join(others)
            yield "taken back", f"by {spec.negated}" if spec.negated else ""
    yield "process", row.process
    yield "since", row.since
    yield "status", "works" if row.effective else "read and checked; pykeepalived does not act upon it yet"


def unit(spec: Keyword) -> str:
    """What is counted."""
    return {"s": "seconds"}.get(spec.unit or spec.kind.unit, spec.unit or spec.kind.unit)


def default_text(spec: Keyword) -> str:
    """The default as a person reads it; nothing where there is none to tell."""
    value = spec.default
    if value is UNSET:
        return ""
    if value is None or value == () or value in ("", b""):
        return "unset"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and not isinstance(spec.kind, Timer):
        return str(value)
    return "" if is_dataclass(value) and isinstance(spec.kind, Words) else spec.kind.write(value)
