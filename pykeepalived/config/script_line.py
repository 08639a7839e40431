"""The line of a keyword that takes a command: read anew by the rules of a shell."""

from collections.abc import Callable

from pykeepalived.config.kinds import Command, Problem, Refused
from pykeepalived.config.lexer import Statement, script_words
from pykeepalived.config.raw import CommandGiven

_OPEN_QUOTE = "a quote or a backslash is left open, the script is dropped"


def command(kind: Command, statement: Statement, warn: Callable[[str, int, str], None]) -> CommandGiven | None:
    """The command, and who runs it. ``warn`` is told a message, the word it is about, and a hint."""
    words = script_words(statement.text, escapes=False)
    if words is None:
        raise Refused(_OPEN_QUOTE, 0, "close the quote", Problem.UNMATCHED_QUOTE)
    if len(words) < 2:
        if kind.optional:
            return None
        raise Refused("needs a command", -1, "write the path of a program", Problem.MISSING_PARAMETER)
    argv = script_words(words[1], escapes=True)
    if argv is None:
        raise Refused(_OPEN_QUOTE, 0, "close the quote", Problem.UNMATCHED_QUOTE)
    if not argv or not argv[0]:
        raise Refused("the command is empty", 0, "write the path of a program")
    if not kind.user:
        if len(words) > 2:
            hint = f'quote the command with its arguments: {words[0]} "{" ".join(words[1:])}"'
            warn(f"words after the command are ignored: '{words[2]}'", 2, hint)
        return CommandGiven(tuple(argv))
    group = words[3] if len(words) > 3 else None
    return CommandGiven(
        tuple(argv),
        words[2] if len(words) > 2 else None,
        (group.removeprefix(":") or None) if group is not None else None,
        supplementary=group is not None and group.startswith(":"),
    )


def shell_words(statement: Statement) -> list[str]:
    """The words behind the keyword, quotes and escapes taken as a shell takes them."""
    words = script_words(statement.text, escapes=True)
    if words is None:
        raise Refused("a quote or a backslash is left open", 0, "close the quote", Problem.UNMATCHED_QUOTE)
    return words[1:]
