"""Datagrams read together: what is the same of two equal adverts, and what is no advert at all."""

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pykeepalived.kernel.batches import Batch, datagram
from pykeepalived.kernel.ports import MANY, Datagram

SOURCE, GROUP = b"\x0a\0\0\x01", b"\xe0\0\0\x12"
MESSAGE = bytes.fromhex("3133640100640000 0a000064")


def packet(message: bytes = MESSAGE, identification: int = 1, options: bytes = b"", ttl: int = 255) -> bytes:
    """An IPv4 packet, with a checksum that differs with its identification."""
    words = 5 + len(options) // 4
    return (
        struct.pack(
            "!BBHHHBBH4s4s",
            0x40 | words,
            0xC0,
            words * 4 + len(message),
            identification,
            0,
            ttl,
            112,
            identification ^ 0xFFFF,
            SOURCE,
            GROUP,
        )
        + options
        + message
    )


class Wire:
    """A pair of sockets; what comes in is read in a batch."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.batch = Batch()

    def hears(self, *packets: bytes) -> list[bytes]:
        for each in packets:
            self.far.send(each)
        return self.batch.receive(self.near.fileno())


@pytest.fixture
def wire() -> Iterator[Wire]:
    found = Wire()
    yield found
    found.near.close()
    found.far.close()


def test_equal_adverts_are_equal_and_read_as_what_they_are(wire: Wire) -> None:
    first, second, third = wire.hears(packet(), packet(identification=77), packet(MESSAGE[:-1] + b"\x65"))
    assert first == second != third
    assert datagram(first) == Datagram(SOURCE, GROUP, 255, MESSAGE, len(MESSAGE))


def test_what_matters_is_not_left_out(wire: Wire) -> None:
    seen = wire.hears(packet(), packet(ttl=254), packet(MESSAGE + b"\0"), packet(options=b"\x94\x04\0\0"))
    assert len(set(seen)) == 4
    assert datagram(seen[1]) == Datagram(SOURCE, GROUP, 254, MESSAGE, len(MESSAGE))
    assert datagram(seen[3]) == Datagram(SOURCE, GROUP, 255, MESSAGE, len(MESSAGE))


def test_many_come_in_several_batches(wire: Wire) -> None:
    wire.near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    wire.far.setblocking(False)
    sent = 0
    read: list[bytes] = []
    while sent < 3 * MANY:
        try:
            wire.far.send(packet(struct.pack("!8xI", sent)))
            sent += 1
        except BlockingIOError:
            read += wire.batch.receive(wire.near.fileno())
    while batch := wire.batch.receive(wire.near.fileno()):
        assert len(batch) <= MANY
        read += batch
    found = [datagram(each) for each in read]
    assert [each.data[8:] for each in found if each] == [struct.pack("!I", number) for number in range(sent)]


def test_nothing_waiting_is_nothing(wire: Wire) -> None:
    assert wire.hears() == []


def test_what_is_too_short_or_too_long_is_no_advert_and_spoils_no_other(wire: Wire) -> None:
    seen = wire.hears(b"", b"\x45", packet(b"\x31" * 1600), packet(b""), packet())
    assert [datagram(each) is None for each in seen] == [True, True, True, True, False]


def test_a_closed_socket_is_an_error(wire: Wire) -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        wire.batch.receive(1 << 20)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_datagram_or_none(kept: bytes) -> None:
    found = datagram(kept)
    assert found is None or len(found.data) >= 8
