"""Lines of virtual_ipaddress and unicast_peer, and lines of trackers, as values."""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from pykeepalived.config.blocks.addresses import AddressEntry, UnicastPeer
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, Integer, Interface, Problem, Refused, ip_address, number
from pykeepalived.config.kinds_routes import SCOPES
from pykeepalived.config.raw import EntryGiven, Piece

_OPTIONS = (
    *("dev", "scope", "brd", "broadcast", "label", "peer", "preferred_lft", "home", "-nodad", "mngtmpaddr"),
    *("noprefixroute", "autojoin", "no_track", "use_vmac"),
)
_ADDRESS_FLAGS = ("home", "mngtmpaddr", "noprefixroute", "no_track", "autojoin", "use_vmac")


class _Dropped(Exception):  # noqa: N818 - the entry cannot be used
    """The entry is dropped; why was said."""


def family_of(address: IP) -> int:
    """AF_INET or AF_INET6."""
    return AF_INET6 if address.version == 6 else AF_INET


class AddressReader:
    """Reads the lines of one instance's address blocks."""

    def __init__(self, owner: str, interface: str | None, context: Context) -> None:
        self._owner = owner
        self._interface = interface
        self._context = context

    def read(self, entry: EntryGiven) -> AddressEntry | None:
        """The address, or None when the line cannot be used (and that is said)."""
        try:
            return self._read(entry)
        except _Dropped:
            return None

    def _drop(self, entry: EntryGiven, piece: Piece | None, message: str, hint: str | None = None) -> _Dropped:
        self._context.error(f"({self._owner}) {message}", entry.span(piece), hint)
        return _Dropped()

    def _read(self, entry: EntryGiven) -> AddressEntry:
        text, slash, length = entry.subject.partition("/")
        try:
            address = ip_address(text)
        except Refused as refused:
            raise self._drop(entry, None, f"{refused.message} - the line is ignored", refused.hint) from None
        prefix_length = self._prefix_length(entry, address, length) if slash else address.max_prefixlen
        if not entry.pieces:
            return AddressEntry(
                address,
                prefix_length,
                self._interface,
                nodad=address.version == 6,
                preferred_lft=0 if address.version == 6 and prefix_length == 128 else None,
            )
        return self._with_options(entry, address, prefix_length)

    def _prefix_length(self, entry: EntryGiven, address: IP, length: str) -> int:
        try:
            value = number(length)
            if 0 <= value <= address.max_prefixlen and length:
                return value
        except Refused:
            pass
        hint = f"write a number from 0 to {address.max_prefixlen}"
        if "." in length:
            hint = "write the number of bits, 24 rather than 255.255.255.0"
        message = f"({self._owner}) invalid prefix length '{length}', /{address.max_prefixlen} is used"
        self._context.error(message, entry.span(), hint)
        return address.max_prefixlen

    def _with_options(self, entry: EntryGiven, address: IP, prefix_length: int) -> AddressEntry:
        values: dict[str, Piece] = {}
        flags: set[str] = set()
        for piece in entry.pieces:
            name = "broadcast" if piece.name == "brd" else piece.name
            if not name:
                hint = nearest(piece.value or "", _OPTIONS)
                hint = "is the next address missing its own line?" if _is_address(piece.value) else hint
                hint = hint or f"the options are {', '.join(_OPTIONS)}"
                message = f"({self._owner}) unknown option '{piece.value}' of an address - ignored"
                self._context.error(message, entry.span(piece), hint)
            elif name in ("dev", "scope", "broadcast", "label", "peer", "preferred_lft", "track_group"):
                if piece.value is None:
                    hint = f"write {piece.name} and its value, or remove the word"
                    raise self._drop(entry, piece, f"{name} lacks its value - the address is ignored", hint)
                if name in values and name in ("dev", "peer"):
                    raise self._drop(entry, piece, f"a second {name} - the address is ignored")
                if name in values and name == "track_group":
                    self._context.error(f"({self._owner}) a second track_group - ignored", entry.span(piece))
                    continue
                values[name] = piece
            else:
                flags.add(name)
        six = address.version == 6
        peer = self._peer(entry, values.get("peer"), address)
        if peer is not None and prefix_length != address.max_prefixlen:
            hint = "write the address without its prefix length: the other end is all there is on the link"
            message = f"({self._owner}) an address with a peer has no prefix length - ignored"
            self._context.error(message, entry.span(), hint)
            prefix_length = address.max_prefixlen
        self._special_flags(entry, flags)
        switches: dict[str, Any] = {name: name in flags for name in _ADDRESS_FLAGS}
        return AddressEntry(
            address,
            prefix_length,
            self._dev(entry, values.get("dev")),
            0 if six else self._scope(entry, values.get("scope")),
            self._label(entry, values.get("label"), six=six),
            self._broadcast(entry, values.get("broadcast"), address, prefix_length, peer),
            peer,
            nodad=six and "-nodad" not in flags,
            preferred_lft=self._preferred_lft(
                entry, values.get("preferred_lft"), 0 if six and prefix_length == 128 else None
            ),
            track_group=self._track_group(entry, values.get("track_group")),
            **switches,
        )

    def _special_flags(self, entry: EntryGiven, flags: set[str]) -> None:
        """Those that are not for every block, or not effective."""

    def _track_group(self, entry: EntryGiven, piece: Piece | None) -> str | None:
        if piece is not None:
            self._context.error(f"({self._owner}) track_group is for static addresses - ignored", entry.span(piece))
        return None

    def _dev(self, entry: EntryGiven, piece: Piece | None) -> str | None:
        if piece is None:
            return self._interface
        name = piece.value or ""
        try:
            Interface().read([name])
        except Refused as refused:
            raise self._drop(entry, piece, refused.message, refused.hint) from None
        if not self._context.dynamic_interfaces and self._context.interface(name) is None:
            message = f"interface {name} of an address doesn't exist - the address is ignored"
            raise self._drop(entry, piece, message, self._context.interface_hint(name))
        return name

    def _scope(self, entry: EntryGiven, piece: Piece | None) -> int:
        if piece is None:
            return 0
        text = piece.value or ""
        if text in SCOPES:
            return SCOPES[text]
        if (found := self._context.iproute_name("rt_scopes", text)) is not None:
            return found
        try:
            value = number(text)
            if 0 <= value <= 255:
                return value
        except Refused:
            pass
        hint = "write global, site, link, host or a number from 0 to 255"
        raise self._drop(entry, piece, f"unknown scope '{text}' - the address is ignored", hint)

    def _label(self, entry: EntryGiven, piece: Piece | None, *, six: bool) -> str | None:
        if piece is None or piece.value is None:
            return None
        if len(piece.value.encode("utf-8", "surrogateescape")) > 15:
            hint = "a label has at most 15 characters"
            raise self._drop(entry, piece, f"label '{piece.value}' is too long - the address is ignored", hint)
        if six:
            self._context.error(f"({self._owner}) IPv6 addresses have no label - ignored", entry.span(piece))
            return None
        return piece.value

    def _peer(self, entry: EntryGiven, piece: Piece | None, address: IP) -> IP | None:
        if piece is None:
            return None
        try:
            peer = ip_address(piece.value or "")
        except Refused as refused:
            raise self._drop(entry, piece, refused.message, "a peer is an address without a prefix length") from None
        if peer.version != address.version:
            message = "peer and address are of different families - the address is ignored"
            raise self._drop(entry, piece, message, f"write an IPv{address.version} address behind peer")
        return peer

    def _broadcast(
        self, entry: EntryGiven, piece: Piece | None, address: IP, prefix_length: int, peer: IP | None
    ) -> IPv4Address | None:
        if piece is None:
            return None
        if not isinstance(address, IPv4Address):
            raise self._drop(entry, piece, "IPv6 has no broadcast - the address is ignored", f"remove {piece.name}")
        if peer is not None:
            self._context.error(f"({self._owner}) a peer has no broadcast - ignored", entry.span(piece))
            return None
        if piece.value in ("+", "-"):
            if prefix_length > 30:
                hint = "give the address its prefix length, such as /24"
                raise self._drop(entry, piece, f"no broadcast with a prefix of {prefix_length} bits", hint)
            network = IPv4Network((int(address), prefix_length), strict=False)
            return network.broadcast_address if piece.value == "+" else network.network_address
        try:
            broadcast = ip_address(piece.value or "")
        except Refused as refused:
            raise self._drop(entry, piece, f"{refused.message} - the address is ignored", refused.hint) from None
        if not isinstance(broadcast, IPv4Address):
            hint = "write an IPv4 address, + or -"
            raise self._drop(entry, piece, "the broadcast is no IPv4 address - the address is ignored", hint)
        return broadcast

    def _preferred_lft(self, entry: EntryGiven, piece: Piece | None, default: int | None) -> int | None:
        if piece is None:
            return default
        if piece.value == "forever":
            return None
        try:
            return Integer(0, 4294967295).read([piece.value or ""])
        except Refused as refused:
            self._context.error(f"({self._owner}) preferred_lft: {refused.message}", entry.span(piece), refused.hint)
            return default


def _is_address(text: str | None) -> bool:
    try:
        ip_address((text or "").partition("/")[0])
    except Refused:
        return False
    return True


def unicast_peer(owner: str, entry: EntryGiven, context: Context) -> UnicastPeer | None:
    """A line of unicast_peer, or None when it cannot be used (and that is said)."""
    text = entry.subject
    for mark in "-/":
        text = text.partition(mark)[0]
    try:
        address = ip_address(text)
    except Refused as refused:
        context.error(f"({owner}) {refused.message} - the peer is ignored", entry.span(), refused.hint)
        return None
    limits: dict[str, int | None] = {"min_ttl": None, "max_ttl": None}
    for piece in entry.pieces:
        if piece.name in limits and piece.value is not None:
            try:
                limits[piece.name] = Integer(0, 255).read([piece.value])
            except Refused as refused:
                message = f"({owner}) {piece.name}: {refused.message}"
                context.error(message, entry.span(piece), refused.hint, Problem.INVALID_NUMBER)
        elif piece.name:
            context.error(f"({owner}) {piece.name} lacks its value", entry.span(piece), f"write {piece.name} N")
        else:
            message = f"({owner}) unknown option '{piece.value}' of a peer - ignored"
            context.error(message, entry.span(piece), "write ADDRESS, and min_ttl N and max_ttl N behind it")
    least, most = limits["min_ttl"], limits["max_ttl"]
    if least is not None and most is not None and least > most:
        message = f"({owner}) min_ttl {least} is above max_ttl {most}: every advert of {address} is dropped"
        context.error(message, entry.span(), "exchange the two")
    return UnicastPeer(address, limits["min_ttl"], limits["max_ttl"])
