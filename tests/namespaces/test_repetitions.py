"""The kernel takes in repeated adverts: which it does, which it hands up, and when the last one came."""

import contextlib
import random
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import Heard
from pykeepalived.kernel.repetitions import RepetitionFilter, RepetitionFilters
from pykeepalived.kernel.vrrp_sockets import LinuxAdvertReceiver, LinuxAdvertSender
from tests.namespaces.test_sockets import FAMILIES, GROUP, LEFT, RIGHT, V4, V6, link, pdu
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not


def _refusal() -> str | None:
    if why := why_not():
        return str(why)
    try:
        RepetitionFilter(V4).close()
    except KernelError as error:
        return f"this kernel, or a lack of rights, allows no extended BPF: {error}"
    return None


pytestmark = [pytest.mark.root, pytest.mark.skipif(_refusal() is not None, reason=str(_refusal()))]

VRID = 51
MESSAGE = pdu(VRID, length=20)
LONG = 1 << 62


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    with veth_pair() as (left, right):
        for namespace, addresses in ((left, LEFT), (right, RIGHT)):
            namespace.ip(f"addr add {addresses[V4]}/24 dev eth0")
            namespace.ip(f"addr add {addresses[V6]}/64 dev eth0 nodad")
        time.sleep(0.2)
        yield left, right


class Bench:
    """A receiver with a filter, and whoever sends to it."""

    def __init__(self, pair: tuple[Namespace, Namespace], family: int, vrids: frozenset[int]) -> None:
        self.family = family
        self._left, right = pair
        self._near, self._there = link(self._left), link(right)
        self.filters = RepetitionFilters([family])
        self.receiver = right.call(
            lambda: LinuxAdvertReceiver(
                family, self._there, group=GROUP[family], unicast_source=None, filters=self.filters
            )
        )
        self.receiver.listen_for(vrids)
        self._senders: dict[int | None, LinuxAdvertSender] = {}

    def send(self, message: bytes, *, source: bytes = b"") -> None:
        """One advert from the other end."""
        if None not in self._senders:
            self._senders[None] = self._left.call(
                lambda: LinuxAdvertSender(self.family, self._near, multicast=True, ttl=None)
            )
        source = source or LEFT[self.family].packed
        assert self._senders[None].send(source, GROUP[self.family].packed, message) == 0

    def send_raw(self, *, ttl: int = 255, first: int = 0x45, options: bytes = b"", message: bytes = MESSAGE) -> None:
        """An IPv4 packet with a header of the test's own."""

        def write() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
                addresses = LEFT[V4].packed + GROUP[V4].packed
                head = struct.pack("!BBHHHBBH", first, 0xC0, 0, 7, 0, ttl, 112, 0) + addresses + options
                sock.sendto(head + message, (str(GROUP[V4]), 0))

        self._left.call(write)

    def received(self, count: int = 1) -> list[Heard]:
        """What is handed up; waits for ``count``, and looks for more."""
        found: list[Heard] = []
        end = time.monotonic() + 5
        while len(found) < count and time.monotonic() < end:
            found += self.receiver.receive_many()
            time.sleep(0.001)
        time.sleep(0.02)
        found += self.receiver.receive_many()
        return found

    def close(self) -> None:
        self.receiver.close()
        for sender in self._senders.values():
            sender.close()


@contextlib.contextmanager
def bench(
    pair: tuple[Namespace, Namespace], family: int, vrids: frozenset[int] = frozenset({VRID, 7})
) -> Iterator[Bench]:
    made = Bench(pair, family, vrids)
    try:
        yield made
    finally:
        made.close()


@FAMILIES
def test_equal_adverts_are_taken_in_and_their_time_is_noted(pair: tuple[Namespace, Namespace], family: int) -> None:
    with bench(pair, family) as at:
        at.send(MESSAGE)
        (heard,) = at.received()
        taken = at.receiver.take_in(VRID, heard)
        assert taken is not None
        assert taken.latest() == 0
        for count in (1, 2):
            before = time.monotonic_ns()
            for _ in range(count):
                at.send(MESSAGE)
            assert at.received(0) == []
            assert before < taken.latest() < time.monotonic_ns()
            assert taken.count() == count


@FAMILIES
def test_whatever_differs_is_handed_up(pair: tuple[Namespace, Namespace], family: int) -> None:
    with bench(pair, family) as at:
        at.send(MESSAGE)
        (heard,) = at.received()
        taken = at.receiver.take_in(VRID, heard)
        assert taken is not None
        # the IPv6 socket has the kernel fill in the checksum: octets 6 and 7
        for place in [each for each in range(len(MESSAGE)) if each not in {1, 6, 7}]:
            changed = bytearray(MESSAGE)
            changed[place] ^= 1 << random.Random(place).randrange(8)
            at.send(bytes(changed))
            assert len(at.received()) == 1, place
        for other in (MESSAGE[:-4], MESSAGE + bytes(4), MESSAGE[:8], MESSAGE + bytes(200)):
            at.send(other)
            assert len(at.received()) == 1, len(other)
        at.send(MESSAGE, source=RIGHT[family].packed[:-1] + b"\x09" if family == V4 else b"")
        assert len(at.received(family == V4)) == (family == V4)
        assert taken.count() == (family == V6)


def test_ipv4_headers_that_differ_are_handed_up(pair: tuple[Namespace, Namespace]) -> None:
    with bench(pair, V4) as at:
        at.send(MESSAGE)
        (heard,) = at.received()
        taken = at.receiver.take_in(VRID, heard)
        assert taken is not None
        at.send_raw(ttl=254)
        assert len(at.received()) == 1
        at.send_raw(first=0x46, options=b"\x01\x01\x01\x00")
        assert len(at.received()) == 1
        assert taken.count() == 0
        at.send_raw()  # another identification alone
        assert at.received(0) == []
        assert taken.count() == 1


@FAMILIES
def test_other_routers_are_dropped_and_others_of_ours_are_handed_up(
    pair: tuple[Namespace, Namespace], family: int
) -> None:
    with bench(pair, family) as at:
        at.send(MESSAGE)
        (heard,) = at.received()
        assert at.receiver.take_in(VRID, heard) is not None
        at.send(pdu(200, length=20))
        assert at.received(0) == []
        at.send(pdu(7, length=20))
        assert len(at.received()) == 1


@FAMILIES
def test_an_end_is_at_once_and_for_each_router_by_itself(pair: tuple[Namespace, Namespace], family: int) -> None:
    with bench(pair, family) as at:
        taken = {}
        for vrid in (VRID, 7):
            at.send(pdu(vrid, length=20))
            (heard,) = at.received()
            taken[vrid] = at.receiver.take_in(vrid, heard)
        at.receiver.hand_up(VRID)
        at.send(MESSAGE)
        at.send(pdu(7, length=20))
        assert len(at.received()) == 1
        ended, other = taken[VRID], taken[7]
        assert ended is not None
        assert other is not None
        assert (ended.ended, other.ended) == (True, False)
        assert (ended.count(), other.count()) == (0, 1)


def test_another_set_of_routers_keeps_what_stays(pair: tuple[Namespace, Namespace]) -> None:
    with bench(pair, V4) as at:
        at.send(MESSAGE)
        (heard,) = at.received()
        taken = at.receiver.take_in(VRID, heard)
        assert taken is not None
        at.receiver.listen_for(frozenset({VRID, 9}))
        at.send(MESSAGE)
        assert at.received(0) == []
        assert not taken.ended
        at.receiver.listen_for(frozenset({9}))
        assert taken.ended


def test_a_guard_against_floods_hands_them_up_for_its_time(pair: tuple[Namespace, Namespace]) -> None:
    with bench(pair, V4) as at:
        at.send(MESSAGE)
        (heard,) = at.received()
        taken = at.receiver.take_in(VRID, heard)
        assert taken is not None
        at.receiver.guard({VRID: None})
        at.send(MESSAGE)
        assert len(at.received()) == 1
        at.receiver.listen_for(frozenset({VRID, 7}))
        at.send(MESSAGE)
        assert at.received(0) == []
        assert taken.count() == 1


def test_a_socket_that_closes_leaves_nothing_to_the_next(pair: tuple[Namespace, Namespace]) -> None:
    with bench(pair, V4) as at:
        at.send(MESSAGE)
        (heard,) = at.received()
        taken = at.receiver.take_in(VRID, heard)
        assert taken is not None
        used = at.receiver._repetitions
    assert taken.ended
    assert used in at.filters._free
    assert used is not None
    assert not used._taken


def test_long_messages_are_left_to_the_process(pair: tuple[Namespace, Namespace]) -> None:
    with bench(pair, V4) as at:
        longest, longer = pdu(VRID, length=128), pdu(VRID, length=132)
        for message in (longest, longer):
            at.send(message)
            (heard,) = at.received()
            assert (at.receiver.take_in(VRID, heard) is not None) == (message is longest)
            at.send(message)
            assert len(at.received(message is longer)) == (message is longer)


def test_where_the_kernel_forbids_it_all_is_handed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pykeepalived.kernel.ebpf._NUMBERS", {})
    assert RepetitionFilters([V4, V6]).take(V4) is None


def test_in_a_time_namespace_the_kernels_clock_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pykeepalived.kernel.repetitions._time_is_shifted", lambda: True)
    assert RepetitionFilters([V4]).take(V4) is None
