"""The packet marks of Linux: our tables in nf_tables that mark packets for IPVS."""

from pykeepalived.kernel import nft_marks
from pykeepalived.kernel import nft_messages as nft
from pykeepalived.kernel.nft_messages import Order
from pykeepalived.kernel.nft_tables import NFPROTO
from pykeepalived.kernel.nftables import TRIAL, OwnTables
from pykeepalived.kernel.ports import FilterSettings, MarkElement

_TCP = 6


class LinuxPacketMarks(OwnTables):
    """The Linux side of PacketMarks."""

    def check(self, family: int) -> None:
        """Make a table with all that ours need and remove it again, in one transaction."""
        number = NFPROTO[family]
        orders = [
            nft.new_table(number, TRIAL),
            *nft_marks.content(family, FilterSettings(TRIAL, -1, counters=True), frozenset({(_TCP, False)})),
            nft.table_named(Order.DELTABLE, number, TRIAL),
        ]
        self.carry_out("make", family, TRIAL, orders)

    def write(self, family: int, settings: FilterSettings, elements: frozenset[MarkElement]) -> None:
        """One transaction removes what is there and makes the table."""
        self.carry_out("make", family, settings.table, nft_marks.table(family, settings, elements))

    def change(
        self, family: int, settings: FilterSettings, added: frozenset[MarkElement], removed: frozenset[MarkElement]
    ) -> None:
        """One transaction for both."""
        messages = [
            *nft_marks.change(family, settings, Order.DELSETELEM, removed),
            *nft_marks.change(family, settings, Order.NEWSETELEM, added),
        ]
        if messages:
            self.carry_out("change", family, settings.table, messages)
