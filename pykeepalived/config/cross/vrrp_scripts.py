"""vrrp_script blocks as values."""

from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.cross.trackers import Defined
from pykeepalived.config.raw import Raw


def resolve(root: Raw, context: Context, scripts: Scripts) -> dict[str, Defined]:
    """The scripts by name; the first of a name counts."""
    defined: dict[str, Defined] = {}
    for raw in root.named("vrrp_script"):
        if raw.name not in defined:
            script = _script(raw, context, scripts)
            useless = "" if script is not None else "cannot be run"
            defined[raw.name] = Defined(raw.order, raw.value("weight"), script, useless)
    return defined


def _script(raw: Raw, context: Context, scripts: Scripts) -> VrrpScript | None:
    given = raw.given.get("script")
    if given is None or given.value is None:
        hint = 'add a line: script "/path/of/program arguments"'
        context.error(f"No script set for vrrp_script {raw.name} - removing", raw.span(word=1), hint)
        return None
    script = scripts.command(given, raw.given.get("user"), counts=True)
    if script is None:
        return None
    interval = raw.value("interval")
    return VrrpScript(
        name=raw.name,
        script=script,
        interval=interval,
        timeout=raw.value("timeout") if "timeout" in raw.given else interval,
        weight=raw.value("weight"),
        rise=raw.value("rise"),
        fall=raw.value("fall"),
        init_fail=raw.value("init_fail"),
    )
