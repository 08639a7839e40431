"""Health checks of a real server: what is probed, how often, and what counts as success."""

from dataclasses import dataclass

from pykeepalived.config.blocks.followers import BfdCheck, FileCheck, MiscCheck
from pykeepalived.config.blocks.http_checkers import HttpGet, HttpsUrl, HttpUrl, SslGet
from pykeepalived.config.blocks.probing import PROBE, TARGET, CheckTiming, Target, timing
from pykeepalived.config.kinds import Choice, Integer, Port, Word
from pykeepalived.config.kinds_lvs import DnsName, HexBytes, HexPattern, HexReply
from pykeepalived.config.schema import Repeat, block, keyword, option
from pykeepalived.records import light, record

__all__ = [
    "CHECKERS",
    "AnyChecker",
    "BfdCheck",
    "CheckTiming",
    "Checker",
    "DnsCheck",
    "FileCheck",
    "Follower",
    "HttpGet",
    "HttpUrl",
    "HttpsUrl",
    "MiscCheck",
    "PingCheck",
    "RunningCheck",
    "SmtpCheck",
    "SmtpHost",
    "SslGet",
    "Target",
    "TcpCheck",
    "UdpCheck",
]


@block("TCP_CHECK", passes=PROBE)
@light
@dataclass(frozen=True, slots=True)
class TcpCheck:
    """Success is a TCP connection."""

    target: Target
    timing: CheckTiming = CheckTiming()


_NO_PORT = option(Port(), default=0, doc="Nothing: ICMP has no ports.")


@block("PING_CHECK", passes={**PROBE, "bind_port": _NO_PORT})
@record(frozen=True, slots=True)
class PingCheck:
    """Success is an answer to an ICMP echo request."""

    target: Target
    timing: CheckTiming = CheckTiming()


@block("UDP_CHECK", passes=PROBE)
@record(frozen=True, slots=True, kw_only=True)
class UdpCheck:
    """Success is that no ICMP error comes back, or the answer that is wanted."""

    target: Target
    timing: CheckTiming = CheckTiming()
    payload: bytes | None = keyword(
        HexBytes(), default=None, doc="What is sent, in hexadecimal digits; a text if not given."
    )
    require_reply: HexPattern | None = keyword(
        HexReply(),
        default=None,
        doc="An answer is required, and digits say how it begins (a shorter one: as far as it goes); x is any digit.",
    )
    min_reply_length: int = keyword(
        Integer(0, 65535), default=0, unit="bytes", doc="A shorter answer is a failure, where require_reply has digits."
    )
    max_reply_length: int = keyword(
        Integer(0, 65535),
        default=255,
        unit="bytes",
        doc="A longer answer is a failure, where require_reply has digits.",
    )


DNS_TYPES = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY")


@block("DNS_CHECK", passes={**TARGET, **timing(retry=3, delay_before_retry=None)})
@record(frozen=True, slots=True, kw_only=True)
class DnsCheck:
    """Success is an answer without an error to a question over UDP."""

    target: Target
    timing: CheckTiming = CheckTiming(retry=3)
    type: str = keyword(Choice(DNS_TYPES, fold=True), default="SOA", doc="The type of record that is asked for.")
    name: str = keyword(DnsName(), default=".", repeat=Repeat.FIRST, doc="The name that is asked for.")


@block("host", passes=PROBE)
@record(frozen=True, slots=True)
class SmtpHost:
    """An obsolete way to write options of an SMTP_CHECK: they are read as if they stood around it."""


@block("SMTP_CHECK", blocks=(SmtpHost,), passes=PROBE)
@record(frozen=True, slots=True, kw_only=True)
class SmtpCheck:
    """Success is a mail server that greets, and answers to HELO."""

    target: Target
    timing: CheckTiming = CheckTiming()
    helo_name: str = keyword(
        Word(),
        checked=True,
        default="smtpchecker.keepalived.org",
        repeat=Repeat.REPLACE,
        doc="The name that the probe gives itself.",
    )


CHECKERS: tuple[type, ...] = (
    MiscCheck,
    SmtpCheck,
    TcpCheck,
    PingCheck,
    UdpCheck,
    HttpGet,
    SslGet,
    DnsCheck,
    FileCheck,
    BfdCheck,
)
Checker = TcpCheck | HttpGet | SslGet | SmtpCheck | UdpCheck | DnsCheck | PingCheck
"""Those that ask a target, and that the daemon carries out today."""
Follower = MiscCheck | FileCheck | BfdCheck
"""Those that follow something else."""
RunningCheck = Checker | Follower
"""All that the daemon carries out today."""
AnyChecker = RunningCheck
