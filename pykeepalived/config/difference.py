"""What changed between two configurations, by identity: the plan of a reload.

Identities: an instance is its VRID, family, interface, and unicast source or multicast group; a group and a script are
their names, and so is what they follow; a garp_group is its interfaces, a line about an interface is its name; a
virtual server is its service; a real server is its address and port within a virtual server; a static address is itself
on its interface; a static route and a static rule are all they say.
"""

import dataclasses
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, LinkbeatInterface
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.track_group import TrackGroup
from pykeepalived.config.blocks.virtual_server import RealServer, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import VirtualServerGroup
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import Timer
from pykeepalived.records import record

Item = TypeVar("Item")
_SECRET = frozenset({"auth_pass", "auth_hmac"})
_LONGEST = 120
"""Characters that the values of a keyword may take; beyond that its name is all that is told."""


@record(frozen=True, slots=True)
class Changes(Generic[Item]):
    """Added, removed, and changed as pairs of old and new. What stayed as it was is not here."""

    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()
    changed: tuple[tuple[Item, Item], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@record(frozen=True, slots=True)
class Difference:
    """What a reload has to do."""

    global_defs: tuple[GlobalDefs, GlobalDefs] | None
    """The settings of the daemon, old and new, when they changed."""
    vrrp_instance: Changes[VrrpInstance]
    vrrp_sync_group: Changes[VrrpSyncGroup]
    vrrp_script: Changes[VrrpScript]
    virtual_server: Changes[VirtualServer]
    garp_group: Changes[GarpGroup] = Changes()
    linkbeat_interfaces: Changes[LinkbeatInterface] = Changes()
    interface_up_down_delays: Changes[InterfaceUpDownDelay] = Changes()
    track_file: Changes[TrackedFile] = Changes()
    vrrp_track_process: Changes[VrrpTrackProcess] = Changes()
    bfd_instance: Changes[BfdInstance] = Changes()
    track_group: Changes[TrackGroup] = Changes()
    static_ipaddress: Changes[AddressEntry] = Changes()
    static_routes: Changes[RouteEntry] = Changes()
    static_rules: Changes[RuleEntry] = Changes()
    virtual_server_group: Changes[VirtualServerGroup] = Changes()
    ssl: tuple[Ssl | None, Ssl | None] | None = None
    """What checkers show of themselves, old and new, when it changed."""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in dataclasses.fields(self))


def difference(old: Configuration, new: Configuration) -> Difference:
    """What changed from one to the other."""
    return Difference(
        global_defs=(old.global_defs, new.global_defs) if old.global_defs != new.global_defs else None,
        vrrp_instance=changes(old.vrrp_instance, new.vrrp_instance, lambda each: each.identity),
        vrrp_sync_group=changes(old.vrrp_sync_group, new.vrrp_sync_group, lambda each: each.name),
        vrrp_script=changes(old.vrrp_script, new.vrrp_script, lambda each: each.name),
        virtual_server=changes(old.virtual_server, new.virtual_server, lambda each: each.service),
        garp_group=changes(old.garp_group, new.garp_group, lambda each: each.interfaces),
        linkbeat_interfaces=changes(old.linkbeat_interfaces, new.linkbeat_interfaces, lambda each: each.name),
        interface_up_down_delays=changes(
            old.interface_up_down_delays, new.interface_up_down_delays, lambda each: each.name
        ),
        track_file=changes(old.track_file, new.track_file, lambda each: each.name),
        vrrp_track_process=changes(old.vrrp_track_process, new.vrrp_track_process, lambda each: each.name),
        bfd_instance=changes(old.bfd_instance, new.bfd_instance, lambda each: each.name),
        track_group=changes(old.track_group, new.track_group, lambda each: each.name),
        static_ipaddress=changes(
            old.static_ipaddress, new.static_ipaddress, lambda each: (each.address, each.prefix_length, each.dev)
        ),
        static_routes=changes(old.static_routes, new.static_routes, lambda each: each),
        static_rules=changes(old.static_rules, new.static_rules, lambda each: each),
        virtual_server_group=changes(old.virtual_server_group, new.virtual_server_group, lambda each: each.name),
        ssl=(old.ssl, new.ssl) if old.ssl != new.ssl else None,
    )


def real_servers(old: VirtualServer, new: VirtualServer) -> Changes[RealServer]:
    """What changed among the real servers of a virtual server that stays."""
    return changes(old.real_server, new.real_server, lambda each: (each.address, each.port))


def changes(old: Iterable[Item], new: Iterable[Item], identity: Callable[[Item], Hashable]) -> Changes[Item]:
    """Compares two lists whose members have identities. The same object on both sides is as it was."""
    old, new = tuple(old), tuple(new)
    same = set(map(id, old)) & set(map(id, new))
    if same:
        old = tuple(each for each in old if id(each) not in same)
        new = tuple(each for each in new if id(each) not in same)
    before = {identity(each): each for each in old}
    after = {identity(each): each for each in new}
    return Changes(
        added=tuple(each for key, each in after.items() if key not in before),
        removed=tuple(each for key, each in before.items() if key not in after),
        changed=tuple((before[key], each) for key, each in after.items() if key in before and before[key] != each),
    )


def lines(found: Difference) -> list[str]:
    """What a reload does, object by object, for people."""
    said = [f"global_defs: {_keywords(*found.global_defs)}"] if found.global_defs else []
    said += _named("garp_group", found.garp_group, lambda group: " ".join(group.interfaces))
    for word, each in (
        ("linkbeat_interfaces", found.linkbeat_interfaces),
        ("interface_up_down_delays", found.interface_up_down_delays),
        ("vrrp_script", found.vrrp_script),
        ("track_file", found.track_file),
        ("vrrp_track_process", found.vrrp_track_process),
        ("bfd_instance", found.bfd_instance),
        ("track_group", found.track_group),
        ("vrrp_sync_group", found.vrrp_sync_group),
        ("vrrp_instance", found.vrrp_instance),
    ):
        said += _named(word, each, lambda item: str(item.name))
    said += _named("static_ipaddress", found.static_ipaddress, lambda each: f"{each} dev {each.dev}")
    said += _named("static_routes", found.static_routes, str)
    said += _named("static_rules", found.static_rules, str)
    said += _named("virtual_server_group", found.virtual_server_group, lambda group: group.name, _entries)
    if found.ssl:
        said.append(f"SSL: {_ssl(*found.ssl)}")
    said += _named("virtual_server", found.virtual_server, lambda server: str(server.service), _servers)
    return said


def _named(
    word: str,
    found: Changes[Any],
    name: Callable[[Any], str],
    keywords: "Callable[[Any, Any], str] | None" = None,
) -> list[str]:
    return [
        *(f"{word} {name(item)}: removed" for item in found.removed),
        *(f"{word} {name(new)}: {(keywords or _keywords)(old, new)}" for old, new in found.changed),
        *(f"{word} {name(item)}: added" for item in found.added),
    ]


def _servers(old: VirtualServer, new: VirtualServer) -> str:
    """The real servers one by one, then what else changed."""
    found = real_servers(old, new)
    said = _named("real_server", found, lambda server: f"{server.address} {server.port}")
    rest = _keywords(old, dataclasses.replace(new, real_server=old.real_server))
    return "; ".join([*said, *([rest] if rest else [])]) or "real_server: another order"


def _entries(old: VirtualServerGroup, new: VirtualServerGroup) -> str:
    """The lines that came and went."""
    found = changes(old.entries, new.entries, lambda entry: entry)
    said = [*(f"{entry.entry_text()}: removed" for entry in found.removed)]
    said += [f"{entry.entry_text()}: added" for entry in found.added]
    return "; ".join(said) or "another order"


def _ssl(old: Ssl | None, new: Ssl | None) -> str:
    """The keywords that differ, for one of them is a password."""
    if old is None or new is None:
        return "added" if old is None else "removed"
    names = [field.name for field in dataclasses.fields(old)]
    return ", ".join(name for name in names if getattr(old, name) != getattr(new, name))


def _keywords(old: Any, new: Any) -> str:
    """Which keywords differ, and their values as far as they can be told in a few words."""
    said = []
    for field in dataclasses.fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            told = "" if field.name in _SECRET else _told(field, before, after)
            said.append(f"{field.name} {told}".rstrip())
    return ", ".join(said)


def _told(field: "dataclasses.Field[Any]", before: Any, after: Any) -> str:
    """``100 -> 150``, or what came and what went of several; nothing where it would be too long."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        went = [f"-{_text(field, each)}" for each in before if each not in after]
        came = [f"+{_text(field, each)}" for each in after if each not in before]
        told = " ".join([*went, *came]) or "in another order"
    else:
        told = f"{_text(field, before)} -> {_text(field, after)}"
    return told if len(told) <= _LONGEST else ""


def _text(field: "dataclasses.Field[Any]", value: Any) -> str:
    """As it stands in the file."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if hasattr(value, "entry_text"):
        return str(value.entry_text())
    keyword = field.metadata.get("keyword")
    if isinstance(value, int) and keyword is not None and isinstance(keyword.kind, Timer):
        return keyword.kind.write(value)
    if dataclasses.is_dataclass(value) and "__str__" not in type(value).__dict__:
        return str(getattr(value, "name", type(value).__name__))
    return str(value)
