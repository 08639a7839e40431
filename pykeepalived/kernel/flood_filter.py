"""A BPF program for a receive socket under a flood: the kernel drops what is plainly wrong, before it costs anything.

It refuses nothing that the receive ladder (`wire/vrrp.py`) would not: another version or type, a TTL below 255 where
that is demanded, another length, and of version 2 another interval, kind of authentication or password. What is dropped
here is not counted and not named, so it is attached only while there is too much of it.
"""

import socket
from collections.abc import Mapping

from pykeepalived.kernel.socket_filter import DROP_ALL, Instruction
from pykeepalived.units import SECOND
from pykeepalived.wire.vrrp import ADVERTISEMENT, AUTH_LENGTH, AUTH_NONE, AUTH_PASS, Expected

_LDX_HEADER_LENGTH = 0xB1  # BPF_LDX|BPF_B|BPF_MSH: X = 4 * (byte & 15)
_LDX_NUMBER = 0x01  # BPF_LDX|BPF_IMM
_LD_BYTE = 0x30  # BPF_LD|BPF_B|BPF_ABS
_LD_BYTE_FROM_X = 0x50  # BPF_LD|BPF_B|BPF_IND
_LD_SHORT_FROM_X = 0x48  # BPF_LD|BPF_H|BPF_IND
_LD_WORD_FROM_X = 0x40  # BPF_LD|BPF_W|BPF_IND
_LD_LENGTH = 0x80  # BPF_LD|BPF_W|BPF_LEN: of the whole packet
_SHIFT_LEFT = 0x64  # BPF_ALU|BPF_LSH|BPF_K
_ADD = 0x04  # BPF_ALU|BPF_ADD|BPF_K
_ADD_X = 0x0C
_SUBTRACT_X = 0x1C
_TO_X = 0x07
_FROM_X = 0x87
_JUMP = 0x05
_JUMP_EQUAL = 0x15
_JUMP_ABOVE = 0x25
_RETURN = 0x06
_WHOLE = 0x40000

_LONGEST = 4096  # BPF_MAXINSNS
_FOR_THE_REST = 300
_TTL_PLACE = 8
_HEADER = 8
_MAY_FOLLOW = 46  # padding to Ethernet's shortest frame, a trailer: the ladder looks closer

Wanted = Mapping[int, Expected | None]
"""By VRID, what its adverts look like; None where several routers share it."""


def guard_program(family: int, wanted: Wanted) -> tuple[Instruction, ...]:
    """Pass only what may be a sound advert for these routers. Routers that expect the same share their steps; those for
    which there is no room are left to the ladder.
    """
    ipv4 = family == socket.AF_INET
    program: list[Instruction] = [(_LDX_HEADER_LENGTH, 0, 0, 0) if ipv4 else (_LDX_NUMBER, 0, 0, 0)]
    program.append((_LD_BYTE_FROM_X, 0, 0, 1))
    alike: dict[Expected | None, list[int]] = {}
    for vrid, expected in wanted.items():
        alike.setdefault(expected, []).append(vrid)
    unguarded = alike.pop(None, [])
    room = _LONGEST - _FOR_THE_REST
    for expected, vrids in sorted(alike.items(), key=lambda item: -len(item[1])):
        part = _for(vrids, _steps(expected, ipv4=ipv4)) if expected is not None else []
        if len(program) + len(part) <= room:
            program += part
        else:
            unguarded += vrids
    program += _for(unguarded, [(_RETURN, 0, 0, _WHOLE)])
    return (*program, *DROP_ALL)


def _for(vrids: list[int], steps: list[Instruction]) -> list[Instruction]:
    """These steps, which all end by returning, for these VRIDs; the others go on behind."""
    tests = [(_JUMP_EQUAL, len(vrids) - place, 0, vrid) for place, vrid in enumerate(vrids)]
    return [*tests, (_JUMP, 0, 0, len(steps)), *steps] if vrids else []


def _steps(expected: Expected, *, ipv4: bool) -> list[Instruction]:
    """X is where the message begins."""
    checks: list[Instruction] = []
    if ipv4 and expected.multicast:
        checks += [(_LD_BYTE, 0, 0, _TTL_PLACE), (_JUMP_EQUAL, 0, 0, 255)]
    checks += [(_LD_BYTE_FROM_X, 0, 0, 0), (_JUMP_EQUAL, 0, 0, expected.version << 4 | ADVERTISEMENT)]
    old = expected.version == 2
    if old:
        word = expected.auth_type << 8 | expected.advert_interval // SECOND & 0xFF
        checks += [(_LD_SHORT_FROM_X, 0, 0, 4), (_JUMP_EQUAL, 0, 0, word)]
    # X is moved to the end of the addresses
    checks += [(_LD_BYTE_FROM_X, 0, 0, 3), (_SHIFT_LEFT, 0, 0, 2 if ipv4 else 4), (_ADD_X, 0, 0, 0), (_TO_X, 0, 0, 0)]
    if old and ipv4 and expected.auth_type == AUTH_PASS:
        password = expected.auth_data[:AUTH_LENGTH].ljust(AUTH_LENGTH, b"\0")
        for place in (0, 4):
            part = int.from_bytes(password[place : place + 4], "big")
            checks += [(_LD_WORD_FROM_X, 0, 0, _HEADER + place), (_JUMP_EQUAL, 0, 0, part)]
    least = _HEADER + (AUTH_LENGTH if old and ipv4 and expected.auth_type in {AUTH_NONE, AUTH_PASS} else 0)
    # what follows the message; a message that is too short makes it a huge number
    checks += [(_FROM_X, 0, 0, 0), (_ADD, 0, 0, least), (_TO_X, 0, 0, 0), (_LD_LENGTH, 0, 0, 0), (_SUBTRACT_X, 0, 0, 0)]
    checks.append((_JUMP_ABOVE, 0, 0, _MAY_FOLLOW))
    return _dropping(checks)


def _dropping(checks: list[Instruction]) -> list[Instruction]:
    """Behind the checks stand: return the whole, drop. A check that fails jumps to the last."""
    drop = len(checks) + 1
    steps: list[Instruction] = []
    for place, (code, _, _, operand) in enumerate(checks):
        away = drop - place - 1
        jumps = {_JUMP_EQUAL: (0, away), _JUMP_ABOVE: (away, 0)}.get(code, (0, 0))
        steps.append((code, *jumps, operand))
    return [*steps, (_RETURN, 0, 0, _WHOLE), (_RETURN, 0, 0, 0)]
