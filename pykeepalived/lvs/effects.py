"""Orders that a virtual server gives, beside those of ``pykeepalived.effects``."""

from dataclasses import dataclass

from pykeepalived.effects import Log, RunScript, WriteFifo
from pykeepalived.ipvs_table import ServerKey
from pykeepalived.lvs.rows import ServiceTable


@dataclass(frozen=True, slots=True)
class TableChanged:
    """What the virtual server wants in the IPVS table has changed: in these servers, or (None) anywhere. What follows
    in the list waits until the table is so.
    """

    servers: frozenset[ServerKey] | None = None


@dataclass(frozen=True, slots=True)
class TablesDropped:
    """The virtual server wants these services in the IPVS table no more."""

    tables: tuple[ServiceTable, ...]


LvsEffect = TableChanged | TablesDropped | Log | RunScript | WriteFifo
