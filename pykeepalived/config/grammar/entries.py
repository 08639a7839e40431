"""The grammar of an entry: a subject and then options in any order, some of them with a value.

203.0.113.5/24 dev eth1 label eth1:v brd +
"""

from functools import cache

import pyparsing as pp

from pykeepalived.config.raw import Piece
from pykeepalived.config.schema import entry_options

_BLANKS = " \t\f\v\r"


def _names(names: frozenset[str]) -> pp.ParserElement:
    longest = sorted(names, key=len, reverse=True)
    return pp.Regex(rf"(?:{'|'.join(map(_escaped, longest))})(?=[ \t\f\v\r]|$)")


def _escaped(name: str) -> str:
    return name.replace("-", r"\-")


def _piece(text: str, at: int, tokens: pp.ParseResults) -> Piece:  # noqa: ARG001
    words = tokens.as_list()
    return Piece(words[0], words[1] if len(words) > 1 else None, at)


def _unknown(text: str, at: int, tokens: pp.ParseResults) -> Piece:
    while text[at] in _BLANKS:  # pyparsing tells where an alternative was tried, not where it stands
        at += 1
    return Piece("", tokens[0], at)


@cache
def _grammar(name: str) -> pp.ParserElement:
    quoted = pp.Regex(r'"(?P<inside>[^"]*)"').set_parse_action(lambda tokens: tokens["inside"])
    word = (quoted | pp.Regex(r'[^ \t\f\v\r\n"]+')).set_whitespace_chars(_BLANKS)
    valued, flags = entry_options(name)
    options = (_names(valued) + pp.Optional(word.copy())).set_parse_action(_piece)
    if flags:
        options |= _names(flags).set_parse_action(_piece)
    unknown = word.copy().add_parse_action(_unknown)
    whole = word.copy() + pp.ZeroOrMore(options | unknown)
    return whole.parse_with_tabs().set_whitespace_chars(_BLANKS)


def parse(name: str, text: str) -> tuple[str, tuple[Piece, ...]]:
    """The subject and the options of an entry of that grammar. Every text parses: what is no option is unknown."""
    tokens = _grammar(name).parse_string(text).as_list()
    return tokens[0], tuple(tokens[1:])
