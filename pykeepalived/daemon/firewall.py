"""The firewall of the VRRP process: which packets our tables of the packet filter are to drop or to send elsewhere.

It knows what the tables should hold, makes one when something is first to be in it, and makes it again when another
program has taken something out: at once, then more and more slowly, so that a quarrel between two programs stays small.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from errno import ENOENT, EOPNOTSUPP

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP
from pykeepalived.config.kinds_firewall import SETS
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.repairs import NEWS_LOST, Repairs
from pykeepalived.daemon.table_watch import TableWatch
from pykeepalived.effects import Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel.nft_tables import FAMILY_WORD, index_key, name_key
from pykeepalived.kernel.ports import FilterElement, FilterSet, FilterSettings, Interface, PacketFilter
from pykeepalived.units import SECOND, seconds_text
from pykeepalived.vrrp.carried import addresses, not_accepted

TABLE = "keepalived"
_LOOK_AGAIN = 60 * SECOND  # for a module that somebody loads
_NO_SUCH_EXPRESSION = {ENOENT, EOPNOTSUPP}


class Firewall:
    """Drops packets to and from addresses, and lets VMACs' multicast reports leave by their bases."""

    def __init__(
        self,
        packet_filter: PacketFilter,
        reactor: Reactor,
        journal: Journal,
        interface: Callable[[str], Interface | None],
    ) -> None:
        self._filter = packet_filter
        self._reactor = reactor
        self._journal = journal
        self._interface = interface
        self._settings = FilterSettings(TABLE, -1, counters=False)
        self._by_index = False
        self._relayed_families = {AF_INET, AF_INET6}
        self._told = False  # what is used
        self._needed: set[int] = set()  # the families of which some instance cannot do without
        self._found: set[int] = set()  # for these families the kernel has a packet filter
        self._lacking: set[int] = set()  # for these it has none
        self._blocked: dict[tuple[str | None, IP], FilterElement] = {}
        self._relays: dict[tuple[int, int], FilterElement] = {}
        self._wanted: dict[int, Counter[FilterElement]] = {AF_INET: Counter(), AF_INET6: Counter()}
        self._made: dict[int, frozenset[FilterSet]] = {}  # the tables that are there, with their sets
        self._left: set[tuple[int, str]] = set()  # tables under a former name: they go when the new one stands
        self._former: set[int] = set()  # for these families a table of an earlier run still drops packets
        self._repairs = Repairs(reactor, self._mend)
        self._watch = TableWatch(
            reactor, lambda: packet_filter, lambda: self._settings.table, self._disturbed, self._say
        )
        self._look_again = reactor.alarm(self._check)

    # --- a configuration ----------------------------------------------------------------------------------------

    def start(self, configuration: Configuration) -> None:
        """Say once what is used, and what this kernel lacks."""
        self._take(configuration)
        defs = configuration.global_defs
        if defs.nftables is None and (defs.vrrp_iptables or defs.vrrp_ipsets != SETS):
            text = "vrrp_iptables and vrrp_ipsets: nftables is used instead, with a table of its own,"
            self._say(f"{text} {TABLE}; chains of iptables and ipsets are left alone", Level.NOTICE)
            self._told = True
        if defs.namespace_with_ipsets:
            self._say("namespace_with_ipsets: there are no ipsets, for nftables is used", Level.NOTICE)
        self._look(configuration)
        for family in self._needed & self._found:
            with contextlib.suppress(KernelError):  # it is asked again when that one is to go
                if self._filter.leftover(family, self._settings.table):
                    self._former.add(family)

    def clear_leftovers(self, configuration: Configuration) -> None:
        """Remove tables that an earlier run, which ended without a goodbye, has left. Without a wish for a firewall
        only those that drop packets for our addresses: another daemon may own a table of the usual name.
        """
        former, self._former = self._former, set()
        for family in former:
            if self._wanted[family] and family not in self._made:
                self._write(family)
        wanted = bool(_needed(configuration)) or configuration.global_defs.nftables is not None
        ours = {entry.address.packed for instance in configuration.vrrp_instance for entry in addresses(instance)}
        try:
            for family in self._wanted.keys() - self._made.keys() - self._lacking:
                dropped = self._filter.leftover(family, self._settings.table)
                if dropped is not None and (wanted or dropped & ours):
                    self._filter.remove(family, self._settings.table)
                    self._say(f"Removed the {self._name(family)} of an earlier run")
        except KernelError as error:
            self._say(str(error), Level.WARNING if wanted else Level.INFO)
        if not wanted and not self._made:
            self._filter.close()

    def configure(self, configuration: Configuration) -> None:
        """A reload. Tables under another name take over before the former ones go."""
        before = self._settings
        self._take(configuration)
        self._look(configuration)
        for family in tuple(self._made) if self._settings != before else ():
            self._left.add((family, before.table))
            self._left.discard((family, self._settings.table))
            self._write(family)

    def close(self) -> None:
        """A clean end: no table stays."""
        self._repairs.close()
        self._watch.close()
        self._look_again.set(None)
        for family in self._made:
            self._remove(family, self._settings.table)
        for family, table in tuple(self._left):
            self._remove(family, table)
        self._made.clear()
        self._filter.close()

    # --- orders -------------------------------------------------------------------------------------------------

    def block(self, entries: Iterable[AddressEntry], *, by_name: bool) -> None:
        """Drop packets to and from these addresses."""
        coming = []
        for entry in entries:
            place = (entry.dev, entry.address)
            if place not in self._blocked:
                element = self._blocked[place] = self._element(entry, by_name=by_name)
                coming.append((entry.family, element))
        self._come(coming)

    def unblock(self, entries: Iterable[AddressEntry]) -> None:
        """Drop them no longer."""
        going = []
        for entry in entries:
            element = self._blocked.pop((entry.dev, entry.address), None)
            if element is not None:
                going.append((entry.family, element))
        self._go(going)

    def relay(self, family: int, vmac: int, base: int) -> None:
        """A VMAC is there (interfaces by index): what its stack says of multicast groups goes out by its base."""
        element = FilterElement(FilterSet.VMACS, index_key(vmac), index_key(base))
        if family in self._relayed_families and self._relays.get((family, vmac)) != element:
            self.forget(family, vmac)
            self._relays[family, vmac] = element
            self._come([(family, element)])

    def forget(self, family: int, vmac: int) -> None:
        """A VMAC goes, or has gone."""
        element = self._relays.pop((family, vmac), None)
        if element is not None:
            self._go([(family, element)])

    def relay_only(self, wanted: Mapping[tuple[int, int], int]) -> None:
        """These VMACs are there (family and index, to the index of the base), and no others."""
        for family, vmac in self._relays.keys() - wanted.keys():
            self.forget(family, vmac)
        for (family, vmac), base in wanted.items():
            self.relay(family, vmac, base)

    # --- the tables ---------------------------------------------------------------------------------------------

    def _come(self, elements: list[tuple[int, FilterElement]]) -> None:
        new: dict[int, set[FilterElement]] = {}
        for family, element in elements:
            self._wanted[family][element] += 1
            if self._wanted[family][element] == 1:
                new.setdefault(family, set()).add(element)
        for family, added in new.items():
            self._change(family, frozenset(added), frozenset())

    def _go(self, elements: list[tuple[int, FilterElement]]) -> None:
        old: dict[int, set[FilterElement]] = {}
        for family, element in elements:
            self._wanted[family][element] -= 1
            if not self._wanted[family][element]:
                del self._wanted[family][element]
                old.setdefault(family, set()).add(element)
        for family, removed in old.items():
            self._change(family, frozenset(), frozenset(removed))

    def _change(self, family: int, added: frozenset[FilterElement], removed: frozenset[FilterElement]) -> None:
        if family in self._lacking:
            return
        made = self._made.get(family)
        if made is None and not added:
            return
        if family in self._former and all(element.set is FilterSet.VMACS for element in added):
            return  # addresses of the earlier run may stand yet, and what drops their packets stays as long
        if made is None or family in self._repairs or not {element.set for element in added} <= made:
            self._write(family)
            return
        try:
            self._filter.change(family, self._settings, added, removed)
        except KernelError as error:
            if error.errno != ENOENT:  # else somebody has taken the table, and we have not heard of it yet
                self._say(str(error), Level.ERROR)
            self._write(family)

    def _write(self, family: int) -> bool:
        """Make the whole table; what fails is tried again later."""
        wanted = frozenset(self._wanted[family])
        sets = self._made.get(family, frozenset()) | {element.set for element in wanted}
        try:
            self._filter.write(family, self._settings, sets, wanted)
        except KernelError as error:
            if FilterSet.VMACS in sets and error.errno in _NO_SUCH_EXPRESSION:
                return self._write_without_relays(family, error)
            if family not in self._repairs:
                self._say(str(error), Level.ERROR)
            self._repairs.owe_still(family, error)
            return False
        self._made[family] = sets
        self._former.discard(family)
        self._repairs.settled(family)
        for each in [each for each in self._left if each[0] == family]:
            self._left.discard(each)
            self._remove(*each)
        self._watch.begin()
        return True

    def _write_without_relays(self, family: int, error: KernelError) -> bool:
        """The kernel knows not all that relays need; the rest of the table does not depend on it."""
        reason = "this kernel's nftables cannot duplicate packets (nft_dup_ipv4, nft_dup_ipv6)"
        self._say(f"{error}: multicast reports of VMACs leave by the VMACs themselves: {reason}", Level.WARNING)
        self._relayed_families.discard(family)
        for element in [each for each in self._wanted[family] if each.set is FilterSet.VMACS]:
            del self._wanted[family][element]
        self._relays = {key: element for key, element in self._relays.items() if key[0] != family}
        self._made[family] = self._made.get(family, frozenset()) - {FilterSet.VMACS}
        return not self._wanted[family] or self._write(family)

    def _remove(self, family: int, table: str) -> None:
        try:
            self._filter.remove(family, table)
        except KernelError as error:
            self._left.add((family, table))
            self._say(str(error), Level.ERROR)

    # --- what others do -----------------------------------------------------------------------------------------

    def _disturbed(self, family: int | None, why: str) -> None:
        for each in tuple(self._made) if family is None else (family,):
            if each in self._made and each not in self._repairs and (wait := self._repairs.owe(each, why)):
                remedy = "let no other program change it, or give it another name by nftables NAME"
                self._say(f"{self._again(each)} in {seconds_text(wait)}: {why} ({remedy})", Level.WARNING)

    def _mend(self, family: int, why: str) -> None:
        if self._write(family):
            self._say(f"{self._again(family)}: {why}", Level.INFO if why is NEWS_LOST else Level.WARNING)

    # --- small things -------------------------------------------------------------------------------------------

    def _take(self, configuration: Configuration) -> None:
        defs = configuration.global_defs
        self._settings = FilterSettings(defs.nftables or TABLE, defs.nftables_priority, defs.nftables_counters)
        self._by_index = defs.nftables_ifindex
        if defs.disable_local_igmp:
            self._relayed_families.discard(AF_INET)  # there are no reports

    def _look(self, configuration: Configuration) -> None:
        """Whether the kernel has what is needed."""
        self._needed = _needed(configuration)
        if self._needed - self._found and configuration.global_defs.nftables is None and not self._told:
            self._say("use_vmac or no_accept/strict specified, but no firewall configured - using nftables")
            self._told = True
        self._check(again=False)

    def _check(self, *, again: bool = True) -> None:
        """Until it has."""
        for family in sorted(self._needed - self._found):
            try:
                self._filter.check(family)
            except KernelError as error:
                self._lacking.add(family)
                self._look_again.set(self._reactor.now() + _LOOK_AGAIN)
                if again:
                    continue
                version = "IPv4" if family == AF_INET else "IPv6"
                what = "addresses are accepted in spite of no_accept, multicast reports of VMACs leave by the VMACs"
                remedy = "load the kernel's module nf_tables, if it has one"
                self._say(f"No nftables for {version} in this kernel ({error}): {what} ({remedy})", Level.WARNING)
                continue
            self._found.add(family)
            self._lacking.discard(family)
            if self._wanted[family] and self._write(family) and again:
                self._say(f"The {self._name(family)} holds from now on")

    def _element(self, entry: AddressEntry, *, by_name: bool) -> FilterElement:
        packed = entry.address.packed
        if entry.address.version == 4 or not entry.address.is_link_local:
            return FilterElement(FilterSet.VIPS, packed)
        dev = entry.dev or ""
        interface = self._interface(dev)
        if interface is None or (by_name and not self._by_index):
            return FilterElement(FilterSet.LINK_LOCAL_NAME, packed + name_key(dev))
        return FilterElement(FilterSet.LINK_LOCAL, packed + index_key(interface.index))

    def _again(self, family: int) -> str:
        return f"The {self._name(family)} is made again"

    def _name(self, family: int) -> str:
        return f"nftables table {FAMILY_WORD[family]} {self._settings.table}"

    def _say(self, text: str, level: Level = Level.INFO) -> None:
        self._journal.log(Log(text, level))


def _needed(configuration: Configuration) -> set[int]:
    """The families of which some instance cannot do without."""
    families: set[int] = set()
    for instance in configuration.vrrp_instance:
        families.update(entry.family for entry in not_accepted(instance))
        if instance.use_vmac is not None:
            families.add(instance.family)
        families.update(entry.family for entry in addresses(instance) if entry.use_vmac or instance.use_vmac_addr)
    return families
