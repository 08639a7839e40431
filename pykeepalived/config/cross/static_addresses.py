"""Lines of static_ipaddress as values: the default interface, and the groups they name."""

from dataclasses import replace

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.cross.addresses import AddressReader
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.kinds import Problem
from pykeepalived.config.raw import EntryGiven, Piece, Raw

DEFAULT_INTERFACE = "eth0"


def resolve(root: Raw, context: Context) -> list[AddressEntry]:
    """The addresses that can be there; equal ones stay, as in keepalived."""
    given = root.given.get("static_ipaddress")
    if given is None:
        return []
    reader = _Reader(root, context)
    found = []
    for line in given.value:
        entry = reader.read(line)
        if entry is not None and (entry.dev or reader.default(line)):
            found.append(entry if entry.dev else replace(entry, dev=reader.interface))
    return found


def default_interface(root: Raw) -> str:
    """The interface of static objects that name none."""
    raw_globals = next(root.named("global_defs"), None)
    return str(raw_globals.value("default_interface")) if raw_globals is not None else DEFAULT_INTERFACE


class _Reader(AddressReader):
    """Reads the lines, which belong to no instance."""

    def __init__(self, root: Raw, context: Context) -> None:
        super().__init__("static_ipaddress", "", context)
        self.interface = default_interface(root)
        self._groups = {raw.name: raw for raw in root.named("track_group")}

    def default(self, entry: EntryGiven) -> bool:
        """Whether the default interface can be used; otherwise that is said, and the address is not there."""
        context = self._context
        if context.dynamic_interfaces or context.interface(self.interface) is not None:
            return True
        context.missing_interface = True
        hint = f"write dev IFNAME behind the address; {context.interface_hint(self.interface)}"
        message = (
            f"Static address {entry.subject} requires either an interface or default interface must exist; "
            f"there is no {self.interface}"
        )
        context.error(message, entry.span(), hint, Problem.FATAL, fatal=True)
        return False

    def _special_flags(self, entry: EntryGiven, flags: set[str]) -> None:
        if "use_vmac" in flags:
            flags.discard("use_vmac")
            self._context.error(f"({self._owner}) use_vmac is for virtual addresses - ignored", entry.span())

    def _track_group(self, entry: EntryGiven, piece: Piece | None) -> str | None:
        if piece is None or piece.value is None:
            return None
        group = self._groups.get(piece.value)
        if group is None or group.order > entry.order:
            hint = nearest(piece.value, self._groups) or f"define it above: track_group {piece.value} {{ ... }}"
            self._context.error(f"({self._owner}) track_group {piece.value} not found", entry.span(piece), hint)
            return None
        return piece.value
