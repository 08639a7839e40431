"""The 28 bytes of auth_hmac behind an advert, outside its checksum.

    | type 1 | key | reserved 0 |                    the MAC is HMAC-SHA256, cut to 16 bytes, over: family (4 or 6),
    | seconds since 1970        |                    version, VRID, 0, the source address in 16 bytes; the message
    | 1/65536 s | counter       |                    with a checksum of zero; the first 12 bytes here; 16 zero bytes
    | MAC, 16 bytes             |

Seconds, fraction and counter are one number of 64 bits that grows with each advert of a sender. It is compared and
counted in serial arithmetic (RFC 1982), so its end is nothing special.
"""

import struct
from typing import NamedTuple

from pykeepalived.units import SECOND
from pykeepalived.wire.keyed_hash import KeyedHash

LENGTH = 28

_TYPE = 1
_HEAD = struct.Struct("!BBHQ")
_MAC_LENGTH = 16
_NO_MAC = bytes(_MAC_LENGTH)
_CHECKSUM_PLACE = 6
_ADDRESS_LENGTH = 16
_ROUND = 1 << 64
_SECONDS_ROUND = 1 << 32
_SECOND_SHIFT = 32
_FRACTION_SHIFT = 16


class Trailer(NamedTuple):
    """What a trailer says."""

    key: int
    sequence: int
    mac: bytes
    head: bytes
    """Everything before the MAC."""


def read(trailer: bytes) -> Trailer | None:
    """What it says; None when that is no trailer of the one type there is."""
    if len(trailer) != LENGTH:
        return None
    kind, key, reserved, sequence = _HEAD.unpack_from(trailer)
    if kind != _TYPE or not key or reserved:
        return None
    return Trailer(key, sequence, trailer[_HEAD.size :], trailer[: _HEAD.size])


def mac(key: KeyedHash, message: bytes, source: bytes, head: bytes) -> bytes:
    """Of a VRRP message, whatever its checksum is: the kernel fills that of IPv6 later."""
    family = 4 if len(source) == 4 else 6
    sender = bytes((family, message[0] >> 4, message[1], 0)) + source.ljust(_ADDRESS_LENGTH, b"\0")
    unsummed = message[:_CHECKSUM_PLACE] + b"\0\0" + message[_CHECKSUM_PLACE + 2 :]
    return key.of(sender + unsummed + head + _NO_MAC)[:_MAC_LENGTH]


def sign(key: KeyedHash, number: int, message: bytes, source: bytes, sequence: int) -> bytes:
    """The trailer of a message."""
    head = _HEAD.pack(_TYPE, number, 0, sequence)
    return head + mac(key, message, source, head)


def sequence_at(time: int) -> int:
    """The least number of an instant, in nanoseconds since 1970."""
    seconds, rest = divmod(time, SECOND)
    return (seconds << _SECOND_SHIFT | (rest << _FRACTION_SHIFT) // SECOND << _FRACTION_SHIFT) % _ROUND


def ahead(sequence: int, other: int) -> int:
    """How far one number is ahead of another; negative when it is behind."""
    return (sequence - other + _ROUND // 2) % _ROUND - _ROUND // 2


def seconds_ahead(sequence: int, other: int) -> int:
    """By how many whole seconds, by the second each stands in."""
    difference = (sequence >> _SECOND_SHIFT) - (other >> _SECOND_SHIFT)
    return (difference + _SECONDS_ROUND // 2) % _SECONDS_ROUND - _SECONDS_ROUND // 2


def following(sequence: int) -> int:
    """The next number."""
    return (sequence + 1) % _ROUND
