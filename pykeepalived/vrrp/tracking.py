"""What an instance follows, and what that makes of its priority and its health."""

from dataclasses import dataclass

from pykeepalived.config.blocks.trackers import TrackBfd, TrackFile, TrackInterface, TrackProcess, TrackScript
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.configuration import Configuration

INTERFACE = "interface"
SCRIPT = "script"
FILE = "file"
PROCESS = "process"
BFD = "bfd"
SOURCE = "source"
PEERS = "peers"
STATIC = "static"
SOCKETS = "sockets"

Tracker = tuple[str, str]
"""Kind and name: ("script", "chk_haproxy")."""

_Line = TrackInterface | TrackScript | TrackFile | TrackProcess | TrackBfd

State = bool | int | None
"""Up or down, or the number in a file. None: nothing is known yet."""

UNTOLD: dict[str, State] = {INTERFACE: False, SCRIPT: None, FILE: 0, PROCESS: False, BFD: False, SOCKETS: True}
"""What counts of a tracker that nothing was told of."""

FAULT_STATUS = -254
"""A file with this status, or less, is a fault."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """One tracker as one instance follows it. Weight 0: being down is a fault; with ``reverse``, being up is."""

    tracker: Tracker
    weight: int = 0
    reverse: bool = False

    def faulty(self, up: State) -> bool:
        """Whether this state of the tracker is a fault. Unknown (None) is none."""
        return self.weight == 0 and up is not None and up == self.reverse

    def contribution(self, up: State) -> int:
        """What this state of the tracker adds to the priority: positive weights while up, negative ones while down.

        With ``reverse`` the same is subtracted instead.
        """
        if up is None or up != (self.weight > 0):
            return 0
        return -self.weight if self.reverse else self.weight


NO_PEERS = Tracked((PEERS, ""))


@dataclass(frozen=True, slots=True)
class TrackedNumber(Tracked):
    """A file as one instance follows it. Weight 0: any number but 0 is a fault; with ``reverse``, 0 is."""

    def status(self, number: State) -> int:
        """The number times the weight, as keepalived calls it."""
        number = number or 0
        if self.weight == 0:
            return FAULT_STATUS if bool(number) != self.reverse else 0
        return -number * self.weight if self.reverse else number * self.weight

    def faulty(self, number: State) -> bool:
        """Whether the number takes the instance out of the election."""
        return self.status(number) <= FAULT_STATUS

    def contribution(self, number: State) -> int:
        """What the number adds to the priority, at most 253."""
        status = self.status(number)
        return min(status, -FAULT_STATUS - 1) if status > FAULT_STATUS else 0


def tracked_by(instance: VrrpInstance, group: VrrpSyncGroup | None) -> tuple[Tracked, ...]:
    """Everything an instance follows: its own interface and those of its addresses, routes and rules, its trackers, its
    group's.
    """
    found: dict[Tracked, None] = {}
    if not instance.dont_track_primary:
        for name in instance.links:
            found[Tracked((INTERFACE, name))] = None
        for entry in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded):
            if entry.dev is not None:
                found[Tracked((INTERFACE, entry.dev))] = None
    links = [route.dev for route in instance.virtual_routes if not route.no_track]
    links += [rule.iif for rule in instance.virtual_rules if not rule.no_track]
    found |= {Tracked((INTERFACE, link)): None for link in links if link is not None}
    for each in (instance, group):
        if each is None:
            continue
        for kind, lines in _lines(each):
            make = TrackedNumber if kind == FILE else Tracked
            for line in lines:
                found[make((kind, line.name), line.weight, line.reverse)] = None
    return tuple(found)


def followed(configuration: Configuration, kind: str) -> frozenset[str]:
    """The trackers of a kind that some instance or group follows."""
    followers: tuple[VrrpInstance | VrrpSyncGroup, ...]
    followers = (*configuration.vrrp_instance, *configuration.vrrp_sync_group)
    return frozenset(
        line.name for each in followers for line_kind, lines in _lines(each) if line_kind == kind for line in lines
    )


def _lines(each: VrrpInstance | VrrpSyncGroup) -> tuple[tuple[str, tuple[_Line, ...]], ...]:
    return (
        (INTERFACE, each.track_interface),
        (SCRIPT, each.track_script),
        (FILE, each.track_file),
        (PROCESS, each.track_process),
        (BFD, each.track_bfd),
    )


def effective_priority(base: int, contributions: int) -> int:
    """The priority that adverts carry; an owner's never changes."""
    return base if base == 255 else max(1, min(254, base + contributions))
