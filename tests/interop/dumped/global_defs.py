"""global_defs, as the section Global definitions of the process tells it that knows most."""

from collections.abc import Mapping, Sequence

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, flag, optional, read, seconds, yes
from tests.interop.dumped.scripts import command
from tests.interop.dumped.tree import Section
from tests.support.cell import HOST_NAME

SECTION = "Global definitions"
IGNORED: Mapping[str, str] = {
    "libnftnl version": "a library's",
    "Network namespace ipvs": "where the process is, beside what is configured",
}
NOT_VRRP: Mapping[str, str] = {
    "Gratuitous ARP lower priority delay": "only the VRRP process inherits it",
    "Gratuitous ARP lower priority repeat": "only the VRRP process inherits it",
    "Default interface": "only the VRRP process has one",
}
WAITING: frozenset[str] = frozenset()
PATTERNS = (
    r"(SNMP (?:vrrp|checker|RFCv2|RFCv3|traps)) (enabled|disabled)",
    r"(DBus) (enabled|disabled)",
    r"(Script security) (enabled|disabled)",
    r"(Default script uid:gid) (.*)",
    r"(nftables with(?:out)?)( counters)",
    r"(libnftnl version) (.*)",
    r"(LVS mcast group) (.*)",
)
LISTS = ("Email notification to",)


def block(sections: Sequence[Section], configuration: Configuration, *, vrrp: bool) -> Block:
    """The settings, from the VRRP process where there is one."""
    told = {"": read(section.nodes, PATTERNS, LISTS) for section in sections if section.name == SECTION}
    ignored = {**IGNORED, **({} if vrrp else NOT_VRRP)}
    return Block(SECTION, told, {"": _ours(configuration.global_defs, vrrp=vrrp)}, ignored, WAITING)


def _ours(settings: GlobalDefs, *, vrrp: bool) -> Fields:
    return {
        "Network namespace": settings.net_namespace or "(default)",
        **optional("Instance name", settings.instance),
        "Router ID": settings.router_id or HOST_NAME,
        **_names(settings),
        "Checkers log all failures": yes(settings.checker_log_all_failures),
        "Dynamic interfaces": yes(settings.allow_dynamic_interfaces),
        "LVS flush": yes(settings.lvs_flush),
        "LVS flush on stop": {"": "disabled", "all": "full", "VS": "VS"}[settings.lvs_flush_on_stop],
        "FIFO write vrrp states on reload": yes(settings.fifo_write_vrrp_states_on_reload),
        "VRRP notify priority changes": yes(settings.vrrp_notify_priority_changes),
        "VRRP IPv4 mcast group": str(settings.vrrp_mcast_group4),
        "VRRP IPv6 mcast group": str(settings.vrrp_mcast_group6),
        **_announcements(settings),
        "Num adverts before down": str(settings.vrrp_down_timer_adverts),
        "Send advert after receive lower priority advert": yes(not settings.vrrp_lower_prio_no_advert),
        "Send advert after receive higher priority advert": yes(settings.vrrp_higher_prio_send_advert),
        "VRRP default protocol version": str(settings.vrrp_version),
        "VRRP check unicast_src": yes(settings.vrrp_check_unicast_src),
        "VRRP skip check advert addresses": yes(settings.vrrp_skip_check_adv_addr),
        "Script security": yes(settings.enable_script_security, true="enabled", false="disabled"),
        "Default script uid:gid": f"{settings.script_uid}:{settings.script_gid}",
        "rs_init_notifies": yes(settings.rs_init_notifies, true="1", false="0"),
        "umask": f"0{0o177 if settings.umask is None else settings.umask:o}",
        **optional(
            "vrrp_startup_delay",
            f"{settings.vrrp_startup_delay / 1e9:g}" if settings.vrrp_startup_delay else None,
        ),
        **flag("log_unknown_vrids", given=settings.log_unknown_vrids),
        **_fifos(settings, vrrp=vrrp),
    }


def _names(settings: GlobalDefs) -> Fields:
    names = {
        "Parent process name": settings.process_name,
        "VRRP process name": settings.vrrp_process_name,
        "LVS process name": settings.checker_process_name,
    }
    fields: Fields = {}
    for key, name in names.items():
        fields |= optional(key, name)
    return fields


def _announcements(settings: GlobalDefs) -> Fields:
    return {
        "Gratuitous ARP delay": seconds(settings.vrrp_garp_master_delay),
        "Gratuitous ARP repeat": str(settings.vrrp_garp_master_repeat),
        "Gratuitous ARP refresh timer": seconds(settings.vrrp_garp_master_refresh),
        "Gratuitous ARP refresh repeat": str(settings.vrrp_garp_master_refresh_repeat),
        "Gratuitous ARP lower priority delay": seconds(settings.vrrp_garp_lower_prio_delay),
        "Gratuitous ARP lower priority repeat": str(settings.vrrp_garp_lower_prio_repeat),
    }


def _fifos(settings: GlobalDefs, *, vrrp: bool) -> Fields:
    """The FIFOs, and their readers: a process has appended the path to those that it starts."""
    owners = {path: f"{uid}:{gid}" for path, uid, gid in settings.fifo_owner}
    fifos = {
        "Global notify fifo": (settings.notify_fifo, settings.notify_fifo_script),
        "VRRP notify fifo": (settings.vrrp_notify_fifo, settings.vrrp_notify_fifo_script),
        "LVS notify fifo": (settings.lvs_notify_fifo, settings.lvs_notify_fifo_script),
    }
    fields: Fields = {}
    for key, (path, script) in fifos.items():
        if path is not None:
            fields[key] = f"{path}, uid:gid {owners.get(path, '0:0')}"
        if script is not None:
            started = path is not None and vrrp and not key.startswith("LVS")
            words = command(script) + (f" '{path}'" if started else "")
            fields[f"{key} script"] = f"{words}, uid:gid {script.uid}:{script.gid}"
    return fields
