"""The program that a flood is met with: what the ladder accepts passes, what is plainly wrong does not."""

import random
import socket
import struct
from dataclasses import replace
from itertools import product

import pytest

from pykeepalived.errors import DecodeError
from pykeepalived.kernel.flood_filter import guard_program
from pykeepalived.kernel.ports import Datagram
from pykeepalived.kernel.socket_filter import Instruction
from pykeepalived.units import SECOND
from pykeepalived.wire.vrrp import AUTH_PASS, Advert, Expected, decode, encode

VRID = 51
PASS = Expected(2, 4, multicast=True, advert_interval=SECOND, auth_type=AUTH_PASS, auth_data=b"sesame42")
PLAIN = Expected(2, 4, multicast=True, advert_interval=SECOND)
THREE = Expected(3, 4, multicast=False, advert_interval=SECOND)
SIX = Expected(3, 16, multicast=True, advert_interval=SECOND)
TWO_OVER_SIX = replace(SIX, version=2)
ALL = (PASS, PLAIN, THREE, SIX, TWO_OVER_SIX)


def passes(program: tuple[Instruction, ...], packet: bytes) -> bool:
    """What the kernel would do: a load from beyond the packet drops it."""
    sizes = {0x30: (1, False), 0x50: (1, True), 0x48: (2, True), 0x40: (4, True)}
    accumulator = index = at = 0
    while True:
        code, yes, no, operand = program[at]
        at += 1
        if code in sizes:
            size, indexed = sizes[code]
            place = operand + (index if indexed else 0)
            if place + size > len(packet):
                return False
            accumulator = int.from_bytes(packet[place : place + size], "big")
        elif code == 0xB1:
            index = 4 * (packet[operand] & 15)
        elif code in {0x15, 0x25}:
            at += yes if (accumulator == operand if code == 0x15 else accumulator > operand) else no
        elif code == 0x05:
            at += operand
        elif code == 0x06:
            return operand > 0
        elif code == 0x07:
            index = accumulator
        else:
            values = {0x01: accumulator, 0x64: accumulator << operand, 0x04: accumulator + operand}
            values |= {0x0C: accumulator + index, 0x1C: accumulator - index, 0x80: len(packet), 0x87: index}
            accumulator = values[code] & 0xFFFFFFFF
            index = operand if code == 0x01 else index


def advert(expected: Expected, count: int = 2) -> Datagram:
    """One that is accepted."""
    source, destination = (bytes(range(first, first + expected.address_length)) for first in (1, 101))
    addresses = tuple(bytes([number]) * expected.address_length for number in range(count))
    made = Advert(
        expected.version, VRID, 100, expected.advert_interval, addresses, expected.auth_type, expected.auth_data
    )
    data = encode(made, source, destination)
    return Datagram(source, destination, 255, data, len(data))


def seen(datagram: Datagram, options: int = 0) -> bytes:
    """As the filter of a raw socket sees it."""
    if len(datagram.source) == 16:
        return datagram.data
    words = 5 + options
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, words * 4 + datagram.length, 0, 0, datagram.ttl, 112, 0)
    return head + datagram.source + datagram.destination + bytes(options * 4) + datagram.data


def program(expected: Expected) -> tuple[Instruction, ...]:
    family = socket.AF_INET if expected.address_length == 4 else socket.AF_INET6
    return guard_program(family, {9: PLAIN, VRID: expected, 77: None})


@pytest.mark.parametrize("expected", ALL)
def test_good_ones_pass(expected: Expected) -> None:
    for count, options in product((0, 1, 2, 255), (0, 3)):
        assert passes(program(expected), seen(advert(expected, count), options))


@pytest.mark.parametrize("expected", ALL)
def test_nothing_is_dropped_that_the_ladder_accepts(expected: Expected) -> None:
    """Adverts with octets changed, cut off and added: the filter may let more through, never less."""
    chance = random.Random(str(expected))
    steps = program(expected)
    dropped = accepted = 0
    for _ in range(4000):
        datagram = advert(expected, chance.randrange(4))
        data = bytearray(datagram.data)
        for _ in range(chance.randrange(3)):
            place = chance.randrange(len(data))
            if place != 1:
                data[place] = chance.choice([0, 1, 2, 3, 0x21, 0x31, 0x40, 255, chance.randrange(256)])
        if chance.random() < 0.3:
            data = data[: chance.randrange(len(data))] + chance.randbytes(chance.choice([0, 0, 1, 9, 60]))
        ttl = chance.choice([255, 255, 255, 64])
        changed = Datagram(datagram.source, datagram.destination, ttl, bytes(data), len(data))
        if len(data) > 1 and data[1] != VRID:
            continue
        through = passes(steps, seen(changed))
        dropped += not through
        try:
            decode(changed, expected)
        except DecodeError:
            continue
        accepted += 1
        assert through, changed
    assert accepted > 300
    assert dropped > 600


@pytest.mark.parametrize("expected", [PASS, PLAIN, THREE])
def test_what_is_plainly_wrong_is_dropped(expected: Expected) -> None:
    good, steps = advert(expected), program(expected)
    data = good.data
    wrong = [
        data[:1] + b"\x08" + data[2:],  # another VRID
        bytes([data[0] ^ 0x70]) + data[1:],  # another version
        bytes([data[0] ^ 1]) + data[1:],  # another type
        data[:-1],
        data + bytes(47),
        data[:7],
        b"",
    ]
    if expected.version == 2:
        wrong += [data[:4] + bytes([data[4] + 1]) + data[5:], data[:5] + b"\x07" + data[6:]]
    if expected.auth_type:
        wrong += [data[:-1] + b"x", data[:-8] + b"x" + data[-7:]]
    for each in wrong:
        assert not passes(steps, seen(good._replace(data=each))), each.hex()
    assert passes(steps, seen(good._replace(ttl=254))) is not expected.multicast


def test_a_vrid_of_several_routers_is_left_to_the_ladder() -> None:
    assert passes(program(PASS), seen(advert(THREE)._replace(data=b"\xff\x4d")))


def test_many_routers_share_their_steps_and_those_without_room_are_left_to_the_ladder() -> None:
    same = guard_program(socket.AF_INET, dict.fromkeys(range(1, 256), PASS))
    assert len(same) < 300
    own = {vrid: replace(PASS, auth_data=f"word{vrid}".encode()) for vrid in range(1, 256)}
    mixed = guard_program(socket.AF_INET, own)
    assert len(mixed) <= 4096
    for steps, guarded in ((same, range(1, 256)), (mixed, range(1, 100))):
        for vrid in range(1, 256):
            expected = PASS if steps is same else own[vrid]
            good = advert(expected)
            data = good.data[:1] + bytes([vrid]) + good.data[2:]
            assert passes(steps, seen(good._replace(data=data)))
            if vrid in guarded:
                assert not passes(steps, seen(good._replace(data=data[:-8] + bytes(8))))
