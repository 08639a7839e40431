"""vrrp_script blocks as values."""

from pykeepalived.config.blocks.vrrp_script import TRACK_WEIGHT, VrrpScript
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.cross.trackers import Defined
from pykeepalived.config.kinds import Problem, Refused, number
from pykeepalived.config.raw import Raw


def resolve(root: Raw, context: Context, scripts: Scripts) -> dict[str, Defined]:
    """The scripts by name; the first of a name counts."""
    defined: dict[str, Defined] = {}
    for raw in root.named("vrrp_script"):
        if raw.name in defined:
            continue
        weight, reverse = _weight(raw, context)
        defined[raw.name] = Defined(_script(raw, context, scripts, weight, reverse=reverse), raw.order, weight, reverse)
    return defined


def _script(raw: Raw, context: Context, scripts: Scripts, weight: int, *, reverse: bool) -> VrrpScript | None:
    given = raw.given.get("script")
    if given is None or given.value is None:
        hint = 'add a line: script "/path/of/program arguments"'
        context.error(f"No script set for vrrp_script {raw.name} - removing", raw.span(word=1), hint)
        return None
    script = scripts.command(given, raw.given.get("user"))
    if script is None:
        return None
    interval = raw.value("interval")
    return VrrpScript(
        name=raw.name,
        script=script,
        interval=interval,
        timeout=raw.value("timeout") if "timeout" in raw.given else interval,
        weight=weight,
        reverse=reverse,
        rise=raw.value("rise"),
        fall=raw.value("fall"),
        init_fail=raw.value("init_fail"),
    )


def _weight(raw: Raw, context: Context) -> tuple[int, bool]:
    given = raw.given.get("weight")
    if given is None:
        return 0, False
    words = given.value
    try:
        value = number(words[0])
    except Refused as refused:
        context.error(f"weight: {refused.message}", given.span(1), refused.hint, Problem.INVALID_NUMBER)
        return 0, False
    if abs(value) > TRACK_WEIGHT:
        bounded = TRACK_WEIGHT if value > 0 else -TRACK_WEIGHT
        message = f"weight: number '{words[0]}' outside range [-{TRACK_WEIGHT}, {TRACK_WEIGHT}], {bounded} is used"
        context.error(message, given.span(1), "use a number from -253 to 253", Problem.INVALID_NUMBER)
        value = bounded
    reverse = len(words) > 1 and words[1] == "reverse"
    if len(words) > 1 and not reverse:
        context.error(f"unknown option '{words[1]}' of a weight - ignored", given.span(2), "write reverse, or nothing")
    return value, reverse
