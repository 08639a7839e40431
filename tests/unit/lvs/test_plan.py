"""The fewest orders, and their order."""

from dataclasses import replace
from ipaddress import ip_address

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.ipvs_table import DestinationRow, IpvsOrder, ServiceRow
from pykeepalived.lvs.plan import plan
from pykeepalived.lvs.rows import ServiceTable, key_of

ROW = ServiceRow(Service("address", ip_address("10.9.0.100"), 80, 6, 0, 2), "wlc", 0, 0, 0xFFFFFFFF)


def rs(number: int, weight: int = 1) -> DestinationRow:
    return DestinationRow(ip_address(f"10.9.0.{number}"), 80, LvsMethod(), weight, 0, 0)


def service(*rows: DestinationRow, row: ServiceRow = ROW) -> ServiceTable:
    return ServiceTable(row, {key_of(each): each for each in rows})


def brief(orders: list[IpvsOrder]) -> list[str]:
    return [
        order.verb if order.destination is None else f"{order.verb} {order.destination.address.packed[-1]}"
        for order in orders
    ]


def test_nothing_to_do() -> None:
    assert plan(None, None) == []
    assert plan(service(rs(11)), service(rs(11))) == []


def test_new_service() -> None:
    orders = plan(service(rs(11), rs(12)), None)
    assert brief(orders) == ["add-service", "add-server 11", "add-server 12"]


def test_service_goes_with_its_servers() -> None:
    assert brief(plan(None, service(rs(11), rs(12)))) == ["delete-service"]


def test_service_is_edited_in_place() -> None:
    orders = plan(service(rs(11)), service(rs(11), row=replace(ROW, scheduler="rr")))
    assert orders == [IpvsOrder("edit-service", ROW)]


def test_what_takes_connections_comes_before_what_loses_them() -> None:
    wanted = service(rs(11, 0), rs(12, 0), rs(13, 5), rs(14))
    actual = service(rs(12), rs(13), rs(15))
    assert brief(plan(wanted, actual)) == [
        "edit-server 13",
        "add-server 14",
        "add-server 11",
        "edit-server 12",
        "delete-server 15",
    ]


def test_sorry_server_comes_before_the_last_server_goes() -> None:
    assert brief(plan(service(rs(99)), service(rs(11)))) == ["add-server 99", "delete-server 11"]


def test_forwarding_and_limits_are_edited_in_place() -> None:
    for changed in (
        replace(rs(11), method=LvsMethod("DR")),
        replace(rs(11), upper_threshold=7),
        replace(rs(11), lower_threshold=7),
    ):
        assert brief(plan(service(changed), service(rs(11)))) == ["edit-server 11"]


def test_only_touched_servers_are_looked_at() -> None:
    wanted, actual = service(rs(11, 2), rs(12, 2)), service(rs(11), rs(12), rs(13))
    assert brief(plan(wanted, actual, [key_of(rs(12))])) == ["edit-server 12"]
    assert brief(plan(wanted, actual, [])) == []
    assert brief(plan(wanted, None, [key_of(rs(12))])) == ["add-service", "add-server 11", "add-server 12"]
