"""The receiver's reading of datagrams that a sane kernel never hands over; a pair of local sockets hands them."""

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pykeepalived.kernel.vrrp_sockets import LinuxAdvertReceiver

PDU = bytes([0x31, 51, 100, 1, 0, 100, 0, 0])


def header(version_and_length: int = 0x45, total: int = 28, *, length: int = 20) -> bytes:
    fixed = struct.pack(
        "!BBHHHBBH4s4s", version_and_length, 0xC0, total, 1, 0, 255, 112, 0, b"\x0a\x09\0\1", b"\xe0\0\0\x12"
    )
    return fixed + bytes(length - 20)


class Bench:
    """A receiver of one family, and the other end of its socket."""

    def __init__(self, family: int) -> None:
        inner, self.outer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        inner.setblocking(False)
        self.receiver = LinuxAdvertReceiver.__new__(LinuxAdvertReceiver)
        self.receiver._family = family
        self.receiver._filters = None
        self.receiver._buffer = bytearray(8192)
        self.receiver._view = memoryview(self.receiver._buffer)
        self.receiver.dropped = 0
        self.receiver._socket = inner

    def close(self) -> None:
        self.receiver.close()
        self.outer.close()


@pytest.fixture
def ipv4() -> Iterator[Bench]:
    bench = Bench(socket.AF_INET)
    yield bench
    bench.close()


@pytest.fixture
def ipv6() -> Iterator[Bench]:
    bench = Bench(socket.AF_INET6)
    yield bench
    bench.close()


@pytest.mark.parametrize(
    "datagram",
    [
        b"\x45",
        header()[:19],
        header(),  # nothing behind the header
        header() + PDU[:7],
        header(0x65) + PDU,  # not version 4
        header(0x44) + PDU,  # a header shorter than a header
        header(0x40) + PDU,
        header(0x4F) + PDU,  # a header longer than the datagram
    ],
)
def test_headers_that_lie_are_dropped_and_the_next_is_read(ipv4: Bench, datagram: bytes) -> None:
    ipv4.outer.send(datagram)
    ipv4.outer.send(header() + PDU)
    found = ipv4.receiver.receive()
    assert found is not None
    assert (found.data, found.length, found.ttl) == (PDU, 8, 255)
    assert (found.source, found.destination) == (b"\x0a\x09\0\1", b"\xe0\0\0\x12")
    assert ipv4.receiver.dropped == 1
    assert ipv4.receiver.receive() is None


def test_options_are_skipped(ipv4: Bench) -> None:
    ipv4.outer.send(header(0x4F, 68, length=60) + PDU)
    found = ipv4.receiver.receive()
    assert found is not None
    assert (found.data, found.length) == (PDU, 8)


def test_a_total_length_that_lies_is_left_to_the_judges(ipv4: Bench) -> None:
    ipv4.outer.send(header(total=1000) + PDU)
    found = ipv4.receiver.receive()
    assert found is not None
    assert (found.data, found.length) == (PDU, 980)


def test_without_hop_limit_and_destination_there_is_no_advert(ipv6: Bench) -> None:
    ipv6.outer.send(PDU)
    assert ipv6.receiver.receive() is None
    assert ipv6.receiver.dropped == 1


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_dropped(ipv4: Bench, ipv6: Bench, datagram: bytes) -> None:
    for bench in (ipv4, ipv6):
        before = bench.receiver.dropped
        bench.outer.send(datagram)
        found = bench.receiver.receive()
        assert (found is None) == (bench.receiver.dropped == before + 1)
        assert found is None or len(found.data) <= len(datagram) - 20
