"""What belongs to IPVS beside its pool, in a kernel that has it: sync daemons, timeouts, another network namespace, and
what other programs do to the table.
"""

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from tests.support.lab import required
from tests.support.lab_network import Host, Network, NetworkError, has_ipvs, run, wait_until
from tests.support.lab_services import Daemon, Requests, WebServer, ipvs_table, pages

pytestmark = [pytest.mark.lab(timeout=900), pytest.mark.long]

PATIENCE = 60
PASS = 150  # the table is looked at once a minute
INSTANCE = (
    "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nadvert_int 1\nvirtual_ipaddress {\n10.9.0.50\n}\n}\n"
)
SERVICE = "TCP 10.9.0.50:80"
KEEPALIVED = "LAB_DAEMON" in os.environ


def servers(*last: int, extra: str = "", port: int = 80) -> str:
    lines = "".join(f"real_server 10.8.0.{each} 80 {{\n}}\n" for each in last)
    head = f"virtual_server 10.9.0.50 {port} {{\nprotocol TCP\nlvs_sched rr\nlvs_method NAT\ndelay_loop 10\n"
    return f"{head}{extra}\n{lines}}}\n"


def global_defs(*lines: str) -> str:
    return "global_defs {\n" + "\n".join(lines) + "\n}\n"


@pytest.fixture
def network() -> Iterator[Network]:
    assert has_ipvs()
    for module in ("ip_vs_rr", "ip_vs_wlc"):
        run("modprobe", module)
    with Network("care-") as network:
        network.switch("lan")
        yield network


@pytest.fixture
def host(network: Network) -> Host:
    host = network.host("director")
    host.attach("lan", "eth0", "10.9.0.1/24")
    host.attach("lan", "eth1", "10.9.1.1/24")
    return host


def ipvsadm(host: Host, *words: str) -> str:
    return host.run(required("ipvsadm"), *words)


def daemons(host: Host) -> dict[str, str]:
    """The sync daemons: ``master`` to the rest of the line."""
    found = re.findall(r"^(master|backup) sync daemon \((.*)\)", ipvsadm(host, "-Ln", "--daemon"), re.MULTILINE)
    return dict(found)


def timeouts(host: Host) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", ipvsadm(host, "-Ln", "--timeout"))]


def await_daemons(host: Host, *states: str, seconds: float = PATIENCE) -> None:
    wait_until(lambda: sorted(daemons(host)) == sorted(states), seconds, f"the sync daemons {states}")


@pytest.mark.keyword("global_defs.lvs_sync_daemon")
def test_the_sync_daemon_follows_its_instance(host: Host) -> None:
    settings = "lvs_sync_daemon eth0 VI_1 id 5 maxlen 1000 port 8850 ttl 3 group 224.0.0.99"
    daemon = Daemon(host, global_defs(settings) + INSTANCE + servers(1))
    daemon.start()
    await_daemons(host, "backup")
    daemon.wait_for("Entering MASTER STATE", PATIENCE)
    await_daemons(host, "master")
    assert daemons(host)["master"] == "mcast=eth0, syncid=5, maxlen=1000, group=224.0.0.99, port=8850, ttl=3"
    if not KEEPALIVED:
        (vrrp,) = re.findall(r"\d+", (daemon.folder / "vrrp.pid").read_text())
        os.kill(int(vrrp), signal.SIGKILL)
        await_daemons(host, "backup")
        await_daemons(host, "master")
        before = len(daemon.log())
        daemon.reload(global_defs(settings.replace("id 5", "id 6")) + INSTANCE + servers(1))
        daemon.wait_for("Reload complete", PATIENCE, before)
        wait_until(lambda: "syncid=6" in daemons(host).get("master", ""), PATIENCE, "another syncid")
        host.ip("link", "set", "eth0", "down")
        await_daemons(host, "backup")
    assert daemon.stop() == 0
    assert daemons(host) == {}


def test_without_an_instance_both_run_until_the_stop(host: Host) -> None:
    daemon = Daemon(host, global_defs("lvs_sync_daemon eth1 id 7", "lvs_timeouts tcp 901 udp 301") + servers(1))
    assert timeouts(host) == [900, 120, 300]
    daemon.start()
    await_daemons(host, "master", "backup")
    assert all(each.startswith("mcast=eth1, syncid=7, ") for each in daemons(host).values())
    assert timeouts(host) == [901, 120, 301]
    if not KEEPALIVED:
        time.sleep(3)  # what is missing just after a start is started without a word
        ipvsadm(host, "--stop-daemon", "master")
        await_daemons(host, "master", "backup", seconds=PASS)
        daemon.wait_for("sync daemon (master) was stopped by somebody else")
        daemon.reload(servers(1))
        await_daemons(host)
        wait_until(lambda: timeouts(host) == [900, 120, 300], PATIENCE, "the kernel's timeouts")
    assert daemon.stop() == 0
    assert daemons(host) == {}
    assert timeouts(host) == [900, 120, 300]


def test_a_missing_interface_is_said_once_and_waited_for(host: Host) -> None:
    daemon = Daemon(host, global_defs("lvs_sync_daemon late0 id 7") + servers(1))
    daemon.start()
    daemon.wait_for("error: No such device(19)", PATIENCE)
    host.ip("link", "add", "late0", "type", "veth", "peer", "name", "late1")
    host.ip("link", "set", "late0", "up")
    host.ip("address", "add", "10.9.2.1/24", "dev", "late0")
    await_daemons(host, "master", "backup", seconds=PASS)
    assert daemon.log().count("NEW_DAEMON(9) error: No such device(19) for the sync daemon (master)") == 1
    assert daemon.stop() == 0


def test_what_others_do_to_our_services_is_put_right_and_theirs_is_left(host: Host) -> None:
    daemon = Daemon(host, servers(1, 2, 3) + servers(4, port=81) + servers(5, port=82))
    daemon.start()
    wait_until(lambda: len(ipvs_table(host)) == 3, PATIENCE, "the table")
    ours = ipvs_table(host)
    ipvsadm(host, "-e", "-t", "10.9.0.50:80", "-r", "10.8.0.1:80", "-m", "-w", "55")
    ipvsadm(host, "-d", "-t", "10.9.0.50:80", "-r", "10.8.0.2:80")
    ipvsadm(host, "-a", "-t", "10.9.0.50:80", "-r", "10.8.0.99:80", "-m")
    ipvsadm(host, "-D", "-t", "10.9.0.50:81")
    ipvsadm(host, "-E", "-t", "10.9.0.50:82", "-s", "wlc")
    ipvsadm(host, "-A", "-t", "10.9.0.99:80", "-s", "rr")
    wait_until(lambda: ipvs_table(host) == {**ours, "TCP 10.9.0.99:80": {}}, PASS, "the table as it was")
    for text in (
        "[10.8.0.1]:tcp:80 of VS [10.9.0.50]:tcp:80 was changed by somebody else: weight is 55, shall be 1",
        "[10.8.0.2]:tcp:80 was removed from VS [10.9.0.50]:tcp:80 by somebody else: it is added again",
        "[10.8.0.99]:tcp:80 was added to VS [10.9.0.50]:tcp:80 by somebody else",
        "VS [10.9.0.50]:tcp:81 was removed by somebody else: it is added again",
        "VS [10.9.0.50]:tcp:82 was changed by somebody else: lvs_sched is wlc, shall be rr",
    ):
        daemon.wait_for(text, PASS)
        assert daemon.log().count(text) == 1, text
    wait_until(lambda: "-t 10.9.0.50:82 -s rr" in ipvsadm(host, "-Sn"), PATIENCE, "the scheduler")
    assert daemon.stop() == 0
    assert ipvs_table(host) == {"TCP 10.9.0.99:80": {}}


def test_a_crashed_daemon_s_table_is_taken_over(host: Host) -> None:
    first = Daemon(host, servers(1, 2) + servers(3, port=81))
    first.start()
    wait_until(lambda: len(ipvs_table(host)) == 2, PATIENCE, "the table")
    assert first.process is not None
    (checkers,) = re.findall(r"\d+", (first.folder / "checkers.pid").read_text())
    for pid in (first.process.pid, *_children(first.process.pid), int(checkers)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    for pid in (*_children(first.process.pid), int(checkers), first.process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    first.process.wait()
    ipvsadm(host, "-e", "-t", "10.9.0.50:80", "-r", "10.8.0.1:80", "-m", "-w", "9")
    again = Daemon(host, servers(1, 4))
    again.start()
    wait_until(lambda: set(ipvs_table(host)[SERVICE]) == {"10.8.0.1:80", "10.8.0.4:80"}, PATIENCE, "the new pool")
    assert ipvs_table(host)[SERVICE]["10.8.0.1:80"].weight == 1
    again.wait_for("IPVS: left alone, for the file does not name them: [10.9.0.50]:tcp:81")
    assert "error" not in again.log()
    assert again.stop() == 0
    assert set(ipvs_table(host)) == {"TCP 10.9.0.50:81"}


def _children(pid: int) -> list[int]:
    with contextlib.suppress(NetworkError):
        return [int(each) for each in run("pgrep", "-P", str(pid)).split()]
    return []


@pytest.mark.keyword("net_namespace_ipvs")
def test_the_table_of_another_network_namespace(network: Network, host: Host) -> None:
    other = network.host("other")
    other.attach("lan", "eth5", "10.9.3.1/24")
    text = f"net_namespace_ipvs {other.namespace}\n" + global_defs("lvs_sync_daemon eth5 VI_1", "lvs_timeouts tcp 905")
    daemon = Daemon(host, text + INSTANCE + servers(1, 2))
    daemon.start()
    wait_until(lambda: SERVICE in ipvs_table(other), PATIENCE, "the table elsewhere")
    await_daemons(other, "master")
    assert daemons(other)["master"].startswith("mcast=eth5, syncid=51,")
    assert timeouts(other) == [905, 120, 300]
    assert (ipvs_table(host), daemons(host), timeouts(host)) == ({}, {}, [900, 120, 300])
    wait_until(lambda: "10.9.0.50" in host.addresses(), PATIENCE, "the address here")
    assert daemon.stop() == 0
    assert (ipvs_table(other), daemons(other), timeouts(other)) == ({}, {}, [900, 120, 300])


@pytest.mark.keyword("net_namespace_ipvs")
@pytest.mark.skipif(KEEPALIVED, reason="keepalived stays in the namespace that is deleted")
def test_a_namespace_that_is_made_anew_gets_the_table(network: Network, host: Host) -> None:
    other = network.host("other")
    text = f"net_namespace_ipvs {other.namespace}\n" + global_defs("lvs_timeouts tcp 905")
    daemon = Daemon(host, text + INSTANCE + servers(1, 2))
    daemon.start()
    wait_until(lambda: SERVICE in ipvs_table(other), PATIENCE, "the table elsewhere")
    wait_until(lambda: "10.9.0.50" in host.addresses(), PATIENCE, "the address here")
    run("ip", "netns", "delete", other.namespace)
    run("ip", "netns", "add", other.namespace)
    other.ip("link", "set", "lo", "up")
    other.ip("address", "add", "10.8.0.254/24", "dev", "lo")  # without a route the kernel takes no real server
    both = {"10.8.0.1:80", "10.8.0.2:80"}
    wait_until(lambda: set(ipvs_table(other).get(SERVICE, {})) == both, PASS, "the table in the new one")
    assert timeouts(other) == [905, 120, 300]
    assert ipvs_table(host) == {}
    assert "another network namespace has this name now" in daemon.log()
    assert "Entering BACKUP" not in daemon.log().rpartition("Entering MASTER")[2]
    assert daemon.stop() == 0
    assert ipvs_table(other) == {}


@pytest.mark.keyword("global_defs.nftables_ipvs")
@pytest.mark.parametrize("version", [4, 6])
def test_a_group_of_addresses_is_served_by_its_mark_or_address_by_address(
    network: Network, host: Host, version: int
) -> None:
    """The guest's nftables does not know every family: then the addresses themselves are served, and it is said."""
    net, length = ("10.9.0.", 24) if version == 4 else ("fd00:9::", 64)
    client, web = network.host("client"), network.host("web1")
    for number, each in ((200, client), (11, web)):
        each.attach("lan", "eth0", f"{net}{number}/{length}")
    if version == 6:
        host.ip("address", "add", "fd00:9::1/64", "dev", "eth0", "nodad")
    for last in (100, 101, 102):
        for each, link in ((host, "eth0"), (web, "lo")):
            extra = ["nodad", "preferred_lft", "0"] if version == 6 else []
            each.ip("address", "add", f"{net}{last}/{32 if version == 4 else 128}", "dev", link, *extra)
    web.sysctl("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
    server = WebServer(web)
    server.start()
    text = global_defs("nftables_ipvs") + f"virtual_server_group web {{\n{net}100-101 80\n{net}102\n}}\n"
    text += "virtual_server group web {\nprotocol TCP\nlvs_sched rr\nlvs_method DR\npersistence_timeout 60\n"
    text += f"real_server {net}11 80 {{\n}}\n}}\n"
    daemon = Daemon(host, text)
    daemon.start()
    wait_until(lambda: ipvs_table(host), PATIENCE, "the table")
    if f"No nftables for IPv{version} in this kernel" in daemon.log():
        assert len(ipvs_table(host)) == 3
    else:
        assert len(ipvs_table(host)) == 1
    assert [pages(client, f"{net}{last}", 1, seconds=10) for last in (100, 101, 102)] == [["web1"]] * 3
    assert daemon.stop() == 0
    assert ipvs_table(host) == {}
    server.kill()


@pytest.mark.keyword("global_defs.nftables_ipvs")
@pytest.mark.parametrize("version", [4, 6])
def test_reloads_that_turn_to_marks_and_back_refuse_nobody(network: Network, host: Host, version: int) -> None:
    net, length = ("10.9.0.", 24) if version == 4 else ("fd00:9::", 64)
    client, web = network.host("client"), network.host("web1")
    for number, each in ((200, client), (11, web)):
        each.attach("lan", "eth0", f"{net}{number}/{length}")
    if version == 6:
        host.ip("address", "add", "fd00:9::1/64", "dev", "eth0", "nodad")
    for each, link in ((host, "eth0"), (web, "lo")):
        extra = ["nodad", "preferred_lft", "0"] if version == 6 else []
        each.ip("address", "add", f"{net}100/{32 if version == 4 else 128}", "dev", link, *extra)
    web.sysctl("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
    server = WebServer(web)
    server.start()
    text = f"virtual_server_group web {{\n{net}100 80\n}}\n"
    text += "virtual_server group web {\nprotocol TCP\nlvs_sched rr\nlvs_method DR\n"
    text += "".join(f"real_server {net}{last} 80 {{\nweight {int(last == 11)}\n}}\n" for last in range(11, 31)) + "}\n"
    marked = global_defs("nftables_ipvs") + text
    daemon = Daemon(host, text)
    daemon.start()
    wait_until(lambda: pages(client, f"{net}100", 1, seconds=10) == ["web1"], PATIENCE, "a page")
    requests = Requests(client, f"{net}100", 50, 5)
    for number in range(1, 13):
        daemon.reload(marked if number % 2 else text)
        daemon.wait_for("New configuration applied", PATIENCE, len(daemon.log()))
        time.sleep(0.5)
    assert {request.page for request in requests.end()} == {"web1"}
    if f"No nftables for IPv{version} in this kernel" not in daemon.log():
        daemon.reload(marked)
        wait_until(lambda: [*ipvs_table(host)] == ["FWM 1000"], PATIENCE, "a mark")
    assert daemon.stop() == 0
    assert ipvs_table(host) == {}
    server.kill()


@pytest.mark.keyword("global_defs.lvs_flush", "global_defs.lvs_timeouts")
def test_a_checker_process_that_dies_flushes_nothing_and_forgets_no_timeout(host: Host) -> None:
    text = global_defs("lvs_flush", "lvs_timeouts tcp 905") + servers(1, 2)
    ipvsadm(host, "-A", "-t", "10.9.0.60:81")
    daemon = Daemon(host, text)
    daemon.start()
    wait_until(lambda: [*ipvs_table(host)] == [SERVICE], PATIENCE, "the table, emptied and filled")
    ipvsadm(host, "-A", "-t", "10.9.0.61:81")
    first = daemon.checker_pid()
    os.kill(first, signal.SIGKILL)
    daemon.wait_for("left alone, for the file does not name them: [10.9.0.61]:tcp:81", PATIENCE)
    assert sorted(ipvs_table(host)) == [SERVICE, "TCP 10.9.0.61:81"]
    assert timeouts(host) == [905, 120, 300]
    wait_until(lambda: daemon.checker_pid() != first, PATIENCE, "its successor")
    assert daemon.stop() == 0
    assert timeouts(host) == [900, 120, 300]
    assert [*ipvs_table(host)] == ["TCP 10.9.0.61:81"]
    ipvsadm(host, "-C")


def test_ipvs_that_is_unloaded_is_said_and_loaded_again(host: Host) -> None:
    """Last, for it takes the modules away."""
    daemon = Daemon(host, servers(1, 2))
    daemon.start()
    wait_until(lambda: SERVICE in ipvs_table(host), PATIENCE, "the table")
    ipvsadm(host, "-C")
    modules = run("lsmod").splitlines()
    loaded = [line.split()[0] for line in modules if line.startswith("ip_vs_")]
    for module in (*loaded, "ip_vs"):
        run("rmmod", module)
    daemon.wait_for("reach IPVS, which was removed from the kernel", PASS)
    run("modprobe", "ip_vs_rr")
    wait_until(lambda: len(ipvs_table(host).get(SERVICE, {})) == 2, PASS, "the table again")
    assert daemon.log().count("which was removed from the kernel") == 1
    assert daemon.stop() == 0
