"""ipvlans, and VMACs whose base belongs to a VRF: kernels of containers and of build machines have neither."""

import json
from collections.abc import Iterator

import pytest

from tests.support.lab import program
from tests.support.lab_network import Host, Network, run, wait_until
from tests.support.lab_services import Daemon

pytestmark = [pytest.mark.lab(timeout=400), pytest.mark.long]

PATIENCE = 60


@pytest.fixture
def network() -> Iterator[Network]:
    for module in ("macvlan", "ipvlan", "vrf", "nf_tables"):
        run("modprobe", module)
    with Network("links-") as network:
        network.switch("lan")
        yield network


def configuration(lines: str, priority: int, *, six: bool = False) -> str:
    address = "fe80::77/64" if six else "10.0.0.100/24"
    return (
        f"vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 77\npriority {priority}\nversion 3\nadvert_int 0.5\n"
        f"{lines}\nvirtual_ipaddress {{\n{address}\n}}\n}}\n"
    )


def link(host: Host, name: str) -> dict[str, object]:
    (told,) = json.loads(host.ip("-j", "-d", "link", "show", "dev", name))
    return dict(told)


def links(host: Host) -> set[str]:
    return {told["ifname"] for told in json.loads(host.ip("-j", "link"))}


def holds(host: Host, name: str, address: str) -> bool:
    return name in links(host) and f" {address}/" in host.ip("-o", "address", "show", "dev", name)


@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
def test_ipvlans_elect_a_master(network: Network, six: bool) -> None:
    """Both run on ipvlans; the better one takes over and gives back, and each sends from its own ipvlan."""
    address = "fe80::77" if six else "10.0.0.100"
    daemons = []
    for number, priority in ((1, 100), (2, 150)):
        host = network.host(f"host{number}")
        host.attach("lan", "eth0", f"10.0.0.{number}/24", f"fd00::{number}/64")
        lines = f"use_ipvlan ipv{'' if six else f' 10.0.0.1{number}/24'}"
        daemons.append(Daemon(host, configuration(lines, priority, six=six)))
    worse, better = daemons
    worse.start()
    worse.wait_for("(VI_1): Success creating ipvlan interface ipv", PATIENCE)
    wait_until(lambda: holds(worse.host, "eth0", address), PATIENCE, "the address on the base")
    told = link(worse.host, "ipv")
    assert "'ipvlan'" in str(told["linkinfo"])
    assert told["address"] == link(worse.host, "eth0")["address"]
    better.start()
    wait_until(lambda: holds(better.host, "eth0", address), PATIENCE, "the address on the better one")
    worse.wait_for("(VI_1) Entering BACKUP STATE\n", PATIENCE)
    if not six:
        worse.wait_for("advert from 10.0.0.12 with higher priority 150", PATIENCE)
    wait_until(lambda: not holds(worse.host, "eth0", address), PATIENCE, "the address gone")
    assert better.stop() == 0
    assert links(better.host) == {"lo", "eth0"}
    wait_until(lambda: holds(worse.host, "eth0", address), PATIENCE, "the address back")
    assert worse.stop() == 0


def test_a_vmac_follows_its_base_into_a_vrf_and_out_of_it(network: Network) -> None:
    host = network.host("host1")
    host.attach("lan", "eth0", "10.0.0.1/24")
    host.ip("link", "add", "red", "type", "vrf", "table", "100")
    host.ip("link", "set", "red", "up")
    host.ip("link", "set", "eth0", "master", "red")
    daemon = Daemon(host, configuration("use_vmac", 150))
    daemon.start()
    wait_until(lambda: holds(host, "vrrp.77", "10.0.0.100"), PATIENCE, "the address on the VMAC")
    assert link(host, "vrrp.77")["master"] == "red"
    neighbour = network.host("host2")
    neighbour.attach("lan", "eth0", "10.0.0.2/24")
    neighbour.run("ping", "-c", "1", "-W", "5", "10.0.0.100")
    host.ip("link", "set", "eth0", "nomaster")
    wait_until(lambda: "master" not in link(host, "vrrp.77"), PATIENCE, "the VMAC out of the VRF")
    host.ip("link", "set", "eth0", "master", "red")
    wait_until(lambda: link(host, "vrrp.77").get("master") == "red", PATIENCE, "the VMAC in the VRF")
    wait_until(lambda: holds(host, "vrrp.77", "10.0.0.100"), PATIENCE, "the address again")
    assert daemon.stop() == 0
    assert links(host) == {"lo", "eth0", "red"}


def test_unicast_without_interface_in_a_vrf(network: Network) -> None:
    """The routes of the VRF lead to the peer; outside of it nobody would be reached."""
    daemons = []
    for number, priority in ((1, 100), (2, 150)):
        host = network.host(f"host{number}")
        host.attach("lan", "eth0", f"10.0.0.{number}/24")
        host.ip("link", "add", "red", "type", "vrf", "table", "100")
        host.ip("link", "set", "red", "up")
        host.ip("link", "set", "eth0", "master", "red")
        lines = f"vrf red\nunicast_src_ip 10.0.0.{number}\nunicast_peer {{\n10.0.0.{3 - number}\n}}"
        daemons.append(Daemon(host, configuration(lines, priority).replace("interface eth0\n", "")))
    worse, better = daemons
    worse.start()
    wait_until(lambda: holds(worse.host, "eth0", "10.0.0.100"), PATIENCE, "the address")
    better.start()
    worse.wait_for("advert from 10.0.0.2 with higher priority 150", PATIENCE)
    wait_until(lambda: holds(better.host, "eth0", "10.0.0.100"), PATIENCE, "the address on the better one")
    assert better.stop() == 0
    wait_until(lambda: holds(worse.host, "eth0", "10.0.0.100"), PATIENCE, "the address back")
    assert worse.stop() == 0


@pytest.mark.skipif(program("keepalived") is None, reason="needs keepalived")
def test_an_ipvlan_with_keepalived(network: Network) -> None:
    """A keepalived on an ipvlan is heard and yields."""
    keepalived = program("keepalived")
    assert keepalived is not None
    ours, theirs = network.host("host1"), network.host("host2")
    for number, host in enumerate((ours, theirs), 1):
        host.attach("lan", "eth0", f"10.0.0.{number}/24")
    daemon = Daemon(ours, configuration("use_ipvlan ipv 10.0.0.11/24", 150))
    other = Daemon(theirs, configuration("use_ipvlan ipv 10.0.0.12/24", 100))
    with other.log_file.open("ab") as log:
        pids = [f"-{letter}{other.folder}/{letter}.pid" for letter in "prc"]
        process = theirs.start([keepalived, "-n", "-l", "-D", "-P", "-f", str(other.file), *pids], log)
    other.wait_for("Entering MASTER STATE", PATIENCE)
    wait_until(lambda: holds(theirs, "eth0", "10.0.0.100"), PATIENCE, "the address on keepalived's")
    daemon.start()
    other.wait_for("advert from 10.0.0.11 with higher priority 150", PATIENCE)
    wait_until(lambda: holds(ours, "eth0", "10.0.0.100"), PATIENCE, "the address on ours")
    theirs_link, our_link = link(theirs, "ipv"), link(ours, "ipv")
    assert our_link["linkinfo"] == theirs_link["linkinfo"]
    assert our_link["inet6_addr_gen_mode"] == theirs_link["inet6_addr_gen_mode"]
    assert holds(ours, "ipv", "10.0.0.11")
    assert holds(theirs, "ipv", "10.0.0.12")
    assert daemon.stop() == 0
    wait_until(lambda: holds(theirs, "eth0", "10.0.0.100"), PATIENCE, "the address back")
    process.terminate()
    process.wait(PATIENCE)
