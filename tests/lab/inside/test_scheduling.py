"""Who gets a client: schedulers and their flags, packets one by one, marks of the firewall, persistence, thresholds."""

import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from pykeepalived.config.blocks.virtual_server import SCHEDULERS
from tests.support.lab_network import Network, has_ipvs, run, wait_until
from tests.support.lab_services import Daemon, ipvs_table, ipvsadm, pool
from tests.support.lab_site import FAMILIES, EchoSite
from tests.support.lab_sockets import Conversation, answerers

pytestmark = [pytest.mark.lab(timeout=900), pytest.mark.long]

VIRTUAL = "10.9.0.100"
MARKED = ["10.9.0.101", "10.9.0.102", "fd00:9::101"]
FLAGS = {"sh": "sh-fallback,sh-port", "mh": "mh-fallback,mh-port"}
NEAR, FAR = ["nat1", "nat2"], ["far1", "far2"]
TIMING = "delay_loop 2\nconnect_timeout 2\nretry 2\nwarmup 0\nalpha\n"
MARKS = (
    ("ip", MARKED[0], "tcp", 7),
    ("ip", MARKED[1], "tcp", 7),
    ("ip", MARKED[0], "udp", 8),
    ("ipv6", MARKED[2], "tcp", 9),
)
"""Version, address, protocol (port 7) and mark. The guest's nftables knows no IPv4, so tc sets them."""


def service(
    name: str, *lines: str, servers: list[str] = NEAR, port: str = "7", each: tuple[str, str] = ("", "")
) -> str:
    """A virtual_server block; ``each`` is what the first and the second real server say."""
    family = FAMILIES["IPv6" if "inet6" in " ".join(lines) else "IPv4"]
    method, net = ("NAT", family.back) if servers is NEAR else ("DR", family.front)
    words = [f"virtual_server {name} {{", f"lvs_method {method}", TIMING, *lines]
    for number, own in enumerate(each, 1):
        words.append(f"real_server {net}{10 + number} {port} {{\n{own}\nTCP_CHECK {{\nconnect_port 7\n}}\n}}")
    return "\n".join([*words, "}", ""])


@pytest.fixture(scope="module")
def site() -> Iterator[EchoSite]:
    assert has_ipvs()
    run("modprobe", "sctp")
    with Network("sched-") as network:
        site = EchoSite(network, [VIRTUAL, *MARKED])
        for last in (201, 202, 203):
            site.client.ip("address", "add", f"10.9.0.{last}/24", "dev", "eth0")
        yield site


class Running:
    """The daemon with a configuration, all services complete."""

    def __init__(self, site: EchoSite, *blocks: str, services: int = 0) -> None:
        self.site = site
        self.daemon = Daemon(site.director, "".join(blocks))
        self._services = services or len(blocks)

    def __enter__(self) -> Daemon:
        self.daemon.start()
        try:
            wait_until(self._complete, 60, "every service with its servers")
        except Exception as error:
            error.add_note(self.daemon.log()[-6000:] + ipvsadm(self.site.director, "-Ln"))
            raise
        return self.daemon

    def _complete(self) -> bool:
        table = ipvs_table(self.site.director)
        return len(table) == self._services and all(len(servers) == 2 for servers in table.values())

    def __exit__(self, *exception: object) -> None:
        assert self.daemon.stop() == 0
        assert ipvs_table(self.site.director) == {}


def ask(
    site: EchoSite, count: int, *, protocol: str = "TCP", address: str = VIRTUAL, port: int = 7, last: int = 200
) -> list[str]:
    """Who answers the client, which comes from one of its addresses."""
    source = f"fd00:9::{last}" if ":" in address else f"10.9.0.{last}"
    return answerers(site.client, protocol, address, port, count, source=source)


def test_every_scheduler_is_taken_with_its_flags_and_gives_out_clients(site: EchoSite) -> None:
    ports = {name: 1000 + number for number, name in enumerate(SCHEDULERS)}
    missing = [name for name in SCHEDULERS if run_fails("modprobe", f"ip_vs_{name}")]
    assert missing in ([], ["twos"]), "the others are as old as IPVS"
    blocks = [
        service(
            f"{VIRTUAL} {port}",
            "protocol TCP",
            f"lvs_sched {name}",
            *FLAGS.get(name, "").split(","),
            each=("weight 3", "weight 1"),
        )
        for name, port in ports.items()
    ]
    with Running(site, *blocks, services=len(blocks) - len(missing)) as daemon:
        saved = ipvsadm(site.director, "-Sn")
        answers = {}
        for name, port in ports.items():
            if name in missing:
                daemon.wait_for(f"the kernel does not know this scheduler: modprobe ip_vs_{name}")
                continue
            flags = f" -b {FLAGS[name]}" if name in FLAGS else ""
            assert f"-A -t {VIRTUAL}:{port} -s {name}{flags}\n" in saved
            answers[name] = ask(site, 8, port=port)
            print(f"{name:6} {' '.join(answers[name])}")
    for name, said in answers.items():
        assert set(said) <= set(NEAR), name
    assert Counter(answers["rr"]) == {"nat1": 4, "nat2": 4}
    assert Counter(answers["wrr"]) == {"nat1": 6, "nat2": 2}
    assert Counter(answers["fo"]) == {"nat1": 8}
    for hashed in ("dh", "lblc"):
        assert len(set(answers[hashed])) == 1, "one destination is one server"


def run_fails(*command: str) -> bool:
    """Whether a command fails."""
    try:
        run(*command)
    except Exception:  # noqa: BLE001 - whatever it is
        return True
    return False


def test_one_packet_services_give_out_every_packet(site: EchoSite) -> None:
    whole = service(f"{VIRTUAL} 7", "protocol UDP", "lvs_sched rr", servers=FAR)
    with Running(site, whole), Conversation(site.client, "UDP", VIRTUAL, 7) as client:
        assert len({client.answerer() for _ in range(4)}) == 1
    with Running(site, whole.replace("lvs_sched rr", "lvs_sched rr\nops")):
        assert f"-A -u {VIRTUAL}:7 -s rr -o\n" in ipvsadm(site.director, "-Sn")
        with Conversation(site.client, "UDP", VIRTUAL, 7) as client:
            assert Counter(client.answerer() for _ in range(8)) == {"far1": 4, "far2": 4}
    # nobody remembers whose packet it was when the answer comes back through the director
    behind_nat = service(f"{VIRTUAL} 7", "protocol UDP", "lvs_sched rr", "ops")
    with Running(site, behind_nat), Conversation(site.client, "UDP", VIRTUAL, 7, patience=0.5) as client:
        assert [client.answerer() for _ in range(2)] == ["", ""]


def test_marks_of_the_firewall_are_services(site: EchoSite) -> None:
    with site.director.inside():
        run("tc", "qdisc", "add", "dev", "eth0", "clsact")
        for version, address, protocol, mark in MARKS:
            match = ["flower", "dst_ip", address, "ip_proto", protocol, "dst_port", "7"]
            words = ["dev", "eth0", "ingress", "protocol", version, *match, "action", "skbedit", "mark", str(mark)]
            run("tc", "filter", "add", *words)
    blocks = [
        service("fwmark 7", "lvs_sched rr", servers=FAR, port=""),
        service("fwmark 8", "lvs_sched rr", servers=FAR, port=""),
        service("fwmark 9", "lvs_sched rr\nip_family inet6", servers=FAR, port=""),
    ]
    with Running(site, *blocks):
        for protocol, address in (("TCP", MARKED[0]), ("TCP", MARKED[1]), ("UDP", MARKED[0]), ("TCP", MARKED[2])):
            assert Counter(ask(site, 4, protocol=protocol, address=address)) == {"far1": 2, "far2": 2}, address
    with site.director.inside():
        run("tc", "qdisc", "delete", "dev", "eth0", "clsact")


def test_every_entry_of_a_group_is_served(site: EchoSite) -> None:
    """Addresses, a range of them, both written out, and a mark, all with the same two servers."""
    with site.director.inside():
        run("tc", "qdisc", "add", "dev", "eth0", "clsact")
        match = ["flower", "dst_ip", MARKED[0], "ip_proto", "tcp", "dst_port", "99"]
        words = ["dev", "eth0", "ingress", "protocol", "ip", *match, "action", "skbedit", "mark", "5"]
        run("tc", "filter", "add", *words)
    entries = [f"{VIRTUAL} 7", "10.9.0.101-102 8", "10.9.0.100-10.9.0.101 20", "fwmark 5"]
    group = "\n".join(["virtual_server_group all {", *entries, "}", ""])
    places = [
        (VIRTUAL, 7),
        (MARKED[0], 8),
        (MARKED[1], 8),
        (VIRTUAL, 20),
        (MARKED[0], 20),
        (MARKED[0], 99),
    ]
    block = group + service("group all", "protocol TCP", "lvs_sched rr")
    with Running(site, block, services=len(places)) as daemon:
        for address, port in places:
            assert Counter(ask(site, 4, address=address, port=port)) == {"nat1": 2, "nat2": 2}, (address, port)
        site.echoes["nat1"].kill()
        wait_until(lambda: pool(site.director) == {"10.8.0.12"}, 60, "one server for all")
        assert {name for address, port in places for name in ask(site, 2, address=address, port=port)} == {"nat2"}
        site.echoes["nat1"].start()
        daemon.wait_for("Adding service [10.8.0.11]:tcp:7 to VS [all]", 60)
        wait_until(lambda: pool(site.director) == {"10.8.0.11", "10.8.0.12"}, 60, "both servers again")
    with site.director.inside():
        run("tc", "qdisc", "delete", "dev", "eth0", "clsact")


def test_a_client_stays_with_its_server_over_ports_and_for_its_time(site: EchoSite) -> None:
    """The service of port 0 is for all ports; its clients stay, as those of a mark do if told to."""
    blocks = [
        service(f"{VIRTUAL} 0", "protocol TCP", "lvs_sched rr", servers=FAR, port="0"),
        service(f"{VIRTUAL} 7", "protocol UDP", "lvs_sched rr", "persistence_timeout 4", servers=FAR),
    ]
    with Running(site, *blocks):
        ipvsadm(site.director, "--set", "0", "0", "1")  # a UDP client is forgotten after a second, but for persistence
        assert f"-A -t {VIRTUAL}:0 -s rr -p 360\n" in ipvsadm(site.director, "-Sn")
        by_address = {last: ask(site, 4, last=last) for last in (200, 201, 202, 203)}
        assert all(len(set(said)) == 1 for said in by_address.values())
        assert Counter(said[0] for said in by_address.values()) == {"far1": 2, "far2": 2}

        [first] = ask(site, 1, protocol="UDP")
        for _ in range(4):  # longer than its time, with less than that between them
            time.sleep(1.5)
            assert ask(site, 1, protocol="UDP") == [first]
        time.sleep(8)
        [second] = ask(site, 1, protocol="UDP")
        assert {first, second} == set(FAR), "after its time it is a new client"
    ipvsadm(site.director, "--set", "0", "0", "300")


def test_granularity_makes_one_client_of_a_network(site: EchoSite) -> None:
    block = service(
        f"{VIRTUAL} 7",
        "protocol TCP",
        "lvs_sched rr",
        "persistence_timeout 60",
        "persistence_granularity 255.255.255.254",
    )
    with Running(site, block):
        assert "-p 60 -M 255.255.255.254" in ipvsadm(site.director, "-Sn")
        said = {last: ask(site, 2, last=last) for last in (200, 201, 202, 203)}
        assert said[200] == said[201]
        assert said[202] == said[203]
        assert {*said[200], *said[202]} == set(NEAR)


def test_a_full_server_gets_nobody_until_it_has_room(site: EchoSite) -> None:
    """Of a port of its own: what the kernel remembers of a server counts, though its service was gone meanwhile."""
    block = service(f"{VIRTUAL} 8", "protocol TCP", "lvs_sched rr", each=("uthreshold 2\nlthreshold 1", ""))
    with Running(site, block):
        assert "2          1" in ipvsadm(site.director, "-Ln", "--thresholds")
        held = [Conversation(site.client, "TCP", VIRTUAL, 8) for _ in range(6)]
        assert Counter(one.answerer() for one in held) == {"nat1": 2, "nat2": 4}
        for one in held:
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # an RST at its end
            one.socket.close()
        wait_until(lambda: "nat1" in ask(site, 2, port=8), 60, "room at the first server again", pause=1)
