"""The virtual links of a host (VMACs and ipvlans): which are wanted, what they are called, and what is to be done when
one appears or vanishes. Told a fact about links and the time, it answers with orders, and touches nothing.

An instance learns here which interface is which: ``own_link`` is the link it runs on, and ``dev`` of each address the
link that carries it. Its ``interface`` stays the base. On an ipvlan there are adverts only: it has the MAC address of
its base, and the addresses stay there. Links with one MAC address on one base are one: the kernel allows no second.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.effects import Level, Log
from pykeepalived.units import SECOND

MACVLAN, IPVLAN = "macvlan", "ipvlan"
_NAME_LENGTH = 15
_PACE = SECOND
"""A link that somebody deletes again and again is made once in that time."""
_RETRY = 5 * SECOND
_IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}

Key = tuple[str, str, bytes, int, int]
"""What makes two links the same: kind, base, MAC address; of an ipvlan VRID and family."""


@dataclass(frozen=True, slots=True)
class SeenLink:
    """A link of the host, with the name of the link it stands on and of the VRF it belongs to."""

    name: str
    kind: str = ""
    base: str = ""
    mac: bytes = b""
    private: bool = False
    group: int = 0
    vrf: str = ""
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class LinkGone:
    """A link has vanished."""

    name: str


@dataclass(frozen=True, slots=True)
class LinkRefused:
    """The kernel would not make a link; why, in words."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class LinkMade:
    """A link was made as ordered."""

    name: str


LinkEvent = SeenLink | LinkGone | LinkRefused | LinkMade


@dataclass(frozen=True, slots=True)
class VirtualLink:
    """A link that is wanted, on behalf of an instance, with the address family of its MAC address."""

    name: str
    instance: str
    kind: str
    base: str
    family: int
    vrid: int
    mac: bytes = b""
    flags: int = 0
    group: int | None = None
    ipv6: bool = True
    addresses_made: bool = False
    """The kernel makes its link-local address itself: an ipvlan without an IPv6 address."""

    @property
    def key(self) -> Key:
        """What makes it the same link."""
        return (self.kind, self.base, self.mac, *((0, 0) if self.mac else (self.vrid, self.family)))

    @property
    def arp(self) -> bool:
        """Whether it answers ARP in place of its base."""
        return self.kind == MACVLAN and self.family == AF_INET

    def __str__(self) -> str:
        return f"{'VMAC' if self.kind == MACVLAN else 'ipvlan'} interface {self.name}"


@dataclass(frozen=True, slots=True)
class MakeLink:
    """Make a link with its settings, in that group and VRF, and bring it up."""

    link: VirtualLink
    group: int
    vrf: str


@dataclass(frozen=True, slots=True)
class SettleLink:
    """Give a link that is there its settings, its group and VRF, and bring it up."""

    link: VirtualLink
    group: int
    vrf: str


@dataclass(frozen=True, slots=True)
class RemoveLink:
    """Remove a link. ``farewell`` is said when it is done."""

    link: VirtualLink
    farewell: bool = True


@dataclass(frozen=True, slots=True)
class ReleaseBase:
    """A base has no VMAC any more that would need its settings."""

    base: str


LinkOrder = Log | MakeLink | SettleLink | RemoveLink | ReleaseBase


@dataclass(frozen=True, slots=True)
class Taken:
    """A configuration whose instances know their links, what is to be done before it is applied, and what after."""

    configuration: Configuration
    before: list[LinkOrder]
    after: list[RemoveLink | ReleaseBase]


class VirtualLinks:
    """All virtual links of a host."""

    def __init__(self) -> None:
        self._links: dict[str, VirtualLink] = {}
        self._names: dict[Key, str] = {}
        self._on_base: dict[str, list[str]] = {}
        self._run_on: set[str] = set()
        self._seen: dict[str, SeenLink] = {}
        self._made_at: dict[str, int] = {}
        self._again_at: dict[str, int] = {}
        self._refused: dict[str, str] = {}

    # --- facts --------------------------------------------------------------------------------------------------

    def handle(self, event: LinkEvent, now: int) -> list[LinkOrder]:
        """Any fact."""
        orders: list[LinkOrder] = []
        match event:
            case SeenLink():
                self._appeared(event, now, orders)
            case LinkGone(name):
                self._seen.pop(name, None)
                if name in self._links and name not in self._again_at:
                    if name not in self._run_on:  # of those the instances tell
                        orders.append(Log(f"Interface {name} deleted"))
                    self._make_soon(self._links[name], now, orders)
            case LinkMade(name):
                self._again_at.pop(name, None)
                self._refused.pop(name, None)
            case LinkRefused(name, why):
                self._was_refused(name, why, now, orders)
        return orders

    def tick(self, now: int) -> list[LinkOrder]:
        """Make what had to wait."""
        orders: list[LinkOrder] = []
        for name in [name for name, at in self._again_at.items() if at <= now]:
            del self._again_at[name]
            if name in self._links and name not in self._seen:
                self._make(self._links[name], now, orders)
        return orders

    def next_deadline(self) -> int | None:
        """When a link is to be tried again."""
        return min(self._again_at.values(), default=None)

    @property
    def standing(self) -> tuple[VirtualLink, ...]:
        """The links that are there."""
        return tuple(link for link in self._links.values() if link.name in self._seen)

    def _appeared(self, seen: SeenLink, now: int, orders: list[LinkOrder]) -> None:
        former = self._seen.get(seen.name)
        self._seen[seen.name] = seen
        link = self._links.get(seen.name)
        if link is not None:
            if seen.kind != link.kind:
                what = f"({link.instance}) {seen.name} is no {link.kind} any more: somebody took its name"
                orders.append(_log(link, what, Level.ERROR))
            elif not self._fits(link, seen):
                orders += (_incompatible(link), RemoveLink(link, farewell=False))
            elif self._vrf(link) != seen.vrf and link.base in self._seen:
                orders.append(self._settled(link))
        if former is None or former.vrf != seen.vrf:
            for other in [self._links[name] for name in self._on_base.get(seen.name, ())]:
                if other.name not in self._seen:
                    self._make_soon(other, now, orders)
                elif not self._fits(other, self._seen[other.name]):  # it stands on the one that had the name before
                    orders += (_incompatible(other), RemoveLink(other, farewell=False))
                elif self._seen[other.name].vrf != seen.vrf:
                    orders.append(self._settled(other))

    def _was_refused(self, name: str, why: str, now: int, orders: list[LinkOrder]) -> None:
        link = self._links.get(name)
        if link is None:
            return
        self._again_at[name] = now + _RETRY
        if self._refused.get(name) != why:
            self._refused[name] = why
            message = f"({link.instance}): Unable to create {link}: {why}; trying again every {_RETRY // SECOND} s"
            orders.append(_log(link, message, Level.ERROR))

    def _make_soon(self, link: VirtualLink, now: int, orders: list[LinkOrder]) -> None:
        """At once, unless it was made a moment ago."""
        again_at = self._made_at.get(link.name, now - _PACE) + _PACE
        if again_at > now:
            self._again_at[link.name] = again_at
        else:
            self._make(link, now, orders)

    def _make(self, link: VirtualLink, now: int, orders: list[LinkOrder]) -> None:
        if link.base in self._seen:
            self._made_at[link.name] = now
            orders.append(MakeLink(link, self._group(link), self._vrf(link)))

    def _settled(self, link: VirtualLink) -> SettleLink:
        return SettleLink(link, self._group(link), self._vrf(link))

    def _group(self, link: VirtualLink) -> int:
        return self._seen[link.base].group if link.group is None else link.group

    def _vrf(self, link: VirtualLink) -> str:
        base = self._seen.get(link.base)
        return "" if base is None else base.vrf

    def _fits(self, link: VirtualLink, seen: SeenLink) -> bool:
        base = self._seen.get(link.base)
        if base is not None and base.kind == link.kind:
            base = self._seen.get(base.base)  # the kernel puts a macvlan on what is below a macvlan
        if seen.kind != link.kind or (base is not None and seen.base != base.name):
            return False
        return link.kind == IPVLAN or (seen.private and seen.mac == link.mac)

    # --- start, reload, stop ------------------------------------------------------------------------------------

    def take(self, configuration: Configuration, now: int) -> Taken:
        """What a configuration wants. A link that stands keeps its name."""
        former, self._links = self._links, {}
        self._names, self._on_base = {}, {}
        self._run_on.clear()
        names = _Names(configuration, former, self._seen)
        resolved = [self._resolved(instance, names) for instance in configuration.vrrp_instance]
        self._note_ipv6(resolved)
        before: list[LinkOrder] = []
        for link in self._links.values():
            self._refused.pop(link.name, None)
            seen = self._seen.get(link.name)
            if seen is None:
                self._make(link, now, before)
            elif not self._fits(link, seen):
                before += (_incompatible(link), RemoveLink(link, farewell=False))
                self._make(link, now, before)
            elif link.name not in former:
                before += (_log(link, f"({link.instance}) Found matching interface {link.name}"), self._settled(link))
            elif replace(former[link.name], instance=link.instance) != link:
                before.append(self._settled(link))
        gone = [link for link in former.values() if link.name not in self._links]
        bases = {link.base for link in former.values() if link.arp}
        bases -= {link.base for link in self._links.values() if link.arp}
        after: list[RemoveLink | ReleaseBase] = [*map(RemoveLink, gone), *map(ReleaseBase, sorted(bases))]
        if any(new is not old for new, old in zip(resolved, configuration.vrrp_instance, strict=True)):
            configuration = replace(configuration, vrrp_instance=tuple(resolved))
        return Taken(configuration, before + names.said, after)

    def stop(self) -> list[LinkOrder]:
        """Nothing is wanted any more."""
        links, self._links, self._on_base = self._links, {}, {}
        bases = sorted({link.base for link in links.values() if link.arp})
        self._again_at.clear()
        return [*(RemoveLink(link) for link in links.values()), *map(ReleaseBase, bases)]

    def _resolved(self, instance: VrrpInstance, names: "_Names") -> VrrpInstance:
        """The instance with its links."""
        own = self._want(_own_link(instance), instance, names)
        self._run_on.add(own)
        vips = tuple(self._placed(entry, instance, own, names) for entry in instance.virtual_ipaddress)
        excluded = tuple(self._placed(entry, instance, own, names) for entry in instance.virtual_ipaddress_excluded)
        if not own and vips == instance.virtual_ipaddress and excluded == instance.virtual_ipaddress_excluded:
            return instance
        return replace(instance, own_link=own, virtual_ipaddress=vips, virtual_ipaddress_excluded=excluded)

    def _placed(self, entry: AddressEntry, instance: VrrpInstance, own: str, names: "_Names") -> AddressEntry:
        """An address with the link that carries it."""
        dev = entry.dev
        base = self._seen.get(dev) if dev is not None else None
        if dev is None or (base is not None and base.loopback):
            return entry
        at_home = dev == instance.interface and entry.family == instance.family
        if at_home and instance.use_vmac is not None:
            return replace(entry, dev=own, use_vmac=True)
        if entry.use_vmac or (instance.use_vmac_addr and not at_home):
            link = _address_link(instance, dev, entry.family)
            return replace(entry, dev=self._want(link, instance, names, single=True), use_vmac=True)
        return entry

    def _want(self, link: VirtualLink | None, instance: VrrpInstance, names: "_Names", *, single: bool = False) -> str:
        """Want a link and answer its name, that of the one like it if there is one."""
        if link is None:
            return ""
        known = self._names.get(link.key)
        if known is not None:
            return known
        name = self._names[link.key] = names.give(link, self._links, single=single)
        self._links[name] = replace(link, name=name, instance=instance.name)
        self._on_base.setdefault(link.base, []).append(name)
        return name

    def _note_ipv6(self, instances: list[VrrpInstance]) -> None:
        """Links that carry no IPv6 have none."""
        six = {
            entry.dev
            for instance in instances
            for entry in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded)
            if entry.family == AF_INET6
        }
        for name, link in self._links.items():
            if link.family == AF_INET and name not in six:
                self._links[name] = replace(link, ipv6=False)


class _Names:
    """Names for links: one that stands keeps its own, one that is found keeps its own, the others get a free one."""

    def __init__(self, configuration: Configuration, former: dict[str, VirtualLink], seen: dict[str, SeenLink]) -> None:
        defs = configuration.global_defs
        self._prefixes = (defs.vmac_prefix, defs.vmac_addr_prefix)
        self._former = {link.key: name for name, link in former.items()}
        self._own = former
        self._seen = seen
        self._private = {
            (each.base, each.mac): name
            for name, each in seen.items()
            if each.kind == MACVLAN and each.private and name not in former
        }
        self._asked = {made.name for each in configuration.vrrp_instance if (made := _made(each)) is not None}
        self.said: list[LinkOrder] = []

    def give(self, link: VirtualLink, taken: dict[str, VirtualLink], *, single: bool) -> str:
        """The name of a new link; ``link.name`` is what the configuration asks for."""
        standing = self._former.get(link.key)
        if standing is not None and standing not in taken:
            if link.name and link.name != standing:
                message = f"({link.instance}) {link.kind} keeps its name {standing}, it is {link.name} after a restart"
                self.said.append(_log(link, message, Level.WARNING))
            return standing
        if link.name and link.name not in taken and self._may_be(link.name, link.kind):
            return link.name
        found = self._private.get((link.base, link.mac), "")  # left over from an earlier run
        if link.kind == MACVLAN and found and found not in taken:
            return found
        return next(name for name in self._candidates(link, taken, single=single) if self._free(name, taken))

    def _may_be(self, name: str, kind: str) -> bool:
        """Whether there is no link of another kind with that name."""
        seen = self._seen.get(name)
        return seen is None or seen.kind == kind

    def _free(self, name: str, taken: dict[str, VirtualLink]) -> bool:
        return not (name in taken or name in self._own or name in self._seen or name in self._asked)

    def _candidates(self, link: VirtualLink, taken: dict[str, VirtualLink], *, single: bool) -> Iterator[str]:
        """``vrrp.51``; ``vrrp6.51`` when the other family has that; ``vrrp1.51`` and so on."""
        prefix = self._prefixes[single]
        plain = _name(prefix, "", link.vrid)
        yield plain
        holder = taken.get(plain)
        if holder is not None and holder.family != link.family:
            yield _name(prefix, "4" if link.family == AF_INET else "6", link.vrid)
        number = 1
        while True:
            yield _name(prefix, str(number), link.vrid)
            number += 1


def _name(prefix: str, number: str, vrid: int) -> str:
    end = f"{number}.{vrid}"
    return prefix[: _NAME_LENGTH - len(end)] + end


def _made(instance: VrrpInstance) -> "VirtualLink | None":
    """The link that an instance runs on, called what the configuration asks for."""
    vmac, ipvlan = instance.use_vmac, instance.use_ipvlan
    name, family, vrid = instance.name, instance.family, instance.virtual_router_id
    if vmac is not None:
        mac = _mac(instance, family)
        return VirtualLink(vmac.name, name, MACVLAN, instance.interface, family, vrid, mac, group=_group(vmac.group))
    if ipvlan is not None:
        flags, group = _IPVLAN_FLAGS[ipvlan.type], _group(ipvlan.group)
        made = family == AF_INET or ipvlan.address is None
        base = instance.interface
        return VirtualLink(ipvlan.name, name, IPVLAN, base, family, vrid, flags=flags, group=group, addresses_made=made)
    return None


def _own_link(instance: VrrpInstance) -> VirtualLink | None:
    return _made(instance) if instance.interface else None


def _address_link(instance: VrrpInstance, base: str, family: int) -> VirtualLink:
    vrid = instance.virtual_router_id
    return VirtualLink("", instance.name, MACVLAN, base, family, vrid, _mac(instance, family))


def _mac(instance: VrrpInstance, family: int) -> bytes:
    """RFC 9568 7.3: 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6."""
    if family == instance.family and instance.use_vmac is not None and instance.use_vmac.mac:
        return instance.use_vmac.mac
    return bytes((0, 0, 0x5E, 0, 1 if family == AF_INET else 2, instance.virtual_router_id))


def _group(text: str) -> int | None:
    return int(text) if text else None


def _incompatible(link: VirtualLink) -> Log:
    what = "VMAC" if link.kind == MACVLAN else "ipvlan"
    message = f"({link.instance}) {what} {link.name} already exists but is incompatible. It will be deleted/updated"
    return _log(link, message)


def _log(link: VirtualLink, message: str, level: Level = Level.INFO) -> Log:
    return Log(message, level, fields=(("VRRP_INSTANCE", link.instance),))
