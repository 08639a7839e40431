"""Who is in a round says what it says now, and no more once it is no MASTER: also where one of us makes a mistake."""

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from errno import EIO
from ipaddress import IPv4Address

import pytest

from pykeepalived.daemon.vrrp_orders import OrdersOverTime
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import Advert, Datagram
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.effects import Effect
from tests.support.fakes_vrrp import Bench, FakeBundle
from tests.support.scenario import make_instance
from tests.unit.daemon.test_advert_rounds import adverts, each, lines, masters
from tests.unit.daemon.test_vrrp_process import advert

FEW = 20


def unicast_lines() -> list[str]:
    return [f"{line} version=3 unicast_peer=10.0.0.2" for line in lines(FEW)]


def unicast_advert(vrid: int, priority: int, *, old_checksum: bool) -> Datagram:
    """To 10.0.0.1, from a peer that sums as keepalived once did."""
    options = {"virtual_router_id": str(vrid), "version": "3", "unicast_peer": "10.0.0.1"}
    source, destination = IPv4Address("10.0.0.2").packed, IPv4Address("10.0.0.1").packed
    ((_, data),) = messages(make_instance("V", **options), priority, source, old_checksum=old_checksum)
    return Datagram(source, destination, 255, data, len(data))


def checksums(bench: Bench, vrid: int) -> set[bytes]:
    sums = {pdu[6:8] for _, _, pdu in bench.kernel.sent if pdu[1] == vrid}
    bench.kernel.sent.clear()
    return sums


@pytest.mark.parametrize("after", range(0, 1000, 100))
def test_a_peer_that_wants_another_checksum_gets_it_from_then_on(after: int) -> None:
    bench, service = masters(*unicast_lines())
    bench.reactor.run_for(after * MILLISECOND)
    before = checksums(bench, 5)
    bench.hear(unicast_advert(5, 50, old_checksum=True))
    answer = checksums(bench, 5)
    assert service._routers.routers["V5"].reception.old_checksum
    bench.reactor.run_for(5 * SECOND)
    assert len(answer) == 1
    assert answer != before
    assert checksums(bench, 5) == answer


def test_members_of_a_sync_group_count_what_was_sent_for_them() -> None:
    names = ",".join(f"V{vrid}" for vrid in range(1, FEW + 1))
    bench, service = masters(*lines(FEW), f"group G group={names}")
    service._catch_up()
    routers = service._routers.routers
    before = {name: router.statistics.advert_sent for name, router in routers.items()}
    bench.reactor.run_for(30 * SECOND)
    bench.hear(advert(200, virtual_router_id="3"))
    sent = adverts(bench)
    assert {router.state.name for router in routers.values()} == {"BACKUP"}
    assert {vrid: routers[f"V{vrid}"].statistics.advert_sent - before[f"V{vrid}"] for vrid in sent} == sent


def test_a_stop_counts_what_was_sent_before() -> None:
    bench, service = masters(*lines(FEW))
    service._catch_up()
    routers = list(service._routers.routers.values())
    before = sum(router.statistics.advert_sent for router in routers)
    bench.reactor.run_for(30 * SECOND)
    service.stop(lambda: None)
    assert sum(router.statistics.advert_sent for router in routers) - before == adverts(bench).total()


@pytest.fixture
def break_orders(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let whatever takes time fail from now on."""

    def fail(_: OrdersOverTime, order: Effect) -> None:
        raise RuntimeError(f"no {order} today")

    return lambda: monkeypatch.setattr(OrdersOverTime, "give", fail)


def test_who_yields_is_silent_also_when_its_orders_fail(break_orders: Callable[[], None]) -> None:
    bench, service = masters(*lines(FEW))
    break_orders()
    bench.hear(advert(200, virtual_router_id="7"))
    with pytest.raises(RuntimeError):
        bench.reactor.turn()
    assert service._routers.routers["V7"].state.name == "BACKUP"
    adverts(bench)
    bench.reactor.run_for(2 * SECOND)
    assert adverts(bench) == each(FEW, 2) - Counter({7: 2})


def test_a_link_that_is_down_silences_all_also_when_their_orders_fail(break_orders: Callable[[], None]) -> None:
    bench, service = masters(*lines(FEW))
    bench.kernel.set_link("eth0", up=False)
    break_orders()
    bench.told()
    with pytest.raises(RuntimeError):
        bench.reactor.turn()
    assert {router.state.name for router in service._routers.routers.values()} == {"FAULT"}
    adverts(bench)
    bench.reactor.run_for(5 * SECOND)
    assert adverts(bench) == Counter()


def test_a_stop_that_fails_lets_nobody_advertise(break_orders: Callable[[], None]) -> None:
    bench, service = masters(*lines(FEW))
    break_orders()
    service.stop(lambda: None)
    with pytest.raises(RuntimeError):
        bench.reactor.turn()
    adverts(bench)
    bench.reactor.run_for(5 * SECOND)
    assert adverts(bench) == Counter()


@pytest.mark.parametrize("error", [MemoryError(), KernelError("prepare", EIO)])
def test_a_bundle_that_cannot_be_made_silences_nobody(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, service = masters(*lines(FEW))

    def fail(_: Sequence[Advert]) -> FakeBundle:
        raise error

    bench.hear(advert(0, virtual_router_id="7"))  # it answers, and its round is another one
    bench.reactor.run_for(1)
    adverts(bench)
    with monkeypatch.context() as patch:
        patch.setattr(service._rounds, "_bundler", fail)
        bench.hear(advert(50, virtual_router_id="8"))  # and so is this one's
        end = bench.reactor.time + 10 * SECOND
        while bench.reactor.time < end:
            with contextlib.suppress(type(error)):  # each leaves a turn of the loop, which goes on
                bench.reactor.run_to(end)
        sent = adverts(bench)
        assert sent == each(FEW, 10) | Counter({8: sent[8]})
        assert sent[8] in {10, 11}
    bench.reactor.run_for(2 * SECOND)
    adverts(bench)
    bundles = len(bench.kernel.bundles)
    bench.reactor.run_for(3 * SECOND)
    assert adverts(bench) == each(FEW, 3)
    assert len(bench.kernel.bundles) == bundles


def test_a_bundle_that_breaks_while_it_is_sent_silences_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = masters(*lines(FEW))

    def fail(_: FakeBundle) -> list[tuple[int, int]]:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(FakeBundle, "send", fail)
        with pytest.raises(MemoryError):
            bench.reactor.run_for(2 * SECOND)
    bench.reactor.run_for(2 * SECOND)
    adverts(bench)
    bench.reactor.run_for(3 * SECOND)
    assert adverts(bench) == each(FEW, 3)
