"""Which services are ours, as one process tells the next: never too few, and no more than there are."""

import errno

from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.daemon.owned_services import OwnedServices
from pykeepalived.ipvs_table import ServiceRow
from pykeepalived.lvs.rows import ServiceTable
from pykeepalived.lvs.table import Table
from tests.unit.daemon.test_ipvs_care import DNS, MARK


def of(table: Table, *services: object) -> list[ServiceTable]:
    tables = [ServiceTable(ServiceRow(each, "rr", 0, 0, 0)) for each in services]  # type: ignore[arg-type]
    for each in tables:
        table.want(each)
    return tables


def told(keepsake: Keepsake) -> int:
    return len((keepsake.get("services") or "").splitlines())


def test_what_goes_is_ours_until_it_is_gone() -> None:
    table, keepsake = Table(str), Keepsake()
    owned = OwnedServices(keepsake, table)
    table.load(())
    first, _ = of(table, DNS, MARK)
    assert owned.take_over() == frozenset()
    assert told(keepsake) == 2
    before = table.services()
    table.drop(first)
    owned.note(before, going=False)
    assert told(keepsake) == 2
    owned.settled()
    assert told(keepsake) == 1


def test_what_goes_after_packets_were_marked_otherwise_is_forgotten_then() -> None:
    table, keepsake = Table(str), Keepsake()
    owned = OwnedServices(keepsake, table)
    table.load(())
    first, _ = of(table, DNS, MARK)
    owned.take_over()
    owned.note(table.services(), going=True)
    table.drop(first)
    owned.settled()
    assert told(keepsake) == 1


def test_while_the_kernel_gives_no_answer_nothing_is_forgotten() -> None:
    table, keepsake = Table(str), Keepsake()
    owned = OwnedServices(keepsake, table)
    table.load(())
    first, _ = of(table, DNS, MARK)
    owned.take_over()
    table.unload()
    before = table.services()
    table.drop(first)
    owned.note(before, going=False)
    owned.settled()
    assert told(keepsake) == 2
    table.load(())
    owned.settled()
    assert told(keepsake) == 1


def test_what_the_kernel_refuses_to_remove_is_not_forgotten() -> None:
    table, keepsake = Table(str), Keepsake()
    owned = OwnedServices(keepsake, table)
    table.load(())
    first, _ = of(table, DNS, MARK)
    table.answered(table.next_orders(64), [])
    owned.take_over()
    before = table.services()
    table.drop(first)
    owned.note(before, going=False)
    table.answered(table.next_orders(64), [(0, errno.EPERM)])
    assert not table.pending
    owned.settled()
    assert told(keepsake) == 2
    table.retry_refused()
    table.answered(table.next_orders(64), [])
    owned.settled()
    assert told(keepsake) == 1
