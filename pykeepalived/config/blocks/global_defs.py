"""global_defs and the keywords that stand outside every block: what holds for the whole daemon."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds import (
    AF_INET,
    AF_INET6,
    INT_MAX,
    UINT_MAX,
    Address,
    Boolean,
    Choice,
    Command,
    Entries,
    Flag,
    Integer,
    Timer,
    Word,
    Words,
    whole_seconds,
)
from pykeepalived.config.schema import Repeat, block, keyword, later, option
from pykeepalived.units import SECOND

_LATER = later(
    """
    bfd_process_name notification_email_from smtp_server smtp_helo_name smtp_connect_timeout
    notification_email { * } smtp_alert
    startup_script startup_script_timeout shutdown_script shutdown_script_timeout
    max_auto_priority min_auto_priority_delay smtp_alert_vrrp smtp_alert_checker
    no_email_faults default_interface disable_local_igmp v3_checksum_as_v2 lvs_timeouts
    lvs_sync_daemon vrrp_garp_interval vrrp_gna_interval vrrp_garp_extra_if vrrp_vmac_garp_intvl
    vrrp_iptables vrrp_ipsets nftables nftables_priority nftables_ifindex
    vrrp_priority vrrp_no_swap vrrp_rt_priority vrrp_cpu_affinity vrrp_rlimit_rttime vrrp_rlimit_rtime
    nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_counters
    checker_priority checker_no_swap checker_rt_priority checker_cpu_affinity checker_rlimit_rttime
    checker_rlimit_rtime
    bfd_priority bfd_no_swap bfd_rt_priority bfd_cpu_affinity bfd_rlimit_rttime bfd_rlimit_rtime
    snmp_socket enable_traps enable_snmp_vrrp enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3
    enable_snmp_checker snmp_vs_stats_update_interval snmp_rs_stats_update_interval
    enable_dbus dbus_service_name dbus_no_interface_name
    vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force
    vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force
    process_monitor_rcv_bufs process_monitor_rcv_bufs_force
    lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force
    lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force
    no_checker_emails vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vmac_prefix vmac_addr_prefix
    random_seed reload_check_config reload_time_file reload_repeat reload_file
    config_save_dir tmp_config_directory json_version iproute_usr_dir iproute_etc_dir
""",
    kinds={
        **dict.fromkeys(("vrrp_garp_interval", "vrrp_gna_interval"), Timer("0.000001", "4294.967295")),
        **dict.fromkeys(("startup_script_timeout", "shutdown_script_timeout"), Integer(1, 1000)),
        **dict.fromkeys(("vrrp_priority", "checker_priority", "bfd_priority"), Integer(-20, 19)),
        **dict.fromkeys(("snmp_vs_stats_update_interval", "snmp_rs_stats_update_interval"), Timer("0.001", "30")),
        **dict.fromkeys(
            (
                "vrrp_netlink_cmd_rcv_bufs",
                "vrrp_netlink_monitor_rcv_bufs",
                "process_monitor_rcv_bufs",
                "lvs_netlink_cmd_rcv_bufs",
                "lvs_netlink_monitor_rcv_bufs",
                "random_seed",
            ),
            Integer(0, UINT_MAX),
        ),
        **dict.fromkeys(
            (
                "vrrp_netlink_cmd_rcv_bufs_force",
                "vrrp_netlink_monitor_rcv_bufs_force",
                "process_monitor_rcv_bufs_force",
                "lvs_netlink_cmd_rcv_bufs_force",
                "lvs_netlink_monitor_rcv_bufs_force",
                "smtp_alert",
                "smtp_alert_vrrp",
                "smtp_alert_checker",
                "no_checker_emails",
            ),
            Boolean(),
        ),
        **dict.fromkeys(
            ("vrrp_rlimit_rttime", "checker_rlimit_rttime", "bfd_rlimit_rttime", "vrrp_rx_bufs_multiplier"),
            Integer(1, UINT_MAX),
        ),
        "smtp_connect_timeout": Integer(0, 4294),
        "max_auto_priority": Integer(-1, 99, bare=99),
        "min_auto_priority_delay": Integer(1, 10_000_000),
        "json_version": Integer(1, 2),
    },
    instead={
        "vrrp_vmac_garp_intvl": "vrrp_garp_extra_if",
        "enable_snmp_keepalived": "enable_snmp_vrrp",
        "vrrp_rlimit_rtime": "vrrp_rlimit_rttime",
        "checker_rlimit_rtime": "checker_rlimit_rttime",
        "bfd_rlimit_rtime": "bfd_rlimit_rttime",
    },
)


@block(
    "global_defs",
    passes={
        "vrrp_strict": option(Boolean(), default=False, doc="Default of strict_mode."),
        "vrrp_min_garp": option(Boolean(), default=False, doc="One gratuitous ARP message where more are the default."),
        "script_user": option(Words(), doc="The user, and the group, of scripts that name none."),
        "include_check": option(Words(0), doc="What is an error about an include."),
        "dynamic_interfaces": option(
            Choice(("allow_if_changes",), bare=""), doc="Interfaces that do not exist yet are allowed."
        ),
        "umask": option(Word(), doc="The mask of files created."),
    },
    known=_LATER,
)
@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalDefs:
    """Settings of the daemon."""

    # outside every block
    net_namespace: str | None = None
    net_namespace_ipvs: str | None = None
    instance: str | None = None
    use_pid_dir: bool = False
    child_wait_time: int = 5 * SECOND

    router_id: str = keyword(
        Word(checked=True), default="", doc="The name of this machine; its host name if not given."
    )
    process_names: bool = keyword(Flag(), default=False, doc="The children are named after what they do.")
    process_name: str | None = keyword(Word(longest=15), default=None, doc="The name of the parent.")
    vrrp_process_name: str | None = keyword(Word(longest=15), default=None, doc="The name of the VRRP child.")
    checker_process_name: str | None = keyword(
        Word(longest=15), default=None, aliases=("lvs_process_name",), doc="The name of the checker child."
    )
    use_symlink_paths: bool = keyword(Boolean(), default=False, doc="Symbolic links in paths of scripts are kept.")
    set_supplementary_groups: bool = keyword(
        Boolean(), default=False, doc="Scripts get the supplementary groups of their user."
    )
    enable_script_security: bool = keyword(
        Flag(), default=False, doc="Scripts of root that others could change are not run."
    )
    script_uid: int = 0
    script_gid: int = 0
    checker_log_all_failures: bool = keyword(Boolean(), default=False, doc="Each failed check is logged.")
    allow_dynamic_interfaces: bool = False
    umask: int | None = None

    lvs_flush: bool = keyword(Flag(), default=False, doc="The IPVS table is emptied at the start.")
    lvs_flush_on_stop: Literal["", "all", "VS"] = keyword(
        Choice(("VS",), bare="all"),
        default="",
        deprecated=("lvs_flush_onstop",),
        doc="The IPVS table is emptied at the end; with VS, of our services alone.",
    )
    rs_init_notifies: bool = keyword(
        Boolean(), default=False, doc="Real servers that are up at the start are notified."
    )

    vrrp_mcast_group4: IPv4Address = keyword(
        Address(AF_INET, multicast=True), default=IPv4Address("224.0.0.18"), doc="The group of IPv4 adverts."
    )
    vrrp_mcast_group6: IPv6Address = keyword(
        Address(AF_INET6, multicast=True), default=IPv6Address("ff02::12"), doc="The group of IPv6 adverts."
    )
    vrrp_garp_master_delay: int = keyword(whole_seconds(4294), default=5 * SECOND, doc="Default of garp_master_delay.")
    vrrp_garp_master_repeat: int = keyword(Integer(0, UINT_MAX), default=5, doc="Default of garp_master_repeat.")
    vrrp_garp_master_refresh: int = keyword(whole_seconds(UINT_MAX), default=0, doc="Default of garp_master_refresh.")
    vrrp_garp_master_refresh_repeat: int = keyword(
        Integer(0, UINT_MAX), default=1, doc="Default of garp_master_refresh_repeat."
    )
    vrrp_garp_lower_prio_delay: int = keyword(
        whole_seconds(4294),
        default=5 * SECOND,
        inherit="vrrp_garp_master_delay",
        doc="Default of garp_lower_prio_delay.",
    )
    vrrp_garp_lower_prio_repeat: int = keyword(
        Integer(0, INT_MAX), default=5, inherit="vrrp_garp_master_repeat", doc="Default of garp_lower_prio_repeat."
    )
    vrrp_down_timer_adverts: int = keyword(Integer(1, 100), default=3, doc="Default of down_timer_adverts.")
    vrrp_lower_prio_no_advert: bool = keyword(Boolean(), default=False, doc="Default of lower_prio_no_advert.")
    vrrp_higher_prio_send_advert: bool = keyword(Boolean(), default=False, doc="Default of higher_prio_send_advert.")
    vrrp_owner_ignore_adverts: bool = keyword(Boolean(), default=False, doc="Default of owner_ignore_adverts.")
    vrrp_version: int = keyword(Integer(2, 3), default=2, doc="Default of version for IPv4.")
    vrrp_check_unicast_src: bool = keyword(Flag(), default=False, doc="Default of check_unicast_src.")
    vrrp_skip_check_adv_addr: bool = keyword(Boolean(), default=False, doc="Default of skip_check_adv_addr.")
    vrrp_startup_delay: int = keyword(
        Timer("0.001", "4294.967295"), default=0, doc="Instances wait this long after the daemon's start."
    )
    vrrp_delay_after_boot: int = keyword(
        Timer("0.001", "4294.967295"), default=0, doc="Instances wait until the machine is up for this long."
    )
    log_unknown_vrids: bool = keyword(
        Flag(), default=False, doc="Adverts of virtual routers not configured are logged."
    )

    notify_fifo: str | None = keyword(
        Words(), default=None, repeat=Repeat.FIRST, doc="The FIFO that gets VRRP's and the checkers' events."
    )
    notify_fifo_script: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, doc="The reader of that FIFO; its path is appended."
    )
    vrrp_notify_fifo: str | None = keyword(
        Words(), default=None, repeat=Repeat.FIRST, doc="The FIFO that gets VRRP's events."
    )
    vrrp_notify_fifo_script: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, doc="The reader of that FIFO; its path is appended."
    )
    lvs_notify_fifo: str | None = keyword(
        Words(), default=None, repeat=Repeat.FIRST, doc="The FIFO that gets the checkers' events."
    )
    lvs_notify_fifo_script: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, doc="The reader of that FIFO; its path is appended."
    )
    vrrp_notify_priority_changes: bool = keyword(Boolean(), default=False, doc="Default of notify_priority_changes.")
    fifo_write_vrrp_states_on_reload: bool = keyword(
        Flag(), default=False, doc="A reload writes all states to the FIFOs."
    )
    fifo_owner: tuple[tuple[str, int, int], ...] = ()
    """(path, uid, gid) of each FIFO that has an owner of its own."""

    state_dump_file: str | None = keyword(Word(), default=None, doc="Where the dump of SIGUSR1 goes.")
    stats_dump_file: str | None = keyword(Word(), default=None, doc="Where the dump of SIGUSR2 goes.")
    json_dump_file: str | None = keyword(Word(), default=None, doc="Where the JSON dump goes.")
    data_use_instance: bool = keyword(Boolean(), default=False, doc="Names of dump files carry instance and namespace.")


@block(
    "root",
    known=later(
        """
        linkbeat_use_polling namespace_with_ipsets
        static_routes { * } static_rules { * }
        garp_group { garp_interval gna_interval interface interfaces { * } }
        linkbeat_interfaces { * }
        interface_up_down_delays { * }
        SSL { password ca certificate key }
        virtual_server_group { * }
    """,
        kinds={
            **dict.fromkeys(("garp_interval", "gna_interval"), Timer("0", "4294.967295")),
        },
    ),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Keywords outside every block."""

    net_namespace: str | None = keyword(
        Word(), default=None, repeat=Repeat.FIRST, doc="The network namespace the daemon runs in."
    )
    net_namespace_ipvs: str | None = keyword(
        Word(bare=""), default=None, repeat=Repeat.FIRST, doc="The network namespace whose IPVS table is used."
    )
    instance: str | None = keyword(
        Word(), default=None, repeat=Repeat.FIRST, doc="The name of this daemon among several."
    )
    use_pid_dir: bool = keyword(Flag(), default=False, doc="PID files go into a folder of their own.")
    child_wait_time: int = keyword(
        whole_seconds(UINT_MAX), default=5 * SECOND, doc="How long the parent waits for the children at the end."
    )
    static_ipaddress: tuple[AddressEntry, ...] = keyword(
        Entries("address", without=frozenset({"use_vmac"})),
        default=(),
        repeat=Repeat.COLLECT,
        process="vrrp",
        effective=False,
        doc="Addresses that are there whatever the state of the instances.",
    )
