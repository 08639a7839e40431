"""A real server's life within its virtual server: whether it is up, what it weighs, and the rows it stands for."""

from dataclasses import dataclass
from typing import Self

from pykeepalived.config.blocks import virtual_server as blocks
from pykeepalived.config.blocks.checkers import BfdCheck, FileCheck
from pykeepalived.ipvs_table import DestinationRow
from pykeepalived.lvs.rows import destination_row


@dataclass(slots=True)
class Server:
    """It is up while none of its checkers has failed. ``offset`` is what they add to its weight."""

    block: blocks.RealServer
    failed_checkers: int
    offset: int
    up: bool
    row_up: DestinationRow
    row_inhibited: DestinationRow | None

    @classmethod
    def of(cls, block: blocks.RealServer, failed_checkers: int, offset: int = 0) -> Self:
        """A new one."""
        row_up, row_inhibited = _rows(block, offset)
        return cls(block, failed_checkers, offset, failed_checkers == 0, row_up, row_inhibited)

    @property
    def weight(self) -> int:
        """What it counts while it is up."""
        return self.row_up.weight

    def set(self, block: blocks.RealServer, offset: int) -> None:
        """Take another configuration, or another offset."""
        self.block = block
        self.offset = offset
        self.row_up, self.row_inhibited = _rows(block, offset)


def _rows(block: blocks.RealServer, offset: int) -> tuple[DestinationRow, DestinationRow | None]:
    """The destination of a server that is up, and of one that is not."""
    return (
        destination_row(block, block.weight + offset),
        destination_row(block, 0) if block.inhibit_on_failure else None,
    )


def failed_at_start(block: blocks.RealServer) -> int:
    """How many checkers of a new real server count as failed until they succeed; those that are told say it."""
    if not block.checkers:
        return len(block.untested)
    asking = sum(check.timing.alpha for check in block.running if not isinstance(check, (FileCheck, BfdCheck)))
    return asking + len(block.untested)
