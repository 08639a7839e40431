"""Classic BPF programs for raw sockets: let the kernel drop what nobody here wants."""

import array
import socket
import struct

_SO_ATTACH_FILTER = 26
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter: code, jump if true, jump if false, operand
_PROGRAM = struct.Struct("@HP")  # struct sock_fprog: length, address

_LDX_HEADER_LENGTH = 0xB1  # BPF_LDX|BPF_B|BPF_MSH: X = 4 * (byte & 15)
_LD_HALF = 0x28  # BPF_LD|BPF_H|BPF_ABS
_LD_BYTE = 0x30  # BPF_LD|BPF_B|BPF_ABS
_LD_BYTE_FROM_X = 0x50  # BPF_LD|BPF_B|BPF_IND
_JUMP_EQUAL = 0x15  # BPF_JMP|BPF_JEQ|BPF_K
_RETURN = 0x06  # BPF_RET|BPF_K
_WHOLE = 0x40000

_VRID_PLACE = 1  # second octet of a VRRP message (RFC 9568 5.1)
_NETLINK_KIND_PLACE = 4  # nlmsghdr, in the host's order where BPF reads the network's
_ROUTE_PROTOCOL_PLACE = 16 + 5  # rtm_protocol behind nlmsghdr

Instruction = tuple[int, int, int, int]

DROP_ALL: tuple[Instruction, ...] = ((_RETURN, 0, 0, 0),)
PASS_ALL: tuple[Instruction, ...] = ((_RETURN, 0, 0, _WHOLE),)


def vrid_program(family: int, vrids: frozenset[int], behind: int = 0) -> tuple[Instruction, ...]:
    """Pass only messages of these routers. A raw IPv4 socket shows the IP header first, an IPv6 one does not;
    ``behind`` is the length of what stands between IP and VRRP.
    """
    wanted = sorted(vrids)
    program: list[Instruction] = []
    if family == socket.AF_INET:
        program += [(_LDX_HEADER_LENGTH, 0, 0, 0), (_LD_BYTE_FROM_X, 0, 0, behind + _VRID_PLACE)]
    else:
        program += [(_LD_BYTE, 0, 0, behind + _VRID_PLACE)]
    program += [(_JUMP_EQUAL, len(wanted) - place, 0, vrid) for place, vrid in enumerate(wanted)]
    return (*program, (_RETURN, 0, 0, 0), (_RETURN, 0, 0, _WHOLE))


def removal_program(route_kind: int, rule_kind: int, protocol: int) -> tuple[Instruction, ...]:
    """Of what netlink tells of routes and rules, pass the removals: of rules all, of routes those of one protocol."""
    return (
        (_LD_HALF, 0, 0, _NETLINK_KIND_PLACE),
        (_JUMP_EQUAL, 3, 0, socket.htons(rule_kind)),
        (_JUMP_EQUAL, 0, 3, socket.htons(route_kind)),
        (_LD_BYTE, 0, 0, _ROUTE_PROTOCOL_PLACE),
        (_JUMP_EQUAL, 0, 1, protocol),
        (_RETURN, 0, 0, _WHOLE),
        (_RETURN, 0, 0, 0),
    )


def attach(sock: socket.socket, program: tuple[Instruction, ...]) -> None:
    """Attach it, in place of any earlier one; raises OSError."""
    code = array.array("B", b"".join(_INSTRUCTION.pack(*instruction) for instruction in program))
    address, _ = code.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _PROGRAM.pack(len(program), address))
