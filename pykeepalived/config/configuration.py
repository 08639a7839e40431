"""The configuration as the processes have it: resolved, checked, frozen, comparable, small when pickled."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the file says, with defaults and inheritance applied."""

    global_defs: GlobalDefs = GlobalDefs()
    vrrp_instance: tuple[VrrpInstance, ...] = ()
    vrrp_sync_group: tuple[VrrpSyncGroup, ...] = ()
    vrrp_script: tuple[VrrpScript, ...] = ()
    virtual_server: tuple[VirtualServer, ...] = ()
    static_routes: tuple[RouteEntry, ...] = ()
    static_rules: tuple[RuleEntry, ...] = ()

    def vrrp_part(self) -> "Configuration":
        """What the VRRP process needs."""
        # nobody acts upon static routes and rules yet
        return replace(self, virtual_server=(), static_routes=(), static_rules=())

    def checker_part(self) -> "Configuration":
        """What the checker process needs."""
        return Configuration(global_defs=self.global_defs, virtual_server=self.virtual_server)

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
