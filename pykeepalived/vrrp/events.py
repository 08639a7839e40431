"""Facts that the virtual routers of a host are told, besides Tick."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.events import Tick
from pykeepalived.vrrp.identity import ReceiverKey
from pykeepalived.wire.vrrp import Packet


@dataclass(frozen=True, slots=True)
class AdvertReceived:
    """A VRRP packet came in at ``receiver``."""

    receiver: ReceiverKey
    packet: Packet


@dataclass(frozen=True, slots=True)
class InterfaceChanged:
    """A link is, or went, up or down; one that vanished is down and has lost its addresses."""

    interface: str
    up: bool
    present: bool = True
    flags: int = 0
    """IFF_*, for the log."""
    renamed: str = ""
    """What a link that is not present any more is called now."""


@dataclass(frozen=True, slots=True)
class LinkbeatChanged:
    """The link of an interface that is polled was found up, or down."""

    interface: str
    up: bool


@dataclass(frozen=True, slots=True)
class AddressAdded:
    """An interface has an address, or it changed."""

    interface: str
    address: IPv4Address | IPv6Address
    prefix_length: int
    secondary: bool = False
    tentative: bool = False
    dad_failed: bool = False
    """Another host has it."""


@dataclass(frozen=True, slots=True)
class AddressRemoved:
    """An interface has lost an address; ``ours`` says that we ordered it."""

    interface: str
    address: IPv4Address | IPv6Address
    prefix_length: int
    ours: bool = False


@dataclass(frozen=True, slots=True)
class TrackScriptChanged:
    """A vrrp_script is now believed to be up or down."""

    name: str
    up: bool
    cause: str = ""


@dataclass(frozen=True, slots=True)
class TrackFileChanged:
    """A track_file holds another number; 0 when there is none."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class TrackProcessChanged:
    """A vrrp_track_process has gained or lost its quorum."""

    name: str
    up: bool
    cause: str = ""


@dataclass(frozen=True, slots=True)
class TrackBfdChanged:
    """A BFD session is up, or down."""

    name: str
    up: bool


@dataclass(frozen=True, slots=True)
class SocketsChanged:
    """An instance has the sockets to send from and to listen at, or one could not be opened: it knows nobody then."""

    instance: str
    up: bool
    cause: str = ""


@dataclass(frozen=True, slots=True)
class AdvertFailed:
    """The kernel refused an advert. ``errno`` 0: it goes out again."""

    instance: str
    errno: int
    destination: bytes = b""


@dataclass(frozen=True, slots=True)
class AddressesFailed:
    """The kernel refused to add (or to remove) an address."""

    instance: str
    entry: AddressEntry
    errno: int
    adding: bool = True


@dataclass(frozen=True, slots=True)
class RoutingRemoved:
    """Somebody else removed a route or a rule of ours."""

    entry: RouteEntry | RuleEntry


@dataclass(frozen=True, slots=True)
class RoutingFailed:
    """The kernel refused to add (or to remove) a route or a rule."""

    instance: str
    entry: RouteEntry | RuleEntry
    errno: int
    adding: bool = True
    words: str = ""
    """The kernel's own."""


@dataclass(frozen=True, slots=True)
class StaticTried:
    """A static object was to be added. ``errno`` 0: it is there."""

    entry: AddressEntry | RouteEntry | RuleEntry
    errno: int
    words: str = ""
    """The kernel's own."""


Event = (
    Tick
    | AdvertReceived
    | InterfaceChanged
    | LinkbeatChanged
    | AddressAdded
    | AddressRemoved
    | TrackScriptChanged
    | TrackFileChanged
    | TrackProcessChanged
    | TrackBfdChanged
    | SocketsChanged
    | AdvertFailed
    | AddressesFailed
    | RoutingRemoved
    | RoutingFailed
    | StaticTried
)
