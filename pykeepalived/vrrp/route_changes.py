"""How routes change with a reload: which go, which come, and which take another's place without a gap."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.kinds import AF_INET6


@dataclass(frozen=True, slots=True)
class RouteChange:
    """What is to be done, in this order."""

    removed: tuple[RouteEntry, ...]
    replaced: tuple[RouteEntry, ...]
    """What comes in the place of what was there."""
    added: tuple[RouteEntry, ...]


def route_change(
    before: Sequence[RouteEntry], after: Sequence[RouteEntry], keep: Container[object] = ()
) -> RouteChange:
    """From one list to another. What is in ``keep`` belongs to somebody else by now and is not removed.

    The kernel replaces the first route of a place: where a place has several, they are removed and added.
    """
    known, wanted = frozenset(before), frozenset(after)
    gone = [entry for entry in before if entry not in wanted and entry not in keep]
    new = [entry for entry in after if entry not in known]
    single = _once(before) & _once(after)
    leaving = {place for entry in gone if (place := _place(entry)) in single}
    replaced = tuple(entry for entry in new if _place(entry) in leaving)
    taken = {_place(entry) for entry in replaced}
    return RouteChange(
        tuple(entry for entry in gone if _place(entry) not in taken),
        replaced,
        tuple(entry for entry in new if _place(entry) not in taken),
    )


def _place(entry: RouteEntry) -> tuple[object, ...]:
    """What the kernel compares when it replaces a route."""
    # IPv6 keeps apart those with a gateway and those without
    led = entry.family == AF_INET6 and (entry.via is not None or bool(entry.nexthop))
    table = (entry.table, entry.vrf)
    return (entry.destination.network, entry.source, entry.tos, entry.metric, table, entry.type, led)


def _once(entries: Iterable[RouteEntry]) -> frozenset[tuple[object, ...]]:
    return frozenset(place for place, count in Counter(map(_place, entries)).items() if count == 1)
