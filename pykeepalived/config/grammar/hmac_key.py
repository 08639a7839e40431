"""The grammar of a key of auth_hmac behind its number: ``hex:A1 2 bc``, ``file:/etc/key``, or the key itself."""

from collections.abc import Sequence
from functools import cache

import pyparsing as pp


@cache
def _bytes() -> pp.ParserElement:
    """Two digits are a byte, a digit that stands alone is one too."""
    byte = pp.Regex(r"[0-9a-fA-F]{1,2}").set_parse_action(lambda tokens: int(tokens[0], 16))
    return pp.OneOrMore(byte) + pp.StringEnd()


def hexadecimal(words: Sequence[str]) -> bytes | None:
    """The bytes these words spell, or None."""
    try:
        return bytes(_bytes().parse_string(" ".join(words)).as_list())
    except pp.ParseException:
        return None
