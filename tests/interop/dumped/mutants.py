"""A configuration made wrong in one field at a time: what a comparison must notice."""

import dataclasses
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

from pykeepalived.config.configuration import Configuration

NO_EFFECT_OF_ITS_OWN = "what comes of it is compared elsewhere"
NEWER = "2.2.7 does not have it"
RUNNING = "told only of what runs"
NOT_TOLD: Mapping[str, str] = {
    "AddressEntry.autojoin": NEWER,
    "AddressEntry.nodad": "not told",
    "AddressEntry.use_vmac": NEWER,
    "BfdInstance.multihop": NEWER,
    "Fifo.user": NO_EFFECT_OF_ITS_OWN,
    "GlobalDefs.child_wait_time": RUNNING,
    "GlobalDefs.dbus_no_interface_name": RUNNING,
    "GlobalDefs.default_interface": "2.2.7 tells eth0 whatever is given",
    "GlobalDefs.json_version": NEWER,
    "GlobalDefs.linkbeat_use_polling": RUNNING,
    "GlobalDefs.namespace_with_ipsets": RUNNING,
    "GlobalDefs.script_user": NO_EFFECT_OF_ITS_OWN,
    "GlobalDefs.set_supplementary_groups": RUNNING,
    "GlobalDefs.snmp_rs_stats_update_interval": NEWER,
    "GlobalDefs.snmp_vs_stats_update_interval": NEWER,
    "GlobalDefs.use_pid_dir": RUNNING,
    "GlobalDefs.use_symlink_paths": NEWER,
    "GlobalDefs.v3_checksum_as_v2": NEWER,
    "GlobalDefs.vrrp_delay_after_boot": NEWER,
    "GlobalDefs.vrrp_ipsets": "the oracle has no iptables",
    "GlobalDefs.vrrp_owner_ignore_adverts": NEWER,
    "GroupEntry.family": "that of its addresses",
    "HexPattern.value": "its length alone is told",
    "HttpsUrl.tls_compliant": NEWER,
    "InitialContent.overwrite": RUNNING,
    "MiscCheck.timeout": "what misc_timeout comes to",
    "RuleEntry.family": "that of its addresses",
    "SslGet.tls_compliant": NEWER,
    "UdpCheck.payload": "its length alone is told",
    "Vmac.netlink_notify_msg": NEWER,
    "VrrpInstance.linkbeat_use_polling": RUNNING,
    "VrrpInstance.native_ipv6": "obsolete; the family is compared",
    "VrrpInstance.no_virtual_ipaddress": "a wish about warnings",
    "VrrpInstance.owner_ignore_adverts": NEWER,
    "VrrpInstance.timer_expired_backup": NEWER,
    "VrrpInstance.track_src_ip": RUNNING,
    "VrrpInstance.v3_checksum_as_v2": NEWER,
    "VrrpScript.init_fail": "told only until the first run",
}
"""Fields that no dump tells, and why."""


def mutants(configuration: Configuration) -> Iterator[tuple[str, Configuration]]:
    """Every single change, with ``Class.field`` of where it is."""
    for field in dataclasses.fields(configuration):
        for where, changed in _changes(getattr(configuration, field.name)):
            yield where or field.name, dataclasses.replace(configuration, **{field.name: changed})


def _of(value: Any) -> Iterator[tuple[str, Any]]:
    """Changes of an object, one field at a time."""
    for field in dataclasses.fields(value):
        here = f"{type(value).__name__}.{field.name}"
        for where, changed in _changes(getattr(value, field.name)):
            yield where or here, dataclasses.replace(value, **{field.name: changed})


def _changes(value: Any) -> Iterator[tuple[str, Any]]:
    """Changes of a value, none of None and of what is empty; the place is empty when it is the value itself."""
    match value:
        case bool():
            yield "", not value
        case int():
            yield "", value + 1
            yield "", value + 1_000_000_000  # a length may be rounded
        case str() if value:
            yield "", value + "x"
        case bytes() if value:
            yield "", bytes((value[0] ^ 1, *value[1:]))
        case IPv4Interface() | IPv6Interface():
            yield "", type(value)(f"{value.ip + 1}/{value.network.prefixlen}")
        case IPv4Address() | IPv6Address():
            yield "", value + 1
        case tuple() if value and dataclasses.is_dataclass(value[0]):
            yield "", value[1:]
            for number, item in enumerate(value):
                for where, changed in _of(item):
                    yield where, (*value[:number], changed, *value[number + 1 :])
        case tuple() if value:
            yield "", value[1:]
        case _ if dataclasses.is_dataclass(value):
            yield from _of(value)
