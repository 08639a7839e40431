"""Settings of the packet filter: what drops packets to virtual addresses, and what marks them for IPVS."""

from pykeepalived.config.kinds import INT_MAX, UINT_MAX, Flag, Integer
from pykeepalived.config.kinds_firewall import SETS, ChainNames, IpsetNames, TableName
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record

HOOK_PRIORITY = -1
FIRST_FWMARK = 1000


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Firewall:
    """Which packet filter is used, and its names there."""

    vrrp_iptables: tuple[str, ...] = keyword(
        ChainNames(),
        default=(),
        repeat=Repeat.FIRST,
        process="vrrp",
        doc="The chains of iptables that would be used; nftables is used instead.",
    )
    vrrp_ipsets: tuple[str, ...] = keyword(
        IpsetNames(),
        default=SETS,
        process="vrrp",
        doc="The ipsets that would be used with vrrp_iptables; nftables is used instead.",
    )
    nftables: str | None = keyword(
        TableName("keepalived"),
        default=None,
        repeat=Repeat.FIRST,
        process="vrrp",
        doc="The table of nftables that drops packets; keepalived if not named.",
    )
    nftables_priority: int = keyword(
        Integer(-INT_MAX - 1, INT_MAX),
        default=HOOK_PRIORITY,
        process="vrrp",
        doc="The priority of that table's base chains; stands below nftables.",
    )
    nftables_ifindex: bool = keyword(
        Flag(),
        default=False,
        process="vrrp",
        doc="Sets of nftables know interfaces by index, also where dont_track_primary asks for names.",
    )
    nftables_ipvs: str | None = keyword(
        TableName("keepalived_ipvs"),
        default=None,
        repeat=Repeat.FIRST,
        process="checker",
        doc="Virtual server groups are marked by nftables in this table; keepalived_ipvs if not named.",
    )
    nftables_ipvs_priority: int = keyword(
        Integer(-INT_MAX - 1, INT_MAX),
        default=HOOK_PRIORITY,
        process="checker",
        doc="The priority of that table's base chains; stands below nftables_ipvs.",
    )
    nftables_ipvs_start_fwmark: int = keyword(
        Integer(1, UINT_MAX),
        default=FIRST_FWMARK,
        process="checker",
        doc="The first mark given to a virtual server group; stands below nftables_ipvs.",
    )
    nftables_counters: bool = keyword(Flag(), default=False, doc="The rules made in nftables count their packets.")
