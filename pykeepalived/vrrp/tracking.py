"""What an instance follows, and what that makes of its priority and its health."""

from dataclasses import dataclass

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup

INTERFACE = "interface"
SCRIPT = "script"
SOURCE = "source"
PEERS = "peers"

Tracker = tuple[str, str]
"""Kind and name: ("script", "chk_haproxy")."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """One tracker as one instance follows it. Weight 0: being down is a fault; with ``reverse``, being up is."""

    tracker: Tracker
    weight: int = 0
    reverse: bool = False

    def faulty(self, up: bool | None) -> bool:
        """Whether this state of the tracker is a fault. Unknown (None) is none."""
        return self.weight == 0 and up is not None and up == self.reverse

    def contribution(self, up: bool | None) -> int:
        """What this state of the tracker adds to the priority: positive weights while up, negative ones while down.

        With ``reverse`` the same is subtracted instead.
        """
        if up is None or up != (self.weight > 0):
            return 0
        return -self.weight if self.reverse else self.weight


NO_PEERS = Tracked((PEERS, ""))


def tracked_by(instance: VrrpInstance, group: VrrpSyncGroup | None) -> tuple[Tracked, ...]:
    """Everything an instance follows: its own interface and those of its addresses, its trackers, its group's."""
    found: dict[Tracked, None] = {}
    if not instance.dont_track_primary:
        for name in instance.links:
            found[Tracked((INTERFACE, name))] = None
        for entry in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded):
            if entry.dev is not None:
                found[Tracked((INTERFACE, entry.dev))] = None
    for each in (instance, group):
        if each is None:
            continue
        for interface in each.track_interface:
            found[Tracked((INTERFACE, interface.name), interface.weight, interface.reverse)] = None
        for script in each.track_script:
            found[Tracked((SCRIPT, script.name), script.weight, script.reverse)] = None
    return tuple(found)


def effective_priority(base: int, contributions: int) -> int:
    """The priority that adverts carry; an owner's never changes."""
    return base if base == 255 else max(1, min(254, base + contributions))
