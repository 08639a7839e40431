"""What changed between two configurations, by identity: the plan of a reload.

Identities: an instance is its VRID, family, interface, and unicast source or multicast group; a group and a script are
their names; a virtual server is its service; a real server is its address and port within a virtual server.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pykeepalived.config.blocks.virtual_server import RealServer, VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.configuration import Configuration

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Changes(Generic[Item]):
    """Added, removed, and changed as pairs of old and new. What stayed as it was is not here."""

    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()
    changed: tuple[tuple[Item, Item], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a reload has to do."""

    global_defs: bool
    """The settings of the daemon changed."""
    vrrp_instance: Changes[VrrpInstance]
    vrrp_sync_group: Changes[VrrpSyncGroup]
    vrrp_script: Changes[VrrpScript]
    virtual_server: Changes[VirtualServer]

    def __bool__(self) -> bool:
        return bool(
            self.global_defs or self.vrrp_instance or self.vrrp_sync_group or self.vrrp_script or self.virtual_server
        )


def difference(old: Configuration, new: Configuration) -> Difference:
    """What changed from one to the other."""
    return Difference(
        global_defs=old.global_defs != new.global_defs,
        vrrp_instance=changes(old.vrrp_instance, new.vrrp_instance, lambda each: each.identity),
        vrrp_sync_group=changes(old.vrrp_sync_group, new.vrrp_sync_group, lambda each: each.name),
        vrrp_script=changes(old.vrrp_script, new.vrrp_script, lambda each: each.name),
        virtual_server=changes(old.virtual_server, new.virtual_server, lambda each: each.service),
    )


def real_servers(old: VirtualServer, new: VirtualServer) -> Changes[RealServer]:
    """What changed among the real servers of a virtual server that stays."""
    return changes(old.real_server, new.real_server, lambda each: (each.address, each.port))


def changes(old: Iterable[Item], new: Iterable[Item], identity: Callable[[Item], Hashable]) -> Changes[Item]:
    """Compares two lists whose members have identities."""
    before = {identity(each): each for each in old}
    after = {identity(each): each for each in new}
    return Changes(
        added=tuple(each for key, each in after.items() if key not in before),
        removed=tuple(each for key, each in before.items() if key not in after),
        changed=tuple((before[key], each) for key, each in after.items() if key in before and before[key] != each),
    )
