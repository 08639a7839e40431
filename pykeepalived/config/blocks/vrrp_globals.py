"""Settings of VRRP as a whole, and defaults of its instances."""

from ipaddress import IPv4Address, IPv6Address

from pykeepalived.config.kinds import (
    AF_INET,
    INT_MAX,
    UINT_MAX,
    Address,
    Boolean,
    Choice,
    Flag,
    Integer,
    Timer,
    Word,
    whole_seconds,
)
from pykeepalived.config.kinds_global import MulticastV6
from pykeepalived.config.kinds_vrrp import ExtraGarp, ExtraGarpKind
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record
from pykeepalived.units import SECOND

_LONGEST = "4294.967295"


def _spacing(of: str) -> int:
    interval: int = keyword(
        Timer("0.000001", _LONGEST),
        default=0,
        process="vrrp",
        doc=f"The least time between two {of} on an interface of no garp_group; 0 is none.",
    )
    return interval


def _default(of: str) -> bool:
    wanted: bool = keyword(Boolean(), default=False, process="vrrp", doc=f"Default of {of}.")
    return wanted


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class VrrpGlobals:
    """Interfaces, groups, gratuitous messages, delays, and what an instance takes for granted."""

    dynamic_interfaces: str | None = keyword(
        Choice(("allow_if_changes",), bare=""),
        default=None,
        process="vrrp",
        doc="Interfaces that do not exist yet are allowed; or even those that come back as another type.",
    )
    default_interface: str = keyword(
        Word(),
        default="eth0",
        arguments="IFNAME",
        process="vrrp",
        checked=True,
        doc="The interface of addresses that name none: static ones, and those of instances without interface.",
    )
    disable_local_igmp: bool = keyword(
        Flag(),
        default=False,
        process="vrrp",
        since="Linux 4.3",
        doc="The kernel reports no membership of groups that stay on the link.",
    )
    v3_checksum_as_v2: bool = keyword(
        Flag(),
        default=False,
        process="vrrp",
        doc="Default of v3_checksum_as_v2; on, whatever follows.",
    )
    vmac_prefix: str = keyword(
        Word(),
        default="vrrp",
        repeat=Repeat.FIRST,
        process="vrrp",
        doc="What the names of VMAC interfaces begin with.",
    )
    vmac_addr_prefix: str = keyword(
        Word(),
        default="vrrp",
        repeat=Repeat.FIRST,
        inherit="vmac_prefix",
        process="vrrp",
        doc="What the names of VMAC interfaces of single addresses begin with.",
    )

    vrrp_mcast_group4: IPv4Address = keyword(
        Address(AF_INET, multicast=True),
        default=IPv4Address("224.0.0.18"),
        arguments="IPV4_MULTICAST",
        process="vrrp",
        doc="The group of IPv4 adverts.",
    )
    vrrp_mcast_group6: IPv6Address = keyword(
        MulticastV6(), default=IPv6Address("ff02::12"), process="vrrp", doc="The group of IPv6 adverts."
    )

    vrrp_garp_master_delay: int = keyword(
        whole_seconds(4294), default=5 * SECOND, process="vrrp", doc="Default of garp_master_delay."
    )
    vrrp_garp_master_repeat: int = keyword(
        Integer(0, UINT_MAX), default=5, process="vrrp", doc="Default of garp_master_repeat."
    )
    vrrp_garp_master_refresh: int = keyword(
        whole_seconds(UINT_MAX), default=0, process="vrrp", doc="Default of garp_master_refresh."
    )
    vrrp_garp_master_refresh_repeat: int = keyword(
        Integer(0, UINT_MAX), default=1, process="vrrp", doc="Default of garp_master_refresh_repeat."
    )
    vrrp_garp_lower_prio_delay: int = keyword(
        whole_seconds(4294),
        default=5 * SECOND,
        inherit="vrrp_garp_master_delay",
        process="vrrp",
        doc="Default of garp_lower_prio_delay.",
    )
    vrrp_garp_lower_prio_repeat: int = keyword(
        Integer(0, INT_MAX),
        default=5,
        inherit="vrrp_garp_master_repeat",
        process="vrrp",
        doc="Default of garp_lower_prio_repeat.",
    )
    vrrp_garp_interval: int = _spacing("gratuitous ARP messages")
    vrrp_gna_interval: int = _spacing("unsolicited neighbour adverts")
    vrrp_garp_extra_if: ExtraGarp = keyword(
        ExtraGarpKind(1),
        default=ExtraGarp(),
        deprecated=("vrrp_vmac_garp_intvl",),
        process="vrrp",
        checked=True,
        doc="Default of garp_extra_if: how often other interfaces that hold VIPs announce them.",
    )

    vrrp_down_timer_adverts: int = keyword(
        Integer(1, 100), default=3, unit="advert intervals", process="vrrp", doc="Default of down_timer_adverts."
    )
    vrrp_lower_prio_no_advert: bool = _default("lower_prio_no_advert")
    vrrp_higher_prio_send_advert: bool = _default("higher_prio_send_advert")
    vrrp_owner_ignore_adverts: bool = _default("owner_ignore_adverts")
    vrrp_version: int = keyword(Integer(2, 3), default=2, process="vrrp", doc="Default of version for IPv4.")
    vrrp_strict: bool = _default("strict_mode")
    vrrp_check_unicast_src: bool = keyword(Flag(), default=False, process="vrrp", doc="Default of check_unicast_src.")
    vrrp_skip_check_adv_addr: bool = _default("skip_check_adv_addr")
    vrrp_startup_delay: int = keyword(
        Timer("0.001", _LONGEST), default=0, process="vrrp", doc="Instances wait this long after the daemon's start."
    )
    vrrp_delay_after_boot: int = keyword(
        Timer("0.001", _LONGEST), default=0, process="vrrp", doc="Instances wait until the machine is up for this long."
    )
    log_unknown_vrids: bool = keyword(
        Flag(), default=False, process="vrrp", doc="Adverts of virtual routers not configured are logged."
    )

    @property
    def allow_dynamic_interfaces(self) -> bool:
        """Whether an interface need not exist."""
        return self.dynamic_interfaces is not None
