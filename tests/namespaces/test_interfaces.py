"""Interfaces of a real kernel under the daemon: deleted, made again, renamed, without carrier; duplicate addresses."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pykeepalived.config.blocks.interfaces import METHODS
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.linkbeat import LinuxLinkProber
from pykeepalived.kernel.ports import HostAddress, Interface, ReceiveBuffer
from tests.support import pykeepalived
from tests.support.director import Director
from tests.support.netns import Host, Network, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

CONFIG = """
global_defs {
    disable_local_igmp
}
%s
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    version 3
    advert_int 0.1
    priority 200
    promote_secondaries
    %s
    virtual_ipaddress {
        10.77.0.100/24
    }
}
"""
SETTINGS = "net.ipv4.conf.eth0.promote_secondaries", "net.ipv4.igmp_link_local_mcast_reports"


@pytest.fixture
def left() -> Iterator[Host]:
    """A host with eth0 on a segment of its own."""
    with Network() as network:
        segment = network.segment()
        host = network.host("left")
        host.attach(segment, ("10.77.0.1/24",), mac="02:00:00:00:00:01")
        yield host


def settings(host: Host) -> list[str]:
    return host.run("sysctl", "-n", *SETTINGS).split()


def becomes(director: Director, state: str, mark: int) -> None:
    director.wait_log(f"(VI_1) Entering {state} STATE", since=mark, within=60.0)
    director.wait_address("10.77.0.100", present=state == "MASTER")


def again(host: Host) -> None:
    """Another eth0, of another kind, with its address; its far end is up."""
    host.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0")
    host.run("ip", "addr", "add", "10.77.0.1/24", "dev", "eth0")
    for name in ("far0", "eth0"):
        host.run("ip", "link", "set", name, "up")


def test_an_instance_that_cannot_join_its_group_takes_no_part_until_it_can(left: Host, tmp_path: Path) -> None:
    left.run("sysctl", "-qw", "net.ipv4.igmp_max_memberships=0")
    with Director(left, pykeepalived.make(), tmp_path, CONFIG % ("", "")) as director:
        director.start()
        director.wait_log("(VI_1) cause: cannot listen for VRRP on eth0: No buffer space available", within=60.0)
        left.run("sysctl", "-qw", "net.ipv4.igmp_max_memberships=20")
        director.wait_log("(VI_1) cause: adverts can be sent and heard", within=60.0)
        becomes(director, "MASTER", 0)
        log = "\n".join(director.log())
        assert log.index("Entering FAULT STATE") < log.index("Entering MASTER STATE")
        assert director.stop() == 0


def test_an_interface_is_renamed_deleted_and_made_again_under_the_daemon(left: Host, tmp_path: Path) -> None:
    before = settings(left)
    with Director(left, pykeepalived.make(), tmp_path, CONFIG % ("", "")) as director:
        director.start()
        becomes(director, "MASTER", 0)
        assert settings(left) == ["1", "0"]

        mark = director.mark()
        left.run("ip", "link", "set", "eth0", "down")
        left.run("ip", "link", "set", "eth0", "name", "lan0")
        left.run("ip", "link", "set", "lan0", "up")
        director.wait_log("Interface name has changed from eth0 to lan0", since=mark)
        director.wait_address("10.77.0.100", present=False, device="lan0")
        left.run("ip", "link", "set", "lan0", "down")
        left.run("ip", "link", "set", "lan0", "name", "eth0")
        left.run("ip", "link", "set", "eth0", "up")
        becomes(director, "MASTER", mark)

        mark = director.mark()
        left.run("ip", "link", "delete", "eth0")
        director.wait_log("Interface eth0 deleted", since=mark)
        again(left)
        becomes(director, "MASTER", mark)
        assert settings(left) == ["1", "0"]
        assert director.stop() == 0
    assert settings(left) == before


@pytest.mark.parametrize("linkbeat", ["", pytest.param("linkbeat_use_polling", marks=pytest.mark.long)])
def test_a_carrier_that_is_lost(left: Host, tmp_path: Path, linkbeat: str) -> None:
    with Director(left, pykeepalived.make(), tmp_path, CONFIG % (linkbeat, "")) as director:
        director.start()
        becomes(director, "MASTER", 0)
        mark = director.mark()
        left.cables["eth0"].pull()
        director.wait_log(f"{'Linkbeat' if linkbeat else 'Netlink'} reports eth0 down", since=mark)
        becomes(director, "FAULT", mark)
        left.cables["eth0"].plug()
        becomes(director, "MASTER", mark)


@pytest.mark.long
def test_a_short_loss_of_carrier_is_waited_for(left: Host, tmp_path: Path) -> None:
    top = "interface_up_down_delays {\n    eth0 120 0.1\n}"
    with Director(left, pykeepalived.make(), tmp_path, CONFIG % (top, "down_timer_adverts 30")) as director:
        director.start()
        director.wait_log("debounce timer(s) not less that 29 * advert_int - resetting")
        becomes(director, "MASTER", 0)
        mark = director.mark()
        left.cables["eth0"].pull()
        director.wait_log("eth0: Adding flags change from 0x11043 to 0x1003 delay by 2899610", since=mark)
        left.cables["eth0"].plug()
        time.sleep(0.5)
        assert not director.logged("FAULT", since=mark)
        left.cables["eth0"].pull()
        becomes(director, "FAULT", mark)


@pytest.mark.long
@pytest.mark.parametrize("missing", ["default", "named"])
def test_an_interface_that_comes_later(left: Host, tmp_path: Path, missing: str) -> None:
    config = (CONFIG % ("", "")).replace("global_defs {", "global_defs {\n    dynamic_interfaces")
    if missing == "named":
        config = config.replace("10.77.0.100/24", "10.77.0.100/24 dev eth7")
        left.run("ip", "link", "add", "eth7", "type", "veth", "peer", "name", "far7")
        left.run("ip", "link", "set", "eth7", "up")
    else:
        left.run("ip", "link", "delete", "eth0")
    with Director(left, pykeepalived.make(), tmp_path, config) as director:
        director.start()
        director.wait_log("(VI_1) Entering FAULT STATE (init)")
        if missing == "named":
            left.run("ip", "link", "set", "far7", "up")
            director.wait_log("(VI_1) Entering MASTER STATE")
            director.wait_address("10.77.0.100", present=True, device="eth7")
            return
        line = "Configuration specifies interface eth0 which doesn't currently exist - will use if created"
        director.wait_log(line)
        again(left)
        becomes(director, "MASTER", 0)


def test_the_ways_to_ask_for_a_link(left: Host) -> None:
    def ask() -> list[bool | None]:
        prober = LinuxLinkProber()
        answers = [prober.link("eth0", method) for method in METHODS]
        answers.append(prober.link("nowhere0", "IOCTL"))
        prober.close()
        return answers

    assert left.inside(ask) == [None, True, True, None]  # a cable end has no PHY
    left.cables["eth0"].pull()
    assert left.inside(ask) == [None, False, False, None]


class Heard:
    """A listener that keeps addresses."""

    def __init__(self) -> None:
        self.addresses: list[HostAddress] = []

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None:
        del old, new

    def address_added(self, address: HostAddress) -> None:
        self.addresses.append(address)

    def address_removed(self, address: HostAddress) -> None:
        del address


def soon(happened: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while not happened() and time.monotonic() < end:
        time.sleep(0.02)
    return happened()


@pytest.mark.skipif(not Path("/proc/sys/net/ipv6").exists(), reason="needs IPv6")
def test_an_address_that_another_host_has_is_told_to_be_a_duplicate() -> None:
    with Network() as network:
        segment = network.segment()
        left, right = network.host("left"), network.host("right")
        for host, mac in ((left, "02:00:00:00:00:01"), (right, "02:00:00:00:00:02")):
            host.attach(segment, ("fd77::1/64",) if host is right else (), mac=mac)
        left.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=1", "net.ipv6.conf.eth0.accept_dad=1")
        heard = Heard()
        kernel = left.inside(lambda: LinuxHost(heard))
        kernel.set_receive_buffers(ReceiveBuffer(1 << 16), ReceiveBuffer(1 << 22, force=True))
        left.run("ip", "addr", "add", "fd77::1/64", "dev", "eth0")

        def told() -> bool:
            kernel.drain()
            return any(each.dad_failed for each in heard.addresses)

        assert soon(told)
        assert all(each.tentative for each in heard.addresses if str(each.address) == "fd77::1")
        kernel.close()
