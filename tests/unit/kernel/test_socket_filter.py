"""The BPF programs, run by a small machine of our own."""

import socket

import pytest

from pykeepalived.kernel import socket_filter
from pykeepalived.kernel.socket_filter import Instruction

V4_HEADER = bytes([0x45]) + bytes(19)
V4_OPTIONS = bytes([0x47]) + bytes(27)


def passes(program: tuple[Instruction, ...], packet: bytes) -> bool:
    """Classic BPF (socket filter): the handful of instructions in use. A load beyond the end drops."""
    accumulator = index = place = 0
    for _ in range(len(program) + 1):
        code, jump_true, jump_false, operand = program[place]
        place += 1
        try:
            if code == 0xB1:
                index = 4 * (packet[operand] & 15)
            elif code == 0x50:
                accumulator = packet[index + operand]
            elif code == 0x30:
                accumulator = packet[operand]
            elif code == 0x15:
                place += jump_true if accumulator == operand else jump_false
            elif code == 0x06:
                return operand > 0
            else:
                raise AssertionError(f"instruction {code:#x}")
        except IndexError:
            return False
    raise AssertionError("the program does not end")


@pytest.mark.parametrize("wanted", [{1}, {51, 52}, {255}, set(range(1, 256)), set()], ids=len)
@pytest.mark.parametrize(
    ("family", "header"), [(socket.AF_INET, V4_HEADER), (socket.AF_INET, V4_OPTIONS), (socket.AF_INET6, b"")]
)
def test_exactly_the_wanted_routers_pass(family: int, header: bytes, wanted: set[int]) -> None:
    program = socket_filter.vrid_program(family, frozenset(wanted))
    passed = {vrid for vrid in range(256) if passes(program, header + bytes([0x31, vrid]) + bytes(6))}
    assert passed == wanted
    assert all(jump <= 255 for _, jump, _, _ in program)


def test_behind_an_authentication_header() -> None:
    program = socket_filter.vrid_program(socket.AF_INET, frozenset({51}), 24)
    for header in (V4_HEADER, V4_OPTIONS):
        passed = {vrid for vrid in range(256) if passes(program, header + bytes(24) + bytes([0x21, vrid]) + bytes(6))}
        assert passed == {51}
        assert not passes(program, header + bytes([0x21, 51]) + bytes(23))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("packet", [b"", b"\x4f", bytes([0x45]), b"\x31"])
def test_packets_too_short_are_dropped(family: int, packet: bytes) -> None:
    assert not passes(socket_filter.vrid_program(family, frozenset(range(1, 256))), packet)


def test_the_constant_programs() -> None:
    assert not passes(socket_filter.DROP_ALL, bytes(100))
    assert passes(socket_filter.PASS_ALL, b"")
