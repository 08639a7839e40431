"""garp_group: gratuitous messages of some interfaces are spaced."""

from pykeepalived.config.kinds import Interface, Names, Timer
from pykeepalived.config.schema import Repeat, block, keyword, option
from pykeepalived.records import record


def _spacing(of: str) -> int:
    interval: int = keyword(
        Timer("0", "4294.967295"),
        default=0,
        doc=f"The least time between two {of} on all interfaces of the group; 0 is none.",
    )
    return interval


@block(
    "garp_group",
    process="vrrp",
    passes={
        "interface": option(Interface(), repeat=Repeat.EACH, doc="One interface of the group."),
    },
)
@record(frozen=True, slots=True)
class GarpGroup:
    """Interfaces that share the time between gratuitous messages, as those of one switch may have to."""

    garp_interval: int = _spacing("gratuitous ARP messages")
    gna_interval: int = _spacing("unsolicited neighbour adverts")
    interfaces: tuple[str, ...] = keyword(
        Names(), default=(), arguments="{ IFNAME ... }", doc="The interfaces of the group."
    )

    def head_text(self) -> str:
        """The group has no name."""
        return ""
