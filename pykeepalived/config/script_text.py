"""A command as the words of the file that read as that command."""

import re

from pykeepalived.config.blocks.scripts import Script

_SHELL = ("/bin/sh", "-c")
_opens_a_file = re.compile(r"<[ \t]*/").match
_BARE = re.compile(r"[A-Za-z0-9_./:=,+%@^&*()?<>|;\[\]\-\u0080-\U0010ffff]+")
_HIDDEN = re.compile(r"""["'\\$~\x00-\x1f\x7f]""")


def command_text(script: Script) -> str:
    """The command with its arguments, as one word of the file."""
    argv = script.argv
    if argv[:2] == _SHELL and len(argv) == 3 and _opens_a_file(argv[2]):
        argv = tuple(argv[2].split(" "))  # as it stood there: the shell is the reader's addition
    text = " ".join(map(_argument, argv))
    return text if len(argv) == 1 and _BARE.fullmatch(text) else f'"{text}"'


def _argument(text: str) -> str:
    """One argument: between apostrophes where it must; what quotes cannot hold, as an escape."""
    if _BARE.fullmatch(text):
        return text
    hidden = _HIDDEN.sub(lambda found: f"\\{ord(found.group()):03o}", text)
    return f"'{hidden}'"
