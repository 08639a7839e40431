"""DNS over UDP as DNS_CHECK speaks it: one question, and the header and question of what comes back (RFC 1035 4.1).

Records are never read: that the server answers without an error is what is asked. So no pointer is followed and no
count believed, and the cost of an answer does not depend on its length.
"""

import struct
from enum import StrEnum

from pykeepalived.errors import DecodeError

_HEADER = struct.Struct(">HHHHHH")  # id, flags, counts of questions, answers, authorities, additional records
_QUESTION_END = struct.Struct(">HH")  # type, class
_RESPONSE, _OPCODE, _RECURSION_DESIRED, _RCODE = 0x8000, 0x7800, 0x0100, 0x000F
_INTERNET = 1

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "RRSIG": 46, "DNSKEY": 48}
READ_LIMIT = 512
"""Octets of an answer that are enough: the header and the longest question."""


class Reason(StrEnum):
    """Why a datagram is no answer to the question."""

    TOO_SHORT = "too-short"
    ID = "id"
    NO_RESPONSE = "no-response"
    OPCODE = "opcode"
    QUESTION = "question"


def question(name: str, record_type: str) -> bytes:
    """The question for a name (``.`` is the root) and a type of record, in the class IN."""
    labels = [label.encode("utf-8", "surrogateescape") for label in name.split(".") if label]
    encoded = b"".join(bytes((len(label),)) + label for label in labels)
    return encoded + b"\0" + _QUESTION_END.pack(TYPES[record_type], _INTERNET)


def query(number: int, asked: bytes) -> bytes:
    """The message that asks it, with that id."""
    return _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0) + asked


def read_rcode(message: bytes, number: int, asked: bytes) -> int:
    """The RCODE of the answer to that query, NOERROR being 0. Raises DecodeError for what is no answer to it.

    Only an error may come without the question: a server that could not read it has nothing to repeat.
    """
    if len(message) < _HEADER.size:
        raise DecodeError(Reason.TOO_SHORT, f"{len(message)} octets")
    told: int
    flags: int
    told, flags, questions, _, _, _ = _HEADER.unpack_from(message)
    if told != number:
        raise DecodeError(Reason.ID)
    if not flags & _RESPONSE:
        raise DecodeError(Reason.NO_RESPONSE)
    if flags & _OPCODE:
        raise DecodeError(Reason.OPCODE, str((flags & _OPCODE) >> 11))
    rcode = flags & _RCODE
    if questions == 0 and rcode:
        return rcode
    if questions != 1 or not _same(message[_HEADER.size : _HEADER.size + len(asked)], asked):
        raise DecodeError(Reason.QUESTION)
    return rcode


def _same(one: bytes, other: bytes) -> bool:
    """The case of letters in a name means nothing (RFC 4343); a length is below any letter."""
    end = -_QUESTION_END.size
    return one == other or (one[end:] == other[end:] and one[:end].lower() == other[:end].lower())
