"""Lines about interfaces: how their link is watched, and how long a change of it must last."""

from typing import Literal

from pykeepalived.config.kinds import Timer, seconds_text, word_text
from pykeepalived.config.schema import entry
from pykeepalived.records import record

Method = Literal["", "MII", "ETHTOOL", "IOCTL"]
METHODS: tuple[Method, ...] = ("MII", "ETHTOOL", "IOCTL")
DELAY = Timer("0", "255")


@entry(
    "linkbeat_interfaces",
    subject={
        "IFNAME": "An interface whose link is asked for each second, by the first method that works.",
        "IFNAME MII|ETHTOOL|IOCTL": "The same, with this method alone.",
    },
)
@record(frozen=True, slots=True)
class LinkbeatInterface:
    """One line of linkbeat_interfaces."""

    name: str
    method: Method = ""
    """Empty: the first that works."""

    def entry_text(self) -> str:
        """As in the file."""
        return f"{word_text(self.name)} {self.method}".rstrip()

    __str__ = entry_text


@entry(
    "interface_up_down_delays",
    subject={
        "IFNAME DOWN [UP]": "The seconds an interface must be down, or up, before that counts; UP is 0 if not given."
    },
)
@record(frozen=True, slots=True)
class InterfaceUpDownDelay:
    """One line of interface_up_down_delays, in nanoseconds."""

    name: str
    down: int = 0
    up: int = 0

    def entry_text(self) -> str:
        """As in the file."""
        return f"{word_text(self.name)} {seconds_text(self.down)} {seconds_text(self.up)}"

    __str__ = entry_text
