"""From any table to any other: it arrives, in the fewest orders, interrupted or not; and a pool is never emptied on the
way.
"""

import os
from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.ipvs_table import DestinationRow, ServiceRow
from pykeepalived.lvs.plan import plan
from pykeepalived.lvs.rows import ServiceTable, key_of
from pykeepalived.lvs.table import Table
from tests.support.fakes_lvs import FakeIpvs

ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "2001:db8::1", "2001:db8::2"]
SERVICES = [
    Service("address", ip_address("10.9.0.100"), 80, 6, 0, 2),
    Service("address", ip_address("2001:db8::100"), 80, 17, 0, 10),
    Service("fwmark", None, 0, 0, 7, 2),
]

DESTINATIONS = st.builds(
    DestinationRow,
    address=st.sampled_from(ADDRESSES).map(ip_address),
    port=st.sampled_from([80, 81]),
    method=st.sampled_from([LvsMethod(), LvsMethod("DR"), LvsMethod("TUN", "gue", 6080)]),
    weight=st.sampled_from([0, 1, 5]),
    upper_threshold=st.sampled_from([0, 10]),
    lower_threshold=st.just(0),
)


def services(service: Service) -> st.SearchStrategy[ServiceTable]:
    rows = st.builds(
        ServiceRow,
        service=st.just(service),
        scheduler=st.sampled_from(["rr", "wlc"]),
        flags=st.sampled_from([0, 1]),
        timeout=st.sampled_from([0, 30]),
        netmask=st.just(0xFFFFFFFF),
    )
    return st.builds(
        lambda row, each: ServiceTable(row, {key_of(destination): destination for destination in each}),
        rows,
        st.lists(DESTINATIONS, max_size=8),
    )


TABLES = st.tuples(*(st.none() | services(service) for service in SERVICES))


def kernel_with(tables: tuple[ServiceTable | None, ...]) -> FakeIpvs:
    return FakeIpvs([(each.row, list(each.destinations.values())) for each in tables if each is not None])


def differences(wanted: ServiceTable | None, actual: ServiceTable | None) -> int:
    """The fewest orders there can be: one for each row that differs, one for a whole service that goes."""
    if wanted is None or actual is None:
        return int(actual is not None) if wanted is None else 1 + len(wanted.destinations)
    keys = wanted.destinations.keys() | actual.destinations.keys()
    differing = sum(wanted.destinations.get(key) != actual.destinations.get(key) for key in keys)
    return differing + (wanted.row != actual.row)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(wanted=TABLES, actual=TABLES)
def test_a_plan_arrives_in_the_fewest_orders(
    wanted: tuple[ServiceTable | None, ...], actual: tuple[ServiceTable | None, ...]
) -> None:
    kernel = kernel_with(actual)
    for want, have in zip(wanted, actual, strict=True):
        orders = plan(want, have)
        assert len(orders) == differences(want, have)
        assert all(kernel.order(order) == 0 for order in orders)
    assert kernel.services == {each.row.service: each for each in wanted if each is not None}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(wanted=services(SERVICES[0]), actual=services(SERVICES[0]))
def test_a_plan_cut_anywhere_and_made_anew_arrives(wanted: ServiceTable, actual: ServiceTable) -> None:
    for cut in range(len(plan(wanted, actual)) + 1):
        kernel = kernel_with((actual,))
        for order in plan(wanted, actual)[:cut]:
            assert kernel.order(order) == 0
        left = plan(wanted, kernel.services[SERVICES[0]])
        assert len(left) == differences(wanted, actual) - cut
        for order in left:
            assert kernel.order(order) == 0
        assert kernel.services == {SERVICES[0]: wanted}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(wanted=services(SERVICES[0]), actual=services(SERVICES[0]))
def test_a_pool_that_serves_before_and_after_serves_all_the_way(wanted: ServiceTable, actual: ServiceTable) -> None:
    def serves(table: ServiceTable) -> bool:
        return any(row.weight for row in table.destinations.values())

    kernel = kernel_with((actual,))
    if not serves(actual) or not serves(wanted):
        return
    for order in plan(wanted, actual):
        kernel.order(order)
        assert serves(kernel.services[SERVICES[0]])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(booked=TABLES, meddled=TABLES, wanted=TABLES, limit=st.sampled_from([1, 2, 64]))
def test_a_kernel_that_others_meddle_with_never_holds_us_up(
    booked: tuple[ServiceTable | None, ...],
    meddled: tuple[ServiceTable | None, ...],
    wanted: tuple[ServiceTable | None, ...],
    limit: int,
) -> None:
    """Whatever was changed behind our back, it ends; and what was read anew is then reached."""
    table = Table(os.strerror)
    table.load(kernel_with(booked).table())
    kernel = kernel_with(meddled)
    for had, each in zip(booked, wanted, strict=True):
        if had is not None:  # ours, as it is
            table.want(had)
        if each is not None:
            table.want(each)
        if had is not None:
            table.drop(had)
    _settle(table, kernel, limit)
    table.load(kernel.table())
    _settle(table, kernel, limit)
    for service, each in zip(SERVICES, wanted, strict=True):
        if each is not None:
            assert kernel.services[service] == each


def _settle(table: Table, kernel: FakeIpvs, limit: int) -> None:
    for _ in range(500):
        if not table.pending:
            return
        if orders := table.next_orders(limit):
            table.answered(orders, [(each.index, each.errno) for each in kernel.apply(orders)])
    raise AssertionError("it never settles")
