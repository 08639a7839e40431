"""vrrp_instance blocks as values: family, version, priority and state, source, times, and what contradicts what."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pykeepalived.config.blocks.addresses import AddressEntry, UnicastPeer
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.trackers import TrackInterface, TrackScript
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.cross import addresses, trackers
from pykeepalived.config.cross.addresses import AddressReader, family_of
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.routing import Routing
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, Problem
from pykeepalived.config.raw import Given, Raw
from pykeepalived.config.schema import table_of
from pykeepalived.units import CENTISECOND, SECOND

NOTIFIES = (
    "notify_master",
    "notify_backup",
    "notify_fault",
    "notify_stop",
    "notify_deleted",
    "notify",
    "notify_master_rx_lower_pri",
)
_COPIED = tuple(
    each.name
    for each in fields(VrrpInstance)
    if each.name in table_of(VrrpInstance).keywords
    and each.name
    not in {
        *NOTIFIES,
        "interface",
        "virtual_router_id",
        "version",
        "priority",
        "state",
        "virtual_ipaddress",
        "virtual_ipaddress_excluded",
        "virtual_routes",
        "virtual_rules",
        "unicast_peer",
        "unicast_src_ip",
        "mcast_src_ip",
        "track_interface",
        "track_script",
    }
)
"""Keywords whose value, or inherited default, needs no other keyword."""
_LONGEST_ADVERT = 4095 * CENTISECOND
_OTHER_WIRE = ("auth_hmac", "v3_checksum_as_v2", "old_unicast_checksum")
"""Not effective yet, and without them peers would refuse our adverts and become MASTER beside us."""


class Refusal(Exception):  # noqa: N818 - the instance cannot be run
    """The instance is left out; why was said."""


class Instances:
    """Resolves the instances of a configuration."""

    def __init__(
        self,
        context: Context,
        scripts: Scripts,
        global_defs: GlobalDefs,
        raw_globals: Raw | None,
        defined: Mapping[str, trackers.Defined],
        routing: Routing,
    ) -> None:
        self._context = context
        self._scripts = scripts
        self._global_defs = global_defs
        self._strict = bool(raw_globals.value("vrrp_strict")) if raw_globals is not None else False
        self._other_checksum = raw_globals is not None and "v3_checksum_as_v2" in raw_globals.said
        self._defined = defined
        self._routing = routing
        self.left_out: set[str] = set()
        self._taken: dict[tuple[int, int, str, IP], Raw] = {}

    def resolve(self, root: Raw) -> list[VrrpInstance]:
        """Every instance that can be run."""
        found = []
        for raw in root.named("vrrp_instance"):
            try:
                found.append(self._instance(raw))
            except Refusal:
                self.left_out.add(raw.name)
                # what else is wrong with it is told all the same
                trackers.scripts(raw.name, raw.given.get("track_script"), self._defined, self._context)
        return found

    def _error(
        self, raw: Raw, message: str, keyword: str | None, hint: str | None = None, word: int | None = None, **more: Any
    ) -> None:
        span = raw.span(keyword, word) if keyword else raw.span(word=1)
        self._context.error(f"({raw.name}) {message}", span, hint, **more)

    def _instance(self, raw: Raw) -> VrrpInstance:
        context = self._context
        strict = raw.value("strict_mode") if "strict_mode" in raw.given else self._strict
        interface = self._interface(raw)
        values: dict[str, Any] = {"name": raw.name, "interface": interface}
        for name in _COPIED:
            values[name] = self._value(raw, name)
        family = self._family(raw)
        values["family"] = family
        reader = AddressReader(raw.name, interface, context)
        vips = self._virtual_addresses(raw, reader, family)
        excluded = self._excluded(raw, reader, vips)
        version = self._version(raw, family, strict=strict)
        values["version"] = version
        peers = self._peers(raw, family)
        self._unicast(raw, values, peers, family, strict=strict)
        self._identity(raw, values, interface, peers)
        self._authentication(raw, values, version, strict=strict)
        self._priority_and_state(raw, values, strict=strict)
        self._times(raw, values, version, strict=strict)
        vips, excluded = self._count(raw, vips, excluded, values, interface)
        self._needs_address(raw, vips, version, strict=strict)
        values["virtual_ipaddress"], values["virtual_ipaddress_excluded"] = tuple(vips), tuple(excluded)
        values["virtual_routes"], values["virtual_rules"] = self._routing.routes(raw), self._routing.rules(raw)
        self._trackers(raw, values)
        for name in NOTIFIES:
            values[name] = self._scripts.command(raw.given.get(name))
        values["notify_deleted_set"] = "notify_deleted" in raw.given
        if not values["accept"]:
            context.later("vrrp_instance/no_accept", raw.span("accept"))
        if strict:
            self._strict_values(raw, values)
        self._other_wire(raw, version, family)
        if values.get("auth_type") == "AH":
            self._leave_out(raw, "auth_type AH", raw.span(word=1))
        return VrrpInstance(**values)

    def _value(self, raw: Raw, name: str) -> Any:
        given = raw.given.get(name)
        if given is not None:
            return given.value
        spec = raw.table.keywords[name]
        return getattr(self._global_defs, spec.inherit) if spec.inherit else spec.default

    # --- interface and identity ---

    def _interface(self, raw: Raw) -> str:
        given = raw.given.get("interface")
        context = self._context
        if given is None:
            if "unicast_peer" in raw.given and ("unicast_src_ip" in raw.given or "mcast_src_ip" in raw.given):
                context.later("vrrp_instance without interface", raw.span(word=1))
                context.warning(
                    f"({raw.name}) an instance without an interface is not effective yet and is left out",
                    raw.span(word=1),
                    "add a line: interface NAME",
                )
                raise Refusal
            self._error(raw, "has no interface set", None, "add a line: interface NAME", fatal=True)
            raise Refusal
        name: str = given.value
        found = context.interface(name)
        if found is not None and found.loopback:
            message = f"cannot use a loopback interface ({name}) for vrrp - ignoring"
            self._error(raw, message, "interface", context.interface_hint(name), 1, fatal=True)
            raise Refusal
        if found is None and not context.dynamic_interfaces:
            context.missing_interface = True
            context.error(
                f"WARNING - interface {name} for vrrp_instance {raw.name} doesn't exist",
                given.span(1),
                context.interface_hint(name),
                fatal=True,
            )
        return name

    def _identity(self, raw: Raw, values: dict[str, Any], interface: str, peers: list[UnicastPeer]) -> None:
        given = raw.given.get("virtual_router_id")
        if given is None:
            hint = "add a line: virtual_router_id N (1 to 255), the same on every router of the group"
            self._error(raw, "the virtual router id must be set", None, hint, fatal=True)
            raise Refusal
        values["virtual_router_id"] = given.value
        if peers:
            return
        key = (given.value, values["family"], interface, values["mcast_group"])
        other = self._taken.setdefault(key, raw)
        if other is not raw:
            kind = "IPv6" if values["family"] == AF_INET6 else "IPv4"
            self._context.error(
                f"{other.name} and {raw.name} both use VRID {given.value} with {kind} on interface {interface}",
                given.span(1),
                f"give one of them another virtual_router_id; {other.name} has it on line "
                f"{other.span('virtual_router_id').line}",
                fatal=True,
            )
            raise Refusal

    # --- family and version ---

    def _family(self, raw: Raw) -> int:
        """The first address, source, peer or group of the block decides."""
        first: tuple[int, int] | None = None
        for name in ("virtual_ipaddress", "unicast_src_ip", "mcast_src_ip", "unicast_peer", "mcast_dst_ip"):
            given = raw.given.get(name)
            if given is None:
                continue
            family = _first_family(given)
            if family and (first is None or given.order < first[0]):
                first = given.order, family
        if raw.value("native_ipv6"):
            if first is not None and first[1] == AF_INET:
                self._error(raw, "native_ipv6 with IPv4 addresses - ignored", "native_ipv6", "remove native_ipv6")
            else:
                return AF_INET6
        return first[1] if first is not None else AF_INET

    def _version(self, raw: Raw, family: int, *, strict: bool) -> int:
        given = raw.given.get("version")
        if given is None:
            return 3 if family == AF_INET6 else self._global_defs.vrrp_version
        version: int = given.value
        if family == AF_INET6 and version == 2 and strict:
            self._error(raw, "IPv6 needs version 3 in strict mode - resetting to 3", "version", "write version 3", 1)
            return 3
        return version

    def _fits(self, raw: Raw, address: IP, keyword: str, family: int) -> bool:
        if family_of(address) == family:
            return True
        kind = "IPv6" if family == AF_INET6 else "IPv4"
        hint = "VRRP keeps the families apart: use one instance for each"
        self._error(raw, f"{address} is not {kind} as the rest of the instance - ignored", keyword, hint)
        return False

    # --- addresses ---

    def _virtual_addresses(self, raw: Raw, reader: AddressReader, family: int) -> list[AddressEntry]:
        given = raw.given.get("virtual_ipaddress")
        found: dict[IP, AddressEntry] = {}
        for line in given.value if given is not None else ():
            entry = reader.read(line)
            if entry is None:
                continue
            if entry.family != family:
                kind = "IPv6" if family == AF_INET6 else "IPv4"
                self._context.error(
                    f"({raw.name}) {entry.address} is not {kind} as the rest of the instance - ignored",
                    line.span(),
                    "move it to virtual_ipaddress_excluded, or to an instance of its own",
                )
            elif entry.address in found:
                self._context.error(f"({raw.name}) {entry.address} is there already - ignored", line.span())
            else:
                found[entry.address] = entry
        return list(found.values())

    def _excluded(self, raw: Raw, reader: AddressReader, vips: list[AddressEntry]) -> list[AddressEntry]:
        given = raw.given.get("virtual_ipaddress_excluded")
        taken = {(each.address, each.dev) for each in vips}
        found: list[AddressEntry] = []
        for line in given.value if given is not None else ():
            entry = reader.read(line)
            if entry is None:
                continue
            if (entry.address, entry.dev) in taken:
                self._context.error(f"({raw.name}) {entry.address} is there already - ignored", line.span())
                continue
            taken.add((entry.address, entry.dev))
            found.append(entry)
        return found

    def _count(
        self,
        raw: Raw,
        vips: list[AddressEntry],
        excluded: list[AddressEntry],
        values: dict[str, Any],
        interface: str,
    ) -> tuple[list[AddressEntry], list[AddressEntry]]:
        """Addresses that do not fit in an advert are excluded from it."""
        found = self._context.interface(interface)
        six = values["family"] == AF_INET6
        room = (found.mtu if found is not None else 1500) - 14 - (40 if six else 20) - 8
        room -= 8 if values["version"] == 2 else 0
        most = min(255, max(1, room // (16 if six else 4)))
        if len(vips) <= most:
            return vips, excluded
        self._error(
            raw,
            f"{len(vips)} addresses do not fit in an advert, those after the first {most} are excluded from it",
            "virtual_ipaddress",
            "move them to virtual_ipaddress_excluded",
        )
        return vips[:most], [*excluded, *vips[most:]]

    def _needs_address(self, raw: Raw, vips: list[AddressEntry], version: int, *, strict: bool) -> None:
        if vips or (raw.value("no_virtual_ipaddress") and not strict):
            return
        hint = "add a virtual_ipaddress block, or no_virtual_ipaddress if that is meant"
        if version == 3 or strict:
            self._error(raw, "No VIP specified; at least one is required", None, hint, fatal=True)
            raise Refusal
        self._context.warning(
            f"({raw.name}) No VIP specified; at least one is sensible", raw.span(word=1), hint, Problem.GENERAL_ERROR
        )

    # --- peers and sources ---

    def _peers(self, raw: Raw, family: int) -> list[UnicastPeer]:
        given = raw.given.get("unicast_peer")
        found: dict[IP, UnicastPeer] = {}
        for line in given.value if given is not None else ():
            peer = addresses.unicast_peer(raw.name, line, self._context)
            if peer is None:
                continue
            if family_of(peer.address) != family:
                kind = "IPv6" if family == AF_INET6 else "IPv4"
                self._context.error(f"({raw.name}) the peer {peer.address} is not {kind} - ignored", line.span())
            elif peer.address in found:
                self._context.error(f"({raw.name}) the peer {peer.address} is there already - ignored", line.span())
            else:
                found[peer.address] = peer
        return list(found.values())

    def _unicast(
        self, raw: Raw, values: dict[str, Any], peers: list[UnicastPeer], family: int, *, strict: bool
    ) -> None:
        """Unicast or multicast, and what goes with each."""
        values["unicast_peer"] = tuple(peers)
        source: IP | None = None
        given = max(
            (raw.given[name] for name in ("unicast_src_ip", "mcast_src_ip") if name in raw.given),
            key=lambda each: each.order,
            default=None,
        )
        if given is not None and self._fits(raw, given.value, given.statement.words[0], family):
            source = given.value
        if peers:
            values["unicast_src_ip"] = source
            if any(peer.min_ttl is not None or peer.max_ttl is not None for peer in peers):
                values["check_unicast_src"] = True
            if source is not None and any(peer.address == source for peer in peers):
                hint = "list the other routers alone"
                self._context.warning(f"({raw.name}) the own source {source} is a peer", raw.span("unicast_peer"), hint)
            if strict:
                hint = "remove strict_mode, or the peers"
                self._error(raw, "unicast peers are not allowed in strict mode", "unicast_peer", hint, fatal=True)
                raise Refusal
        else:
            values["mcast_src_ip"] = source
            self._no_peers(raw, values)
        values["mcast_group"] = self._group(raw, family)

    def _no_peers(self, raw: Raw, values: dict[str, Any]) -> None:
        values["unicast_ttl"] = None
        if "unicast_src_ip" not in raw.given and "unicast_peer" not in raw.given:
            if "unicast_ttl" in raw.given:
                self._error(raw, "unicast_ttl without peers - ignored", "unicast_ttl", "add unicast_peer or remove it")
            return
        keyword = "unicast_src_ip" if "unicast_src_ip" in raw.given else "unicast_peer"
        if raw.value("unicast_fault_no_peer"):
            hint = "add a unicast_peer block"
            self._error(raw, "unicast without a peer - the instance is left out", keyword, hint)
            raise Refusal
        self._context.warning(
            f"({raw.name}) unicast is configured without a peer - falling back to multicast",
            raw.span(keyword),
            "add a unicast_peer block, or write mcast_src_ip",
            Problem.DEPRECATED,
        )

    def _group(self, raw: Raw, family: int) -> IP:
        given = raw.given.get("mcast_dst_ip")
        if given is not None and self._fits(raw, given.value, "mcast_dst_ip", family):
            address: IP = given.value
            return address
        if family == AF_INET6:
            return self._global_defs.vrrp_mcast_group6
        return self._global_defs.vrrp_mcast_group4

    # --- authentication ---

    def _authentication(self, raw: Raw, values: dict[str, Any], version: int, *, strict: bool) -> None:
        block = next(raw.named("authentication"), None)
        for each in raw.named("authentication"):
            block = each
        if block is None:
            return
        kind, password = block.value("auth_type"), block.value("auth_pass")
        if version == 3:
            if kind:
                hint = "remove the authentication block, or use version 2"
                span = block.span("auth_type") if "auth_type" in block.given else block.span()
                self._context.error(
                    f"({raw.name}) VRRP version 3 does not support authentication. Ignoring.", span, hint
                )
            return
        if strict:
            if kind:
                hint = "remove the authentication block, or vrrp_strict"
                self._context.error(
                    f"({raw.name}) Strict mode does not support authentication. Ignoring.",
                    block.span("auth_type"),
                    hint,
                )
            return
        if kind and not password:
            self._context.error(
                f"({raw.name}) Authentication specified but no password given. Ignoring",
                block.span("auth_type"),
                "add a line: auth_pass SECRET",
            )
            return
        if kind == "AH":
            values["auth_type"] = kind
        if kind == "PASS":
            values["auth_type"], values["auth_pass"] = "PASS", password

    def _other_wire(self, raw: Raw, version: int, family: int) -> None:
        for name in _OTHER_WIRE:
            said = raw.said.get(name)
            if said is None:
                continue
            if name == "v3_checksum_as_v2":
                off = said.value[:1] in (("off",), ("false",), ("no",))
                if off or version != 3 or family != AF_INET:
                    continue
            if name == "old_unicast_checksum" and said.value[:1] == ("never",):
                continue
            self._leave_out(raw, name, said.span(0))
        if self._other_checksum and "v3_checksum_as_v2" not in raw.said and version == 3 and family == AF_INET:
            self._leave_out(raw, "v3_checksum_as_v2", raw.span(word=1))

    def _leave_out(self, raw: Raw, name: str, span: Any) -> None:
        self._context.later(name, span)
        self._context.warning(
            f"({raw.name}) {name} is not effective yet - the instance is left out, for its peers would not accept it",
            span,
            f"remove {name} on every router of the group",
        )
        raise Refusal

    # --- priority, state, times ---

    def _priority_and_state(self, raw: Raw, values: dict[str, Any], *, strict: bool) -> None:
        given = raw.given.get("state")
        priority = raw.given.get("priority")
        wanted = given.value if given is not None else None
        if priority is None:
            values["priority"] = 255 if wanted == "MASTER" else 100
        else:
            values["priority"] = priority.value
        owner = values["priority"] == 255
        state = wanted or ("MASTER" if owner else "BACKUP")
        if owner and state == "BACKUP":
            hint = "remove the state, or lower the priority"
            self._error(
                raw, "CONFIG error: a priority of 255 and state BACKUP - resetting state to MASTER", "state", hint
            )
            state = "MASTER"
        if strict and not owner and state == "MASTER":
            state = "BACKUP"
        values["state"] = state
        if values["nopreempt"]:
            if owner or state == "MASTER":
                hint = "write state BACKUP on every router that has nopreempt"
                what = "a priority of 255" if owner else "state MASTER"
                self._error(raw, f"nopreempt is incompatible with {what} - resetting nopreempt", "nopreempt", hint)
                values["nopreempt"] = False
            elif values["preempt_delay"]:
                hint = "remove one of the two"
                self._error(raw, "preempt_delay is incompatible with nopreempt - resetting", "preempt_delay", hint)
                values["preempt_delay"] = 0
        if values["preempt_delay"] and (state == "MASTER" or strict):
            what = "strict mode" if strict else "initial state MASTER"
            hint = "write state BACKUP, or remove preempt_delay"
            self._error(raw, f"preempt_delay is incompatible with {what} - resetting", "preempt_delay", hint)
            values["preempt_delay"] = 0
        if owner and not values["owner_ignore_adverts"] and "owner_ignore_adverts" in raw.given:
            hint = "remove it"
            self._error(
                raw, "an address owner ignores adverts - owner_ignore_adverts is on", "owner_ignore_adverts", hint
            )
            values["owner_ignore_adverts"] = True

    def _times(self, raw: Raw, values: dict[str, Any], version: int, *, strict: bool) -> None:
        values["advert_int"] = self._advert_int(raw, values["advert_int"], version)
        for name in ("garp_master_repeat", "garp_master_refresh_repeat"):
            if name in raw.given and values[name] == 0:
                self._error(raw, f"{name} 0 is set to 1", name, "use 1 or more", 1)
                values[name] = 1
        if strict and values["down_timer_adverts"] != 3:
            if "down_timer_adverts" in raw.given:
                self._error(raw, "down_timer_adverts is 3 in strict mode", "down_timer_adverts", "remove it")
            values["down_timer_adverts"] = 3

    def _advert_int(self, raw: Raw, length: int, version: int) -> int:
        if version == 2:
            rounded = max(1, (length + SECOND // 2) // SECOND) * SECOND
            if rounded != length:
                self._error(
                    raw,
                    f"VRRPv2 advertisement interval {length / SECOND:g}s is out of range or rounded, "
                    f"{rounded // SECOND}s is used",
                    "advert_int",
                    "write whole seconds, or use version 3 on every router",
                    1,
                )
            return rounded
        rounded = min(max(1, (length + CENTISECOND // 2) // CENTISECOND) * CENTISECOND, _LONGEST_ADVERT)
        if rounded != length:
            self._error(
                raw,
                f"VRRPv3 advertisement interval {length / SECOND:g}s is out of range or rounded, "
                f"{rounded / SECOND:g}s is used",
                "advert_int",
                "write steps of 0.01 up to 40.95",
                1,
            )
        return rounded

    def _strict_values(self, raw: Raw, values: dict[str, Any]) -> None:
        values.update(
            accept=False,
            lower_prio_no_advert=True,
            higher_prio_send_advert=False,
            garp_lower_prio_delay=0,
            garp_lower_prio_repeat=0,
            owner_ignore_adverts=True,
        )
        self._context.later("vrrp_strict", raw.span(word=1))

    # --- trackers ---

    def _trackers(self, raw: Raw, values: dict[str, Any]) -> None:
        own = "" if values["dont_track_primary"] else values["interface"]
        interfaces = trackers.interfaces(raw.name, raw.given.get("track_interface"), self._context, own)
        scripts = trackers.scripts(raw.name, raw.given.get("track_script"), self._defined, self._context)
        if values["priority"] == 255:
            kept: list[TrackInterface | TrackScript] = []
            every: list[TrackInterface | TrackScript] = [*interfaces, *scripts]
            for each in every:
                if each.weight == 0:
                    kept.append(each)
                    continue
                keyword = "track_interface" if isinstance(each, TrackInterface) else "track_script"
                self._error(
                    raw,
                    f"ignoring weight of tracked {each.name} due to address owner",
                    keyword,
                    "an owner's priority is always 255; track it without a weight, or lower the priority",
                )
            interfaces = tuple(each for each in kept if isinstance(each, TrackInterface))
            scripts = tuple(each for each in kept if isinstance(each, TrackScript))
        values["track_interface"], values["track_script"] = interfaces, scripts


def _first_family(given: Given) -> int:
    """The family of the first address of a value; 0 when none can be read."""
    if isinstance(given.value, list):
        for line in given.value:
            if ":" in line.subject:
                return AF_INET6
            if line.subject.count(".") == 3:
                return AF_INET
        return 0
    return family_of(given.value)
