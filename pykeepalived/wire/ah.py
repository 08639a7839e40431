"""The authentication header (RFC 2402) as keepalived puts it before a VRRPv2 advert of IPv4.

| next header 112 | length 4 | reserved 0 |      the ICV, 12 bytes, is HMAC-MD5-96 over the IP header
| SPI: the source address                 |      without what changes on the way, this header with
| sequence                                |      12 zero bytes in its place, and the VRRP message
| ICV, 12 bytes                           |
"""

import struct
from typing import NamedTuple

from pykeepalived.wire.keyed_hash import keyed_hash

IPPROTO_AH = 51
IPV4_LENGTH = 20
LENGTH = 24
ICV_LENGTH = 12
LAST_SEQUENCE = 0xFFFFFFFD
"""Behind it the numbers are used up."""
GREATEST_SEQUENCE = 0xFFFFFFFF

_NEXT_HEADER = 112
_WORDS = LENGTH // 4 - 2  # RFC 2402 2.2
_HEADER = struct.Struct("!BBH4sI12s")
_ICV_PLACE = IPV4_LENGTH + LENGTH - ICV_LENGTH
_NO_ICV = bytes(ICV_LENGTH)
_PASSWORD_LENGTH = 8


class Proof(NamedTuple):
    """What an authentication header says."""

    spi: bytes
    sequence: int
    icv: bytes


def header(source: bytes, sequence: int) -> bytes:
    """The header without its ICV, which covers the IP header and is filled in where that is made."""
    return _HEADER.pack(_NEXT_HEADER, _WORDS, 0, source, sequence, _NO_ICV)


def is_ours(data: bytes | bytearray | memoryview) -> bool:
    """Whether ``data`` begins with such a header: VRRP behind it, and 12 bytes of ICV."""
    return len(data) >= LENGTH and data[0] == _NEXT_HEADER and data[1] == _WORDS


def read(headers: bytes) -> Proof | None:
    """What IP header and authentication header say, as received; None when they are not just these two."""
    if len(headers) != IPV4_LENGTH + LENGTH:
        return None
    *_, spi, sequence, icv = _HEADER.unpack_from(headers, IPV4_LENGTH)
    return Proof(spi, sequence, icv)


class Key:
    """A password, to sign datagrams with."""

    __slots__ = ("_hash",)

    def __init__(self, password: bytes) -> None:
        self._hash = keyed_hash("md5", password[:_PASSWORD_LENGTH].ljust(_PASSWORD_LENGTH, b"\0"))

    def icv(self, datagram: bytes | bytearray | memoryview, *, multicast: bool) -> bytes:
        """Of a whole datagram: IP header without options, authentication header, message."""
        # out of the IP header: TOS, flags and fragment, TTL of unicast, checksum
        covered = bytearray(datagram)
        covered[1] = covered[6] = covered[7] = covered[10] = covered[11] = 0
        if not multicast:
            covered[8] = 0
        covered[_ICV_PLACE : _ICV_PLACE + ICV_LENGTH] = _NO_ICV
        return self._hash.of(bytes(covered))[:ICV_LENGTH]

    def seal(self, datagram: bytearray | memoryview, *, multicast: bool) -> None:
        """Fill in the ICV."""
        datagram[_ICV_PLACE : _ICV_PLACE + ICV_LENGTH] = self.icv(datagram, multicast=multicast)
