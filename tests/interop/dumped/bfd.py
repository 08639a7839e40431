"""bfd_instance, as the BFD process tells it."""

import re
from collections.abc import Mapping, Sequence

from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, optional, read, yes
from tests.interop.dumped.tree import Section

SECTION = "BFD Topology"
STATE = "of the running session (RFC 5880, 6.8.1)"
IGNORED: Mapping[str, str] = {
    **dict.fromkeys(
        ("fd_out", "thread_open_fd_out", "thread_out", "thread_exp", "thread_rst"), "of the running process"
    ),
    **dict.fromkeys(("sands_out", "sands_exp", "sands_rst", "send error", "last_seen"), "of the running process"),
    **dict.fromkeys(
        ("local state", "remote state", "local diag", "remote diag", "local demand", "remote demand"), STATE
    ),
    **dict.fromkeys(("local discriminator", "remote discriminator", "remote detect multiplier"), STATE),
    **dict.fromkeys(("remote min tx intv", "remote min rx intv", "local tx intv", "remote tx intv"), STATE),
    **dict.fromkeys(("local detection time", "remote detection time", "local poll", "remote poll"), STATE),
}
_POLL = re.compile(r"!?poll, !?final")


def block(sections: Sequence[Section], configuration: Configuration) -> Block:
    """All sessions."""
    told = {
        node.text.removeprefix("BFD Instance = "): read(
            [child for child in node.children if not _POLL.fullmatch(child.text)],
            (r"(fd_out) (.*)", r"(thread_\w+) (.*)"),
        )
        for section in sections
        if section.name == SECTION
        for node in section.nodes
    }
    ours = {each.name: _ours(each) for each in configuration.bfd_instance} if sections else {}
    return Block("bfd_instance", told, ours, IGNORED)


def _ours(session: BfdInstance) -> Fields:
    hops = "hoplimit" if session.neighbor_ip.version == 6 else "TTL"
    return {
        "Neighbor IP": str(session.neighbor_ip),
        **optional("Source IP", None if session.source_ip is None else str(session.source_ip)),
        "Required min RX interval": f"{session.min_rx // 1000} us",
        "Desired min TX interval": f"{session.min_tx // 1000} us",
        "Desired idle TX interval": f"{session.idle_tx // 1000} us",
        "Detection multiplier": str(session.multiplier),
        hops: str(session.ttl),
        "max_hops": str(session.max_hops),
        "passive": yes(session.passive),
        "send event to VRRP process": yes(session.vrrp or not session.checker, true="Yes", false="No"),
        "send event to checker process": yes(session.checker or not session.vrrp, true="Yes", false="No"),
    }
