"""The grammar of what follows use_vmac and use_ipvlan: words in any order, some of them with a value.

name vrrp.51 02:00:5e:00:01 group default
"""

from collections.abc import Sequence
from functools import cache

import pyparsing as pp

from pykeepalived.records import record

_BETWEEN = "\0"
"""Stands between words: no word of a file has it, and some have blanks."""


@record(frozen=True, slots=True)
class Option:
    """One option: ``what`` it is, its text, and which word of the line that is."""

    what: str
    text: str | None
    word: int


def _matching(pattern: str) -> pp.ParserElement:
    return pp.Regex(pattern).set_whitespace_chars(_BETWEEN)


def _exactly(*words: str) -> pp.ParserElement:
    return _matching(rf"(?:{'|'.join(words)})(?=\x00|$)")


def _option(what: str, element: pp.ParserElement) -> pp.ParserElement:
    def made(text: str, at: int, tokens: pp.ParseResults) -> Option:
        words = tokens.as_list()
        return Option(what, words[-1] if words else None, text.count(_BETWEEN, 0, at))

    return element.set_parse_action(made)


def _led(keyword: str, what: str, word: pp.ParserElement) -> pp.ParserElement:
    """A value behind its keyword. The keyword alone is an option without text."""
    return _option(what, pp.Suppress(_exactly(keyword)) + pp.Optional(word.copy()))


@cache
def _grammar(*, ipvlan: bool) -> pp.ParserElement:
    word = _matching(r"[^\x00]+")
    options = _led("group", "group", word) | _led("name", "name", word)
    if ipvlan:
        address = _matching(r"[^\x00]*:[^\x00]*|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(?:/[^\x00]*)?(?=\x00|$)")
        options |= _option("type", _exactly("bridge", "private", "vepa")) | _option("address", address)
    else:
        options |= _option("netlink_notify_msg", _exactly("netlink_notify_msg"))
        options |= _option("mac", _matching(r"[^\x00]*:[^\x00]*"))
    options |= _option("name", word.copy())
    return pp.ZeroOrMore(options).parse_with_tabs()


def parse(words: Sequence[str], *, ipvlan: bool = False) -> list[Option]:
    """The options among these words. Every text parses: what is nothing else is a name."""
    found: list[Option] = _grammar(ipvlan=ipvlan).parse_string(_BETWEEN.join(words)).as_list()
    return found
