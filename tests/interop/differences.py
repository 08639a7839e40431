"""Where two daemons tell a story differently, and why that is right."""

import re
from dataclasses import dataclass

from tests.interop.told import Told


@dataclass(frozen=True, slots=True)
class Difference:
    """Lines that only one of the two says, or that both say in other words."""

    reason: str
    stream: str
    theirs: str = ""
    """A pattern of keepalived 2.2.7's whole line."""
    ours: str = ""
    """A pattern of our whole line."""


PROCESS = (
    r"Starting Keepalived .*|Running on Linux .*|Command line: .*| {14}'.*|Opening file .*|Configuration file .*|"
    r"NOTICE: setting config option .*|Starting VRRP child process.*|Registering .*|Startup complete|Stopping|"
    r"Stopped - used .*|CPU usage .*|Stopped Keepalived.*|VRRP sockpool: .*|.*SECURITY VIOLATION.*|"
    r"Got SIGHUP.*|Reload.*|Warning - script .*|Configuration is using .*"
)
"""What is said of the processes and not of VRRP."""

DIFFERENCES = (
    Difference("Said of the processes, which are others.", "log", PROCESS, PROCESS),
    Difference("Every transition names its cause.", "log", "", r"\(\S+\) (cause: |leaving MASTER STATE: ).*"),
    Difference("TEMP", "log", "(Dea|A)ssigned address.*", r"(Dea|A)ssigned address.*"),
    Difference(
        "The general script is called too, as the reference has it.",
        "notify calls",
        "",
        r"INSTANCE \S+ MASTER_RX_LOWER_PRI \d+",
    ),
    Difference("2.4 says whose adverts are accepted.", "log", "", r"\(\S+\) master (set to|changed from) .*"),
)


def resolved(told: Told, mine: bool, used: set[Difference]) -> dict[str, list[str]]:
    """The streams without the known differences; which were met is added to `used`."""
    streams = {}
    for name, lines in told.streams.items():
        streams[name] = [line for line in lines if not _known(name, line, mine, used)]
    return streams


def _known(name: str, line: str, mine: bool, used: set[Difference]) -> bool:
    for each in DIFFERENCES:
        pattern = each.ours if mine else each.theirs
        if pattern and name.startswith(each.stream) and re.fullmatch(pattern, line):
            used.add(each)
            return True
    return False
