"""What the health checks have in common: where they connect to, how often, and how results become a belief."""

from collections.abc import Mapping
from dataclasses import dataclass

from pykeepalived.config.kinds import (
    IP,
    TIMER_MAX,
    UINT_MAX,
    Address,
    Boolean,
    Integer,
    Interface,
    Port,
    Timer,
    Word,
)
from pykeepalived.config.schema import UNSET, Keyword, Repeat, option
from pykeepalived.records import light
from pykeepalived.units import SECOND

CONNECT_TIMEOUT = Timer("0.000001", "4294.967295")
DELAY = Timer("0", TIMER_MAX)
PERIOD = Timer("0.000001", TIMER_MAX)

FOR_CHECKERS = ("retry", "delay_before_retry", "delay_loop", "warmup", "connect_timeout", "virtualhost", "alpha")
"""Keywords of servers whose values their checkers inherit."""


@light
@dataclass(frozen=True, slots=True)
class Target:
    """Where a probe connects to, and from where."""

    connect_ip: IP
    connect_port: int
    bindto: IP | None = None
    bind_port: int = 0
    bind_if: str | None = None
    fwmark: int = 0
    connect_timeout: int = 5 * SECOND


@dataclass(frozen=True, slots=True)
class CheckTiming:
    """How results become a belief about the server."""

    retry: int = 1
    delay_before_retry: int = SECOND
    delay_loop: int = 60 * SECOND
    warmup: int = 60 * SECOND
    alpha: bool = False
    log_all_failures: bool = False


def timing(
    retry: int = 1, delay_before_retry: int | None = SECOND, former: tuple[str, ...] = ()
) -> Mapping[str, Keyword]:
    """The keywords of a belief, with the defaults of one kind of checker; None is ``delay_loop``."""
    pause = UNSET if delay_before_retry is None else delay_before_retry
    return {
        "retry": option(
            Integer(0, UINT_MAX),
            default=retry,
            inherit="retry",
            deprecated=former,
            doc="How many more attempts are made before a server that was up is down.",
        ),
        "delay_before_retry": option(
            DELAY, default=pause, inherit="delay_before_retry", doc="Pause between two such attempts."
        ),
        "warmup": option(
            DELAY,
            inherit="warmup",
            doc="The first check comes at a random time within this; delay_loop if not given, 0 for at once.",
        ),
        "delay_loop": option(PERIOD, default=60 * SECOND, inherit="delay_loop", doc="Time from one check to the next."),
        "alpha": option(
            Boolean(), default=False, inherit="alpha", doc="The server counts as down until the first success."
        ),
        "log_all_failures": option(
            Boolean(),
            default=False,
            inherit="checker_log_all_failures",
            doc="Each failed attempt is logged, not the last alone.",
        ),
    }


TARGET: Mapping[str, Keyword] = {
    "connect_ip": option(Address(), doc="The address to probe; that of the real server if not given."),
    "connect_port": option(Port(), doc="The port to probe; that of the real server if not given."),
    "bindto": option(Address(), default=None, doc="The local address of the probe, of the target's family."),
    "bind_port": option(Port(), default=0, doc="The local port of the probe."),
    "bind_if": option(
        Interface(), default=None, doc="The interface of the probe; a link-local target cannot do without."
    ),
    "connect_timeout": option(
        CONNECT_TIMEOUT,
        default=5 * SECOND,
        inherit="connect_timeout",
        doc="Time allowed to connect, and again for each answer.",
    ),
    "fwmark": option(Integer(0, UINT_MAX), default=0, doc="The mark of the firewall on the probe's packets."),
}

PROBE: Mapping[str, Keyword] = {**TARGET, **timing()}


def for_checkers(outer: str) -> dict[str, Keyword]:
    """The keywords of a server that are defaults of its checkers; ``outer`` is the block around it."""
    return {
        "retry": option(Integer(1, UINT_MAX), inherit=outer and "retry", doc="Default of retry in the checkers."),
        "delay_before_retry": option(
            DELAY, inherit=outer and "delay_before_retry", doc="Default of delay_before_retry in the checkers."
        ),
        "warmup": option(DELAY, inherit=outer and "warmup", doc="Default of warmup in the checkers."),
        "connect_timeout": option(
            CONNECT_TIMEOUT, inherit=outer and "connect_timeout", doc="Default of connect_timeout in the checkers."
        ),
        "virtualhost": option(
            Word(),
            checked=True,
            inherit=outer and "virtualhost",
            repeat=Repeat.REPLACE,
            doc="Default of the Host header in the checkers.",
        ),
    }
