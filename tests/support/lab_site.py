"""Sites of the lab: a client, a director and servers. The web servers of one are wired for one way of forwarding."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.lab_network import Host, Network, wait_until
from tests.support.lab_services import EchoServer, WebServer, ipvs_table, pages

FORWARD = {"NAT": "Masq", "DR": "Route", "TUN": "Tunnel"}
TIMING = "protocol TCP\n lvs_sched rr\n delay_loop 1\n connect_timeout 1\n retry 1\n delay_before_retry 0.5\n warmup 0"


@dataclass(frozen=True)
class Family:
    """The addresses of one IP version."""

    virtual: str
    front: str
    back: str
    length: int

    def service(self) -> str:
        """The virtual server as ipvsadm names it."""
        return f"TCP {socket_text(self.virtual)}"


FAMILIES = {
    "IPv4": Family("10.9.0.100", "10.9.0.", "10.8.0.", 24),
    "IPv6": Family("fd00:9::100", "fd00:9::", "fd00:8::", 64),
}


def socket_text(address: str, port: int = 80) -> str:
    """Address and port as ipvsadm writes them."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def hold(host: Host, interface: str, address: str) -> None:
    """Give a host a virtual address: never as the source of its own packets."""
    version6 = ["nodad", "preferred_lft", "0"] if ":" in address else []
    host.ip("address", "add", f"{address}/{128 if version6 else 32}", "dev", interface, *version6)


class Site:
    """A client, a director, two web servers and a third in reserve, wired for one forwarding method."""

    def __init__(self, network: Network, method: str, family: Family) -> None:
        self.network = network
        self.method = method
        self.family = family
        network.switch("front")
        network.switch("back")
        self.client = network.host("client")
        self.client.attach("front", "eth0", f"{family.front}200/{family.length}")
        self.director = network.host("director")
        self.director.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.director.attach("front", "eth0", f"{family.front}1/{family.length}")
        self.director.attach("back", "eth1", f"{family.back}1/{family.length}")
        hold(self.director, "eth0", family.virtual)
        self.web: dict[str, WebServer] = {}
        self.addresses: dict[str, str] = {}
        for number in (1, 2, 3):
            self._server(number)

    def _server(self, number: int) -> None:
        family = self.family
        host = self.network.host(f"web{number}")
        net = family.back if self.method == "NAT" else family.front
        self.addresses[host.name] = f"{net}{10 + number}"
        host.attach("back" if self.method == "NAT" else "front", "eth0", f"{net}{10 + number}/{family.length}")
        if self.method == "NAT":
            host.ip("route", "add", "default", "via", f"{family.back}1")
        else:
            host.sysctl("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
        if self.method == "DR":
            hold(host, "lo", family.virtual)
        if self.method == "TUN":
            tunnel = "ip6tnl0" if ":" in family.virtual else "tunl0"
            host.ip("link", "set", tunnel, "up")
            host.sysctl("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
            hold(host, tunnel, family.virtual)
        self.web[host.name] = WebServer(host)
        self.web[host.name].start()

    def virtual_server(self, *servers: str, extra: str = "", weights: dict[str, int] | None = None) -> str:
        """A virtual_server block over some of the web servers: a TCP_CHECK for web1, an HTTP_GET for the others."""
        lines = [f"virtual_server {self.family.virtual} 80 {{", TIMING, f"lvs_method {self.method}", extra]
        for name in servers:
            weight = (weights or {}).get(name, 1)
            check = "TCP_CHECK {\n}" if name == "web1" else "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\n}"
            lines.append(f"real_server {self.addresses[name]} 80 {{\nweight {weight}\n{check}\n}}")
        return "\n".join([*lines, "}", ""])

    def pool(self) -> set[str]:
        """The names of the servers that the kernel gives connections to."""
        names = {socket_text(address): name for name, address in self.addresses.items()}
        table = ipvs_table(self.director).get(self.family.service(), {})
        return {names[server] for server, destination in table.items() if destination.weight}

    def await_pool(self, *names: str, seconds: float = 20) -> None:
        """Wait until exactly these servers are in the pool."""
        wait_until(lambda: self.pool() == set(names), seconds, f"a pool of {names}")

    def answers(self, count: int = 4) -> list[str]:
        """What the client is answered, one request after another."""
        return pages(self.client, self.family.virtual, count)


class EchoSite:
    """A client, a director, and two servers each behind NAT (`nat1`, `nat2`) and on the client's own network (`far1`,
    `far2`), which have the virtual addresses. Everybody speaks both families.
    """

    def __init__(
        self, network: Network, virtual: Sequence[str], *, near_port: int = 7, more: Sequence[int] = ()
    ) -> None:
        """``more`` is added to the last number of a far server's address for further ones."""
        self.network = network
        network.switch("front")
        network.switch("back")
        self.client = network.host("client")
        self.director = network.host("director")
        for host, last in ((self.client, 200), (self.director, 1)):
            host.attach("front", "eth0", *_addresses("front", last))
        self.director.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.director.attach("back", "eth1", *_addresses("back", 1))
        for address in virtual:
            hold(self.director, "eth0", address)
        self.echoes: dict[str, EchoServer] = {}
        for number in (1, 2):
            self._near(number, near_port)
            self._far(number, virtual, (0, *more))
        for echo in self.echoes.values():
            echo.start()

    def _near(self, number: int, port: int) -> None:
        host = self.network.host(f"nat{number}")
        addresses = _addresses("back", 10 + number)
        host.attach("back", "eth0", *addresses)
        for family in FAMILIES.values():
            host.ip("route", "add", "default", "via", f"{family.back}1")
        self.echoes[host.name] = EchoServer(host, port, *_without_lengths(addresses))

    def _far(self, number: int, virtual: Sequence[str], more: Sequence[int]) -> None:
        host = self.network.host(f"far{number}")
        host.sysctl("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
        host.sysctl("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        addresses = [address for each in more for address in _addresses("front", 10 + number + each)]
        host.attach("front", "eth0", *addresses)
        for address in virtual:
            hold(host, "lo", address)
        self.echoes[host.name] = EchoServer(host, 7, *_without_lengths(addresses), *virtual)


def _addresses(side: str, last: int) -> list[str]:
    """A host's addresses in both families, with their lengths."""
    return [f"{family.front if side == 'front' else family.back}{last}/{family.length}" for family in FAMILIES.values()]


def _without_lengths(addresses: Sequence[str]) -> list[str]:
    return [address.partition("/")[0] for address in addresses]
