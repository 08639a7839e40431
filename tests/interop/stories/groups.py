"""Sync groups: what one member does all do, and in which order that is told."""

from tests.interop.stories.routers import V3, V3_SECOND, becomes_master
from tests.interop.story import (
    Step,
    Story,
    adverts,
    beats,
    heard,
    hears,
    intervals,
    lacks,
    logs,
    looks,
    one,
    plugged,
    pulled,
    runs,
    sends,
    silence,
    starts,
    story,
    writes,
)

BOTH = (V3, V3_SECOND)
GROUP = "vrrp_sync_group G1 {\n    group {\n        VI_1\n        VI_2\n    }\n    notify FOLDER/any\n%s\n}\n"


def _group(title: str, *steps: Step, lines: str = "", first: tuple[str, ...] = (), before: str = "") -> Story:
    file = before + (GROUP % lines) + one(V3, 150, *first) + one(V3_SECOND, 50)
    return story(title, file, *steps, wires=BOTH)


def _are_masters() -> tuple[Step, ...]:
    return (sends(150, V3), sends(50, V3_SECOND), *becomes_master(V3, 150), *becomes_master(V3_SECOND, 50))


def _are_backups() -> tuple[Step, ...]:
    return (beats(200, V3), beats(200, V3_SECOND), starts(), logs("(VI_2) Entering BACKUP STATE (init)"), heard(8))


STORIES = (
    _group("a group takes over together", starts(), *_are_masters(), looks()),
    _group(
        "a group yields together",
        starts(),
        *_are_masters(),
        hears(200, V3_SECOND),
        logs("(VI_1) Entering BACKUP STATE"),
        lacks(V3.address),
        lacks(V3_SECOND.address),
        *_are_masters(),
    ),
    _group(
        "a group is held by one master",
        *_are_backups(),
        silence(V3),
        heard(10),
        silence(V3_SECOND),
        *_are_masters(),
    ),
    _group(
        "a fault of one is a fault of all",
        starts(),
        *_are_masters(),
        pulled("eth1"),
        logs("(VI_2) Entering FAULT STATE"),
        lacks(V3_SECOND.address),
        plugged("eth1"),
        logs("(VI_2) Entering BACKUP STATE"),
        *_are_masters(),
        first=("track_interface {\n    eth1\n}",),
    ),
    _group(
        "the cable of a whole group",
        starts(),
        *_are_masters(),
        pulled(),
        logs("Entering FAULT STATE", count=2),
        lacks(V3_SECOND.address),
        plugged(),
        logs("Entering BACKUP STATE", count=2),
        *_are_masters(),
    ),
    _group(
        "a lost address resigns for all",
        starts(),
        *_are_masters(),
        runs("ip", "addr", "del", "10.77.0.100/24", "dev", "eth0"),
        sends(0, V3),
        logs("Entering BACKUP STATE", count=2),
        *_are_masters(),
    ),
    _group(
        "a script of a group is a fault of all",
        starts(),
        *_are_masters(),
        writes("result", "1"),
        logs("Entering FAULT STATE", count=2),
        writes("result", "0"),
        logs("Entering BACKUP STATE", count=2),
        *_are_masters(),
        lines="    track_script {\n        asks\n    }",
        before='vrrp_script asks {\n    script "FOLDER/exits result"\n    interval 1\n}\n',
    ),
    _group(
        "an interface of a group",
        starts(),
        *_are_masters(),
        pulled("eth1"),
        logs("Entering FAULT STATE", count=2),
        plugged("eth1"),
        logs("Entering BACKUP STATE", count=2),
        *_are_masters(),
        lines="    track_interface {\n        eth1\n    }",
    ),
    _group(
        "a group with weights",
        starts(),
        *_are_masters(),
        writes("result", "1"),
        sends(130, V3),
        sends(30, V3_SECOND),
        intervals(2),
        lines="    sync_group_tracking_weight\n    track_script {\n        asks weight -20\n    }",
        before='vrrp_script asks {\n    script "FOLDER/exits result"\n    interval 1\n}\n',
    ),
    _group(
        "a lower master is answered by all of a group",
        starts(),
        *_are_masters(),
        hears(40, V3),
        intervals(5),
        adverts(2, V3_SECOND),
    ),
    _group(
        "a group that starts in a fault",
        pulled(),
        starts(),
        logs("Entering FAULT STATE", count=2),
        plugged(),
        *_are_masters(),
    ),
)
