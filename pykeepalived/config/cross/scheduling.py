"""How a virtual server spreads connections: the scheduler and its flags, persistence, one-packet scheduling, quorum."""

from ipaddress import IPv4Address

from pykeepalived.config.blocks.virtual_server import IPPROTO_UDP, Service
from pykeepalived.config.blocks.virtual_server_group import VirtualServerGroup
from pykeepalived.config.cross.context import Context
from pykeepalived.config.kinds import AF_INET, Problem
from pykeepalived.config.raw import Raw

DEFAULT_PERSISTENCE = 360
_HASHING = ("sh", "mh")
_FLAGS = (("sh-fallback", 0), ("mh-fallback", 0), ("sh-port", 1), ("mh-port", 1))
_ALL_FLAGS = frozenset({"flag-1", "flag-2", "flag-3", "hashed", *(name for name, _ in _FLAGS)})


def scheduler(raw: Raw, service: Service, context: Context) -> str:
    """The scheduler; wlc where none is given."""
    given = raw.given.get("lvs_sched")
    if given is not None:
        name: str = given.value
        return name
    if "lvs_sched" not in raw.said:
        hint = "add a line: lvs_sched wlc"
        context.error(f"Virtual server {service}: no scheduler set, setting default 'wlc'", raw.span(), hint)
    return "wlc"


def flags(raw: Raw, context: Context) -> tuple[bool, bool, bool]:
    """The scheduler's flags; those of sh and mh count only below the line of such a scheduler."""
    if _ALL_FLAGS.isdisjoint(raw.given):
        return False, False, False
    found = [raw.value("flag-1"), raw.value("flag-2"), raw.value("flag-3")]
    given = raw.given.get("lvs_sched")
    for name, place in _FLAGS:
        flag = raw.given.get(name)
        if flag is None:
            continue
        if given is None or given.value not in _HASHING or given.order > flag.order:
            hint = f"write lvs_sched {name[:2]} on an earlier line"
            context.error(f"{name} is for the scheduler {name[:2]} - ignored", flag.span(), hint)
            continue
        if given.value != name[:2]:  # the kernel has the same flag for both
            context.warning(f"{name} under lvs_sched {given.value}", flag.span(), f"write {given.value}{name[2:]}")
        found[place] = True
    if "hashed" in raw.given and (given is None or given.value not in _HASHING):
        context.error("hashed is for the schedulers sh and mh - ignored", raw.span("hashed"), "remove it")
    return found[0], found[1], found[2]


def one_packet(raw: Raw, service: Service, context: Context) -> bool:
    """Whether each packet is scheduled by itself: for UDP and marks alone."""
    if "ops" not in raw.given:
        return False
    if service.kind == "fwmark" or service.protocol in (IPPROTO_UDP, 0):
        return True
    hint = "one-packet scheduling is for UDP; remove ops"
    context.error(f"Virtual server {service}: ops on a service that is not UDP - ignored", raw.span("ops"), hint)
    return False


def persistence(
    raw: Raw, service: Service, group: VirtualServerGroup | None, context: Context
) -> tuple[int | None, IPv4Address | int | None]:
    """Seconds and granularity."""
    timeout: int | None = raw.value("persistence_timeout")
    granularity = _granularity(raw, service, context)
    if "persistence_granularity" in raw.given or "persistence_granularity" in raw.said:
        timeout = timeout or DEFAULT_PERSISTENCE
    without_port = service.kind == "address" and service.port == 0
    if group is not None:
        without_port = any(each.first is not None and not each.port for each in group.entries)
    if without_port and not timeout:
        context.error(
            f"Virtual server {service}: zero port only valid for persistent services - setting",
            raw.span(),
            f"add a line: persistence_timeout {DEFAULT_PERSISTENCE}, or give the port",
        )
        timeout = DEFAULT_PERSISTENCE
    return timeout, granularity


def _granularity(raw: Raw, service: Service, context: Context) -> IPv4Address | int | None:
    given = raw.given.get("persistence_granularity")
    if given is None:
        return None
    value: IPv4Address | int = given.value
    if isinstance(value, int) == (service.family != AF_INET):
        return value
    text = given.statement.words[1]
    if service.family == AF_INET:  # keepalived takes 24 for 0.0.0.24, which makes strangers one client
        message = f"persistence_granularity: '{text}' is no netmask - ignored"
        context.warning(message, given.span(1), "write a netmask such as 255.255.255.0")
    else:
        message = f"persistence_granularity: invalid value '{text}'"
        context.error(message, given.span(1), "write a number from 1 to 128")
    return None


def quorum(raw: Raw, service: Service, total: int, context: Context) -> tuple[int, int]:
    """Quorum and hysteresis, within what the servers can give, whose weights add up to ``total``."""
    wanted: int = raw.value("quorum")
    hysteresis: int = raw.value("hysteresis")
    # whoever drains servers or takes one away writes such a file: that is no reason to refuse a reload
    if wanted > total:
        context.warning(
            f"Warning - quorum {wanted} for {service} exceeds total weight {total}, reducing",
            raw.span("quorum", 1) if "quorum" in raw.given else raw.span(),
            f"the weights of the real servers add up to {total}",
            Problem.GENERAL_ERROR,
        )
        # a quorum of 0 would be there without a server, and its hysteresis wrap around
        wanted = max(1, total)
    if hysteresis >= wanted and hysteresis:
        context.warning(
            f"Virtual server {service}: hysteresis {hysteresis} is not below the quorum, {wanted - 1} is used",
            raw.span("hysteresis", 1),
            f"use a number below {wanted}",
            Problem.GENERAL_ERROR,
        )
        hysteresis = wanted - 1
    if 0 < total < wanted + hysteresis:
        what = f"quorum {wanted} with hysteresis {hysteresis} is gained at {wanted + hysteresis}"
        context.warning(
            f"Virtual server {service}: {what}, all its real servers together weigh {total}",
            raw.span("hysteresis", 1),
            f"with hysteresis {total - wanted} it is gained when all are up",
        )
    return wanted, hysteresis
