"""What the grammars of lines are made of: an option with its value is one regular expression, for speed.

A word may stand between double quotes. Names of options come from the tables of the entries.
"""

import re
from collections.abc import Callable, Iterable, Mapping

import pyparsing as pp

from pykeepalived.config.kinds_routes import Lockable
from pykeepalived.config.raw import Piece
from pykeepalived.config.schema import entry_table

BLANK = " \t\f\v\r"
_BLANKS = rf"[{BLANK}]*"
_END = rf"(?=[{BLANK}\"]|$)"
_VALUE = rf'(?:"(?P<quoted>[^"]*)"|(?P<value>[^{BLANK}\n"]+))'
ANY = rf'[^{BLANK}\n"]+'
"""The form of a word."""


def either(names: Iterable[str]) -> str:
    """The form of one of these words."""
    return "|".join(re.escape(each) for each in sorted(names, key=len, reverse=True))


def _value(found: "re.Match[str]") -> str | None:
    quoted = found["quoted"]
    return found["value"] if quoted is None else quoted


def option(
    names: str, *, before: str = "", needs: bool = False, make: Callable[["re.Match[str]"], Piece] | None = None
) -> pp.ParserElement:
    """NAME [BEFORE] [VALUE]; with ``needs`` the value must be there. NAME and BEFORE are forms of words."""
    name = rf'(?:"(?P<named>{names})"|(?P<name>{names}){_END})'
    between = rf'(?:{_BLANKS}"?(?P<before>{before}){_END}"?)?' if before else ""
    value = rf"(?:{_BLANKS}{_VALUE})" + ("" if needs else "?")
    return _element(name + between + value, make or _piece)


def options(valued: str, flags: str, before: Mapping[str, str] | None = None, typed: str = "") -> pp.ParserElement:
    """Any option of a line, as one expression: NAME VALUE, NAME alone, NAME [WORD] VALUE by ``before``, TYPE VALUE.

    All are forms of words. A value that lacks is no mistake here.
    """
    introduced = list((before or {}).items())
    names = [rf"(?P<valued>{valued})", rf"(?P<flag>{flags})"]
    names += [rf"(?P<named{index}>{form})" for index, (form, _) in enumerate(introduced)]
    names += [rf"(?P<type>{typed})"] if typed else []
    between = "".join(
        rf'(?(named{index})(?:{_BLANKS}"?(?P<before{index}>{word}){_END}"?)?)'
        for index, (_, word) in enumerate(introduced)
    )
    form = rf'(?P<open>")?(?:{"|".join(names)})(?(open)"|{_END}){between}(?(flag)|(?:{_BLANKS}{_VALUE})?)'

    def make(found: "re.Match[str]") -> Piece:
        at = found.start()
        if (name := found["valued"]) is not None:
            return Piece(name, _value(found), at)
        if (name := found["flag"]) is not None:
            return Piece(name, None, at)
        for index in range(len(introduced)):
            if (name := found[f"named{index}"]) is not None:
                word = found[f"before{index}"]
                inner = (Piece(word, None, found.start(f"before{index}")),) if word else ()
                return Piece(name, _value(found), at, inner)
        return Piece("type", _value(found), at, (Piece(found["type"], None, at),))

    return _element(form, make)


def flag(names: str) -> pp.ParserElement:
    """NAME alone."""
    return _element(rf'(?:"(?P<named>{names})"|(?P<name>{names}){_END})', _flag)


def address() -> pp.ParserElement:
    """A word with a point, a colon or a slash: no option has one, so there is no need to try them all."""
    return _element(
        rf"(?P<value>[^{BLANK}\n\".:/]*[.:/][^{BLANK}\n\"]*)", lambda found: Piece("", found[0], found.start())
    )


def exactly(name: str, value: str) -> pp.ParserElement:
    """NAME and that very word."""
    return _element(
        rf"(?P<name>{name}){_END}{_BLANKS}(?P<value>{re.escape(value)}){_END}",
        lambda found: Piece(found["name"], found["value"], found.start()),
    )


def unknown(name: str = "") -> pp.ParserElement:
    """A word that is no option; the piece has that name."""
    return _element(_VALUE, lambda found: Piece(name, _value(found), found.start()))


def _element(form: str, make: Callable[["re.Match[str]"], Piece]) -> pp.ParserElement:
    element = pp.Regex(form, as_match=True).set_whitespace_chars(BLANK)
    return element.set_parse_action(lambda tokens: make(tokens[0]))


def written_name(found: "re.Match[str]") -> str:
    """The name of the option."""
    name: str = found["name"] or found["named"]
    return name


def _flag(found: "re.Match[str]") -> Piece:
    return Piece(written_name(found), None, found.start())


def _piece(found: "re.Match[str]") -> Piece:
    before = found.groupdict().get("before")
    inner = (Piece(before, None, found.start("before")),) if before else ()
    return Piece(written_name(found), _value(found), found.start(), inner)


def subject(found: "re.Match[str]") -> Piece:
    """NAME [WORD [VALUE]]: the word is the value of the piece, the value belongs to it."""
    value = _value(found)
    place = found.start("value") if found["quoted"] is None else found.start("quoted")
    inner = (Piece("", value, place),) if value is not None else ()
    return Piece(written_name(found), found["before"], found.start(), inner)


def gathered(element: pp.ParserElement) -> pp.ParserElement:
    """A piece and those behind it that belong to it, as one."""

    def gather(tokens: pp.ParseResults) -> Piece:
        head, *rest = tokens
        return Piece(head.name, head.value, head.at, (*head.inner, *rest))

    return element.set_parse_action(gather)


def locked(grammar: str) -> set[str]:
    """The options of that grammar before whose value ``lock`` may stand."""
    return {name for name, spec in entry_table(grammar).keywords.items() if isinstance(spec.kind, Lockable)}


def flags(grammar: str) -> set[str]:
    """The options of that grammar that have no value."""
    return {name for name, spec in entry_table(grammar).keywords.items() if not spec.kind.needs}


def valued(grammar: str) -> set[str]:
    """The options of that grammar that have a value, by each of their names."""
    table = entry_table(grammar)
    without = flags(grammar)
    return {name for name in table.words() if table.alias.get(name, name) not in without}


def line(item: pp.ParserElement) -> pp.ParserElement:
    """A whole line of these."""
    return pp.ZeroOrMore(item).parse_with_tabs().set_whitespace_chars(BLANK)
