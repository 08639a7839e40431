"""global_defs: values with their defaults, and what one setting means for another."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from pykeepalived.config.blocks.firewall import FIRST_FWMARK, HOOK_PRIORITY
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.notify_fifos import fifos
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kinds import Problem
from pykeepalived.config.kinds_global import MailServer
from pykeepalived.config.kinds_ipvs import SyncDaemon
from pykeepalived.config.raw import Given, Raw
from pykeepalived.config.schema import table_of

ROOT_VALUES = (
    *("net_namespace", "net_namespace_ipvs", "namespace_with_ipsets", "instance", "use_pid_dir", "child_wait_time"),
    "linkbeat_use_polling",
)
REPEATS = ("vrrp_garp_master_repeat", "vrrp_garp_master_refresh_repeat")
READERS = {
    "notify_fifo_script": ("vrrp_instance", "virtual_server"),
    "vrrp_notify_fifo_script": ("vrrp_instance",),
    "lvs_notify_fifo_script": ("virtual_server",),
}
"""Readers of FIFOs, and the blocks of which there must be one for them to be started."""
INHERITED = (
    ("vrrp_garp_lower_prio_delay", "vrrp_garp_master_delay"),
    ("vrrp_garp_lower_prio_repeat", "vrrp_garp_master_repeat"),
    ("vmac_addr_prefix", "vmac_prefix"),
)
"""Keyword -> the keyword whose value is its default."""
AFTER = {
    "nftables_priority": ("nftables", HOOK_PRIORITY),
    "nftables_ipvs_priority": ("nftables_ipvs", HOOK_PRIORITY),
    "nftables_ipvs_start_fwmark": ("nftables_ipvs", FIRST_FWMARK),
}
"""Keyword -> the keyword that sets it back, and to what."""
_MIN_GARP = {"vrrp_garp_master_repeat": 1, "vrrp_garp_master_delay": 0, "vrrp_garp_master_refresh_repeat": 0}


def resolve(root: Raw, raw: Raw | None, context: Context, scripts: Scripts) -> GlobalDefs:
    """The settings of the daemon."""
    values: dict[str, Any] = {name: root.value(name) for name in ROOT_VALUES}
    if raw is None:
        return GlobalDefs(router_id=context.surroundings.host_name(), **values)
    table = table_of(GlobalDefs).keywords
    for each in fields(GlobalDefs):
        spec = table.get(each.name)
        if spec is not None:
            given = raw.given.get(each.name)
            values[each.name] = spec.default if given is None else given.value
    if "router_id" not in raw.given:
        values["router_id"] = context.surroundings.host_name()
    _garp(raw, values, context)
    _mail(raw, values, context)
    _order(raw, values, context)
    _cpus(raw, values, context)
    for name, other in INHERITED:
        if name not in raw.given:
            values[name] = values[other]
    if values["enable_snmp_rfc"]:
        values["enable_snmp_rfcv2"] = values["enable_snmp_rfcv3"] = True
    for name in ("startup_script", "shutdown_script"):
        values[name] = scripts.command(raw.given.get(name))
    for name, blocks in READERS.items():
        started = any(each.table.name in blocks for each in root.blocks)
        values[name] = (scripts.command if started else scripts.idle)(raw.given.get(name))
    fifos(raw, values, context, scripts)
    if "script_user" in raw.given and (account := scripts.default_account()) is not None:
        values["script_uid"], values["script_gid"] = account.uid, account.gid
    return GlobalDefs(**values)


def complete(settings: GlobalDefs, instances: Iterable[VrrpInstance], raw: Raw | None, context: Context) -> GlobalDefs:
    """What the settings take from the instances: the syncid of the sync daemon, or all of it in its former way."""
    daemon = settings.lvs_sync_daemon
    instances = tuple(instances)
    if daemon is None:
        owner = next((each for each in instances if each.lvs_sync_daemon_interface), None)
        if owner is None:
            return settings
        daemon = SyncDaemon(owner.lvs_sync_daemon_interface, owner.name)
        settings = replace(settings, lvs_sync_daemon=daemon)
    vrids = {each.name: each.virtual_router_id for each in instances}
    if raw is not None and daemon.instance is not None and daemon.instance not in vrids:
        message = f"lvs_sync_daemon: there is no vrrp_instance {daemon.instance} - no sync daemon is started"
        hint = nearest(daemon.instance, vrids) or "name a vrrp_instance of this file, or none"
        context.warning(message, raw.span("lvs_sync_daemon"), hint)
    if daemon.syncid is not None:
        return settings
    return replace(settings, lvs_sync_daemon=replace(daemon, syncid=vrids.get(daemon.instance or "", 0)))


def _garp(raw: Raw, values: dict[str, Any], context: Context) -> None:
    for name in REPEATS:
        if values[name] == 0:
            context.error(f"{name} 0 is set to 1", raw.span(name, 1), "use 1 or more")
            values[name] = 1
    if raw.value("vrrp_min_garp"):
        values.update({name: value for name, value in _MIN_GARP.items() if name not in raw.given})


def _mail(raw: Raw, values: dict[str, Any], context: Context) -> None:
    """Recipients as plain words; a server whose name says nothing; who is told when nothing else is said."""
    recipients = raw.given.get("notification_email")
    values["notification_email"] = tuple(each.value for each in recipients.value) if recipients is not None else ()
    if recipients is not None and not recipients.value:
        context.error("notification_email is empty", recipients.span(0), "add an address, or remove the block")
    if "smtp_alert_vrrp" not in raw.given:
        values["smtp_alert_vrrp"] = bool(values["smtp_alert"])
    if "smtp_alert_checker" not in raw.given:
        values["smtp_alert_checker"] = values["smtp_alert"]
    server: MailServer | None = values["smtp_server"]
    if server is None:
        return  # no mail is sent: nobody sends it
    host, user = context.surroundings.host_name(), context.surroundings.process_account().name
    values["smtp_helo_name"] = values["smtp_helo_name"] or host
    values["notification_email_from"] = values["notification_email_from"] or f"{user}@{host}"
    if server.named and not context.surroundings.host_known(server.host):
        # no mistake of the file alone: the name may be known tomorrow
        context.warning(
            f"Invalid smtp server {server.host}: the name has no address",
            raw.span("smtp_server", 1),
            f"check the name with getent hosts {server.host}, or write the address",
            Problem.GENERAL_ERROR,
        )


def _order(raw: Raw, values: dict[str, Any], context: Context) -> None:
    """What a later keyword has set back."""
    for name, (other, value) in AFTER.items():
        given, setter = raw.given.get(name), raw.given.get(other)
        if given is not None and setter is not None and given.order < setter.order and given.value != value:
            values[name] = value
            hint = f"move it below the line {other}"
            context.warning(f"{name} is set back to {value} by {other}", given.span(0), hint)


def _cpus(raw: Raw, values: dict[str, Any], context: Context) -> None:
    """CPUs that the machine does not have: one of them clears the set."""
    for name in ("vrrp_cpu_affinity", "checker_cpu_affinity", "bfd_cpu_affinity"):
        given: Given | None = raw.given.get(name)
        if given is None or not given.value:
            continue
        there = context.surroundings.cpus()
        absent = [cpu for cpu in given.value if cpu >= there]
        if absent:
            at = next((at for at, word in enumerate(given.statement.words) if at and int(word) == absent[0]), 1)
            context.error(
                f"{name}: there is no CPU {absent[0]} - all CPUs are used",
                given.span(at),
                f"this machine has the CPUs 0 to {there - 1}",
            )
            values[name] = ()
