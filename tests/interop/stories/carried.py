"""What a MASTER carries besides addresses, and what is there without one: routes, rules, VMACs, static objects."""

from tests.interop.stories.routers import V2, V3, V3_6, V3_SECOND, becomes_master, is_backup, is_master
from tests.interop.story import (
    Story,
    adverts,
    announces,
    beats,
    carries,
    hears,
    intervals,
    lacks,
    logs,
    looks,
    one,
    plugged,
    pulled,
    reloads,
    runs,
    sends,
    silence,
    starts,
    story,
)
from tests.interop.wires import Wire

ROUTES = (
    "virtual_routes {\n"
    "    10.90.0.0/24 via 10.77.0.9 dev eth0\n"
    "    10.91.0.0/24 dev eth0 metric 7 table 100\n"
    "    blackhole 10.92.0.0/24\n"
    "    src 10.77.0.100 to 10.93.0.0/24 via 10.77.0.9 dev eth0 mtu 1400 advmss 1360\n"
    "    10.94.0.0/24 nexthop via 10.77.0.9 dev eth0 weight 2 nexthop via 10.77.0.10 dev eth0 weight 1\n"
    "    fd90::/64 dev eth0 metric 12\n"
    "    unreachable fd91::/64\n}"
)
RULES = (
    "virtual_rules {\n"
    "    from 10.77.0.100 table 100 preference 700\n"
    "    to 10.91.0.0/24 iif eth1 fwmark 7/0xff table 100 priority 701\n"
    "    from fd77::/64 table 200 preference 702\n}"
)
STATIC = (
    "static_ipaddress {\n    10.80.0.1/24 dev eth1\n    fd80::1/64 dev eth1\n}\n"
    "static_routes {\n    10.81.0.0/24 via 10.80.0.9 dev eth1\n}\n"
    "static_rules {\n    from 10.80.0.0/24 table 100 preference 800\n}\n"
)


def _vmac(wire: Wire, *lines: str, words: str = "a VMAC") -> Story:
    return story(
        f"{words} of {wire}",
        one(wire, 150, "use_vmac", *lines),
        starts(),
        logs("Entering BACKUP STATE"),
        sends(150),
        carries(wire.address, f"vrrp.{wire.vrid}"),
        announces(wire.address, count=4),
        looks(),
        hears(200),
        logs("Entering BACKUP STATE"),
        lacks(wire.address, f"vrrp.{wire.vrid}"),
        sends(150, after=wire.master_down(150)),
        carries(wire.address, f"vrrp.{wire.vrid}"),
        adverts(6),
        looks(),
        wires=(wire,),
        needs=("vrrp_instance/use_vmac", *(f"vrrp_instance/{line.split()[0]}" for line in lines)),
    )


STORIES = (
    story(
        "routes come and go with the mastership",
        one(V3, 150, ROUTES),
        *is_master(V3, 150),
        looks(),
        beats(200),
        logs("Entering BACKUP STATE"),
        lacks(V3.address),
        looks(),
        silence(),
        *becomes_master(V3, 150),
        looks(),
        needs=("vrrp_instance/virtual_routes",),
    ),
    story(
        "somebody deletes a route",
        one(V3, 150, ROUTES),
        *is_master(V3, 150),
        runs("ip", "route", "del", "10.90.0.0/24"),
        logs("Entering BACKUP STATE"),
        logs("Entering MASTER STATE"),
        *becomes_master(V3, 150),
        looks(),
        needs=("vrrp_instance/virtual_routes",),
    ),
    story(
        "rules come and go with the mastership",
        one(V3, 150, RULES),
        *is_master(V3, 150),
        looks(),
        beats(200),
        logs("Entering BACKUP STATE"),
        lacks(V3.address),
        looks(),
        silence(),
        *becomes_master(V3, 150),
        needs=("vrrp_instance/virtual_rules",),
    ),
    story(
        "somebody deletes a rule",
        one(V3, 150, RULES),
        *is_master(V3, 150),
        runs("ip", "rule", "del", "preference", "700"),
        logs("Entering BACKUP STATE"),
        logs("Entering MASTER STATE"),
        *becomes_master(V3, 150),
        looks(),
        needs=("vrrp_instance/virtual_rules",),
    ),
    story(
        "a reload changes routes and rules",
        one(V3, 150, ROUTES, RULES),
        *is_master(V3, 150),
        reloads(one(V3, 150, ROUTES.replace("10.90", "10.95"), RULES.replace("702", "703"))),
        adverts(4),
        looks(),
        needs=("vrrp_instance/virtual_routes", "vrrp_instance/virtual_rules"),
    ),
    story(
        "static objects are there without a master",
        STATIC + one(V3, 150),
        *is_backup(V3, 200),
        carries("10.80.0.1", "eth1"),
        looks(),
        needs=("static_ipaddress", "static_routes", "static_rules"),
    ),
    story(
        "static objects are put back",
        STATIC + one(V3, 150),
        *is_master(V3, 150),
        carries("10.80.0.1", "eth1"),
        runs("ip", "rule", "del", "preference", "800"),
        intervals(2),
        runs("ip", "route", "del", "10.81.0.0/24"),
        intervals(2),
        looks(),
        needs=("static_ipaddress", "static_routes", "static_rules"),
    ),
    _vmac(V3),
    _vmac(V2),
    _vmac(V3_6),
    _vmac(V3, "vmac_xmit_base", words="a VMAC that speaks from its base"),
    story(
        "the base of a VMAC loses its cable",
        one(V3, 150, "use_vmac"),
        starts(),
        sends(150),
        carries(V3.address, "vrrp.77"),
        announces(V3.address, count=4),
        pulled(),
        logs("Entering FAULT STATE"),
        lacks(V3.address, "vrrp.77"),
        plugged(),
        logs("Entering BACKUP STATE"),
        sends(150),
        carries(V3.address, "vrrp.77"),
        adverts(6),
        looks(),
        needs=("vrrp_instance/use_vmac",),
    ),
    story(
        "no_accept drops what is for the address",
        one(V3, 150, "no_accept"),
        *is_master(V3, 150),
        looks(),
        hears(200),
        logs("Entering BACKUP STATE"),
        lacks(V3.address),
        *becomes_master(V3, 150),
        needs=("vrrp_instance/no_accept",),
    ),
    story(
        "secondaries stay when their primary goes",
        one(V3, 150, "promote_secondaries"),
        *is_master(V3, 150),
        looks(),
        wires=(V3,),
        needs=("vrrp_instance/promote_secondaries",),
    ),
    story(
        "two routers on two VMACs",
        one(V3, 150, "use_vmac") + one(V3_SECOND, 120, "use_vmac"),
        starts(),
        sends(150),
        sends(120, V3_SECOND),
        carries(V3_SECOND.address, "vrrp.78"),
        announces(V3.address, count=4),
        announces(V3_SECOND.address, count=4),
        looks(),
        wires=(V3, V3_SECOND),
        needs=("vrrp_instance/use_vmac",),
    ),
)
