"""Routes: those of static_routes, and those an instance has while MASTER."""

from ipaddress import IPv4Address, IPv6Address, IPv6Interface
from typing import ClassVar

from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, UINT_MAX, Flag, Integer, Interface, Word
from pykeepalived.config.kinds_routes import (
    RT_TABLE_MAIN,
    RTPROT_KEEPALIVED,
    Feature,
    Host,
    Labels,
    Locator,
    Lockable,
    Locked,
    Named,
    Network,
    OnOff,
    Preference,
    Prefix,
    Realms,
    RouteTime,
)
from pykeepalived.config.schema import entry, keyword, option, written_options
from pykeepalived.records import record

RTN_UNICAST = 1
TYPES = {
    "unicast": RTN_UNICAST,
    "local": 2,
    "broadcast": 3,
    "brd": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
    "nat": 10,
    "xresolve": 11,
}
"""What a route does with packets; the kernel's numbers."""
_ID = Integer(0, (1 << 64) - 1)
_BYTE = Integer(0, 255)
_FLAGS = Integer(0, 65535)
_NUMBER = Integer(0, UINT_MAX)
_SWITCH = Integer(0, 1)
_DSFIELD = Named("rt_dsfield", 255)


@entry("encap_ip", subject={})
@record(frozen=True, slots=True)
class EncapIp:
    """Packets of the route go through an IPv4 tunnel. An address or an id is needed."""

    word: ClassVar[str] = "ip"
    id: int | None = keyword(_ID, default=None, doc="The key of the tunnel.")
    dst: IPv4Address | None = keyword(Host(AF_INET), default=None, doc="The other end of the tunnel.")
    src: IPv4Address | None = keyword(Host(AF_INET), default=None, doc="The source of the outer packets.")
    tos: int = keyword(_DSFIELD, default=0, doc="The type of service of the outer packets.")
    ttl: int = keyword(_BYTE, default=0, unit="hops", doc="The TTL of the outer packets; 0 leaves it to the kernel.")
    flags: int = keyword(_FLAGS, default=0, doc="The flags of the tunnel, as the kernel numbers them.")

    def entry_text(self) -> str:
        """The words behind ``encap``."""
        return " ".join((self.word, *written_options(self)))


@entry("encap_ip6", subject={})
@record(frozen=True, slots=True)
class EncapIp6:
    """Packets of the route go through an IPv6 tunnel. An address or an id is needed."""

    word: ClassVar[str] = "ip6"
    id: int | None = keyword(_ID, default=None, doc="The key of the tunnel.")
    dst: IPv6Address | None = keyword(Host(AF_INET6), default=None, doc="The other end of the tunnel.")
    src: IPv6Address | None = keyword(Host(AF_INET6), default=None, doc="The source of the outer packets.")
    tc: int = keyword(_DSFIELD, default=0, doc="The traffic class of the outer packets.")
    hoplimit: int = keyword(
        _BYTE, default=0, unit="hops", doc="The hop limit of the outer packets; 0 leaves it to the kernel."
    )
    flags: int = keyword(_FLAGS, default=0, doc="The flags of the tunnel, as the kernel numbers them.")

    def entry_text(self) -> str:
        """The words behind ``encap``."""
        return " ".join((self.word, *written_options(self)))


@entry("encap_mpls", subject={"LABEL[/LABEL]": "The labels that are pushed, the outermost first."})
@record(frozen=True, slots=True)
class EncapMpls:
    """Packets of the route get MPLS labels."""

    word: ClassVar[str] = "mpls"
    kind: ClassVar[Labels] = Labels()
    value: tuple[int, ...]
    """The labels."""

    def entry_text(self) -> str:
        """The words behind ``encap``."""
        return f"{self.word} {self.kind.write(self.value)}"


@entry("encap_ila", subject={"LOCATOR": "The upper half of the address that packets are sent to."})
@record(frozen=True, slots=True)
class EncapIla:
    """Addresses of packets are translated: identifier and locator apart."""

    word: ClassVar[str] = "ila"
    kind: ClassVar[Locator] = Locator()
    value: int
    """The locator."""

    def entry_text(self) -> str:
        """The words behind ``encap``."""
        return f"{self.word} {self.kind.write(self.value)}"


Encap = EncapIp | EncapIp6 | EncapMpls | EncapIla
ENCAPS: dict[str, type[Encap]] = {each.word: each for each in (EncapIp, EncapIp6, EncapMpls, EncapIla)}
_VIA = Host(prefixed=True)
_ENCAP = Word()
_ENCAP_ARGUMENTS = "ip|ip6|mpls|ila ..."


@entry("nexthop", subject={})
@record(frozen=True, slots=True)
class Nexthop:
    """One of the ways that packets of a route may take."""

    via: IP | None = keyword(_VIA, default=None, doc="The gateway.")
    dev: str | None = keyword(Interface(), default=None, doc="The interface that packets leave by.")
    weight: int = keyword(Integer(1, 256), default=1, doc="Its share, compared with the others of the route.")
    onlink: bool = keyword(Flag(), default=False, doc="The gateway is on the link, whatever its address.")
    encap: Encap | None = keyword(
        _ENCAP, default=None, arguments=_ENCAP_ARGUMENTS, doc="Packets are put into others on this way."
    )
    realms: int = keyword(Realms(), default=0, doc="The realms of routing of this way; IPv4.")

    def entry_text(self) -> str:
        """The words behind ``nexthop``."""
        return " ".join(written_options(self))


_SUBJECT = {
    "DEST": "Where packets go: PREFIX, default, any or all. Before it may stand what happens to them: "
    + ", ".join(sorted({*TYPES} - {"brd"}))
    + ", or a number.",
}


@entry(
    "route",
    subject=_SUBJECT,
    passes={
        "to": option(Network(), doc="The destination, where a word before it is wanted."),
        "inet": option(Flag(), default=False, doc="The route is one of IPv4. The word that follows is skipped."),
        "inet6": option(Flag(), default=False, doc="The route is one of IPv6. The word that follows is skipped."),
        "as": option(Word(), arguments="[to] IPADDR", doc="Of MPLS; it is reported and has no effect."),
        "or": option(Host(), doc="A second gateway. Obsolete: write nexthop."),
        "add": option(Flag(), default=False, doc="The route is made if there is none like it."),
        "prepend": option(Flag(), default=False, doc="The route comes before those that are like it."),
        "append": option(Flag(), default=False, doc="The route comes behind those that are like it."),
    },
)
@record(frozen=True, slots=True, kw_only=True)
class RouteEntry:
    """A route. Numbers are the kernel's own."""

    destination: Prefix
    type: int = RTN_UNICAST
    """One of TYPES, or another number of the kernel's."""
    action: str = "prepend"
    """``add``, ``prepend`` or ``append``: how it stands to routes that are like it. With a type the default is add."""
    src: IP | None = keyword(Host(), default=None, doc="The source address that is preferred on this route.")
    via: IP | None = keyword(_VIA, default=None, deprecated=("gw",), doc="The gateway.")
    source: IPv6Interface | None = keyword(
        Network(AF_INET6),
        default=None,
        spelled="from",
        arguments="IPV6ADDR/LEN",
        doc="The route is for these sources; IPv6.",
    )
    tos: int = keyword(_DSFIELD, default=0, aliases=("dsfield",), doc="The type of service the route is for.")
    table: int = keyword(Named("rt_tables", UINT_MAX), default=RT_TABLE_MAIN, doc="The table it stands in.")
    protocol: int = keyword(
        Named("rt_protos", 255),
        default=RTPROT_KEEPALIVED,
        doc="Who made the route; a route that is tracked has keepalived's number, 18.",
    )
    scope: int = keyword(Named("rt_scopes", 255), default=0, doc="How far the destination is.")
    metric: int = keyword(
        _NUMBER, default=0, aliases=("priority", "preference"), doc="The lowest wins among routes to one destination."
    )
    dev: str | None = keyword(
        Interface(), default=None, aliases=("oif",), doc="The interface that packets leave by; it must exist."
    )
    onlink: bool = keyword(Flag(), default=False, doc="The gateway is on the link, whatever its address.")
    hoplimit: int | None = keyword(_BYTE, default=None, unit="hops", doc="The hop limit of packets of this machine.")
    encap: Encap | None = keyword(
        _ENCAP,
        default=None,
        arguments=_ENCAP_ARGUMENTS,
        doc="Packets are put into others: a tunnel, MPLS labels, or ILA.",
    )
    expires: int | None = keyword(_NUMBER, default=None, unit="s", doc="The kernel removes the route after this; IPv6.")
    mtu: Locked[int] | None = keyword(
        Lockable(_NUMBER), default=None, unit="bytes", doc="The largest packet; locked, nothing larger is tried."
    )
    advmss: Locked[int] | None = keyword(
        Lockable(_NUMBER), default=None, unit="bytes", doc="The MSS that TCP advertises."
    )
    rtt: Locked[int] | None = keyword(
        Lockable(RouteTime(8)), default=None, unit="1/8 ms", doc="The round-trip time that TCP begins with."
    )
    """In eighths of a millisecond."""
    rttvar: Locked[int] | None = keyword(
        Lockable(RouteTime(4)), default=None, unit="1/4 ms", doc="The variance of it that TCP begins with."
    )
    """In quarters of a millisecond."""
    reordering: Locked[int] | None = keyword(
        Lockable(_NUMBER), default=None, unit="packets", doc="How much reordering TCP takes for no loss."
    )
    window: int | None = keyword(_NUMBER, default=None, unit="bytes", doc="The largest window that TCP advertises.")
    cwnd: Locked[int] | None = keyword(
        Lockable(_NUMBER), default=None, unit="packets", doc="The largest congestion window; it has to be locked."
    )
    ssthresh: Locked[int] | None = keyword(
        Lockable(_NUMBER), default=None, unit="packets", doc="Where TCP's slow start ends."
    )
    realms: int = keyword(Realms(), default=0, doc="The realms of routing, for accounting and filters; IPv4.")
    """The first realm in the upper 16 bits."""
    rto_min: Locked[int] | None = keyword(
        Lockable(RouteTime(1)), default=None, unit="ms", doc="The shortest wait of TCP before it sends again."
    )
    """In milliseconds."""
    initcwnd: int | None = keyword(_NUMBER, default=None, unit="packets", doc="TCP's first congestion window.")
    initrwnd: int | None = keyword(_NUMBER, default=None, unit="packets", doc="TCP's first receive window.")
    features: str | None = keyword(Feature(), default=None, doc="Features of TCP: explicit congestion notification.")
    quickack: int | None = keyword(_SWITCH, default=None, doc="1: TCP acknowledges at once on this route.")
    congctl: Locked[str] | None = keyword(
        Lockable(Word()), default=None, arguments="[lock] NAME", doc="TCP's congestion control, such as cubic."
    )
    pref: int = keyword(Preference(), default=0, doc="How much the router is preferred; IPv6.")
    """RFC 4191: 0 medium, 1 high, 3 low."""
    ttl_propagate: bool | None = keyword(
        OnOff(), default=None, spelled="ttl-propagate", doc="The TTL goes from the label to the packet and back; MPLS."
    )
    fastopen_no_cookie: int | None = keyword(_SWITCH, default=None, doc="1: TCP fast open needs no cookie.")
    vrf: str | None = keyword(Interface(), default=None, doc="The route stands in the table of this VRF.")
    no_track: bool = keyword(
        Flag(), default=False, doc="Nothing happens when the route disappears; so it is without dev."
    )
    track_group: str | None = keyword(
        Word(), default=None, doc="The instances of this track_group need the route and its interface; static routes."
    )
    nexthop: tuple[Nexthop, ...] = keyword(
        Word(),
        default=(),
        arguments="[via IPADDR] [dev IFNAME] [weight INT] [onlink] [encap ...] [realms REALMS] [nexthop ...]",
        doc="One of several ways for the packets; these come last.",
    )

    # options that an encapsulation has too (src, tos, hoplimit) stand before it, lest they be taken for its own

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return AF_INET6 if self.destination.version == 6 else AF_INET

    def entry_text(self) -> str:
        """The line of the file that reads as this route."""
        words = [str(self.destination)]
        if self.type != RTN_UNICAST:
            words.insert(0, next((word for word, each in TYPES.items() if each == self.type), str(self.type)))
        if self.action != ("prepend" if self.type == RTN_UNICAST else "add"):
            words.append(self.action)
        return " ".join((*words, *written_options(self)))

    def __str__(self) -> str:
        """As people name it."""
        return self.entry_text()
