"""A site of the lab: a client, a director and web servers, wired for one way of forwarding."""

from dataclasses import dataclass

from tests.support.lab_network import Host, Network, wait_until
from tests.support.lab_services import WebServer, ipvs_table, pages

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
        self._hold(self.director, "eth0")
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
            self._hold(host, "lo")
        if self.method == "TUN":
            tunnel = "ip6tnl0" if ":" in family.virtual else "tunl0"
            host.ip("link", "set", tunnel, "up")
            host.sysctl("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
            self._hold(host, tunnel)
        self.web[host.name] = WebServer(host)
        self.web[host.name].start()

    def _hold(self, host: Host, interface: str) -> None:
        """Give a host the virtual address: never as the source of its own packets."""
        if ":" in self.family.virtual:
            words = [f"{self.family.virtual}/128", "dev", interface, "nodad", "preferred_lft", "0"]
        else:
            words = [f"{self.family.virtual}/32", "dev", interface]
        host.ip("address", "add", *words)

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
