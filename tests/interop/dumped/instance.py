"""vrrp_instance, as the section VRRP Topology tells it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET6
from pykeepalived.units import SECOND
from tests.interop.dumped import addresses, routes
from tests.interop.dumped.fields import Block, Fields, flag, optional, read, seconds, yes
from tests.interop.dumped.scripts import owned
from tests.interop.dumped.trackers import lines as listed
from tests.interop.dumped.tree import Section

SECTION = "VRRP Topology"
MILLISECOND = SECOND // 1000

IGNORED: Mapping[str, str] = {
    "State": "changes while it runs",
    "Master router": "learnt from adverts",
    "Master priority": "learnt from adverts",
    "Master advert int": "learnt from adverts",
    "Master advert interval": "learnt from adverts",
    "Flags": "bits of the running instance; the configured ones stand below it",
    "Number of config faults": "a counter",
    "Number of interface and track script faults": "a counter",
    "Number of track scripts init": "a counter",
    "Last transition": "an instant",
    "Read timeout": "an instant",
    "Master down timer": "follows the effective priority",
    "Effective priority": "follows the trackers",
    "Total priority": "follows the trackers",
    "fd_in": "a file descriptor",
    "No sockets allocated": "file descriptors",
    "Next gratuitous ARP for such secondary": "an instant",
    "Duplicate VRID": "found while it runs",
}
CHOSEN = "(chosen by keepalived)"
UNKNOWN = "(not there yet, and not told)"
PATTERNS = (
    r"(Multicast address) (.*)",
    r"(Use VMAC, i/f name) (.*)",
    r"(fd_in) (.*)",
    r"(Flags): (none)",
    r"(Virtual IP) \((\d+)\):",
)
LISTS = (
    *("Virtual IP", "Virtual IP Excluded", "Unicast Peer", "Virtual Routes", "Virtual Rules", "Tracked interfaces"),
    *("Tracked scripts", "Tracked files", "Tracked processes", "Tracked BFDs"),
)


def block(sections: Sequence[Section], configuration: Configuration) -> Block:
    """All instances."""
    named = {
        each.name
        for each in configuration.vrrp_instance
        if (each.use_vmac and each.use_vmac.name) or (each.use_ipvlan and each.use_ipvlan.name)
    }
    told = {}
    for section in sections:
        if section.name == SECTION:
            for node in section.nodes:
                name = node.text.removeprefix("VRRP Instance = ")
                told[name] = _told(read(node.children, PATTERNS, LISTS), named=name in named)
    ours = {each.name: _ours(each, configuration) for each in configuration.vrrp_instance}
    for name, fields in told.items():
        if fields["Interface"] == UNKNOWN:
            fields.pop("Interface")
            ours.get(name, {}).pop("Interface", None)
        if fields["State"] != "BACKUP":  # what was wanted at first is told only before anything happens
            fields.pop("Wantstate")
            ours.get(name, {}).pop("Wantstate", None)
    return Block("vrrp_instance", told, ours, IGNORED)


def _told(fields: Fields, *, named: bool) -> Fields:
    """Without what was found out and not configured."""
    for key in ("Virtual IP", "Virtual IP Excluded"):
        if isinstance(lines := fields.get(key), tuple):
            fields[key] = addresses.told(lines)
    for key in ("Virtual Routes", "Virtual Rules"):
        if isinstance(lines := fields.get(key), tuple):
            fields[key] = routes.told(lines)
    # an interface of our own making is told with the one it stands on: the second is what the file names
    fields["Interface"] = re.sub(r"(\S+), (?:vmac|ipvlan) on ([^\s,]+).*", r"\2", str(fields["Interface"]))
    if "Use VMAC, i/f name" in fields:
        name, _, xmit = str(fields["Use VMAC, i/f name"]).split(", ")
        if fields["Interface"] == name:
            fields["Interface"] = UNKNOWN
        fields["Use VMAC, i/f name"] = name if named else CHOSEN
        fields["Use VMAC, i/f name/xmit_base"] = xmit.removeprefix("xmit_base = ")
    if "Use VMAC, i/f name/MAC" in fields:
        fields["Use VMAC, i/f name/MAC"] = str(fields["Use VMAC, i/f name/MAC"]).removesuffix(" (using VRID)")
    source = str(fields.get("Using src_ip", ""))
    if not source.endswith(" (from configuration)"):  # that of the interface, at the moment
        fields.pop("Using src_ip", None)
    if "Multicast address" in fields:  # the interface's number is different in every run
        fields["Multicast address"] = str(fields["Multicast address"]).partition(", ifindex")[0]
    return fields


def _ours(instance: VrrpInstance, configuration: Configuration) -> Fields:
    group = next((each.name for each in configuration.vrrp_sync_group if instance.name in each.group), None)
    return {
        "VRRP Version": str(instance.version),
        "Wantstate": instance.state,
        **optional("Sync group", group),
        **flag("Using Native IPv6", given=instance.family == AF_INET6),
        **flag("Flags/Using unicast", given=instance.unicast),
        **flag("Flags/If unicast go to fault state if no peers", given=instance.unicast_fault_no_peer),
        "Interface": instance.interface,
        **_own_interface(instance),
        **optional("VRF", instance.vrf or None),
        **flag("Enforcing strict VRRP compliance", given=instance.strict_mode),
        "Promote_secondaries": yes(instance.promote_secondaries, true="enabled", false="disabled"),
        **optional("Kernel rx buffer size", _text(instance.kernel_rx_buf_size)),
        **optional("Debug level", str(instance.debug) if instance.debug else None),
        **flag("VRRP interface tracking disabled", given=instance.dont_track_primary),
        **flag("Skip checking advert IP addresses", given=instance.skip_check_adv_addr),
        **optional("Using src_ip", f"{instance.source} (from configuration)" if instance.source else None),
        **({} if instance.unicast else {"Multicast address": str(instance.mcast_group)}),
        **_announcements(instance),
        "Down timer adverts": str(instance.down_timer_adverts),
        "Send advert after receive lower priority advert": yes(not instance.lower_prio_no_advert),
        "Send advert after receive higher priority advert": yes(instance.higher_prio_send_advert),
        "Virtual Router ID": str(instance.virtual_router_id),
        "Priority": str(instance.priority),
        "Advert interval": _interval(instance),
        "Accept": yes(instance.accept, true="enabled", false="disabled"),
        "Preempt": yes(not instance.nopreempt, true="enabled", false="disabled"),
        **optional("Preempt delay", f"{instance.preempt_delay / SECOND:g} secs" if instance.preempt_delay else None),
        **_authentication(instance),
        **_addresses(instance),
        **_unicast(instance),
        **optional("Virtual Routes", tuple(routes.route(each) for each in instance.virtual_routes)),
        **optional("Virtual Rules", tuple(routes.rule(each) for each in instance.virtual_rules)),
        **_trackers(instance),
        **_notifications(instance),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _own_interface(instance: VrrpInstance) -> Fields:
    """VMAC and ipvlan; where no name is given the one that is chosen when it is made is not compared."""
    made, vlan = instance.use_vmac, instance.use_ipvlan
    fields: Fields = {}
    if made is not None:
        fields["Use VMAC, i/f name"] = made.name or CHOSEN
        fields["Use VMAC, i/f name/xmit_base"] = yes(instance.vmac_xmit_base)
        if made.mac:
            fields["Use VMAC, i/f name/MAC"] = made.mac.hex(":")
    if vlan is not None:
        fields["Use IPVLAN, i/f"] = vlan.name or CHOSEN
        fields["Use IPVLAN, i/f/type"] = vlan.type
        if vlan.address is not None:
            fields["Use IPVLAN, i/f/address"] = str(vlan.address)
    return {**fields, **flag("Use VMAC for VIPs on other interfaces", given=instance.use_vmac_addr)}


def _announcements(instance: VrrpInstance) -> Fields:
    return {
        "Gratuitous ARP delay": seconds(instance.garp_master_delay),
        "Gratuitous ARP repeat": str(instance.garp_master_repeat),
        "Gratuitous ARP refresh": seconds(instance.garp_master_refresh),
        "Gratuitous ARP refresh repeat": str(instance.garp_master_refresh_repeat),
        "Gratuitous ARP lower priority delay": seconds(instance.garp_lower_prio_delay),
        "Gratuitous ARP lower priority repeat": str(instance.garp_lower_prio_repeat),
        **_extra(instance),
    }


def _extra(instance: VrrpInstance) -> Fields:
    """Told where there is an interface to do it on."""
    extra: Any = instance.garp_extra_if
    everywhere = getattr(extra, "all", None) or getattr(extra, "everywhere", False)
    others = any((each.dev or instance.interface) != instance.interface for each in instance.virtual_ipaddress)
    if not extra.interval or not (instance.use_vmac_addr or (everywhere and others)):
        return {}
    return {f"Gratuitous ARP for each secondary {'i/f' if everywhere else 'VMAC'}": seconds(extra.interval)}


def _interval(instance: VrrpInstance) -> str:
    if instance.version == 2:
        return f"{instance.advert_int // SECOND} sec"
    return f"{instance.advert_int // MILLISECOND} milli-sec"


def _authentication(instance: VrrpInstance) -> Fields:
    if instance.version == 3:
        return {}
    if instance.auth_type is None:
        return {"Authentication type": "none"}
    if instance.auth_type == "AH":  # its key is not told
        return {"Authentication type": "IPSEC_AH"}
    return {"Authentication type": "SIMPLE_PASSWORD", "Password": instance.auth_pass.decode(errors="replace")}


def _addresses(instance: VrrpInstance) -> Fields:
    held = tuple(addresses.text(each, instance.interface) for each in instance.virtual_ipaddress)
    excluded = tuple(addresses.text(each, instance.interface) for each in instance.virtual_ipaddress_excluded)
    return {**optional("Virtual IP", held), **optional("Virtual IP Excluded", excluded)}


def _unicast(instance: VrrpInstance) -> Fields:
    if not instance.unicast:
        return {}
    peers = tuple(
        f"{each.address} min_ttl {each.min_ttl or 0} max_ttl {255 if each.max_ttl is None else each.max_ttl}"
        for each in instance.unicast_peer
    )
    return {
        **optional("Unicast TTL", _ttl(instance)),
        "Check unicast src": yes(instance.check_unicast_src, true="yes", false="no"),
        "Unicast Peer": peers,
        "Unicast checksum compatibility": {"": "no", "old": "yes", "never": "never"}[instance.old_unicast_checksum],
    }


def _ttl(instance: VrrpInstance) -> str | None:
    """IPv4 has 255 where none is given, IPv6 the kernel's."""
    if instance.unicast_ttl is not None:
        return str(instance.unicast_ttl)
    return None if instance.family == AF_INET6 else "255"


def _trackers(instance: VrrpInstance) -> Fields:
    return {
        **optional("Tracked interfaces", listed(instance.track_interface)),
        **optional("Tracked scripts", listed(instance.track_script)),
        **optional("Tracked files", listed(instance.track_file, ",")),
        **optional("Tracked processes", listed(instance.track_process, ",")),
        **optional("Tracked BFDs", listed(instance.track_bfd, ":")),
    }


def _notifications(instance: VrrpInstance) -> Fields:
    names = {
        "Backup": instance.notify_backup,
        "Master": instance.notify_master,
        "Fault": instance.notify_fault,
        "Stop": instance.notify_stop,
        "Deleted": instance.notify_deleted,
        "Generic": instance.notify,
        "Master rx lower pri": instance.notify_master_rx_lower_pri,
    }
    fields: Fields = {}
    for name, script in names.items():
        fields |= optional(f"{name} state transition script", owned(script))
    return {
        **fields,
        "Using smtp notification": yes(instance.smtp_alert, true="yes", false="no"),
        "Notify deleted": yes(instance.notify_deleted_set, true="Deleted", false="Fault"),
        "Notify priority changes": yes(instance.notify_priority_changes),
    }
