"""The configuration as the processes have it: resolved, checked, frozen, comparable, small when pickled."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, LinkbeatInterface
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.track_group import TrackGroup
from pykeepalived.config.blocks.virtual_server import VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the file says, with defaults and inheritance applied."""

    global_defs: GlobalDefs = GlobalDefs()
    vrrp_instance: tuple[VrrpInstance, ...] = ()
    vrrp_sync_group: tuple[VrrpSyncGroup, ...] = ()
    vrrp_script: tuple[VrrpScript, ...] = ()
    track_file: tuple[TrackedFile, ...] = ()
    vrrp_track_process: tuple[VrrpTrackProcess, ...] = ()
    bfd_instance: tuple[BfdInstance, ...] = ()
    track_group: tuple[TrackGroup, ...] = ()
    static_ipaddress: tuple[AddressEntry, ...] = ()
    virtual_server: tuple[VirtualServer, ...] = ()
    garp_group: tuple[GarpGroup, ...] = ()
    linkbeat_interfaces: tuple[LinkbeatInterface, ...] = ()
    interface_up_down_delays: tuple[InterfaceUpDownDelay, ...] = ()

    def vrrp_part(self) -> "Configuration":
        """What the VRRP process needs. What it follows by BFD stands in its trackers."""
        return replace(self, virtual_server=(), bfd_instance=())

    def checker_part(self) -> "Configuration":
        """What the checker process needs."""
        return Configuration(
            global_defs=self.global_defs, virtual_server=self.virtual_server, track_file=self.track_file
        )

    def bfd_part(self) -> "Configuration":
        """What the BFD process needs."""
        return Configuration(global_defs=self.global_defs, bfd_instance=self.bfd_instance)

    def scripts(self) -> frozenset[Script]:
        """Every command that may be run."""
        return frozenset(_scripts(self))


def _scripts(value: Any) -> Iterator[Script]:
    if isinstance(value, Script):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            if not isinstance(item, (str, int, bytes)):
                yield from _scripts(item)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _scripts(getattr(value, each.name))
