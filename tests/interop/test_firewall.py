"""The firewall of both daemons: keepalived's tables are what the golden files say, and ours are the same."""

from pathlib import Path

import pytest

from tests.interop.stage import MAKES
from tests.support import keepalived, nft
from tests.support.director import Director
from tests.support.netns import Network
from tests.support.netns import why_not as no_namespaces

pytestmark = [
    pytest.mark.root,
    pytest.mark.interop,
    pytest.mark.long,
    pytest.mark.skipif(nft.why_not() is not None, reason=str(nft.why_not())),
    pytest.mark.skipif(no_namespaces() is not None, reason=str(no_namespaces())),
]

OPTIONS = "nftables mine\nnftables_priority -5\nnftables_counters\nnftables_ifindex"
MORE = "10.0.0.101/24\n}\nvirtual_ipaddress_excluded {\n10.0.1.100 dev eth1"
CASES = {
    "no_accept": ("nftables", "no_accept", MORE),
    "options": (OPTIONS, "no_accept", MORE),
    "by_name": ("nftables", "no_accept\ndont_track_primary", MORE),
    "vmac": ("nftables", "no_accept\nuse_vmac", ""),
}
"""The golden file, global_defs, lines of each instance, further addresses of the first."""
FILE = """
global_defs {{
vrrp_version 3
{settings}
}}
vrrp_instance A {{
interface eth0
virtual_router_id 1
priority 200
advert_int 0.2
{lines}
virtual_ipaddress {{
10.0.0.100
{more}
}}
}}
vrrp_instance B {{
interface eth0
virtual_router_id 2
priority 200
advert_int 0.2
{lines}
virtual_ipaddress {{
fe80::100
fd00::100/64
}}
}}
"""
_CARRIERS = (("10.0.1.100", "eth1"), ("fd00::100", "eth0"))


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("case", CASES)
def test_both_make_the_same_tables_and_leave_none(case: str, make: str, tmp_path: Path) -> None:
    if make == "keepalived" and keepalived.why_not():
        pytest.skip(str(keepalived.why_not()))
    settings, lines, more = CASES[case]
    with Network() as network:
        host = network.host("left")
        host.attach(network.segment(), ["10.0.0.1/24", "fd00::1/64"])
        host.attach(network.segment("other"), ["10.0.1.1/24"], device="eth1")
        config = FILE.format(settings=settings, lines=lines, more=more)
        with Director(host, MAKES[make](), tmp_path, config) as director:
            director.start()
            for name in ("A", "B"):
                director.wait_log(f"({name}) setting firewall drop rule", within=60.0)
            carriers = (("10.0.0.100", "vrrp.1"), ("fd00::100", "vrrp.2")) if case == "vmac" else _CARRIERS
            for address, device in carriers:
                director.wait_address(address, present=True, device=device, within=60.0)
            assert nft.listed(host.run(*nft.LIST)) == nft.golden(case)
            assert director.stop() == 0
            assert nft.listed(host.run(*nft.LIST)) == []
