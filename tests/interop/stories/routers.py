"""The routers that the stories are about, and how a story begins."""

from tests.interop.story import (
    DEFAULT_ROUTER,
    Step,
    adverts,
    announces,
    beats,
    carries,
    heard,
    logs,
    sends,
    silence,
    starts,
)
from tests.interop.wires import Wire

V2 = Wire(2, "1", 4, "multicast")
V2_6 = Wire(2, "1", 6, "multicast")
V2_AH = Wire(2, "1", 4, "multicast", "sesame42", "AH")
V2_PASS = Wire(2, "1", 4, "multicast", "sesame42")
V2_PASS_UNICAST = Wire(2, "1", 4, "unicast", "sesame42")
V3 = DEFAULT_ROUTER
V3_UNICAST = Wire(3, "0.4", 4, "unicast")
V3_6 = Wire(3, "0.4", 6, "multicast")
V3_6_UNICAST = Wire(3, "0.4", 6, "unicast")


V3_SECOND = Wire(3, "0.4", 4, "multicast", name="VI_2", vrid=78)

QUIET = "garp_lower_prio_repeat 0"
"""How often a lower master is heard before it is silenced must not matter."""


def becomes_master(wire: Wire, priority: int, *, after: int | None = None) -> tuple[Step, ...]:
    """It advertises, has its addresses, and both bursts of announcements are over."""
    return (
        sends(priority, wire, after=after),
        carries(wire.address),
        announces(wire.address, count=4),
        adverts(2, wire),
    )


def is_master(wire: Wire, priority: int) -> tuple[Step, ...]:
    """It is started and finds nobody."""
    return (starts(), logs("Entering BACKUP STATE"), *becomes_master(wire, priority))


def is_backup(wire: Wire, peer: int) -> tuple[Step, ...]:
    """It is started and finds a MASTER."""
    return (beats(peer, wire), starts(), logs("Entering BACKUP STATE (init)"), heard(4))


def fights(wire: Wire, priority: int) -> tuple[Step, ...]:
    """It takes over from a lower one that goes on for a while."""
    return (*becomes_master(wire, priority), heard(2), silence(wire), adverts(2, wire))
