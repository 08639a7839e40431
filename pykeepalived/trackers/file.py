"""track_file: what the text of a file says, as C's strtol reads it with base 0."""

import re

LONGEST = 128
"""So many octets of a file are looked at."""

_NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_LEAST, _MOST = -(1 << 31), (1 << 31) - 1


def number(text: bytes) -> int | None:
    """The number that the text begins with, 0 when it begins with none; None when it does not fit into 32 bits."""
    found = _NUMBER.match(text)
    if found is None:
        return 0
    sign, digits = found[1], found[2].lower()
    base = 16 if digits.startswith(b"0x") else 8 if digits.startswith(b"0") else 10
    value = int(digits.removeprefix(b"0x"), base)
    if sign == b"-":
        value = -value
    return value if _LEAST <= value <= _MOST else None
