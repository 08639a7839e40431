"""All dumps of one run beside one configuration, block by block."""

from collections.abc import Mapping, Sequence

from pykeepalived.config.configuration import Configuration
from tests.interop.dumped import checkers, global_defs, group, instance, servers, trackers
from tests.interop.dumped.fields import Block, Comparison, Disagreement, compare
from tests.interop.dumped.tree import Section, parse

VRRP, CHECKER, BFD, PARENT = "keepalived.data", "keepalived_check.data", "keepalived_bfd.data", "keepalived_parent.data"
READ = frozenset(
    (global_defs.SECTION, instance.SECTION, group.SECTION, "VRRP Scripts", "LVS Topology", "Virtual server")
    + ("Real server", "Health checkers")
)
IGNORED: Mapping[str, str] = {
    "VRRP Sockpool": "the sockets that are open",
    "Interfaces": "what the kernel says of its interfaces",
    "BFD Data": "file descriptors",
}
WAITING = frozenset(
    ("Gratuitous ARP delays", "Static Addresses", "Static Routes", "Static Rules", "Static Track groups")
    + ("VRRP Track files", "VRRP Track processes", "VRRP Track BFDs", "SSL definitions", "Virtual server group")
    + ("Checker track files", "Checker track BFDs", "BFD Topology", "GARP delay group")
)


def compared(dumps: Mapping[str, str], configuration: Configuration) -> Comparison:
    """The comparison of one file."""
    sections = {name: parse(text) for name, text in dumps.items()}
    comparison = compare(_blocks(sections, configuration))
    for name, many in sections.items():
        for section in many:
            if section.name.rstrip(" 0123456789") in WAITING:
                comparison.waiting.add(section.name.rstrip(" 0123456789"))
            elif section.name not in READ | IGNORED.keys():
                comparison.disagreements.append(Disagreement(name, section.name, "", "(unknown section)", "(a section)"))
    return comparison


def _blocks(sections: Mapping[str, Sequence[Section]], configuration: Configuration) -> list[Block]:
    most = next(name for name in (VRRP, CHECKER, BFD, PARENT) if name in sections)
    blocks = [global_defs.block(sections[most], configuration, vrrp=most == VRRP)]
    vrrp = sections.get(VRRP, [])
    blocks += [
        instance.block(vrrp, configuration),
        group.block(vrrp, configuration),
        trackers.scripts(vrrp, configuration),
    ]
    checker = sections.get(CHECKER, [])
    blocks += [*servers.blocks(checker, configuration), checkers.block(checker, configuration)]
    return blocks
