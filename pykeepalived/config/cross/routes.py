"""Lines of static_routes and virtual_routes as values: the destination, families, what fits together and what does not.

A route that could not be as it is written is left out: packets must not go another way because of a slip.
"""

from dataclasses import fields
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any

from pykeepalived.config.blocks.routes import (
    ENCAPS,
    RTN_UNICAST,
    TYPES,
    Encap,
    EncapIla,
    EncapIp,
    EncapIp6,
    EncapMpls,
    Nexthop,
    RouteEntry,
)
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.lines import FAMILIES, Dropped, Line, Place
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, NOTHING, Problem, Refused, ip_address
from pykeepalived.config.kinds_routes import (
    ANY_WORDS,
    DEFAULT6,
    RTPROT_KEEPALIVED,
    Network,
    Prefix,
    any_base,
)
from pykeepalived.config.raw import EntryGiven, Piece
from pykeepalived.config.schema import entry_table, table_of

_ACTIONS = ("add", "prepend", "append")
_SIX = ("expires", "pref")
"""Options of IPv6 alone; realms are of IPv4 alone."""
_FIELDS = {
    each.metadata["keyword"].spelled or each.name: each.name
    for each in fields(RouteEntry)
    if "keyword" in each.metadata
}
"""Options -> fields."""


def route(entry: EntryGiven, place: Place, context: Context) -> RouteEntry | None:
    """The route of a line, or None when it cannot be used (and that is said)."""
    try:
        return _Route(Line("route", place, entry, context)).read()
    except Dropped:
        return None


class _Route:
    """One line, while it is read."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._values: dict[str, Any] = {}
        """Field -> value."""
        self._at: dict[str, Piece] = {}
        """Option -> where it stands."""
        self._destination: Prefix | None = None
        """None also for every address of a family yet to be known."""
        self._subject: Piece | None = None
        self._type = RTN_UNICAST
        self._action = ""
        self._second: IP | None = None
        self._nexthops: list[Piece] = []

    def read(self) -> RouteEntry:
        """The route, or Dropped."""
        for piece in self._line.entry.pieces:
            self._option(piece)
        return self._resolve()

    def _option(self, piece: Piece) -> None:
        line = self._line
        name = line.name(piece)
        if name in ("", "to", "type"):
            self._subject_of(piece, name)
        elif name in FAMILIES:
            line.skip(piece)
            line.belongs(FAMILIES[name], piece, name)
        elif name in _ACTIONS:
            self._action = name
        elif name == "as":
            if not piece.inner:
                line.text(piece)
            line.error("as is of MPLS - ignored", piece, "remove it")
        elif name == "or":
            self._or(piece)
        elif name == "nexthop":
            self._nexthops.append(piece)
        elif name == "rest":
            hint = "next hops come last: move it before the first nexthop"
            if "rest" not in self._at:
                line.error(f"'{piece.value}' does not belong behind next hops - ignored", piece, hint)
            self._at["rest"] = piece
        else:
            self._plain(piece, name)

    def _plain(self, piece: Piece, name: str) -> None:
        line = self._line
        spec = line.table.keywords[name]
        if piece.name in line.table.deprecated:
            line.error(f'"{piece.name}" for routes is deprecated', piece, f"write {name}", Problem.DEPRECATED)
        if name in _SIX or name == "realms":
            line.option_of(AF_INET6 if name in _SIX else AF_INET, piece)
        if name == "encap":
            value: Any = _encap(line, piece)
        elif name == "dev":
            value = line.interface(piece)
        elif name == "vrf":
            value = self._vrf(piece)
        elif name == "track_group":
            value = line.group(piece, self._values.get(name))
        elif name == "from" and line.text(piece) in ANY_WORDS:
            raise line.drop(f"from {piece.value} is not for IPv4", piece, "write ::/0, or remove it")
        else:
            value = line.value(piece, spec) if spec.kind.needs else True
        if name in ("src", "via", "from"):
            line.belongs(_family_of(value), piece, name)
        self._values[_FIELDS[name]] = value
        self._at[name] = piece

    # --- what it is about ---

    def _subject_of(self, piece: Piece, name: str) -> None:
        """A destination: behind a type, behind ``to``, or any word that is no option."""
        line = self._line
        if name == "type":
            word = piece.inner[0].name
            number = TYPES[word] if word in TYPES else any_base(word)
            if number is None or number > 255:
                raise self._no_option(piece.inner[0], word)
            if piece.value is None:
                raise line.lacks(piece, word)
            self._type, self._action = number, "add"
        text = line.text(piece) if name else piece.name or piece.value or ""
        if text in ANY_WORDS:
            line.anything(piece, text)
            self._destination = None
        elif text == DEFAULT6:
            self._destination = IPv6Interface("::/0")
        else:
            self._destination = self._prefix(piece, text)
        if self._destination is not None:
            line.belongs(_family_of(self._destination), piece, "the destination")
        if self._subject is not None and line.skipping is None:
            message = f"a second destination: {text} replaces the one before"
            line.warning(message, piece, "write one route a line")
        self._subject = piece

    def _prefix(self, piece: Piece, text: str) -> Prefix:
        line = self._line
        try:
            found: Prefix = Network().read([text])
        except Refused as refused:
            if refused.kept is NOTHING and refused.problem is not None:
                raise self._no_option(piece, text) from None
            found = line.refused(refused, refused.message, piece, refused.hint)
        if found.ip != found.network.network_address:
            hint = f"write {found.network}"
            line.warning(f"the kernel takes no route to {text}: bits are set behind the prefix", piece, hint)
        return found

    def _no_option(self, piece: Piece, text: str) -> Dropped:
        """A word that is neither an option nor a destination."""
        hint: str | None
        if text in TYPES:
            hint = f"write {text} PREFIX, without to"
        elif text == "to":
            hint = "write TYPE PREFIX, without to"
        elif text in self._line.place.without:
            hint = f"{text} is for static_routes alone"
        elif text == "type":
            hint = "write the type before the destination: blackhole 192.0.2.0/24"
        elif text[:1].isdigit() or ":" in text:
            hint = _address_hint(text)
        else:
            hint = nearest(text, self._line.table.words()) or "write the destination first, then options"
        return self._line.drop(f"'{text}' is no option and no destination of a route", piece, hint)

    def _or(self, piece: Piece) -> None:
        line = self._line
        line.error(
            '"or" for routes is deprecated, please use "nexthop"', piece, "write nexthop via ... nexthop via ..."
        )
        if self._second is not None:
            line.error('a second "or" - ignored', piece, "write nexthop via ... for each")
            return
        try:
            self._second = ip_address(line.text(piece))
        except Refused as refused:
            raise line.drop(f"or: {refused.message}", piece, refused.hint) from None

    def _vrf(self, piece: Piece) -> str:
        line = self._line
        name = line.text(piece)
        found = line.context.interface(name)
        if found is None:
            raise line.drop(f"there is no VRF {name}", piece, line.context.interface_hint(name))
        if found.driver != "vrf":
            raise line.drop(f"interface {name} is no VRF", piece, "`ip link show type vrf` lists them")
        return name

    # --- what fits together ---

    def _resolve(self) -> RouteEntry:
        line, values = self._line, self._values
        if self._subject is None:
            raise line.drop("a route needs a destination", None, "write it first: 192.0.2.0/24 via ..., or default")
        self._track()
        nexthops = self._all_nexthops()
        family = line.family or AF_INET
        destination = self._destination or (IPv6Interface("::/0") if family == AF_INET6 else IPv4Interface("0.0.0.0/0"))
        line.refuse_skipped()
        action = self._action or "prepend"
        return RouteEntry(destination=destination, type=self._type, action=action, nexthop=nexthops, **values)

    def _track(self) -> None:
        """What a tracked route must be; one without an interface is none."""
        line, values = self._line, self._values
        if "no_track" not in values and values.get("protocol", RTPROT_KEEPALIVED) != RTPROT_KEEPALIVED:
            hint = "add no_track, or remove the protocol"
            line.error(
                "a route that is tracked has the protocol keepalived (18), which is used", self._at["protocol"], hint
            )
            del values["protocol"]
        if "dev" in values:
            return
        values["no_track"] = True
        if values.get("track_group") is not None:
            line.error("a route with a track_group needs dev - ignored", self._at["track_group"], "add dev IFNAME")
            del values["track_group"]

    # --- ways ---

    def _all_nexthops(self) -> tuple[Nexthop, ...]:
        line, values = self._line, self._values
        if self._second is not None:
            first: IP | None = values.pop("via", None)
            piece = next(each for each in line.entry.pieces if each.name == "or")
            if first is None:
                raise line.drop('"or" without via', piece, "write nexthop via ... nexthop via ...")
            if self._nexthops:
                raise line.drop('"or" and nexthop exclude each other', piece, "write all of them as nexthop")
            line.belongs(_family_of(self._second), piece, "or")
            return Nexthop(via=first), Nexthop(via=self._second)
        return tuple(map(self._nexthop, self._nexthops))

    def _nexthop(self, piece: Piece) -> Nexthop:
        line = self._line
        values: dict[str, Any] = {}
        keywords = entry_table("nexthop").keywords
        for each in piece.inner:
            spec = keywords[each.name]
            if each.name == "realms":
                line.option_of(AF_INET, each)
            if each.name == "encap":
                values["encap"] = _encap(line, each)
            elif each.name == "dev":
                values["dev"] = line.interface(each)
            else:
                values[each.name] = line.value(each, spec) if spec.kind.needs else True
            if each.name == "via":
                line.belongs(_family_of(values["via"]), each, "the gateway")
        if "via" not in values and "dev" not in values:
            hint = "write nexthop via ADDRESS, or nexthop dev IFNAME"
            line.warning("a next hop without via and dev leads nowhere - the route is ignored", piece, hint)
            raise Dropped
        return Nexthop(**values)


def _encap(line: Line, piece: Piece) -> Encap:
    """``encap`` with what is behind it."""
    cls = ENCAPS.get(piece.value or "")
    if cls is None:
        hint = f"write one of {', '.join(ENCAPS)} behind encap"
        message = "encap lacks its type" if piece.value is None else f"unknown encapsulation '{piece.value}'"
        raise line.drop(message, piece, hint)
    if cls in (EncapMpls, EncapIla):
        return _direct(line, piece, cls)
    keywords = table_of(cls).keywords
    values = {each.name: line.value(each, keywords[each.name]) for each in piece.inner}
    if not any(name in values for name in ("id", "dst")):
        raise line.drop(f"encap {piece.value} needs an id or a dst", piece, f"write encap {piece.value} dst ADDRESS")
    return EncapIp(**values) if cls is EncapIp else EncapIp6(**values)


def _direct(line: Line, piece: Piece, cls: type[EncapMpls] | type[EncapIla]) -> Encap:
    """An encapsulation that is one value."""
    if not piece.inner:
        raise line.drop(
            f"encap {piece.value} lacks its value", piece, f"write encap {piece.value} {cls.kind.arguments()}"
        )
    try:
        found: Any = cls.kind.read([piece.inner[0].value or ""])
    except Refused as refused:
        raise line.drop(f"encap {piece.value}: {refused.message}", piece.inner[0], refused.hint) from None
    return cls(found)


def _family_of(address: IP | Prefix) -> int:
    return AF_INET6 if address.version == 6 else AF_INET


def _address_hint(text: str) -> str | None:
    try:
        ip_address(text.partition("/")[0])
    except Refused as refused:
        return refused.hint
    return None
