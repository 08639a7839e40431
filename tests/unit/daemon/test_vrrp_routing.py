"""Routes, rules and static objects in the driver: one queue with all else, a share of each turn, facts come back."""

from errno import EINTR, ENETUNREACH
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.kernel.ports import BATCH
from pykeepalived.units import SECOND
from tests.support.fakes_vrrp import Bench
from tests.unit.daemon.test_vrrp_process import refuse_to_watch
from tests.unit.vrrp.test_routing import ROUTES, configured, instance
from tests.unit.vrrp.test_statics import ROUTE, TEXT, VI_1

DOWN = 3_609_375_000


def begun(configuration: Configuration) -> tuple[Bench, VrrpService]:
    bench = Bench("eth0", "eth1")
    for number, link in enumerate(("eth0", "eth1")):
        bench.kernel.give(link, IPv4Address(f"10.0.{number}.1"), 24)
    service = VrrpService(bench.context, configuration, bench.kernel)
    service.start()
    bench.reactor.turn()
    return bench, service


def orders(bench: Bench) -> list[str]:
    """What was ordered since the last time, in one word and its object's first."""
    words = ("add", "remove", "add-route", "remove-route", "replace-route", "add-rule", "remove-rule", "announce")
    return [f"{each[0]} {each[1].split()[0]}" for each in bench.cut() if each[0] in words]


def test_without_routes_and_rules_there_is_no_socket() -> None:
    bench, _ = begun(configured(VI_1))
    assert bench.kernel.routes is None
    assert 51 not in bench.reactor.watched


def test_a_master_takes_and_gives_back_in_order() -> None:
    bench, service = begun(configured(instance(ROUTES)))
    assert orders(bench)[:3] == ["remove-rule from", "remove-rule from", "remove-route 10.8.0.0/24"]
    bench.reactor.run_for(DOWN)
    routes = ["add-route 10.8.0.0/24", "add-route 10.8.1.0/24", "add-route 10.8.2.0/24"]
    taken = ["add 10.0.0.100", *routes, "add-rule from", "add-rule from", "announce 10.0.0.100"]
    assert orders(bench)[:7] == taken
    service.stop(lambda: None)
    bench.reactor.turn()
    assert orders(bench)[-1] == "remove 10.0.0.100"
    bench.reactor.run_for(2 * SECOND)
    assert bench.kernel.routes is not None
    assert bench.kernel.routes.closed
    assert 51 not in bench.reactor.watched


def test_routes_whose_removal_cannot_be_heard_of_yet_are_there_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        bench = Bench("eth0", "eth1")
        patch.setattr(bench.reactor, "watch", refuse_to_watch(bench, 51, 51))
        for number, link in enumerate(("eth0", "eth1")):
            bench.kernel.give(link, IPv4Address(f"10.0.{number}.1"), 24)
        service = VrrpService(bench.context, configured(instance(ROUTES)), bench.kernel)
        service.start()
        bench.reactor.run_for(2 * DOWN)
        assert "add-route 10.8.0.0/24" in orders(bench)
        assert sum("not noticed yet" in text for text in bench.journal.texts()) == 1
    bench.reactor.run_for(SECOND)
    assert bench.kernel.routes is not None
    bench.kernel.routes.take("10.8.0.0/24 via 10.0.0.2 dev eth0")
    bench.reactor.watched[51]()
    assert service._routers.routers["VI_1"].state.name == "BACKUP"


def test_a_lost_route_makes_the_master_step_down() -> None:
    bench, service = begun(configured(instance(ROUTES)))
    bench.reactor.run_for(DOWN)
    assert bench.kernel.routes is not None
    bench.kernel.routes.take("10.8.0.0/24 via 10.0.0.2 dev eth0")
    bench.reactor.watched[51]()
    assert service._routers.routers["VI_1"].state.name == "BACKUP"
    bench.reactor.run_for(DOWN)
    assert service._routers.routers["VI_1"].state.name == "MASTER"
    assert "10.8.0.0/24 via 10.0.0.2 dev eth0" in map(str, bench.kernel.routes.held)


def test_a_route_lost_while_nothing_can_be_read_is_noticed_after_that() -> None:
    bench, service = begun(configured(instance(ROUTES)))
    bench.reactor.run_for(DOWN)
    assert bench.kernel.routes is not None
    bench.kernel.silent = EINTR
    bench.kernel.routes.take("10.8.0.0/24 via 10.0.0.2 dev eth0")
    bench.reactor.watched[51]()
    assert service._routers.routers["VI_1"].state.name == "MASTER"
    bench.kernel.silent = 0
    bench.reactor.run_for(SECOND // 2)
    assert service._routers.routers["VI_1"].state.name == "BACKUP"


def test_a_route_that_goes_with_its_interface_is_a_fault_and_no_loss() -> None:
    bench, service = begun(configured(instance(ROUTES)))
    bench.reactor.run_for(DOWN)
    assert bench.kernel.routes is not None
    bench.kernel.routes.take("10.8.1.0/24 via 10.0.1.2 dev eth1")
    bench.kernel.set_link("eth1", up=False)
    bench.reactor.watched[51]()
    assert service._routers.routers["VI_1"].state.name == "FAULT"
    assert not any("somebody removed" in text for text in bench.journal.texts())


def test_static_objects_come_first_and_are_put_back() -> None:
    bench, _ = begun(configured(TEXT + VI_1))
    assert orders(bench)[:4] == ["add 10.5.0.1", "add 10.5.1.1", "add-route 10.6.0.0/24", "add-route 10.6.1.0/24"]
    assert bench.kernel.routes is not None
    bench.kernel.routes.take(ROUTE)
    bench.reactor.watched[51]()
    bench.kernel.take("eth1", "10.5.0.1", 24)
    bench.told()
    assert orders(bench) == ["add-route 10.6.0.0/24", "add 10.5.0.1"]


def test_a_static_route_that_the_kernel_refuses_is_a_fault_of_its_track_group() -> None:
    bench, service = begun(configured(TEXT + VI_1))
    assert bench.kernel.routes is not None
    bench.kernel.refuse[ROUTE] = ENETUNREACH
    bench.kernel.routes.take(ROUTE)
    bench.reactor.watched[51]()
    bench.reactor.turn()
    assert any(f"refuses to add static route {ROUTE}: ENETUNREACH (said" in text for text in bench.journal.texts())
    assert service._routers.routers["VI_1"].state.name == "FAULT"
    del bench.kernel.refuse[ROUTE]
    bench.kernel.give("eth1", IPv4Address("10.0.1.9"), 24)
    bench.told()
    bench.reactor.turn()
    assert service._routers.routers["VI_1"].state.name == "BACKUP"


def test_thousands_of_routes_do_not_hold_a_turn() -> None:
    many = "\n".join(f"10.{n // 256}.{n % 256}.0/24 dev eth1" for n in range(2000))
    bench, _ = begun(configured(instance(f"advert_int 1\nvirtual_routes {{\n{many}\n}}")))
    bench.reactor.run_for(DOWN)
    assert max(bench.kernel.batches) <= BATCH
    assert bench.kernel.routes is not None
    assert len(bench.kernel.routes.held) == 2000


def test_a_reload_may_bring_the_first_route() -> None:
    bench, service = begun(configured(VI_1))
    bench.reactor.run_for(DOWN)
    bench.cut()
    service.reload(configured(instance(ROUTES)))
    bench.reactor.turn()
    assert (
        orders(bench)
        == ["add-route 10.8.0.0/24", "add-route 10.8.1.0/24", "add-route 10.8.2.0/24"] + ["add-rule from"] * 2
    )
    assert 51 in bench.reactor.watched
