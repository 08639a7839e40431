"""The grammar of a route: options in any order, the destination among them, next hops last.

blackhole 198.51.100.0/24 metric 20
198.51.101.0/24 nexthop via 203.0.113.1 weight 2 nexthop via 203.0.113.2 encap mpls 100
"""

from functools import cache

import pyparsing as pp

from pykeepalived.config.blocks.routes import ENCAPS, TYPES
from pykeepalived.config.grammar import words
from pykeepalived.config.grammar.words import ANY, address, either, flag, gathered, option, subject, unknown
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
    item = address() | option("via|gw", before=_FAMILY)
    item |= option(either(words.valued("route") - locked - _OWN))
    item |= flag(either(words.flags("route") - _OWN))
    item |= option(either(locked), before="lock")
    item |= option("to|inet6|inet")
    item |= option("as", before="to")
    item |= _encapsulation()
    item |= _nexthops()
    item |= option(f"{either(TYPES)}|0[xX][0-9a-fA-F]+|[0-9]+", make=words.typed)
    item |= unknown()
    return words.line(item)


def parse(text: str) -> tuple[Piece, ...]:
    """The options of a line. Every text parses: what is no option is unknown, or a destination."""
    return tuple(_grammar().parse_string(text).as_list())
