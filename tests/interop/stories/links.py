"""Interfaces and their addresses: cables, carriers, sources, and addresses that somebody takes away."""

from tests.interop.stories.routers import V2, V3, V3_6, V3_6_UNICAST, V3_UNICAST, becomes_master, is_backup, is_master
from tests.interop.story import (
    Step,
    Story,
    adverts,
    announces,
    carries,
    heard,
    intervals,
    lacks,
    logs,
    looks,
    one,
    plugged,
    pulled,
    runs,
    sends,
    starts,
    story,
)
from tests.interop.wires import Wire

EXCLUDED = "virtual_ipaddress_excluded {\n    10.77.0.200/24\n    fd77::200/64\n}"


def _down_and_up(wire: Wire, *, cable: bool) -> Story:
    down: Step = pulled() if cable else runs("ip", "link", "set", "eth0", "down")
    up: Step = plugged() if cable else runs("ip", "link", "set", "eth0", "up")
    return story(
        f"the {'cable' if cable else 'interface'} of a master goes and comes back, {wire}",
        one(wire, 150),
        *is_master(wire, 150),
        down,
        logs("Entering FAULT STATE"),
        lacks(wire.address),
        looks(),
        up,
        logs("Entering BACKUP STATE"),
        *becomes_master(wire, 150),
        looks(),
        wires=(wire,),
    )


def _vip_taken(wire: Wire, address: str, *lines: str, words: str) -> Story:
    return story(
        f"somebody deletes {words} of {wire}",
        one(wire, 150, *lines),
        *is_master(wire, 150),
        runs("ip", "addr", "del", address, "dev", "eth0"),
        sends(0, wire),
        logs("Entering BACKUP STATE"),
        logs("Entering MASTER STATE"),
        *becomes_master(wire, 150),
        looks(),
        wires=(wire,),
    )


STORIES = (
    _down_and_up(V3, cable=True),
    _down_and_up(V3_6, cable=True),
    _down_and_up(V3_UNICAST, cable=True),
    _down_and_up(V2, cable=False),
    story(
        "the cable of a backup goes and comes back",
        one(V3, 150),
        *is_backup(V3, 200),
        pulled(),
        logs("Entering FAULT STATE"),
        intervals(3),
        plugged(),
        logs("Entering BACKUP STATE"),
        heard(4),
    ),
    story(
        "an interface that is down at the start",
        one(V3, 150),
        pulled(),
        starts(),
        logs("Entering FAULT STATE"),
        intervals(3),
        plugged(),
        logs("Entering BACKUP STATE"),
        *becomes_master(V3, 150),
    ),
    story(
        "an interface without an address at the start",
        one(V3, 150),
        starts(),
        logs("Entering FAULT STATE"),
        intervals(3),
        runs("ip", "addr", "add", "10.77.0.1/24", "dev", "eth0"),
        logs("Entering BACKUP STATE"),
        *becomes_master(V3, 150),
        prepare=("ip addr del 10.77.0.1/24 dev eth0",),
    ),
    story(
        "the source address of a master goes and comes back",
        one(V3, 150),
        *is_master(V3, 150),
        runs("ip", "addr", "del", "10.77.0.1/24", "dev", "eth0"),
        logs("Entering FAULT STATE"),
        lacks(V3.address),
        looks(),
        runs("ip", "addr", "add", "10.77.0.1/24", "dev", "eth0"),
        logs("Entering BACKUP STATE"),
        *becomes_master(V3, 150),
    ),
    story(
        "the source address of a master is replaced by another",
        one(V3, 150),
        *is_master(V3, 150),
        runs("ip", "addr", "add", "10.79.0.7/24", "dev", "eth0"),
        adverts(3),
        runs("ip", "addr", "del", "10.77.0.1/24", "dev", "eth0"),
        adverts(3),
        looks(),
        prepare=("sysctl -q net.ipv4.conf.eth0.promote_secondaries=1",),
    ),
    story(
        "the link-local address of a master goes and comes back",
        one(V3_6, 150),
        *is_master(V3_6, 150),
        runs("ip", "addr", "del", "fe80::ff:fe00:1/64", "dev", "eth0"),
        logs("Entering FAULT STATE"),
        lacks(V3_6.address),
        runs("ip", "addr", "add", "fe80::ff:fe00:1/64", "dev", "eth0", "nodad"),
        logs("Entering BACKUP STATE"),
        *becomes_master(V3_6, 150),
        wires=(V3_6,),
    ),
    story(
        "the source of a unicast master goes",
        one(V3_6_UNICAST, 150),
        *is_master(V3_6_UNICAST, 150),
        runs("ip", "addr", "del", "fd77::1/64", "dev", "eth0"),
        intervals(5),
        looks(),
        wires=(V3_6_UNICAST,),
    ),
    story(
        "foreign addresses come and go",
        one(V3, 150),
        *is_master(V3, 150),
        runs("ip", "addr", "add", "10.77.0.55/24", "dev", "eth0"),
        runs("ip", "addr", "add", "fd77::55/64", "dev", "eth0", "nodad"),
        adverts(2),
        runs("ip", "addr", "del", "10.77.0.55/24", "dev", "eth0"),
        runs("ip", "addr", "del", "fd77::55/64", "dev", "eth0"),
        adverts(2),
    ),
    _vip_taken(V3, "10.77.0.100/24", words="the first address"),
    _vip_taken(V2, "10.77.0.101/24", words="the last address"),
    _vip_taken(V3_6, "fd77::100/64", words="an address"),
    _vip_taken(V3, "10.77.0.200/24", EXCLUDED, words="an excluded address"),
    story(
        "somebody deletes an address that is not tracked",
        one(V3, 150, "virtual_ipaddress_excluded {\n    10.77.0.200/24 no_track\n}"),
        *is_master(V3, 150),
        runs("ip", "addr", "del", "10.77.0.200/24", "dev", "eth0"),
        adverts(4),
        looks(),
    ),
    story(
        "addresses with every option",
        one(
            V3,
            150,
            "virtual_ipaddress_excluded {\n    10.77.0.200/24 brd 10.77.0.255 label eth0:a\n"
            "    10.77.0.201/32 scope link\n"
            "    10.78.0.202/24 dev eth1\n    10.77.0.203/24 brd +\n    10.77.0.204 peer 10.77.0.205\n"
            "    fd77::200/64 home\n    fd77::203/64 -nodad\n    fd77::201\n"
            "    fd77::202/64 preferred_lft 100 noprefixroute\n}",
        ),
        *is_master(V3, 150),
        carries("10.78.0.202", "eth1"),
        looks(),
    ),
    story(
        "many addresses",
        one(V3, 150, addresses=tuple(f"10.77.0.{number}" for number in range(100, 130))),
        starts(),
        sends(150),
        announces("10.77.0.129", count=4),
        adverts(2),
        looks(),
    ),
    story(
        "dont_track_primary bears a pulled cable",
        one(V3, 150, "dont_track_primary"),
        *is_master(V3, 150),
        pulled(),
        intervals(3),
        looks(),
        plugged(),
        adverts(2),
    ),
)
