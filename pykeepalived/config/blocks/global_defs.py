"""global_defs and the keywords that stand outside every block: what holds for the whole daemon.

The settings are many; those of one idea stand in a file of their own.
"""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.firewall import Firewall
from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, LinkbeatInterface
from pykeepalived.config.blocks.lvs_globals import LvsGlobals
from pykeepalived.config.blocks.mail import Mail
from pykeepalived.config.blocks.netlink_buffers import NetlinkBuffers
from pykeepalived.config.blocks.processes import Processes
from pykeepalived.config.blocks.reading import Reading
from pykeepalived.config.blocks.reports import Reports
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.virtual_server_group import VirtualServerGroup
from pykeepalived.config.blocks.vrrp_globals import VrrpGlobals
from pykeepalived.config.kinds import (
    UINT_MAX,
    Boolean,
    Entries,
    Flag,
    Word,
    Words,
    whole_seconds,
)
from pykeepalived.config.kinds_lvs import NamedEntries
from pykeepalived.config.schema import Repeat, block, keyword, option
from pykeepalived.records import record
from pykeepalived.units import SECOND


@block(
    "global_defs",
    process="global",
    passes={
        "vrrp_min_garp": option(
            Boolean(),
            default=False,
            process="vrrp",
            doc="One gratuitous message and no second burst, where nothing else is set.",
        ),
        "include_check": option(
            Words(0),
            process="parser",
            arguments="[[+|-]read|match|wildcard_match|brace_match ...]",
            doc="What is an error about an include, from here on; bare, everything.",
        ),
    },
)
@record(frozen=True, slots=True, kw_only=True)
class GlobalDefs(Reports, VrrpGlobals, LvsGlobals, Firewall, NetlinkBuffers, Mail, Reading, Processes):
    """Settings of the daemon."""

    # outside every block
    net_namespace: str | None = None
    net_namespace_ipvs: str | None = None
    namespace_with_ipsets: bool = False
    instance: str | None = None
    use_pid_dir: bool = False
    child_wait_time: int = 5 * SECOND
    linkbeat_use_polling: bool = False

    router_id: str = keyword(
        Word(), default="", checked=True, doc="The name of this machine; its host name if not given."
    )
    script_user: tuple[str, ...] = keyword(
        Words(),
        default=(),
        arguments="USER [[:]GROUP]",
        checked=True,
        doc="Who runs scripts that name no user; keepalived_script if that user exists.",
    )


@block(
    "root",
    process="global",
)
@record(frozen=True, slots=True, kw_only=True)
class Root:
    """Keywords outside every block."""

    net_namespace: str | None = keyword(
        Word(),
        default=None,
        arguments="NAME",
        repeat=Repeat.FIRST,
        checked=True,
        doc="The network namespace the daemon runs in.",
    )
    net_namespace_ipvs: str | None = keyword(
        Word(bare=""),
        default=None,
        arguments="[NAME]",
        repeat=Repeat.FIRST,
        process="checker",
        doc="The network namespace whose IPVS table is used; bare, the one the daemon was started in.",
    )
    namespace_with_ipsets: bool = keyword(
        Flag(),
        default=False,
        process="vrrp",
        doc="ipsets would be used in a namespace also on kernels before 3.13; nftables is used instead.",
    )
    instance: str | None = keyword(
        Word(),
        default=None,
        arguments="NAME",
        repeat=Repeat.FIRST,
        checked=True,
        doc="The name of this daemon among several.",
    )
    use_pid_dir: bool = keyword(Flag(), default=False, doc="PID files go into a folder of their own.")
    static_routes: tuple[RouteEntry, ...] = keyword(
        Entries("route"),
        default=(),
        repeat=Repeat.COLLECT,
        process="vrrp",
        doc="Routes that are there whatever state the instances have.",
    )
    static_rules: tuple[RuleEntry, ...] = keyword(
        Entries("rule"),
        default=(),
        repeat=Repeat.COLLECT,
        process="vrrp",
        doc="Rules of routing policy that are there whatever state the instances have.",
    )
    virtual_server_group: tuple[VirtualServerGroup, ...] = keyword(
        NamedEntries("virtual_server_group"),
        default=(),
        process="checker",
        doc="Addresses and marks that one virtual server serves together.",
    )
    child_wait_time: int = keyword(
        whole_seconds(UINT_MAX), default=5 * SECOND, doc="How long the parent waits for the children at the end."
    )
    linkbeat_use_polling: bool = keyword(
        Flag(),
        default=False,
        process="vrrp",
        doc="The link of every VRRP interface is asked for each second.",
    )
    linkbeat_interfaces: tuple[LinkbeatInterface, ...] = keyword(
        Entries("linkbeat_interfaces", plain=True),
        default=(),
        arguments="{ IFNAME [MII|ETHTOOL|IOCTL] ... }",
        process="vrrp",
        doc="Interfaces whose link is asked for each second.",
    )
    interface_up_down_delays: tuple[InterfaceUpDownDelay, ...] = keyword(
        Entries("interface_up_down_delays", plain=True),
        default=(),
        arguments="{ IFNAME DOWN [UP] ... }",
        unit="s",
        process="vrrp",
        doc="How long an interface must be down or up before that counts.",
    )
    static_ipaddress: tuple[AddressEntry, ...] = keyword(
        Entries("address", without=frozenset({"use_vmac"})),
        default=(),
        repeat=Repeat.COLLECT,
        process="vrrp",
        doc="Addresses that are there whatever the state of the instances.",
    )
