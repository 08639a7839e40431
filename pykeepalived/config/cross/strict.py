"""strict_mode: what the RFC leaves no choice about."""

from pykeepalived.config.cross.draft import Draft

_FORCED = {
    "lower_prio_no_advert": True,
    "higher_prio_send_advert": False,
    "garp_lower_prio_delay": 0,
    "garp_lower_prio_repeat": 0,
}
"""Keyword -> what it is; the file may say the same, or nothing."""


def resolve(draft: Draft) -> None:
    """Sets what the RFC demands, and says where the file demands something else."""
    values = draft.values
    for name, value in _FORCED.items():
        if name in draft.raw.given and values[name] != value:
            draft.error(f"{name} is {_word(value)} in strict mode - resetting", name, "remove it, or strict_mode")
        values[name] = value
    values["owner_ignore_adverts"] = True
    values["no_virtual_ipaddress"] = False
    if values["down_timer_adverts"] != 3:
        draft.error("down_timer_adverts is 3 in strict mode - resetting", "down_timer_adverts", "remove it")
        values["down_timer_adverts"] = 3
    _accept(draft)


def _word(value: bool | int) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _accept(draft: Draft) -> None:
    """Off unless the file says otherwise, which version 2 has for owners alone."""
    values = draft.values
    if "accept" not in draft.raw.given:
        values["accept"] = False
    elif values["accept"] and draft.version == 2 and values["priority"] != 255:
        draft.error("accept is for version 3 or address owners in strict mode - resetting", "accept", "remove it")
        values["accept"] = False
