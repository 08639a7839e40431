"""Interfaces that change under the daemon: the same states and the same lines about them from both makes."""

import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.stage import MAKES
from tests.support.director import Director
from tests.support.netns import Host, Network

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.long]

CONFIG = """
global_defs {
    dynamic_interfaces
    disable_local_igmp
}
%s
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    version 3
    advert_int 0.5
    priority 200
    promote_secondaries
    %s
    virtual_ipaddress {
        10.77.0.100/24
    }
}
"""
ABOUT = re.compile(
    r"^(\(VI_1\) (Entering|Cannot|entering)|(Netlink|Linkbeat) reports|Interface \S+ (deleted|name)|eth0: |VI_1: )"
)
TIME = re.compile(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ")
SETTINGS = "net.ipv4.conf.eth0.promote_secondaries", "net.ipv4.igmp_link_local_mcast_reports"
Play = Callable[[Director, Host], None]


def becomes(director: Director, state: str, mark: int) -> None:
    director.wait_log(f"(VI_1) Entering {state} STATE", since=mark, within=60.0)


def deleted(director: Director, host: Host) -> None:
    """To the end: 2.2.7 stays BACKUP for ever when the new interface is seen before it is up."""
    host.run("ip", "link", "delete", "eth0")
    director.wait_log("Interface eth0 deleted")


def renamed(director: Director, host: Host) -> None:
    for order in ("eth0 down", "eth0 name lan0", "lan0 up"):
        host.run("ip", "link", "set", *order.split())
    director.wait_log("Interface name has changed")
    assert not host.has("10.77.0.100", "lan0")


def carrier(director: Director, host: Host) -> None:
    mark = director.mark()
    host.cables["eth0"].pull()
    becomes(director, "FAULT", mark)
    host.cables["eth0"].plug()
    becomes(director, "MASTER", mark)


def source(director: Director, host: Host) -> None:
    mark = director.mark()
    host.run("ip", "addr", "del", "10.77.0.1/24", "dev", "eth0")
    becomes(director, "FAULT", mark)
    host.run("ip", "addr", "add", "10.77.0.7/24", "dev", "eth0")
    becomes(director, "MASTER", mark)


STORIES: dict[str, tuple[str, str, Play]] = {
    "deleted": ("", "", deleted),
    "renamed": ("", "", renamed),
    "carrier": ("", "", carrier),
    "linkbeat": ("linkbeat_interfaces {\n    eth0 ETHTOOL\n}", "", carrier),
    "delays": ("interface_up_down_delays {\n    eth0 0.5 0.75\n}", "", carrier),
    # an address of its own prefix: no VIP is deleted with the source, as a secondary one
    "source": ("", "", source),
}


def _tell(make: str, name: str, folder: Path) -> tuple[list[str], list[str]]:
    top, lines, play = STORIES[name]
    config = CONFIG % (top, lines)
    if name == "source":
        config = config.replace("10.77.0.100/24", "192.0.2.1/32")
    with Network() as network:
        host = network.host("left")
        host.attach(network.segment(), ("10.77.0.1/24",), mac="02:00:00:00:00:01")
        with Director(host, MAKES[make](), folder, config) as director:
            director.start()
            becomes(director, "MASTER", 0)
            director.wait_log("Sending gratuitous ARP on eth0", count=5)
            during = host.run("sysctl", "-n", *SETTINGS).split()
            play(director, host)
            assert director.stop() == 0
            told = [TIME.sub("", line) for line in director.log()]
        # without the interface its setting is gone, and reading on is an error
        there = SETTINGS if "eth0" in host.links() else SETTINGS[1:]
        after = host.run("sysctl", "-n", *there).split()
    return [line for line in told if ABOUT.match(line)], [*during, *after]


@pytest.mark.parametrize("name", STORIES)
def test_both_tell_the_same_of_interfaces(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="pyk-interfaces-") as folder, ThreadPoolExecutor(2) as threads:
        ours, theirs = threads.map(lambda make: _tell(make, name, Path(folder, make)), ("ours", "keepalived"))
    # a fault for the lack of a source is announced by one line more of ours, in 2.4's words
    assert [line for line in ours[0] if ") entering FAULT state (no" not in line] == [
        line for line in theirs[0] if ") entering FAULT state" not in line
    ]
    given_back = ["1"] if name in {"deleted", "renamed"} else ["0", "1"]
    assert ours[1] == theirs[1] == ["1", "0", *given_back]
