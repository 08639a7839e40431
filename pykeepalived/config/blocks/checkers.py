"""Health checks of a real server: what is probed, how often, and what counts as success."""

from collections.abc import Mapping
from dataclasses import dataclass

from pykeepalived.config.kinds import (
    IP,
    TIMER_MAX,
    UINT_MAX,
    Address,
    Boolean,
    Choice,
    Hex,
    Integer,
    Interface,
    Port,
    Ranges,
    Timer,
    Word,
)
from pykeepalived.config.schema import Keyword, Repeat, block, keyword, later, option
from pykeepalived.units import SECOND

CONNECT_TIMEOUT = Timer("0.000001", "4294.967295")
DELAY = Timer("0", TIMER_MAX)
PERIOD = Timer("0.000001", TIMER_MAX)

DIRECT = "connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark"
BELIEF = "retry delay_before_retry warmup delay_loop alpha log_all_failures"
URL = """
    path digest status_code virtualhost regex regex_no_match regex_options regex_min_offset regex_max_offset
    regex_stack tls_compliant
"""

_TIMING: Mapping[str, Keyword] = {
    "retry": option(Integer(0, UINT_MAX), default=1, inherit="retry", doc="Attempts more before a server is down."),
    "delay_before_retry": option(
        DELAY, default=SECOND, inherit="delay_before_retry", doc="Pause between two attempts."
    ),
    "delay_loop": option(PERIOD, default=60 * SECOND, inherit="delay_loop", doc="Time between two checks."),
    "warmup": option(DELAY, inherit="warmup", doc="The first check comes at a random time within this."),
    "alpha": option(Boolean(), default=False, inherit="alpha", doc="Down until the first success."),
    "log_all_failures": option(
        Boolean(), default=False, inherit="checker_log_all_failures", doc="Each failed attempt is logged."
    ),
}

_TARGET: Mapping[str, Keyword] = {
    "connect_ip": option(Address(), doc="The address to probe."),
    "connect_port": option(Port(), doc="The port to probe."),
    "bindto": option(Address(), default=None, doc="The local address of the probe."),
    "bind_port": option(Port(), default=0, doc="The local port of the probe."),
    "bind_if": option(Interface(), default=None, doc="The interface of the probe."),
    "fwmark": option(Integer(0, UINT_MAX), default=0, doc="The mark on the probe's packets."),
    "connect_timeout": option(
        CONNECT_TIMEOUT, default=5 * SECOND, inherit="connect_timeout", doc="Time allowed to connect and to answer."
    ),
}

_PASSES: Mapping[str, Keyword] = {**_TARGET, **_TIMING}

LATER_CHECKERS = later(
    f"""
    MISC_CHECK {{ {BELIEF} misc_path misc_timeout misc_dynamic user }}
    SMTP_CHECK {{ {DIRECT} {BELIEF} helo_name host {{ {DIRECT} {BELIEF} }} }}
    PING_CHECK {{ {DIRECT} {BELIEF} }}
    UDP_CHECK {{ {DIRECT} {BELIEF} payload require_reply min_reply_length max_reply_length }}
    SSL_GET {{ {DIRECT} {BELIEF} nb_get_retry virtualhost http_protocol enable_sni sni_name fast_recovery tls_compliant
               url {{ {URL} }} }}
    DNS_CHECK {{ {DIRECT} {BELIEF} type name }}
    FILE_CHECK {{ track_file weight }}
    BFD_CHECK {{ name alpha }}
""",
    kinds={
        **{name: each.kind for name, each in _PASSES.items()},
        "nb_get_retry": Integer(0, UINT_MAX),
        "misc_timeout": Integer(0, 4294),
        "min_reply_length": Integer(0, 65535),
        "max_reply_length": Integer(0, 65535),
        "status_code": Ranges(100, 599),
        "digest": Hex(16),
        "fast_recovery": Boolean(),
        "enable_sni": Boolean(),
        "http_protocol": Choice(("1.0", "1.0C", "1.1"), fold=True),
    },
    instead={"nb_get_retry": "retry", "host": "another SMTP_CHECK"},
)

_HTTP_PASSES: Mapping[str, Keyword] = {
    **_PASSES,
    "retry": option(
        Integer(0, UINT_MAX),
        default=1,
        inherit="retry",
        deprecated=("nb_get_retry",),
        doc="Attempts more before a server is down.",
    ),
    "delay_before_retry": option(
        DELAY, default=3 * SECOND, inherit="delay_before_retry", doc="Pause between two attempts."
    ),
    "virtualhost": option(
        Word(), default=None, inherit="virtualhost", repeat=Repeat.REPLACE, doc="The Host header of all urls."
    ),
}


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


@block("TCP_CHECK", passes=_PASSES)
@dataclass(frozen=True, slots=True)
class TcpCheck:
    """Success is a TCP connection."""

    target: Target
    timing: CheckTiming = CheckTiming()


@block(
    "url", known=later("regex regex_no_match regex_options regex_min_offset regex_max_offset regex_stack tls_compliant")
)
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUrl:
    """One request and what its response must be."""

    path: str = keyword(Word(), repeat=Repeat.REPLACE, doc="What is asked for: /path?query.")
    digest: bytes | None = keyword(
        Hex(16), default=None, repeat=Repeat.FIRST, doc="The MD5 sum that the body must have."
    )
    status_code: tuple[tuple[int, int], ...] = keyword(
        Ranges(100, 599), default=((200, 299),), repeat=Repeat.COLLECT, doc="Codes and ranges of codes that are good."
    )
    virtualhost: str | None = keyword(
        Word(), default=None, inherit="virtualhost", repeat=Repeat.REPLACE, doc="The Host header."
    )


@block(
    "HTTP_GET",
    blocks=(HttpUrl,),
    passes=_HTTP_PASSES,
    known=later("enable_sni sni_name tls_compliant"),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGet:
    """Success is a good response to every url in turn."""

    target: Target
    timing: CheckTiming = CheckTiming(delay_before_retry=3 * SECOND)
    http_protocol: str = keyword(Choice(("1.0", "1.0C", "1.1"), fold=True), default="1.0", doc="The request's version.")
    fast_recovery: bool = keyword(Boolean(), default=False, doc="A server that recovers is asked for all urls at once.")
    url: tuple[HttpUrl, ...] = ()


Checker = TcpCheck | HttpGet
