"""What is written for people: colours where a terminal reads and nobody has forbidden them."""

import os
from typing import TextIO

BOLD, RED, GREEN, YELLOW, DIM = "1", "31", "32", "33", "2"


def colours(stream: TextIO) -> bool:
    """Whether to write colours there. A variable NO_COLOR that is not empty forbids them."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def coloured(text: str, colour: str, *, on: bool) -> str:
    """The text in that colour."""
    return f"\x1b[{colour}m{text}\x1b[0m" if on and text else text
