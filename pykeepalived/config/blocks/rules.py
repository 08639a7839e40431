"""Rules of routing policy: those of static_rules, and those an instance has while MASTER."""

from pykeepalived.config.kinds import AF_INET, AF_INET6, INT_MAX, UINT_MAX, Flag, Integer, Interface, Word
from pykeepalived.config.kinds_routes import (
    RTPROT_KEEPALIVED,
    AnyBase,
    IpProtocol,
    Mark,
    Named,
    Network,
    Prefix,
    Realms,
    Span,
)
from pykeepalived.config.schema import entry, keyword, option, written_options
from pykeepalived.records import record

WITHOUT_TABLE = ("nop", "blackhole", "unreachable", "prohibit")
"""What a rule may do that looks nothing up."""
TYPED = ("goto", *WITHOUT_TABLE)
"""Actions that ``type`` may stand before."""
_PREFIX = Network()
_PREFIX_ARGUMENTS = "PREFIX|default|any|all"


@entry(
    "rule",
    subject={},
    passes={
        "inet": option(Flag(), default=False, doc="The rule is one of IPv4. The word that follows is skipped."),
        "inet6": option(Flag(), default=False, doc="The rule is one of IPv6. The word that follows is skipped."),
        "type": option(Word(), arguments="|".join(TYPED), doc="May stand before an action that is no table."),
        "nop": option(Flag(), default=False, doc="The action: nothing, the next rule is looked at."),
        "blackhole": option(Flag(), default=False, doc="The action: packets are dropped in silence."),
        "unreachable": option(Flag(), default=False, doc="The action: the network is said to be unreachable."),
        "prohibit": option(Flag(), default=False, doc="The action: communication is said to be prohibited."),
    },
)
@record(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """A rule. It has one action: a table, l3mdev, goto, or one of WITHOUT_TABLE."""

    family: int = AF_INET
    action: str = ""
    """One of WITHOUT_TABLE; empty with a table, with l3mdev and with goto."""
    inverted: bool = keyword(Flag(), default=False, spelled="not", doc="The rule is for packets that do not match.")
    source: Prefix | None = keyword(
        _PREFIX,
        default=None,
        spelled="from",
        arguments=_PREFIX_ARGUMENTS,
        doc="The sources it is for; any if not given.",
    )
    to: Prefix | None = keyword(
        _PREFIX, default=None, arguments=_PREFIX_ARGUMENTS, doc="The destinations it is for; any if not given."
    )
    preference: int = keyword(
        AnyBase(),
        default=0,
        aliases=("priority", "order"),
        doc="The lowest is looked at first. Without one a number from 16384 downwards is taken, and that is said.",
    )
    tos: int = keyword(
        Named("rt_dsfield", 255), default=0, aliases=("dsfield",), doc="The type of service it is for; 0 is any."
    )
    fwmark: tuple[int, int] | None = keyword(Mark(), default=None, doc="The mark of packets it is for, and its mask.")
    iif: str | None = keyword(
        Interface(), default=None, aliases=("dev",), doc="The interface that packets came by; it must exist."
    )
    oif: str | None = keyword(
        Interface(), default=None, doc="The interface that a socket of this machine is bound to; it must exist."
    )
    tunnel_id: int | None = keyword(
        Integer(0, (1 << 64) - 1), default=None, spelled="tunnel-id", doc="The key of the tunnel packets came by."
    )
    uidrange: tuple[int, int] | None = keyword(Span(UINT_MAX), default=None, doc="The users whose packets it is for.")
    ipproto: int | None = keyword(IpProtocol(), default=None, doc="The protocol above IP it is for.")
    sport: tuple[int, int] | None = keyword(Span(65535), default=None, doc="The source ports it is for.")
    dport: tuple[int, int] | None = keyword(Span(65535), default=None, doc="The destination ports it is for.")
    table: int | None = keyword(
        Named("rt_tables", UINT_MAX, minimum=1),
        default=None,
        aliases=("lookup",),
        doc="The action: the route is looked for in this table, which is not 0.",
    )
    l3mdev: bool = keyword(
        Flag(), default=False, doc="The action: the route is looked for in the table of the packet's VRF."
    )
    goto: int | None = keyword(
        Integer(0, UINT_MAX), default=None, doc="The action: go on at the rule of this preference, a greater one."
    )
    realms: int = keyword(Realms(), default=0, doc="The realms of routing that packets get; IPv4, with a table.")
    """The first realm in the upper 16 bits."""
    suppress_prefixlength: int | None = keyword(
        Integer(0, INT_MAX),
        default=None,
        aliases=("sup_pl",),
        doc="Routes of at most this prefix length do not count; with a table.",
    )
    suppress_ifgroup: int | None = keyword(
        Named("group", INT_MAX),
        default=None,
        aliases=("sup_group",),
        doc="Routes by interfaces of this group do not count; with a table.",
    )
    protocol: int = keyword(
        Integer(0, 255),
        default=RTPROT_KEEPALIVED,
        doc="Who made the rule; a rule that is tracked has keepalived's number, 18.",
    )
    """0 where it is not tracked and none is given."""
    no_track: bool = keyword(Flag(), default=False, doc="Nothing happens when the rule disappears.")
    track_group: str | None = keyword(
        Word(), default=None, doc="The instances of this track_group need the rule and its interface; static rules."
    )

    def entry_text(self) -> str:
        """The line of the file that reads as this rule."""
        words = written_options(self, always=("preference", "protocol") if self.no_track else ("preference",))
        if self.action:
            words.append(self.action)
        if self.family == AF_INET6 and self.source is None and self.to is None:
            words.append("inet6")  # last, for it skips the word behind it
        return " ".join(words)

    def __str__(self) -> str:
        """As people name it."""
        return self.entry_text()
