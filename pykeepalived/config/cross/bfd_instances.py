"""bfd_instance blocks as values: names, neighbours that are there twice, families, and hops against the TTL."""

from typing import Any

from pykeepalived.config.blocks.bfd_instance import DEFAULT_TTL, LONG_INTERVAL, LONGEST_NAME, BfdInstance
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.trackers import Defined
from pykeepalived.config.kinds import IP
from pykeepalived.config.raw import Raw
from pykeepalived.units import MILLISECOND

_COPIED = ("min_rx", "min_tx", "idle_tx", "multiplier", "passive", "multihop", "weight")


def resolve(root: Raw, context: Context) -> tuple[list[BfdInstance], dict[str, Defined]]:
    """The sessions, and what lines may follow: not those that are for the checkers alone."""
    sessions: list[BfdInstance] = []
    defined: dict[str, Defined] = {}
    for raw in root.named("bfd_instance"):
        if len(raw.name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
            message = f"BFD instance {raw.name}: the name is longer than {LONGEST_NAME} characters - ignoring"
            context.error(message, raw.span(word=1), "give it a shorter name")
            continue
        session = _session(raw, sessions, context)
        if session is None or session.vrrp:
            useless = "is not usable" if session is None else ""
            defined[raw.name] = Defined(raw.order, raw.value("weight"), useless=useless)
        if session is not None:
            sessions.append(session)
    return sessions, defined


def _session(raw: Raw, others: list[BfdInstance], context: Context) -> BfdInstance | None:
    """The session, or None when it cannot be (and that is said)."""
    given = raw.given.get("neighbor_ip")
    if given is None:
        if "neighbor_ip" not in raw.said:
            message = f"BFD instance {raw.name} has no neighbor address set, disabling instance"
            context.error(message, raw.span(word=1), "add a line: neighbor_ip ADDRESS")
        return None
    neighbor: IP = given.value
    source: IP | None = raw.value("source_ip")
    if source is not None and source.version != neighbor.version:
        message = f"BFD instance {raw.name} source address {source} and neighbor address {neighbor} are not of the same"
        context.error(f"{message} family, disabling instance", raw.span("source_ip", 1), "use two of one family")
        return None
    if _is_there(raw, neighbor, source, others, context):
        return None
    values: dict[str, Any] = {keyword: raw.value(keyword) for keyword in _COPIED}
    ttl = raw.value("ttl") if "ttl" in raw.given else DEFAULT_TTL[neighbor.version]
    _slow(raw, context)
    both = "vrrp" not in raw.given and "checker" not in raw.given
    return BfdInstance(
        name=raw.name,
        neighbor_ip=neighbor,
        source_ip=source,
        ttl=ttl,
        max_hops=_max_hops(raw, ttl, context),
        vrrp=both or "vrrp" in raw.given,
        checker=both or "checker" in raw.given,
        **values,
    )


def _is_there(raw: Raw, neighbor: IP, source: IP | None, others: list[BfdInstance], context: Context) -> bool:
    """Whether packets could not be told from those of another session. No source is any source."""
    for other in others:
        if (other.neighbor_ip, other.multihop) != (neighbor, raw.value("multihop")):
            continue
        if source is None or other.source_ip is None or other.source_ip == source:
            message = f"BFD instance {raw.name} has duplicate neighbor address {neighbor}, ignoring instance"
            hint = f"{other.name} has it too: follow that one, or give each its own source_ip"
            context.error(message, raw.span("neighbor_ip", 1), hint)
            return True
    return False


def _max_hops(raw: Raw, ttl: int, context: Context) -> int:
    """Never more than what is sent with."""
    hops: int = raw.value("max_hops")
    most = ttl if hops % 256 > ttl else hops  # -1, any number of hops, counts as 255
    if most != hops:
        hint = f"use a number up to {ttl}, or a greater ttl"
        message = f"BFD instance {raw.name}: max_hops exceeds ttl/hoplimit - setting to {ttl}"
        context.error(message, raw.span("max_hops", 1), hint)
    return most


def _slow(raw: Raw, context: Context) -> None:
    for keyword in ("min_rx", "min_tx", "idle_tx"):
        if raw.value(keyword) > LONG_INTERVAL:
            message = f"BFD instance {raw.name}: {keyword} is longer than {LONG_INTERVAL // MILLISECOND} ms"
            context.warning(message, raw.span(keyword, 1), "times are in milliseconds, not in microseconds")
