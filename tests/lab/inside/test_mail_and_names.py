"""A mail service and a name service of packaged servers, checked as what they are, with clients at their address."""

import socket
import struct
from collections.abc import Iterator

import pytest

from tests.support.lab_network import Network, has_ipvs, wait_until
from tests.support.lab_services import Daemon, DnsServer, Server, SmtpServer, ipvs_table, pool
from tests.support.lab_site import FAMILIES, EchoSite, hold
from tests.support.lab_sockets import Conversation

pytestmark = [pytest.mark.lab(timeout=900), pytest.mark.long]

VIRTUAL = "10.9.0.100"
SERVERS = {"nat1": "10.8.0.11", "nat2": "10.8.0.12"}
TIMING = (
    "lvs_sched rr\nlvs_method NAT\nalpha\nwarmup 0\ndelay_loop 1\nconnect_timeout 1\nretry 1\ndelay_before_retry 0.5"
)
CHECKS = {
    ("TCP", 25): "SMTP_CHECK {\nhelo_name director.example.org\n}",
    ("UDP", 53): "DNS_CHECK {\nname www.example.org\ntype A\n}",
    ("UDP", 7): "UDP_CHECK {\npayload 68656c6c6f\nrequire_reply\n}",
}
QUESTION = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01"


@pytest.fixture(scope="module")
def site() -> Iterator[EchoSite]:
    assert has_ipvs()
    with Network("mail-") as network:
        site = EchoSite(network, [])
        hold(site.director, "eth0", VIRTUAL)
        yield site


def mail_is_taken(site: EchoSite) -> bool:
    """A client hands a mail over, line by line."""
    said = b"HELO client.example.org\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n"
    replies = b""
    with Conversation(site.client, "TCP", VIRTUAL, 25) as client:
        replies += client.socket.recv(1024)[:3]
        for line in (*said, b"Subject: hello\r\n\r\nhello\r\n.\r\n", b"QUIT\r\n"):
            client.socket.sendall(line)
            replies += client.socket.recv(1024)[:3]
    return replies == b"220250250250354250221"


def name_is_known(site: EchoSite) -> bool:
    """A client asks for www.example.org and is told 192.0.2.1."""
    with Conversation(site.client, "UDP", VIRTUAL, 53) as client:
        client.socket.send(QUESTION)
        answer = client.socket.recv(512)
    identity, flags, _, answers = struct.unpack_from("!4H", answer)
    return (identity, flags & 0x800F, answers) == (0x1234, 0x8000, 1) and socket.inet_aton("192.0.2.1") in answer


def echo_comes(site: EchoSite) -> bool:
    """A client hears its word again."""
    with Conversation(site.client, "UDP", VIRTUAL, 7) as client:
        return client.answerer() in SERVERS


CLIENTS = {("TCP", 25): mail_is_taken, ("UDP", 53): name_is_known, ("UDP", 7): echo_comes}


def server(site: EchoSite, name: str, service: tuple[str, int]) -> Server:
    """One of the servers of a service."""
    host = site.network.hosts[name]
    match service[1]:
        case 25:
            return SmtpServer(host, SERVERS[name])
        case 53:
            return DnsServer(host, SERVERS[name])
        case _:
            return site.echoes[name]


@pytest.mark.parametrize("service", CHECKS, ids=lambda each: f"{each[0]} {each[1]}")
def test_a_service_is_checked_in_its_own_language(site: EchoSite, service: tuple[str, int]) -> None:
    assert FAMILIES["IPv4"].virtual == VIRTUAL
    protocol, port = service
    running = {name: server(site, name, service) for name in SERVERS}
    for each in running.values():
        if not each.listens():
            each.start()
    blocks = [f"real_server {address} {port} {{\n{CHECKS[service]}\n}}" for address in SERVERS.values()]
    lines = [f"virtual_server {VIRTUAL} {port} {{", f"protocol {protocol}", TIMING, *blocks, "}", ""]
    daemon = Daemon(site.director, "\n".join(lines))
    daemon.start()
    ask = CLIENTS[service]
    try:
        wait_until(lambda: pool(site.director) == set(SERVERS.values()), 60, "both servers")
        assert all(ask(site) for _ in range(4))
        running["nat1"].kill()
        wait_until(lambda: pool(site.director) == {SERVERS["nat2"]}, 60, "one server")
        assert all(ask(site) for _ in range(4))
        running["nat1"].start()
        wait_until(lambda: pool(site.director) == set(SERVERS.values()), 60, "both servers again")
        assert all(ask(site) for _ in range(4))
    except Exception as error:
        error.add_note(daemon.log()[-6000:])
        raise
    finally:
        code = daemon.stop()
    assert code == 0
    assert ipvs_table(site.director) == {}
