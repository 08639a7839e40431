"""Why a virtual router does what it does, in words for the operator who reads the journal at night."""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.units import MICROSECOND, MILLISECOND, SECOND, seconds_text
from pykeepalived.vrrp.states import Backup
from pykeepalived.vrrp.tracking import PEERS, SCRIPT, SOURCE, Tracked
from pykeepalived.wire.vrrp import text


def silence(state: Backup, instance: VrrpInstance, priority: int, refused: str, now: int) -> str:
    """Why the master is believed to be down. ``refused`` is the latest fault of a packet since one was accepted."""
    length = seconds_text(now - state.heard_at)
    master, lower = state.master, state.lower
    if lower is not None:
        sender = text(lower.address)
        cause = f"only adverts of lower priority for {length}: {sender} has {lower.priority}, ours is {priority}"
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


def fault_line(instance: VrrpInstance, tracked: Tracked) -> str:
    """The line of keepalived for one reason of a FAULT."""
    kind, name = tracked.tracker
    if kind == SOURCE:
        family = "IPv4" if instance.family == AF_INET else "IPv6"
        return f"({instance.name}) entering FAULT state (no {family} address for interface)"
    if kind == PEERS:
        return f"({instance.name}) Cannot use unicast without any peers - going to fault state"
    if kind == SCRIPT:
        return f"({instance.name}): entering FAULT state due to script {name}"
    return f"({instance.name}): entering FAULT state (interface {name} down)"


def seconds_and_microseconds(length: int) -> str:
    """``5.000000``."""
    return f"{length // SECOND}.{length % SECOND // MICROSECOND:06}"
