"""A reload changes what differs and nothing else: a download runs through fifty of them."""

import hashlib
import os
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.lab_netlink import IpvsTap
from tests.support.lab_network import Network, has_ipvs, wait_until
from tests.support.lab_services import Daemon, connections, ipvs_table
from tests.support.lab_site import FAMILIES, Site
from tests.support.lab_sockets import Conversation

pytestmark = [pytest.mark.lab(timeout=900), pytest.mark.long]

RELOADS = 50
SIZE = 24 << 20
PACE = 0.08
"""Seconds between two reads of 16 KiB while there are reloads; then the rest is read at once."""
DONE = "Reload complete"


@pytest.fixture
def site() -> Iterator[Site]:
    assert has_ipvs()
    with Network("reload-") as network:
        yield Site(network, "NAT", FAMILIES["IPv4"])


class Download(threading.Thread):
    """A client that takes its time with a file, until told to hurry."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.hurry = threading.Event()
        self.digest = hashlib.sha256()
        self.received = 0
        self.error = ""
        self._conversation = Conversation(site.client, "TCP", site.family.virtual, 80, patience=60)
        self._conversation.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._conversation.socket.sendall(b"GET /files/big HTTP/1.0\r\n\r\n")

    def run(self) -> None:
        """Read to the end."""
        head = b""
        try:
            with self._conversation as conversation:
                while b"\r\n\r\n" not in head:
                    head += conversation.socket.recv(1)
                while part := conversation.socket.recv(16384):
                    self.digest.update(part)
                    self.received += len(part)
                    self.hurry.wait(PACE)
        except OSError as error:
            self.error = str(error)


def changes(site: Site) -> Iterator[tuple[str, Counter[str]]]:
    """A configuration after another, and the orders that lead there from the one before. web1 is in all of them."""
    weight, third, second, scheduler, delay = 1, False, False, "rr", 1
    other = site.virtual_server("web2", "web3").replace(" 80 {", " 81 {", 1)
    for number in range(RELOADS):
        expected: Counter[str] = Counter()
        match number % 8:
            case 0:
                weight = 3 - weight
                expected["SET_DEST"] = 1
            case 1:
                third = True
                expected["NEW_DEST"] = 1
            case 2:
                second = True
                expected.update({"NEW_SERVICE": 1, "NEW_DEST": 2})
            case 3:
                delay = 3 - delay
            case 4:
                scheduler = "wrr" if scheduler == "rr" else "rr"
                expected["SET_SERVICE"] = 1
            case 5:
                third = False
                expected["DEL_DEST"] = 1
            case 6:
                second = False
                expected["DEL_SERVICE"] = 1
            case _:
                pass  # the same file
        names = ["web1", "web2", "web3"] if third else ["web1", "web2"]
        block = site.virtual_server(*names, weights={"web2": weight})
        block = block.replace("lvs_sched rr", f"lvs_sched {scheduler}").replace("delay_loop 1", f"delay_loop {delay}")
        yield block + (other if second else ""), expected


def reload(daemon: Daemon, configuration: str) -> None:
    """Reload, and wait for its end."""
    logged = len(daemon.log())
    daemon.reload(configuration)
    daemon.wait_for(DONE, 60, logged)


@pytest.mark.skipif("LAB_DAEMON" in os.environ, reason="counts the orders of pykeepalived")
def test_a_download_runs_through_fifty_reloads(site: Site) -> None:
    content = os.urandom(SIZE)
    for web in site.web.values():
        (web.files / "big").write_bytes(content)
    daemon = Daemon(site.director, site.virtual_server("web1"))
    daemon.start()
    site.await_pool("web1", seconds=60)
    download = Download(site)  # which web1 serves: nobody else is there
    download.start()
    reload(daemon, site.virtual_server("web1", "web2"))
    site.await_pool("web1", "web2")

    try:
        with IpvsTap(site.director) as tap:
            for configuration, expected in changes(site):
                reload(daemon, configuration)
                table = ipvs_table(site.director)
                assert tap.orders() == expected, configuration
                assert len(table) == configuration.count("virtual_server ")
                assert "" not in site.answers(2)
        received = download.received
    finally:
        download.hurry.set()
        download.join(300)
        print(
            f"{RELOADS} reloads while {received} of {download.received} bytes came; nothing was ordered but the changes"
        )

    assert 0 < received < SIZE, "it was under way all the time"
    assert download.error == ""
    assert download.digest.digest() == hashlib.sha256(content).digest()
    web1 = f"{site.addresses['web1']}:80"
    wait_until(
        lambda: connections(site.director)[site.family.service()][web1] > RELOADS / 2, 10, "web1's counters kept"
    )
    assert daemon.stop() == 0
