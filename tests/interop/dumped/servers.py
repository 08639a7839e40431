"""virtual_server and what stands in it, as the section LVS Topology tells it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pykeepalived.config.blocks.virtual_server import (
    PROTOCOL_NAME,
    LvsMethod,
    RealServer,
    SorryServer,
    VirtualServer,
)
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET6
from tests.interop.dumped.fields import Block, Fields, optional, read, split, yes
from tests.interop.dumped.scripts import owned
from tests.interop.dumped.tree import Node, Section

SERVER_IGNORED: Mapping[str, str] = {
    "Hashed": "obsolete; sets nothing",
    "alive": "changes while it runs",
    "quorum_state_up": "changes while it runs",
    "reloaded": "a mark of a reload under way",
}
SERVER_WAITING: frozenset[str] = frozenset(
    {"connection timeout", "delay_loop", "Retry count", "Retry delay", "Warmup", "Using smtp notification"}
    | {"Inhibit on failure", "SNMP name", "Using HA suspend", "VirtualHost"}
)
REAL_IGNORED: Mapping[str, str] = {
    "WEIGHT": "follows the checkers",
    "effective weight": "follows the checkers",
    "previous effective_weight": "follows the checkers",
    "alive": "changes while it runs",
    "num failed checkers": "a counter",
    "RS set": "whether it is in the kernel now",
    "reloaded": "a mark of a reload under way",
}
REAL_WAITING: frozenset[str] = frozenset(
    {"connection timeout", "Delay loop", "Retry count", "Retry delay", "Warmup", "Using smtp notification"}
    | {"SNMP name", "VirtualHost", "Tracked Files", "Tracked BFDs"}
)
PATTERNS = (r"(sorry server) = (.*)", r"(quorum) = (.*)")
TUNNELS = {"ipip": "IPIP", "gue": "GUE", "gre": "GRE"}
CHECKSUMS = {"nocsum": "", "csum": ", checksum", "remcsum": ", remote checksum"}


@dataclass(slots=True)
class _Told:
    """A virtual server's sections: its own and those of its real servers."""

    name: str
    nodes: list[Node]
    real: list[Section] = field(default_factory=list)


def _told(sections: Iterable[Section]) -> list[_Told]:
    found: list[_Told] = []
    for section in sections:
        if section.name == "Virtual server":
            head, *rest = section.nodes
            nodes = [*head.children, *rest]
            found.append(_Told(f"{len(found) + 1} {head.text.removeprefix('VS ')}", nodes))
        elif section.name == "Real server":
            found[-1].real.append(section)
    return found


def blocks(sections: Sequence[Section], configuration: Configuration) -> list[Block]:
    """All virtual servers, and all real servers."""
    told = _told(sections)
    names = [f"{number} {_identity(each)}" for number, each in enumerate(configuration.virtual_server, 1)]
    servers = Block(
        "virtual_server",
        {each.name: read(each.nodes, PATTERNS) for each in told},
        {name: _virtual(each) for name, each in zip(names, configuration.virtual_server, strict=True)},
        SERVER_IGNORED,
        SERVER_WAITING,
    )
    real_told = {
        f"{each.name} > {number}": _real_told(section)
        for each in told
        for number, section in enumerate(each.real, 1)
    }
    real_ours = {
        f"{name} > {number}": _real(server)
        for name, each in zip(names, configuration.virtual_server, strict=True)
        for number, server in enumerate(each.real_server, 1)
    }
    return [servers, Block("real_server", real_told, real_ours, REAL_IGNORED, REAL_WAITING)]


def _identity(server: VirtualServer) -> str:
    service = server.service
    if service.address is None:
        return f"FWMARK = {service.fwmark}"
    return f"VIP = {service.address}, VPORT = {service.port}"


def _virtual(server: VirtualServer) -> Fields:
    return {
        "Address family": "inet6" if server.family == AF_INET6 else "inet",
        "lvs_sched": server.lvs_sched,
        **_flags(server),
        "One packet scheduling": yes(server.ops, true="enabled", false="disabled"),
        **optional("persistence timeout", _text(server.persistence_timeout)),
        **optional("persistence granularity", _text(server.persistence_granularity)),
        "protocol": PROTOCOL_NAME[server.service.protocol].upper() if server.service.protocol else "none",
        "alpha": yes(server.alpha, true="ON", false="OFF"),
        "omega": yes(server.omega, true="ON", false="OFF"),
        "quorum": f"{server.quorum}, hysteresis = {server.hysteresis}",
        **optional("Quorum up notify script", owned(server.quorum_up)),
        **optional("Quorum down notify script", owned(server.quorum_down)),
        "default forwarding method": method(server.lvs_method),
        **_sorry(server, server.sorry_server),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _flags(server: VirtualServer) -> Fields:
    """The scheduler's three flags, which sh and mh know by names of their own."""
    names = (f"{server.lvs_sched}-fallback", f"{server.lvs_sched}-port")
    if server.lvs_sched not in {"sh", "mh"}:
        names = ("flag-1", "flag-2")
    fields: Fields = {
        names[0]: yes(server.sched_1, true="enabled", false="disabled"),
        names[1]: yes(server.sched_2, true="enabled", false="disabled"),
    }
    if server.lvs_sched not in {"sh", "mh"}:
        fields["flag-3"] = yes(server.sched_3, true="enabled", false="disabled")
    return fields


def method(given: LvsMethod) -> str:
    """How packets are forwarded."""
    if given.forward != "TUN":
        return given.forward
    port = f", port = {given.tunnel_port}" if given.tunnel_type == "gue" else ""
    return f"TUN, type = {TUNNELS[given.tunnel_type]}{port}{CHECKSUMS[given.checksum]}"


def _sorry(server: VirtualServer, sorry: SorryServer | None) -> Fields:
    if sorry is None:
        return {}
    return {
        "sorry server": server.real_server_text(sorry),
        "sorry server/forwarding method": method(sorry.lvs_method),
        "sorry server/Inhibit on failure": yes(sorry.inhibit, true="ON", false="OFF"),
    }


def _real_told(section: Section) -> Fields:
    """One server: the indent of its lines means nothing, but for the two lists."""
    fields: Fields = {}
    lists = {"Tracked Files", "Tracked BFDs"}
    inside: set[int] = set()
    for node in section.lines():
        if id(node) in inside:
            continue
        if node.text in lists:
            fields[node.text] = node.texts()
            inside |= {id(child) for child in node.children}
        elif node.text.startswith("RIP = "):
            address, port, weights = node.text.split(", ")
            fields |= dict((split(address), split(port)))
            fields["WEIGHT"] = weights
        else:
            key, value = split(node.text)
            fields[key] = value
    return fields


def _real(server: RealServer) -> Fields:
    return {
        "RIP": str(server.address),
        "RPORT": str(server.port),
        "forwarding method": method(server.lvs_method),
        "Alpha": yes(server.alpha, true="ON", false="OFF"),
        "connection limit range": f"{server.lthreshold} -> {server.uthreshold}",
        "Inhibit on failure": yes(server.inhibit_on_failure, true="ON", false="OFF"),
        **optional("RS up notify script", owned(server.notify_up)),
        **optional("RS down notify script", owned(server.notify_down)),
        "initial weight": str(server.weight),
    }
