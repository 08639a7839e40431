"""Orders that the virtual routers of a host give, besides Log. Their order is part of the contract."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.effects import Log


class Word(StrEnum):
    """What scripts and FIFOs are told."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    STOP = "STOP"
    DELETED = "DELETED"
    MASTER_RX_LOWER_PRI = "MASTER_RX_LOWER_PRI"
    MASTER_PRIORITY = "MASTER_PRIORITY"
    BACKUP_PRIORITY = "BACKUP_PRIORITY"


@dataclass(frozen=True, slots=True)
class SendAdvert:
    """Send an advert to the group, or to every peer in their order."""

    instance: str
    priority: int
    source: bytes
    sequence: int = 0
    """Its number, where AH authenticates it."""
    old_checksum: bool = False


@dataclass(frozen=True, slots=True)
class AddAddresses:
    """Take addresses; drain what the kernel tells before going on, so that announcements find them."""

    instance: str
    entries: tuple[AddressEntry, ...]


@dataclass(frozen=True, slots=True)
class RemoveAddresses:
    """Give addresses back; absent ones do not matter."""

    instance: str
    entries: tuple[AddressEntry, ...]


@dataclass(frozen=True, slots=True)
class AddRoutes:
    """Add routes; ``replace``: each in the place of one that is the same but for how packets go."""

    instance: str
    entries: tuple[RouteEntry, ...]
    replace: bool = False


@dataclass(frozen=True, slots=True)
class RemoveRoutes:
    """Remove routes; absent ones do not matter."""

    instance: str
    entries: tuple[RouteEntry, ...]


@dataclass(frozen=True, slots=True)
class AddRules:
    """Add rules."""

    instance: str
    entries: tuple[RuleEntry, ...]


@dataclass(frozen=True, slots=True)
class RemoveRules:
    """Remove rules; absent ones do not matter."""

    instance: str
    entries: tuple[RuleEntry, ...]


@dataclass(frozen=True, slots=True)
class BlockAddresses:
    """Drop packets to and from addresses that are held but not accepted. ``by_name``: a link-local one is that of its
    interface's name, for the interface may come and go meanwhile.
    """

    instance: str
    entries: tuple[AddressEntry, ...]
    by_name: bool


@dataclass(frozen=True, slots=True)
class UnblockAddresses:
    """Drop them no longer; those that were not dropped do not matter."""

    instance: str
    entries: tuple[AddressEntry, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """A burst of gratuitous ARP or unsolicited NA: ``rounds`` times all entries in their order."""

    instance: str
    entries: tuple[AddressEntry, ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class AnnounceSource:
    """One gratuitous ARP or NA for the instance's own address: a unicast peer is heard from again."""

    instance: str
    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class CancelAnnouncements:
    """Forget what is left of an instance's bursts."""

    instance: str


@dataclass(frozen=True, slots=True)
class NotifyInstance:
    """Scripts and FIFOs are told of an instance."""

    instance: str
    word: Word
    priority: int


@dataclass(frozen=True, slots=True)
class NotifyGroup:
    """Scripts and FIFOs are told of a sync group."""

    group: str
    word: Word


@dataclass(frozen=True, slots=True)
class ReplaceRouters:
    """A start or a reload: ``kept`` pairs an instance's former name with what it is now, ``added`` are new. Whatever is
    in neither is gone. Orders before this one speak of former names, orders after it of new ones.
    """

    kept: tuple[tuple[str, VrrpInstance], ...]
    added: tuple[VrrpInstance, ...]
    groups: tuple[VrrpSyncGroup, ...]


Effect = (
    Log
    | SendAdvert
    | AddAddresses
    | RemoveAddresses
    | AddRoutes
    | RemoveRoutes
    | AddRules
    | RemoveRules
    | BlockAddresses
    | UnblockAddresses
    | Announce
    | AnnounceSource
    | CancelAnnouncements
    | NotifyInstance
    | NotifyGroup
    | ReplaceRouters
)
