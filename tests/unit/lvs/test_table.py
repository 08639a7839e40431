"""Wanted against actual: batches, refusals, and a kernel that is otherwise than booked."""

import errno
import os
from dataclasses import replace
from ipaddress import ip_address

import pytest

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.effects import Level, Log
from pykeepalived.ipvs_table import DestinationRow, ServiceRow
from pykeepalived.lvs.rows import ServiceTable, key_of
from pykeepalived.lvs.table import Table
from tests.support.fakes_lvs import FakeIpvs


def row(last: int = 100, scheduler: str = "wlc") -> ServiceRow:
    return ServiceRow(Service("address", ip_address(f"10.9.0.{last}"), 80, 6, 0, 2), scheduler, 0, 0, 0xFFFFFFFF)


def rs(number: int, weight: int = 1) -> DestinationRow:
    return DestinationRow(ip_address(f"10.9.{number // 256}.{number % 256}"), 80, LvsMethod(), weight, 0, 0)


def service(*rows: DestinationRow, of: ServiceRow | None = None) -> ServiceTable:
    return ServiceTable(of or row(), {key_of(each): each for each in rows})


def settle(table: Table, kernel: FakeIpvs, limit: int = 64) -> list[Log]:
    logs: list[Log] = []
    for _ in range(1000):
        if not table.pending:
            return logs
        if orders := table.next_orders(limit):
            logs += table.answered(orders, [(each.index, each.errno) for each in kernel.apply(orders)])
    raise AssertionError("it never settles")


def loaded(kernel: FakeIpvs) -> Table:
    table = Table(os.strerror)
    table.load(kernel.table())
    return table


def verbs(kernel: FakeIpvs) -> list[str]:
    return [str(order.verb) for order in kernel.orders]


def test_nothing_is_ordered_before_the_table_was_read() -> None:
    kernel, table = FakeIpvs(), Table(os.strerror)
    table.want(service(rs(11)))
    assert not table.pending
    assert table.next_orders(64) == []
    table.load(kernel.table())
    assert settle(table, kernel) == []
    assert kernel.weights() == {"[10.9.0.100]:tcp:80": {"10.9.0.11:80": 1}}


def test_a_restart_finds_its_rows_and_orders_only_what_differs() -> None:
    kernel = FakeIpvs([(row(), [rs(11), rs(12, 7), rs(66)])])
    table = loaded(kernel)
    table.want(service(rs(11), rs(12), rs(13)))
    settle(table, kernel)
    assert verbs(kernel) == ["edit-server", "add-server", "delete-server"]
    assert kernel.weights() == {"[10.9.0.100]:tcp:80": {"10.9.0.11:80": 1, "10.9.0.12:80": 1, "10.9.0.13:80": 1}}


def test_foreign_services_are_left_alone() -> None:
    kernel = FakeIpvs([(row(200), [rs(66)])])
    table = loaded(kernel)
    wanted = service(rs(11))
    table.want(wanted)
    settle(table, kernel)
    table.drop(wanted)
    settle(table, kernel)
    table.retry_refused()
    settle(table, kernel)
    assert kernel.weights() == {"[10.9.0.200]:tcp:80": {"10.9.0.66:80": 1}}


def test_batches_are_bounded_and_complete() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    for last in range(1, 4):
        table.want(service(*(rs(number) for number in range(100)), of=row(last)))
    settle(table, kernel)
    assert [len(batch) for batch in kernel.batches] == [64, 64, 64, 64, 47]
    assert [len(each) for each in kernel.weights().values()] == [100, 100, 100]


def test_only_what_was_told_is_planned() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(rs(11), rs(12))
    table.want(wanted)
    settle(table, kernel)
    for number in (11, 12):
        wanted.destinations[key_of(rs(number))] = rs(number, 9)
    table.want(wanted, [key_of(rs(12))])
    settle(table, kernel)
    assert verbs(kernel) == ["add-service", "add-server", "add-server", "edit-server"]
    assert kernel.weights() == {"[10.9.0.100]:tcp:80": {"10.9.0.11:80": 1, "10.9.0.12:80": 9}}


def test_a_change_amid_a_long_plan() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(*(rs(number) for number in range(200)))
    table.want(wanted)
    first = table.next_orders(64)
    table.answered(first, [(each.index, each.errno) for each in kernel.apply(first)])
    del wanted.destinations[key_of(rs(0))]
    del wanted.destinations[key_of(rs(199))]
    table.want(wanted, [key_of(rs(0)), key_of(rs(199))])
    settle(table, kernel)
    assert kernel.services[row().service].destinations == wanted.destinations


def test_unknown_scheduler_is_said_once_with_its_remedy_and_tried_again() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    table.want(service(rs(11), rs(12), of=row(scheduler="twos")))
    logs = settle(table, kernel)
    [message] = [log.message for log in logs]
    assert message == (
        "IPVS cmd NEW_SERVICE(1) error: No such file or directory(2) for VS [10.9.0.100]:tcp:80"
        " - the kernel does not know this scheduler: modprobe ip_vs_twos"
    )
    assert logs[0].level is Level.WARNING
    assert not table.pending
    table.retry_refused()
    assert settle(table, kernel) == []
    kernel.schedulers.add("twos")
    table.retry_refused()
    assert settle(table, kernel) == []
    assert kernel.weights() == {"[10.9.0.100]:tcp:80": {"10.9.0.11:80": 1, "10.9.0.12:80": 1}}


def test_another_refusal_is_said_anew() -> None:
    """Whoever reloads wants to hear that it is still wrong: with another row, or with one that had gone."""
    kernel = FakeIpvs()
    table = loaded(kernel)
    table.want(service(rs(11), of=row(scheduler="twos")))
    assert len(settle(table, kernel)) == 1
    another = service(rs(11), of=row(scheduler="ovf"))
    table.want(another)
    (log,) = settle(table, kernel)
    assert "modprobe ip_vs_ovf" in log.message
    table.want(another)
    assert settle(table, kernel) == []
    table.drop(another)
    settle(table, kernel)
    table.want(another)
    assert len(settle(table, kernel)) == 1


def test_a_refused_server_is_said_once_whatever_its_weight() -> None:
    kernel = FakeIpvs()
    kernel.order = lambda order: 0 if order.destination is None else errno.EINVAL  # type: ignore[method-assign]
    table = loaded(kernel)
    table.want(service(rs(11)))
    (log,) = settle(table, kernel)
    assert log.message.endswith("the kernel takes unicast addresses that it has a route to")
    table.want(service(rs(11, 5)), [key_of(rs(11))])
    assert settle(table, kernel) == []


def test_thresholds_in_the_wrong_order_are_named() -> None:
    kernel = FakeIpvs()
    kernel.order = lambda order: 0 if order.destination is None else errno.ERANGE  # type: ignore[method-assign]
    table = loaded(kernel)
    table.want(service(replace(rs(11), lower_threshold=3)))
    (log,) = settle(table, kernel)
    assert log.message.endswith(" - lthreshold is above uthreshold, which is 0 where none is given")


def test_a_reload_mends_a_refusal_at_once() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    table.want(service(rs(11), of=row(scheduler="twos")))
    settle(table, kernel)
    table.want(service(rs(11)))
    settle(table, kernel)
    assert kernel.weights() == {"[10.9.0.100]:tcp:80": {"10.9.0.11:80": 1}}


def test_refused_edit_of_the_scheduler_leaves_the_servers_served() -> None:
    kernel = FakeIpvs([(row(), [rs(11)])])
    table = loaded(kernel)
    table.want(service(rs(11), rs(12), of=row(scheduler="twos")))
    assert len(settle(table, kernel)) == 1
    assert kernel.weights() == {"[10.9.0.100]:tcp:80": {"10.9.0.11:80": 1, "10.9.0.12:80": 1}}


@pytest.mark.parametrize(
    ("happened", "line"),
    [
        ("server-removed", "SET_DEST(6) error: No such file or directory(2)"),
        ("server-added", "NEW_DEST(5) error: File exists(17)"),
        ("service-removed", "SET_DEST(6) error: No such process(3)"),
    ],
)
def test_changes_by_others_are_mended(happened: str, line: str) -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(rs(11), rs(12))
    table.want(wanted)
    settle(table, kernel)
    theirs = kernel.services[row().service].destinations
    if happened == "server-removed":
        del theirs[key_of(rs(11))]
    elif happened == "server-added":
        theirs[key_of(rs(13))] = rs(13, 77)
    else:
        kernel.flush()
    wanted.destinations[key_of(rs(11))] = rs(11, 5)
    wanted.destinations[key_of(rs(13))] = rs(13)
    table.want(wanted, [key_of(rs(11)), key_of(rs(13))])
    logs = [log.message for log in settle(table, kernel)]
    assert any(f"IPVS cmd {line}" in log for log in logs)
    assert kernel.services[row().service].destinations == wanted.destinations


def test_deleting_what_is_gone_is_told_and_forgotten() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(rs(11), rs(12))
    table.want(wanted)
    settle(table, kernel)
    del kernel.services[row().service].destinations[key_of(rs(12))]
    del wanted.destinations[key_of(rs(12))]
    table.want(wanted, [key_of(rs(12))])
    [log] = settle(table, kernel)
    assert log.message == (
        "IPVS cmd DEL_DEST(7) error: No such file or directory(2) for"
        " service [10.9.0.12]:tcp:80 of VS [10.9.0.100]:tcp:80"
    )
    kernel.flush()
    table.drop(wanted)
    assert "DEL_SERVICE(3) error: No such process(3)" in settle(table, kernel)[0].message


def test_service_that_appeared_meanwhile_is_edited() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    kernel.services[row().service] = ServiceTable(row(scheduler="rr"), {key_of(rs(11)): rs(11, 9)})
    table.want(service(rs(11)))
    settle(table, kernel)
    assert kernel.services[row().service] == service(rs(11))


class Stubborn(FakeIpvs):
    """A kernel that takes back whatever it said."""

    def order(self, order):  # type: ignore[no-untyped-def]  # noqa: ANN001
        if order.verb == "add-server":
            return errno.EEXIST
        return errno.ENOENT if order.verb == "edit-server" else super().order(order)


def test_a_contradictory_kernel_is_given_up() -> None:
    kernel = Stubborn()
    table = loaded(kernel)
    table.want(service(rs(11)))
    logs = settle(table, kernel)
    assert len(logs) <= 8
    assert len(kernel.orders) <= 8
    assert not table.pending


def test_fields_name_the_servers() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(rs(11))
    table.want(wanted)
    settle(table, kernel)
    kernel.services[row().service].destinations.clear()
    wanted.destinations[key_of(rs(11))] = rs(11, 3)
    table.want(wanted, [key_of(rs(11))])
    fields = dict(settle(table, kernel)[0].fields)
    assert fields["VIRTUAL_SERVER"] == "[10.9.0.100]:tcp:80"
    assert fields["REAL_SERVER"] == "[10.9.0.11]:tcp:80"


def test_a_server_that_changes_while_its_service_is_loaded_is_ordered_once() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(*(rs(number) for number in range(200)))
    table.want(wanted)
    orders = table.next_orders(64)
    assert table.answered(orders, [(each.index, each.errno) for each in kernel.apply(orders)]) == []
    wanted.destinations[key_of(rs(150))] = rs(150, 9)
    del wanted.destinations[key_of(rs(160))]
    wanted.row = row(scheduler="rr")
    table.want(wanted, [key_of(rs(150)), key_of(rs(160))])
    assert settle(table, kernel) == []
    assert kernel.services[row().service] == wanted
    assert len(kernel.orders) == 1 + 199 + 1
    assert len({each.destination for each in kernel.orders}) == 199 + 1


def test_lost_answers_are_read_anew() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(*(rs(number) for number in range(100)))
    table.want(wanted)
    given = table.next_orders(64)
    kernel.apply(given)
    table.unload(given)
    assert not table.pending
    table.drop(service(of=row(200)))
    table.load(kernel.table())
    settle(table, kernel)
    assert kernel.services[row().service] == wanted


def test_a_service_dropped_while_the_kernel_is_away_goes_when_it_is_back() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(rs(11))
    table.want(wanted)
    settle(table, kernel)
    table.unload()
    table.drop(wanted)
    table.load(kernel.table())
    settle(table, kernel)
    assert kernel.weights() == {}


def test_a_service_that_the_kernel_refuses_to_remove_goes_though_the_table_is_read_anew_meanwhile() -> None:
    kernel = FakeIpvs()
    table = loaded(kernel)
    wanted = service(rs(11))
    table.want(wanted)
    settle(table, kernel)
    table.drop(wanted)
    table.answered(table.next_orders(64), [(0, errno.ENOMEM)])
    assert list(table.stuck()) == [row().service]
    table.unload()
    table.load(kernel.table())
    settle(table, kernel)
    assert kernel.weights() == {}
    assert table.stuck() == {}
