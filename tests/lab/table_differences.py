"""Where the two daemons differ with the same file, and why that is right. What is not listed must be the same."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff

from tests.lab.side_by_side import OURS, THEIRS


@dataclass(frozen=True, slots=True)
class Difference:
    """Lines that only one of the two has, or that both have in other words; they are left out of the comparison."""

    reason: str
    theirs: str = ""
    """A pattern of keepalived 2.2.7's whole line."""
    ours: str = ""
    """A pattern of our whole line."""
    streams: str = ""
    """A pattern of the names of the streams that it is about; empty: all."""
    plays: str = ""
    """A pattern of the names of the files or stories; empty: all."""
    number: tuple[int, int] | None = None
    """How many lines of a stream it is about, of keepalived's and of ours; with any other number it is none."""
    parts: bool = False
    """Whether the lines are compared all the same, but for what the groups of the patterns hold, and their order."""
    chance: bool = False
    """Whether it need not happen."""


_WEIGHT = r"Changing weight from 1 to 5 for ((?:in)?active) service .*"
_WEIGHT_OF_3 = r"Changing weight from 1 to 5 for ((?:in)?active) service \[192\.168\.0\.3\].*"
_STOP_OF_3 = r"Shutting down( \(inhibited\)|) service \[192\.168\.0\.3\].*"

DIFFERENCES = (
    Difference(
        "2.2.7 orders what is there already, or is there no longer; the table is read before, and compared.",
        theirs=r"IPVS cmd .*(already exists|No such (destination|service)).*",
        streams="^log",
        chance=True,
    ),
    Difference(
        "2.2.7 leaves what a predecessor left as it was.",
        theirs=r"family IPv4 .* scheduler wlc flags 0x3 timeout 50 .*|  -> .* weight 9 .*",
        ours=r"family IPv4 .* scheduler rr flags 0x2 timeout 0 .*|  -> address 10\.1\.0\.1 .* weight 1 .*",
        streams="^table after the start",
        plays="^what-a-predecessor-left",
        number=(2, 2),
    ),
    Difference(
        "2.2.7 makes a quorum of 0 of servers that all have weight 0, and its hysteresis wraps around.",
        theirs=r"Starting with quorum down 0-4294967295=1 > 0 for VS .*",
        ours=r"Starting with quorum down 1-0=1 > 0 for VS .*",
        streams="^log after weight 0",
        plays="^servers-that-a-reload-drains",
        number=(1, 1),
    ),
    Difference(
        "2.2.7 does not carry changed limits to the kernel.",
        theirs=r"  -> address \S+[.:]3 port 80 method TUN weight 1 upper 300 lower 30 .*",
        ours=r"  -> address \S+[.:]3 port 80 method TUN weight 1 upper 400 lower 30 .*",
        streams="^table after a change of limits",
        plays="^every-way-of-forwarding",
        number=(2, 2),
    ),
    Difference(
        "A service that goes whole is told like any other.",
        ours=r"Shutting down service .*",
        streams="^log after the stop",
        plays="emptied-at-the-end|go-whole",
    ),
    Difference(
        "2.2.7 stops a sync daemon that belongs to no instance neither at a reload nor at its end.",
        theirs=r"sync daemon state [12] .*",
        streams="after (its end|the reload|the stop)",
        plays="^(the-sync-daemon-of-nobody|0752$)",
        number=(2, 0),
    ),
    Difference(
        "Whether it is MASTER already is a matter of when one looks.",
        theirs=r"sync daemon state [12] .*",
        ours=r"sync daemon state [12] .*",
        streams="^table after the start",
        plays="^the-sync-daemon-of-an-instance",
        chance=True,
    ),
    Difference(
        "2.2.7 changes the weight of a server that a reload brings back after it is back, we before.",
        theirs=r"Changing weight from \d+ to \d+ for ((?:in)?active) service .*|Gained quorum .* <= (\d+) for VS .*",
        ours=r"Changing weight from \d+ to \d+ for ((?:in)?active) service .*|Gained quorum .* <= (\d+) for VS .*",
        streams="^log after another check",
        plays="^a-reload-brings-a-server-back",
        parts=True,
    ),
    Difference(
        "2.2.7 leaves the sorry server beside a server that a reload brings back.",
        theirs=r"  -> address 10\.1\.0\.9 port 80 method NAT weight 1 .*",
        streams="^table after another check",
        plays="^a-reload-brings-a-server-back",
        number=(1, 0),
    ),
    Difference(
        "As above.",
        ours=r"Removing sorry server .*|Adding alive servers .*",
        streams="^log after another check",
        plays="^a-reload-brings-a-server-back",
        number=(0, 2),
    ),
    *(
        Difference(
            "The guest's nftables knows no IPv4: 2.2.7 serves a mark that nothing sets, and says nothing of it.",
            theirs=r"family IPv4 fwmark 1000 scheduler rr flags 0x2 .*"
            r"|  -> address 10\.1\.0\.[12] port 0 method DR weight 1 .*",
            ours=r"family IPv4 protocol 6 address 10\.9\.2\.([1-9] port 80|20 port 443) scheduler rr flags 0x2 .*"
            r"|  -> address 10\.1\.0\.[12] port (80|443) method DR weight 1 .*",
            streams=f"^table {stream}",
            plays="^a-group-behind-marks-of-nftables",
            number=number,
        )
        for stream, number in (("after the start", (3, 30)), ("after a change of the group", (2, 16)))
    ),
    Difference(
        "As above.",
        ours=r"VS \[\[10\.9\.2\.2\]:tcp:80-10\.9\.2\.7\] added into group many",
        streams="^log after a change of the group",
        plays="^a-group-behind-marks-of-nftables",
        number=(0, 1),
    ),
    *(
        Difference(
            "2.2.7 leaves the services of entries that go, without servers, also after its end.",
            theirs=f"family IPv4 ({services}) scheduler rr flags 0x2 .*",
            streams=f"^table {stream}",
            plays="^a-group-that-changes$",
            number=(number, 0),
        )
        for stream, services, number in (
            ("after a change", r"fwmark 5|protocol 6 address 10\.9\.1\.(2 port 80|[89] port 81|1[89] port 82)", 6),
            ("after the stop", r"fwmark [56]|protocol 6 address 10\.9\.1\.\d+ port \d+", 13),
        )
    ),
    Difference(
        "At a reload 2.2.7 gives servers without a port the port 0, whatever the entry's is, and removes none.",
        theirs=r"family IPv4 protocol 6 address 10\.9\.1\.1 .*|  -> address 10\.1\.0\.[12] port (80|0) method DR .*",
        ours=r"  -> address 10\.1\.0\.[12] port 80 method DR weight 1 .*",
        streams="^table after a change of the group",
        plays="^a-group-that-changes-before",
        number=(9, 4),
    ),
    Difference(
        "As above, also after its end.",
        theirs=r"family IPv4 protocol 6 address 10\.9\.1\.[123] port 80 .*|  -> address 10\.1\.0\.[12] port (80|0) .*",
        streams="^table after the stop",
        plays="^a-group-that-changes-before",
        number=(9, 0),
    ),
    *(
        Difference(
            "A reload sets what a misc_dynamic server weighs to 0, until its script says something else.",
            theirs=theirs,
            ours=ours,
            streams=f"^{stream} after the change",
            plays="^0431$",
            number=number,
        )
        for stream, theirs, ours, number in (
            (
                "table",
                r"  -> address 192\.168\.0\.([13] port 80 method NAT weight 0|254 port 80 method NAT weight 1) .*",
                r"  -> address 192\.168\.0\.(1 port 80 method NAT weight 1|3 port 80 method NAT weight 5) .*",
                (3, 2),
            ),
            ("log", r"Changing weight from 5 to 0 .*|Starting with .*|Adding sorry .*|Removing alive .*", "", (4, 0)),
            ("FIFO", r"VS \[10\.0\.0\.1\]:tcp:80 DOWN", "", (1, 0)),
        )
    ),
    Difference(
        "2.2.7 leaves the sync daemon of an instance running that a reload takes away.",
        theirs=r"sync daemon state 2 interface bond0 id 50 .*",
        streams="^table after the (reload|stop)",
        plays="^0625$",
        number=(1, 0),
    ),
    Difference(
        "As above: it is in the way of the next one, which begins as another.",
        theirs=r"sync daemon state 2 interface bond0 id 50 .*|IPVS cmd .*STARTDAEMON.* Daemon has already run\(17\)",
        ours=r"sync daemon state 1 interface bond0 id 50 .*",
        streams="^(table|log) (once judged|after the change)",
        plays="^0625$",
    ),
    Difference(
        "A service that goes whole is told like any other.",
        ours=r"Shutting down service \[(10\.1\.4\.[12]|198\.51\.100\.78)\]:tcp:\d+ from VS .*",
        streams="^log at the end",
        plays="^0752$",
        number=(0, 5),
    ),
    *(
        Difference(
            "A reload of 2.2.7 takes in an alpha server whose check script is missing.",
            theirs=theirs,
            ours=ours,
            streams=f"^{stream} after another weight",
            plays="^an-alpha-server-whose-script-is-missing",
            number=(1, 1) if ours else (1, 0),
            parts=bool(ours),
        )
        for stream, theirs, ours in (
            ("table", r"  -> address 10\.1\.0\.1 port 80 method NAT weight 5 .*", ""),
            ("log", r"Adding service \[10\.1\.0\.1\]:tcp:80 .*", ""),
            ("log", _WEIGHT, _WEIGHT),
            ("FIFO", r"RS \[10\.1\.0\.1\]:tcp:80 .* UP", ""),
        )
    ),
    *(
        Difference(
            "A reload of 2.2.7 takes in an alpha server that gets a FILE_CHECK, whatever its other checks.",
            theirs=theirs,
            ours=ours,
            streams=f"^{stream}",
            plays="^0849$",
            number=number,
            parts=number == (1, 1),
        )
        for stream, theirs, ours, number in (
            (
                "table after the reload",
                r"  -> address 192\.168\.0\.(1 port 80 method NAT weight 1|3 port 80 method NAT weight 5) .*",
                r"  -> address 192\.168\.0\.[13] port 80 method NAT weight 0 .*",
                (2, 2),
            ),
            ("log after the reload", r"(Enabling service \[192\.168\.0\.3|Gained).*", "", (2, 0)),
            ("log after the reload", _WEIGHT_OF_3, _WEIGHT_OF_3, (1, 1)),
            ("FIFO after the reload", r"(RS \[192\.168\.0\.3\]|VS).* UP", "", (2, 0)),
            ("log after the stop", _STOP_OF_3, _STOP_OF_3, (1, 1)),
        )
    ),
    *(
        Difference(
            "2.2.7 refuses a reload that changes the name of the nftables table of the VRRP process.",
            theirs=theirs,
            ours=ours,
            streams=f"^{stream}",
            plays="^0806$",
        )
        for stream, theirs, ours in (
            ("table after the reload", r"(family|  ->) .*", r"(family|  ->) .*"),
            ("log after the reload", "", r"(Removing|Gained) .*"),
            ("FIFO after the reload", "", r"[RV]S .* (UP|DOWN)"),
            ("log after the stop", r"Shutting down .*", r"Shutting down .*"),
        )
    ),
    *(
        Difference(
            "2.2.7 tells DOWN of a virtual server of which a reload removes the servers that lived: twice where it is"
            " down, and where it is not never UP.",
            theirs=theirs,
            ours=ours,
            streams=f"^{stream}",
            plays=f"^({plays})",
            number=number,
        )
        for stream, theirs, ours, plays, number in (
            ("FIFO after the change", r"VS (?!\[198\.).* DOWN", "", "(0344|0558)$", (1, 0)),
            ("FIFO after the change", r"VS .* DOWN", r"VS .* DOWN", "0437$", (2, 1)),
            ("FIFO after its removal", r"VS .* DOWN", r"VS .* DOWN", "a-reload-removes-the-last-living", (3, 1)),
            ("calls", "quorum down", "quorum down", "a-reload-removes-the-last-living", (3, 1)),
        )
    ),
    Difference(
        "2.2.7 leaves living servers out when a reload takes away the sorry server that stood in for them.",
        ours=r"  -> address 10\.1\.0\.1 port 80 method NAT weight 4 .*",
        streams="^table (after no sorry server|when the second is back)",
        plays="^a-reload-while-servers-are-down",
        number=(0, 1),
    ),
    *(
        Difference(
            "2.2.7 does not use `persistence_granularity` for a group.",
            theirs=rf"family {family} .* netmask (\S+)",
            ours=rf"family {family} .* netmask (\S+)",
            streams="^table (after the start|once judged|after the change)",
            plays=f"^{play}",
            number=(1, 1),
            parts=True,
        )
        for family, play in (("IPv6", "0878$"), ("IPv6", "persistence-of-a-group"), ("IPv4", "persistence-of-a-group"))
    ),
    *(
        Difference(
            "Of virtual servers that want the same of a group 2.2.7 orders the same services by each; we serve the"
            " first, and one of each family.",
            theirs=theirs,
            ours=ours,
            streams=f"^{stream}",
            plays="^virtual-servers-that-want-the-same",
            number=number,
        )
        for stream, theirs, ours, number in (
            ("table after the start", r"  -> address 10\.1\.0\.2 port 80 .*", "", (1, 0)),
            ("table after the start", "", r"family IPv6 fwmark 7 .*|  -> address 2001:db8:1::3 .*", (0, 2)),
            ("log after the start", r"IPVS cmd .*ADDDEST.* No such file .*|Gained .* VS \[all\]:1", "", (2, 0)),
            ("FIFO after the start", r"VS \[all\]:1 UP", "", (1, 0)),
            ("log after the stop", r"IPVS cmd .*|Shutting down service .* from VS \[all\]:1", "", (2, 0)),
        )
    ),
    *(
        Difference(
            "A PING_CHECK or UDP_CHECK that cannot be sent from `bindto` takes a server down.",
            theirs=theirs,
            ours=ours,
            streams=f"^{streams}$",
            plays="^0730$",
            number=number,
            parts=number == (1, 1),
        )
        for streams, theirs, ours, number in (
            (
                "table (once judged|after the change)",
                r"  -> address 192\.168\.0\.(1 port 80 method NAT weight 0|254 port 80 method NAT weight 1) .*",
                r"  -> address 192\.168\.0\.1 port 80 method NAT weight [12] .*",
                (2, 1),
            ),
            ("log once judged", "Disabling service .*|Lost .*|Adding sorry .*|Removing alive .*", "", (4, 0)),
            ("FIFO once judged", "[RV]S .* DOWN", "", (2, 0)),
            *(
                ("log after the change", line, line, (1, 1))
                for line in ("Changing weight .* ((?:in)?active) service .*",)
            ),
            *(("log at the end", line, line, (1, 1)) for line in (r"Shutting down( \(inhibited\)|) service \[192.*",)),
        )
    ),
    Difference(
        "2.2.7 starts at a reload what runs already.",
        theirs=r"IPVS cmd .*STARTDAEMON.* Daemon has already run\(17\)",
        streams="^log after the change",
        plays="^0752$",
        number=(2, 0),
    ),
)


@dataclass(slots=True)
class Comparison:
    """What was compared, and which of the listed differences were met."""

    met: set[Difference] = field(default_factory=set)
    played: set[str] = field(default_factory=set)


def report(
    name: str,
    streams: Mapping[str, Mapping[str, list[str]]],
    comparison: Comparison,
    differences: Sequence[Difference] = DIFFERENCES,
) -> list[str]:
    """What differs and may not, as lines."""
    comparison.played.add(name)
    found = []
    for stream, told in streams.items():
        about = (each for each in differences if re.search(each.plays, name) and re.search(each.streams, stream))
        applies = [each for each in about if _as_often(each, told)]
        theirs, ours = (_left(told[make], make, applies, comparison) for make in (THEIRS, OURS))
        if any(each.parts and _hits(each, told) != (0, 0) for each in applies):
            theirs, ours = sorted(theirs), sorted(ours)
        if lines := list(unified_diff(theirs, ours, THEIRS, OURS, lineterm="", n=1)):
            found += [f"== {stream}", *lines]
    return found


def stale(comparison: Comparison, differences: Sequence[Difference] = DIFFERENCES) -> list[str]:
    """The reasons that nothing shows any more, of those that what was played can show."""
    ours = [each for each in differences if any(re.search(each.plays, name) for name in comparison.played)]
    return [each.reason for each in ours if each not in comparison.met and not each.chance]


def _left(lines: list[str], make: str, applies: list[Difference], comparison: Comparison) -> list[str]:
    """The lines that are no listed difference."""
    left = []
    for line in lines:
        hit, found = next(((each, found) for each in applies if (found := _match(each, line, make))), (None, None))
        if hit is None or found is None:
            left.append(line)
            continue
        comparison.met.add(hit)
        if hit.parts:
            left.append(_masked(line, found))
    return left


def _as_often(difference: Difference, told: Mapping[str, list[str]]) -> bool:
    return difference.number in {None, _hits(difference, told)}


def _hits(difference: Difference, told: Mapping[str, list[str]]) -> tuple[int, int]:
    theirs, ours = (sum(bool(_match(difference, line, make)) for line in told[make]) for make in (THEIRS, OURS))
    return theirs, ours


def _match(difference: Difference, line: str, make: str) -> re.Match[str] | None:
    pattern = difference.theirs if make == THEIRS else difference.ours
    return re.fullmatch(pattern, line) if pattern else None


def _masked(line: str, found: re.Match[str]) -> str:
    """The line without what the groups hold."""
    for number in reversed(range(1, len(found.groups()) + 1)):
        begin, end = found.span(number)
        if begin >= 0:
            line = f"{line[:begin]}...{line[end:]}"
    return line
