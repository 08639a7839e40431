"""The manual: keepalived.conf(5), pykeepalived(8) and genhash(1)."""

from collections.abc import Iterator

from pykeepalived import __version__
from pykeepalived.cli.genhash import OPTIONS as GENHASH
from pykeepalived.cli.options import LANGUAGE_VERSION, SECTIONS, Option, value_text
from pykeepalived.config.facts import facts
from pykeepalived.config.listing import Row, Sort
from pykeepalived.pages import roff
from pykeepalived.pages.sections import Section, notes, preprocessor, sections


def _title(name: str, section: int) -> str:
    return f'.TH {name} {section} "" "pykeepalived {__version__}" "keepalived {LANGUAGE_VERSION} in Python"\n'


def configuration_page() -> str:
    """keepalived.conf(5)."""
    before = [line for row in preprocessor() for line in _keyword(row)]
    blocks = [line for section in sections() for line in _section(section)]
    return roff.frame(
        "keepalived.conf.5",
        title=_title("KEEPALIVED.CONF", 5),
        preprocessor="\n".join(before) + "\n",
        blocks="\n".join(blocks) + "\n",
    )


def daemon_page() -> str:
    """pykeepalived(8)."""
    lines = []
    later = []
    for title, options in SECTIONS:
        lines.append(f".SS {roff.text(title)}")
        for option in options:
            if option.effective:
                lines += _option(option)
            else:
                later.append(f"--{option.word}")
    return roff.frame(
        "pykeepalived.8",
        title=_title("PYKEEPALIVED", 8),
        options="\n".join(lines) + "\n",
        later=roff.text(", ".join(later)) + ".\n",
    )


def genhash_page() -> str:
    """genhash(1)."""
    lines = [line for option in GENHASH for line in _option(option)]
    return roff.frame("genhash.1", title=_title("GENHASH", 1), options="\n".join(lines) + "\n")


def _option(option: Option) -> list[str]:
    words = [roff.bold(f"-{option.letter}")] if option.letter else []
    value = value_text(option)
    words.append(roff.bold(f"--{option.word}") + roff.italic(value) if value else roff.bold(f"--{option.word}"))
    if value.startswith(" "):
        words[-1] = f"{roff.bold('--' + option.word)} {roff.italic(value)}"
    return roff.item(", ".join(words), roff.text(_sentence(option.text)))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _section(section: Section) -> Iterator[str]:
    head = section.head
    if head is None:
        yield ".SS Outside every block"
    elif section.lines:
        yield f".SS Lines of {roff.text(', '.join(section.paths))}"
    else:
        yield f".SS {roff.text(head.path)}"
        yield f"{roff.bold(head.name)} {roff.italic(head.arguments)}"
        yield ".PP"
        yield roff.text(" ".join([head.doc, *notes(head)]))
    for row in section.rows:
        if row.sort is Sort.BLOCK:
            yield from roff.item(
                roff.bold(f"{row.name} {{ ... }}"), f"{roff.text(row.doc)} Below: {roff.text(row.path)}."
            )
        else:
            yield from _keyword(row)


def _keyword(row: Row) -> list[str]:
    told = dict(facts(row))
    glue = "" if row.name.endswith(("=", "(")) or not row.arguments else " "
    head = roff.bold(row.name) + glue + roff.italic(row.arguments)
    said = [row.doc]
    if not row.target:
        if told.get("values", "") not in ("", "on|off"):
            said.append(f"Values: {told['values']}.")
        if told.get("default", "") not in ("", "unset", "off"):
            said.append(f"Default: {told['default']}.")
    return roff.item(head, roff.text(" ".join([*said, *notes(row)])))
