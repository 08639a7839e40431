"""ICMP echo (RFC 792, RFC 4443 4): requests as PING_CHECK sends them, and a reader of replies."""

import struct
from dataclasses import dataclass
from enum import StrEnum

from pykeepalived.errors import DecodeError
from pykeepalived.wire.checksum import checksum, verifies

_ECHO = struct.Struct(">BBHHH")  # type, code, checksum, identifier, sequence number; the data follow
_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}


class Reason(StrEnum):
    """Why a message is no echo reply."""

    TOO_SHORT = "too-short"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class EchoReply:
    """What came back. Who waits for it knows whether it is the right one."""

    identifier: int
    sequence: int
    data: bytes


def echo_request(version: int, identifier: int, sequence: int, data: bytes) -> bytes:
    """The message. ICMPv6's checksum covers addresses that the kernel alone knows: there the kernel puts it in."""
    message = _ECHO.pack(_REQUEST[version], 0, 0, identifier, sequence) + data
    if version == 6:
        return message
    return message[:2] + checksum(message).to_bytes(2, "big") + message[4:]


def read_echo_reply(version: int, message: bytes) -> EchoReply:
    """The reply; its checksum was seen to by the kernel. Raises DecodeError for anything else."""
    if len(message) < _ECHO.size:
        raise DecodeError(Reason.TOO_SHORT, f"{len(message)} octets")
    kind, code, _, identifier, sequence = _ECHO.unpack_from(message)
    if kind != ECHO_REPLY[version] or code:
        raise DecodeError(Reason.TYPE, f"{kind}/{code}")
    return EchoReply(identifier, sequence, message[_ECHO.size :])


def behind_ip(packet: bytes) -> bytes:
    """The message in an IPv4 packet, as raw sockets show it; nothing if its checksum is wrong, which the kernel sees to
    for other sockets alone.
    """
    message = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
    return message if verifies(message) else b""
