"""Servers that die, each in its way, under a stream of requests: out in time, nothing lost afterwards, and back."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import md5

import pytest

from tests.support.lab_network import Network, has_ipvs, wait_until
from tests.support.lab_services import HEALTH, Daemon, EchoServer, Requests, ipvs_table, pool
from tests.support.lab_site import FAMILIES, EchoSite, Site, hold
from tests.support.lab_sockets import answerers, conversations, hang_up

pytestmark = [pytest.mark.lab(timeout=900), pytest.mark.long]

CONNECT_TIMEOUT, RETRY, DELAY_BEFORE_RETRY, DELAY_LOOP = 1.0, 2, 0.4, 1.0
LATE = 15.0
"""Seconds that a slow machine may add; the figures are printed."""
PER_SECOND, PATIENCE = 20, 10.0
HELD = 3.0
"""Seconds that a server stays dead. A client waits for longer: IPVS keeps what was under way when the server left."""
TIMING = (
    f"protocol TCP\nlvs_sched rr\nlvs_method NAT\nwarmup 0\ndelay_loop {DELAY_LOOP}\nretry {RETRY}\n"
    f"connect_timeout {CONNECT_TIMEOUT}\ndelay_before_retry {DELAY_BEFORE_RETRY}\n"
)
TCP = "TCP_CHECK {\n}"
STATUS = f"HTTP_GET {{\nurl {{\npath {HEALTH}\nstatus_code 200\n}}\n}}"
DIGEST = f"HTTP_GET {{\nurl {{\npath {HEALTH}\ndigest {md5(b'well').hexdigest()}\n}}\n}}"


@dataclass(frozen=True)
class Death:
    """How a server dies, what notices it, and whether its clients do."""

    check: str
    strike: Callable[[Site], None]
    mend: Callable[[Site], None]
    silent: bool = False
    whole_pages: bool = False

    def latest(self) -> float:
        """Seconds from the death to the end of the check that is believed, when it just missed one."""
        try_takes = CONNECT_TIMEOUT if self.silent else 0
        return DELAY_LOOP + (RETRY + 1) * try_takes + RETRY * DELAY_BEFORE_RETRY

    def back_within(self) -> float:
        """Seconds from the return to its notice: HTTP_GET wants to see it twice."""
        under_way = CONNECT_TIMEOUT if self.silent else 0
        return under_way + DELAY_LOOP * (1 if self.check == TCP else 2)


DEATHS = {
    "killed": Death(TCP, lambda site: site.web["web2"].kill(), lambda site: site.web["web2"].start()),
    "silent": Death(
        TCP,
        lambda site: site.web["web2"].host.cable(plugged=False),
        lambda site: site.web["web2"].host.cable(plugged=True),
        silent=True,
    ),
    "error 500": Death(
        STATUS,
        lambda site: site.web["web2"].break_health(error=True),
        lambda site: site.web["web2"].break_health(),
        whole_pages=True,
    ),
    "wrong digest": Death(
        DIGEST,
        lambda site: site.web["web2"].break_health(wrong_text=True),
        lambda site: site.web["web2"].break_health(),
        whole_pages=True,
    ),
}


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    assert has_ipvs()
    with Network("dead-") as network:
        yield network


@pytest.fixture(scope="module")
def site(network: Network) -> Site:
    return Site(network, "NAT", FAMILIES["IPv4"])


def await_pool(site: Site, *names: str) -> float:
    """Wait for exactly these servers; the instant."""
    wanted = {site.addresses[name] for name in names}
    wait_until(lambda: pool(site.director) == wanted, 60, f"a pool of {names}", pause=0.02)
    return time.monotonic()


def web_service(site: Site, names: list[str], check: str, *lines: str, each: str = "") -> str:
    """A service of some of the web servers."""
    servers = [f"real_server {site.addresses[name]} 80 {{\n{each}\n{check}\n}}" for name in names]
    return "\n".join([f"virtual_server {site.family.virtual} 80 {{", TIMING, *lines, *servers, "}", ""])


@pytest.mark.parametrize("kind", DEATHS)
def test_a_dead_server_leaves_in_time_and_comes_back(site: Site, kind: str) -> None:
    death = DEATHS[kind]
    daemon = Daemon(site.director, web_service(site, ["web1", "web2", "web3"], death.check, "alpha"))
    daemon.start()
    await_pool(site, "web1", "web2", "web3")
    requests = Requests(site.client, site.family.virtual, PER_SECOND, PATIENCE)
    wait_until(lambda: len(requests.so_far()) > 3 * PER_SECOND, 60, "requests")

    struck_at = time.monotonic()
    death.strike(site)
    gone_at = await_pool(site, "web1", "web3")
    time.sleep(HELD)
    mended_at = time.monotonic()
    death.mend(site)
    back_at = await_pool(site, "web1", "web2", "web3")
    time.sleep(1)
    asked = requests.end()
    assert daemon.stop() == 0

    failed = [one.began for one in asked if one.page == "-"]
    while_gone = {one.page for one in asked if gone_at <= one.began < mended_at}
    print(
        f"{kind}: out after {gone_at - struck_at:.2f} s (at the latest {death.latest():.2f}), back after"
        f" {back_at - mended_at:.2f} s ({death.back_within():.2f}); {len(asked)} requests, {len(failed)} failed,"
        f" {sum(began > gone_at for began in failed)} of them later"
    )
    assert RETRY * DELAY_BEFORE_RETRY <= gone_at - struck_at <= death.latest() + LATE
    assert back_at - mended_at <= death.back_within() + LATE
    assert while_gone == {"web1", "web3"}
    assert all(struck_at - HELD <= began <= gone_at for began in failed)
    assert not (death.whole_pages and failed)
    assert "web2" in {one.page for one in asked if one.began > back_at}


@pytest.mark.parametrize("inhibit", ["", "sorry_server_inhibit"], ids=["sorry server", "sorry server inhibited"])
def test_the_sorry_server_steps_in_and_out_under_load(site: Site, inhibit: str) -> None:
    """With a quorum of both: one that dies takes the other out of the pool."""
    lines = ["quorum 2", f"sorry_server {site.addresses['web3']} 80", inhibit, "alpha"]
    daemon = Daemon(site.director, web_service(site, ["web1", "web2"], TCP, *lines))
    daemon.start()
    await_pool(site, "web1", "web2")
    requests = Requests(site.client, site.family.virtual, PER_SECOND, PATIENCE)
    wait_until(lambda: len(requests.so_far()) > 3 * PER_SECOND, 60, "requests")

    struck_at = time.monotonic()
    site.web["web2"].kill()
    sorry_at = await_pool(site, "web3")
    daemon.wait_for("Lost quorum 2-0=2 > 1 for VS")
    time.sleep(2)
    site.web["web2"].start()
    back_at = await_pool(site, "web1", "web2")
    time.sleep(2)
    weights = {server: row.weight for server, row in ipvs_table(site.director)[site.family.service()].items()}
    asked = requests.end()
    assert daemon.stop() == 0

    failed = [one.began for one in asked if one.page == "-"]
    print(f"sorry server after {sorry_at - struck_at:.2f} s; {len(asked)} requests, {len(failed)} failed")
    assert {one.page for one in asked if sorry_at < one.began < back_at - 1} == {"web3"}
    assert {one.page for one in asked if one.began > back_at} == {"web1", "web2"}
    # one that the sorry server was about to answer when it left is lost, as IPVS loses it; inhibited it stays for those
    lost = [began for began in failed if not struck_at - HELD <= began <= sorry_at]
    assert len(lost) <= (0 if inhibit else 1)
    assert all(back_at - 1 < began <= back_at for began in lost)
    sorry = {f"{site.addresses['web3']}:80": 0} if inhibit else {}
    assert weights == {f"{site.addresses['web1']}:80": 1, f"{site.addresses['web2']}:80": 1, **sorry}


# established connections

VIRTUAL = "10.9.0.150"
HEALTH_PORT = 9


@pytest.fixture(scope="module")
def echo_site() -> Iterator[EchoSite]:
    with Network("drain-") as network:
        site = EchoSite(network, [])
        hold(site.director, "eth0", VIRTUAL)
        yield site


def echo_service(check: str, first: str = "", second: str = "") -> str:
    """Two servers behind NAT; ``first`` and ``second`` are their own lines."""
    lines = [f"virtual_server {VIRTUAL} 7 {{", TIMING]
    for number, own in ((1, first), (2, second)):
        lines.append(f"real_server {FAMILIES['IPv4'].back}{10 + number} 7 {{\n{own}\n{check}\n}}")
    return "\n".join([*lines, "}", ""])


def answers(site: EchoSite, count: int = 4) -> set[str]:
    """Who answers new clients."""
    return set(answerers(site.client, "TCP", VIRTUAL, 7, count))


def test_a_weight_of_0_drains_without_cutting(echo_site: EchoSite) -> None:
    site = echo_site
    daemon = Daemon(site.director, echo_service(TCP))
    daemon.start()
    wait_until(lambda: len(pool(site.director)) == 2, 60, "both servers")
    held = conversations(site.client, VIRTUAL, 7, {"nat1", "nat2"})

    daemon.reload(echo_service(TCP, first="weight 0"))
    wait_until(lambda: pool(site.director) == {"10.8.0.12"}, 30, "no weight")
    for _ in range(3):
        assert held["nat1"].answerer() == "nat1"
        assert held["nat2"].answerer() == "nat2"
        assert answers(site) == {"nat2"}
    daemon.reload(echo_service(TCP))
    wait_until(lambda: len(pool(site.director)) == 2, 30, "both servers")
    assert held["nat1"].answerer() == "nat1"
    assert answers(site) == {"nat1", "nat2"}
    hang_up(held)
    assert daemon.stop() == 0


@pytest.mark.parametrize("inhibit", [True, False], ids=["inhibited", "removed"])
def test_connections_of_a_server_that_fails_its_checks(echo_site: EchoSite, inhibit: bool) -> None:
    """Inhibited, it serves those it has. Removed, they wait, and go on when it is back: so IPVS does."""
    site = echo_site
    health = EchoServer(site.network.hosts["nat1"], HEALTH_PORT, "10.8.0.11")
    other = EchoServer(site.network.hosts["nat2"], HEALTH_PORT, "10.8.0.12")
    health.start()
    other.start()
    check = f"TCP_CHECK {{\nconnect_port {HEALTH_PORT}\n}}"
    own = "inhibit_on_failure" if inhibit else ""
    daemon = Daemon(site.director, echo_service(check, own, own))
    daemon.start()
    wait_until(lambda: len(pool(site.director)) == 2, 60, "both servers")
    held = conversations(site.client, VIRTUAL, 7, {"nat1", "nat2"})

    health.kill()
    wait_until(lambda: pool(site.director) == {"10.8.0.12"}, 30, "one server")
    assert held["nat1"].answerer("while down") == ("nat1" if inhibit else "")
    assert held["nat2"].answerer() == "nat2"
    assert answers(site) == {"nat2"}
    health.start()
    wait_until(lambda: len(pool(site.director)) == 2, 30, "both servers")
    if not inhibit:
        held["nat1"].socket.settimeout(30)
        assert held["nat1"].socket.recv(100) == b"nat1 while down", "what was sent meanwhile has arrived in the end"
    assert held["nat1"].answerer() == "nat1"
    hang_up(held)
    assert daemon.stop() == 0
    for server in (health, other):
        server.kill()
