"""The grammar of a route: options in any order, the destination among them, next hops last.

blackhole 198.51.100.0/24 metric 20
198.51.101.0/24 nexthop via 203.0.113.1 weight 2 nexthop via 203.0.113.2 encap mpls 100
"""

from functools import cache, lru_cache

import pyparsing as pp

from pykeepalived.config.blocks.routes import ENCAPS, TYPES
from pykeepalived.config.grammar import words
from pykeepalived.config.grammar.words import ANY, address, either, flag, gathered, option, options, subject, unknown
from pykeepalived.config.raw import Piece

_OWN = {"to", "inet", "inet6", "as", "via", "gw", "encap", "nexthop"}
"""Options with a form of their own."""
_FAMILY = "inet6|inet"


def _encapsulation() -> pp.ParserElement:
    """An option of a tunnel needs its value here: without one it is a word of the route."""
    forms: list[pp.ParserElement] = []
    for name in ENCAPS:
        options = words.valued(f"encap_{name}")
        if options:
            head = words.exactly("encap", name)
            forms.append(gathered(head + pp.ZeroOrMore(option(either(options), needs=True))))
    forms.append(option("encap", before=ANY, make=subject))
    return pp.MatchFirst(forms)


def _nexthops() -> pp.ParserElement:
    """Next hops to the end of the line, and what is none of them behind."""
    member = option("via", before=_FAMILY) | option(either(words.valued("nexthop") - _OWN))
    member |= flag(either(words.flags("nexthop"))) | _encapsulation()
    hop = gathered(flag("nexthop") + pp.ZeroOrMore(member))
    return pp.OneOrMore(hop) + pp.ZeroOrMore(unknown("rest"))


@cache
def _grammar() -> pp.ParserElement:
    locked = words.locked("route")
    before = {"via|gw": _FAMILY, either(locked): "lock", "as": "to"}
    valued = words.valued("route") - locked - _OWN | {"to", "inet", "inet6"}
    types = f"{either(TYPES)}|0[xX][0-9a-fA-F]+|[0-9]+"
    item = address() | options(either(valued), either(words.flags("route") - _OWN), before, types)
    item |= _encapsulation() | _nexthops() | unknown()
    return words.line(item)


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Piece, ...]:
    """The options of a line. Every text parses: what is no option is unknown, or a destination."""
    return tuple(_grammar().parse_string(text).as_list())
