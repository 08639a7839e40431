"""Who becomes MASTER and when: priority, state, preemption, and the times that both sides count by."""

from pykeepalived.config.cross.draft import Draft
from pykeepalived.units import CENTISECOND, SECOND

OWNER = 255
_LONGEST_ADVERT = 4095 * CENTISECOND


def resolve(draft: Draft) -> None:
    """Priority and state complete each other; what contradicts them goes."""
    values = draft.values
    _priority_and_state(draft)
    owner = values["priority"] == OWNER
    _preemption(draft, owner=owner)
    if owner and not values["owner_ignore_adverts"] and draft.given("owner_ignore_adverts"):
        message = "an address owner ignores adverts - owner_ignore_adverts is on"
        draft.error(message, "owner_ignore_adverts", "remove it")
        values["owner_ignore_adverts"] = True
    values["advert_int"] = _advert_int(draft, values["advert_int"])
    for name in ("garp_master_repeat", "garp_master_refresh_repeat"):
        if name in draft.raw.given and values[name] == 0:
            draft.error(f"{name} 0 is set to 1", name, "use 1 or more", 1)
            values[name] = 1


def _priority_and_state(draft: Draft) -> None:
    values = draft.values
    given, priority = draft.given("state"), draft.given("priority")
    wanted = given.value if given is not None else None
    if priority is None:
        values["priority"] = OWNER if wanted == "MASTER" else 100
    else:
        values["priority"] = priority.value
    owner = values["priority"] == OWNER
    state = wanted or ("MASTER" if owner else "BACKUP")
    if owner and state == "BACKUP":
        hint = "remove the state, or lower the priority"
        message = "CONFIG error: a priority of 255 and state BACKUP - resetting state to MASTER"
        draft.error(message, "state", hint)
        state = "MASTER"
    if draft.strict and not owner and state == "MASTER":
        hint = "remove the state: the priority decides in strict mode"
        draft.error("State MASTER must match being address owner - resetting state to BACKUP", "state", hint)
        state = "BACKUP"
    elif values["auth_type"] == "AH" and not owner and state == "MASTER":
        hint = "write state BACKUP: the sequence of the peers must be learnt first"
        draft.error("state MASTER is incompatible with AH authentication - resetting state to BACKUP", "state", hint)
        state = "BACKUP"
    values["state"] = state


def _preemption(draft: Draft, *, owner: bool) -> None:
    values = draft.values
    state = values["state"]
    if values["nopreempt"]:
        if owner or state == "MASTER":
            hint = "write state BACKUP on every router that has nopreempt"
            what = "a priority of 255" if owner else "state MASTER"
            draft.error(f"nopreempt is incompatible with {what} - resetting nopreempt", "nopreempt", hint)
            values["nopreempt"] = False
        elif values["preempt_delay"]:
            hint = "remove one of the two"
            draft.error("preempt_delay is incompatible with nopreempt - resetting", "preempt_delay", hint)
            values["preempt_delay"] = 0
    if values["preempt_delay"] and (state == "MASTER" or draft.strict):
        what = "strict mode" if draft.strict else "initial state MASTER"
        hint = "remove preempt_delay" if draft.strict else "write state BACKUP, or remove preempt_delay"
        draft.error(f"preempt_delay is incompatible with {what} - resetting", "preempt_delay", hint)
        values["preempt_delay"] = 0
    if values["timer_expired_backup"] and not values["nopreempt"]:
        message = f"({draft.name}) timer_expired_backup without nopreempt has no effect"
        span = draft.raw.span("timer_expired_backup")
        draft.context.warning(message, span, "add nopreempt, or remove timer_expired_backup")


def _advert_int(draft: Draft, length: int) -> int:
    """As the version's field on the wire can hold it."""
    if draft.version == 2:
        rounded = max(1, (length + SECOND // 2) // SECOND) * SECOND
        hint = "write whole seconds, or use version 3 on every router"
    else:
        rounded = min(max(1, (length + CENTISECOND // 2) // CENTISECOND) * CENTISECOND, _LONGEST_ADVERT)
        hint = "write steps of 0.01 up to 40.95"
    if rounded != length:
        message = f"VRRPv{draft.version} advertisement interval {length / SECOND:g}s is out of range or rounded, "
        draft.error(f"{message}{rounded / SECOND:g}s is used", "advert_int", hint, 1)
    return rounded
