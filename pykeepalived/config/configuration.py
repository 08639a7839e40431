"""The configuration as the processes have it: resolved, checked, frozen, comparable, small when pickled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from operator import attrgetter
from typing import Any, TypeVar, get_args

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.followers import FileCheck
from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, LinkbeatInterface
from pykeepalived.config.blocks.probing import CheckTiming, Target
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.track_group import TrackGroup
from pykeepalived.config.blocks.virtual_server import Service, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import VirtualServerGroup
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.config.kinds_lvs import LvsMethod
from pykeepalived.errors import ConfigError
from pykeepalived.records import record

Item = TypeVar("Item")


@record(frozen=True, slots=True)
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
    static_routes: tuple[RouteEntry, ...] = ()
    static_rules: tuple[RuleEntry, ...] = ()
    virtual_server_group: tuple[VirtualServerGroup, ...] = ()
    virtual_server: tuple[VirtualServer, ...] = ()
    garp_group: tuple[GarpGroup, ...] = ()
    linkbeat_interfaces: tuple[LinkbeatInterface, ...] = ()
    interface_up_down_delays: tuple[InterfaceUpDownDelay, ...] = ()
    ssl: Ssl | None = None

    def vrrp_part(self) -> "Configuration":
        """What the VRRP process needs. What it follows by BFD stands in its trackers."""
        return replace(self, virtual_server_group=(), virtual_server=(), ssl=None, bfd_instance=())

    def checker_part(self) -> "Configuration":
        """What the checker process needs."""
        return Configuration(
            global_defs=self.global_defs,
            virtual_server_group=self.virtual_server_group,
            virtual_server=self.virtual_server,
            ssl=self.ssl,
            track_file=self._checked_files(),
        )

    def _checked_files(self) -> tuple[TrackedFile, ...]:
        """Those that some FILE_CHECK follows."""
        if not self.track_file:
            return ()
        servers = (server for virtual in self.virtual_server for server in virtual.real_server)
        checks = (check for server in servers for check in server.checkers)
        names = {check.track_file for check in checks if isinstance(check, FileCheck)}
        return tuple(file for file in self.track_file if file.name in names)

    def bfd_part(self) -> "Configuration":
        """What the BFD process needs."""
        return Configuration(global_defs=self.global_defs, bfd_instance=self.bfd_instance)

    def scripts(self) -> frozenset[Script]:
        """Every command that may be run."""
        return frozenset(_scripts(self))


@record(frozen=True, slots=True)
class Run:
    """Virtual servers that follow each other: from that place in the configuration before, or (None) the next new."""

    first: int | None
    count: int


@record(frozen=True, slots=True)
class Woven:
    """A new virtual server with real servers of one before: its place, that one's place, where its servers are from."""

    place: int
    former: int
    runs: tuple[Run, ...]


def weave(runs: Iterable[Run], former: Sequence[Item], new: Sequence[Item]) -> list[Item]:
    """The sequence that the runs tell."""
    found: list[Item] = []
    taken = 0
    for run in runs:
        if run.first is None:
            found += new[taken : taken + run.count]
            taken += run.count
        else:
            found += former[run.first : run.first + run.count]
    return found


@record(frozen=True, slots=True)
class Amendment:
    """A configuration told by the one before it: ten thousand virtual servers that stay as they were cost nothing."""

    configuration: Configuration
    """All of the new one, with those virtual servers alone that the one before does not have."""
    runs: tuple[Run, ...]
    former: int
    """How many virtual servers the one before must have."""
    woven: tuple[Woven, ...] = ()

    def applied(self, former: Configuration) -> Configuration:
        """The whole new configuration. What it has of ``former`` are the very objects."""
        before, new = former.virtual_server, list(self.configuration.virtual_server)
        if len(before) != self.former:
            raise ConfigError(f"an amendment of {self.former} virtual servers came to {len(before)}")
        for each in self.woven:
            read = new[each.place]
            servers = weave(each.runs, before[each.former].real_server, read.real_server)
            new[each.place] = replace(read, real_server=tuple(servers))
        return replace(self.configuration, virtual_server=tuple(weave(self.runs, before, new)))


def _scripts(value: Any) -> Iterator[Script]:
    waiting = [value]
    parts: dict[type, Callable[[Any], tuple[Any, ...]]] = {}
    while waiting:
        each = waiting.pop()
        if isinstance(each, Script):
            yield each
        elif isinstance(each, tuple):
            waiting += each
        else:
            kind = type(each)
            if kind not in parts:
                parts[kind] = _parts(kind)
            waiting += [inner for inner in parts[kind](each) if type(inner) not in _PLAIN]


def _parts(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the values of those fields that may hold a command, if there are any."""
    names = [field.name for field in fields(kind) if not _is_plain(field.type)] if is_dataclass(kind) else []
    return attrgetter(*names) if len(names) > 1 else lambda each: tuple(getattr(each, name) for name in names)


def _is_plain(declared: Any) -> bool:
    """Whether a field so declared holds no command."""
    return all(each in _PLAIN for each in get_args(declared) or (declared,))


_PLAIN = frozenset(
    {int, str, bool, bytes, type(None), IPv4Address, IPv6Address, LvsMethod, Service, Target, CheckTiming}
)
"""What holds no command: there are many of them."""
