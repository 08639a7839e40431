"""Extended BPF, as far as a socket filter needs it: instructions, an array that kernel and process share, loading.

Both need privileges (CAP_BPF; before Linux 5.8 CAP_SYS_ADMIN), so programs are loaded before those are given up. See
bpf(2) and Documentation/bpf/standardization/instruction-set.rst of the kernel.
"""

import array
import ctypes
import errno
import mmap
import os
import socket
import struct

from pykeepalived.errors import KernelError

_NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "ppc64le": 361, "s390x": 351}  # bpf(2)
_MAP_CREATE, _PROG_LOAD = 0, 5
_MAP_TYPE_ARRAY = 2
_MMAPABLE = 1 << 10
_PROG_TYPE_SOCKET_FILTER = 1
_LICENSE = b"GPL"  # that of this program
_SO_ATTACH_BPF = 50
_ATTRIBUTES = 128

_MAP_ATTRIBUTES = struct.Struct("=5I")  # type, key size, value size, entries, flags
_PROG_ATTRIBUTES = struct.Struct("=IIQQIIQ")  # type, length, instructions, licence, log level, log size, log
_INSTRUCTION = struct.Struct("=BBhi")

# operations
MOVE, MOVE_REGISTER = 0xB7, 0xBF
ADD, SUBTRACT = 0x07, 0x17
LOAD_BYTE, LOAD_SHORT, LOAD_WORD, LOAD_LONG = 0x71, 0x69, 0x61, 0x79
STORE_WORD, STORE_LONG = 0x63, 0x7B
ADD_IN_MEMORY = 0xDB
JUMP_EQUAL, JUMP_NOT_EQUAL, JUMP_LESS, JUMP_ABOVE, JUMP_NOT_EQUAL_REGISTER = 0x15, 0x55, 0xA5, 0x25, 0x5D
CALL, EXIT = 0x85, 0x95
_LOAD_MAP = 0x18
_PSEUDO_MAP = 1

# helpers of the kernel
LOOK_UP, TIME, LOAD_BYTES, LOAD_BYTES_RELATIVE = 1, 5, 26, 68

STACK = 10
"""The register that points behind the stack."""


class Program:
    """Instructions in the making. ``label`` marks the next one; jumps name labels and go forward."""

    def __init__(self) -> None:
        self._instructions: list[tuple[int, int, int, int, int, str]] = []
        self._labels: dict[str, int] = {}

    def add(self, code: int, target: int = 0, source: int = 0, offset: int = 0, number: int = 0, to: str = "") -> None:
        """One instruction: registers ``target`` and ``source``, ``to`` is where a jump goes."""
        self._instructions.append((code, target, source, offset, number, to))

    def call(self, helper: int) -> None:
        """Call a helper of the kernel: arguments in registers 1 to 5, result in 0."""
        self.add(CALL, number=helper)

    def load_map(self, target: int, fd: int) -> None:
        """A map as an argument."""
        self.add(_LOAD_MAP, target, _PSEUDO_MAP, 0, fd)
        self.add(0)

    def label(self, name: str) -> None:
        """Jumps to ``name`` go to the next instruction."""
        self._labels[name] = len(self._instructions)

    def encode(self) -> bytes:
        """The program as the kernel takes it."""
        return b"".join(
            _INSTRUCTION.pack(code, target | source << 4, self._labels[to] - place - 1 if to else offset, number)
            for place, (code, target, source, offset, number, to) in enumerate(self._instructions)
        )


class SharedArray:
    """An array of equal values, in memory of the kernel that this process sees as well."""

    def __init__(self, entries: int, value_bytes: int) -> None:
        """``value_bytes`` is a multiple of 8. Raises KernelError."""
        self.value_bytes = value_bytes
        attributes = _MAP_ATTRIBUTES.pack(_MAP_TYPE_ARRAY, 4, value_bytes, entries, _MMAPABLE)
        self.fd = _bpf(_MAP_CREATE, attributes, "make an array for a socket filter")
        size = -(-entries * value_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        try:
            self._memory = mmap.mmap(self.fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        except OSError as error:
            os.close(self.fd)
            raise KernelError("share an array with a socket filter", error.errno or errno.EIO) from error
        self.view = memoryview(self._memory)

    def close(self) -> None:
        """Forget it; a program that uses it keeps it."""
        self.view.release()
        self._memory.close()
        os.close(self.fd)


def load_socket_filter(program: Program) -> int:
    """Let the kernel verify a program; its descriptor. Raises KernelError."""
    code = array.array("B", program.encode())
    address, length = code.buffer_info()
    licence = ctypes.create_string_buffer(_LICENSE)
    attributes = _PROG_ATTRIBUTES.pack(
        _PROG_TYPE_SOCKET_FILTER, length // _INSTRUCTION.size, address, ctypes.addressof(licence), 0, 0, 0
    )
    return _bpf(_PROG_LOAD, attributes, "load a socket filter")


def attach(sock: socket.socket, program: int) -> None:
    """Filter a socket by a program, in place of any earlier filter; raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_BPF, program)


def _bpf(command: int, attributes: bytes, order: str) -> int:
    number = _NUMBERS.get(os.uname().machine)
    if number is None or struct.calcsize("P") != 8:
        raise KernelError(order, errno.ENOSYS)
    buffer = ctypes.create_string_buffer(attributes, _ATTRIBUTES)
    found = int(ctypes.CDLL(None, use_errno=True).syscall(number, command, buffer, len(attributes)))
    if found < 0:
        raise KernelError(order, ctypes.get_errno() or errno.EIO)
    return found
