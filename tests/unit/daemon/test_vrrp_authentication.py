"""The driver with AH and auth_hmac: sockets, signatures anew for each advert, the time of day, and receive buffers."""

import time
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.kernel.ports import Datagram
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.receive_buffers import PATIENT
from pykeepalived.wire import hmac_trailer
from pykeepalived.wire.hmac_trailer import sequence_at
from tests.config.reading import instance_text, sound
from tests.support.fakes_vrrp import Bench

AH = "authentication {\nauth_type AH\nauth_pass %s\n}"
HMAC = "auth_hmac {\nkey 1 12345678901234567890123456789012\nactive_key 1\nmode %s\n}"
PEER = IPv4Address("10.0.0.2").packed
DOWN = 3_609_375_000


def configured(lines: str, before: str = "") -> Configuration:
    return sound(instance_text(lines, before)).configuration


def begun(lines: str, before: str = "") -> tuple[Bench, VrrpService]:
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.8"), 24)
    service = VrrpService(bench.context, configured(lines, before), bench.kernel)
    service.start()
    bench.reactor.turn()
    return bench, service


def test_ah_has_its_sockets_and_hears_adverts_without_it_beside_them() -> None:
    bench, service = begun(AH % "one")
    assert [receiver.protocol for receiver in bench.kernel.receivers] == [51, 112]
    assert all(receiver.vrids == frozenset({51}) for receiver in bench.kernel.receivers)
    assert [line for line in bench.journal.texts() if "sockpool" in line] == [
        f"VRRP sockpool: [ifindex(  1), family(IPv4), proto({protocol}), fd({fd},-1) multicast, address(224.0.0.18)]"
        for protocol, fd in ((51, 100), (112, 101))
    ]
    bench.reactor.run_for(DOWN + 2 * SECOND)
    numbers = [int.from_bytes(pdu[8:12], "big") for _, _, pdu in bench.kernel.sent]
    assert numbers == [1, 2, 3]
    # another password is another sender; without AH its socket goes
    service.reload(configured(AH % "two"))
    assert [(sender.ah_password, sender.closed) for sender in bench.kernel.senders] == [(b"one", True), (b"two", False)]
    assert [int.from_bytes(pdu[8:12], "big") for _, _, pdu in bench.kernel.sent] == [1, 2, 3, 4, 5]
    service.reload(configured(""))
    assert [receiver.closed for receiver in bench.kernel.receivers] == [True, False]
    assert bench.kernel.senders[-1].ah_password == b""


@pytest.mark.parametrize(("mode", "length"), [("enforce", 20 + 28), ("receive-only", 20)])
def test_each_signed_advert_is_another(mode: str, length: int) -> None:
    bench, _ = begun(HMAC % mode)
    before = sequence_at(time.time_ns())
    bench.reactor.run_for(DOWN + 2 * SECOND)
    sent = [pdu for _, _, pdu in bench.kernel.sent]
    assert [len(pdu) for pdu in sent] == [length] * 3
    trailers = [hmac_trailer.read(pdu[20:]) for pdu in sent]
    if mode == "enforce":
        numbers = [trailer.sequence for trailer in trailers if trailer is not None]
        assert numbers == sorted(set(numbers))
        assert numbers[0] >= before
    else:
        assert sent[0] is sent[1] is sent[2]  # as it was encoded the first time


def test_the_core_is_told_the_time_of_day() -> None:
    bench, service = begun(HMAC % "enforce")
    peer = configured(HMAC % "enforce" + "\npriority 150").vrrp_instance[0]
    for apart, heard in ((0, 1), (-60, 1), (60, 1)):
        number = sequence_at(time.time_ns() + apart * SECOND)
        ((destination, data),) = messages(peer, 150, PEER, sequence=number)
        bench.hear(Datagram(PEER, destination, 255, data, len(data)))
        (router,) = service._routers.routers.values()
        assert router.statistics.advert_rcvd == heard, bench.journal.texts()
    assert any("stale" in line for line in bench.journal.texts())


def test_receive_buffers_follow_the_file() -> None:
    bench, service = begun("kernel_rx_buf_size 5000")
    assert bench.kernel.receivers[0].size == 5000
    service.reload(configured("", "global_defs {\nvrrp_rx_bufs_policy MTU\n}"))
    assert bench.kernel.receivers[0].size == 3 * 1500
    service.reload(configured(""))
    assert bench.kernel.receivers[0].size == PATIENT
    assert len(bench.kernel.receivers) == 1
