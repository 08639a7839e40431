"""virtual_server and what stands in it, as the section LVS Topology tells it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pykeepalived.config.blocks.followers import BfdCheck, FileCheck
from pykeepalived.config.blocks.real_server import RealServer, SorryServer
from pykeepalived.config.blocks.virtual_server import PROTOCOL_NAME, LvsMethod, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import GroupEntry
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.config.kinds_trackers import Weight
from tests.interop.dumped.fields import Block, Fields, flag, microseconds, optional, read, split, yes
from tests.interop.dumped.scripts import owned
from tests.interop.dumped.tree import Node, Section, nodes_of

TO_CHECKERS = "a default of the checkers, which are compared with what they come to"
SERVER_IGNORED: Mapping[str, str] = {
    "Hashed": "obsolete; sets nothing",
    "alive": "changes while it runs",
    "quorum_state_up": "changes while it runs",
    "reloaded": "a mark of a reload under way",
    "connection timeout": TO_CHECKERS,
    "Retry count": TO_CHECKERS,
    "Retry delay": TO_CHECKERS,
    "Warmup": TO_CHECKERS,
    "Inhibit on failure": "a default of the real servers",
}
REAL_IGNORED: Mapping[str, str] = {
    "WEIGHT": "follows the checkers",
    "effective weight": "follows the checkers",
    "previous effective_weight": "follows the checkers",
    "alive": "changes while it runs",
    "num failed checkers": "a counter",
    "RS set": "whether it is in the kernel now",
    "reloaded": "a mark of a reload under way",
    "connection timeout": TO_CHECKERS,
    "Delay loop": TO_CHECKERS,
    "Retry count": TO_CHECKERS,
    "Retry delay": TO_CHECKERS,
    "Warmup": TO_CHECKERS,
    "VirtualHost": TO_CHECKERS,
}
PATTERNS = (r"(sorry server) = (.*)", r"(quorum) = (.*)")
FAMILIES = {AF_INET: "inet", AF_INET6: "inet6"}
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
    """All virtual servers, all real servers, all groups, and the certificate of SSL_GET."""
    told = _told(sections)
    names = [f"{number} {_identity(each)}" for number, each in enumerate(configuration.virtual_server, 1)]
    servers = Block(
        "virtual_server",
        {each.name: read(each.nodes, PATTERNS) for each in told},
        {name: _virtual(each, configuration) for name, each in zip(names, configuration.virtual_server, strict=True)},
        SERVER_IGNORED,
    )
    real_told = {
        f"{each.name} > {number}": _real_told(section) for each in told for number, section in enumerate(each.real, 1)
    }
    real_ours = {
        f"{name} > {number}": _real(server)
        for name, each in zip(names, configuration.virtual_server, strict=True)
        for number, server in enumerate(each.real_server, 1)
    }
    real = Block("real_server", real_told, real_ours, REAL_IGNORED)
    return [servers, real, _groups(sections, configuration), _ssl(sections, configuration)]


def _identity(server: VirtualServer) -> str:
    service = server.service
    if service.kind == "group":
        return f"GROUP = {service}"
    if service.address is None:
        return f"FWMARK = {service.fwmark}"
    return f"VIP = {service.address}, VPORT = {service.port}"


def _family(server: VirtualServer, configuration: Configuration) -> str:
    """A group may have both; then the family is that of neither."""
    entries = [
        each
        for group in configuration.virtual_server_group
        if group.name == server.service.name
        for each in group.entries
    ]
    if {each.first.version for each in entries if each.first} == {4, 6}:
        return "IPv4 & IPv6"
    return FAMILIES[server.family]


def _virtual(server: VirtualServer, configuration: Configuration) -> Fields:
    return {
        "Address family": _family(server, configuration),
        "delay_loop": microseconds(server.delay_loop),
        **optional("VirtualHost", server.virtualhost),
        **optional("SNMP name", None if server.snmp_name is None else f"'{server.snmp_name}'"),
        **flag("Using HA suspend", given=server.ha_suspend),
        "Using smtp notification": yes(server.smtp_alert, true="yes", false="no"),
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
        "Using smtp notification": yes(server.smtp_alert, true="yes", false="no"),
        **optional("SNMP name", server.snmp_name),
        **optional("Tracked Files", _files(server)),
        **optional("Tracked BFDs", tuple(each.name for each in server.checkers if isinstance(each, BfdCheck))),
    }


def _files(server: RealServer) -> tuple[str, ...]:
    return tuple(
        f"{each.track_file}, weight {abs(each.weight.value)}{' reverse' if _turns(each.weight) else ''}"
        for each in server.checkers
        if isinstance(each, FileCheck)
    )


def _turns(weight: Weight) -> bool:
    return weight.reverse is (weight.value >= 0)


def _groups(sections: Sequence[Section], configuration: Configuration) -> Block:
    """All virtual_server_group: their addresses and marks, in whatever order."""
    told: dict[str, Fields] = {}
    for section in sections:
        if section.name == "Virtual server group":
            for node in section.nodes:
                name = node.text.removeprefix("Virtual Server Group = ").partition(", ")[0]
                told[name] = {"entries": tuple(sorted(child.text for child in node.children))}
    ours: dict[str, Fields] = {
        group.name: {"entries": tuple(sorted(_entry(each) for each in group.entries))}
        for group in configuration.virtual_server_group
    }
    return Block("virtual_server_group", told, ours)


def _entry(entry: GroupEntry) -> str:
    if entry.fwmark is not None:
        return f"FWMARK = {entry.fwmark}"
    if entry.first == entry.last:
        return f"VIP = {entry.first}, VPORT = {entry.port}"
    return f"VIP Range = {entry.first}-{entry.last}, VPORT = {entry.port}"


def _ssl(sections: Sequence[Section], configuration: Configuration) -> Block:
    """What SSL_GET shows of itself."""
    nodes = nodes_of(sections, "SSL definitions")
    told = {"": read(nodes)} if nodes else {}
    given = configuration.ssl
    ours: Fields = {"Using autogen SSL context": ""}
    if given is not None:
        ours = {
            **optional("Password", given.password),
            **optional("CA-file", given.ca),
            **optional("Certificate file", given.certificate),
            **optional("Key file", given.key),
        }
    return Block("SSL", told, {"": ours} if told else {})
