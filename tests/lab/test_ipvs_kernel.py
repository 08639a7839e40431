"""LinuxIpvs against the real IPVS; ipvsadm says what the kernel holds."""

import dataclasses
import errno
import gc
import itertools
import socket
import subprocess
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.kernel.ipvs import LinuxIpvs
from pykeepalived.kernel.ports import BATCH, DestinationRow, Failure, IpvsOrder, ServiceRow

pytestmark = pytest.mark.lab(timeout=300)

FAMILIES = {4: "10.9.0.", 6: "2001:db8::"}
PROTOCOLS = {6: "-t", 17: "-u", 132: "--sctp-service"}
METHODS = [
    (LvsMethod("NAT"), "-m -w 3"),
    (LvsMethod("DR"), "-g -w 3"),
    (LvsMethod("TUN"), "-i -w 3 --tun-type ipip"),
    (LvsMethod("TUN", "gue", 6080, "nocsum"), "-i -w 3 --tun-type gue --tun-port 6080 --tun-nocsum"),
    (LvsMethod("TUN", "gue", 6080, "csum"), "-i -w 3 --tun-type gue --tun-port 6080 --tun-csum"),
    (LvsMethod("TUN", "gue", 6080, "remcsum"), "-i -w 3 --tun-type gue --tun-port 6080 --tun-remcsum"),
    (LvsMethod("TUN", "gre", 0, "csum"), "-i -w 3 --tun-type gre --tun-csum"),
]


@pytest.fixture
def ipvs() -> Iterator[LinuxIpvs]:
    for module in ("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_wlc", "ip_vs_sh", "ip_vs_mh", "ip_vs_pe_sip"):
        subprocess.run(["modprobe", module], check=False)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # without any route IPv4 servers are refused
    table = LinuxIpvs()
    table.flush()
    yield table
    table.flush()
    table.close()


def saved() -> list[str]:
    """The table as ``ipvsadm -S -n`` writes it: one line a service or server, sorted."""
    told = subprocess.run(["ipvsadm", "-S", "-n"], capture_output=True, text=True, check=True).stdout
    return sorted(" ".join(line.split()) for line in told.splitlines())


def by_address(version: int, protocol: int, port: int = 80) -> Service:
    family = int(socket.AF_INET if version == 4 else socket.AF_INET6)
    return Service("address", ip_address(f"{FAMILIES[version]}100"), port, protocol, 0, family)


def row(
    service: Service, scheduler: str = "rr", flags: int = 0, timeout: int = 0, netmask: int | None = None
) -> ServiceRow:
    everything = 0xFFFFFFFF if service.family == socket.AF_INET else 128
    return ServiceRow(service, scheduler, flags, timeout, everything if netmask is None else netmask)


def server(version: int, method: LvsMethod, last: int = 1, weight: int = 1, port: int = 80) -> DestinationRow:
    return DestinationRow(ip_address(f"{FAMILIES[version]}{last}"), port, method, weight, 0, 0)


def words(service: Service) -> str:
    if service.address is None:
        return f"-f {service.fwmark}" + (" -6" if service.family == socket.AF_INET6 else "")
    address = f"[{service.address}]" if service.address.version == 6 else str(service.address)
    return f"{PROTOCOLS[service.protocol]} {address}:{service.port}"


def test_the_version_is_the_kernels(ipvs: LinuxIpvs) -> None:
    told = subprocess.run(["ipvsadm", "-Ln"], capture_output=True, text=True, check=True).stdout
    assert f"IP Virtual Server version {ipvs.version()} " in told


@pytest.mark.parametrize("version", [4, 6])
def test_every_protocol_and_method_is_what_ipvsadm_sees(ipvs: LinuxIpvs, version: int) -> None:
    for protocol, (method, said) in itertools.product(PROTOCOLS, METHODS):
        service = row(by_address(version, protocol))
        target = server(version, method, weight=3)
        assert ipvs.apply([IpvsOrder("add-service", service), IpvsOrder("add-server", service, target)]) == []
        address = f"[{target.address}]:80" if version == 6 else f"{target.address}:80"
        added = f"-a {words(service.service)} -r {address}"
        assert saved() == [f"-A {words(service.service)} -s rr", f"{added} {said}"]
        assert ipvs.table() == [(service, [target])]
        assert ipvs.apply([IpvsOrder("delete-server", service, target)]) == []
        assert saved() == [f"-A {words(service.service)} -s rr"]
        assert ipvs.apply([IpvsOrder("delete-service", service)]) == []
        assert saved() == []


@pytest.mark.parametrize("version", [4, 6])
def test_firewall_marks(ipvs: LinuxIpvs, version: int) -> None:
    family = int(socket.AF_INET if version == 4 else socket.AF_INET6)
    service = row(Service("fwmark", None, 0, 0, 7, family), "wrr")
    target = server(version, LvsMethod("DR"), port=0)
    assert ipvs.apply([IpvsOrder("add-service", service), IpvsOrder("add-server", service, target)]) == []
    address = f"[{target.address}]:0" if version == 6 else f"{target.address}:0"
    assert saved() == [f"-A {words(service.service)} -s wrr", f"-a {words(service.service)} -r {address} -g -w 1"]
    assert ipvs.table() == [(service, [target])]


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (row(by_address(4, 6), "rr", 1, 30, 0xFFFFFF00), "-s rr -p 30 -M 255.255.255.0"),
        (row(by_address(6, 6), "rr", 1, 30, 64), "-s rr -p 30 -M 64"),
        (row(by_address(4, 17), "rr", 4), "-s rr -o"),
        (row(by_address(4, 6), "sh", 0x18), "-s sh -b sh-fallback,sh-port"),
        (row(by_address(6, 6), "mh", 0x10), "-s mh -b mh-port"),
        (row(by_address(4, 6), "wlc"), "-s wlc"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_of_services(ipvs: LinuxIpvs, service: ServiceRow, said: str) -> None:
    assert ipvs.apply([IpvsOrder("add-service", service)]) == []
    assert saved() == [f"-A {words(service.service)} {said}"]
    assert ipvs.table() == [(service, [])]


def test_a_persistence_engine(ipvs: LinuxIpvs) -> None:
    service = dataclasses.replace(row(by_address(4, 17, 5060), "rr", 1, 60), persistence_engine="sip")
    assert ipvs.apply([IpvsOrder("add-service", service)]) == []
    assert saved() == [f"-A {words(service.service)} -s rr -p 60 --pe sip"]
    assert ipvs.table() == [(service, [])]


def test_an_ipv4_service_tunnels_to_an_ipv6_server(ipvs: LinuxIpvs) -> None:
    service, target = row(by_address(4, 6)), server(6, LvsMethod("TUN"))
    assert ipvs.apply([IpvsOrder("add-service", service), IpvsOrder("add-server", service, target)]) == []
    assert ipvs.table() == [(service, [target])]


def test_edits_change_what_is_there(ipvs: LinuxIpvs) -> None:
    service, target = row(by_address(4, 6)), server(4, LvsMethod("NAT"))
    ipvs.apply([IpvsOrder("add-service", service), IpvsOrder("add-server", service, target)])
    new_service = row(service.service, "wrr", 1, 90, 0xFFFF0000)
    new_target = dataclasses.replace(target, method=LvsMethod("DR"), weight=9, upper_threshold=20, lower_threshold=10)
    assert ipvs.apply([IpvsOrder("edit-service", new_service), IpvsOrder("edit-server", new_service, new_target)]) == []
    assert ipvs.table() == [(new_service, [new_target])]
    said = words(service.service)
    assert saved() == [
        f"-A {said} -s wrr -p 90 -M 255.255.0.0",
        f"-a {said} -r 10.9.0.1:80 -g -w 9",
    ]
    thresholds = subprocess.run(["ipvsadm", "-Ln", "--thresholds"], capture_output=True, text=True, check=True).stdout
    assert thresholds.splitlines()[-1].split()[:4] == ["->", "10.9.0.1:80", "20", "10"]
    assert ipvs.apply([IpvsOrder("edit-service", service)]) == []
    assert ipvs.table()[0][0] == service


def test_every_refusal_has_its_place_and_the_others_are_done(ipvs: LinuxIpvs) -> None:
    service, target = row(by_address(4, 6)), server(4, LvsMethod("NAT"))
    absent = row(by_address(4, 17))
    other = server(4, LvsMethod("NAT"), last=2)
    failures = ipvs.apply(
        [
            IpvsOrder("add-service", service),
            IpvsOrder("add-service", service),
            IpvsOrder("edit-server", service, target),
            IpvsOrder("add-server", service, target),
            IpvsOrder("add-server", service, target),
            IpvsOrder("delete-service", absent),
            IpvsOrder("add-server", absent, target),
            IpvsOrder("delete-server", service, other),
            IpvsOrder("add-service", row(by_address(4, 17), "nonsense")),
            IpvsOrder("add-server", service, other),
        ]
    )
    assert failures == [
        Failure(1, errno.EEXIST),
        Failure(2, errno.ENOENT),
        Failure(4, errno.EEXIST),
        Failure(5, errno.ESRCH),
        Failure(6, errno.ESRCH),
        Failure(7, errno.ENOENT),
        Failure(8, errno.ENOENT),
    ]
    assert ipvs.table() == [(service, [other, target])] or ipvs.table() == [(service, [target, other])]


def test_five_thousand_servers(ipvs: LinuxIpvs) -> None:
    """The figures are printed for people; the bound only catches a mistake of an order of magnitude."""
    services = [row(by_address(4, 6, port)) for port in range(1000, 1050)]
    orders: list[IpvsOrder] = []
    for service in services:
        orders.append(IpvsOrder("add-service", service))
        orders += [
            IpvsOrder("add-server", service, DestinationRow(IPv4Address(0x0A080000 + n), 80, LvsMethod("DR"), 1, 0, 0))
            for n in range(1, 101)
        ]
    gc.collect()
    started = time.monotonic()
    for start in range(0, len(orders), BATCH):
        assert ipvs.apply(orders[start : start + BATCH]) == []
    loaded = time.monotonic()
    table = ipvs.table()
    read = time.monotonic()
    print(f"{len(orders)} orders in {loaded - started:.2f} s, read back in {read - loaded:.2f} s")
    assert len(table) == 50
    assert sum(len(servers) for _, servers in table) == 5000
    assert len(saved()) == 5050
    assert loaded - started < 10
    assert {service for service, _ in table} == set(services)
    ipvs.flush()
    assert ipvs.table() == []


def test_ipv6_addresses_keep_all_their_octets(ipvs: LinuxIpvs) -> None:
    address = IPv6Address("2001:db8:1:2:3:4:5:6")
    service = row(Service("address", address, 443, 6, 0, int(socket.AF_INET6)))
    assert ipvs.apply([IpvsOrder("add-service", service)]) == []
    assert saved() == ["-A -t [2001:db8:1:2:3:4:5:6]:443 -s rr"]
