"""bfd_instance: a session that tells within milliseconds whether a neighbour is reached."""

from pykeepalived.config.kinds import IP, Address, Boolean, Flag, Integer
from pykeepalived.config.kinds_trackers import TRACK_WEIGHT, Milliseconds, TrackerWeight, Weight
from pykeepalived.config.schema import block, keyword
from pykeepalived.records import record
from pykeepalived.units import MILLISECOND, SECOND

DEFAULT_TTL = {4: 255, 6: 64}
"""By the IP version."""
LONGEST_NAME = 31
LONG_INTERVAL = 10 * SECOND
"""More is not refused, and hardly meant."""


@block("bfd_instance", process="bfd", arguments="NAME", effective=False)
@record(frozen=True, slots=True, kw_only=True)
class BfdInstance:
    """A BFD session (RFC 5880) that track_bfd lines and BFD_CHECK follow by its name."""

    name: str
    neighbor_ip: IP = keyword(
        Address(), aliases=("neighbour_ip",), effective=False, doc="The address of the other end."
    )
    source_ip: IP | None = keyword(Address(), default=None, effective=False, doc="Our own address.")
    min_rx: int = keyword(
        Milliseconds("1", "4294967"),
        default=10 * MILLISECOND,
        effective=False,
        doc="The shortest interval at which we can receive.",
    )
    min_tx: int = keyword(
        Milliseconds("1", "4294967"),
        default=10 * MILLISECOND,
        effective=False,
        doc="The shortest interval at which we want to send.",
    )
    idle_tx: int = keyword(
        Milliseconds("1000", "4294967"),
        default=SECOND,
        effective=False,
        doc="The interval at which we send while the session is not up.",
    )
    multiplier: int = keyword(
        Integer(1, 255), default=5, unit="packets", effective=False, doc="So many may be missed before it is down."
    )
    passive: bool = keyword(Flag(), default=False, effective=False, doc="Waits for the other end to speak first.")
    ttl: int = keyword(
        Integer(1, 255),
        default=255,
        unit="hops",
        aliases=("hoplimit",),
        effective=False,
        doc="TTL or hop limit of what we send; 64 for IPv6 if not given.",
    )
    max_hops: int = keyword(
        Integer(-1, 255), default=0, unit="hops", effective=False, doc="So many hops may a packet have come; -1: any."
    )
    multihop: bool = keyword(
        Boolean(),
        default=False,
        since="after 2.2.7",
        effective=False,
        doc="The other end is beyond routers: port 4784.",
    )
    weight: Weight = keyword(
        TrackerWeight(TRACK_WEIGHT),
        default=Weight(0),
        process="vrrp",
        effective=False,
        doc="What it adds to the priority; 0 means that a session that is down is a fault.",
    )
    vrrp: bool = keyword(
        Flag(), default=False, effective=False, doc="Tells VRRP alone, or beside the checkers if they are named too."
    )
    checker: bool = keyword(
        Flag(), default=False, effective=False, doc="Tells the checkers alone, or beside VRRP if it is named too."
    )
