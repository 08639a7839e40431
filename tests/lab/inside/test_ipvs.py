"""Virtual servers with traffic through them: forwarding methods, both families, checks, sorry server, reload, stop."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.lab_network import Network, has_ipvs, run, wait_until
from tests.support.lab_services import Daemon, connections, ipvs_table
from tests.support.lab_site import FAMILIES, FORWARD, Site, socket_text

pytestmark = pytest.mark.lab(timeout=600)


@pytest.fixture
def network() -> Iterator[Network]:
    assert has_ipvs()
    run("modprobe", "ipip")
    run("modprobe", "ip6_tunnel")
    with Network("ipvs-") as network:
        yield network


def run_through_a_server_failure(network: Network, method: str, family: str) -> None:
    site = Site(network, method, FAMILIES[family])
    daemon = Daemon(site.director, site.virtual_server("web1", "web2"))
    daemon.start()
    site.await_pool("web1", "web2", seconds=40)
    table = ipvs_table(site.director)[site.family.service()]
    assert {destination.forward for destination in table.values()} == {FORWARD[method]}
    assert sorted(site.answers()) == ["web1", "web1", "web2", "web2"]

    for dead, left in (("web2", "web1"), ("web1", "web2")):
        site.web[dead].kill()
        site.await_pool(left)
        assert site.answers() == [left] * 4
        site.web[dead].start()
        site.await_pool("web1", "web2")
        assert sorted(site.answers()) == ["web1", "web1", "web2", "web2"]

    assert daemon.stop() == 0
    assert ipvs_table(site.director) == {}


def test_nat_ipv4_through_a_server_failure(network: Network) -> None:
    run_through_a_server_failure(network, "NAT", "IPv4")


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "family"), [("NAT", "IPv6"), ("DR", "IPv4"), ("DR", "IPv6"), ("TUN", "IPv4"), ("TUN", "IPv6")]
)
def test_other_methods_through_a_server_failure(network: Network, method: str, family: str) -> None:
    run_through_a_server_failure(network, method, family)


def test_the_sorry_server_steps_in_when_all_are_gone(network: Network) -> None:
    site = Site(network, "NAT", FAMILIES["IPv4"])
    daemon = Daemon(
        site.director, site.virtual_server("web1", "web2", extra=f"sorry_server {site.addresses['web3']} 80")
    )
    daemon.start()
    site.await_pool("web1", "web2", seconds=40)

    site.web["web1"].kill()
    site.await_pool("web2")
    site.web["web2"].kill()
    site.await_pool("web3")
    assert site.answers(2) == ["web3", "web3"]

    site.web["web1"].start()
    site.await_pool("web1")
    assert site.answers(2) == ["web1", "web1"]
    assert daemon.stop() == 0
    assert ipvs_table(site.director) == {}


def test_a_reload_changes_only_what_differs(network: Network) -> None:
    site = Site(network, "NAT", FAMILIES["IPv4"])
    daemon = Daemon(site.director, site.virtual_server("web1", "web2"))
    daemon.start()
    site.await_pool("web1", "web2", seconds=40)
    assert "" not in site.answers()
    web1, web2, web3 = (socket_text(site.addresses[name]) for name in ("web1", "web2", "web3"))
    wait_until(  # the kernel sums its counters up every two seconds
        lambda: connections(site.director)[site.family.service()] == {web1: 2, web2: 2}, 10, "two connections each"
    )

    second = site.virtual_server("web1").replace(f"{site.family.virtual} 80", f"{site.family.virtual} 81")
    daemon.reload(site.virtual_server("web1", "web3", weights={"web1": 5}) + second)

    site.await_pool("web1", "web3")
    table = ipvs_table(site.director)
    assert table[site.family.service()][web1].weight == 5
    wait_until(
        lambda: set(ipvs_table(site.director)) == {"TCP 10.9.0.100:80", "TCP 10.9.0.100:81"}, 10, "both services"
    )
    after = connections(site.director)[site.family.service()]
    assert after[web1] == 2, "an entry that stays keeps its counters: it was never taken out"
    assert after[web3] == 0
    assert web2 not in after

    daemon.reload(site.virtual_server("web1", "web3", weights={"web1": 5}))
    wait_until(lambda: set(ipvs_table(site.director)) == {"TCP 10.9.0.100:80"}, 10, "one service")
    assert daemon.stop() == 0


@pytest.mark.skipif("LAB_DAEMON" in os.environ, reason="keepalived applies what is left of a broken file")
def test_a_broken_file_is_refused_whole(network: Network) -> None:
    site = Site(network, "NAT", FAMILIES["IPv4"])
    daemon = Daemon(site.director, site.virtual_server("web1", "web2"))
    daemon.start()
    site.await_pool("web1", "web2", seconds=40)
    logged = len(daemon.log())

    daemon.reload(site.virtual_server("web1") + "virtual_server 10.9.0.101 80 {\n protokol TCP\n")

    daemon.wait_for("protokol", after=logged)
    assert site.pool() == {"web1", "web2"}
    assert set(ipvs_table(site.director)) == {site.family.service()}
    daemon.signal(signal.SIGHUP)  # and it still listens: a sound file is taken
    daemon.reload(site.virtual_server("web1"))
    site.await_pool("web1")
    assert daemon.stop() == 0
