"""One DNS question, and what counts as its answer."""

import struct

import pytest

from pykeepalived.config.blocks.checkers import DNS_TYPES
from pykeepalived.errors import DecodeError
from pykeepalived.wire import dns

ID = 0xF946
ASKED = dns.question("example.org", "A")
EXAMPLE = bytes.fromhex("076578616d706c65036f726700")
ERRORS = tuple(range(1, 16))


def answer(
    flags: int = 0x8180, questions: int = 1, question: bytes = ASKED, number: int = ID, rest: bytes = b""
) -> bytes:
    return struct.pack(">HHHHHH", number, flags, questions, 0, 0, 0) + question + rest


def test_the_query_is_keepalived_s() -> None:
    assert dns.query(ID, ASKED).hex() == "f94601000001000000000000" + EXAMPLE.hex() + "00010001"


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        (".", b"\0"),
        ("example.org", EXAMPLE),
        ("example.org.", EXAMPLE),
        ("a" * 63 + ".b", b"\x3f" + b"a" * 63 + b"\x01b\0"),
        ("b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher", b"\x07b\xc3\xbccher\0"),
    ],
)
def test_names(name: str, encoded: bytes) -> None:
    assert dns.question(name, "SOA") == encoded + b"\0\x06\0\x01"


def test_every_type_of_the_configuration_has_its_number() -> None:
    assert tuple(dns.TYPES) == DNS_TYPES
    assert dns.question(".", "DNSKEY")[1:3] == b"\0\x30"


@pytest.mark.parametrize("rcode", range(16))
def test_the_rcode_is_read(rcode: int) -> None:
    assert dns.read_rcode(answer(0x8180 | rcode), ID, ASKED) == rcode


@pytest.mark.parametrize(
    "message",
    [
        answer(0x8380),  # truncated
        answer(0x8580),  # authoritative
        answer(0x8000),
        answer(question=EXAMPLE.upper() + ASKED[-4:]),
        answer(rest=b"\xc0\x0c" * 30_000),
        answer()[:-4] + ASKED[-4:],
    ],
)
def test_what_counts_as_an_answer(message: bytes) -> None:
    assert dns.read_rcode(message, ID, ASKED) == 0


def test_an_error_may_come_without_the_question() -> None:
    assert dns.read_rcode(answer(0x8182, questions=0, question=b""), ID, ASKED) == 2


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", dns.Reason.TOO_SHORT),
        (answer()[:11], dns.Reason.TOO_SHORT),
        (bytes(512), dns.Reason.ID),
        (answer(number=ID ^ 1), dns.Reason.ID),
        (dns.query(ID, ASKED), dns.Reason.NO_RESPONSE),
        (answer(0xA980), dns.Reason.OPCODE),
        (answer(questions=0, question=b""), dns.Reason.QUESTION),
        (answer(questions=2, question=ASKED * 2), dns.Reason.QUESTION),
        (answer(question=b""), dns.Reason.QUESTION),
        (answer()[:15], dns.Reason.QUESTION),
        (answer(question=dns.question("example.com", "A")), dns.Reason.QUESTION),
        (answer(question=dns.question("example.org", "AAAA")), dns.Reason.QUESTION),
        (answer(question=b"\xc0\x0c\0\x01\0\x01"), dns.Reason.QUESTION),
    ],
)
def test_what_is_no_answer(message: bytes, reason: dns.Reason) -> None:
    with pytest.raises(DecodeError) as refused:
        dns.read_rcode(message, ID, ASKED)
    assert refused.value.reason == reason


def test_the_case_of_letters_counts_in_a_type() -> None:
    asked = ASKED[:-4] + b"\0a\0\x01"  # 97, which would fold to 65
    with pytest.raises(DecodeError):
        dns.read_rcode(answer(question=ASKED[:-4] + b"\0A\0\x01"), ID, asked)
    assert dns.read_rcode(answer(question=asked), ID, asked) == 0
