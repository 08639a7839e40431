"""Statements into blocks, by the blocks' tables. Every mistake is reported and reading goes on.

A block that is not known is skipped whole: none of its words may take effect in the block around it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pykeepalived.config.braces import Braces
from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.entry_lines import entry
from pykeepalived.config.kept import KeptText, Memory, ReadWhole, text_of
from pykeepalived.config.kinds import NOTHING, Choice, Command, Entries, Kind, Names, Problem, Refused
from pykeepalived.config.kinds_lvs import NamedEntries
from pykeepalived.config.language import ROOT, TOP
from pykeepalived.config.lexer import CLOSE, KEPT, OPEN, WORDS, Line, Statement, split_words, strip_comment
from pykeepalived.config.preprocess import Preprocessor
from pykeepalived.config.raw import Given, NamedLines, Raw
from pykeepalived.config.schema import Block, Keyword, Repeat
from pykeepalived.config.script_line import command, shell_words
from pykeepalived.config.unknown_words import UnknownWords
from pykeepalived.records import record

NEEDS_NAME = frozenset({"vrrp_script", "vrrp_track_process", "track_file", "bfd_instance", "virtual_server_group"})
"""Blocks whose missing name ends keepalived at once."""
ONE_NAME = frozenset({"vrrp_instance", "vrrp_sync_group", "track_group"})
UNIQUE = ONE_NAME | {"bfd_instance"}
NAMED = NEEDS_NAME | ONE_NAME
MANY_NOT_EFFECTIVE = 500
PATIENCE = 300
"""Blocks unlike all before them, one after the other, behind which comparing is given up."""


@record(frozen=True, slots=True)
class _Beginning:
    """What came of the first lines of a block, of which nothing was to be said."""

    given: dict[str, Given]
    said: dict[str, Given]
    brace: Line
    """The line above them."""
    idle: int
    """How many keywords were not effective yet."""


class Interpreter:
    """Reads statements into a tree of blocks.

    With ``remember`` a block within a block whose lines are those of one before it, of which nothing was to be said,
    is not read again, nor are such lines at the beginning of a virtual server: in files of many servers most are alike.
    """

    def __init__(
        self,
        preprocessor: Preprocessor,
        path: str,
        findings: Findings,
        *,
        remember: bool = False,
        memory: Memory | None = None,
    ) -> None:
        self._preprocessor = preprocessor
        self._memory = memory
        self._statements = preprocessor.statements(path)
        self._findings = findings
        self._remember = remember
        self._told: set[tuple[str, int, int, str]] = set()
        """Places of words that were said to be unknown."""
        self._named: dict[tuple[str, str], Statement] = {}
        """Heads of named blocks, the first of each name."""
        self._alike: dict[str, int] = {}
        """By path: how many blocks more are compared with those before without one that is alike."""
        self.recalled: set[tuple[str, int]] = set()
        """Files and lines that others are like, which were not read again: a place in them is one of many."""
        self._waiting: Statement | None = None
        self._inside = False  # a block other than global_defs
        self._order = 0
        self._brace = Line("", 0, "", "")  # the line of the last opening brace
        self._closed_at = 0  # the line of the last closing brace
        self.texts: dict[int, str] = {}
        """Of virtual servers, by their order: what a next reading may know them by."""
        self.runs: list[tuple[int, range]] = []
        """Orders of blocks that were not read, and their places in the memory."""
        self._unclosed_said = False
        self._braces = Braces()
        self._unknown_words = UnknownWords(self._braces)
        self._values: dict[int, dict[str, Any]] = {}
        """Of each keyword, by the id of its row in the table: single words that were read already."""
        self._blocks: dict[tuple[str, ...], Raw] = {}
        """Of each block, by its path and its lines: what came of them, when nothing was to be said."""
        self._beginnings: dict[tuple[str, ...], _Beginning] = {}
        """Of virtual servers, by the lines before the first block in them: likewise."""
        self._idle = 0
        """How often a keyword was met that is not effective yet."""
        self._idle_blocks: set[int] = set()
        """Orders of remembered blocks that have such keywords."""
        self.not_effective: dict[str, str] = {}
        """Path of a keyword -> what is said about it."""
        self.root = Raw(ROOT, Statement(WORDS, ["root"], Line("", 0, "", ""), 0, 0), 0)

    def run(self) -> Raw:
        """Reads everything."""
        while self._block(self.root, "", TOP):
            pass
        return self.root

    # --- the stream ---

    def _next(self) -> Statement | None:
        statement = self._waiting
        if statement is not None:
            self._waiting = None
        else:
            statement = next(self._statements, None)
        while (
            statement is not None
            and statement.line.edits is not None
            and self._inside
            and statement.kind == WORDS
            and ("#" in statement.text or "!" in statement.text)
        ):
            uncommented = self._without_escaped_comment(statement)
            if uncommented is not None:
                return uncommented
            statement = next(self._statements, None)
        return statement

    def _without_escaped_comment(self, statement: Statement) -> Statement | None:
        r"""A ``\#`` is a ``#`` for global_defs alone: elsewhere keepalived strips comments once more.

        It must mean the same here, lest two nodes have different passwords.
        """
        line, _ = strip_comment(statement.line.cut(statement.start, statement.end))
        if len(line.text) == statement.end - statement.start:
            return statement
        place = statement.start + len(line.text)
        message = "a comment begins here, also behind a backslash"
        hint = "put the word between double quotes if the character is part of it"
        span = statement.line.span(place, place + 1)
        self._findings.add(Diagnostic(Severity.WARNING, message, span, hint))
        words = split_words(line.text)
        return Statement(WORDS, words, line, 0, len(line.text)) if words else None

    def _commented_head(self, statement: Statement) -> None:
        r"""A ``\#`` in the head of a block: keepalived loses the opening brace behind it, and with it the block."""
        if statement.line.columns is None or not ("#" in statement.text or "!" in statement.text):
            return
        line, _ = strip_comment(statement.line.cut(statement.start, statement.end))
        if len(line.text) < statement.end - statement.start:
            place = statement.start + len(line.text)
            message = f"Missing '{{' at beginning of configuration block: {statement.words[0]}"
            hint = "a comment begins here, also behind a backslash: put the name between double quotes"
            self._error(message, statement.line.span(place, place + 1), hint, Problem.MISSING_BOB)

    def _peek(self) -> Statement | None:
        if self._waiting is None:
            self._waiting = next(self._statements, None)
            if self._waiting is not None and self._waiting.kind == KEPT:
                raise ReadWhole
        return self._waiting

    def _inner(self) -> Statement | None:
        """The next statement within braces, where nothing can have been kept."""
        statement = self._next()
        if statement is not None and statement.kind == KEPT:
            raise ReadWhole
        return statement

    def _error(
        self, message: str, span: Span | None, hint: str | None = None, problem: Problem | None = Problem.GENERAL_ERROR
    ) -> None:
        severity = Severity.WARNING if problem in (Problem.DEPRECATED, None) else Severity.ERROR
        self._findings.add(Diagnostic(severity, message, span, hint, problem, problem is Problem.LACKS_WORD))

    def _warn(self, message: str, span: Span | None, hint: str | None = None) -> None:
        self._findings.add(Diagnostic(Severity.WARNING, message, span, hint))

    # --- blocks ---

    def _block(self, raw: Raw, path: str, blocks: Mapping[str, Block]) -> bool:
        """Reads up to the closing brace of this block. True when, at the root, there is more."""
        while True:
            statement = self._next()
            if statement is None:
                if path:
                    self._unclosed(raw.head)
                return False
            if statement.kind == WORDS:
                self._line(raw, path, blocks, statement)
            elif statement.kind == CLOSE:
                if path:
                    self._closed_at = statement.line.number
                    self._braces.closed(raw.head, statement, top="/" not in path)
                    return True
                hint = self._braces.surplus()
                self._error("Unexpected '}' - ignoring", statement.span(), hint, Problem.UNEXPECTED_EOB)
            elif statement.kind == KEPT:
                self._keep(raw, path, statement)
            else:
                self._stray(statement)

    def _line(self, raw: Raw, path: str, blocks: Mapping[str, Block], statement: Statement) -> None:
        """A keyword of the block, or the head of a block in it."""
        name = statement.words[0]
        spec = raw.table.keywords.get(name)
        if spec is not None:
            self._keyword(raw, path, name, spec, statement)
        elif name in blocks:
            self._open(raw, path, blocks[name], statement)
        else:
            self._other(raw, path, name, statement, blocks)

    def _keep(self, raw: Raw, path: str, statement: Statement) -> None:
        """Blocks of the configuration before, at the top or in a virtual server as they were."""
        (text,) = statement.words
        if not isinstance(text, KeptText) or path != ("" if text.inside is None else "virtual_server"):
            raise ReadWhole
        self._order += 1
        if text.inside is None:
            self.runs.append((self._order, text.blocks))
        else:
            raw.kept = (*raw.kept, (self._order, text))

    def _stray(self, statement: Statement) -> None:
        hint = "no block begins here; what is in these braces is ignored"
        self._error("Unexpected '{' - ignoring", statement.span(), hint, Problem.UNEXPECTED_BOB)
        self._skip(statement)

    def _unclosed(self, head: Statement) -> None:
        if self._unclosed_said:
            return  # the blocks around it miss theirs for the same reason
        self._unclosed_said = True
        self._error(
            f"the block '{' '.join(head.words[:3])}' is not closed: there are missing '}}'s or extra '{{'s",
            head.span(),
            f"add the missing }}: {self._braces.missing()}",
            Problem.MISSING_EOB,
        )

    def _skip(self, head: Statement) -> None:
        """Goes past the closing brace that matches the opening one just read."""
        depth = 1
        while (statement := self._inner()) is not None:
            if statement.kind != WORDS:
                depth += 1 if statement.kind == OPEN else -1
                if depth == 0:
                    return
        self._unclosed(head)

    def _open(self, raw: Raw, path: str, table: Block, statement: Statement) -> None:
        self._order += 1
        before = None if path else self._marks()
        position = self._preprocessor.position
        inner = Raw(table, statement, self._order)
        again = table.name == "global_defs" and next(raw.named("global_defs"), None)
        if again:
            inner = again  # the settings of several such blocks merge
        opened = self._opens(statement, table)
        where = f"{path}/{table.name}" if path else table.name
        if not table.effective and raw.table.effective:
            self._not_effective_yet(where, statement)
        if statement.words[0] in table.names:
            # keepalived tells it and does not count it
            message = f'"{statement.words[0]}" is deprecated, please use "{table.name}"'
            hint = f"write {table.name}"
            self._findings.add(Diagnostic(Severity.WARNING, message, statement.span(0), hint))
        if not path and table.name != "global_defs":
            self._commented_head(statement)
        refused = self._refuse_head(table.name, statement)
        if opened:
            if refused:
                self._skip(statement)
                return
            if path:
                if self._remember:
                    self._read_or_recall(inner, where, table)
                else:
                    self._block(inner, where, table.blocks)
                inner.lines = self._closed_at - statement.line.number + 1
            else:
                self._inside = table.name != "global_defs"
                if self._remember and table.name == "virtual_server":
                    self._begin_or_recall(inner, where, table.blocks)
                self._block(inner, where, table.blocks)
                self._inside = False
                if table.name == "virtual_server" and before == self._marks():
                    self._note_text(inner, position)
        if not refused and not again:
            raw.blocks.append(inner)

    def _marks(self) -> tuple[int, ...]:
        """These stay as they are while all is ordinary."""
        return self._preprocessor.depth, self._preprocessor.unusual, self._findings.count, self._idle

    def _note_text(self, block: Raw, position: int) -> None:
        """Ordinary text that was read just now."""
        text = text_of(self._preprocessor.lines_since(position), self._memory if block.kept else None)
        if text is not None:
            self.texts[block.order] = text

    def _read_or_recall(self, inner: Raw, where: str, table: Block) -> None:
        """Reads the block whose brace was just taken, unless one of the same lines was read before."""
        alike = self._alike.get(where, PATIENCE)
        lines = self._preprocessor.plain_block() if alike else None
        if lines is None:
            self._block(inner, where, table.blocks)
            return
        key = (where, *lines)
        known = self._blocks.get(key)
        if known is not None:
            inner.given, inner.said, inner.blocks = known.given, known.said, known.blocks
            if known.order in self._idle_blocks:
                self._idle += 1
            self._preprocessor.skip(len(lines))
            self._closed_at = inner.head.line.number + len(lines)
            self._alike[where] = PATIENCE
            self._recall(known.head.line, range(len(lines) + 2))
            return
        self._alike[where] = alike - 1
        before, idle = self._findings.count, self._idle
        self._block(inner, where, table.blocks)
        if self._findings.count == before:
            self._blocks[key] = inner
            if self._idle != idle:
                self._idle_blocks.add(inner.order)

    def _begin_or_recall(self, inner: Raw, where: str, blocks: Mapping[str, Block]) -> None:
        """Reads the lines before the first block in this one, unless the same were read in a block before."""
        alike = self._alike.get(where, PATIENCE)
        lines = self._preprocessor.plain_beginning() if alike else []
        if not lines:
            return
        key = tuple(lines)
        known = self._beginnings.get(key)
        if known is not None:
            inner.given, inner.said, inner.shared = known.given, known.said, True
            self._idle += known.idle
            self._preprocessor.skip(len(lines))
            self._alike[where] = PATIENCE
            self._recall(known.brace, range(1, len(lines) + 1))
            return
        self._alike[where] = alike - 1
        brace, before, idle, end = (
            self._brace,
            self._findings.count,
            self._idle,
            self._preprocessor.position + len(lines),
        )
        while self._preprocessor.position < end and (statement := self._next()) is not None:
            self._line(inner, where, blocks, statement)
        if self._findings.count == before and self._preprocessor.position == end:
            self._beginnings[key] = _Beginning(inner.given, inner.said, brace, self._idle - idle)
            inner.shared = True

    def _recall(self, line: Line, places: range) -> None:
        """Lines of that file, counted from this one, stand for others."""
        if (line.file, line.number + places[0]) not in self.recalled:
            self.recalled |= {(line.file, line.number + each) for each in places}

    def _apart(self, raw: Raw, name: str, statement: Statement) -> None:
        """A keyword below lines that other blocks share. What is said of a second use names the line of the first, and
        so must be said where that was read.
        """
        raw.given, raw.said = dict(raw.given), dict(raw.said)
        if name in raw.given:
            self.recalled.add((statement.line.file, statement.line.number))

    def _refuse_head(self, name: str, statement: Statement) -> bool:
        """Says what is wrong with the words before the brace; True when the block cannot be used."""
        words = statement.words
        if name in NEEDS_NAME and len(words) < 2:
            self._error(
                f"*** Configuration line starting `{name}` is missing a parameter",
                statement.span(),
                f"give it a name: {name} NAME {{",
                Problem.LACKS_WORD,
            )
            return True
        if name in ONE_NAME and len(words) != 2:
            hint = f"write {name} NAME {{" if len(words) < 2 else f'a name with blanks needs quotes: {name} "..." {{'
            self._error(f"{name} needs exactly one name - skipping", statement.span(), hint)
            return True
        first = self._named.get((name, words[1])) if name in NAMED else None
        if first is not None and name in UNIQUE:
            message = f"{name} '{words[1]}' is defined already on line {first.line.number} - skipping"
            self._error(message, statement.span(1), "rename one of the two")
            return True
        if first is not None:
            message = f"{name} '{words[1]}' is defined twice, the first is used"
            self._warn(message, statement.span(1), "rename one of the two")
        elif name in NAMED:
            self._named[name, words[1]] = statement
        if name == "global_defs" and len(words) > 1:
            self._warn("global_defs takes no words", statement.span(1), "remove them")
        return False

    def _opens(self, statement: Statement, inner: Block | None) -> bool:
        """Takes the opening brace. Without one: True when the lines that follow are the block's all the same."""
        following = self._peek()
        if following is not None and following.kind == OPEN:
            self._next()
            self._brace = following.line
            return True
        name = statement.words[0]
        self._error(
            f"Missing '{{' at beginning of configuration block: {name}",
            statement.span(0),
            f"write {' '.join(statement.words[:2])} {{ ... }}, braces and all, even when it is empty",
            Problem.MISSING_BOB,
        )
        words = inner.words() if inner is not None else ()
        return following is not None and following.kind == WORDS and following.words[0] in words

    # --- keywords ---

    def _other(self, raw: Raw, path: str, name: str, statement: Statement, blocks: Mapping[str, Block]) -> None:
        """A word that is neither a plain keyword nor a block of ours."""
        table = raw.table
        if (target := table.alias.get(name)) is not None:
            if name in table.deprecated:
                self._error(f"'{name}' is deprecated", statement.span(0), f"write {target}", Problem.DEPRECATED)
            elif name in table.former:
                message = f"'{name}' is deprecated"
                self._warn(message, statement.span(0), f"write {target}")
            self._keyword(raw, path, target, table.keywords[target], statement)
        elif (target := table.negated.get(name)) is not None:
            if raw.shared:
                self._apart(raw, target, statement)
            self._order += 1
            raw.given[target] = Given(value=False, statement=statement, order=self._order)
        else:
            self._unknown(statement, [*table.words(), *blocks], path)

    def _unknown(self, statement: Statement, known: list[str], path: str) -> None:
        name = statement.words[0]
        following = self._peek()
        block = following is not None and following.kind == OPEN
        # a line that is made over and over has its mistake once
        place = (statement.line.file, statement.line.number, statement.start, name)
        if place in self._told:
            self._findings.count += 1
        else:
            self._told.add(place)
            hint = self._unknown_words.hint(name, path, known)
            if block:
                skipped = "Its block is skipped." if hint and hint.endswith("?") else "its block is skipped"
                hint = f"{hint}{' ' if hint.endswith('?') else '; '}{skipped}" if hint else skipped
            self._error(f"Unknown keyword '{name}'", statement.span(0), hint, Problem.UNKNOWN_KEYWORD)
        if block:
            self._next()
            self._skip(statement)

    def _keyword(self, raw: Raw, path: str, name: str, spec: Keyword, statement: Statement) -> None:
        if raw.shared:
            self._apart(raw, name, statement)
        self._order += 1
        if not spec.effective and raw.table.effective:
            self._not_effective_yet(f"{path}/{name}" if path else name, statement)
        kind = spec.kind
        if kind.entries:
            self._entries(raw, name, spec, statement)
            return
        earlier = raw.given.get(name)
        if earlier is not None and spec.repeat is Repeat.FIRST and earlier.value != spec.default:
            where = earlier.statement.line.number
            hint = f"it is set on line {where}; remove one of the two"
            self._error(f"{name} is set already, the first stands", statement.span(0), hint)
            return
        try:
            value = self._value(kind, spec, statement)
        except Refused as refused:
            raw.said.setdefault(name, Given(None, statement, self._order))
            if spec.checked and refused.problem is Problem.LACKS_WORD:
                refused.problem = Problem.MISSING_PARAMETER
            if refused.word < 0 and refused.problem is not Problem.LACKS_WORD:
                refused.hint = refused.hint or f"write {statement.words[0]} {spec.arguments or kind.arguments()}"
            for each in (refused, *refused.also):
                self._refused(statement, each)
            value = refused.kept
        if value is not NOTHING and spec.repeat is Repeat.EACH:
            value = [*(earlier.value if earlier is not None else ()), Given(value, statement, self._order)]
        if value is not NOTHING and earlier is not None:
            value = self._again(name, spec, statement, earlier, value)
        if value is not NOTHING:
            raw.given[name] = Given(value, statement, self._order)

    def _value(self, kind: Kind, spec: Keyword, statement: Statement) -> Any:
        if kind.raw:
            if isinstance(kind, Command):
                warn = self._warn
                return command(kind, statement, lambda message, at, hint: warn(message, statement.span(at), hint))
            return kind.read(shell_words(statement))
        words = statement.words
        if len(words) != 2:
            return kind.read(words[1:])
        known = self._values.get(id(spec))
        if known is None:
            known = self._values[id(spec)] = {}
        word = words[1]
        if word in known:
            return known[word]
        value = known[word] = kind.read([word])
        return value

    def _not_effective_yet(self, where: str, statement: Statement) -> None:
        """To be said once at the start."""
        self._idle += 1
        if where not in self.not_effective and len(self.not_effective) < MANY_NOT_EFFECTIVE:
            line = statement.line
            self.not_effective[where] = f"{where} ({line.file}:{line.number})"

    def _again(self, name: str, spec: Keyword, statement: Statement, earlier: Given, value: Any) -> Any:
        """What a second use makes of the value: another one, more of it, or NOTHING."""
        line = earlier.statement.line.number
        if spec.repeat is Repeat.COLLECT:
            try:
                return spec.kind.merged(earlier.value, value)
            except Refused as refused:
                self._refused(statement, refused)
                return refused.kept
        if spec.repeat is Repeat.REPLACE:
            hint = f"it is also set on line {line}"
            self._error(f"{name} is set already, this one replaces it", statement.span(0), hint)
        elif value != earlier.value and (
            spec.repeat is Repeat.SAME
            or (
                spec.repeat is Repeat.STRONGEST
                and isinstance(spec.kind, Choice)
                and earlier.value == spec.kind.words[0]
            )
        ):
            hint = f"it is set on line {line}; remove one of the two"
            self._error(f"{name} is {earlier.value} already - ignoring {value}", statement.span(1), hint)
            return NOTHING
        return value

    def _refused(self, statement: Statement, refused: Refused) -> None:
        message = refused.message
        if refused.problem is Problem.LACKS_WORD:
            message = f"*** Configuration line starting `{statement.words[0]}` is missing a parameter"
            hint = f"{statement.words[0]} {refused.message}" + (f"; {refused.hint}" if refused.hint else "")
            self._error(message, statement.span(0), hint, refused.problem)
            return
        if refused.problem is Problem.UNMATCHED_QUOTE and statement.text.count('"') % 2:
            return  # said when the line was read
        message = f"{statement.words[0]}{'' if refused.word < 0 else ':'} {message}"
        self._error(message, statement.span(refused.word + 1), refused.hint or None, refused.problem)

    # --- blocks of lines ---

    def _value_block(self, statement: Statement) -> bool:
        """Takes the brace of a block of lines; without one the lines count all the same."""
        if len(statement.words) > 1:
            self._error(
                f"Block {statement.words[0]} has extra parameters: {' '.join(statement.words[1:])}",
                statement.span(1),
                "put them between the braces, each on a line",
            )
        following = self._peek()
        if following is not None and following.kind == OPEN:
            self._next()
            return True
        self._findings.add(
            Diagnostic(
                Severity.WARNING,
                f"'{{' is missing after {statement.words[0]}",
                statement.span(0),
                "the lines up to the next } are taken",
            )
        )
        return following is not None and following.kind == WORDS

    def _lines_of(self, head: Statement) -> Iterator[Statement]:
        while (statement := self._inner()) is not None:
            if statement.kind == CLOSE:
                self._braces.closed(head, statement, top=False)
                return
            if statement.kind == OPEN:
                self._stray(statement)
                continue
            yield statement
        self._unclosed(head)

    def _entries(self, raw: Raw, name: str, spec: Keyword, statement: Statement) -> None:
        kind = spec.kind
        order = self._order
        earlier = raw.given.get(name)
        if isinstance(kind, NamedEntries):
            self._named_entries(raw, name, statement, order)
            return
        has_lines = self._value_block(statement)
        values: list[Any] = []
        if has_lines:
            for line in self._lines_of(statement):
                if isinstance(kind, Names):
                    values += [Given(word, line, index) for index, word in enumerate(line.words)]
                elif isinstance(kind, Entries) and kind.plain:
                    values.append(Given(line.words, line, order))
                elif isinstance(kind, Entries):
                    values.append(entry(kind.grammar, line, order))
        if earlier is not None:
            if spec.repeat is Repeat.FIRST:
                where = earlier.statement.line.number
                self._error(f"{name} is set already, the first stands", statement.span(0), f"it is set on line {where}")
                return
            values = [*earlier.value, *values]
        raw.given[name] = Given(values, statement, order)

    def _named_entries(self, raw: Raw, name: str, statement: Statement, order: int) -> None:
        """A block of lines with a name: its lines stay as they are."""
        self._commented_head(statement)
        refused = self._refuse_head(name, statement)
        lines = list(self._lines_of(statement)) if self._opens(statement, None) else []
        if not refused:
            earlier = raw.given.get(name)
            group = NamedLines(statement.words[1], tuple(lines), statement)
            raw.given[name] = Given((*(earlier.value if earlier else ()), group), statement, order)
