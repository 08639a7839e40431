"""virtual_server: a service of the kernel's IPVS table, its real servers and its sorry server."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from pykeepalived.config.blocks.checkers import (
    CONNECT_TIMEOUT,
    DELAY,
    LATER_CHECKERS,
    PERIOD,
    Checker,
    HttpGet,
    TcpCheck,
)
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds import (
    AF_INET,
    AF_INET6,
    INT_MAX,
    IP,
    UINT_MAX,
    Boolean,
    Choice,
    Command,
    Endpoint,
    Flag,
    Integer,
    Word,
    Words,
)
from pykeepalived.config.schema import Keyword, Repeat, block, keyword, later, option

IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_SCTP = 132
PROTOCOL_NAME = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp", IPPROTO_SCTP: "sctp", 0: "none"}

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")


def endpoint_text(address: IP, protocol: int, port: int) -> str:
    """``[10.9.0.100]:tcp:80``, as in logs and FIFO lines."""
    return f"[{address}]:{PROTOCOL_NAME[protocol]}:{port}"


@dataclass(frozen=True, slots=True)
class Service:
    """What identifies a virtual server, in the kernel and across a reload."""

    kind: Literal["address", "fwmark"]
    address: IP | None
    port: int
    protocol: int
    """IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP; 0 for a fwmark."""
    fwmark: int
    family: int

    def __str__(self) -> str:
        """``[10.9.0.100]:tcp:80`` or ``FWM 7``."""
        if self.address is None:
            return f"FWM {self.fwmark}"
        return endpoint_text(self.address, self.protocol, self.port)


@dataclass(frozen=True, slots=True)
class LvsMethod:
    """How packets reach a real server."""

    forward: Literal["NAT", "DR", "TUN"] = "NAT"
    tunnel_type: Literal["ipip", "gue", "gre"] = "ipip"
    tunnel_port: int = 0
    checksum: Literal["nocsum", "csum", "remcsum"] = "nocsum"


def _timing(where: str) -> dict[str, Keyword]:
    """Keywords that stand in a server for its checkers."""
    return {
        "retry": option(Integer(1, UINT_MAX), inherit=where and "retry", doc="Default of the checkers' retry."),
        "delay_before_retry": option(
            DELAY, inherit=where and "delay_before_retry", doc="Default of the checkers' delay_before_retry."
        ),
        "warmup": option(DELAY, inherit=where and "warmup", doc="Default of the checkers' warmup."),
        "connect_timeout": option(
            CONNECT_TIMEOUT, inherit=where and "connect_timeout", doc="Default of the checkers' connect_timeout."
        ),
        "delay_loop": option(PERIOD, inherit=where and "delay_loop", doc="Default of the checkers' delay_loop."),
        "virtualhost": option(
            Word(), inherit=where and "virtualhost", repeat=Repeat.REPLACE, doc="Default of the checkers' Host header."
        ),
    }


@block(
    "real_server",
    blocks=(TcpCheck, HttpGet),
    passes=_timing("virtual_server"),
    known={**LATER_CHECKERS, **later("smtp_alert snmp_name")},
)
@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """A server behind the virtual server."""

    address: IP
    port: int
    weight: int = keyword(Integer(0, INT_MAX), default=1, inherit="weight", doc="Its share of the connections.")
    lvs_method: LvsMethod = keyword(Words(), default=LvsMethod(), inherit="lvs_method", doc="How packets reach it.")
    uthreshold: int = keyword(
        Integer(0, UINT_MAX), default=0, doc="No new connections above this many; 0 for no limit."
    )
    lthreshold: int = keyword(Integer(0, UINT_MAX), default=0, doc="New connections again below this many.")
    inhibit_on_failure: bool = keyword(
        Boolean(), default=False, inherit="inhibit_on_failure", doc="Weight 0 on failure rather than removal."
    )
    alpha: bool = keyword(Boolean(), default=False, inherit="alpha", doc="Down until checked.")
    notify_up: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when it comes up.")
    notify_down: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when it goes down.")
    checkers: tuple[Checker, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SorryServer:
    """The server that answers when there is no quorum."""

    address: IP
    port: int
    lvs_method: LvsMethod = LvsMethod()
    inhibit: bool = False


@block(
    "virtual_server",
    blocks=(RealServer,),
    passes={
        **_timing(""),
        "protocol": option(Choice(("TCP", "UDP", "SCTP"), fold=True), doc="The transport protocol."),
        "ip_family": option(Choice(("inet", "inet6")), doc="The family of a fwmark service."),
        "inhibit_on_failure": option(Flag(), default=False, doc="Default of the real servers."),
        "weight": option(Integer(1, INT_MAX), default=1, doc="Default of the real servers."),
        "lvs_method": option(Words(), aliases=("lb_kind",), doc="How packets reach the real servers."),
        "sorry_server_inhibit": option(Flag(), default=False, doc="The sorry server stays, with weight 0."),
        "sorry_server_lvs_method": option(Words(), doc="How packets reach the sorry server."),
        "flag-1": option(Flag(), default=False, doc="First flag of the scheduler."),
        "flag-2": option(Flag(), default=False, doc="Second flag of the scheduler."),
        "flag-3": option(Flag(), default=False, doc="Third flag of the scheduler."),
        "sh-port": option(Flag(), default=False, doc="sh: the port is hashed too."),
        "sh-fallback": option(Flag(), default=False, doc="sh: another server where the chosen one is away."),
        "mh-port": option(Flag(), default=False, doc="mh: the port is hashed too."),
        "mh-fallback": option(Flag(), default=False, doc="mh: another server where the chosen one is away."),
        "hashed": option(Flag(), default=False, doc="Obsolete; sets nothing."),
    },
    known=later("persistence_engine ha_suspend smtp_alert snmp_name"),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualServer:
    """A virtual service."""

    service: Service
    lvs_sched: str = keyword(Choice(SCHEDULERS), default="wlc", aliases=("lb_algo",), doc="The scheduler.")
    lvs_method: LvsMethod = LvsMethod()
    ops: bool = keyword(Flag(), default=False, doc="Every packet is scheduled by itself (UDP).")
    sched_1: bool = False
    """flag-1, sh-fallback, mh-fallback."""
    sched_2: bool = False
    """flag-2, sh-port, mh-port."""
    sched_3: bool = False
    """flag-3."""
    persistence_timeout: int | None = keyword(
        Integer(1, 2678400, bare=360), default=None, doc="Seconds for which a client stays with its server."
    )
    persistence_granularity: IPv4Address | int | None = keyword(
        Word(), default=None, doc="Netmask, or IPv6 prefix length, that makes clients one."
    )
    alpha: bool = keyword(Flag(), default=False, doc="Real servers are down until checked.")
    omega: bool = keyword(Flag(), default=False, doc="Down notifications are run when the daemon stops.")
    quorum: int = keyword(Integer(1, UINT_MAX), default=1, doc="The weight of living servers that is needed.")
    hysteresis: int = keyword(Integer(0, UINT_MAX), default=0, doc="Margin around the quorum.")
    quorum_up: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when there is a quorum.")
    quorum_down: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when it is lost.")
    sorry_server: SorryServer | None = keyword(Endpoint(), default=None, doc="The server used without a quorum.")
    virtualhost: str | None = None
    real_server: tuple[RealServer, ...] = ()

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return self.service.family

    def real_server_text(self, server: RealServer | SorryServer) -> str:
        """``[127.0.0.11]:tcp:80``, as in logs and FIFO lines."""
        return endpoint_text(server.address, self.service.protocol, server.port)


FAMILIES = {"inet": AF_INET, "inet6": AF_INET6}
