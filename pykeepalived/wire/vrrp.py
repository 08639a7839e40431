"""VRRP advertisements: bytes to values and back. Versions 2 (RFC 3768, with RFC 2338's password) and 3 (RFC 9568).

What is refused, and in which order, is the first half of keepalived's ladder; what needs more than one packet and one
instance's settings is judged by the core. Nothing here knows of sockets or states.

    version 2                                          version 3
    | 2|1 | VRID | priority | count |                  | 3|1 | VRID | priority | count |
    | auth type | interval, s | checksum |             | 0, 12 bits interval, cs  | checksum |
    | addresses | 8 bytes of authentication: IPv4 |    | addresses |
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Protocol

from pykeepalived.errors import DecodeError
from pykeepalived.units import CENTISECOND, SECOND
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
    OWN_ADDRESS = "own_address"


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


@dataclass(frozen=True, slots=True)
class Expected:
    """What an instance demands of an advert."""

    version: int
    address_length: int  # 4 or 16
    multicast: bool
    advert_interval: int
    auth_type: int = AUTH_NONE
    auth_data: bytes = b""


def text(address: bytes) -> str:
    """A packed address for people."""
    return str(ip_address(address))


def encode(advert: Advert, source: bytes, destination: bytes) -> bytes:
    """The message. For IPv6 its checksum stays 0: the kernel fills it (IPV6_CHECKSUM at offset 6)."""
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
    covered = message if advert.version == 2 else pseudo_header(source, destination, len(message)) + message
    return message[:_CHECKSUM_AT] + _CHECKSUM.pack(checksum(covered)) + message[_CHECKSUM_AT + 2 :]


def pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    """IPv4's, as version 3 sums it (RFC 9568 5.2.8)."""
    return source + destination + struct.pack("!BBH", 0, IPPROTO_VRRP, length)


def decode(packet: Packet, expected: Expected) -> Advert:
    """The advert, or DecodeError with a Reason and keepalived's words for it. Any bytes, no other exception."""
    data = packet.data
    sender = text(packet.source)
    ipv4 = expected.address_length == 4
    if len(data) < _HEADER.size:
        raise DecodeError(
            Reason.LENGTH, f"vrrp packet from {sender} too short, length {len(data)} and expect {_HEADER.size}"
        )
    version_type, vrid, priority, count, word, _ = _HEADER.unpack_from(data)
    addresses_end = _HEADER.size + count * expected.address_length
    length = addresses_end + (AUTH_LENGTH if expected.version == 2 and ipv4 else 0)
    if len(data) != length:
        padded = ipv4 and _IPV4_HEADER + length < _ETHERNET_MINIMUM and _IPV4_HEADER + len(data) <= _ETHERNET_MINIMUM
        if len(data) < length or not padded:
            size = "short" if len(data) < length else "long"
            raise DecodeError(
                Reason.LENGTH, f"vrrp packet from {sender} too {size}, length {len(data)} and expect {length}"
            )
        data = data[:length]
    if expected.multicast and packet.ttl != 255:  # RFC 9568 7.1: a packet from off the link
        raise DecodeError(Reason.TTL, f"invalid TTL/HL from {sender}. Received {packet.ttl} and expect 255")
    version = version_type >> 4
    if version != expected.version:
        raise DecodeError(
            Reason.VERSION, f"wrong VRRP version from {sender}. Received {version} and expect {expected.version}"
        )
    auth_type, auth_data = AUTH_NONE, b""
    if version == 2:
        auth_type = word >> 8
        auth_data = data[addresses_end:]
        _authenticate(auth_type, auth_data, expected, sender)
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
    if packet.length != length:
        raise DecodeError(
            Reason.IP_LENGTH, f"IP total length from {sender} tells {packet.length} bytes of VRRP, received {length}"
        )
    if ipv4 and not _sums_up(version, data, packet):
        raise DecodeError(Reason.CHECKSUM, f"Invalid VRRPv{version} checksum from {sender}")
    step = expected.address_length
    addresses = tuple(data[at : at + step] for at in range(_HEADER.size, addresses_end, step))
    return Advert(version, vrid, priority, advert_interval, addresses, auth_type, auth_data)


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
