"""Lines of static_rules and virtual_rules as values: one action, one family, and a preference for each.

A rule of which a selector cannot be read is left out: without it the rule would be for more packets than were meant.
"""

from ipaddress import IPv4Interface
from typing import Any

from pykeepalived.config.blocks.routes import TYPES
from pykeepalived.config.blocks.rules import TYPED, WITHOUT_TABLE, RuleEntry
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.lines import FAMILIES, Dropped, Line, Place
from pykeepalived.config.kinds import AF_INET, AF_INET6, Refused
from pykeepalived.config.kinds_routes import ANY_WORDS, DEFAULT6, RTPROT_KEEPALIVED, Network, Prefix, any_base
from pykeepalived.config.raw import EntryGiven, Piece

FIRST_PREFERENCE = 16384
"""The first of those handed out to rules that have none."""
_FIELDS = {"from": "source", "not": "inverted", "tunnel-id": "tunnel_id"}
"""Options -> fields, where they differ."""
_OF_TABLES = ("realms", "suppress_prefixlength", "suppress_ifgroup")
_NUMBERED = {TYPES[name]: name for name in ("blackhole", "unreachable", "prohibit")}
"""Actions by the kernel's numbers of types, which may be written too."""
_ACTIONS = ("table", "l3mdev", "goto", *WITHOUT_TABLE)


class Preferences:
    """Hands out preferences, downwards, apart for each family."""

    def __init__(self) -> None:
        self._next = {AF_INET: FIRST_PREFERENCE, AF_INET6: FIRST_PREFERENCE}

    def take(self, family: int) -> int:
        """The next one."""
        taken = self._next[family]
        self._next[family] -= 1
        return taken


def rule(entry: EntryGiven, place: Place, context: Context, preferences: Preferences) -> RuleEntry | None:
    """The rule of a line, or None when it cannot be used (and that is said)."""
    try:
        return _Rule(Line("rule", place, entry, context), preferences).read()
    except Dropped:
        return None


class _Rule:
    """One line, while it is read."""

    def __init__(self, line: Line, preferences: Preferences) -> None:
        self._line = line
        self._preferences = preferences
        self._values: dict[str, Any] = {}
        self._at: dict[str, Piece] = {}
        self._action = ""

    def read(self) -> RuleEntry:
        """The rule, or Dropped."""
        for piece in self._line.entry.pieces:
            self._option(piece)
        return self._resolve()

    def _option(self, piece: Piece) -> None:
        line = self._line
        name = line.name(piece)
        if name in ("", "type"):
            if numbered := _NUMBERED.get(any_base(piece.value or "") or 0):
                self._one_action(piece, numbered)
                return
            raise self._unknown(piece, name)
        if name in FAMILIES:
            line.skip(piece)
            line.belongs(FAMILIES[name], piece, name)
            return
        if name in _ACTIONS:
            self._one_action(piece, name)
        spec = line.table.keywords[name]
        value: Any = True
        if name == "realms":
            line.option_of(AF_INET, piece)
        if name in ("from", "to"):
            value = self._prefix(piece)
        elif name in ("iif", "oif"):
            value = line.interface(piece)
        elif name == "track_group":
            value = line.group(piece, self._values.get(name))
        elif spec.kind.needs:
            value = self._value(piece, name)
        if name not in WITHOUT_TABLE:
            self._values[_FIELDS.get(name, name)] = value
        self._at[name] = piece

    def _value(self, piece: Piece, name: str) -> Any:
        line = self._line
        if name == "protocol" and piece.value is not None:
            try:
                return line.table.keywords[name].kind.read([piece.value])
            except Refused as refused:
                hint = f"{refused.hint}; names are for routes alone"
                line.error(f"protocol: {refused.message} - ignored", piece, hint)
                return RTPROT_KEEPALIVED
        return line.value(piece, line.table.keywords[name])

    def _unknown(self, piece: Piece, name: str) -> Dropped:
        line = self._line
        if name == "type":
            if piece.value is None:
                return line.lacks(piece, "type")
            known = f"behind type there may be {', '.join(TYPED)}; tables go without it"
            return line.drop(f"type {piece.value} is no action", piece, known)
        text = piece.name or piece.value or ""
        hint = {"ip_proto": "write ipproto", "nat": "the kernel has no such rules any more"}.get(text)
        if text in line.place.without:
            hint = f"{text} is for static_rules alone"
        elif hint is None and text[:1].isdigit():
            hint = f"write from {text}, or to {text}"
        hint = hint or nearest(text, line.table.words()) or "write from PREFIX lookup TABLE priority NUMBER"
        return line.drop(f"'{text}' is no option of a rule", piece, hint)

    # --- families ---

    def _prefix(self, piece: Piece) -> Prefix | None:
        """The prefix, None for every address. A prefix says the family, and every address does not."""
        line = self._line
        text = line.text(piece)
        if text in ANY_WORDS:
            line.anything(piece, text)
            return None
        if text == DEFAULT6:
            line.belongs(AF_INET6, piece, piece.name)
            return None
        try:
            found: Prefix = Network().read([text])
        except Refused as refused:
            found = line.refused(refused, f"{piece.name}: {refused.message}", piece, refused.hint)
        line.belongs(AF_INET if isinstance(found, IPv4Interface) else AF_INET6, piece, piece.name)
        return found if found.network.prefixlen else None

    # --- actions and preference ---

    def _one_action(self, piece: Piece, name: str) -> None:
        if self._action:
            message = f"{name} is a second action, beside {self._action}"
            raise self._line.drop(message, piece, "write a rule for each")
        self._action = name

    def _resolve(self) -> RuleEntry:
        line, values = self._line, self._values
        family = line.family or AF_INET
        if not self._action:
            hint = "add lookup TABLE, or one of goto, nop, blackhole, unreachable, prohibit, l3mdev"
            raise line.drop("a rule needs an action", None, hint)
        if self._action not in ("table", "l3mdev"):
            for name in _OF_TABLES:
                if name in self._at:
                    raise line.drop(f"{name} goes with a table, not with {self._action}", self._at[name], "remove it")
        self._goto()
        self._track()
        if "preference" not in values:
            values["preference"] = self._preferences.take(family)
            line.error(
                f"Rule has no preference specified - setting to {values['preference']}. "
                "This is probably not what you want.",
                None,
                "add preference NUMBER: rules are looked at from the lowest on",
            )
        line.refuse_skipped()
        action = self._action if self._action in WITHOUT_TABLE else ""
        return RuleEntry(family=family, action=action, **values)

    def _goto(self) -> None:
        line, target = self._line, self._values.get("goto")
        if target is None:
            return
        preference = self._values.get("preference")
        if preference is None:
            raise line.drop("goto needs a preference", self._at["goto"], f"add preference, less than {target}")
        if preference >= target:
            hint = f"a rule can only go on at a later one: use a preference less than {target}"
            raise line.drop(f"goto {target} from preference {preference}", self._at["goto"], hint)

    def _track(self) -> None:
        line, values = self._line, self._values
        if "no_track" in values:
            values.setdefault("protocol", 0)
        elif values.get("protocol", RTPROT_KEEPALIVED) != RTPROT_KEEPALIVED:
            hint = "add no_track, or remove the protocol"
            line.error(
                "a rule that is tracked has the protocol keepalived (18), which is used", self._at["protocol"], hint
            )
            values["protocol"] = RTPROT_KEEPALIVED
        if values.get("track_group") is not None and "iif" not in values:
            line.error("a rule with a track_group needs iif - ignored", self._at["track_group"], "add iif IFNAME")
            values["track_group"] = None
