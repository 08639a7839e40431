"""Where a brace is missing or too many: guessed from the indentation, for the remedy alone."""

from pykeepalived.config.lexer import Statement


class Braces:
    """Remembers how blocks were closed."""

    def __init__(self) -> None:
        self._misplaced: tuple[Statement, Statement] | None = None
        """Head and closing brace of the first block whose brace seems meant for an outer one."""
        self._last: tuple[Statement, Statement] | None = None
        """Head and closing brace of the block at the top that ended last."""

    def closed(self, head: Statement, close: Statement, *, top: bool) -> None:
        """A block has ended. A brace that stands further left than its block hints at one that is missing above."""
        if top:
            self._last = head, close
        if self._misplaced is not None or close.start >= len(head.line.text) - len(head.line.text.lstrip()):
            return
        at, begun = _indentation(close), _indentation(head)
        if at is not None and begun is not None and at < begun:
            self._misplaced = head, close

    def missing(self) -> str:
        """Where to look for a brace that is missing."""
        if self._misplaced is None:
            return "it may belong to a block further down"
        head, close = self._misplaced
        return (
            f"the }} on line {close.line.number} closes {_title(head)} of line {head.line.number}, "
            "though it stands further left: the missing } belongs above it"
        )

    def surplus(self) -> str:
        """Where to look for a brace that is too many."""
        if self._last is None or _in_line(*self._last):
            return "remove it, or look for a block closed too early above"
        head, close = self._last
        return f"remove it: the }} on line {close.line.number} has closed {_title(head)} already"

    def closed_above(self, home: str) -> str:
        """That a block of that name was closed just above by a brace that does not look like its own; or nothing."""
        if self._last is None or home != self._last[0].words[0] or _in_line(*self._last):
            return ""
        head, close = self._last
        return f"; {_title(head)} was closed by the }} on line {close.line.number}"


def _title(head: Statement) -> str:
    return f"'{' '.join(head.words[:3])}'"


def _in_line(head: Statement, close: Statement) -> bool:
    """The closing brace stands where one looks for it."""
    at = _indentation(close)
    return at is not None and at == _indentation(head)


def _indentation(statement: Statement) -> int | None:
    """How far from the left a statement begins its line; None when it is not the first, or comes of a definition."""
    line = statement.line
    if line.edits is not None or line.text[: statement.start].strip():
        return None
    text = line.text.expandtabs(8)
    return len(text) - len(text.lstrip())
