"""Routes that need what many kernels lack (MPLS, ILA, VRF): by keepalived and by us, the same."""

from pathlib import Path

import pytest

from tests.interop.test_routing_kernel import LAST, NETWORK, same
from tests.support.lab_network import run

pytestmark = [pytest.mark.lab, pytest.mark.long]

VRF = """
ip link add red type vrf table 1234
ip link set red up
"""
ROUTES = """
static_routes {
    10.1.1.0/24 via 10.0.0.2 dev eth0 encap mpls 100
    10.1.2.0/24 via 10.0.0.2 dev eth0 encap mpls 100/200
    2001:db8:1::/64 via fe80::2 dev eth0 encap mpls 16
    2001:db8:2::/64 via fe80::2 dev eth0 encap ila 1:2:3:4
    10.1.3.0/24 via 10.0.0.2 dev eth0 encap ip id 5 dst 10.0.0.9
    10.1.4.0/24 dev eth0 vrf red
    2001:db8:3::/64 dev eth0 vrf red
    10.1.5.0/24 nexthop via 10.0.0.2 dev eth0 weight 3 nexthop via 10.0.0.3 dev eth0
}
static_rules {
    l3mdev preference 1000
    %s
}
"""


def test_every_kind_is_the_same(tmp_path: Path) -> None:
    for module in ("mpls_router", "mpls_iptunnel", "ila", "vrf"):
        run("modprobe", module)
    found = same(ROUTES % LAST, tmp_path, NETWORK + VRF)
    assert len(found["routes"]) >= 5, found
    shown = str(found["routes"]) + str(found["routes6"])
    assert all(word in shown for word in ("mpls", "1234", "10.0.0.9")), found
