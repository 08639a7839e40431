"""Every frame we send equals keepalived's for the same file, octet for octet, and is read by scapy without complaint.

What may differ is masked by `comparable` and is said there. The recordings are checked against keepalived too, so
that they cannot grow stale.
"""

import ipaddress

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Padding, Raw

from tests.golden.record import CASES, Case, Recording, comparable, record, stored
from tests.interop.stage import MAKES

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

QUICK = {"v2-pass", "v3-unicast-ttl", "v3-excluded", "v3-ipv6"}


def _cases(make: str) -> list[object]:
    marks = {case.name: () if make == "ours" and case.name in QUICK else (pytest.mark.long,) for case in CASES}
    return [pytest.param(make, case, id=f"{make}-{case.name}", marks=marks[case.name]) for case in CASES]


def _readable(octets: list[str]) -> list[str]:
    """Comparable frames, in an order of their own where the daemon has none, for a readable difference."""
    return [comparable(bytes.fromhex(one)).hex() for one in octets]


def _is_read_by_scapy(octets: str) -> None:
    """Nothing is left over, and building it again from what scapy understood gives the same octets."""
    packet = Ether(bytes.fromhex(octets))
    assert Raw not in packet
    assert Padding not in packet
    assert bytes(packet) == bytes.fromhex(octets)
    if ARP in packet:
        arp = packet[ARP]
        assert (arp.op, arp.psrc, packet.dst, arp.hwsrc) == (1, arp.pdst, "ff:ff:ff:ff:ff:ff", packet.src)
    elif ICMPv6ND_NA in packet:
        assert packet[IPv6].src == packet[ICMPv6ND_NA].tgt
        assert packet[IPv6].hlim == 255
    else:
        assert (IP in packet) or (IPv6 in packet)
        destination = ipaddress.ip_address(packet.payload.dst)
        assert destination.is_multicast or destination.is_private


@pytest.mark.parametrize(("make", "case"), [*_cases("ours"), *_cases("keepalived")])
def test_frames_are_those_of_the_recording(make: str, case: Case) -> None:
    """The first adverts, the first burst in its order, and the farewell."""
    seen: Recording = record(case, MAKES[make]())
    told = stored(case)
    assert _readable(seen.adverts) == _readable(told.adverts)
    assert _readable(seen.announcements) == _readable(told.announcements)
    assert _readable(seen.farewell) == _readable(told.farewell)
    for octets in (*seen.adverts, *seen.announcements, *seen.farewell):
        if case.name != "v2-ipv6":  # scapy knows version 2 over IPv4 only
            _is_read_by_scapy(octets)
