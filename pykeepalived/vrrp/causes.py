"""Why a virtual router does what it does, in words for the operator who reads the journal at night."""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.effects import Kind, Log
from pykeepalived.units import MILLISECOND, seconds_text
from pykeepalived.vrrp import lines
from pykeepalived.vrrp.states import Backup
from pykeepalived.vrrp.tracking import (
    BFD,
    FILE,
    PEERS,
    PROCESS,
    SCRIPT,
    SOCKETS,
    SOURCE,
    STATIC,
    State,
    Tracked,
    TrackedNumber,
    Tracker,
)
from pykeepalived.wire.vrrp import text


def silence(state: Backup, instance: VrrpInstance, priority: int, refused: str, now: int) -> str:
    """Why the master is believed to be down. ``refused`` is the latest fault of a packet since one was accepted."""
    length = seconds_text(now - state.heard_at)
    master, lower = state.master, state.lower
    if lower is not None:
        sender = text(lower.address)
        cause = f"only adverts of lower priority for {length}: {sender} has {lower.priority}, ours is {priority}"
    elif master is None and state.gave_up:
        cause = f"no other router took over within {length}"
    elif master is None:
        family = "IPv4" if instance.family == AF_INET else "IPv6"
        cause = f"no {family} advert heard from anybody for {length}"
    elif state.resigned:
        cause = f"{text(master.address)} (priority {master.priority}) gave up with priority 0"
    else:
        cause = f"no advert from {text(master.address)} (priority {master.priority}) for {length}"
    if refused:
        cause += f"; refused: {refused}"
    if state.frozen:
        cause += f"; this process was frozen for {seconds_text(state.frozen)}, and has listened again since"
    late = now - state.master_down_at
    if late >= MILLISECOND:
        cause += f"; noticed {seconds_text(late)} late"
    return cause


def fault_line(instance: VrrpInstance, tracked: Tracked, cause: str) -> Log:
    """The line of keepalived for one reason of a FAULT."""
    words = f"({instance.name}){_fault_words(instance, tracked, cause)}"
    return Log(words, kind=Kind.TRACKER, fields=lines.fields(instance.name))


def _fault_words(instance: VrrpInstance, tracked: Tracked, cause: str) -> str:
    kind, name = tracked.tracker
    if kind == SOURCE:
        family = "IPv4" if instance.family == AF_INET else "IPv6"
        return f" entering FAULT state (no {family} address for interface)"
    if kind == PEERS:
        return " Cannot use unicast without any peers - going to fault state"
    if kind == PROCESS:
        return f" entering FAULT state ({cause})"
    if kind == SCRIPT:
        return f": entering FAULT state due to script {name}"
    if kind == STATIC:
        return f": entering FAULT state (static {name} is missing)"
    if kind in {FILE, BFD, SOCKETS}:
        return f": entering FAULT state ({cause})"
    return f": entering FAULT state (interface {name} down)"


def tracker_line(instance: str, tracked: Tracked, state: State, *, was_faulty: bool) -> Log | None:
    """The line of keepalived for the new state of a file or a BFD session that an instance follows, if it has one."""
    kind, name = tracked.tracker
    fields = lines.fields(instance)
    if kind == BFD:
        message = f"VRRP_Instance({instance}) Tracked BFD instance {name} is {'UP' if state else 'DOWN'}"
        return Log(message, kind=Kind.TRACKER, fields=fields)
    faulty = tracked.faulty(state)
    if kind != FILE or faulty == was_faulty:
        return None
    message = f"({instance}): tracked file {name} {'now' if faulty else 'leaving'} FAULT state"
    return Log(message, kind=Kind.TRACKER, detail=True, fields=fields)


def tracker_text(tracker: Tracker, state: State) -> str:
    """What is to be said of a tracker in that state."""
    kind, name = tracker
    if kind == SCRIPT:
        return f"script {name} {'succeeds' if state else 'fails'}"
    if kind == FILE:
        return f"track_file {name} says {state}"
    if kind == PROCESS:
        return f"tracked process {name} quorum {'' if state else 'not '}achieved"
    if kind == BFD:
        return f"BFD session {name} is {'up' if state else 'down'}"
    if kind == STATIC:
        return f"static {name} is {'there' if state else 'missing'}"
    if kind == SOCKETS:
        return "adverts can be sent and heard" if state else "a socket for adverts cannot be opened"
    return f"interface {name} is {'up' if state else 'down'}"


def fault_text(tracked: Tracked, state: State, cause: str) -> str:
    """Why a tracker in that state is a fault."""
    if isinstance(tracked, TrackedNumber):
        return f"tracked file {tracked.tracker[1]} has status {tracked.status(state)}: {cause}"
    return f"{cause} (reverse)" if tracked.reverse else cause


def no_source_text(instance: VrrpInstance) -> str:
    """Why there is no address to send from."""
    if instance.source is not None:
        return f"no interface has the configured source {instance.source}, or it is being checked for duplicates"
    kind = "IPv4" if instance.family == AF_INET else "link-local IPv6"
    return f"interface {instance.source_interface} has no {kind} address to send from"
