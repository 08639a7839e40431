"""All dumps of one run beside one configuration, block by block."""

from collections.abc import Mapping, Sequence

from pykeepalived.config.configuration import Configuration
from tests.interop.dumped import bfd, checkers, global_defs, group, instance, interfaces, servers, static, trackers
from tests.interop.dumped.fields import Block, Comparison, Disagreement, compare
from tests.interop.dumped.tree import Section, parse

VRRP, CHECKER, BFD, PARENT = "keepalived.data", "keepalived_check.data", "keepalived_bfd.data", "keepalived_parent.data"
PROCESSES = {VRRP: "vrrp", CHECKER: "checker", BFD: "bfd", PARENT: "parent"}
READ = frozenset(
    (
        *(global_defs.SECTION, instance.SECTION, group.SECTION, bfd.SECTION, "LVS Topology", "Virtual server"),
        *("Real server", "Virtual server group", "Health checkers", "SSL definitions", "Checker track files"),
        *("VRRP Scripts", "VRRP Track files", "VRRP Track processes", "VRRP Track BFDs"),
        *("Static Addresses", "Static Routes", "Static Rules", "Static Track groups", "GARP delay group"),
        "Interfaces",
    )
)
IGNORED: Mapping[str, str] = {
    "VRRP Sockpool": "the sockets that are open",
    "BFD Data": "file descriptors",
    "Gratuitous ARP delays": "a heading without lines",
    "Checker track BFDs": "what the real servers tell too",
}


def compared(dumps: Mapping[str, str], configuration: Configuration) -> Comparison:
    """The comparison of one file."""
    sections = {name: parse(text) for name, text in dumps.items()}
    comparison = compare(_blocks(sections, configuration))
    for name, many in sections.items():
        for section in many:
            title = section.name.rstrip(" 0123456789")
            if title not in READ | IGNORED.keys():
                comparison.disagreements.append(Disagreement(name, title, "", "(unknown section)", "(a section)"))
    return comparison


def _blocks(sections: Mapping[str, Sequence[Section]], configuration: Configuration) -> list[Block]:
    blocks = [
        global_defs.block(PROCESSES[name], many, configuration) for name, many in sections.items() if name in PROCESSES
    ]
    vrrp, checker = sections.get(VRRP, []), sections.get(CHECKER, [])
    blocks += [instance.block(vrrp, configuration), group.block(vrrp, configuration)]
    blocks += trackers.blocks(vrrp, checker, configuration)
    blocks += static.blocks(vrrp, configuration)
    blocks += interfaces.blocks(vrrp, configuration)
    blocks += servers.blocks(checker, configuration)
    blocks.append(checkers.block(checker, configuration))
    blocks.append(bfd.block(sections.get(BFD, []), configuration))
    return blocks
