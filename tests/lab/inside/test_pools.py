"""Groups, weights of zero and ha_suspend with the real daemon on the real IPVS."""

from collections.abc import Iterator

import pytest

from tests.support.lab_network import Host, Network, has_ipvs, run, wait_until
from tests.support.lab_services import Daemon, ipvs_table

pytestmark = [pytest.mark.lab(timeout=300), pytest.mark.long]

FIRST = """
virtual_server_group web {
  10.9.0.1 80
  10.9.0.3-5 80
  10.9.0.255-10.9.1.1 81
  10.9.0.64/31 80
  fd00:9::1 80
  fwmark 7 inet
}
"""
SECOND = FIRST.replace("10.9.0.3-5 80", "10.9.0.4-6 80").replace("fwmark 7", "fwmark 8")
VS = "virtual_server group web {{\nprotocol TCP\nlvs_sched rr\nlvs_method TUN\n{}\n}}\n"
CHECK = "TCP_CHECK {\nconnect_ip 10.8.0.1\nconnect_port 9\ndelay_loop 1\nwarmup 0\n}"


def real(last: int, extra: str = "") -> str:
    return f"real_server 10.8.0.{last} {{\n{extra}\n}}\n"


@pytest.fixture
def director() -> Iterator[Host]:
    assert has_ipvs()
    run("modprobe", "ipip")
    with Network("pools-") as network:
        network.switch("front")
        host = network.host("director")
        host.attach("front", "eth0", "10.8.0.1/24")
        yield host


def weights(host: Host) -> dict[str, dict[str, int]]:
    return {
        service: {server: found.weight for server, found in servers.items()}
        for service, servers in ipvs_table(host).items()
    }


def await_table(host: Host, services: set[str], servers: dict[str, int]) -> None:
    """Wait until these services have these servers, each with the service's port."""
    ports = {name: name.rpartition(":")[2] if ":" in name else "0" for name in services}
    wanted = {name: {f"{server}:{port}": weight for server, weight in servers.items()} for name, port in ports.items()}
    wait_until(lambda: weights(host) == wanted, 40, f"{services} with {servers}")


def test_a_group_of_every_form_of_entry(director: Host) -> None:
    addresses = {f"TCP 10.9.0.{last}:80" for last in (1, 64, 65)} | {
        f"TCP {address}:81" for address in ("10.9.0.255", "10.9.1.0", "10.9.1.1")
    }
    first = addresses | {f"TCP 10.9.0.{last}:80" for last in (3, 4, 5)} | {"TCP [fd00:9::1]:80", "FWM 7"}
    second = addresses | {f"TCP 10.9.0.{last}:80" for last in (4, 5, 6)} | {"TCP [fd00:9::1]:80", "FWM 8"}
    daemon = Daemon(director, FIRST + VS.format(real(11) + real(12, "weight 3")))
    daemon.start()
    await_table(director, first, {"10.8.0.11": 1, "10.8.0.12": 3})
    daemon.reload(SECOND + VS.format(real(11, "weight 0") + real(13)))
    await_table(director, second, {"10.8.0.11": 0, "10.8.0.13": 1})
    daemon.reload(SECOND + VS.format("sorry_server 10.8.0.99\n" + real(11, CHECK)))
    await_table(director, second, {"10.8.0.99": 1})
    assert "error" not in daemon.log()
    assert daemon.stop() == 0
    assert weights(director) == {}


def test_checks_wait_for_the_address(director: Host) -> None:
    text = "virtual_server 10.8.0.100 80 {\nprotocol TCP\nlvs_sched rr\nlvs_method NAT\nha_suspend\n"
    daemon = Daemon(director, text + f"real_server 10.8.0.11 80 {{\n{CHECK}\n}}\n}}\n")
    daemon.start()
    daemon.wait_for("Deactivating healthchecker for service [10.8.0.11]:tcp:80 for VS [10.8.0.100]:tcp:80")
    assert weights(director) == {"TCP 10.8.0.100:80": {"10.8.0.11:80": 1}}
    director.ip("address", "add", "10.8.0.100/32", "dev", "lo")
    daemon.wait_for("Activating healthchecker for service [10.8.0.11]:tcp:80 for VS [10.8.0.100]:tcp:80")
    wait_until(lambda: weights(director) == {"TCP 10.8.0.100:80": {}}, 20, "an empty pool")
    director.ip("address", "del", "10.8.0.100/32", "dev", "lo")
    daemon.wait_for("Suspending healthchecker for service [10.8.0.11]:tcp:80 for VS [10.8.0.100]:tcp:80")
    assert daemon.stop() == 0
