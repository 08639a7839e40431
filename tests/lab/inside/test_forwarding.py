"""Every way of forwarding that the kernel has, over both families and TCP, UDP and SCTP, carries what clients say.

One director serves them all at once; each way has a virtual address of its own. Two servers stand behind it for NAT,
two others for direct routing and tunnels.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from tests.support.lab_network import Host, Network, has_ipvs, run, wait_until
from tests.support.lab_services import Daemon, ipvs_table
from tests.support.lab_site import FAMILIES, FORWARD, EchoSite, hold, socket_text
from tests.support.lab_sockets import PROTOCOLS, Conversation, answerers

pytestmark = [pytest.mark.lab(timeout=900), pytest.mark.long]

MODULES = ("ipip", "ip6_tunnel", "sit", "ip_gre", "ip6_gre", "fou", "fou6", "sctp", "ip_vs_rr")
PORT, NAT_PORT = 7, 1007
GUE_PORT = {"IPv4": 6080, "IPv6": 6081}
CHECKED_GRE = 30
"""Added to the last number of a server's address: there it takes GRE with a checksum, which is a tunnel of its own."""


@dataclass(frozen=True)
class Way:
    """A way of forwarding: the words of lvs_method, and the families of the service and of its servers."""

    words: str
    family: str
    server_family: str

    @property
    def method(self) -> str:
        """NAT, DR or TUN."""
        return self.words.split()[0]

    def name(self) -> str:
        """For people."""
        return f"{self.words}, {self.family} to {self.server_family}"

    def virtual(self, number: int) -> str:
        """Its virtual address."""
        return f"{FAMILIES[self.family].front}{100 + number}"

    def server(self, number: int) -> str:
        """The address of one of its servers as the director knows it."""
        family = FAMILIES[self.server_family]
        if self.method == "NAT":
            return f"{family.back}{10 + number}"
        return f"{family.front}{10 + number + (CHECKED_GRE if 'gre csum' in self.words else 0)}"

    def lvs_method(self) -> str:
        """The words of the file."""
        kind, _, rest = self.words.partition("gue")
        return f"{kind}gue port {GUE_PORT[self.server_family]}{rest}" if rest else self.words

    def servers(self) -> list[str]:
        """Who answers."""
        return ["nat1", "nat2"] if self.method == "NAT" else ["far1", "far2"]


TUNNELS = ["TUN type ipip", "TUN type gue nocsum", "TUN type gue csum", "TUN type gue remcsum"]
TUNNELS += ["TUN type gre nocsum", "TUN type gre csum"]
WAYS = [
    *(Way(words, family, family) for words in ("NAT", "DR") for family in FAMILIES),
    *(Way(words, family, server_family) for words, family, server_family in product(TUNNELS, FAMILIES, FAMILIES)),
]
VIRTUAL = {way: way.virtual(number) for number, way in enumerate(WAYS)}


class Crossroads(EchoSite):
    """Servers that also take packets out of tunnels."""

    def __init__(self, network: Network) -> None:
        virtual = [address for way, address in VIRTUAL.items() if way.method != "NAT"]
        super().__init__(network, virtual, near_port=NAT_PORT, more=(CHECKED_GRE,))
        for address in set(VIRTUAL.values()) - set(virtual):
            hold(self.director, "eth0", address)
        for number in (1, 2):
            self._tunnels(network.hosts[f"far{number}"], number)

    def _tunnels(self, host: Host, number: int) -> None:
        host.ip("-6", "tunnel", "change", "ip6tnl0", "mode", "any")
        for kind, family, words in (("gre", "IPv4", []), ("ip6gre", "IPv6", ["encaplimit", "none"])):
            front = FAMILIES[family].front
            ends = ["local", f"{front}{10 + number + CHECKED_GRE}", "remote", f"{front}1"]
            host.ip("link", "add", f"checked-{kind}", "type", kind, *ends, "icsum", *words)
            host.ip("link", "set", f"checked-{kind}", "up")
        for device in ("tunl0", "sit0", "ip6tnl0", "gre0", "ip6gre0"):
            host.ip("link", "set", device, "up")
        host.ip("fou", "add", "port", str(GUE_PORT["IPv4"]), "gue")
        host.ip("-6", "fou", "add", "port", str(GUE_PORT["IPv6"]), "gue")

    def configuration(self) -> str:
        """All services; each server is checked at its TCP port."""
        lines = []
        for (way, address), protocol in product(VIRTUAL.items(), PROTOCOLS):
            lines += [f"virtual_server {address} {PORT} {{", f"protocol {protocol}", "lvs_sched rr", "delay_loop 5"]
            lines += [f"lvs_method {way.lvs_method()}", "connect_timeout 2", "retry 2", "warmup 0", "alpha"]
            port = NAT_PORT if way.method == "NAT" else PORT
            for number in (1, 2):
                lines.append(f"real_server {way.server(number)} {port} {{\nTCP_CHECK {{\n}}\n}}")
            lines.append("}")
        return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def crossroads() -> Iterator[Crossroads]:
    assert has_ipvs()
    for module in MODULES:
        run("modprobe", module)
    with contextlib.ExitStack() as stack:
        site = Crossroads(stack.enter_context(Network("ways-")))
        daemon = Daemon(site.director, site.configuration())
        daemon.start()
        services = len(VIRTUAL) * len(PROTOCOLS)

        def complete() -> bool:
            table = ipvs_table(site.director)
            return len(table) == services and all(len(servers) == 2 for servers in table.values())

        try:
            wait_until(complete, 120, "all services with both their servers", pause=1)
        except Exception as error:
            error.add_note(daemon.log()[-6000:])
            raise
        assert " error: " not in daemon.log()
        yield site
        assert daemon.stop() == 0
        assert ipvs_table(site.director) == {}


@pytest.mark.parametrize("way", WAYS, ids=Way.name)
def test_a_way_carries_every_protocol(crossroads: Crossroads, way: Way) -> None:
    table = ipvs_table(crossroads.director)
    source = f"{FAMILIES[way.family].front}200"
    for protocol in PROTOCOLS:
        rows = table[f"{protocol} {socket_text(VIRTUAL[way], PORT)}"]
        assert {row.forward for row in rows.values()} == {FORWARD[way.method]}
        said = answerers(crossroads.client, protocol, VIRTUAL[way], PORT, 4, source=source)
        assert sorted(said) == sorted(way.servers() * 2), protocol


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_conversation_stays_with_its_server(crossroads: Crossroads, protocol: str) -> None:
    for way, address in VIRTUAL.items():
        source = f"{FAMILIES[way.family].front}200"
        with Conversation(crossroads.client, protocol, address, PORT, source=source) as conversation:
            assert {conversation.answerer(f"word {number}") for number in range(3)} <= set(way.servers())
            assert len({conversation.answerer(f"word {number}") for number in range(3)}) == 1
