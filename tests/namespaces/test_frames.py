"""The announcer on a real veth: scapy reads at the far end what it sent."""

import errno
import socket
from dataclasses import replace
from functools import partial
from ipaddress import ip_address

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA
from scapy.layers.l2 import ARP, Ether

from pykeepalived.kernel import frames
from pykeepalived.kernel.frames import LinuxAnnouncer, make_templates
from pykeepalived.kernel.ports import Interface
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not
from tests.support.descriptors import descriptors_left

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

TEMPLATES = make_templates()
VIP, VIP6 = ip_address("10.9.0.100"), ip_address("2001:db8::100")


def eth0(namespace: Namespace) -> Interface:
    index = namespace.call(lambda: socket.if_nametoindex("eth0"))
    return Interface(index, "eth0", True, bytes.fromhex("020000000001"), 1500, True, True, False)


def sniffer(namespace: Namespace) -> socket.socket:
    def open_it() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind(("eth0", 0))
        sock.settimeout(1)
        return sock

    return namespace.call(open_it)


def next_from(ear: socket.socket, mac: bytes) -> Ether:
    while True:
        frame = ear.recv(2048)
        if frame[6:12] == mac:
            return Ether(frame)


def test_both_kinds_reach_the_far_end() -> None:
    with veth_pair() as (left, right):
        ear = sniffer(right)
        interface = eth0(left)
        announcer = LinuxAnnouncer(TEMPLATES)
        assert left.call(lambda: announcer.announce(interface, VIP, router=False)) == 0
        assert next_from(ear, interface.mac)[ARP].psrc == str(VIP)
        assert left.call(lambda: announcer.announce(interface, VIP6, router=True)) == 0
        advert = next_from(ear, interface.mac)[ICMPv6ND_NA]
        assert (advert.tgt, advert.R, advert.S, advert.O) == (str(VIP6), 1, 0, 1)
        ear.close()
        announcer.close()


def test_a_link_that_went_down_and_came_back_is_announced_on_again() -> None:
    with veth_pair() as (left, right):
        interface = eth0(left)
        announcer = LinuxAnnouncer(TEMPLATES)

        def announce() -> int:
            return left.call(lambda: announcer.announce(interface, VIP, router=False))

        assert announce() == 0
        left.ip("link set eth0 down")
        assert announce() == errno.ENETDOWN
        left.ip("link set eth0 up")
        assert announce() == 0
        left.ip("link del eth0")
        assert announce() in {errno.ENODEV, errno.ENXIO}
        left.ip(f"link add name eth0 type veth peer name eth0 netns {right.name}")
        assert announce() == errno.ENODEV  # another link of that name: its own index is asked for
        announcer.close()


def test_links_that_share_what_descriptors_there_are_are_all_announced_on() -> None:
    with veth_pair() as (left, right):
        ear = sniffer(right)
        left.ip("link add v1 type veth peer name v2")
        interface = eth0(left)
        others = []
        for name in ("v1", "v2"):
            left.ip(f"link set {name} up")
            others.append(replace(interface, name=name, index=left.call(partial(socket.if_nametoindex, name))))
        announcer = LinuxAnnouncer(TEMPLATES)

        def announce() -> None:
            for other in others:
                assert announcer.announce(other, VIP, router=False) == 0
            with descriptors_left(0):
                assert announcer.announce(interface, VIP, router=False) == 0

        left.call(announce)
        assert next_from(ear, interface.mac)[ARP].psrc == str(VIP)
        ear.close()
        announcer.close()


def test_a_hundred_links_are_not_listed_a_hundred_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thousands that takes seconds, and hosts wait for the last announcement."""
    lists: list[int] = []
    real = socket.if_nameindex

    def listed() -> list[tuple[int, str]]:
        found = real()
        lists.append(len(found))
        return found

    monkeypatch.setattr(socket, "if_nameindex", listed)
    with veth_pair() as (left, _):
        announcer = LinuxAnnouncer(TEMPLATES)
        interface = eth0(left)

        def announce() -> None:
            for number in range(100):
                index = socket.if_nametoindex(f"v{number}")
                assert announcer.announce(replace(interface, name=f"v{number}", index=index), VIP, router=False) == 0

        for number in range(0, 100, 2):
            left.ip(f"link add v{number} up type veth peer name v{number + 1}")
            left.ip(f"link set v{number + 1} up")
        left.call(announce)
        assert len(announcer._sockets) == 100
        assert len(lists) <= 4
        announcer.close()


def test_sockets_of_links_that_are_gone_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_FEW", 1)
    with veth_pair() as (left, right):
        announcer = LinuxAnnouncer(TEMPLATES)

        def announce() -> int:
            interface = eth0(left)
            return left.call(lambda: announcer.announce(interface, VIP, router=False))

        for _ in range(3):
            assert announce() == 0
            assert len(announcer._sockets) == 1  # what it holds shows nowhere else
            left.ip("link del eth0")
            left.ip(f"link add name eth0 type veth peer name eth0 netns {right.name}")
            for end in (left, right):
                end.ip("link set eth0 up")
        announcer.close()
