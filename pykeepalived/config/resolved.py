"""What resolved blocks say in the words of the file: each keyword with its value.

Most of it is read off the tables. A class whose values are not the file's words has a function here: it gives the
keywords that no field of it holds, and takes away those that need not or cannot be written.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pykeepalived.config.blocks.authentication import Authentication
from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import FAMILIES, PROTOCOL_NAME, RealServer, VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import (
    AF_INET,
    AF_INET6,
    Command,
    Flag,
    Integer,
    Port,
    Refused,
    Timer,
    word_text,
)
from pykeepalived.config.schema import UNSET, Block, Keyword, is_block, table_of
from pykeepalived.config.script_text import command_text
from pykeepalived.config.surroundings import AccountNames
from pykeepalived.records import record


@record(frozen=True, slots=True)
class Words:
    """A value given as the words of the file."""

    text: str


class _Silent:
    """Not to be written."""


SILENT = _Silent()


@dataclass(slots=True)
class Around:
    """Where a block stands: the whole configuration, the blocks it is in, and the names of accounts."""

    configuration: Configuration
    names: AccountNames
    inside: tuple[Mapping[str, Any], ...] = ()
    """The values of the blocks around it, the nearest first, and last those of global_defs."""
    parents: tuple[Any, ...] = ()
    """Those blocks themselves, the nearest first."""

    def account(self, uid: int, gid: int, groups: tuple[int, ...] = ()) -> str:
        """``USER GROUP``; a colon brings the user's further groups."""
        user = self.names.user_name(uid) or str(uid)
        group = self.names.group_name(gid) or str(gid)
        return f"{word_text(user)} {word_text((':' if groups else '') + group)}"

    def script(self, script: Script, *, user: bool) -> str:
        """A command, and who runs it."""
        text = command_text(script)
        return f"{text} {self.runs_as(script)}".rstrip() if user else text

    def runs_as(self, script: Script) -> str:
        """The account of a script. One that has no further groups, where all have them, can only be the default."""
        if self.configuration.global_defs.set_supplementary_groups and not script.groups:
            return ""
        return self.account(script.uid, script.gid, script.groups)


_EARLY = frozenset(("ip_family", "protocol"))
"""Keywords that come first: they tell what others mean."""
Said = dict[str, Any]
"""Keyword -> its value, or Words, or SILENT."""


def values(item: Any, table: Block) -> Said:
    """The keywords whose values the object holds, in itself or in a plain value of its own."""
    found: Said = {}
    for each in dataclasses.fields(item):
        value = getattr(item, each.name)
        spec = each.metadata.get("keyword")
        name = spec.spelled or each.name if spec is not None else each.name
        if name in table.keywords:
            found[name] = value
        elif dataclasses.is_dataclass(value) and not is_block(type(value)):
            for inner in dataclasses.fields(value):
                if inner.name in table.keywords:
                    found.setdefault(inner.name, getattr(value, inner.name))
    return found


def said(item: Any, table: Block, around: Around) -> Said:
    """What is to be written of a block: in the table's order, without what would be so anyway."""
    held = values(item, table)
    special = _SPECIAL.get(type(item))
    changed = special(item, held, around) if special is not None else {}
    for name, spec in table.keywords.items():
        command = held.get(name)
        if isinstance(spec.kind, Command) and not spec.kind.user and isinstance(command, Script):
            changed.setdefault("user", Words(who) if (who := around.runs_as(command)) else SILENT)
    result: Said = {}
    for name, spec in sorted(table.keywords.items(), key=lambda each: each[0] not in _EARLY):
        if name in changed:
            if changed[name] is not SILENT:
                result[name] = changed[name]
        elif name in held and _differs(name, held[name], spec, held, around):
            result[name] = held[name]
    return result


def _differs(name: str, value: Any, spec: Keyword, held: Said, around: Around) -> bool:
    """Whether a file that does not say it would mean something else."""
    if value is None:
        return False
    if value == 0 and isinstance(spec.kind, Port):
        return False
    if value == () and spec.default is UNSET:
        return False
    inherited = _inherited(name, spec, held, around)
    if value != spec.default:
        # a flag may have a meaning of its own beside its value: it is not repeated where it is inherited
        return _readable(value, spec) and (value != inherited or not isinstance(spec.kind, Flag))
    return inherited is not UNSET and bool(inherited != value)


def _inherited(name: str, spec: Keyword, held: Said, around: Around) -> Any:
    """What the keyword would be without a word of its own; UNSET where it inherits nothing that is held."""
    if spec.inherit:
        for scope in (held if spec.inherit != name else {}, *around.inside):
            if spec.inherit in scope:
                found = scope[spec.inherit]
                return UNSET if found is None else found
    return UNSET


def _readable(value: Any, spec: Keyword) -> bool:
    """Whether the value may be given: one that comes from another keyword may lie beyond the bounds."""
    if not isinstance(spec.kind, Integer | Timer):
        return True
    try:
        spec.kind.read([spec.kind.write(value)])
    except Refused:
        return False
    return True


def inner_blocks(item: Any, table: Block, around: Around) -> Iterator[Any]:
    """The blocks within a block."""
    more = _INNER.get(type(item))
    if more is not None:
        yield from more(item, around)
    own = {each.name for each in table.blocks.values()}
    for each in dataclasses.fields(item):
        value = getattr(item, each.name)
        for one in value if isinstance(value, tuple) else (value,):
            if is_block(type(one)) and table_of(type(one)).name in own:
                yield one


def head(item: Any) -> str:
    """The words between the block's keyword and its brace."""
    if hasattr(item, "head_text"):
        return str(item.head_text())
    name = getattr(item, "name", None)
    return word_text(name) if isinstance(name, str) and "name" not in table_of(type(item)).keywords else ""


# --- what is not read off the tables ---


def _global_defs(item: GlobalDefs, held: Said, around: Around) -> Said:  # noqa: ARG001 - as all of them
    changed: Said = {"router_id": held["router_id"]}
    if item.vrrp_garp_master_refresh_repeat == 0:  # vrrp_min_garp alone makes it so
        changed["vrrp_min_garp"] = Words("")
        changed["vrrp_garp_master_refresh_repeat"] = SILENT
        for name in ("vrrp_garp_master_delay", "vrrp_garp_master_repeat"):
            changed[name] = held[name]
    return changed


def _garp_group(item: GarpGroup, held: Said, around: Around) -> Said:  # noqa: ARG001
    """A group that sets no interval is none."""
    return {} if item.garp_interval or item.gna_interval else {"garp_interval": held["garp_interval"]}


def _bfd_instance(item: BfdInstance, held: Said, around: Around) -> Said:  # noqa: ARG001
    """The default of ttl is not the same for both families."""
    return {"ttl": item.ttl}


def _instance(item: VrrpInstance, held: Said, around: Around) -> Said:
    changed: Said = {name: held[name] for name in ("version", "priority", "state")}
    settings = around.configuration.global_defs
    group = settings.vrrp_mcast_group6 if item.family == AF_INET6 else settings.vrrp_mcast_group4
    telling = (item.native_ipv6, item.virtual_ipaddress, item.unicast_src_ip, item.mcast_src_ip)
    told = any(telling) or item.family == AF_INET
    if item.unicast_peer or (item.mcast_group == group and told):
        changed["mcast_dst_ip"] = SILENT
    else:
        changed["mcast_dst_ip"] = item.mcast_group
    if item.strict_mode:  # its defaults are others
        changed["accept"] = item.accept
        changed["owner_ignore_adverts"] = SILENT  # always so, and keepalived 2.2.7 does not know the word
    if item.notify_deleted_set and item.notify_deleted is None:
        changed["notify_deleted"] = Words("")
    if item.garp_master_refresh_repeat == settings.vrrp_garp_master_refresh_repeat == 0:
        changed["garp_master_refresh_repeat"] = SILENT
    if around.configuration.vrrp_sync_group:  # a group's word is for members that say nothing
        changed["notify_priority_changes"] = held["notify_priority_changes"]
    return changed


def _authentication(item: VrrpInstance, around: Around) -> Iterator[Any]:  # noqa: ARG001 - as all of them
    if item.auth_type is not None:
        yield Authentication(auth_type=item.auth_type, auth_pass=item.auth_pass)


def _virtual_server(item: VirtualServer, held: Said, around: Around) -> Said:  # noqa: ARG001
    service = item.service
    changed: Said = {"lvs_sched": held["lvs_sched"], "lvs_method": item.lvs_method, "protocol": SILENT}
    if service.protocol:
        changed["protocol"] = Words(PROTOCOL_NAME[service.protocol].upper())
    if service.kind == "fwmark":
        changed["ip_family"] = Words({family: word for word, family in FAMILIES.items()}[service.family])
    for name, on in (("flag-1", item.sched_1), ("flag-2", item.sched_2), ("flag-3", item.sched_3)):
        if on:
            changed[name] = Words("")
    if item.sorry_server is not None:
        sorry = item.sorry_server
        changed["sorry_server"] = (sorry.address, sorry.port)
        changed["sorry_server_lvs_method"] = sorry.lvs_method
        if sorry.inhibit:
            changed["sorry_server_inhibit"] = Words("")
    return changed


def _real_server(item: RealServer, held: Said, around: Around) -> Said:  # noqa: ARG001
    (parent, *_) = around.parents
    return {"lvs_method": item.lvs_method if item.lvs_method != parent.lvs_method else SILENT}


_SPECIAL: dict[type, Callable[[Any, Said, Around], Said]] = {
    BfdInstance: _bfd_instance,
    GlobalDefs: _global_defs,
    GarpGroup: _garp_group,
    VrrpInstance: _instance,
    VirtualServer: _virtual_server,
    RealServer: _real_server,
}
_INNER: dict[type, Callable[[Any, Around], Iterator[Any]]] = {VrrpInstance: _authentication}
