"""global_defs and the keywords outside every block, as the section Global definitions tells them.

The parent tells what it alone needs, the VRRP process what is inherited; both are compared.
"""

from collections.abc import Mapping, Sequence

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_global import Fifo
from tests.interop.dumped.fields import Block, Fields, flag, optional, read, seconds, yes
from tests.interop.dumped.scripts import command, owned
from tests.interop.dumped.tree import Section, nodes_of
from tests.support.cell import HOST_NAME

SECTION = "Global definitions"
IGNORED: Mapping[str, str] = {
    "libnftnl version": "a library's",
    "Network namespace ipvs": "where the process is, beside what is configured",
    "Default interface": "2.2.7 tells eth0 whatever is given",
    "No reload scheduled": "changes while it runs",
    "Reload scheduled for": "changes while it runs",
    "current realtime priority": "changes while it runs",
    "current realtime time limit": "changes while it runs",
}
VRRP_IGNORED: Mapping[str, str] = {
    "DBus": "disabled by itself where there is no bus; the parent's is compared",
    "Startup script": "told by the parent",
    "Shutdown script": "told by the parent",
}
OTHER_IGNORED: Mapping[str, str] = {
    "Gratuitous ARP lower priority delay": "only the VRRP process inherits it",
    "Gratuitous ARP lower priority repeat": "only the VRRP process inherits it",
    "LVS syncd syncid": "only the VRRP process knows the VRID it comes from",
}
READERS: Mapping[str, frozenset[str]] = {
    "Global notify fifo script": frozenset(("vrrp", "checker")),
    "VRRP notify fifo script": frozenset(("vrrp",)),
    "LVS notify fifo script": frozenset(("checker",)),
}
"""Who starts the reader of a FIFO: it has looked whether the command is there, and appended the path."""
NFTABLES: Mapping[str, str] = dict.fromkeys(
    ("nftables table name", "nftables base chain priority", "nftables don't force use ifindex for link local IPv6"),
    "nftables is taken by itself where an instance needs it",
)
LOCAL = ("127.0.0.1", "::ffff:127.0.0.1")
"""A name is told as its address, and the cell knows no other."""
PATTERNS = (
    r"(SNMP (?:vrrp|checker|RFCv2|RFCv3|traps)) (enabled|disabled)",
    r"(DBus) (enabled|disabled)",
    r"(Script security) (enabled|disabled)",
    r"(Default script uid:gid) (.*)",
    r"(nftables with(?:out)?) (counters)",
    r"(libnftnl version) (.*)",
    r"(LVS mcast group) (.*)",
    r"(Reload scheduled for) (.*)",
    r"(Test config before reload), log to (.*)",
)
LISTS = ("Email notification to",)


def block(process: str, sections: Sequence[Section], configuration: Configuration) -> Block:
    """The settings as one process tells them."""
    settings = configuration.global_defs
    told = {"": _told(read(nodes_of(sections, SECTION), PATTERNS, LISTS), settings)}
    ignored = {**IGNORED, **(VRRP_IGNORED if process == "vrrp" else OTHER_IGNORED)}
    ignored |= {key: "another process starts it" for key, who in READERS.items() if process not in who}
    if settings.nftables is None:
        ignored |= NFTABLES
    ours = {**_ours(settings), **_fifos(settings), **_sync_daemon(settings, vrrp=process == "vrrp")}
    return Block(f"{SECTION} of {process}", told, {"": ours}, ignored)


def _told(fields: Fields, settings: GlobalDefs) -> Fields:
    """With what keepalived means where it tells less."""
    if fields.get("Default smtp_alert_vrrp") == "unset":
        fields["Default smtp_alert_vrrp"] = yes(settings.smtp_alert is True, true="on", false="off")
    if fields.get("Default smtp_alert_checker") == "unset":
        fields["Default smtp_alert_checker"] = fields["Default smtp_alert"]
    if fields.get("Smtp server") in LOCAL and settings.smtp_server is not None and settings.smtp_server.named:
        fields["Smtp server"] = "localhost"
    if fields.get("Email notification to") == ():
        del fields["Email notification to"]
    fields.setdefault("Default script uid:gid", "0:0")  # not told where nobody asked for it
    fields.setdefault("VMAC prefix", "vrrp")
    fields.setdefault("VMAC address prefix", fields["VMAC prefix"])
    if fields.get("DBus service name") == "":
        fields["DBus service name"] = "org.keepalived.Vrrp1"
    return fields


def _ours(settings: GlobalDefs) -> Fields:
    return {
        **optional("Config save dir", settings.config_save_dir),
        "Network namespace": settings.net_namespace or "(default)",
        **optional("Instance name", settings.instance),
        "Router ID": settings.router_id or HOST_NAME,
        **_names(settings),
        **_mail(settings),
        **_reading(settings),
        **_interfaces(settings),
        **_ipvs(settings),
        **_announcements(settings),
        **_defaults(settings),
        **_firewall(settings),
        **_processes(settings),
        **_reports(settings),
        **_buffers(settings),
        **_scripts(settings),
    }


def _names(settings: GlobalDefs) -> Fields:
    names = {"VRRP": settings.vrrp_process_name, "LVS": settings.checker_process_name, "BFD": settings.bfd_process_name}
    fields = optional("Parent process name", settings.process_name)
    for key, name in names.items():
        standard = f"keepalived_{key.lower()}" if settings.process_names else None
        fields |= optional(f"{key} process name", name or standard)
    return fields


def _alert(value: bool | None) -> str:
    return "unset" if value is None else yes(value, true="on", false="off")


def _mail(settings: GlobalDefs) -> Fields:
    fields: Fields = {
        "Default smtp_alert": _alert(settings.smtp_alert),
        "Default smtp_alert_vrrp": _alert(settings.smtp_alert_vrrp),
        "Default smtp_alert_checker": _alert(settings.smtp_alert_checker),
        "no_checker_emails": yes(settings.no_checker_emails, true="1", false="0"),
        **optional("Send emails for fault transitions", "off" if settings.no_email_faults else None),
    }
    server = settings.smtp_server
    if server is None:  # nothing of it is told then
        return fields
    return {
        **fields,
        **optional("Email notification to", settings.notification_email),
        "Smtp server": server.host,
        "Smtp server port": str(server.port),
        "Smtp HELO name": settings.smtp_helo_name or HOST_NAME,
        "Smtp server connection timeout": seconds(settings.smtp_connect_timeout),
        "Email notification from": settings.notification_email_from or f"root@{HOST_NAME}",
    }


def _reading(settings: GlobalDefs) -> Fields:
    check = settings.reload_check_config
    repeat = " (repeat)" if settings.reload_repeat else ""
    return {
        **flag("No test config before reload", given=check is None),
        **optional("Test config before reload", check),
        **optional("Reload time file", settings.reload_time_file and settings.reload_time_file + repeat),
        **optional("Reload_file", settings.reload_file),
        **flag("Use instance name in data dumps", given=settings.data_use_instance),
    }


def _interfaces(settings: GlobalDefs) -> Fields:
    changes = yes(settings.dynamic_interfaces == "allow_if_changes")
    return {
        "Dynamic interfaces": yes(settings.allow_dynamic_interfaces),
        **optional("Allow interface changes", changes if settings.allow_dynamic_interfaces else None),
        "Disable local IGMP": yes(settings.disable_local_igmp, true="yes", false="no"),
        "VMAC prefix": settings.vmac_prefix,
        "VMAC address prefix": settings.vmac_addr_prefix,
    }


def _ipvs(settings: GlobalDefs) -> Fields:
    timeouts = settings.lvs_timeouts
    return {
        **optional("LVS TCP timeout", seconds(timeouts.tcp) if timeouts.tcp else None),
        **optional("LVS TCP FIN timeout", seconds(timeouts.tcpfin) if timeouts.tcpfin else None),
        # 2.2.7 calls that of UDP so too
        **optional("LVS TCP timeout #2", seconds(timeouts.udp) if timeouts.udp else None),
        "Checkers log all failures": yes(settings.checker_log_all_failures),
        "LVS flush": yes(settings.lvs_flush),
        "LVS flush on stop": {"": "disabled", "all": "full", "VS": "VS"}[settings.lvs_flush_on_stop],
        "rs_init_notifies": yes(settings.rs_init_notifies, true="1", false="0"),
    }


def _sync_daemon(settings: GlobalDefs, *, vrrp: bool) -> Fields:
    """The parent knows its instance by name, the VRRP process by itself."""
    daemon = settings.lvs_sync_daemon
    if daemon is None:
        return {}
    kind = "instance" if vrrp else "name"
    return {
        **optional(f"LVS syncd vrrp {kind}", daemon.instance),
        "LVS syncd interface": daemon.interface,
        **optional("LVS syncd syncid", None if daemon.syncid is None else str(daemon.syncid)),
        **optional("LVS syncd maxlen", str(daemon.maxlen) if daemon.maxlen else None),
        **optional("LVS mcast group", str(daemon.group) if daemon.group else None),
        **optional("LVS syncd mcast port", str(daemon.port) if daemon.port else None),
        **optional("LVS syncd mcast ttl", str(daemon.ttl) if daemon.ttl else None),
    }


def _announcements(settings: GlobalDefs) -> Fields:
    extra = settings.vrrp_garp_extra_if
    return {
        "Gratuitous ARP delay": seconds(settings.vrrp_garp_master_delay),
        "Gratuitous ARP repeat": str(settings.vrrp_garp_master_repeat),
        "Gratuitous ARP refresh timer": seconds(settings.vrrp_garp_master_refresh),
        "Gratuitous ARP refresh repeat": str(settings.vrrp_garp_master_refresh_repeat),
        "Gratuitous ARP lower priority delay": seconds(settings.vrrp_garp_lower_prio_delay),
        "Gratuitous ARP lower priority repeat": str(settings.vrrp_garp_lower_prio_repeat),
        f"Gratuitous ARP for each secondary {'i/f' if extra.everywhere else 'VMAC'}": f"{seconds(extra.interval)}s",
        "Gratuitous ARP interval": f"{settings.vrrp_garp_interval / 1e9:.6f}",
        "Gratuitous NA interval": f"{settings.vrrp_gna_interval / 1e9:.6f}",
    }


def _defaults(settings: GlobalDefs) -> Fields:
    return {
        "VRRP IPv4 mcast group": str(settings.vrrp_mcast_group4),
        "VRRP IPv6 mcast group": str(settings.vrrp_mcast_group6),
        "Num adverts before down": str(settings.vrrp_down_timer_adverts),
        "Send advert after receive lower priority advert": yes(not settings.vrrp_lower_prio_no_advert),
        "Send advert after receive higher priority advert": yes(settings.vrrp_higher_prio_send_advert),
        "VRRP default protocol version": str(settings.vrrp_version),
        "VRRP check unicast_src": yes(settings.vrrp_check_unicast_src),
        "VRRP skip check advert addresses": yes(settings.vrrp_skip_check_adv_addr),
        "VRRP strict mode": yes(settings.vrrp_strict),
        **optional(
            "vrrp_startup_delay", f"{settings.vrrp_startup_delay / 1e9:g}" if settings.vrrp_startup_delay else None
        ),
        **flag("log_unknown_vrids", given=settings.log_unknown_vrids),
    }


def _firewall(settings: GlobalDefs) -> Fields:
    fields: Fields = {f"nftables with{'' if settings.nftables_counters else 'out'}": "counters"}
    if settings.nftables is not None:
        fields["nftables table name"] = settings.nftables
        fields["nftables base chain priority"] = str(settings.nftables_priority)
        force = "" if settings.nftables_ifindex else "don't "
        fields[f"nftables {force}force use ifindex for link local IPv6"] = ""
    if settings.nftables_ipvs is not None:
        fields["ipvs nftables table name"] = settings.nftables_ipvs
        fields["ipvs nftables base chain priority"] = str(settings.nftables_ipvs_priority)
        fields["ipvs nftables start fwmark"] = str(settings.nftables_ipvs_start_fwmark)
    return fields


def _processes(settings: GlobalDefs) -> Fields:
    fields: Fields = {
        "Max auto priority": "Disabled" if settings.max_auto_priority == -1 else str(settings.max_auto_priority),
        "Min auto priority delay": f"{settings.min_auto_priority_delay} usecs",
    }
    for title, name in (("VRRP", "vrrp"), ("Checker", "checker"), ("BFD", "bfd")):
        cpus: tuple[int, ...] = getattr(settings, f"{name}_cpu_affinity")
        fields |= {
            f"{title} process priority": str(getattr(settings, f"{name}_priority")),
            f"{title} don't swap": yes(getattr(settings, f"{name}_no_swap")),
            f"{title} realtime priority": str(getattr(settings, f"{name}_rt_priority")),
            f"{title} realtime limit": str(getattr(settings, f"{name}_rlimit_rttime")),
            # 2.2.7 leaves out the first one
            **optional(f"{title} CPU Affinity", " ".join(str(each) for each in cpus if each) if cpus else None),
        }
    return fields


def _reports(settings: GlobalDefs) -> Fields:
    def state(given: bool) -> str:
        return yes(given, true="enabled", false="disabled")

    return {
        "FIFO write vrrp states on reload": yes(settings.fifo_write_vrrp_states_on_reload),
        "VRRP notify priority changes": yes(settings.vrrp_notify_priority_changes),
        "SNMP vrrp": state(settings.enable_snmp_vrrp),
        "SNMP checker": state(settings.enable_snmp_checker),
        "SNMP RFCv2": state(settings.enable_snmp_rfcv2 or settings.enable_snmp_rfc),
        "SNMP RFCv3": state(settings.enable_snmp_rfcv3 or settings.enable_snmp_rfc),
        "SNMP traps": state(settings.enable_traps),
        "SNMP socket": settings.snmp_socket or "default (unix:/var/agentx/master)",
        "DBus": state(settings.enable_dbus),
        "DBus service name": settings.dbus_service_name,
    }


def _buffers(settings: GlobalDefs) -> Fields:
    names = ("vrrp_netlink_cmd", "vrrp_netlink_monitor", "process_monitor", "lvs_netlink_cmd", "lvs_netlink_monitor")
    fields: Fields = {}
    for name in names:
        fields[f"{name}_rcv_bufs"] = str(getattr(settings, f"{name}_rcv_bufs"))
        fields[f"{name}_rcv_bufs_force"] = yes(getattr(settings, f"{name}_rcv_bufs_force"), true="1", false="0")
    buffers = settings.vrrp_rx_bufs_policy
    return {
        **fields,
        **optional("rx_bufs_policy", buffers.policy or None),
        **optional("rx_bufs_size", str(buffers.size) if buffers.size else None),
        "rx_bufs_multiples": str(settings.vrrp_rx_bufs_multiplier),
    }


def _scripts(settings: GlobalDefs) -> Fields:
    start, stop = owned(settings.startup_script), owned(settings.shutdown_script)
    return {
        "Script security": yes(settings.enable_script_security, true="enabled", false="disabled"),
        "Default script uid:gid": f"{settings.script_uid}:{settings.script_gid}",
        "umask": f"0{0o177 if settings.umask is None else settings.umask:o}",
        **optional("Startup script", start and f"{start}, timeout {seconds(settings.startup_script_timeout)}"),
        **optional("Shutdown script", stop and f"{stop} timeout {seconds(settings.shutdown_script_timeout)}"),
    }


def _fifos(settings: GlobalDefs) -> Fields:
    """The FIFOs, and their readers with the path that is appended."""
    fifos = {
        "Global notify fifo": (settings.notify_fifo, settings.notify_fifo_script),
        "VRRP notify fifo": (settings.vrrp_notify_fifo, settings.vrrp_notify_fifo_script),
        "LVS notify fifo": (settings.lvs_notify_fifo, settings.lvs_notify_fifo_script),
    }
    fields: Fields = {}
    for key, (fifo, script) in fifos.items():
        if fifo is not None:
            fields[key] = f"{fifo.path}, uid:gid {_owner(fifo)}"
        if script is not None:
            path = "" if fifo is None else f" '{fifo.path}'"
            fields[f"{key} script"] = f"{command(script)}{path}, uid:gid {script.uid}:{script.gid}"
    return fields


def _owner(fifo: Fifo) -> str:
    uid, gid = fifo.owner or (0, 0)
    return f"{uid}:{gid}"
