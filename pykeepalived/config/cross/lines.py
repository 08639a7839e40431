"""What reading a route and a rule have in common: values by the table of the entry, and what is wrong with them.

The first mistake that costs the line ends the reading of it.
"""

from typing import Any

from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.kinds import AF_INET, AF_INET6, NOTHING, Interface, Problem, Refused
from pykeepalived.config.kinds_routes import Named, NamedKind
from pykeepalived.config.raw import EntryGiven, Piece, Raw
from pykeepalived.config.schema import Block, Keyword, entry_table
from pykeepalived.records import record

FAMILIES = {"inet": AF_INET, "inet6": AF_INET6}


class Dropped(Exception):  # noqa: N818 - the line cannot be used
    """The line is left out; why was said."""


@record(frozen=True, slots=True)
class Place:
    """Where lines stand."""

    owner: str
    """The instance; empty outside of them."""
    groups: frozenset[str] = frozenset()
    """The track_groups that lines may name."""
    without: frozenset[str] = frozenset()
    """Options that are not for this block."""


class Line:
    """One line, while it is read."""

    def __init__(self, what: str, place: Place, entry: EntryGiven, context: Context) -> None:
        self.what = what
        """``route`` or ``rule``."""
        self.place = place
        self.entry = entry
        self.context = context
        self.table: Block = entry_table(what)
        self.skipping: Piece | None = None
        """``inet`` or ``inet6`` with the word behind it, which keepalived skips."""
        self.family = 0
        """AF_INET or AF_INET6 once something has said it; it is read from left to right."""
        self._by = ""
        self._owner = f"({place.owner}) " if place.owner else ""

    def name(self, piece: Piece) -> str:
        """The option's own name; empty for a word that is no option here."""
        name = self.table.alias.get(piece.name, piece.name)
        return "" if name in self.place.without else name

    def error(
        self, message: str, piece: Piece | None, hint: str | None = None, problem: Problem = Problem.GENERAL_ERROR
    ) -> None:
        """A mistake that counts."""
        fatal = problem is Problem.LACKS_WORD
        self.context.error(self._owner + message, self.entry.span(piece), hint, problem, fatal=fatal)

    def warning(self, message: str, piece: Piece | None, hint: str | None = None) -> None:
        """Something to know."""
        self.context.warning(self._owner + message, self.entry.span(piece), hint)

    def drop(self, message: str, piece: Piece | None, hint: str | None = None) -> Dropped:
        """A mistake that costs the line."""
        if self.skipping is not None:
            hint = self._skipped_hint(self.skipping)
        self.error(f"{message} - the {self.what} is ignored", piece, hint)
        return Dropped()

    def lacks(self, piece: Piece, word: str) -> Dropped:
        """The line ends before a value."""
        first = self.entry.statement.words[0]
        message = f"*** Configuration line starting `{first}` is missing a parameter after keyword `{word}`"
        self.error(message, piece, f"write a value behind {word}, or remove it", Problem.LACKS_WORD)
        return Dropped()

    def text(self, piece: Piece) -> str:
        """The value of an option, which must be there."""
        if piece.value is None:
            raise self.lacks(piece, piece.inner[-1].name if piece.inner else piece.name)
        return piece.value

    def value(self, piece: Piece, spec: Keyword) -> Any:
        """The value by its kind."""
        words = [*(each.name for each in piece.inner), self.text(piece)]
        kind = spec.kind
        try:
            return kind.named(words, self.context.iproute_name) if isinstance(kind, NamedKind) else kind.read(words)
        except Refused as refused:
            message = f"{piece.name or self.what}: {refused.message}"
            hint = refused.hint
            if isinstance(kind, Named) and (near := nearest(words[-1], self.context.iproute_names(kind.file))):
                hint = f"{near} {hint}"
            return self.refused(refused, message, piece, hint)

    def refused(self, refused: Refused, message: str, piece: Piece, hint: str | None) -> Any:
        """Says what a kind refused; what stands all the same."""
        ending = f" - the {self.what} is ignored" if refused.kept is NOTHING else ""
        if refused.problem is None:  # keepalived takes it for something in silence
            self.warning(message + ending, piece, hint)
        else:
            self.error(message + ending, piece, hint, refused.problem)
        if refused.kept is NOTHING:
            raise Dropped
        return refused.kept

    def belongs(self, family: int, piece: Piece, name: str) -> None:
        """What has this family stands in a line of the same, or says that of the line."""
        if self.family not in (0, family):
            kinds = ("IPv6", "IPv4") if family == AF_INET6 else ("IPv4", "IPv6")
            message = f"{name} is {kinds[0]}, and {self._by} is {kinds[1]}"
            raise self.drop(message, piece, f"a {self.what} has addresses of one family; write one for each")
        self.family = family
        self._by = self._by or name

    def option_of(self, family: int, piece: Piece) -> None:
        """An option that lines of one family alone have."""
        if self.family not in (0, family):
            kind = "IPv6" if family == AF_INET6 else "IPv4"
            raise self.drop(f"{piece.name} goes with {kind} alone", piece, f"remove {piece.name}")
        self.belongs(family, piece, piece.name)

    def anything(self, piece: Piece, text: str) -> None:
        """``any``: it takes the family of what follows, and keepalived refuses it behind what has one."""
        if self.family:
            whole = "::/0" if self.family == AF_INET6 else "0.0.0.0/0"
            message = f"'{text}' cannot stand behind {self._by}, which has a family"
            raise self.drop(message, piece, f"write {whole}, or move it to the front")

    def interface(self, piece: Piece) -> str:
        """The name of an interface that there is."""
        name = self.text(piece)
        context = self.context
        if not context.dynamic_interfaces and context.interface(name) is None:
            context.missing_interface = True
            message = f"{self._owner}WARNING - interface {name} for a {self.what} doesn't exist"
            context.error(message, self.entry.span(piece), context.interface_hint(name), fatal=True)
            raise Dropped
        try:
            found: str = Interface().read([name])
        except Refused as refused:
            self.warning(f"{refused.message} - the {self.what} is ignored", piece, refused.hint)
            raise Dropped from None
        return found

    def skip(self, piece: Piece) -> None:
        """``inet`` and ``inet6``: keepalived skips the word behind them, so nobody knows what such a line means."""
        if piece.value is not None and self.skipping is None:
            self.skipping = piece

    def refuse_skipped(self) -> None:
        """Leaves out a line of which a word was skipped, where nothing else was wrong with it."""
        piece = self.skipping
        if piece is not None:
            message = f"keepalived skips '{piece.value}' behind {piece.name} - the {self.what} is ignored"
            self.warning(message, piece, self._skipped_hint(piece))
            raise Dropped

    def _skipped_hint(self, piece: Piece) -> str:
        hint = f"'{piece.value}' is skipped, as {piece.name} skips the word behind it: "
        if self.what == "route":
            return hint + f"remove {piece.name}, or write it behind via"
        return hint + f"remove {piece.name}, or write it at the end of the line"

    def group(self, piece: Piece, earlier: str | None) -> str | None:
        """The track_group of a static line; the first one stands, and it must be defined above."""
        name = self.text(piece)
        if earlier is not None:
            self.error(f"track_group {name} is a second one - ignored", piece, f"remove it: {earlier} is there already")
            return earlier
        if name not in self.place.groups:
            hint = nearest(name, self.place.groups) or f"define it above: track_group {name} {{ ... }}"
            self.error(f"track_group {name} not found - ignored", piece, hint)
            return None
        return name


def groups_above(root: Raw, order: int) -> frozenset[str]:
    """The track_groups defined above that place."""
    return frozenset(each.name for each in root.named("track_group") if each.order < order)
