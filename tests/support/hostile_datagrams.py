"""Servers that answer UDP, DNS and ICMP checks wrongly, each on a loopback address of its own.

Run as ``python -m tests.support.hostile_datagrams udp|dns|ping FOLDER``: every behaviour named in ``UDP``, ``DNS`` or
``PING`` is served at the address that ``address`` tells, until the process is ended. While a file of a behaviour's name
is in the folder, that server is good. A wrong kernel answer cannot be had from a right kernel, so in ``ping`` the
kernel's own replies must be off (``icmp_echo_ignore_all``); this one answers in its place.
"""

import contextlib
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PORT = 5300
LARGEST = 65507
TIMEOUT = 1.0
"""What the checks are expected to wait; late answers come after it."""
OTHER = "127.9.9.9"
OTHER_6 = "fd99::99"
BURST = 20
FLOOD_SECONDS = TIMEOUT

Answer = tuple[float, bytes, str]
"""Seconds from now, the datagram, and from where: ``""`` for the server's own socket, an address for another."""
Behaviour = Callable[[bytes], list[Answer]]


def at_once(*datagrams: bytes) -> list[Answer]:
    """All now, from where they are expected."""
    return [(0.0, one, "") for one in datagrams]


# UDP

UDP: dict[str, Behaviour | None] = {
    "closed": None,
    "prohibited": None,
    "unreachable": None,
    "filtered": None,
    "silent": lambda _: [],
    "echo": at_once,
    "empty": lambda _: at_once(b""),
    "one-byte": lambda _: at_once(b"P"),
    "pong": lambda _: at_once(b"PONG 123"),
    "pong-and-more": lambda _: at_once(b"PONG 123" + bytes(200)),
    "wrong": lambda _: at_once(b"GONG 123"),
    "nul": lambda _: at_once(bytes(8)),
    "255": lambda _: at_once(b"PONG" + bytes(251)),
    "256": lambda _: at_once(b"PONG" + bytes(252)),
    "largest": lambda _: at_once(b"PONG" + bytes(LARGEST - 4)),
    "stranger": lambda _: [(0.0, b"PONG 123", OTHER)],
    "other-port": lambda _: [(0.0, b"PONG 123", "port")],
    "late": lambda _: [(TIMEOUT + 0.3, b"PONG 123", "")],
    "wrong-then-right": lambda _: at_once(b"GONG 123", b"PONG 123"),
    "right-then-wrong": lambda _: at_once(b"PONG 123", b"GONG 123"),
    "slow": lambda _: [(0.3, b"PONG 123", "")],
    "flood": lambda _: at_once(b"GONG 123"),
}


# DNS

SOA = struct.pack(">HHHIH", 0xC00C, 6, 1, 60, 4 + 20) + b"\0\0" + bytes(22)


def reply(
    asked: bytes,
    *,
    number: int | None = None,
    flags: int = 0x8180,
    question: bytes | None = None,
    questions: int = 1,
    answers: int = 1,
    rest: bytes = SOA,
) -> bytes:
    """An answer to a question, right but for what is given."""
    if len(asked) < 12:
        return b""
    number = int.from_bytes(asked[:2], "big") if number is None else number
    question = asked[12:] if question is None else question
    return struct.pack(">HHHHHH", number, flags, questions, answers, 0, 0) + question + rest


def _other_id(asked: bytes) -> int:
    return int.from_bytes(asked[:2], "big") ^ 0x5555


def _cname(_: bytes) -> bytes:
    return struct.pack(">HHHIH", 0xC00C, 5, 1, 60, 2) + b"\xc0\x0c"


def _with_rcode(code: int) -> Behaviour:
    return lambda asked: at_once(reply(asked, flags=0x8180 | code))


DNS: dict[str, Behaviour | None] = {
    "closed": None,
    "prohibited": None,
    "unreachable": None,
    "filtered": None,
    "good": lambda asked: at_once(reply(asked)),
    "silent": lambda _: [],
    "wrong-id": lambda asked: at_once(reply(asked, number=_other_id(asked))),
    "wrong-id-then-good": lambda asked: at_once(reply(asked, number=_other_id(asked)), reply(asked)),
    "wrong-question": lambda asked: at_once(reply(asked, question=b"\x05wrong\0\0\x06\0\x01")),
    "wrong-type": lambda asked: at_once(reply(asked, question=asked[12:-4] + b"\0\xff\0\x01")),
    "wrong-then-servfail": lambda asked: at_once(
        reply(asked, question=b"\x05wrong\0\0\x06\0\x01"), reply(asked, flags=0x8182)
    ),
    "upper-case": lambda asked: at_once(reply(asked, question=asked[12:].upper())),
    "no-question": lambda asked: at_once(reply(asked, question=b"", questions=0, answers=0, rest=b"")),
    "no-question-servfail": lambda asked: at_once(
        reply(asked, question=b"", questions=0, answers=0, rest=b"", flags=0x8182)
    ),
    "two-questions": lambda asked: at_once(reply(asked, question=asked[12:] * 2, questions=2)),
    "stranger": lambda asked: [(0.0, reply(asked), OTHER)],
    "other-port": lambda asked: [(0.0, reply(asked), "port")],
    "truncated": lambda asked: at_once(reply(asked, flags=0x8380, answers=0, rest=b"")),
    "no-qr": at_once,
    "no-qr-then-good": lambda asked: at_once(asked, reply(asked)),
    "opcode": lambda asked: at_once(reply(asked, flags=0xA980)),
    **{f"rcode-{code}": _with_rcode(code) for code in range(1, 16)},
    "cname-only": lambda asked: at_once(reply(asked, rest=_cname(asked))),
    "no-answers": lambda asked: at_once(reply(asked, answers=0, rest=b"")),
    "claims-many": lambda asked: at_once(reply(asked, answers=65535)),
    "many": lambda asked: at_once(reply(asked, answers=1800, rest=SOA * 1800)[:LARGEST]),
    "loop-in-answer": lambda asked: at_once(reply(asked, rest=struct.pack(">H", 0xC000 | len(asked)) + SOA[2:])),
    "loop-in-question": lambda asked: at_once(reply(asked, question=b"\xc0\x0c\0\x06\0\x01")),
    "largest": lambda asked: at_once(reply(asked, rest=bytes(LARGEST - len(asked)))),
    "empty": lambda _: at_once(b""),
    "empty-then-good": lambda asked: at_once(b"", reply(asked)),
    "nul": lambda _: at_once(bytes(512)),
    "short": lambda asked: at_once(reply(asked)[:11]),
    "header-only": lambda asked: at_once(reply(asked)[:12]),
    "half-a-question": lambda asked: at_once(reply(asked)[:15]),
    "garbage": lambda asked: at_once(asked[:2] + random.randbytes(100)),
    "late": lambda asked: [(TIMEOUT + 0.3, reply(asked), "")],
    "slow": lambda asked: [(0.3, reply(asked), "")],
    "flood": lambda asked: at_once(reply(asked, number=_other_id(asked))),
}


# ICMP

ECHO_REPLY = {4: 0, 6: 129}
ECHO_REQUEST = {4: 8, 6: 128}
UNREACHABLE = {4: 3, 6: 1}
TIME_EXCEEDED = {4: 11, 6: 3}
TIME = 255
REFUSED = {"prohibited": 13, "unreachable": 1}
"""Codes of ICMP's destination unreachable."""


def icmp_sum(message: bytes) -> int:
    """The Internet checksum of a message that has none yet."""
    if len(message) % 2:
        message += b"\0"
    total: int = sum(struct.unpack(f">{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_reply(asked: bytes, *, kind: int | None = None, code: int = 0, ident: int = 0, seq: int = 0) -> bytes:
    """An echo reply to a request, right but for what is given; the numbers are changes. Checksum left zero."""
    version = 4 if asked[0] == 8 else 6
    number, sequence = struct.unpack_from(">HH", asked, 4)
    head = struct.pack(
        ">BBHHH", ECHO_REPLY[version] if kind is None else kind, code, 0, number ^ ident, (sequence + seq) & 0xFFFF
    )
    return head + asked[8:]


PING: dict[str, Behaviour | None] = {
    "good": lambda asked: at_once(echo_reply(asked)),
    "silent": lambda _: [],
    "wrong-ident": lambda asked: at_once(echo_reply(asked, ident=0x5555)),
    "wrong-sequence": lambda asked: at_once(echo_reply(asked, seq=1)),
    "sequence-before": lambda asked: at_once(echo_reply(asked, seq=-1)),
    "wrong-then-good": lambda asked: at_once(echo_reply(asked, seq=1), echo_reply(asked)),
    "wrong-data": lambda asked: at_once(echo_reply(asked)[:8] + bytes(len(asked) - 8)),
    "no-data": lambda asked: at_once(echo_reply(asked)[:8]),
    "short": lambda asked: at_once(echo_reply(asked)[:4]),
    "more-data": lambda asked: at_once(echo_reply(asked) + bytes(500)),
    "largest": lambda asked: at_once(echo_reply(asked) + bytes(60000)),
    "request": at_once,
    "code": lambda asked: at_once(echo_reply(asked, code=7)),
    "twice": lambda asked: at_once(echo_reply(asked), echo_reply(asked)),
    "stranger": lambda asked: [(0.0, echo_reply(asked), OTHER)],
    "bad-checksum": lambda asked: [(0.0, echo_reply(asked), "checksum")],
    "late": lambda asked: [(TIMEOUT + 0.3, echo_reply(asked), "")],
    "slow": lambda asked: [(0.3, echo_reply(asked), "")],
    "host-unreachable": lambda _: [(0.0, b"\x01", "error")],
    "port-unreachable": lambda _: [(0.0, b"\x03", "error")],
    "prohibited": lambda _: [(0.0, b"\x0d", "error")],
    "time-exceeded": lambda _: [(0.0, bytes((TIME,)), "error")],
    "flood": lambda asked: at_once(echo_reply(asked, seq=1)),
    "error-of-another": lambda asked: [(0.0, b"\x03", "error of another"), (0.1, echo_reply(asked), "")],
}

TABLES = {"udp": UDP, "dns": DNS, "ping": PING}
GOOD: dict[str, Behaviour] = {
    "udp": lambda _: at_once(b"PONG 123"),
    "dns": lambda asked: at_once(reply(asked)),
    "ping": lambda asked: at_once(echo_reply(asked)),
}


def address(kind: str, name: str, version: int = 4) -> str:
    """Where a behaviour is served; the loopback must have the IPv6 ones."""
    place = list(TABLES[kind]).index(name) + 1
    third = list(TABLES).index(kind) + 1
    return f"127.7.{third}.{place}" if version == 4 else f"fd99::{third}:{place:x}"


class Later:
    """Answers that are due later."""

    def __init__(self) -> None:
        self._due: list[tuple[float, Callable[[], None]]] = []

    def add(self, delay: float, action: Callable[[], None]) -> None:
        """Do this after so many seconds; now, if none."""
        if delay:
            self._due.append((time.monotonic() + delay, action))
        else:
            action()

    def run(self) -> float | None:
        """Do what is due; seconds until the next."""
        now = time.monotonic()
        due = [each for each in self._due if each[0] <= now]
        self._due = [each for each in self._due if each[0] > now]
        for _, action in due:
            action()
        return max(0.0, min(each[0] for each in self._due) - time.monotonic()) if self._due else None


def _bound(kind: int, family: int, place: tuple[str, int], protocol: int = 0) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    made.bind(place)
    return made


def _serve(sockets: dict[int, tuple[str, socket.socket]], answer: Callable[[str, socket.socket, Later], None]) -> None:
    later = Later()
    poll = select.poll()
    for number in sockets:
        poll.register(number, select.POLLIN)
    print("ready", flush=True)
    while True:
        wait = later.run()
        for number, _ in poll.poll(None if wait is None else wait * 1000 + 1):
            answer(*sockets[number], later)


def _floods(send: Callable[[], None], later: Later) -> None:
    """The same again and again, in bursts."""

    def burst() -> None:
        for _ in range(BURST):
            send()

    for number in range(int(FLOOD_SECONDS * 100)):
        later.add((number + 1) / 100, burst)


def serve_datagrams(kind: str, folder: Path) -> None:
    """UDP and DNS."""
    sockets: dict[int, tuple[str, socket.socket]] = {}
    for name, behaviour in TABLES[kind].items():
        for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            if behaviour is not None or (version == 6 and name in REFUSED):
                made = _bound(socket.SOCK_DGRAM, family, (address(kind, name, version), PORT))
                sockets[made.fileno()] = name, made
    strangers = {family: _bound(socket.SOCK_DGRAM, family, (place, PORT)) for family, place in _others()}

    def answer(name: str, own: socket.socket, later: Later) -> None:
        asked, asker = own.recvfrom(65536)
        behaviour = GOOD[kind] if (folder / name).exists() else TABLES[kind][name]
        if behaviour is None:
            _refuse(own, asked, asker, REFUSED[name])
            return
        for delay, datagram, source in behaviour(asked):
            sender = strangers[own.family] if source == OTHER else own
            if source == "port":
                sender = _bound(socket.SOCK_DGRAM, own.family, (own.getsockname()[0], 0))

            def send(sender: socket.socket = sender, datagram: bytes = datagram) -> None:
                with contextlib.suppress(OSError):  # nobody waits for it any more
                    sender.sendto(datagram, asker)

            later.add(delay, send)
            if name == "flood" and behaviour is not GOOD[kind]:
                _floods(send, later)

    _serve(sockets, answer)


def _refuse(own: socket.socket, asked: bytes, asker: tuple[str, int], code: int) -> None:
    """Say ICMPv6's destination unreachable; nftables, which does so for IPv4, says nothing over the loopback."""
    places = [socket.inet_pton(socket.AF_INET6, each) for each in (asker[0], own.getsockname()[0])]
    length = 8 + len(asked)
    packet = struct.pack(">IHBB", 6 << 28, length, socket.IPPROTO_UDP, 64) + b"".join(places)
    packet += struct.pack(">HHHH", asker[1], PORT, length, 0) + asked
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sender:
        sender.bind((*own.getsockname()[:1], 0))
        sender.sendto(_icmp_error(6, code, packet), (asker[0], 0))


def _others() -> Iterator[tuple[int, str]]:
    yield socket.AF_INET, OTHER
    yield socket.AF_INET6, OTHER_6


def _icmp_error(version: int, code: int, packet: bytes) -> bytes:
    """An error about a packet; the code is one of IPv4, or ``TIME`` for another type."""
    if code == TIME:
        kind, number = TIME_EXCEEDED[version], 0
    elif version == 4:
        kind, number = UNREACHABLE[4], code
    else:
        kind, number = UNREACHABLE[6], {1: 3, 3: 4, 13: 1}[code]  # RFC 4443 3.1
    return struct.pack(">BBHI", kind, number, 0, 0) + packet


def serve_ping(folder: Path) -> None:
    """ICMP and ICMPv6, in the kernel's place."""
    sockets: dict[int, tuple[str, socket.socket]] = {}
    for family, protocol in ((socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET6, socket.IPPROTO_ICMPV6)):
        made = socket.socket(family, socket.SOCK_RAW, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sockets[made.fileno()] = "", made
    senders: dict[str, socket.socket] = {}
    names = {address("ping", name, version): name for name in PING for version in (4, 6)}

    def answer(_nobody: str, own: socket.socket, later: Later) -> None:
        packet, control, _, asker = own.recvmsg(65536, 256)
        if own.family == socket.AF_INET:
            at, asked, version = socket.inet_ntop(socket.AF_INET, packet[16:20]), packet[(packet[0] & 15) * 4 :], 4
            header = packet[: (packet[0] & 15) * 4]
        else:
            at, asked, version = socket.inet_ntop(socket.AF_INET6, control[0][2][:16]), packet, 6
            header = struct.pack(">IHBB", 6 << 28, len(asked), 58, 64)
            header += socket.inet_pton(socket.AF_INET6, asker[0]) + control[0][2][:16]
        if at not in names or not asked or asked[0] != ECHO_REQUEST[version]:
            return
        name = names[at]
        behaviour = GOOD["ping"] if (folder / name).exists() else PING[name]
        assert behaviour is not None
        for delay, given, source in behaviour(asked):
            message = given
            if source.startswith("error"):
                about = asked if source == "error" else asked[:4] + b"\0\0" + asked[6:]
                message = _icmp_error(version, given[0], header + about)
            place = at
            if source == OTHER:
                place = OTHER if version == 4 else OTHER_6
            if version == 4 and len(message) >= 4:
                total = icmp_sum(message) ^ (0x1111 if source == "checksum" else 0)
                message = message[:2] + struct.pack(">H", total) + message[4:]

            if place not in senders:
                senders[place] = _bound(socket.SOCK_RAW, own.family, (place, 0), own.proto)
                senders[place].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)  # it hears everything, too

            def send(sender: socket.socket = senders[place], message: bytes = message) -> None:
                with contextlib.suppress(OSError):  # nobody waits for it any more
                    sender.sendto(message, asker)

            later.add(delay, send)
            if name == "flood" and behaviour is not GOOD["ping"]:
                _floods(send, later)

    _serve(sockets, answer)


def prepare(*kinds: str) -> str:
    """The shell script that makes a namespace fit for these servers."""
    places = [OTHER_6, *(address(kind, name, 6) for kind in kinds for name in TABLES[kind])]
    orders = ["link set lo up", *(f"addr add {place}/128 dev lo nodad" for place in places)]
    refused = dropped = ""
    for kind in kinds:
        if kind == "ping":
            continue
        for name, word in (("prohibited", "admin-prohibited"), ("unreachable", "host-unreachable")):
            refused += f"ip daddr {address(kind, name)} reject with icmp {word}; "
        dropped += f"ip daddr {address(kind, 'filtered')} drop; ip6 daddr {address(kind, 'filtered', 6)} drop; "
    rules = f"table inet hostile {{ chain in {{ type filter hook input priority 0; {refused}}}; "
    rules += f"chain out {{ type filter hook output priority 0; {dropped}}}; }}"
    words = ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]
    if "ping" in kinds:
        words += ["net.ipv4.icmp_echo_ignore_all=1", "net.ipv6.icmp.echo_ignore_all=1"]
    batch = "\n".join(orders)
    return f"ip -batch - <<END\n{batch}\nEND\nnft '{rules}'\nsysctl -qw {' '.join(words)}\n"


if __name__ == "__main__":
    if sys.argv[1] == "ping":
        serve_ping(Path(sys.argv[2]))
    else:
        serve_datagrams(sys.argv[1], Path(sys.argv[2]))
