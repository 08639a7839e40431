"""VMAC and ipvlan of an instance: their names, their addresses, and what goes with them."""

from dataclasses import replace
from typing import TypeVar

from pykeepalived.config.cross.draft import Draft
from pykeepalived.config.kinds import AF_INET, UINT_MAX
from pykeepalived.config.kinds_vrrp import Ipvlan, Vmac

_DRIVERS = {"use_vmac": "macvlan", "use_ipvlan": "ipvlan"}
_Made = TypeVar("_Made", Vmac, Ipvlan)


def _with_group(draft: Draft, keyword: str, made: _Made) -> _Made:
    """The interface with the number of its group."""
    text = made.group
    if not text:
        return made
    found = int(text) if text.isascii() and text.isdigit() else draft.context.iproute_name("group", text)
    if found is None or found > UINT_MAX:
        hint = "write a number, or a name of /etc/iproute2/group"
        draft.error(f"unknown group of interfaces '{text}' - ignored", keyword, hint)
        return replace(made, group="")
    return replace(made, group=str(found))


class Names:
    """The names of VMAC and ipvlan interfaces that instances above have taken."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def own(self, draft: Draft, keyword: str, made: _Made) -> _Made:
        """The interface with its group, and with its name, or without when that is another's."""
        made = _with_group(draft, keyword, made)
        name = made.name
        if not name:
            return made
        existing = draft.context.interface(name)
        if existing is not None and existing.driver not in ("", _DRIVERS[keyword]):
            hint = "give another name, or none: one is chosen then"
            message = f"interface {name} exists already and is no {_DRIVERS[keyword]} - its name is ignored"
            draft.error(message, keyword, hint)
            return replace(made, name="")
        other = self._taken.setdefault(name, draft.name)
        if other != draft.name:
            draft.error(f"VRRP instance {other} is already using {name} - ignoring name", keyword, "give another name")
            return replace(made, name="")
        return made


def ipvlan(draft: Draft, names: Names) -> None:
    """The ipvlan, once the family is known. It comes before the source, which may be its address."""
    given = draft.given("use_ipvlan")
    if given is None:
        return
    made: Ipvlan = names.own(draft, "use_ipvlan", given.value)
    if made.address is not None and not draft.fits(made.address, "use_ipvlan"):
        made = replace(made, address=None, prefix_length=0)
    if made.address is None and draft.family == AF_INET:
        hint = "write use_ipvlan NAME ADDRESS/BITS"
        draft.error("an ipvlan of IPv4 needs an address: the instance would stay in FAULT", "use_ipvlan", hint)
    draft.values["use_ipvlan"] = made


def vmac(draft: Draft, names: Names) -> None:
    """The VMAC, once VRID and peers are known, and whether adverts go over the interface below."""
    values = draft.values
    given = draft.given("use_vmac")
    if given is not None:
        made: Vmac = names.own(draft, "use_vmac", given.value)
        if made.mac and draft.strict:
            draft.error("strict mode allows no MAC address but the RFC's - ignored", "use_vmac", "remove the address")
            made = replace(made, mac=b"")
        if len(made.mac) == 5:
            made = replace(made, mac=made.mac + bytes((values["virtual_router_id"],)))
        values["use_vmac"] = made
    if values["promote_secondaries"] and (values["use_vmac"] is not None or values["use_ipvlan"] is not None):
        message = "promote_secondaries is automatically set for vmacs - ignoring"
        draft.error(message, "promote_secondaries", "remove the line")
        values["promote_secondaries"] = False
    _transmit(draft)


def _transmit(draft: Draft) -> None:
    values = draft.values
    keyword = "use_vmac" if values["use_vmac"] is not None else "use_ipvlan"
    made = values[keyword]
    if made is not None and values["unicast_peer"] and not values["vmac_xmit_base"]:
        draft.error("unicast with use_vmac requires vmac_xmit_base - setting", keyword, "add a line: vmac_xmit_base")
        values["vmac_xmit_base"] = values["use_vmac"] is not None
    elif values["vmac_xmit_base"] and values["use_vmac"] is None:
        draft.error("vmac_xmit_base is only valid with a VMAC - ignored", "vmac_xmit_base", "add use_vmac or remove it")
        values["vmac_xmit_base"] = False
    elif values["vmac_xmit_base"] and draft.strict:
        draft.error("vmac_xmit_base is incompatible with strict mode - resetting", "vmac_xmit_base", "remove it")
        values["vmac_xmit_base"] = False
