"""A kernel without nftables, or whose nftables knows neither IPv4 nor IPv6: said plainly, and the rest goes on."""

from collections.abc import Iterator

import pytest

from tests.support.lab_network import Network, run, wait_until
from tests.support.lab_services import Daemon

pytestmark = [pytest.mark.lab(timeout=400), pytest.mark.long]

PATIENCE = 60
FILE = (
    "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\npriority 100\nadvert_int 1\nno_accept\n{}\n"
    "virtual_ipaddress {{\n10.0.0.100/24\n}}\n}}\n"
)


@pytest.fixture
def network() -> Iterator[Network]:
    run("modprobe", "macvlan")
    with Network("wall-") as network:
        network.switch("lan")
        yield network


def begun(network: Network, lines: str) -> Daemon:
    host = network.host("host1")
    host.attach("lan", "eth0", "10.0.0.1/24")
    daemon = Daemon(host, FILE.format(lines))
    daemon.start()
    daemon.wait_for("(VI_1) Entering MASTER STATE", PATIENCE)
    wait_until(lambda: "10.0.0.100/24" in host.ip("-o", "address"), PATIENCE, "the address")
    return daemon


@pytest.mark.parametrize("modules", [(), ("nf_tables",)], ids=["without", "without its families"])
def test_a_kernel_without_nftables_is_said_and_the_instance_runs(network: Network, modules: tuple[str, ...]) -> None:
    for module in modules:
        run("modprobe", module)
    daemon = begun(network, "use_vmac")
    if "No nftables" not in daemon.log():
        pytest.skip("this kernel has nftables for IPv4")
    assert daemon.log().count("No nftables for IPv4 in this kernel") == 1
    assert "No nftables for IPv6" not in daemon.log()
    assert "cannot make" not in daemon.log().replace("No nftables for IPv4 in this kernel (cannot make", "")
    before = len(daemon.log())
    daemon.reload(FILE.format("use_vmac\ngarp_master_delay 7"))
    daemon.wait_for("Reload complete", PATIENCE, before)
    assert daemon.log().count("No nftables for IPv4 in this kernel") == 2
    assert daemon.stop() == 0
