"""A packet filter that is a dictionary, for the firewall of the VRRP process."""

from dataclasses import dataclass, field
from errno import ENOENT

from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import FilterDisturbance, FilterElement, FilterSet, FilterSettings

FD = 60


@dataclass(slots=True)
class FakePacketFilter:
    """Tables by family and name. ``trace`` gets words for each order; ``refuse`` is the errno of those to come."""

    trace: list[tuple[str, ...]] = field(default_factory=list)
    tables: dict[tuple[int, str], set[FilterElement]] = field(default_factory=dict)
    sets: dict[tuple[int, str], frozenset[FilterSet]] = field(default_factory=dict)
    settings: FilterSettings | None = None
    refuse: dict[str, int] = field(default_factory=dict)
    heard: list[FilterDisturbance] = field(default_factory=list)
    listening: bool = False
    closed: bool = False

    def check(self, family: int) -> None:
        self._ordered("check", str(family))

    def leftover(self, family: int, table: str) -> frozenset[bytes] | None:
        held = self.tables.get((family, table))
        return None if held is None else frozenset(each.key for each in held)

    def write(
        self, family: int, settings: FilterSettings, sets: frozenset[FilterSet], elements: frozenset[FilterElement]
    ) -> None:
        self._ordered("write", str(len(elements)))
        self.settings = settings
        self.tables[family, settings.table] = set(elements)
        self.sets[family, settings.table] = sets

    def change(
        self, family: int, settings: FilterSettings, added: frozenset[FilterElement], removed: frozenset[FilterElement]
    ) -> None:
        held = self.tables.get((family, settings.table))
        if held is None or not removed <= held:
            raise KernelError("change the table", ENOENT)
        self._ordered("change", f"+{len(added)}", f"-{len(removed)}")
        assert {each.set for each in added} <= self.sets[family, settings.table]
        held -= removed
        held |= added

    def remove(self, family: int, table: str) -> None:
        self._ordered("remove table", table)
        self.tables.pop((family, table), None)

    def listen(self) -> int:
        self._ordered("listen")
        self.listening = True
        return FD

    def disturbances(self, table: str) -> list[FilterDisturbance]:
        del table
        heard, self.heard = self.heard, []
        return heard

    def close(self) -> None:
        self.closed = True

    def flush(self, program: str = "nft[7]") -> None:
        """Another program removes every table."""
        self.heard += [FilterDisturbance(family, program) for family, _ in self.tables]
        self.tables.clear()

    def _ordered(self, *words: str) -> None:
        if code := self.refuse.get(words[0]):
            raise KernelError(f"{words[0]} the table", code)
        self.trace.append(("filter", *words))
