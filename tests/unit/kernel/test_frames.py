"""Every filled frame equals the one scapy builds whole, octet for octet."""

import pickle
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from pykeepalived.kernel.frames import LinuxAnnouncer, garp_frame, make_templates, neighbour_advert_frame
from pykeepalived.kernel.ports import Interface

TEMPLATES = make_templates()
MACS = st.binary(min_size=6, max_size=6)


def whole_garp(mac: str, vip: str) -> bytes:
    everybody = "ff:ff:ff:ff:ff:ff"
    return bytes(Ether(src=mac, dst=everybody) / ARP(op=1, hwsrc=mac, psrc=vip, hwdst=everybody, pdst=vip))


def whole_advert(mac: str, vip: str, *, router: bool) -> bytes:
    return bytes(
        Ether(src=mac, dst="33:33:00:00:00:01")
        / IPv6(src=vip, dst="ff02::1", hlim=255)
        / ICMPv6ND_NA(R=int(router), S=0, O=1, tgt=vip)
        / ICMPv6NDOptDstLLAddr(lladdr=mac)
    )


@settings(max_examples=50, deadline=None)
@given(MACS, st.integers(0, 2**32 - 1).map(IPv4Address))
def test_gratuitous_arp_is_what_scapy_builds(mac: bytes, vip: IPv4Address) -> None:
    assert garp_frame(TEMPLATES, mac, vip.packed) == whole_garp(mac.hex(":"), str(vip))


@settings(max_examples=100, deadline=None)
@given(MACS, st.integers(0, 2**128 - 1).map(IPv6Address), st.booleans())
def test_neighbour_advert_is_what_scapy_builds(mac: bytes, vip: IPv6Address, router: bool) -> None:
    expected = whole_advert(mac.hex(":"), str(vip), router=router)
    assert neighbour_advert_frame(TEMPLATES, mac, vip.packed, router=router) == expected


@pytest.mark.parametrize(("router", "flags"), [(False, 0x20000000), (True, 0xA0000000)])
def test_scapy_reads_the_advert_as_meant(router: bool, flags: int) -> None:
    mac, vip = bytes.fromhex("020000000001"), IPv6Address("2001:db8::100")
    frame = neighbour_advert_frame(TEMPLATES, mac, vip.packed, router=router)
    packet = Ether(frame)
    assert (packet.src, packet.dst) == ("02:00:00:00:00:01", "33:33:00:00:00:01")
    assert (packet[IPv6].src, packet[IPv6].dst, packet[IPv6].hlim) == ("2001:db8::100", "ff02::1", 255)
    assert packet[ICMPv6ND_NA].tgt == "2001:db8::100"
    assert packet[ICMPv6NDOptDstLLAddr].lladdr == "02:00:00:00:00:01"
    assert int.from_bytes(frame[58:62], "big") == flags


def test_every_hole_is_found() -> None:
    assert len(TEMPLATES.garp.mac_places) == 2  # Ethernet, sender
    assert len(TEMPLATES.garp.address_places) == 2  # sender, target
    assert len(TEMPLATES.neighbour_advert.mac_places) == 2  # Ethernet, option
    assert len(TEMPLATES.neighbour_advert.address_places) == 2  # source, target


def test_the_host_s_routes_are_not_read() -> None:
    program = (
        "from pykeepalived.kernel.frames import make_templates\nmake_templates()\n"
        "from scapy.config import conf\nassert conf.route.routes == []\nassert conf.route6.routes == []\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])


def test_templates_travel_from_the_loader_as_plain_values() -> None:
    assert pickle.loads(pickle.dumps(TEMPLATES)) == TEMPLATES


@pytest.mark.parametrize(
    "interface",
    [
        Interface(1, "tun0", True, b"", 1500, True, True, False),
        Interface(1, "ppp0", True, bytes(6), 1500, False, True, False),
        Interface(1, "ib0", True, bytes(20), 1500, True, True, False),
    ],
    ids=lambda interface: interface.name,
)
def test_links_without_arp_are_sent_nothing(interface: Interface) -> None:
    announcer = LinuxAnnouncer(TEMPLATES)
    assert announcer.announce(interface, IPv4Address("10.9.0.100"), router=False) == 0
    assert announcer._sockets == {}


def test_a_burst_repeats_its_frames_and_what_is_kept_of_them_is_bounded() -> None:
    announcer = LinuxAnnouncer(TEMPLATES)
    mac, other = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
    address, address6 = IPv4Address("10.0.0.1"), IPv6Address("2001:db8::1")
    frame = announcer._frame(mac, address, router=False)
    assert frame == garp_frame(TEMPLATES, mac, address.packed)
    assert announcer._frame(mac, address, router=False) is frame
    assert announcer._frame(other, address, router=False) == garp_frame(TEMPLATES, other, address.packed)
    for router in (False, True, False):
        wanted = neighbour_advert_frame(TEMPLATES, mac, address6.packed, router=router)
        assert announcer._frame(mac, address6, router=router) == wanted
    for number in range(5000):
        announcer._frame(mac, address + number, router=False)
    assert len(announcer._frames) <= 1024
