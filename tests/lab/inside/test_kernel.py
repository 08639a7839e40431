"""The guest's kernel has what the lab is for."""

import pytest

from tests.support.lab import program
from tests.support.lab_network import Network, has_ipvs, run

pytestmark = pytest.mark.lab


def test_ipvs_takes_a_service() -> None:
    assert has_ipvs()
    ipvsadm = program("ipvsadm")
    assert ipvsadm is not None
    with Network("kernel-") as network:
        host = network.host("a")
        host.run(ipvsadm, "-A", "-t", "10.0.0.1:80", "-s", "rr")
        host.run(ipvsadm, "-a", "-t", "10.0.0.1:80", "-r", "10.0.0.2:80", "-m")

        assert "10.0.0.2:80" in host.run(ipvsadm, "-Ln")
        assert "10.0.0.1:80" not in network.host("b").run(ipvsadm, "-Ln")


def test_hosts_reach_each_other_through_a_switch() -> None:
    with Network("kernel-") as network:
        network.switch("lan")
        for number, name in enumerate(("a", "b"), 1):
            network.host(name).attach("lan", "eth0", f"10.0.0.{number}/24", f"fd00::{number}/64")
        a = network.hosts["a"]

        a.run("ping", "-c", "1", "-W", "2", "10.0.0.2")
        a.run("ping", "-c", "1", "-W", "2", "fd00::2")


@pytest.mark.parametrize("module", ["macvlan", "dummy", "8021q", "vrf", "nf_tables", "ip_vs_wlc", "ipip", "ip6_tunnel"])
def test_module_loads(module: str) -> None:
    run("modprobe", module)
