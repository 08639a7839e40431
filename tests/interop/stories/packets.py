"""Adverts that are wrong in one thing: every rung of the ladder, as BACKUP and as MASTER."""

from tests.interop.stories.routers import (
    V2,
    V2_PASS,
    V2_PASS_UNICAST,
    V3,
    V3_6,
    V3_6_UNICAST,
    V3_UNICAST,
    becomes_master,
    is_backup,
    is_master,
)
from tests.interop.story import (
    Step,
    Story,
    adverts,
    announces,
    beats,
    heard,
    hears,
    intervals,
    logs,
    one,
    sends,
    silence,
    starts,
    stops,
    story,
)
from tests.interop.wires import Wire

HIGHER = 200
OTHERS = {4: ["10.77.0.100", "10.77.0.222"], 6: ["fe80::77", "fd77::222"]}
FEWER = {4: ["10.77.0.100"], 6: ["fe80::77"]}


def _ladder(wire: Wire) -> tuple[Step, ...]:
    """Adverts that must all be refused, the highest rung first; each would win if it were believed."""
    limit = "ttl" if wire.family == 4 else "hlim"
    steps = [
        hears(HIGHER, changes={"type": 2}),
        hears(HIGHER, changes={"chksum": 0x1234}),
        hears(HIGHER, changes={"vrid": wire.vrid + 9}),
        hears(HIGHER, cut=4),
        hears(HIGHER, more=bytes(4)),
        hears(HIGHER, changes={"ipcount": 9}),
    ]
    if wire.cast == "multicast":
        steps.append(hears(HIGHER, changes={limit: 64}))
    if wire.version == 2:
        steps += [
            hears(HIGHER, changes={"adv": 9}),
            hears(HIGHER, changes={"authtype": 9}),
            hears(HIGHER, changes={"authtype": 0 if wire.password else 1}),
        ]
    if wire.password:
        steps.append(hears(HIGHER, changes={"auth1": 1}))
    return tuple(steps)


def _as_master(wire: Wire) -> Story:
    return Story(
        f"a master refuses wrong adverts of {wire}",
        (wire,),
        one(wire, 150),
        (*is_master(wire, 150), *(each for step in _ladder(wire) for each in (step, adverts(1))), adverts(2), stops()),
    )


def _as_backup(wire: Wire) -> Story:
    """Refused adverts do not restart the timer: it takes over though it hears one of them at every interval."""
    return Story(
        f"a backup is not held by wrong adverts of {wire}",
        (wire,),
        one(wire, 150),
        (
            *is_backup(wire, HIGHER),
            silence(),
            *_ladder(wire),
            *becomes_master(wire, 150),
            stops(),
        ),
    )


STORIES = (
    *(_as_master(wire) for wire in (V2, V2_PASS, V2_PASS_UNICAST, V3, V3_UNICAST, V3_6, V3_6_UNICAST)),
    *(_as_backup(wire) for wire in (V2_PASS, V3, V3_6)),
    story(
        "an advert with other addresses is told and obeyed",
        one(V3, 150),
        *is_backup(V3, HIGHER),
        beats(HIGHER, changes={"addrlist": OTHERS[4]}),
        heard(3),
        silence(),
        *becomes_master(V3, 150),
        hears(HIGHER, changes={"addrlist": OTHERS[4]}),
        intervals(1),
    ),
    story(
        "skip_check_adv_addr does not look at the addresses of a known master",
        one(V3, 150, "skip_check_adv_addr"),
        *is_backup(V3, HIGHER),
        beats(HIGHER, changes={"addrlist": OTHERS[4]}),
        heard(6),
        beats(HIGHER, changes={"addrlist": FEWER[4]}),
        heard(6),
        silence(),
        *becomes_master(V3, 150),
    ),
    story(
        "check_unicast_src refuses strangers",
        one(V3_UNICAST, 150, "check_unicast_src"),
        *is_master(V3_UNICAST, 150),
        hears(HIGHER, changes={"src": "10.77.0.3"}),
        adverts(3),
        hears(HIGHER),
        logs("Entering BACKUP STATE"),
        wires=(V3_UNICAST,),
    ),
    story(
        "strangers are believed in unicast unless they are checked",
        one(V3_UNICAST, 150),
        *is_master(V3_UNICAST, 150),
        hears(HIGHER, changes={"src": "10.77.0.3"}),
        logs("Entering BACKUP STATE"),
        sends(150),
        *becomes_master(V3_UNICAST, 150),
        wires=(V3_UNICAST,),
    ),
    story(
        "unicast hears no multicast",
        one(V3_UNICAST, 150),
        *is_master(V3_UNICAST, 150),
        hears(HIGHER, V3),
        adverts(3),
        wires=(V3_UNICAST,),
    ),
    story(
        "multicast hears no unicast",
        one(V3, 150),
        *is_master(V3, 150),
        hears(HIGHER, V3_UNICAST),
        adverts(3),
    ),
    story(
        "another version is refused",
        one(V3, 150),
        beats(HIGHER, changes={"version": 2}),
        starts(),
        announces(V3.address, count=4),
        silence(),
        adverts(2),
    ),
)
