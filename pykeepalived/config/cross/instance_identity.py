"""What an instance is: its interface, its family and version, its VRID, and which instances are in each other's way."""

from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.draft import Draft, Refusal
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, Refused, plain_address
from pykeepalived.config.raw import Given
from pykeepalived.records import record

_TELL_FAMILY = ("virtual_ipaddress", "unicast_src_ip", "mcast_src_ip", "unicast_peer", "mcast_dst_ip")


def interface(draft: Draft) -> str:
    """The interface that carries the adverts; empty for an instance that has peers and a source instead."""
    given = draft.given("interface")
    context = draft.context
    if given is None:
        if not draft.given("unicast_peer") or not _has_source(draft):
            missing = "add a line: interface NAME"
            if draft.given("unicast_peer"):
                missing += "; without one unicast needs unicast_src_ip"
            draft.error("has no interface set", None, missing, fatal=True)
            raise Refusal
        return ""
    name: str = given.value
    found = context.interface(name)
    if found is not None and found.loopback:
        message = f"cannot use a loopback interface ({name}) for vrrp - ignoring"
        draft.error(message, "interface", context.interface_hint(name), 1, fatal=True)
        raise Refusal
    if found is None and not context.dynamic_interfaces:
        context.missing_interface = True
        context.error(
            f"WARNING - interface {name} for vrrp_instance {draft.name} doesn't exist",
            given.span(1),
            context.interface_hint(name),
            fatal=True,
        )
    return name


def _has_source(draft: Draft) -> bool:
    ipvlan = draft.given("use_ipvlan")
    return bool(
        draft.given("unicast_src_ip") or draft.given("mcast_src_ip") or (ipvlan and ipvlan.value.address is not None)
    )


def vrf(draft: Draft) -> str:
    """The VRF of an instance without interface."""
    given = draft.given("vrf")
    if given is None:
        return ""
    name: str = given.value
    context = draft.context
    if draft.interface:
        hint = "remove vrf: the interface tells its VRF"
        draft.error("vrf goes without an interface alone - ignored", "vrf", hint)
        return ""
    found = context.interface(name)
    if found is None and not context.dynamic_interfaces:
        draft.error(f"the VRF {name} doesn't exist - ignored", "vrf", context.interface_hint(name), 1)
        return ""
    if found is not None and found.loopback:
        draft.error(f"a loopback interface ({name}) is no VRF - ignored", "vrf", context.interface_hint(name), 1)
        return ""
    return name


def family(draft: Draft) -> int:
    """The first address, source, peer, group or ipvlan of the block decides, or native_ipv6."""
    told: list[tuple[int, int]] = []
    for name in _TELL_FAMILY:
        given = draft.given(name)
        if given is not None and (found := _first_family(given)):
            told.append((given.order, found))
    ipvlan = draft.given("use_ipvlan")
    if ipvlan is not None and ipvlan.value.address is not None:
        told.append((ipvlan.order, family_of(ipvlan.value.address)))
    native = draft.given("native_ipv6")
    if native is not None:
        if told and min(told)[0] < native.order and min(told)[1] == AF_INET:
            draft.error("native_ipv6 with IPv4 addresses - ignored", "native_ipv6", "remove native_ipv6")
            draft.values["native_ipv6"] = False
        else:
            return AF_INET6
    return min(told)[1] if told else AF_INET


def version(draft: Draft) -> int:
    """2 or 3; of IPv6 it is 3 unless the file says otherwise."""
    given = draft.given("version")
    if draft.values["native_ipv6"]:
        native = draft.raw.given["native_ipv6"]
        if given is not None and given.value == 2 and given.order > native.order:
            draft.error("native_ipv6 means version 3 - version 2 is ignored", "version", "remove native_ipv6", 1)
        return 3
    if given is None:
        return 3 if draft.family == AF_INET6 else draft.global_defs.vrrp_version
    found: int = given.value
    if draft.family == AF_INET6 and found == 2 and draft.strict:
        draft.error("IPv6 needs version 3 in strict mode - resetting to 3", "version", "write version 3", 1)
        return 3
    return found


@record(frozen=True, slots=True)
class _Unicast:
    """Whom an instance with unicast peers hears."""

    draft: Draft
    source: IP | None
    peers: frozenset[IP]

    def meets(self, other: "_Unicast") -> bool:
        """Whether adverts from a peer could be meant for either."""
        apart = self.source is not None and other.source is not None and self.source != other.source
        return not apart and bool(self.peers & other.peers)


class Taken:
    """The VRIDs used already: two instances that hear the same adverts must not share one."""

    def __init__(self) -> None:
        self._multicast: dict[tuple[int, int, str, IP], Draft] = {}
        self._unicast: dict[tuple[int, int, str], list[_Unicast]] = {}

    def take(self, draft: Draft) -> None:
        """Notes the VRID of this instance, whose peers, source and group are known; raises Refusal."""
        given = draft.given("virtual_router_id")
        if given is None:
            hint = "add a line: virtual_router_id N (1 to 255), the same on every router of the group"
            draft.error("the virtual router id must be set", None, hint, fatal=True)
            raise Refusal
        draft.values["virtual_router_id"] = given.value
        if draft.values["unicast_peer"]:
            self._take_unicast(draft, given)
            return
        key = (given.value, draft.family, draft.interface, draft.values["mcast_group"])
        other = self._multicast.setdefault(key, draft)
        if other is not draft:
            place = f"with {draft.family_word} on interface {draft.interface}"
            self._conflict(draft, other, given, f"{other.name} and {draft.name} both use VRID {given.value} {place}")

    def _take_unicast(self, draft: Draft, given: Given) -> None:
        values = draft.values
        peers = frozenset(peer.address for peer in values["unicast_peer"])
        own = _Unicast(draft, values["unicast_src_ip"], peers)
        others = self._unicast.setdefault((given.value, draft.family, draft.interface), [])
        for other in others:
            if own.meets(other):
                shared = ", ".join(sorted(str(each) for each in own.peers & other.peers))
                message = f"{other.draft.name} and {draft.name} both use VRID {given.value} with the peer {shared}"
                self._conflict(draft, other.draft, given, message)
        others.append(own)

    def _conflict(self, draft: Draft, other: Draft, given: Given, message: str) -> None:
        draft.context.error(
            message,
            given.span(1),
            f"give one of them another virtual_router_id; {other.name} has it on line "
            f"{other.raw.span('virtual_router_id').line}",
            fatal=True,
        )
        raise Refusal


def _first_family(given: Given) -> int:
    """The family of the first address of a value; 0 when none can be read."""
    if isinstance(given.value, list):
        for line in given.value:
            try:
                return family_of(plain_address(line.subject))
            except Refused:
                continue  # the line is ignored, and that is said
        return 0
    return family_of(given.value)
