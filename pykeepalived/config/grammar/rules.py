"""The grammar of a rule: selectors and one action in any order.

from 203.0.113.5/32 lookup 100 priority 2000
"""

from functools import cache, lru_cache

import pyparsing as pp

from pykeepalived.config.blocks.rules import TYPED
from pykeepalived.config.grammar import words
from pykeepalived.config.grammar.words import either, flag, option, options, unknown
from pykeepalived.config.raw import Piece

_OWN = {"inet", "inet6", "type"}
"""Options with a form of their own."""


@cache
def _grammar() -> pp.ParserElement:
    flags = words.flags("rule") - _OWN
    valued = words.valued("rule") - _OWN
    typed = option(either(valued & set(TYPED))) | flag(either(flags & set(TYPED)))
    item = options(either(valued | {"inet", "inet6"}), either(flags))
    item |= pp.Suppress(flag("type")) + typed
    item |= option("type")
    item |= unknown()
    return words.line(item)


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Piece, ...]:
    """The options of a line. Every text parses: what is no option is unknown."""
    return tuple(_grammar().parse_string(text).as_list())
