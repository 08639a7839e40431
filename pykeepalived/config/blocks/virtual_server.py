"""virtual_server: a service of the kernel's IPVS table, its real servers and its sorry server."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Literal

from pykeepalived.config.blocks.probing import PERIOD, for_checkers
from pykeepalived.config.blocks.real_server import RealServer, SorryServer, endpoint_words
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
)
from pykeepalived.config.kinds_lvs import Cut, Granularity, LvsMethod, Method, OneWord
from pykeepalived.config.schema import Repeat, block, keyword, option
from pykeepalived.records import light
from pykeepalived.units import SECOND

__all__ = [
    "FAMILIES",
    "IPPROTO_SCTP",
    "IPPROTO_TCP",
    "IPPROTO_UDP",
    "PROTOCOLS",
    "PROTOCOL_NAME",
    "SCHEDULERS",
    "LvsMethod",
    "RealServer",
    "Service",
    "SorryServer",
    "VirtualServer",
    "endpoint_text",
]

IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_SCTP = 132
PROTOCOL_NAME = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp", IPPROTO_SCTP: "sctp", 0: "none"}
PROTOCOLS = {"TCP": IPPROTO_TCP, "UDP": IPPROTO_UDP, "SCTP": IPPROTO_SCTP}
FAMILIES = {"inet": AF_INET, "inet6": AF_INET6}
KERNEL_FLAGS = "Linux 3.11"
KERNEL_TUNNELS = "gue: Linux 5.2; gre, csum: Linux 5.3"

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")


def endpoint_text(address: IP, protocol: int, port: int) -> str:
    """``[10.9.0.100]:tcp:80``, as in logs and FIFO lines."""
    return f"[{address}]:{PROTOCOL_NAME[protocol]}:{port}"


class _Hashed:
    """Remembers its hash, once somebody asked for it."""

    __slots__ = ("_hash",)
    _hash: int


@light
@dataclass(frozen=True, slots=True)
class Service(_Hashed):
    """What identifies a virtual server, in the kernel and across a reload."""

    kind: Literal["address", "fwmark", "group"]
    address: IP | None
    port: int
    protocol: int
    """IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP; 0 for a fwmark."""
    fwmark: int
    family: int
    name: str = ""
    """Of the group."""
    number: int = field(default=0, compare=False)
    """How many virtual servers of its group stand before it; a reload may count it anew."""

    def __hash__(self) -> int:
        """As quick as can be: tables of many services are kept by it. An address by itself takes longer."""
        try:
            return self._hash
        except AttributeError:
            address = 0 if self.address is None else int(self.address)
            found = hash((address, self.port, self.protocol, self.fwmark, self.name))
            object.__setattr__(self, "_hash", found)
            return found

    def __str__(self) -> str:
        """``[10.9.0.100]:tcp:80``, ``FWM 7`` or ``[web]:0``."""
        if self.kind == "group":
            return f"[{self.name}]:{self.number}"
        if self.address is None:
            return f"FWM {self.fwmark}"
        return endpoint_text(self.address, self.protocol, self.port)


@block(
    "virtual_server",
    process="checker",
    arguments="IPADDR [PORT] | fwmark INT | group NAME",
    blocks=(RealServer,),
    passes={
        **for_checkers(""),
        "ip_family": option(
            Choice(("inet", "inet6")), doc="The family of a service that is a mark; that of its servers if not given."
        ),
        "protocol": option(
            Choice(("TCP", "UDP", "SCTP"), fold=True), doc="The transport protocol; a mark of the firewall has none."
        ),
        "inhibit_on_failure": option(Flag(), default=False, doc="Default of inhibit_on_failure in the real servers."),
        "weight": option(Integer(1, INT_MAX), default=1, doc="Default of weight in the real servers."),
        "hashed": option(Flag(), default=False, doc="Obsolete; sets nothing."),
        "flag-1": option(Flag(), default=False, since=KERNEL_FLAGS, doc="The first flag of the scheduler."),
        "flag-2": option(Flag(), default=False, since=KERNEL_FLAGS, doc="The second flag of the scheduler."),
        "flag-3": option(Flag(), default=False, since=KERNEL_FLAGS, doc="The third flag of the scheduler."),
        "sh-port": option(
            Flag(), default=False, since=KERNEL_FLAGS, doc="The client's port is hashed too; after lvs_sched sh."
        ),
        "sh-fallback": option(
            Flag(), default=False, since=KERNEL_FLAGS, doc="Another server where the hashed one is away; after sh."
        ),
        "mh-port": option(
            Flag(), default=False, since=KERNEL_FLAGS, doc="The client's port is hashed too; after lvs_sched mh."
        ),
        "mh-fallback": option(
            Flag(), default=False, since=KERNEL_FLAGS, doc="Another server where the hashed one is away; after mh."
        ),
        "sorry_server_inhibit": option(
            Flag(), default=False, doc="The sorry server above it keeps its place, with weight 0 while not needed."
        ),
        "sorry_server_lvs_method": option(
            Method(), inherit="lvs_method", doc="How packets reach the sorry server that stands above it."
        ),
    },
)
@light
@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualServer:
    """A virtual service."""

    service: Service
    delay_loop: int = keyword(PERIOD, default=60 * SECOND, doc="Default of delay_loop in the checkers.")
    lvs_sched: str = keyword(
        Choice(SCHEDULERS), default="wlc", aliases=("lb_algo",), doc="The scheduler: which server gets a connection."
    )
    lvs_method: LvsMethod = keyword(
        Method(),
        default=LvsMethod(),
        aliases=("lb_kind",),
        since=KERNEL_TUNNELS,
        doc="How packets reach the real servers: NAT, direct routing or a tunnel.",
    )
    ops: bool = keyword(Flag(), default=False, doc="Every packet is scheduled by itself (UDP).")
    sched_1: bool = False
    """flag-1, sh-fallback, mh-fallback."""
    sched_2: bool = False
    """flag-2, sh-port, mh-port."""
    sched_3: bool = False
    """flag-3."""
    persistence_engine: str | None = keyword(
        Cut(16),
        default=None,
        arguments="NAME",
        doc="What tells clients apart, in place of their address: sip.",
    )
    persistence_timeout: int | None = keyword(
        Integer(1, 2678400, bare=360),
        default=None,
        arguments="[SECONDS]",
        unit="s",
        doc="How long a client stays with its server.",
    )
    persistence_granularity: IPv4Address | int | None = keyword(
        Granularity(), default=None, doc="The netmask, or length of an IPv6 prefix, within which clients are one."
    )
    ha_suspend: bool = keyword(Flag(), default=False, doc="Checks wait while this machine does not have the address.")
    smtp_alert: bool = keyword(
        Boolean(),
        default=False,
        inherit="smtp_alert_checker",
        effective=False,
        doc="A mail is sent when the quorum is reached or lost.",
    )
    snmp_name: str | None = keyword(OneWord(), default=None, effective=False, doc="What SNMP calls it.")
    alpha: bool = keyword(Flag(), default=False, doc="Real servers count as down until they were checked.")
    omega: bool = keyword(Flag(), default=False, doc="Scripts for going down are run when the daemon stops.")
    quorum_up: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when there is a quorum.")
    quorum_down: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when it is lost.")
    quorum: int = keyword(
        Integer(1, UINT_MAX), default=1, unit="weight", doc="How much weight of living servers the service needs."
    )
    hysteresis: int = keyword(
        Integer(0, UINT_MAX), default=0, unit="weight", doc="How far above the quorum it is won, and below it lost."
    )
    sorry_server: SorryServer | None = keyword(
        Endpoint(), default=None, doc="The server that is used while there is no quorum."
    )
    virtualhost: str | None = None
    real_server: tuple[RealServer, ...] = ()

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return self.service.family

    def real_server_text(self, server: RealServer | SorryServer) -> str:
        """``[127.0.0.11]:tcp:80``, as in logs and FIFO lines."""
        return endpoint_text(server.address, self.service.protocol, server.port)

    def head_text(self) -> str:
        """The words between the keyword and the brace."""
        service = self.service
        if service.kind == "group":
            return f"group {service.name}"
        if service.address is None:
            return f"fwmark {service.fwmark}"
        return endpoint_words(service.address, service.port)
