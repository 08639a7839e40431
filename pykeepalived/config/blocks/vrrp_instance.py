"""vrrp_instance: one virtual router on one interface."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from pykeepalived.config.blocks.addresses import AddressEntry, UnicastPeer
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.trackers import TrackInterface, TrackScript
from pykeepalived.config.kinds import (
    AF_INET,
    INT_MAX,
    IP,
    UINT_MAX,
    Address,
    Boolean,
    Choice,
    Command,
    Entries,
    Flag,
    Integer,
    Interface,
    Password,
    Timer,
    whole_seconds,
)
from pykeepalived.config.schema import Repeat, block, keyword, later, option
from pykeepalived.units import SECOND

Identity = tuple[int, int, str, bool, IP | None]
"""VRID, family, interface, unicast or not, and its source or its group."""

_LATER = later(
    """
    use_vmac use_vmac_addr vmac_xmit_base use_ipvlan old_unicast_checksum vrf
    track_file { * } track_process { * } track_bfd { * } track_src_ip
    promote_secondaries linkbeat_use_polling v3_checksum_as_v2
    debug smtp_alert lvs_sync_daemon_interface timer_expired_backup thread_timer_expired
    garp_extra_if vmac_garp_intvl kernel_rx_buf_size
    auth_hmac { key active_key time_window anti_replay mode }
""",
    kinds={
        "debug": Integer(0, 4),
        "kernel_rx_buf_size": Integer(0, UINT_MAX),
        "smtp_alert": Boolean(),
        "v3_checksum_as_v2": Boolean(),
        **dict.fromkeys(("timer_expired_backup", "thread_timer_expired"), Integer(1, 254, bare=254)),
        "time_window": Integer(1, 300),
        "active_key": Integer(1, 255),
    },
    instead={
        "linkbeat_use_polling": "linkbeat_interfaces",
        "lvs_sync_daemon_interface": "lvs_sync_daemon",
        "thread_timer_expired": "timer_expired_backup",
        "vmac_garp_intvl": "garp_extra_if",
    },
)


@block("authentication")
@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Authentication as version 2 has it."""

    auth_type: str = keyword(Choice(("PASS", "AH")), default="", doc="The scheme; AH is not effective yet.")
    auth_pass: bytes = keyword(Password(), default=b"", doc="The shared password, 8 bytes.")


@block(
    "vrrp_instance",
    blocks=(Authentication,),
    passes={
        "mcast_dst_ip": option(Address(multicast=True), doc="The group adverts go to.", inherit="vrrp_mcast_group4"),
        "native_ipv6": option(Flag(), default=False, doc="IPv6, whatever the addresses say. Obsolete."),
        "no_virtual_ipaddress": option(Flag(), default=False, doc="No address is meant: no warning about it."),
        "unicast_fault_no_peer": option(Flag(), default=False, doc="FAULT rather than multicast without a peer."),
        "strict_mode": option(Boolean(), inherit="vrrp_strict", doc="The RFC's rules, whatever else is configured."),
    },
    known=_LATER,
)
@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpInstance:
    """A virtual router."""

    name: str
    interface: str = keyword(Interface(), doc="The interface that carries the adverts.")
    virtual_router_id: int = keyword(Integer(1, 255), doc="The number of the virtual router, the same on all of them.")
    version: Literal[2, 3] = keyword(
        Integer(2, 3), default=2, inherit="vrrp_version", doc="The protocol's version; IPv6 has 3."
    )
    family: int = AF_INET
    """AF_INET or AF_INET6."""
    priority: int = keyword(
        Integer(1, 255),
        default=100,
        doc="Highest wins the election; 255 means that this host owns the addresses.",
    )
    state: Literal["MASTER", "BACKUP"] = keyword(
        Choice(("MASTER", "BACKUP")), default="BACKUP", repeat=Repeat.STRONGEST, doc="The state to start in."
    )
    advert_int: int = keyword(Timer("0.01", "255"), default=SECOND, doc="Time between two adverts.")
    auth_type: Literal["PASS"] | None = None
    auth_pass: bytes = b""
    virtual_ipaddress: tuple[AddressEntry, ...] = keyword(
        Entries("address", without=frozenset({"track_group"})),
        default=(),
        repeat=Repeat.COLLECT,
        doc="The addresses that adverts carry and the MASTER holds.",
    )
    virtual_ipaddress_excluded: tuple[AddressEntry, ...] = keyword(
        Entries("address", without=frozenset({"track_group"})),
        default=(),
        repeat=Repeat.COLLECT,
        doc="Addresses the MASTER holds that adverts do not carry.",
    )
    virtual_routes: tuple[RouteEntry, ...] = keyword(
        Entries("route", without=frozenset({"track_group"})),
        default=(),
        repeat=Repeat.COLLECT,
        effective=False,
        doc="Routes that are there while the instance is MASTER.",
    )
    virtual_rules: tuple[RuleEntry, ...] = keyword(
        Entries("rule", without=frozenset({"track_group"})),
        default=(),
        repeat=Repeat.COLLECT,
        effective=False,
        doc="Rules of routing policy that are there while the instance is MASTER.",
    )
    unicast_peer: tuple[UnicastPeer, ...] = keyword(
        Entries("unicast_peer"), default=(), repeat=Repeat.COLLECT, doc="Adverts go to these hosts, not to the group."
    )
    unicast_src_ip: IP | None = keyword(Address(), default=None, doc="The source of unicast adverts.")
    mcast_src_ip: IP | None = keyword(Address(), default=None, doc="The source of multicast adverts.")
    mcast_group: IP = IPv4Address("224.0.0.18")
    """Where multicast adverts go."""
    unicast_ttl: int | None = keyword(Integer(0, 255), default=None, doc="TTL or hop limit of unicast adverts.")
    nopreempt: bool = keyword(
        Flag(), default=False, negated="preempt", doc="Does not displace a MASTER of lower priority."
    )
    preempt_delay: int = keyword(Timer("0", "1000"), default=0, doc="Time to wait before displacing a MASTER.")
    down_timer_adverts: int = keyword(
        Integer(1, 100),
        default=3,
        inherit="vrrp_down_timer_adverts",
        doc="How many adverts may be missed before a BACKUP takes over.",
    )
    dont_track_primary: bool = keyword(Flag(), default=False, doc="Faults of the own interface are overlooked.")
    track_interface: tuple[TrackInterface, ...] = keyword(
        Entries("track_interface"), default=(), repeat=Repeat.COLLECT, doc="Further interfaces that are followed."
    )
    track_script: tuple[TrackScript, ...] = keyword(
        Entries("track_script"), default=(), repeat=Repeat.COLLECT, doc="Scripts that are followed."
    )
    garp_master_delay: int = keyword(
        whole_seconds(4294),
        default=5 * SECOND,
        inherit="vrrp_garp_master_delay",
        doc="Time to the second burst of gratuitous ARP after becoming MASTER; 0 for none.",
    )
    garp_master_repeat: int = keyword(
        Integer(0, UINT_MAX), default=5, inherit="vrrp_garp_master_repeat", doc="Gratuitous ARP messages in a burst."
    )
    garp_master_refresh: int = keyword(
        whole_seconds(UINT_MAX),
        default=0,
        inherit="vrrp_garp_master_refresh",
        doc="Period of repeating them as MASTER; 0 for never.",
    )
    garp_master_refresh_repeat: int = keyword(
        Integer(0, UINT_MAX), default=1, inherit="vrrp_garp_master_refresh_repeat", doc="Messages in such a repetition."
    )
    garp_lower_prio_delay: int = keyword(
        whole_seconds(4294),
        default=5 * SECOND,
        inherit="vrrp_garp_lower_prio_delay",
        doc="As garp_master_delay, after an advert of lower priority.",
    )
    garp_lower_prio_repeat: int = keyword(
        Integer(0, INT_MAX),
        default=5,
        inherit="vrrp_garp_lower_prio_repeat",
        doc="As garp_master_repeat, after an advert of lower priority.",
    )
    lower_prio_no_advert: bool = keyword(
        Boolean(),
        default=False,
        inherit="vrrp_lower_prio_no_advert",
        doc="The MASTER does not answer an advert of lower priority.",
    )
    higher_prio_send_advert: bool = keyword(
        Boolean(),
        default=False,
        inherit="vrrp_higher_prio_send_advert",
        doc="The MASTER sends one advert before it yields.",
    )
    accept: bool = keyword(Flag(), default=True, negated="no_accept", doc="Packets for the addresses are accepted.")
    check_unicast_src: bool = keyword(
        Flag(), default=False, inherit="vrrp_check_unicast_src", doc="Adverts from hosts that are no peer are dropped."
    )
    skip_check_adv_addr: bool = keyword(
        Boolean(),
        default=False,
        inherit="vrrp_skip_check_adv_addr",
        doc="The addresses in adverts of the known MASTER are not compared.",
    )
    owner_ignore_adverts: bool = keyword(
        Boolean(), default=False, inherit="vrrp_owner_ignore_adverts", doc="An owner (255) disregards adverts."
    )
    notify_master: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run on becoming MASTER.")
    notify_backup: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run on becoming BACKUP.")
    notify_fault: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run on going to FAULT.")
    notify_stop: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when VRRP stops.")
    notify_deleted: Script | None = keyword(
        Command(optional=True),
        default=None,
        repeat=Repeat.FIRST,
        doc="A reload that removes the instance reports DELETED, not FAULT, and runs the command, if any.",
    )
    notify_deleted_set: bool = False
    notify: Script | None = keyword(
        Command(),
        default=None,
        repeat=Repeat.FIRST,
        doc="Run at every transition; INSTANCE, name, state and priority are appended.",
    )
    notify_master_rx_lower_pri: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, doc="Run when the MASTER hears an advert of lower priority."
    )
    notify_priority_changes: bool = keyword(
        Boolean(),
        default=False,
        inherit="vrrp_notify_priority_changes",
        doc="Changes of the effective priority are reported.",
    )

    @property
    def unicast(self) -> bool:
        """Adverts go to peers, not to the group."""
        return bool(self.unicast_peer)

    @property
    def source(self) -> IP | None:
        """The configured source of adverts, if any."""
        return self.unicast_src_ip or self.mcast_src_ip

    @property
    def identity(self) -> Identity:
        """What makes it the same virtual router across a reload: with unicast its source, else its group."""
        return (
            self.virtual_router_id,
            self.family,
            self.interface,
            self.unicast,
            self.unicast_src_ip if self.unicast else self.mcast_group,
        )
