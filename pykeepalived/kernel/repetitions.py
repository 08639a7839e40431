"""The kernel takes in repeated adverts by itself: a socket filter that knows the advert accepted last of each VRID.

A packet that is equal to it is not handed up; when it came is noted in memory that this process sees. So hundreds of
masters that say the same again and again wake nobody. Whatever differs in anything but the identification of its IP
header is handed up as ever.
"""

import contextlib
import os
import socket
import struct
from pathlib import Path

from pykeepalived.errors import KernelError
from pykeepalived.kernel import ebpf
from pykeepalived.kernel.ebpf import STACK, Program
from pykeepalived.kernel.ports import Datagram, Heard

MOST = 32
"""Filters of one process: each takes 48 KiB of the kernel's memory."""
_SPARE = 4  # for links that come with a reload

_VRIDS = 256
_LONGEST = 128  # octets of a message: 30 IPv4 addresses, 7 of IPv6

# a value of the array
_AT, _COUNT, _WANTED, _LENGTH, _HOPS, _SOURCE, _DESTINATION, _MESSAGE = 0, 8, 16, 20, 24, 32, 48, 64
_VALUE = _MESSAGE + _LONGEST
_WORD = struct.Struct("=I")

_HEADER = 20
_IPV4 = 0x45  # version, and a header without options
_VRID_PLACE = 1
_HOPS6, _ADDRESSES6 = 7, 33  # of the IPv6 header: the hop limit, and how much from there to the end
_FROM_NETWORK_HEADER = 1
_WHOLE = 0x40000
_LEAST = 8  # VRRP's header

# registers that calls leave alone
_PACKET, _ENTRY, _SIZE = 6, 7, 8
# places on the stack, below its end
_COPY, _IP, _KEY, _BYTE = -_LONGEST, -_LONGEST - 24, -_LONGEST - 28, -_LONGEST - 32
_IP6 = -_LONGEST - 73  # the addresses behind the hop limit are aligned


class Repetition:
    """The packets of one VRID that the kernel takes in, until it is ``ended``."""

    __slots__ = ("_at", "_count", "_longs", "_told", "ended")

    def __init__(self, longs: memoryview, start: int) -> None:
        self._longs, self._at, self._count = longs, (start + _AT) // 8, (start + _COUNT) // 8
        self._told: int = longs[self._count]
        self.ended = False

    def latest(self) -> int:
        """When the latest came, on the monotonic clock; 0: none yet."""
        at: int = self._longs[self._at]
        return at

    def count(self) -> int:
        """How many came since this was asked last."""
        before, self._told = self._told, self._longs[self._count]
        return self._told - before


class RepetitionFilter:
    """A program and its array, for one socket of one family."""

    def __init__(self, family: int) -> None:
        """Raises KernelError where the kernel or our rights do not allow it."""
        self.family = family
        self._array = ebpf.SharedArray(_VRIDS, _VALUE)
        try:
            self._program = ebpf.load_socket_filter(_program(family, self._array.fd))
        except KernelError:
            self._array.close()
            raise
        self._view = self._array.view
        self._longs = self._view.cast("Q")
        self._taken: dict[int, Repetition] = {}

    def attach(self, sock: socket.socket, vrids: frozenset[int]) -> None:
        """Filter a socket: other VRIDs are dropped. Raises OSError."""
        for vrid in range(_VRIDS):
            self._put(vrid, _WANTED, vrid in vrids)
        for vrid in self._taken.keys() - vrids:
            self.end(vrid)
        ebpf.attach(sock, self._program)

    def take_in(self, vrid: int, heard: Heard) -> Repetition | None:
        """Take in packets of this VRID that are equal to ``heard``; None where they are too long."""
        self.end(vrid)
        packet = _parts(heard)
        if packet is None:
            return None
        hops, source, destination, message = packet
        view, start = self._view, vrid * _VALUE
        self._longs[start // 8] = 0
        for place, part in ((_HOPS, hops), (_SOURCE, source), (_DESTINATION, destination)):
            view[start + place : start + place + len(part)] = part
        view[start + _MESSAGE : start + _VALUE] = message.ljust(_LONGEST, b"\0")
        found = self._taken[vrid] = Repetition(self._longs, start)
        self._put(vrid, _LENGTH, len(message))
        return found

    def end(self, vrid: int) -> None:
        """Have all packets of this VRID handed up again."""
        self._put(vrid, _LENGTH, 0)
        before = self._taken.pop(vrid, None)
        if before is not None:
            before.ended = True

    def end_all(self) -> None:
        """Have all packets handed up."""
        for vrid in list(self._taken):
            self.end(vrid)

    def close(self) -> None:
        """Give it up; a socket that has it attached keeps the program."""
        self._longs.release()
        os.close(self._program)
        self._array.close()

    def _put(self, vrid: int, place: int, number: int) -> None:
        _WORD.pack_into(self._view, vrid * _VALUE + place, number)


class RepetitionFilters:
    """Those made while there was the right to make them."""

    def __init__(self, families: list[int]) -> None:
        """As many as the sockets in use, and some to spare."""
        self._free: list[RepetitionFilter] = []
        if _time_is_shifted():
            return
        spare = sorted(set(families)) * _SPARE
        with contextlib.suppress(KernelError):  # then everything is handed up
            for family in (families + spare)[:MOST]:
                self._free.append(RepetitionFilter(family))

    def take(self, family: int) -> RepetitionFilter | None:
        """One that is free."""
        found = next((each for each in self._free if each.family == family), None)
        if found is not None:
            self._free.remove(found)
        return found

    def give_back(self, used: RepetitionFilter) -> None:
        """Its socket is closed."""
        used.end_all()
        self._free.append(used)


def _parts(heard: Heard) -> tuple[bytes, bytes, bytes, bytes] | None:
    """TTL and protocol, or hop limit; source; destination; message: as the program compares them."""
    if isinstance(heard, Datagram):
        hops, source, destination, message = bytes([heard.ttl]), heard.source, heard.destination, heard.data
        whole = len(message) == heard.length and not heard.headers
    else:
        hops, source, destination, message = heard[1:3], heard[3:7], heard[7:11], heard[11:]
        whole = heard[0] == _IPV4
    return (hops, source, destination, message) if whole and _LEAST <= len(message) <= _LONGEST else None


def _program(family: int, array: int) -> Program:
    """Drop other VRIDs; note and drop what is equal; pass the rest."""
    program = Program()
    add = program.add
    ipv4 = family == socket.AF_INET
    add(ebpf.MOVE_REGISTER, _PACKET, 1)
    header = _HEADER if ipv4 else 0
    if ipv4:
        _load(program, 0, _IP, _HEADER)
        add(ebpf.LOAD_BYTE, 1, STACK, _IP)
        add(ebpf.JUMP_NOT_EQUAL, 1, number=_IPV4, to="pass")
    _load(program, header + _VRID_PLACE, _BYTE, 1)
    add(ebpf.LOAD_BYTE, 1, STACK, _BYTE)
    add(ebpf.STORE_WORD, STACK, 1, _KEY)
    program.load_map(1, array)
    add(ebpf.MOVE_REGISTER, 2, STACK)
    add(ebpf.ADD, 2, number=_KEY)
    program.call(ebpf.LOOK_UP)
    add(ebpf.JUMP_EQUAL, 0, to="pass")
    add(ebpf.MOVE_REGISTER, _ENTRY, 0)
    add(ebpf.LOAD_WORD, 1, _ENTRY, _WANTED)
    add(ebpf.JUMP_EQUAL, 1, to="drop")
    add(ebpf.LOAD_WORD, _SIZE, _ENTRY, _LENGTH)
    add(ebpf.JUMP_LESS, _SIZE, number=_LEAST, to="pass")
    add(ebpf.JUMP_ABOVE, _SIZE, number=_LONGEST, to="pass")
    add(ebpf.LOAD_WORD, 1, _PACKET, 0)  # the packet's length
    add(ebpf.SUBTRACT, 1, number=header)
    add(ebpf.JUMP_NOT_EQUAL_REGISTER, 1, _SIZE, to="pass")
    _compare_headers(program, ipv4=ipv4)
    _compare_message(program, header)
    program.call(ebpf.TIME)
    add(ebpf.STORE_LONG, _ENTRY, 0, _AT)
    add(ebpf.MOVE, 1, number=1)
    add(ebpf.ADD_IN_MEMORY, _ENTRY, 1, _COUNT)
    program.label("drop")
    add(ebpf.MOVE, 0)
    add(ebpf.EXIT)
    program.label("pass")
    add(ebpf.MOVE, 0, number=_WHOLE)
    add(ebpf.EXIT)
    return program


def _load(program: Program, offset: int, place: int, length: int) -> None:
    """Copy a part of the packet to the stack; a packet that is too short passes."""
    program.add(ebpf.MOVE_REGISTER, 1, _PACKET)
    program.add(ebpf.MOVE, 2, number=offset)
    program.add(ebpf.MOVE_REGISTER, 3, STACK)
    program.add(ebpf.ADD, 3, number=place)
    program.add(ebpf.MOVE, 4, number=length)
    program.call(ebpf.LOAD_BYTES)
    program.add(ebpf.JUMP_NOT_EQUAL, 0, to="pass")


def _compare_headers(program: Program, *, ipv4: bool) -> None:
    if ipv4:
        _compare(program, ebpf.LOAD_SHORT, _IP + 8, _HOPS)
        _compare(program, ebpf.LOAD_WORD, _IP + 12, _SOURCE)
        _compare(program, ebpf.LOAD_WORD, _IP + 16, _DESTINATION)
        return
    program.add(ebpf.MOVE_REGISTER, 1, _PACKET)
    program.add(ebpf.MOVE, 2, number=_HOPS6)
    program.add(ebpf.MOVE_REGISTER, 3, STACK)
    program.add(ebpf.ADD, 3, number=_IP6)
    program.add(ebpf.MOVE, 4, number=_ADDRESSES6)
    program.add(ebpf.MOVE, 5, number=_FROM_NETWORK_HEADER)
    program.call(ebpf.LOAD_BYTES_RELATIVE)
    program.add(ebpf.JUMP_NOT_EQUAL, 0, to="pass")
    _compare(program, ebpf.LOAD_BYTE, _IP6, _HOPS)
    for part in (0, 8):
        _compare(program, ebpf.LOAD_LONG, _IP6 + 1 + part, _SOURCE + part)
        _compare(program, ebpf.LOAD_LONG, _IP6 + 17 + part, _DESTINATION + part)


def _compare_message(program: Program, header: int) -> None:
    program.add(ebpf.MOVE, 1)
    for place in range(0, _LONGEST, 8):
        program.add(ebpf.STORE_LONG, STACK, 1, _COPY + place)
    program.add(ebpf.MOVE_REGISTER, 1, _PACKET)
    program.add(ebpf.MOVE, 2, number=header)
    program.add(ebpf.MOVE_REGISTER, 3, STACK)
    program.add(ebpf.ADD, 3, number=_COPY)
    program.add(ebpf.MOVE_REGISTER, 4, _SIZE)
    program.call(ebpf.LOAD_BYTES)
    program.add(ebpf.JUMP_NOT_EQUAL, 0, to="pass")
    for place in range(0, _LONGEST, 8):
        _compare(program, ebpf.LOAD_LONG, _COPY + place, _MESSAGE + place)


def _compare(program: Program, load: int, on_stack: int, in_entry: int) -> None:
    program.add(load, 1, STACK, on_stack)
    program.add(load, 2, _ENTRY, in_entry)
    program.add(ebpf.JUMP_NOT_EQUAL_REGISTER, 1, 2, to="pass")


def _time_is_shifted() -> bool:
    """Whether this process is in a time namespace: the kernel's clock is not ours then (time_namespaces(7))."""
    try:
        offsets = Path("/proc/self/timens_offsets").read_text(encoding="ascii")
    except OSError:
        return False
    return any(word.strip("-") != "0" for line in offsets.splitlines() for word in line.split()[1:])
