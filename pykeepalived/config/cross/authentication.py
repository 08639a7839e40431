"""authentication and auth_hmac of an instance. No message tells a password, a key, or a line that has one."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.draft import Draft
from pykeepalived.config.kinds import AF_INET6, Problem, Refused
from pykeepalived.config.kinds_vrrp import HmacKey, key_bytes
from pykeepalived.config.raw import Given, Raw
from pykeepalived.config.surroundings import Unreadable
from pykeepalived.units import SECOND

_OTHERS = 0o044
_WINDOW = (5 * SECOND, 300 * SECOND)
"""The least and the greatest window that comes of the interval."""


def _given(blocks: Iterable[Raw], keyword: str) -> tuple[Raw, Given] | None:
    """The last use of a keyword among several blocks of that name."""
    found = None
    for raw in blocks:
        if keyword in raw.given:
            found = raw, raw.given[keyword]
    return found


def resolve(draft: Draft) -> None:
    """The password of version 2, where it may have one, and the keys of auth_hmac."""
    draft.values["auth_hmac"] = None
    draft.values["auth_type"], draft.values["auth_pass"] = None, b""
    blocks = list(draft.raw.named("auth_hmac"))
    if blocks:
        draft.values["auth_hmac"] = _hmac(draft, blocks)
        if any(draft.raw.named("authentication")):
            message = f"({draft.name}) auth_hmac stands for authentication, which is not used"
            draft.context.warning(
                message, next(draft.raw.named("authentication")).span(word=0), "remove authentication"
            )
        return
    _password(draft, list(draft.raw.named("authentication")))


def _password(draft: Draft, blocks: list[Raw]) -> None:
    scheme, word = _given(blocks, "auth_type"), _given(blocks, "auth_pass")
    if scheme is None:
        return
    span = scheme[1].span()
    reason = hint = ""
    if draft.version == 3:
        reason = "VRRP version 3 does not support authentication. Ignoring."
        hint = "remove the authentication block, or use version 2"
    elif draft.strict:
        reason = "Strict mode does not support authentication. Ignoring."
        hint = "remove the authentication block, or vrrp_strict"
    elif word is None or not word[1].value:
        reason = "Authentication specified but no password given. Ignoring"
        hint = "add a line: auth_pass SECRET"
    elif scheme[1].value == "AH" and draft.family == AF_INET6:
        reason = "Cannot use AH authentication with IPv6. Ignoring"
        hint = "remove the authentication block, or use auth_hmac"
    if reason:
        draft.context.error(f"({draft.name}) {reason}", span, hint)
        return
    draft.values["auth_type"] = scheme[1].value
    draft.values["auth_pass"] = word[1].value if word else b""


def _hmac(draft: Draft, blocks: list[Raw]) -> AuthHmac:
    """The keys that can be used, and how. Without its active key the block signs nothing."""
    keys: dict[int, HmacKey] = {}
    for raw in blocks:
        lines: list[Given] = raw.given["key"].value if "key" in raw.given else []
        for given in lines:
            key: HmacKey = given.value
            if key.id in keys:
                message = f"({draft.name}) auth_hmac: key {key.id} is there already, the first stands"
                draft.context.error(message, given.span(1), "give it another number")
            elif (usable := _usable(draft, given, key)) is not None:
                keys[key.id] = usable
    values: dict[str, Any] = {}
    for name in ("active_key", "time_window", "anti_replay", "mode"):
        found = _given(blocks, name)
        values[name] = blocks[-1].value(name) if found is None else found[1].value
    active = _given(blocks, "active_key")
    if values["active_key"] not in keys:
        what = f"active_key {values['active_key']} is no key of the block" if active else "there is no active_key"
        hint = "write active_key and the number of one of the keys"
        _say(draft, active[0] if active else blocks[-1], "active_key", f"{what}: nothing is signed", hint)
        values["active_key"] = 0
    if draft.strict and values["mode"] != "enforce":
        found = _given(blocks, "mode")
        if found is not None:
            _say(draft, found[0], "mode", f"mode {values['mode']} is not for strict mode - resetting", "remove it")
        values["mode"] = "enforce"
    return AuthHmac(key=tuple(keys.values()), **values)


def window(draft: Draft) -> None:
    """The time window that follows the interval, once that is known."""
    found: AuthHmac | None = draft.values["auth_hmac"]
    if found is not None and not found.time_window:
        least, most = _WINDOW
        length = max(least, min(most, 3 * draft.values["advert_int"]))
        draft.values["auth_hmac"] = replace(found, time_window=length)


def _say(draft: Draft, raw: Raw, keyword: str, message: str, hint: str) -> None:
    draft.context.error(f"({draft.name}) auth_hmac: {message}", raw.span(keyword), hint)


def _usable(draft: Draft, given: Given, key: HmacKey) -> HmacKey | None:
    """The key with its bytes, or None when its file cannot be used (and that is said)."""
    if not key.file:
        return key
    context: Context = draft.context
    span = given.span(2)
    mode = context.surroundings.mode(key.file)
    if mode is not None and mode & _OTHERS:
        message = f"({draft.name}) the key file {key.file} can be read by others than its owner - ignored"
        context.error(message, span, f"chmod 600 {key.file}", Problem.SECURITY_ERROR)
        return None
    try:
        text = context.surroundings.read_file(key.file).decode("utf-8", "surrogateescape").strip("\r\n \t")
        words = text.split() if text.startswith("hex:") else [text]
        return HmacKey(key.id, key_bytes(words[0], words[1:]), key.file)
    except Unreadable as unreadable:
        context.error(f"({draft.name}) the key file '{key.file}' {unreadable.reason} - ignored", span)
    except Refused as refused:
        context.error(f"({draft.name}) the key file '{key.file}': {refused.message} - ignored", span, refused.hint)
    return None
