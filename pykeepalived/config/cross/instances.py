"""vrrp_instance blocks as values: every keyword with its default, then idea by idea what they mean together."""

from dataclasses import fields

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.cross import (
    authentication,
    election,
    instance_identity,
    peers,
    strict,
    trackers,
    virtual_addresses,
    virtual_interfaces,
)
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.draft import Draft, Refusal
from pykeepalived.config.cross.routing import Routing
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.raw import Raw
from pykeepalived.config.schema import table_of

NOTIFIES = (
    "notify_master",
    "notify_backup",
    "notify_fault",
    "notify_stop",
    "notify_deleted",
    "notify",
    "notify_master_rx_lower_pri",
)
_RESOLVED = frozenset(
    {
        *NOTIFIES,
        "interface",
        "virtual_router_id",
        "version",
        "strict_mode",
        "vrf",
        "priority",
        "state",
        "virtual_ipaddress",
        "virtual_ipaddress_excluded",
        "virtual_routes",
        "virtual_rules",
        "unicast_peer",
        "unicast_src_ip",
        "mcast_src_ip",
        *trackers.TRACKS,
        "kernel_rx_buf_size",
    }
)
_COPIED = tuple(
    each.name
    for each in fields(VrrpInstance)
    if each.name in table_of(VrrpInstance).keywords and each.name not in _RESOLVED
)
"""Keywords whose value, or inherited default, is to begin with what it is."""
_DEPRECATED = {
    "linkbeat_use_polling": "linkbeat_interfaces, outside every block",
    "lvs_sync_daemon_interface": "lvs_sync_daemon in global_defs",
}
"""Keyword -> what to write instead."""


class Instances:
    """Resolves the instances of a configuration."""

    def __init__(
        self,
        context: Context,
        scripts: Scripts,
        global_defs: GlobalDefs,
        definitions: trackers.Definitions,
        routing: Routing,
    ) -> None:
        self._context = context
        self._scripts = scripts
        self._global_defs = global_defs
        self._strict = global_defs.vrrp_strict
        self._definitions = definitions
        self._routing = routing
        self._taken = instance_identity.Taken()
        self._names = virtual_interfaces.Names()
        self.left_out: set[str] = set()
        """Instances that are refused; why was said."""

    def resolve(self, root: Raw) -> list[VrrpInstance]:
        """Every instance that is one."""
        found = []
        for raw in root.named("vrrp_instance"):
            try:
                found.append(self._instance(raw))
            except Refusal:
                self.left_out.add(raw.name)
                # what else is wrong with it is told all the same
                trackers.followed(raw.name, raw, self._definitions, self._context)
        return found

    def _instance(self, raw: Raw) -> VrrpInstance:
        own_strict = raw.given.get("strict_mode")
        draft = Draft(
            raw, self._context, self._global_defs, strict=own_strict.value if own_strict is not None else self._strict
        )
        values = draft.values
        for name in _COPIED:
            values[name] = draft.value(name)
        _deprecated(draft)
        values["interface"] = draft.interface = instance_identity.interface(draft)
        values["vrf"] = instance_identity.vrf(draft)
        values["family"] = draft.family = instance_identity.family(draft)
        values["version"] = draft.version = instance_identity.version(draft)
        virtual_interfaces.ipvlan(draft, self._names)
        peers.resolve(draft)
        self._taken.take(draft)
        virtual_interfaces.vmac(draft, self._names)
        authentication.resolve(draft)
        election.resolve(draft)
        authentication.window(draft)
        virtual_addresses.resolve(draft)
        values["virtual_routes"], values["virtual_rules"] = self._routing.routes(raw), self._routing.rules(raw)
        if draft.strict:
            strict.resolve(draft)
        self._trackers(draft)
        self._reports(draft)
        values["kernel_rx_buf_size"] = raw.value("kernel_rx_buf_size")
        return VrrpInstance(**values)

    def _reports(self, draft: Draft) -> None:
        """Scripts and mail."""
        values, raw = draft.values, draft.raw
        for name in NOTIFIES:
            values[name] = self._scripts.command(raw.given.get(name))
        values["notify_deleted_set"] = "notify_deleted" in raw.given

    def _trackers(self, draft: Draft) -> None:
        """What the instance follows: one line for each keyword. An owner's priority never changes."""
        raw, values = draft.raw, draft.values
        given = raw.given.get("track_interface")
        values["track_interface"] = trackers.interfaces(raw.name, given, self._context, draft.interface)
        values.update(trackers.followed(raw.name, raw, self._definitions, self._context))
        if values["priority"] == election.OWNER:
            trackers.of_owner(raw, values, self._context)


def _deprecated(draft: Draft) -> None:
    for name, instead in _DEPRECATED.items():
        if name in draft.raw.given:
            draft.error(f'"{name}" is deprecated, please use {instead}', name, f"write {instead}")
