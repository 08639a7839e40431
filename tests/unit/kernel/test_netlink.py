"""The netlink socket against this kernel's links and addresses, and against what others might send."""

import errno
import fcntl
import os
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from pykeepalived.errors import KernelError
from pykeepalived.kernel import netlink
from pykeepalived.kernel.message_classes import NLM_F_ACK, NLMSG_HEADER, Reader, encoded
from pykeepalived.kernel.netlink import NETLINK_ROUTE, NetlinkSocket, Overrun
from pykeepalived.kernel.route_classes import ifaddrmsg, ifinfmsg

RTM_GETLINK, RTM_GETADDR, RTM_DELADDR = 18, 22, 21
NETLINK_USERSOCK = 2


class Scripted:
    """In the place of the socket: answers each send with the datagrams that a function makes of the request."""

    def __init__(self, datagrams: list[tuple[bytes, int]]) -> None:
        self.datagrams = datagrams
        self.sent: list[bytes] = []
        self.ends = os.pipe()
        os.write(self.ends[1], b"!")  # always readable, so that a wait is over at once

    def fileno(self) -> int:
        return self.ends[0]

    def sendto(self, data: bytes, _: tuple[int, int]) -> None:
        self.sent.append(bytes(data))

    def recvfrom_into(self, buffer: bytearray, _: int, __: int) -> tuple[int, tuple[int, int]]:
        if not self.datagrams:
            raise BlockingIOError(errno.EAGAIN, "empty")
        data, sender = self.datagrams.pop(0)
        if sender == -1:
            raise OSError(errno.ENOBUFS, "overrun")
        buffer[: len(data)] = data[: len(buffer)]
        return len(data), (sender, 0)

    def close(self) -> None:
        for end in self.ends:
            os.close(end)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "_WAIT_SECONDS", 0.05)


@pytest.fixture
def route() -> Iterator[NetlinkSocket]:
    sock = NetlinkSocket(NETLINK_ROUTE)
    yield sock
    sock.close()


def scripted(sock: NetlinkSocket, datagrams: list[tuple[bytes, int]]) -> Scripted:
    """Put a script in the place of the real socket; sequence numbers begin at 101."""
    sock.close()
    script = Scripted(datagrams)
    sock._socket = script  # type: ignore[assignment] # as much of a socket as is used
    sock._sequence = 100
    return script


def message(sequence: int, kind: int = 2, flags: int = 0, data: bytes = b"") -> bytes:
    return NLMSG_HEADER.pack(NLMSG_HEADER.size + len(data), kind, flags, sequence, 0) + data


def ack(sequence: int, code: int = 0) -> bytes:
    return message(sequence, data=struct.pack("=i", -code) + bytes(16))


def order(count: int) -> list[bytearray]:
    return [bytearray(encoded(ifaddrmsg, RTM_DELADDR, 0, {}, []).data) for _ in range(count)]


def test_a_dump_lists_the_loopback(route: NetlinkSocket) -> None:
    names = []
    for _, data in route.dump(encoded(ifinfmsg, RTM_GETLINK, 0, {}, []).data):
        names.append(Reader(ifinfmsg).attributes(data)["IFLA_IFNAME"])
    assert b"lo\0" in names


def test_each_order_of_a_batch_has_its_own_errno(route: NetlinkSocket) -> None:
    def delete(prefix_length: int, index: int) -> bytearray:
        fields = {"family": socket.AF_INET, "prefixlen": prefix_length, "index": index}
        data = encoded(ifaddrmsg, RTM_DELADDR, 0, fields, [("IFA_LOCAL", "192.0.2.77")]).data
        return bytearray(data)

    expected = [errno.ENODEV, errno.EADDRNOTAVAIL] if os.geteuid() == 0 else [errno.EPERM] * 2
    batch = [delete(32, 0x7FFFFFF0), delete(32, 1)]
    assert route.order(batch * 40) == expected * 40  # more than one batch of the socket's own
    assert route.order([]) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for orders")
def test_the_kernels_own_words_are_kept(route: NetlinkSocket) -> None:
    unknown_kind = encoded(ifinfmsg, 16, 0x600, {}, [("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "nonsense")]})])
    assert route.order([bytearray(unknown_kind.data)]) == [errno.EOPNOTSUPP]
    assert route.refusal == "Unknown device type"
    assert route.order(order(1)) != [0]
    assert route.refusal != "Unknown device type"


def test_a_refused_dump_is_an_error(route: NetlinkSocket) -> None:
    with pytest.raises(KernelError):
        route.dump(bytearray(encoded(ifaddrmsg, 1023, 0, {}, []).data))


def test_only_the_kernel_is_believed_and_only_for_this_batch(route: NetlinkSocket) -> None:
    script = scripted(
        route,
        [
            (ack(101, errno.EPERM), 4711),  # another process
            (ack(99, errno.EIO), 0),  # an answer to an earlier batch
            (ack(103, errno.EIO), 0),  # to a later one
            (ack(102, errno.EEXIST) + ack(101), 0),
        ],
    )
    assert route.order(order(2)) == [0, errno.EEXIST]
    assert len(script.sent) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0" * 15,
        b"\0" * 16,
        NLMSG_HEADER.pack(8, 2, 0, 101, 0),
        NLMSG_HEADER.pack(17, 2, 0, 101, 0),
        NLMSG_HEADER.pack(0xFFFFFFFF, 2, 0, 101, 0),
        bytes(range(64)),
    ],
)
def test_broken_datagrams_are_no_answers(route: NetlinkSocket, garbage: bytes) -> None:
    scripted(route, [(garbage, 0), (ack(101, errno.EEXIST), 0)])
    assert route.order(order(1)) == [errno.EEXIST]


def test_silence_ends(route: NetlinkSocket) -> None:
    scripted(route, [(ack(101), 0)])
    started = time.monotonic()
    assert route.order(order(2)) == [0, errno.ETIMEDOUT]
    with pytest.raises(KernelError) as told:
        route.dump(order(1)[0])
    assert told.value.errno == errno.ETIMEDOUT
    assert time.monotonic() - started < 2


def test_silence_ends_also_where_a_thousand_checks_have_the_lower_descriptors(route: NetlinkSocket) -> None:
    script = scripted(route, [])
    low = script.ends[0]
    script.ends = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 1024), script.ends[1]
    os.close(low)
    assert route.order(order(1)) == [errno.ETIMEDOUT]


def test_answers_lost_in_an_overrun_do_not_hide_the_others(route: NetlinkSocket) -> None:
    scripted(route, [(ack(101), 0), (b"", -1), (ack(103, errno.EEXIST), 0)])
    assert route.order(order(3)) == [0, errno.ETIMEDOUT, errno.EEXIST]


def test_only_the_last_of_a_batch_asks_for_an_answer(route: NetlinkSocket) -> None:
    script = scripted(route, [(ack(102, errno.EEXIST), 0), (ack(103), 0)])
    assert route.order(order(3)) == [0, errno.EEXIST, 0]
    sent, flags = script.sent[0], []
    while sent:
        size, _, flag, _, _ = NLMSG_HEADER.unpack_from(sent)
        flags.append(bool(flag & NLM_F_ACK))
        sent = sent[size:]
    assert flags == [False, False, True]


def test_without_the_last_answer_nothing_is_taken_for_done(route: NetlinkSocket) -> None:
    scripted(route, [(ack(102, errno.EEXIST), 0)])
    assert route.order(order(3)) == [errno.ETIMEDOUT, errno.EEXIST, errno.ETIMEDOUT]


def test_an_interrupted_dump_is_read_again(route: NetlinkSocket) -> None:
    row = message(101, kind=20, flags=2, data=b"old!")
    torn = message(101, kind=3, flags=2 | 0x10, data=bytes(4))
    whole = message(103, kind=20, flags=2, data=b"new!") + message(103, kind=3, flags=2, data=bytes(4))
    script = scripted(route, [(row, 0), (torn, 0), (whole, 0)])
    assert route.dump(order(1)[0]) == [(20, whole[:20])]
    assert len(script.sent) == 2


def test_a_dump_that_never_settles_is_given_up(route: NetlinkSocket) -> None:
    scripted(route, [(message(101 + 2 * n, kind=3, flags=0x12, data=bytes(4)), 0) for n in range(6)])
    with pytest.raises(KernelError) as told:
        route.dump(order(1)[0])
    assert told.value.errno == errno.EINTR


def test_who_is_not_patient_does_not_wait_for_a_list(route: NetlinkSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    torn = [(message(101 + 2 * n, kind=3, flags=0x12, data=bytes(4)), 0) for n in range(3)]
    scripted(route, torn[:2])
    with pytest.raises(KernelError):
        route.dump(order(1)[0], patient=False)
    scripted(route, [torn[0], (message(103, kind=3, flags=2, data=bytes(4)), 0)])
    assert route.dump(order(1)[0], patient=False) == []
    assert not any(waits)


def test_a_message_larger_than_the_buffer_counts_as_an_overrun_once(route: NetlinkSocket) -> None:
    huge = message(0, kind=16, data=bytes(1 << 18))
    scripted(route, [(huge, 0), (huge, 0)])
    with pytest.raises(Overrun):
        list(route.events())
    assert [len(data) for _, data in route.events()] == [len(huge)]


def test_events_are_the_kernels_and_end_with_the_queue(route: NetlinkSocket) -> None:
    scripted(
        route, [(message(0, kind=16), 0), (message(0, kind=17), 12), (message(5, kind=3) + message(5, kind=20), 0)]
    )
    assert [kind for kind, _ in route.events()] == [16, 20]


def test_an_overrun_is_told_after_what_came_before_it(route: NetlinkSocket) -> None:
    scripted(route, [(message(0, kind=16), 0), (b"", -1), (message(0, kind=17), 0)])
    events = route.events()
    assert next(events)[0] == 16
    with pytest.raises(Overrun):
        next(events)
    route.discard()
    assert list(route.events()) == []


def test_a_real_foreign_sender_is_ignored() -> None:
    listener = NetlinkSocket(NETLINK_USERSOCK)
    stranger = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_USERSOCK)
    stranger.bind((0, 0))
    stranger.sendto(message(0, kind=16), (listener._socket.getsockname()[0], 0))
    assert list(listener.events()) == []
    stranger.close()
    listener.close()


def test_a_protocol_this_kernel_lacks_is_a_kernel_error() -> None:
    with pytest.raises(KernelError) as told:
        NetlinkSocket(31)
    assert told.value.errno == errno.EPROTONOSUPPORT
