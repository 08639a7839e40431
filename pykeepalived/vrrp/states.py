"""The states of a virtual router. Each carries its own deadlines: nothing is armed, nothing is cancelled.

RFC 9568 says Active for MASTER. FAULT and STOP are keepalived's. The deadlines of Backup and Master move in place: that
happens for each advert heard and sent, and a new value each time would cost more than all the rest.
"""

from dataclasses import dataclass
from typing import ClassVar

from pykeepalived.vrrp.owners import Rogue


@dataclass(frozen=True, slots=True)
class Init:
    """Not started, or held until its scripts have reported. An owner of the addresses goes to MASTER from here."""

    name: ClassVar[str] = "INIT"
    number: ClassVar[int] = 0
    master_at: int | None = None

    @property
    def deadline(self) -> int | None:
        """When something is due."""
        return self.master_at


@dataclass(frozen=True, slots=True)
class HeardMaster:
    """Who was last accepted as MASTER."""

    address: bytes
    priority: int
    advert_interval: int


@dataclass(slots=True)
class Backup:
    """RFC 9568 6.4.2: watching the master."""

    name: ClassVar[str] = "BACKUP"
    number: ClassVar[int] = 1
    master_down_at: int
    heard_at: int
    """When the silence began: the last accepted advert, or the entry into this state."""
    master: HeardMaster | None = None
    preempt_at: int | None = None
    """Until then (preempt_delay) a master of lower priority is left alone; past means that it no longer is."""
    wants_master: bool = False
    """Its timer ran out, and its sync group was not ready."""
    resigned: bool = False
    """The master said priority 0."""
    gave_up: bool = False
    """We were MASTER, and said priority 0 ourselves."""
    frozen: int = 0
    """How long this process stood still when the silence would have been over: it was prolonged, to listen."""
    lower: HeardMaster | None = None
    """Who sent adverts that were discarded for their lower priority since then."""

    @property
    def deadline(self) -> int | None:
        """When something is due."""
        return self.master_down_at

    def interval(self, own: int) -> int:
        """The master's interval, or one's own where no master is known."""
        return self.master.advert_interval if self.master else own


@dataclass(frozen=True, slots=True)
class Duties:
    """What a MASTER has to do besides its adverts. ``next_at`` is the earliest deadline."""

    announce_at: int | None = None
    refresh_at: int | None = None
    lower_prio_announce_at: int | None = None
    extra_at: int | None = None
    """One address on each further interface (garp_extra_if)."""
    rival_over_at: int | None = None
    rogue: Rogue | None = None

    @property
    def next_at(self) -> int | None:
        """The earliest, so that an advert need not look at all."""
        until = self.rogue.until if self.rogue else None
        all_at = (
            *(self.announce_at, self.refresh_at, self.lower_prio_announce_at, self.extra_at),
            *(self.rival_over_at, until),
        )
        return min((at for at in all_at if at is not None), default=None)


NO_DUTIES = Duties()


@dataclass(slots=True)
class Master:
    """RFC 9568 6.4.3: sends adverts, holds the addresses."""

    name: ClassVar[str] = "MASTER"
    number: ClassVar[int] = 2
    advert_at: int
    duties: Duties = NO_DUTIES
    duties_at: int | None = None
    """``duties.next_at``, worked out once for many adverts."""

    @property
    def deadline(self) -> int | None:
        """When something is due."""
        return self.advert_at if self.duties_at is None else min(self.advert_at, self.duties_at)

    def planned(self, duties: Duties) -> "Master":
        """The same with these duties."""
        return Master(self.advert_at, duties, duties.next_at)


@dataclass(frozen=True, slots=True)
class Fault:
    """Cannot take part."""

    name: ClassVar[str] = "FAULT"
    number: ClassVar[int] = 3
    deadline: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Has left for good."""

    name: ClassVar[str] = "STOP"
    number: ClassVar[int] = 98
    deadline: ClassVar[None] = None


State = Init | Backup | Master | Fault | Stop
