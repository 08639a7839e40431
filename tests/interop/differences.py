"""Where two daemons tell a story differently, and why that is right. What is not listed must be the same."""

import re
from dataclasses import dataclass

from tests.interop.story import Story
from tests.interop.told import Told, once


@dataclass(frozen=True, slots=True)
class Difference:
    """Lines that only one of the two says, or that both say in other words; they are left out of the comparison."""

    reason: str
    theirs: str = ""
    """A pattern of keepalived 2.2.7's whole line."""
    ours: str = ""
    """A pattern of our whole line."""
    stream: str = "log"
    """How the names of the streams begin."""
    stories: str = ""
    """A pattern of the titles of the stories that it is about; empty: all."""
    chance: bool = False
    """Whether it need not happen."""
    at_start: bool = False
    """Whether it comes before the first transition alone."""


I = r"\(VI_\d\)"  # noqa: E741 - stands in many patterns
FROM = r"[0-9a-f.:]+"
TRANSITION = re.compile(r".* Entering (BACKUP|MASTER) STATE.*")
PROCESS = (
    r"Starting Keepalived .*|Running on Linux .*|Command line: .*| {14}'.*|Opening file .*|Configuration file .*|"
    r"NOTICE: setting config option .*|Starting VRRP child process.*|Registering .*|Startup complete|Stopping|"
    r"Stopped - used .*|CPU usage .*|Stopped Keepalived.*|VRRP sockpool: .*|.*SECURITY VIOLATION.*|"
    r"Got SIGHUP.*|Reload.*|Configuration is using .*|New configuration applied|"
    r"Using MII-BMSR/ETHTOOL NIC polling thread.*|Child process \d+ in our process group \d+"
)
"""What is said of the processes and not of VRRP."""

DIFFERENCES = (
    Difference(
        "2.2.7 says of which routes it cannot tell that they are deleted.",
        r"\(FILE: Line \d+\) Warning - cannot track route (10\.9[24]\.0\.0/24|fd91::/64) with no interface specified, "
        r"not tracking|New route doesn't have i/f index",
        stories="route",
    ),
    Difference(
        "2.2.7 removes twice at a start what was left over.",
        rf"{I} removing Virtual (Routes|Rules)",
        rf"{I} removing Virtual (Routes|Rules)",
        stories="route|rule",
        at_start=True,
    ),
    Difference(
        "What a reload takes away is told with its instance.",
        rf"ip rule .* removed|Removing route .*|{I} setting Virtual (Routes|Rules)",
        rf"{I} (ip (rule|route) .* no longer exist|setting Virtual (Routes|Rules))",
        stories="a reload changes routes and rules",
    ),
    Difference(
        "2.4 puts static routes and rules back, 2.2.7 addresses alone.",
        r"Netlink: error: .*",
        r"Restoring deleted static .*",
        stories="static objects are put back",
    ),
    Difference(
        "Weighed at the start: see the addresses that were left over.",
        rf"{I} Changing effective priority from 100 to \d+",
        rf"{I} Changing effective priority from 100 to \d+",
        stories="^a file ",
        at_start=True,
    ),
    Difference("Said of the processes, which are others.", PROCESS, PROCESS),
    Difference("Every transition names its cause.", "", rf"{I} (cause: |leaving MASTER STATE: ).*"),
    Difference("2.4 says whose adverts are accepted.", "", rf"{I} master (set to|changed from) .*"),
    Difference("A machine too busy for us is told.", "", r"This process stood still: .*|.*frozen.*", chance=True),
    Difference(
        "2.2.7 tells addresses of an interface that is only tracked as well, when they come or go.",
        r"(Assigned address (10\.78\.0\.1|fe80::ff:fe00:101) for|Deassigned address fe80::ff:fe00:101 from) "
        r"interface eth1",
        stories="a tracked interface with negative weight|a flap shorter|an interface of a group",
    ),
    Difference(
        "A VMAC is made, and a delay begins, before addresses are told.",
        rf"{I}: Success creating VMAC interface vrrp\.7[78]|Delaying startup for 2 seconds",
        rf"{I}: Success creating VMAC interface vrrp\.7[78]|Delaying startup for 2 seconds",
        stories="VMAC|startup delay",
        at_start=True,
    ),
    Difference(
        "The address of a VMAC that was just made is told when the kernel tells it.",
        r"Assigned address fe80::ff:fe00:1 for interface vrrp\.77",
        r"Assigned address fe80::ff:fe00:1 for interface vrrp\.77",
        stories="VMAC of v3-ipv6",
    ),
    Difference(
        "A reload reads no address anew.",
        r"Assigned address (10\.77\.0\.1|fe80::ff:fe00:1) for interface eth0",
        r"Assigned address (10\.77\.0\.1|fe80::ff:fe00:1) for interface eth0",
        stories="reload",
    ),
    Difference(
        "2.4 names the sender of an advert that is refused, and tells each kind of fault once.",
        rf"{I} (vrrp packet too (short|long), length \d+ and expect \d+|"
        r"invalid TTL/HL\. .*|Invalid packet type\. .*|Invalid VRRPv\d checksum|"
        r"Invalid auth type: \d+|received a \d auth, expecting \d!|received an invalid passwd!|"
        r"advertisement interval mismatch mine=.*)",
        rf"{I} (vrrp packet from {FROM} too (short|long), length \d+ and expect \d+|invalid TTL/HL from {FROM}\. .*|"
        rf"Invalid packet type from {FROM}\. .*|Invalid VRRPv\d checksum from {FROM}|"
        rf"Invalid auth type: \d+ from {FROM}|"
        rf"received a \d auth from {FROM}, expecting \d!|received an invalid passwd from {FROM}!|"
        rf"advertisement interval mismatch with {FROM} mine=.*|IP total length from .*|wrong VRRP version from .*)",
    ),
    Difference(
        "Who signed wrongly, or not at all, is named; a number that is adopted is not told.",
        rf"{I} IPSEC-AH : (invalid IPSEC HMAC-MD5 value\. Due to fields mutation or bad password !|"
        r"sequence number 1001 already processed\. Packet dropped\. Local\(1001\)|Syncing seq_num - Increment seq)",
        rf"{I} (IPSEC-AH : (invalid IPSEC HMAC-MD5 value from {FROM}\. Due to fields mutation or bad password !|"
        rf"sequence number 1001 from {FROM} already processed\. Packet dropped\. Local\(1001\))|"
        rf"received no authentication header from {FROM}, expecting one!)",
        stories="a signed master",
    ),
    Difference(
        "2.4 names the sender of an advert with other addresses.",
        rf"{I} (ip address associated with VRID \d+ not present in MASTER advert: .*|"
        r"received an unexpected ip number .*)",
        rf"{I} (ip address associated with VRID \d+ not present in advert from .*|"
        r"expected \d+ VIPs but received \d+.*)",
    ),
    Difference("2.4 says that a startup delay is over.", "", "Delayed start completed"),
    Difference(
        "2.4 says a start in FAULT as any other start.",
        rf"{I} entering FAULT state|VRRP_Group\(\S+\): Syncing \S+ to FAULT state",
        rf"{I} Entering FAULT STATE \(init\)",
        at_start=True,
    ),
    Difference(
        "At a start addresses that were left over go first; keepalived weighs its trackers before.",
        rf"{I}:? (removing VIPs\.|entering FAULT state .*)",
        rf"{I}:? (removing VIPs\.|entering FAULT state .*)",
        stories="at the start|from the first|first success|adds while it is up|other way round|starts in a fault|"
        "^a file ",
        at_start=True,
    ),
    Difference(
        "keepalived does not say it of a VMAC that it has just made.",
        "",
        rf"{I} removing VIPs\.",
        stories="VMAC",
        at_start=True,
    ),
    Difference(
        "The reason of a fault is told whenever it comes, not at a start alone.",
        "",
        rf"{I}:? entering FAULT state .*",
        stories="(source|link-local) address of a master goes",
    ),
    Difference(
        "By init_fail a script that has not run yet is a FAULT: that is told.",
        "",
        'INSTANCE "VI_1" FAULT 150',
        stream="FIFO",
        stories="init_fail",
    ),
    Difference(
        "By init_fail a script that has not run yet is a FAULT: that is told.",
        "",
        "INSTANCE VI_1 FAULT 150",
        stream="notify calls",
        stories="init_fail",
    ),
    Difference(
        "An advert that cannot be sent is said once, with the errno's name.",
        rf"{I}:? ([Ss]end advert error|Cant send advert) .*|{I}: send advert error .*",
        rf"{I} the kernel refuses to send adverts .*",
    ),
    Difference(
        "A change of the file is told with its effect.",
        "",
        rf"{I} Changing effective priority .*",
        stories="reload of a .* changes its priority",
    ),
    Difference(
        "A reload adds what is new and touches nothing else.",
        rf"{I} setting VIPs\.",
        rf"{I} setting VIPs\.",
        stories="reload",
    ),
    Difference(
        "A message of the file names its line, and what to do.",
        rf"Sync group G 1 has only 1 .*|Warning - script asks is not used|\"vrrp_track_file\" is deprecated, .*|"
        rf"{I} ignoring tracked script asks with weights .*",
        rf"\(FILE: Line \d+\) (Sync group G 1 has only 1 .*|\"vrrp_track_file\" is deprecated, .*|"
        rf"{I} ignoring weight of tracked asks .*)",
    ),
    Difference(
        "A group of one has nobody to take along.",
        r"VRRP_Group\(G 1\) Syncing instances .*",
        "",
        stories="every notify script of a group",
    ),
    Difference(
        "What a group does after a lost address is told like any change of a group.",
        "",
        r"VRRP_Group\(G1\) Syncing instances to BACKUP state",
        stories="lost address resigns for all",
    ),
    Difference(
        "What a group does after a lost address is told like any change of a group.",
        'GROUP "G1" BACKUP 0',
        'GROUP "G1" BACKUP 0',
        stream="FIFO",
        stories="lost address resigns for all",
    ),
    Difference(
        "An instance that a reload brings begins as at a start, where addresses that were left over go first.",
        r"\(VI_2\) removing VIPs\.",
        r"\(VI_2\) removing VIPs\.",
        stories="reload brings a second instance",
    ),
    Difference("Two masters are an alarm.", "", rf"{I} (two MASTERs on the link|.*the only MASTER).*"),
    Difference(
        "A group that a reload brings is told its state.",
        "",
        '(GROUP "G 1"|GROUP G 1) MASTER 0',
        stream="FIFO",
        stories="reload brings a group",
    ),
    Difference(
        "A group that a reload brings is told its state.",
        "",
        "GROUP G 1 MASTER 0",
        stream="notify calls",
        stories="reload brings a group",
    ),
    Difference(
        "Weighed at the start: see the addresses that were left over.",
        rf"{I} Changing effective priority from 150 to 180",
        rf"{I} Changing effective priority from 150 to 180",
        stories="interface with weight adds while it is up",
        at_start=True,
    ),
)

_ONCE_MORE = "a new address is announced at once, and it alone; keepalived announces all of them once more"
_WAITED = "members that waited for a script begin in the order of the file"
_DISCARDED = "2.2 discards an advert with other addresses, 2.4 obeys it"
STREAMS = {
    ("static objects are put back", "kernel, look 1"): "2.4 puts static routes and rules back, 2.2.7 addresses alone",
    (
        "another version is refused",
        "adverts",
    ): "2.2.7 as MASTER falls silent while it hears refused adverts as often as it "
    "should speak: each puts its next one off",
    ("an advert with other addresses is told and obeyed", "FIFO"): _DISCARDED,
    ("an advert with other addresses is told and obeyed", "adverts"): _DISCARDED,
    ("an advert with other addresses is told and obeyed", "log"): _DISCARDED,
    (
        "the cable of a master goes and comes back, v3-ipv4-unicast-0.4s",
        "adverts",
    ): "keepalived's farewell waits in its kernel for an answer to ARP, and leaves when the cable is back",
    ("a reload of a master adds an address and takes it away", "adverts"): _ONCE_MORE,
    ("a reload of a master adds an address and takes it away", "log of bursts"): _ONCE_MORE,
    ("a reload of a master adds an address and takes it away", "log of announcements"): _ONCE_MORE,
    ("a script of a group is a fault of all", "FIFO"): _WAITED,
    ("a script of a group is a fault of all", "log"): _WAITED,
}
"""Stories of which a stream is not compared, and why."""


BY_CHANCE = frozenset(
    {
        ("another version is refused", "adverts"),
        *(("a script of a group is a fault of all", stream) for stream in ("FIFO", "log")),
    }
)
"""Those that do not differ each time."""


def stream_left_out(story: Story, name: str) -> tuple[str, str] | None:
    """The entry for which a stream of a story is not compared."""
    key = (story.title, "adverts" if name.startswith("adverts") else name)
    return key if key in STREAMS else None


def resolved(story: Story, told: Told, met: set[Difference], *, ours: bool) -> dict[str, list[str]]:
    """The streams without the known differences; which were met is added to `met`."""
    streams = {}
    for name, lines in told.streams.items():
        started = next((number for number, line in enumerate(lines) if TRANSITION.fullmatch(line)), len(lines))
        streams[name] = [
            line
            for number, line in enumerate(lines)
            if not _known(story, name, line, met, ours=ours, starting=number < started)
        ]
    return streams | {name: once(streams[name]) for name in ("log", "FIFO")}


def _known(story: Story, name: str, line: str, met: set[Difference], *, ours: bool, starting: bool) -> bool:
    for each in DIFFERENCES:
        pattern = each.ours if ours else each.theirs
        fits = pattern and name.startswith(each.stream) and re.search(each.stories, story.title)
        if fits and (starting or not each.at_start) and re.fullmatch(pattern, line):
            met.add(each)
            return True
    return False
