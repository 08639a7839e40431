"""The addresses of an instance: those in its adverts, those that are not, and how many fit."""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.cross.addresses import AddressReader
from pykeepalived.config.cross.draft import Draft, Refusal
from pykeepalived.config.kinds import AF_INET6, IP, Problem
from pykeepalived.config.raw import EntryGiven

_MOST = 255
_FRAME, _HEADER = 14, 8
_PASSWORD, _AH, _HMAC = 8, 24, 28


def resolve(draft: Draft) -> None:
    """Both lists; authentication is known, for it takes room in the advert."""
    if draft.interface:
        reader = AddressReader(draft.name, draft.interface, draft.context)
    else:
        reader = _OnDefaultInterface(draft.name, draft.global_defs.default_interface, draft.context)
    vips = _in_adverts(draft, reader)
    excluded = _excluded(draft, reader, vips)
    most = _room(draft)
    if len(vips) > most:
        draft.error(
            f"{len(vips)} addresses do not fit in an advert, those after the first {most} are excluded from it",
            "virtual_ipaddress",
            "move them to virtual_ipaddress_excluded",
        )
        excluded += vips[most:]
        vips = vips[:most]
    _needs_one(draft, vips)
    if vips and draft.family == AF_INET6 and not vips[0].address.is_link_local:
        _first_is_not_link_local(draft)
    draft.values["virtual_ipaddress"], draft.values["virtual_ipaddress_excluded"] = tuple(vips), tuple(excluded)


class _OnDefaultInterface(AddressReader):
    """Reads the lines of an instance without interface: an address that names none goes to default_interface."""

    def read(self, entry: EntryGiven) -> AddressEntry | None:
        """The address; None where there is no interface for it."""
        found = super().read(entry)
        name, context = self._interface or "", self._context
        if found is None or found.dev != name or context.dynamic_interfaces or context.interface(name) is not None:
            return found
        hint = (
            f"write dev IFNAME behind the address, or default_interface in global_defs; {context.interface_hint(name)}"
        )
        message = f"({self._owner}) {found.address} has no interface: there is no default interface {name} - ignored"
        context.error(message, entry.span(), hint)
        return None


def _in_adverts(draft: Draft, reader: AddressReader) -> list[AddressEntry]:
    given = draft.given("virtual_ipaddress")
    found: dict[IP, AddressEntry] = {}
    for line in given.value if given is not None else ():
        entry = reader.read(line)
        if entry is None:
            continue
        if entry.family != draft.family:
            draft.context.error(
                f"({draft.name}) {entry.address} is not {draft.family_word} as the rest of the instance - ignored",
                line.span(),
                "move it to virtual_ipaddress_excluded, or to an instance of its own",
            )
        elif entry.address in found:
            draft.context.error(f"({draft.name}) {entry.address} is there already - ignored", line.span())
        else:
            found[entry.address] = entry
    return list(found.values())


def _excluded(draft: Draft, reader: AddressReader, vips: list[AddressEntry]) -> list[AddressEntry]:
    given = draft.given("virtual_ipaddress_excluded")
    taken = {(each.address, each.dev) for each in vips}
    found: list[AddressEntry] = []
    for line in given.value if given is not None else ():
        entry = reader.read(line)
        if entry is None:
            continue
        if (entry.address, entry.dev) in taken:
            draft.context.error(f"({draft.name}) {entry.address} is there already - ignored", line.span())
            continue
        taken.add((entry.address, entry.dev))
        found.append(entry)
    return found


def _room(draft: Draft) -> int:
    """How many addresses an advert carries; the Ethernet header counts against the MTU, as keepalived has it."""
    found = draft.context.interface(draft.interface)
    six = draft.family == AF_INET6
    room = (found.mtu if found is not None else 1500) - _FRAME - (40 if six else 20) - _HEADER
    room -= _PASSWORD if draft.version == 2 else 0
    room -= _AH if draft.values["auth_type"] == "AH" else 0
    room -= _HMAC if draft.values["auth_hmac"] is not None else 0
    return min(_MOST, max(1, room // (16 if six else 4)))


def _needs_one(draft: Draft, vips: list[AddressEntry]) -> None:
    if vips or (draft.value("no_virtual_ipaddress") and not draft.strict):
        return
    hint = "add a virtual_ipaddress block, or no_virtual_ipaddress if that is meant"
    if draft.version == 3 or draft.strict:
        draft.error("No VIP specified; at least one is required", None, hint, fatal=True)
        raise Refusal
    message = f"({draft.name}) No VIP specified; at least one is sensible"
    draft.context.warning(message, draft.raw.span(word=1), hint, Problem.GENERAL_ERROR)


def _first_is_not_link_local(draft: Draft) -> None:
    """RFC 9568 5.2.9: the first of them is the one that hosts have as their router."""
    hint = "put a link-local address (fe80::/10) first, the same on all routers: hosts take it for their default router"
    if draft.strict:
        draft.error("the first IPv6 VIP address must be link local", "virtual_ipaddress", hint)
    else:
        message = f"({draft.name}) the first IPv6 VIP address should be link local"
        draft.context.warning(message, draft.raw.span(word=1), hint)
