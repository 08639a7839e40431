"""The FIFOs of global_defs: whose they are, and that none stands twice."""

from dataclasses import replace
from typing import Any

from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kinds_global import Fifo
from pykeepalived.config.raw import Raw

FIFOS = ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo")


def fifos(raw: Raw, values: dict[str, Any], context: Context, scripts: Scripts) -> None:
    """Each FIFO with the numbers of its owner; None where it cannot be used."""
    for name in FIFOS:
        values[name] = _fifo(name, raw, context, scripts)
    whole: Fifo | None = values["notify_fifo"]
    for name in FIFOS[1:]:
        if whole is not None and values[name] is not None and values[name].path == whole.path:
            context.warning(f"{name} is the same as notify_fifo - ignoring {name}", raw.span(name, 1))
            values[name] = values[f"{name}_script"] = None


def _fifo(name: str, raw: Raw, context: Context, scripts: Scripts) -> Fifo | None:
    given = raw.given.get(name)
    if given is None:
        return None
    fifo: Fifo = given.value
    if not fifo.path.startswith("/"):
        context.warning(f"{name}: '{fifo.path}' is no absolute path", given.span(1), "write the whole path")
    if not fifo.user:
        default = scripts.script_user()
        return fifo if default is None else replace(fifo, owner=(default.uid, default.gid))
    account = scripts.account(fifo.user, fifo.group or None, given, 2, supplementary=False, counts=False)
    return None if account is None else replace(fifo, owner=(account.uid, account.gid))
