"""global_defs: values with their defaults, FIFOs and their owners, the account of scripts."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kinds import Problem, Refused, number
from pykeepalived.config.raw import Given, Raw
from pykeepalived.config.schema import table_of

FIFOS = ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo")
DUMPS = ("state_dump_file", "stats_dump_file", "json_dump_file", "data_use_instance")
REPEATS = ("vrrp_garp_master_repeat", "vrrp_garp_master_refresh_repeat")
_MIN_GARP = {"vrrp_garp_master_repeat": 1, "vrrp_garp_master_delay": 0, "vrrp_garp_master_refresh_repeat": 0}
_UMASK_BITS = {
    "RUSR": 0o400, "WUSR": 0o200, "XUSR": 0o100, "RWXU": 0o700,
    "RGRP": 0o040, "WGRP": 0o020, "XGRP": 0o010, "RWXG": 0o070,
    "ROTH": 0o004, "WOTH": 0o002, "XOTH": 0o001, "RWXO": 0o007,
}  # fmt: skip


def resolve(root: Raw, raw: Raw | None, context: Context, scripts: Scripts) -> GlobalDefs:
    """The settings of the daemon."""
    values: dict[str, Any] = {
        name: root.value(name)
        for name in ("net_namespace", "net_namespace_ipvs", "instance", "use_pid_dir", "child_wait_time")
    }
    _say_later(root, ("net_namespace_ipvs",), context)
    host_name = context.surroundings.host_name()
    if raw is None:
        return GlobalDefs(router_id=host_name, **values)
    _say_later(raw, DUMPS, context)
    table = table_of(GlobalDefs).keywords
    for each in fields(GlobalDefs):
        spec = table.get(each.name)
        if spec is not None:
            given = raw.given.get(each.name)
            values[each.name] = spec.default if given is None else given.value
    if "router_id" not in raw.given:
        values["router_id"] = host_name
    _garp(raw, values, context)
    for name in FIFOS:
        _fifo(name, raw, values, context, scripts)
        values[f"{name}_script"] = scripts.command(raw.given.get(f"{name}_script"))
    if values["notify_fifo"] is not None:
        for name in FIFOS[1:]:
            if values[name] == values["notify_fifo"]:
                context.warning(f"{name} is the same as notify_fifo - ignoring {name}", raw.span(name, 1))
                values[name] = values[f"{name}_script"] = None
    if "script_user" in raw.given and (account := scripts.default_account()) is not None:
        values["script_uid"], values["script_gid"] = account.uid, account.gid
    values["allow_dynamic_interfaces"] = "dynamic_interfaces" in raw.given
    values["umask"] = _umask(raw.given.get("umask"), context)
    return GlobalDefs(**values)


def _say_later(raw: Raw, names: Iterable[str], context: Context) -> None:
    """Keywords that are read and have no effect yet."""
    for name in names:
        if name in raw.given:
            context.later(name, raw.span(name))


def _garp(raw: Raw, values: dict[str, Any], context: Context) -> None:
    for name in REPEATS:
        if values[name] == 0:
            context.error(f"{name} 0 is set to 1", raw.span(name, 1), "use 1 or more")
            values[name] = 1
    if raw.value("vrrp_min_garp"):
        values.update({name: value for name, value in _MIN_GARP.items() if name not in raw.given})
    for name in ("delay", "repeat"):
        if f"vrrp_garp_lower_prio_{name}" not in raw.given:
            values[f"vrrp_garp_lower_prio_{name}"] = values[f"vrrp_garp_master_{name}"]


def _fifo(name: str, raw: Raw, values: dict[str, Any], context: Context, scripts: Scripts) -> None:
    """A FIFO's path; its owner when one is named."""
    given = raw.given.get(name)
    if given is None:
        return
    words = given.value
    values[name] = words[0]
    if len(words) > 1:
        account = scripts.account(words[1], words[2] if len(words) > 2 else None, given, 2, supplementary=False)
        if account is None:
            values[name] = None
        else:
            values["fifo_owner"] = (*values.get("fifo_owner", ()), (words[0], account.uid, account.gid))
    if not words[0].startswith("/") and values[name]:
        context.warning(f"{name}: '{words[0]}' is no absolute path", given.span(1), "write the whole path")


def _umask(given: Given | None, context: Context) -> int | None:
    """A number of any base, or names of bits joined by ``|``."""
    if given is None:
        return None
    text: str = given.value
    try:
        if text[:1].isdigit():
            base = 16 if text[:2].lower() == "0x" else 8 if text[0] == "0" else 10
            value = int(text, base) if base != 10 else number(text)
            if value <= 0o777:
                return value
        else:
            value = 0
            for name in text.split("|"):
                value |= _UMASK_BITS[name.strip().removeprefix("I").removeprefix("S_I")]
            return value
    except (KeyError, ValueError, Refused):
        pass
    hint = "write an octal number such as 0177, or bits such as IXUSR|IRWXG"
    context.error(f"umask: invalid value '{text}'", given.span(1), hint, Problem.GENERAL_ERROR)
    return None
