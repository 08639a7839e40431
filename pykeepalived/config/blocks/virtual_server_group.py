"""virtual_server_group: addresses and marks that one virtual server serves together."""

from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, UINT_MAX, Choice, Integer
from pykeepalived.config.schema import entry, keyword
from pykeepalived.records import record

MOST_SERVICES = 131072
"""Of one group: each address is a service of the kernel."""
FAMILY_WORD = {AF_INET: "inet", AF_INET6: "inet6"}


@entry(
    "virtual_server_group",
    subject={
        "IPADDR": "One address, and its port if it has one.",
        "RANGE": "An address, and the last of those that follow it: 10.0.0.1-9 is nine of them.",
        "FULLRANGE": "The first address and the last.",
        "CIDR": "All addresses of a network.",
    },
)
@record(frozen=True, slots=True)
class GroupEntry:
    """Addresses in a row, or a mark of the firewall."""

    first: IP | None = None
    last: IP | None = None
    port: int = 0
    fwmark: int | None = keyword(
        Integer(0, UINT_MAX), default=None, arguments="INT [inet|inet6]", doc="A mark of the firewall."
    )
    family: int = keyword(
        Choice(("inet", "inet6")), default=0, listed=False, doc="The family of the packets that carry the mark."
    )
    """AF_INET, AF_INET6, or 0 for a mark whose family is not said."""

    @property
    def count(self) -> int:
        """How many services it makes."""
        if self.first is None or self.last is None:
            return 1
        return int(self.last) - int(self.first) + 1

    def entry_text(self) -> str:
        """The line of the file that reads as this."""
        if self.first is None:
            return f"fwmark {self.fwmark} {FAMILY_WORD.get(self.family, '')}".rstrip()
        text = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{text} {self.port}" if self.port else text


@record(frozen=True, slots=True)
class VirtualServerGroup:
    """A named group of them."""

    name: str
    entries: tuple[GroupEntry, ...]

    def are_served(self) -> list[bool]:
        """For each entry, whether it can be: mark 0 is no mark, and too many addresses are no use."""
        found = []
        total = 0
        for each in self.entries:
            fits = each.fwmark != 0 and total + each.count <= MOST_SERVICES
            total += each.count if fits else 0
            found.append(fits)
        return found
