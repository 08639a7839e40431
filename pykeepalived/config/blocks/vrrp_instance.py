"""vrrp_instance: one virtual router on one interface."""

from ipaddress import IPv4Address
from typing import Literal

from pykeepalived.config.blocks.addresses import AddressEntry, UnicastPeer
from pykeepalived.config.blocks.authentication import Authentication, AuthHmac
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.trackers import TrackBfd, TrackFile, TrackInterface, TrackProcess, TrackScript
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
    Timer,
    whole_seconds,
)
from pykeepalived.config.kinds_vrrp import (
    ExtraGarp,
    ExtraGarpKind,
    Ipvlan,
    IpvlanArguments,
    OneNumber,
    Switch,
    Vmac,
    VmacArguments,
)
from pykeepalived.config.schema import Repeat, block, keyword
from pykeepalived.records import record
from pykeepalived.units import SECOND

Identity = tuple[int, int, str, bool, bool, bool, IP | None]
"""VRID, family, interface, with VMAC, with ipvlan, unicast or not, and its source or its group."""


@block("vrrp_instance", blocks=(Authentication, AuthHmac), process="vrrp", arguments="NAME")
@record(frozen=True, slots=True, kw_only=True)
class VrrpInstance:
    """A virtual router."""

    name: str
    interface: str = keyword(
        Interface(), default="", doc="The interface that carries the adverts; with unicast it may be left out."
    )
    virtual_router_id: int = keyword(Integer(1, 255), doc="The number of the virtual router, the same on all of them.")
    version: Literal[2, 3] = keyword(
        Integer(2, 3),
        default=2,
        repeat=Repeat.SAME,
        inherit="vrrp_version",
        doc="The protocol's version; IPv6 has 3.",
    )
    family: int = AF_INET
    """AF_INET or AF_INET6."""
    native_ipv6: bool = keyword(
        Flag(), default=False, doc="IPv6 and version 3, whatever the addresses are. Obsolete: they tell the family."
    )
    strict_mode: bool = keyword(
        Boolean(), default=False, inherit="vrrp_strict", doc="The rules of the RFC, whatever else is configured."
    )
    vrf: str = keyword(
        Interface(),
        default="",
        repeat=Repeat.FIRST,
        doc="The VRF of an instance with unicast peers and no interface.",
    )
    use_vmac: Vmac | None = keyword(
        VmacArguments(),
        default=None,
        repeat=Repeat.COLLECT,
        doc="Runs on a macvlan with the virtual MAC address, so that the address moves with the MASTER.",
    )
    use_vmac_addr: bool = keyword(Flag(), default=False, doc="Also virtual addresses on other interfaces get a VMAC.")
    vmac_xmit_base: bool = keyword(
        Flag(),
        default=False,
        doc="Adverts go over the interface below the VMAC; always so with unicast.",
    )
    use_ipvlan: Ipvlan | None = keyword(
        IpvlanArguments(),
        default=None,
        repeat=Repeat.FIRST,
        doc="Runs on an ipvlan; its address is the source of adverts if no other is given.",
    )
    own_link: str = ""
    """The VMAC or ipvlan it runs on, named when it is made."""
    priority: int = keyword(
        Integer(1, 255),
        default=100,
        doc="Highest wins the election; 255 means that this host owns the addresses.",
    )
    state: Literal["MASTER", "BACKUP"] = keyword(
        Choice(("MASTER", "BACKUP")), default="BACKUP", repeat=Repeat.STRONGEST, doc="The state to start in."
    )
    advert_int: int = keyword(Timer("0.01", "255"), default=SECOND, doc="Time between two adverts.")
    auth_type: Literal["PASS", "AH"] | None = None
    auth_pass: bytes = b""
    auth_hmac: AuthHmac | None = None
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
    no_virtual_ipaddress: bool = keyword(
        Flag(), default=False, doc="No address is meant: no warning about it. Strict mode wants one all the same."
    )
    promote_secondaries: bool = keyword(
        Flag(),
        default=False,
        doc="A secondary address of the interface is promoted when the primary one goes.",
    )
    virtual_routes: tuple[RouteEntry, ...] = keyword(
        Entries("route", without=frozenset({"track_group"})),
        default=(),
        repeat=Repeat.COLLECT,
        doc="Routes that are there while the instance is MASTER.",
    )
    virtual_rules: tuple[RuleEntry, ...] = keyword(
        Entries("rule", without=frozenset({"track_group"})),
        default=(),
        repeat=Repeat.COLLECT,
        doc="Rules of routing policy that are there while the instance is MASTER.",
    )
    unicast_peer: tuple[UnicastPeer, ...] = keyword(
        Entries("unicast_peer"), default=(), repeat=Repeat.COLLECT, doc="Adverts go to these hosts, not to the group."
    )
    unicast_src_ip: IP | None = keyword(Address(), default=None, doc="The source of unicast adverts.")
    mcast_src_ip: IP | None = keyword(Address(), default=None, doc="The source of multicast adverts.")
    mcast_group: IP = keyword(
        Address(multicast=True),
        default=IPv4Address("224.0.0.18"),
        spelled="mcast_dst_ip",
        inherit="vrrp_mcast_group4",
        since="Linux 4.20 for several IPv6 groups on an interface",
        doc="The group adverts go to; of IPv6 one that is local to the link, vrrp_mcast_group6 if none is given.",
    )
    track_src_ip: bool = keyword(
        Flag(), default=False, doc="FAULT while the configured source is no address of this host."
    )
    unicast_ttl: int | None = keyword(
        Integer(0, 255), default=None, unit="hops", doc="TTL or hop limit of unicast adverts."
    )
    unicast_fault_no_peer: bool = keyword(
        Flag(), default=False, since="keepalived 2.2.5", doc="FAULT rather than multicast when there is no peer."
    )
    old_unicast_checksum: Literal["", "old", "never"] = keyword(
        Choice(("never",), bare="old"),
        default="",
        doc="Unicast adverts have the checksum of releases up to 1.3.6; never: nor is it looked for in others'.",
    )
    v3_checksum_as_v2: bool = keyword(
        Boolean(),
        default=False,
        inherit="v3_checksum_as_v2",
        doc="Checksums of version 3 over IPv4 leave the pseudo header out.",
    )
    nopreempt: bool = keyword(
        Flag(), default=False, negated="preempt", doc="Does not displace a MASTER of lower priority."
    )
    preempt_delay: int = keyword(Timer("0", "1000"), default=0, doc="Time to wait before displacing a MASTER.")
    down_timer_adverts: int = keyword(
        Integer(1, 100),
        default=3,
        inherit="vrrp_down_timer_adverts",
        unit="adverts",
        doc="How many adverts may be missed before a BACKUP takes over.",
    )
    timer_expired_backup: int = keyword(
        Integer(1, 254, bare=254),
        default=0,
        deprecated=("thread_timer_expired",),
        doc="Steps down when it was late enough for a peer of that priority to take over; goes with nopreempt.",
    )
    linkbeat_use_polling: bool = keyword(
        Flag(),
        default=False,
        doc="The link is polled. Deprecated: name the interface in linkbeat_interfaces.",
    )
    dont_track_primary: bool = keyword(Flag(), default=False, doc="Faults of the own interface are overlooked.")
    track_interface: tuple[TrackInterface, ...] = keyword(
        Entries("track_interface"), default=(), repeat=Repeat.COLLECT, doc="Further interfaces that are followed."
    )
    track_script: tuple[TrackScript, ...] = keyword(
        Entries("track_script"), default=(), repeat=Repeat.COLLECT, doc="Scripts that are followed."
    )
    track_file: tuple[TrackFile, ...] = keyword(
        Entries("track_file"), default=(), repeat=Repeat.COLLECT, doc="Files that are followed."
    )
    track_process: tuple[TrackProcess, ...] = keyword(
        Entries("track_process"),
        default=(),
        repeat=Repeat.COLLECT,
        doc="Processes that are followed.",
    )
    track_bfd: tuple[TrackBfd, ...] = keyword(
        Entries("track_bfd"), default=(), repeat=Repeat.COLLECT, doc="BFD sessions that are followed."
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
    garp_extra_if: ExtraGarp = keyword(
        ExtraGarpKind(),
        default=ExtraGarp(),
        inherit="vrrp_garp_extra_if",
        deprecated=("vmac_garp_intvl",),
        doc="Period of gratuitous messages on VMACs of further interfaces; all: on every further interface.",
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
        Switch(),
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

    smtp_alert: bool = keyword(
        Boolean(), default=False, inherit="smtp_alert_vrrp", effective=False, doc="Transitions are told by mail."
    )
    lvs_sync_daemon_interface: str = keyword(
        Interface(),
        default="",
        repeat=Repeat.FIRST,
        process="checker",
        doc="The IPVS sync daemon follows the state. Deprecated: write lvs_sync_daemon in global_defs.",
    )
    kernel_rx_buf_size: int | None = keyword(
        OneNumber(0, UINT_MAX),
        default=None,
        inherit="vrrp_rx_bufs_policy",
        unit="bytes",
        doc="The receive buffer of the instance's socket.",
    )
    debug: int = keyword(Integer(0, 4), default=0, doc="A level that is kept and changes nothing.")

    @property
    def unicast(self) -> bool:
        """Adverts go to peers, not to the group."""
        return bool(self.unicast_peer)

    @property
    def lacks_peers(self) -> bool:
        """It is to send to peers alone, and there are none."""
        return self.unicast_fault_no_peer and not self.unicast

    @property
    def source(self) -> IP | None:
        """The configured source of adverts, if any."""
        return self.unicast_src_ip or self.mcast_src_ip

    @property
    def exchange_interface(self) -> str:
        """Where its adverts go out and come in; empty: wherever the routes lead."""
        if self.own_link and not self.vmac_xmit_base:
            return self.own_link
        return self.interface or self.vrf

    @property
    def source_interface(self) -> str:
        """Whose addresses its adverts may come from: an ipvlan has its own, a VMAC uses its base's."""
        return self.own_link if self.own_link and self.use_ipvlan is not None else self.interface

    @property
    def links(self) -> tuple[str, ...]:
        """The links it needs: its interface, and the VMAC or ipvlan on it."""
        return tuple(name for name in (self.interface, self.own_link) if name)

    @property
    def identity(self) -> Identity:
        """What makes it the same virtual router across a reload: with unicast its source, else its group."""
        return (
            self.virtual_router_id,
            self.family,
            self.interface,
            self.use_vmac is not None,
            self.use_ipvlan is not None,
            self.unicast,
            self.unicast_src_ip if self.unicast else self.mcast_group,
        )
