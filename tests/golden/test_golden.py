"""keepalived's recorded frames against our encoders and decoders, without a network.

The live comparison, from configuration file to wire, is in tests/interop/test_frames.py; this one fails in the second a
layout changes.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pykeepalived.kernel.frames import FrameTemplates, garp_frame, make_templates, neighbour_advert_frame
from pykeepalived.wire.vrrp import Expected, decode, encode
from tests.golden.record import CASES, MACS, Case, stored
from tests.support.capture import Frame, advert, announcement

MAC = bytes.fromhex(MACS[0].replace(":", ""))


@dataclass(frozen=True, slots=True)
class Received:
    """A recorded advert as our receiving socket hands it on."""

    source: bytes
    destination: bytes
    ttl: int
    data: bytes
    length: int
    headers: bytes = b""


@pytest.fixture(scope="module")
def templates() -> FrameTemplates:
    return make_templates()


def _adverts(case: Case) -> Iterator[tuple[Received, Expected]]:
    """The recorded adverts, and what an instance demands of them by scapy's reading."""
    told = stored(case)
    for octets in (*told.adverts, *told.farewell):
        frame = Frame(0, "recorded", bytes.fromhex(octets))
        seen = advert(frame)
        assert seen is not None
        packet = Ether(frame.octets)
        message = bytes((packet[IPv6] if IPv6 in packet else packet[IP]).payload)
        source, destination = (ipaddress.ip_address(text).packed for text in (seen.source, seen.destination))
        expected = Expected(
            version=seen.version,
            address_length=len(source),
            multicast=ipaddress.ip_address(seen.destination).is_multicast,
            advert_interval=seen.interval,
            auth_type=seen.auth_type,
            auth_data=seen.auth_data.rstrip(b"\0"),
        )
        yield Received(source, destination, seen.ttl, message, len(message)), expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_recorded_adverts_are_read_and_written_alike(case: Case) -> None:
    """What we read from a recorded advert, written again, is that advert."""
    read = 0
    for received, expected in _adverts(case):
        ours = encode(decode(received, expected), received.source, received.destination)
        if len(received.source) == 16:  # the kernel fills in the checksum
            assert ours[6:8] == bytes(2)
            assert (ours[:6], ours[8:]) == (received.data[:6], received.data[8:])
        else:
            assert ours == received.data
        read += 1
    assert read >= 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_recorded_announcements_are_built_alike(case: Case, templates: FrameTemplates) -> None:
    """Our frame for the same address and Ethernet address is the recorded one, checksum and all."""
    built = 0
    for octets in stored(case).announcements:
        told = announcement(Frame(0, "recorded", bytes.fromhex(octets)))
        assert told is not None
        address = ipaddress.ip_address(told.address).packed
        if told.kind == "GARP":
            ours = garp_frame(templates, MAC, address)
        else:
            ours = neighbour_advert_frame(templates, MAC, address, router=case.forwarding)
        assert ours.hex() == octets
        built += 1
    assert built == 2 * case.announced
