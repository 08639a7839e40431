"""What connections see when the daemon, or a part of it, ends and is started again: by plan or by a crash.

Run with LAB_DAEMON naming keepalived, the same steps are printed and not judged.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab_netlink import IpvsTap
from tests.support.lab_network import Network, has_ipvs, wait_until
from tests.support.lab_services import Daemon, connections, ipvs_table
from tests.support.lab_site import FAMILIES, EchoSite, hold
from tests.support.lab_sockets import answerers, conversations, hang_up

pytestmark = [pytest.mark.lab(timeout=900), pytest.mark.long]

OTHER = "LAB_DAEMON" in os.environ
VIRTUAL, PORT = "10.9.0.100", 7
SERVERS = {"nat1": "10.8.0.11", "nat2": "10.8.0.12"}
FILE = "\n".join(
    [
        f"virtual_server {VIRTUAL} {PORT} {{\nprotocol TCP\nlvs_sched rr\nlvs_method NAT",
        "delay_loop 1\nconnect_timeout 1\nretry 1\ndelay_before_retry 0.5\nwarmup 0",
        *(f"real_server {address} {PORT} {{\nTCP_CHECK {{\n}}\n}}" for address in SERVERS.values()),
        "}\n",
    ]
)


@pytest.fixture(scope="module")
def site() -> Iterator[EchoSite]:
    assert has_ipvs()
    with Network("again-") as network:
        site = EchoSite(network, [])
        hold(site.director, "eth0", VIRTUAL)
        yield site


class Story:
    """A daemon with a conversation to each server, and what is seen at each step."""

    def __init__(self, site: EchoSite, *options: str) -> None:
        assert FAMILIES["IPv4"].virtual == VIRTUAL
        self.site = site
        self.daemon = Daemon(site.director, FILE, *options)
        self.start()
        self.held = conversations(site.client, VIRTUAL, PORT, SERVERS)
        wait_until(lambda: sum(self.counters().values()) >= len(SERVERS), 10, "the kernel's counters")
        self.counted = self.counters()

    def counters(self) -> dict[str, int]:
        """Connections that each server was given since it is in the table."""
        return connections(self.site.director).get(f"TCP {VIRTUAL}:{PORT}", {})

    def start(self) -> None:
        """Start the daemon and wait until it has judged both servers, which are in the table then."""
        logged = len(self.daemon.log())
        self.daemon.start()
        self.daemon.wait_for("Gained quorum", 60, logged)
        for address in SERVERS.values():
            self.daemon.wait_for(f"TCP connection to [{address}]:tcp:{PORT} success", 60, logged)
        wait_until(
            lambda: [len(servers) for servers in ipvs_table(self.site.director).values()] == [2], 60, "both servers"
        )

    def seen(self, step: str) -> dict[str, bool]:
        """What is seen now."""
        facts = {
            "talks go on": [one.answerer() for one in self.held.values()] == list(self.held),
            "new clients are served": "" not in answerers(self.site.client, "TCP", VIRTUAL, PORT, 4, patience=1),
            "the table stands": [len(servers) for servers in ipvs_table(self.site.director).values()] == [2],
        }
        print(f"{step}: {', '.join(fact for fact, holds in facts.items() if holds) or 'nothing'}")
        return facts

    def end(self) -> None:
        """Leave a clean table."""
        hang_up(self.held)
        if not self.daemon.ended():
            self.daemon.stop()
        self.daemon = Daemon(self.site.director, FILE)  # the other may have been told to leave it
        self.start()
        self.daemon.stop()


@contextlib.contextmanager
def story(site: EchoSite, *options: str) -> Iterator[Story]:
    told = Story(site, *options)
    try:
        yield told
    except Exception as error:
        error.add_note(told.daemon.log()[-6000:])
        raise
    finally:
        told.end()


ALL_IS_WELL = {"talks go on": True, "new clients are served": True, "the table stands": True}


def test_a_checker_process_that_is_killed_costs_nothing(site: EchoSite) -> None:
    with story(site) as told, IpvsTap(site.director) as tap:
        first = told.daemon.checker_pid()
        os.kill(first, signal.SIGKILL)
        killed = told.seen("checker process killed")
        wait_until(lambda: told.daemon.checker_pid() not in {0, first}, 60, "another checker process")
        wait_until(lambda: told.daemon.log().count("Activating healthchecker") >= 4, 60, "its checks")
        again = told.seen("checker process started again")
        orders = tap.orders()
        print(f"orders: {dict(orders)}")
        if not OTHER:
            assert killed == again == ALL_IS_WELL
            assert not orders


def test_a_restart_that_leaves_the_table_costs_nothing(site: EchoSite) -> None:
    with story(site, "-I") as told, IpvsTap(site.director) as tap:
        assert told.daemon.stop() == 0
        away = told.seen("stopped with -I")
        told.start()
        again = told.seen("started again")
        orders = tap.orders()
        print(f"orders: {dict(orders)}")
        if not OTHER:
            assert away == again == ALL_IS_WELL
            assert not orders
            assert all(count >= told.counted[server] for server, count in told.counters().items())


def nat2_is_quiet_until_the_start(told: Story) -> None:
    """With its last service IPVS leaves the packets' way: who speaks to the virtual address meanwhile is reset."""
    quiet = told.held.pop("nat2")
    away = told.seen("stopped")
    told.start()
    hang_up(told.held)
    told.held = {**conversations(told.site.client, VIRTUAL, PORT, ["nat1"]), "nat2": quiet}
    assert away == dict.fromkeys(ALL_IS_WELL, False)
    assert told.seen("started again") == ALL_IS_WELL


def test_a_restart_is_survived_by_who_is_quiet(site: EchoSite) -> None:
    with story(site) as told:
        assert told.daemon.stop() == 0
        nat2_is_quiet_until_the_start(told)


def test_a_parent_that_is_killed_takes_the_table_along(site: EchoSite) -> None:
    """As keepalived: its children see it, and leave in good order; whoever wants it to stand says -I."""
    with story(site) as told:
        assert told.daemon.process is not None
        told.daemon.process.kill()
        told.daemon.process.wait()
        wait_until(lambda: not ipvs_table(site.director), 30, "an empty table")
        nat2_is_quiet_until_the_start(told)


def test_a_parent_that_is_killed_leaves_the_table_if_told_so(site: EchoSite) -> None:
    with story(site, "-I") as told, IpvsTap(site.director) as tap:
        assert told.daemon.process is not None
        checkers = told.daemon.checker_pid()
        told.daemon.process.kill()
        told.daemon.process.wait()
        wait_until(lambda: not Path(f"/proc/{checkers}").exists(), 30, "its children's end")
        away = told.seen("parent killed, with -I")
        told.start()
        again = told.seen("started again")
        orders = tap.orders()
        print(f"orders: {dict(orders)}")
        if not OTHER:
            assert away == again == ALL_IS_WELL
            assert not orders
