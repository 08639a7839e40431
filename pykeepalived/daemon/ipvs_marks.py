"""nftables_ipvs: the tables of the packet filter that mark packets, so that a group of addresses is one service.

It knows what the tables should hold and makes one again that another program has removed or emptied: at once, then more
and more slowly.
"""

from collections.abc import Callable, Mapping
from errno import ENOENT

from pykeepalived.config.blocks.firewall import HOOK_PRIORITY
from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.repairs import Repairs
from pykeepalived.daemon.table_watch import TableWatch
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import FilterSettings, MarkElement, PacketMarks
from pykeepalived.lvs.marks import Marking, markings, marks
from pykeepalived.units import SECOND, seconds_text

_FAMILIES = {AF_INET: "IPv4", AF_INET6: "IPv6"}
_REMOVE_AGAIN = 10 * SECOND
_Elements = frozenset[MarkElement]


class IpvsMarks:
    """``take`` a configuration: the marks of its virtual servers. ``mark`` packets when their services stand:
    until then they go where they went. ``close`` at the end.
    """

    def __init__(
        self,
        reactor: Reactor,
        journal: Journal,
        make_filter: Callable[[], PacketMarks],
        keepsake: Keepsake,
        made: Callable[[], None] = lambda: None,
    ) -> None:
        """``made`` is called when a table was made that could not be at first."""
        self._reactor = reactor
        self._said_made = made
        self._journal = journal
        self._make_filter = make_filter
        self._filter: PacketMarks | None = None  # there is none before it is wanted
        self._settings = FilterSettings("", HOOK_PRIORITY, counters=False)
        self._can: dict[int, bool] = {}
        self._keepsake = keepsake
        self._first_mark: int
        self._first_mark, kept, held = keepsake.get("marks") or (0, [], [])
        self._held: set[int] = set(held)  # what packets may have, by tables of ours that stand and those that are left
        self._marks: dict[Service, int] = {
            Service("group", None, 0, protocol, 0, family, name): mark for protocol, family, name, mark in kept
        }
        self._marked = self._marks  # what packets have, whatever is taken by now
        self._next: tuple[FilterSettings, dict[int, _Elements]] | None = None
        self._wanted: dict[int, _Elements] = {}
        self._made: dict[int, tuple[FilterSettings, _Elements]] = {}
        self._left: set[tuple[int, str]] = {(family, table) for family, table in keepsake.get("tables") or ()}
        self._repairs = Repairs(reactor, self._mend)
        self._watch = TableWatch(reactor, self._open, lambda: self._settings.table, self._disturbed, self._say)
        self._again = reactor.alarm(self._remove_again)

    def take(self, part: Configuration) -> Mapping[Service, int]:
        """A start or a reload."""
        defs = part.global_defs
        settings = self._settings
        if not self._left:
            self._held.clear()
        self._held.update(self._marked.values(), self._marks.values())
        self._held.update(each.mark for _, made in self._made.values() for each in made)
        if defs.nftables_ipvs is None:
            self._marks = {}
        else:
            settings = FilterSettings(defs.nftables_ipvs, defs.nftables_ipvs_priority, defs.nftables_counters)
            first = defs.nftables_ipvs_start_fwmark
            former = {**self._marked, **self._marks}
            if first < self._first_mark:
                former = {}
            self._first_mark = first
            families = self._families(part)
            # a mark never goes from one to another that still has packets under it
            self._marks = marks(part.virtual_server, part.virtual_server_group, first, families, former, self._held)
        kept = [[each.protocol, each.family, each.name, mark] for each, mark in self._marks.items()]
        self._keepsake.keep("marks", [self._first_mark, kept, sorted(self._held)])
        following = settings, _by_family(markings(self._marks, part.virtual_server_group))
        done = following == (self._settings, self._wanted) and self._stand and not self._left
        self._next = None if done else following
        return self._marks

    @property
    def change(self) -> bool:
        """Whether packets have not the marks yet that were taken last."""
        return self._next is not None or not self._stand

    @property
    def _stand(self) -> bool:
        """Whether the tables could be made."""
        return all(self._made.get(family) == (self._settings, each) for family, each in self._wanted.items())

    def mark(self) -> None:
        """What was taken last holds. Tables under another name take over before the former ones go."""
        if self._next is not None:
            (self._settings, self._wanted), self._next = self._next, None
            self._marked = self._marks
            self._keep()
            self._write_all()
            self._keep()

    def close(self, *, release: bool) -> None:
        """The end: no table stays, unless all is to stay."""
        self._next, self._wanted = None, {}
        self._repairs.close()
        self._watch.close()
        if release:
            for family, table in self._tables():
                self._remove(family, table)
        self._again.set(None)
        if self._filter is not None:
            self._filter.close()
            self._filter = None

    def _families(self, part: Configuration) -> frozenset[int]:
        """The families of which packets can be marked; of those that are wanted and cannot it is said."""
        used = {
            AF_INET if entry.first.version == 4 else AF_INET6
            for group in part.virtual_server_group
            for entry in group.entries
            if entry.first is not None
        }
        for family in sorted(used):
            if self._can.get(family):
                continue
            try:
                self._open().check(family)
                self._can[family] = True
            except (KernelError, OSError) as error:
                self._can[family] = False
                text = f"No nftables for {_FAMILIES[family]} in this kernel ({error}): virtual server groups are served"
                self._say(f"{text} address by address (load the module nf_tables, if there is one)", Level.WARNING)
        return frozenset(family for family in used if self._can[family])

    def _write_all(self) -> None:
        for family in _FAMILIES.keys() - self._wanted.keys():
            self._repairs.settled(family)
        for family in {family for family, _ in self._left} - self._wanted.keys():
            self._remove_left(family)
        for family in [family for family in self._made if family not in self._wanted]:
            settings, _ = self._made.pop(family)
            self._remove(family, settings.table)
        for family, elements in self._wanted.items():
            made = self._made.get(family)
            if made is None or made[0] != self._settings or _maps(made[1]) != _maps(elements):
                self._write(family)
            elif made[1] != elements:
                self._change(family, made[1], elements)
        if self._made:
            self._watch.begin()

    # --- the tables ---------------------------------------------------------------------------------------------

    def _write(self, family: int) -> bool:
        """Make the whole table; what fails is tried again later."""
        elements = self._wanted[family]
        try:
            self._open().write(family, self._settings, elements)
        except (KernelError, OSError) as error:
            if family not in self._repairs:
                self._say(str(error), Level.ERROR)
            self._repairs.owe_still(family, error)
            return False
        former = self._made.get(family)
        self._made[family] = self._settings, elements
        self._repairs.settled(family)
        if former is not None and former[0].table != self._settings.table:
            self._remove(family, former[0].table)
        self._remove_left(family)
        return True

    def _change(self, family: int, made: _Elements, wanted: _Elements) -> None:
        try:
            self._open().change(family, self._settings, wanted - made, made - wanted)
        except (KernelError, OSError) as error:
            if error.errno != ENOENT:  # else somebody has taken the table, and we have not heard of it yet
                self._say(str(error), Level.ERROR)
            self._write(family)
        else:
            self._made[family] = self._settings, wanted

    def _remove(self, family: int, table: str, *, again: bool = False) -> None:
        """What fails is said, and tried again later: packets would keep their marks."""
        try:
            self._open().remove(family, table)
        except (KernelError, OSError) as error:
            if not again:
                self._say(str(error), Level.ERROR)
            self._left.add((family, table))
            self._again.set(self._reactor.now() + _REMOVE_AGAIN)

    def _remove_left(self, family: int, *, again: bool = False) -> None:
        """What a process that died has left, or could not be removed, unless it was made anew."""
        for each in [each for each in self._left if each[0] == family]:
            self._left.discard(each)
            if each not in self._tables():
                self._remove(*each, again=again)

    def _remove_again(self) -> None:
        for family in _FAMILIES:
            self._remove_left(family, again=True)
        self._keep()

    def _tables(self) -> set[tuple[int, str]]:
        """Those of ours that stand, by family and name."""
        return self._left | {(family, settings.table) for family, (settings, _) in self._made.items()}

    def _keep(self) -> None:
        """For the one that takes over, should this process die: those too that may be made yet."""
        tables = self._tables() | {(family, self._settings.table) for family in self._wanted}
        self._keepsake.keep("tables", [list(each) for each in sorted(tables)])

    def _open(self) -> PacketMarks:
        if self._filter is None:
            self._filter = self._make_filter()
        return self._filter

    # --- what others do -----------------------------------------------------------------------------------------

    def _disturbed(self, family: int | None, why: str) -> None:
        for each in tuple(self._wanted) if family is None else (family,):
            if each in self._wanted and each not in self._repairs and (wait := self._repairs.owe(each, why)):
                self._say(f"{self._name(each)} is made again in {seconds_text(wait)}: {why}", Level.WARNING)

    def _mend(self, family: int, why: str) -> None:
        if self._write(family):
            self._say(f"{self._name(family)} is made again: {why}", Level.WARNING)
            self._watch.begin()
            self._said_made()

    def _name(self, family: int) -> str:
        return f"The nftables table {'ip' if family == AF_INET else 'ip6'} {self._settings.table}"

    def _say(self, text: str, level: Level) -> None:
        self._journal.log(Log(text, level, Kind.IPVS))


def _by_family(found: frozenset[Marking]) -> dict[int, _Elements]:
    wanted: dict[int, set[MarkElement]] = {}
    for each in found:
        element = MarkElement(each.protocol, each.port, each.first, each.last, each.mark)
        wanted.setdefault(each.family, set()).add(element)
    return {family: frozenset(elements) for family, elements in wanted.items()}


def _maps(elements: _Elements) -> set[tuple[int, bool]]:
    return {(element.protocol, not element.port) for element in elements}
