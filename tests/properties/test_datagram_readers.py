"""Any datagram is an answer or is refused: nothing else leaves the readers of DNS and ICMP, and nothing takes long."""

import random
from collections.abc import Callable

import pytest

from pykeepalived.errors import DecodeError
from pykeepalived.wire import dns, icmp

ID = 0x1234
ASKED = dns.question("www.example.org", "AAAA")
GOOD_DNS = (
    dns.query(ID, ASKED)[:2]
    + b"\x81\x80"
    + dns.query(ID, ASKED)[4:]
    + b"\xc0\x0c\0\x1c\0\x01\0\0\0\0\0\x10"
    + bytes(16)
)
REQUEST = icmp.echo_request(4, 1, 2, b"nonce-nonce")
GOOD_ICMP = b"\0\0\0\0" + REQUEST[4:]
IP_HEADER = b"\x45" + bytes(19)


def read_dns(data: bytes) -> bool:
    rcode = dns.read_rcode(data, ID, ASKED)
    assert 0 <= rcode <= 15
    assert data[:2] == b"\x12\x34"
    assert data[2] & 0x80
    return True


def read_icmp(data: bytes) -> bool:
    icmp.read_echo_reply(4, data)
    assert data[0] == 0
    return True


def read_raw(data: bytes) -> bool:
    return read_icmp(icmp.behind_ip(data))


READERS: dict[str, tuple[Callable[[bytes], bool], bytes]] = {
    "dns": (read_dns, GOOD_DNS),
    "icmp": (read_icmp, GOOD_ICMP),
    "icmp-raw": (read_raw, IP_HEADER + REQUEST),
}


def mutated(draw: random.Random, good: bytes) -> bytes:
    """Cut, lengthened, overwritten, or nothing like it."""
    kind = draw.randrange(5)
    if kind == 0:
        return draw.randbytes(draw.randrange(100))
    data = bytearray(good[: draw.randrange(len(good) + 1)] if kind == 1 else good)
    for _ in range(draw.randrange(4)):
        if data:
            data[draw.randrange(len(data))] = draw.choice((0, 1, 0x40, 0xC0, 0xFF, draw.randrange(256)))
    if kind == 2:
        data += draw.randbytes(draw.randrange(40))
    if kind == 3:
        at = draw.randrange(len(good))
        data[at:at] = draw.randbytes(draw.randrange(1, 5))
    return bytes(data)


def fuzz(name: str, rounds: int, seed: int) -> tuple[int, int]:
    """How many were taken, and how many refused."""
    reader, good = READERS[name]
    draw = random.Random(seed)
    taken = 0
    for _ in range(rounds):
        data = mutated(draw, good)
        try:
            taken += reader(data)
        except DecodeError:
            continue
    return taken, rounds - taken


@pytest.mark.parametrize("name", READERS)
def test_any_datagram_is_taken_or_refused(name: str) -> None:
    taken, refused = fuzz(name, 5_000, 1)
    assert refused > 500
    assert taken > 500 or name == "icmp-raw"


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_a_million_datagrams_are_taken_or_refused(name: str) -> None:
    assert sum(fuzz(name, 1_000_000, 2)) == 1_000_000
