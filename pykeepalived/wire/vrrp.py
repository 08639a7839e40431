"""VRRP advertisements: bytes to values and back. Versions 2 (RFC 3768, with RFC 2338's password) and 3 (RFC 9568).

What is refused, and in which order, is the first half of keepalived's ladder; what needs more than one packet and one
instance's settings is judged by the core. Nothing here knows of sockets or states.

    version 2                                          version 3
    | 2|1 | VRID | priority | count |                  | 3|1 | VRID | priority | count |
    | auth type | interval, s | checksum |             | 0, 12 bits interval, cs  | checksum |
    | addresses | 8 bytes of authentication: IPv4 |    | addresses |
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from pykeepalived.errors import DecodeError
from pykeepalived.units import CENTISECOND, SECOND
from pykeepalived.wire import hmac_trailer
from pykeepalived.wire.checksum import checksum, verifies

IPPROTO_VRRP = 112
ADVERTISEMENT = 1
OWNER = 255

AUTH_NONE = 0
AUTH_PASS = 1
AUTH_AH = 2
AUTH_LENGTH = 8

_HEADER = struct.Struct("!BBBBHH")
_CHECKSUM = struct.Struct("!H")
_COUNT_AT = 3
_CHECKSUM_AT = 6
_IPV4_HEADER = 20
_ETHERNET_MINIMUM = 46  # shorter payloads reach us padded


class Reason(StrEnum):
    """Why an advert is refused, or found fault with: the counter, and the word in a test."""

    LENGTH = "packet_len_err"
    TTL = "ip_ttl_err"
    VERSION = "vers_err"
    AUTH_TYPE_UNKNOWN = "invalid_authtype"
    AUTH_TYPE = "authtype_mismatch"
    PASSWORD = "auth_failure"  # noqa: S105 - a counter's name
    SEQUENCE = "ah_sequence_err"
    HMAC_MISSING = "auth_ext_missing"
    HMAC_MALFORMED = "auth_malformed"
    HMAC_STALE = "auth_stale"
    HMAC_KEY = "auth_unknown_key"
    HMAC = "auth_invalid_hmac"
    HMAC_REPLAY = "auth_replay"
    INTERVAL = "advert_interval_err"
    TYPE = "invalid_type_rcvd"
    IP_LENGTH = "ip_len_err"
    CHECKSUM = "chk_err"
    CAST = "cast_err"
    OWNER_IGNORES = "owner_ignored"
    UNICAST_SOURCE = "unicast_src_err"
    PEER_TTL = "peer_ttl_err"
    # accepted all the same
    ADDRESSES = "addr_list_err"
    COUNT = "addr_count_err"
    LEARNT_INTERVAL = "advert_interval_differs"
    TWO_OWNERS = "two_owners"
    TWO_MASTERS = "two_masters"
    OUT_OF_REACH = "priority_out_of_reach"
    OWN_ADDRESS = "own_address"
    CLOCK = "clock_differs"
    OLD_CHECKSUM = "old_checksum"


class Packet(Protocol):
    """A VRRP message as received, without its IP header. Addresses are packed."""

    @property
    def source(self) -> bytes:
        """The IP source."""

    @property
    def destination(self) -> bytes:
        """The IP destination."""

    @property
    def ttl(self) -> int:
        """TTL or hop limit."""

    @property
    def data(self) -> bytes:
        """The VRRP message."""

    @property
    def length(self) -> int:
        """Of the message, as the IP header tells it."""

    @property
    def headers(self) -> bytes:
        """IP and authentication header, where there is an authentication header."""


@dataclass(frozen=True, slots=True)
class Advert:
    """An advertisement. Addresses are packed, in their order on the wire."""

    version: int
    vrid: int
    priority: int
    advert_interval: int
    addresses: tuple[bytes, ...]
    auth_type: int = AUTH_NONE
    auth_data: bytes = b""
    old_checksum: bool = False
    """Its checksum is that of old unicast."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an instance demands of an advert."""

    version: int
    address_length: int  # 4 or 16
    multicast: bool
    advert_interval: int
    auth_type: int = AUTH_NONE
    auth_data: bytes = b""
    signed: bool = False
    """Whether the trailer of auth_hmac may follow."""
    checksum_counts: bool = True
    """Whether a wrong one refuses an advert of version 3 (v3_checksum_as_v2)."""
    old_group: bytes = b""
    """The group that releases up to 1.3.6 put into the pseudo header of unicast; empty where that is no excuse."""


Verify = Callable[[bytes, bytes], None]
"""Told the message, and its trailer if there is one; raises DecodeError."""


@lru_cache(maxsize=256)
def text(address: bytes) -> str:
    """A packed address for people. Of every packet that is refused, so it must cost little."""
    return "{}.{}.{}.{}".format(*address) if len(address) == 4 else str(ip_address(address))


def encode(advert: Advert, source: bytes, summed_for: bytes) -> bytes:
    """The message. For IPv6 its checksum stays 0: the kernel fills it (IPV6_CHECKSUM at offset 6).

    ``summed_for`` is the destination that IPv4's pseudo header names in version 3, or empty for none.
    """
    if advert.version == 2:
        word = (advert.auth_type << 8) | (advert.advert_interval // SECOND & 0xFF)
    else:
        word = advert.advert_interval // CENTISECOND & 0xFFF
    head = _HEADER.pack(
        advert.version << 4 | ADVERTISEMENT, advert.vrid, advert.priority, len(advert.addresses), word, 0
    )
    ipv4 = len(source) == 4
    body = b"".join(advert.addresses)
    if advert.version == 2 and ipv4:
        body += advert.auth_data[:AUTH_LENGTH].ljust(AUTH_LENGTH, b"\0")
    message = head + body
    if not ipv4:
        return message
    summed = advert.version == 3 and summed_for
    covered = pseudo_header(source, summed_for, len(message)) + message if summed else message
    return message[:_CHECKSUM_AT] + _CHECKSUM.pack(checksum(covered)) + message[_CHECKSUM_AT + 2 :]


def pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    """IPv4's, as keepalived's version 3 sums it too (RFC 5798 5.2.8); RFC 9568 sums the message alone."""
    return source + destination + struct.pack("!BBH", 0, IPPROTO_VRRP, length)


def decode(packet: Packet, expected: Expected, verify: Verify | None = None) -> Advert:
    """The advert, or DecodeError with a Reason and keepalived's words for it. Any bytes, no other exception.

    ``verify`` proves auth_hmac or AH where the ladder has their turn; whatever it raises leaves.
    """
    sender = text(packet.source)
    ipv4 = expected.address_length == 4
    _same_protocol(packet, expected, sender)
    data, trailer = _cut(packet, expected, sender)
    version_type, vrid, priority, count, word, _ = _HEADER.unpack_from(data)
    addresses_end = _HEADER.size + count * expected.address_length
    if expected.multicast and packet.ttl != 255:  # RFC 9568 7.1: a packet from off the link
        raise DecodeError(Reason.TTL, f"invalid TTL/HL from {sender}. Received {packet.ttl} and expect 255")
    version = version_type >> 4
    if version != expected.version:
        raise DecodeError(
            Reason.VERSION, f"wrong VRRP version from {sender}. Received {version} and expect {expected.version}"
        )
    if verify is not None and expected.signed:
        verify(data, trailer)
    auth_type, auth_data = AUTH_NONE, b""
    if version == 2:
        auth_type = word >> 8
        auth_data = data[addresses_end:]
        _authenticate(auth_type, auth_data, expected, sender)
        if verify is not None and auth_type == AUTH_AH:
            verify(data, trailer)
        advert_interval = (word & 0xFF) * SECOND
        if advert_interval != expected.advert_interval:
            raise DecodeError(
                Reason.INTERVAL,
                f"advertisement interval mismatch with {sender} mine={expected.advert_interval // SECOND} sec"
                f" rcv'd={word & 0xFF} sec",
            )
    else:
        advert_interval = (word & 0xFFF) * CENTISECOND
    if version_type & 0xF != ADVERTISEMENT:
        raise DecodeError(
            Reason.TYPE, f"Invalid packet type from {sender}. {version_type & 0xF} and expect {ADVERTISEMENT}"
        )
    length = len(data) + len(trailer)
    if packet.length != length:
        raise DecodeError(
            Reason.IP_LENGTH, f"IP total length from {sender} tells {packet.length} bytes of VRRP, received {length}"
        )
    old_checksum = False
    if ipv4 and not _sums_up(version, data, packet):
        old_checksum = _sums_up_as_old(version, data, packet, expected)
        if not old_checksum and (version == 2 or expected.checksum_counts):
            raise DecodeError(Reason.CHECKSUM, f"Invalid VRRPv{version} checksum from {sender}")
    step = expected.address_length
    addresses = tuple(data[at : at + step] for at in range(_HEADER.size, addresses_end, step))
    return Advert(version, vrid, priority, advert_interval, addresses, auth_type, auth_data, old_checksum)


def _same_protocol(packet: Packet, expected: Expected, sender: str) -> None:
    if bool(packet.headers) == (expected.auth_type == AUTH_AH):
        return
    if packet.headers:
        raise DecodeError(Reason.AUTH_TYPE, f"received an authentication header from {sender}, expecting none!")
    raise DecodeError(Reason.AUTH_TYPE, f"received no authentication header from {sender}, expecting one!")


def _cut(packet: Packet, expected: Expected, sender: str) -> tuple[bytes, bytes]:
    """The message and its trailer, without Ethernet's padding."""
    data = packet.data
    if len(data) < _HEADER.size:
        raise _wrong_length(packet, _HEADER.size, sender)
    ipv4 = expected.address_length == 4
    length = _HEADER.size + data[_COUNT_AT] * expected.address_length
    length += AUTH_LENGTH if expected.version == 2 and ipv4 else 0
    if len(data) == length:
        return data, b""
    if expected.signed and len(data) == length + hmac_trailer.LENGTH:
        return data[:length], data[length:]
    padded = ipv4 and _IPV4_HEADER + length < _ETHERNET_MINIMUM and _IPV4_HEADER + len(data) <= _ETHERNET_MINIMUM
    if len(data) < length or not padded:
        raise _wrong_length(packet, length, sender)
    return data[:length], b""


def _wrong_length(packet: Packet, expected: int, sender: str) -> DecodeError:
    """Told with the headers that the kernel shows before a message: IPv4's, and that of AH."""
    before = len(packet.headers) or (_IPV4_HEADER if len(packet.source) == 4 else 0)
    size = "short" if len(packet.data) < expected else "long"
    return DecodeError(
        Reason.LENGTH,
        f"vrrp packet from {sender} too {size}, length {before + len(packet.data)} and expect {before + expected}",
    )


def _authenticate(auth_type: int, auth_data: bytes, expected: Expected, sender: str) -> None:
    if auth_type not in {AUTH_NONE, AUTH_PASS, AUTH_AH}:
        raise DecodeError(Reason.AUTH_TYPE_UNKNOWN, f"Invalid auth type: {auth_type} from {sender}")
    if auth_type != expected.auth_type:
        raise DecodeError(
            Reason.AUTH_TYPE, f"received a {auth_type} auth from {sender}, expecting {expected.auth_type}!"
        )
    if auth_type == AUTH_PASS and auth_data and auth_data != expected.auth_data.ljust(AUTH_LENGTH, b"\0"):
        raise DecodeError(Reason.PASSWORD, f"received an invalid passwd from {sender}!")


def _sums_up(version: int, data: bytes, packet: Packet) -> bool:
    if version == 2:
        return verifies(data)
    return verifies(pseudo_header(packet.source, packet.destination, len(data)) + data)


def _sums_up_as_old(version: int, data: bytes, packet: Packet, expected: Expected) -> bool:
    if version == 2 or not expected.old_group:
        return False
    return verifies(pseudo_header(packet.source, expected.old_group, len(data)) + data)
