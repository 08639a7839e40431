"""ICMP echo messages."""

import pytest

from pykeepalived.errors import DecodeError
from pykeepalived.wire import icmp
from pykeepalived.wire.checksum import checksum, verifies

IP_HEADER = bytes.fromhex("4500001c00000000400166df7f0000017f000001")


def reply(version: int, kind: int | None = None, code: int = 0) -> bytes:
    request = icmp.echo_request(version, 0xAB12, 7, b"nonce")
    return bytes((icmp.ECHO_REPLY[version] if kind is None else kind, code)) + request[2:]


def test_requests() -> None:
    assert icmp.echo_request(4, 0xAB12, 7, b"xyz").hex() == "08005a6cab12000778797a"
    assert verifies(icmp.echo_request(4, 0xAB12, 7, b"xyz"))
    assert icmp.echo_request(6, 0xAB12, 7, b"xyz").hex() == "80000000ab12000778797a"


@pytest.mark.parametrize("version", [4, 6])
def test_replies(version: int) -> None:
    assert icmp.read_echo_reply(version, reply(version)) == icmp.EchoReply(0xAB12, 7, b"nonce")
    assert icmp.read_echo_reply(version, reply(version)[:8]) == icmp.EchoReply(0xAB12, 7, b"")


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", [3, 8, 11, 128, 1])
def test_other_messages_are_refused(version: int, kind: int) -> None:
    with pytest.raises(DecodeError) as refused:
        icmp.read_echo_reply(version, reply(version, kind))
    assert refused.value.reason is icmp.Reason.TYPE
    with pytest.raises(DecodeError):
        icmp.read_echo_reply(version, reply(version, code=1))


@pytest.mark.parametrize("length", range(8))
def test_short_ones_are_refused(length: int) -> None:
    with pytest.raises(DecodeError) as refused:
        icmp.read_echo_reply(4, reply(4)[:length])
    assert refused.value.reason is icmp.Reason.TOO_SHORT


def test_behind_an_ip_header() -> None:
    message = icmp.echo_request(4, 1, 2, b"data")
    assert icmp.behind_ip(IP_HEADER + message) == message
    assert icmp.behind_ip(b"\x46" + IP_HEADER[1:] + bytes(4) + message) == message  # with an option
    assert icmp.behind_ip(IP_HEADER + message[:-1] + b"!") == b""  # its checksum is wrong
    assert icmp.behind_ip(b"") == b""
    assert icmp.behind_ip(IP_HEADER) == b""
    assert checksum(b"") == 0xFFFF
