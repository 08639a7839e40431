"""docs/keywords.md: every keyword in a table, section by section."""

from collections.abc import Iterator

from pykeepalived.config.facts import facts
from pykeepalived.config.listing import Row, Sort
from pykeepalived.pages.sections import Section, notes, preprocessor, sections

_INTRO = """# Keywords

Everything `keepalived.conf` may hold, made from the tables the daemon reads the file by
(`python -m pykeepalived.config.generate`). `pykeepalived --explain NAME` says the same in a terminal.

- Times are seconds, with a fraction if need be.
- `[BOOL]` is `on`, `true`, `yes`, or `off`, `false`, `no`; the keyword alone means on.
- *Not effective yet* means read and checked, and named at the start, but not acted upon.
- Where no default stands, the keyword must be given or nothing comes of it.
"""


def keywords_page() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRO
    yield "## Blocks"
    yield ""
    yield from _overview()
    yield ""
    yield "## Before the blocks"
    yield ""
    yield "| Begins with | What it does |"
    yield "|---|---|"
    for row in preprocessor():
        glue = "" if row.name.endswith(("=", "(")) or not row.arguments else " "
        yield f"| {_code(row.name + glue + row.arguments)} | {_cell(row.doc)} |"
    for section in sections():
        yield ""
        yield from _section(section)


def _overview() -> Iterator[str]:
    yield "| Block | Process | What it is |"
    yield "|---|---|---|"
    for section in sections():
        head = section.head
        if head is not None and head.sort is Sort.BLOCK:
            name = f"[`{head.path}`](#{_anchor(head.path)})"
            yield f"| {name} | {head.process} | {_cell(' '.join([head.doc, *notes(head)]))} |"


def _section(section: Section) -> Iterator[str]:
    head = section.head
    if head is None:
        yield "## Outside every block"
    elif section.lines:
        yield f"### Lines of {', '.join(section.paths)}"
    else:
        yield f"## {head.path}"
        yield ""
        yield _code(f"{head.name} {head.arguments}")
        yield ""
        yield " ".join([head.doc, *notes(head)])
    yield ""
    if not section.rows:
        return
    yield "| Keyword | Default | Values | Meaning |"
    yield "|---|---|---|---|"
    for row in section.rows:
        if row.sort is Sort.BLOCK:
            yield f"| [`{row.name}`](#{_anchor(row.path)}) | | | {_cell(row.doc)} |"
        else:
            yield _row(row)


def _row(row: Row) -> str:
    told = dict(facts(row))
    words = _code(f"{row.name} {row.arguments}".strip())
    default, values = ("", "") if row.target else (told.get("default", ""), told.get("values", ""))
    meaning = " ".join([row.doc, *notes(row)])
    cells = (words, _code(default) if default not in ("", "unset") else default, _code(values), _cell(meaning))
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(path: str) -> str:
    """As the sites that show Markdown make it of a heading."""
    return "".join(c for c in path.lower() if c.isalnum() or c in "_- ").replace(" ", "-")
