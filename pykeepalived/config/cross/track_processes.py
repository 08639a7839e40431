"""vrrp_track_process blocks as values: what parameters imply, and the quorum against its greatest."""

from typing import Any

from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.trackers import Defined
from pykeepalived.config.raw import Raw


def resolve(root: Raw, context: Context) -> tuple[list[VrrpTrackProcess], dict[str, Defined]]:
    """The processes, and what lines may follow; the first of a name counts."""
    processes: list[VrrpTrackProcess] = []
    defined: dict[str, Defined] = {}
    for raw in root.named("vrrp_track_process"):
        if raw.name in defined:
            continue
        weight = raw.value("weight")
        quorum, quorum_max = _quorum(raw, context)
        if "process" not in raw.given:
            hint = "add a line: process NAME"
            message = f"track process '{raw.name}' process name not specified - ignoring"
            context.error(message, raw.span(word=1), hint)
            defined[raw.name] = Defined(raw.order, weight, useless="has no process")
            continue
        defined[raw.name] = Defined(raw.order, weight)
        words = raw.value("process")
        compared: Any = raw.value("param_match") or ("exact" if len(words) > 1 else "")
        processes.append(
            VrrpTrackProcess(
                name=raw.name,
                process=words,
                param_match=compared,
                weight=weight,
                quorum=quorum,
                quorum_max=quorum_max,
                terminate_delay=_delay(raw, "terminate_delay"),
                fork_delay=_delay(raw, "fork_delay"),
                full_command=raw.value("full_command") or bool(compared),
            )
        )
    return processes, defined


def _delay(raw: Raw, keyword: str) -> int:
    """The later of the keyword and ``delay``, which sets both."""
    both, own = raw.given.get("delay"), raw.given.get(keyword)
    if both is not None and (own is None or own.order < both.order):
        own = both
    length: int = own.value if own is not None else raw.table.keywords[keyword].default
    return length


def _quorum(raw: Raw, context: Context) -> tuple[int, int | None]:
    """The bounds. Of two that contradict each other the later line is ignored."""
    least, most = raw.given.get("quorum"), raw.given.get("quorum_max")
    quorum: int = raw.value("quorum")
    quorum_max: int | None = raw.value("quorum_max")
    if most is None or quorum_max is None:
        return quorum, None
    later = least is not None and least.order > most.order
    if quorum_max == 0 and quorum == 1 and not later:
        return 0, 0
    if quorum <= quorum_max:
        return quorum, quorum_max
    hint = "quorum is the fewest that must run, quorum_max the most that may"
    if least is not None and later:
        context.error(f"quorum {quorum} is greater than quorum_max {quorum_max} - ignoring", least.span(1), hint)
        return min(1, quorum_max), quorum_max
    context.error(f"quorum_max {quorum_max} is less than quorum {quorum} - ignoring", most.span(1), hint)
    return quorum, None
