"""Thousands of real servers: a reload orders what its change needs, and a stop leaves nothing in the table."""

import os
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from tests.support.lab_netlink import IpvsTap
from tests.support.lab_network import Host, Network, has_ipvs
from tests.support.lab_services import Daemon, ipvs_table

pytestmark = [
    pytest.mark.lab(timeout=1200),
    pytest.mark.long,
    pytest.mark.skipif("LAB_DAEMON" in os.environ, reason="counts the orders of pykeepalived"),
]

MANY = 2000
DONE = "Reload complete"

Pools = list[dict[str, int]]
"""Of each service the weights of its real servers."""


@pytest.fixture
def director() -> Iterator[Host]:
    assert has_ipvs()
    with Network("many-") as network:
        yield network.host("director")


def pools(services: int, each: int) -> Pools:
    """Different real servers everywhere."""
    first = IPv4Address("10.100.0.1")
    return [{str(first + place * each + number): 1 for number in range(each)} for place in range(services)]


def text(wanted: Pools, settings: str = "") -> str:
    """The configuration."""
    lines = [settings]
    for place, pool in enumerate(wanted):
        lines += [f"virtual_server {IPv4Address('10.9.0.1') + place} 80 {{", "    protocol TCP"]
        lines += ["    lvs_sched rr", "    lvs_method NAT"]
        for address, weight in pool.items():
            lines += [f"    real_server {address} 80 {{", f"        weight {weight}", "    }"]
        lines.append("}")
    return "\n".join(lines) + "\n"


def changes(wanted: Pools) -> Iterator[dict[str, int]]:
    """One change after the other, and the orders that it needs."""
    middle = wanted[len(wanted) // 2]
    yield {}
    middle["10.200.0.1"] = 1
    yield {"NEW_DEST": 1}
    middle[next(iter(middle))] = 7
    yield {"SET_DEST": 1}
    del middle["10.200.0.1"]
    yield {"DEL_DEST": 1}
    wanted.append({"10.200.0.1": 1})
    yield {"NEW_SERVICE": 1, "NEW_DEST": 1}
    wanted[0]["10.200.0.2"] = 1
    wanted[-1]["10.200.0.1"] = 2
    yield {"NEW_DEST": 1, "SET_DEST": 1}
    wanted.pop()
    yield {"DEL_SERVICE": 1}


@pytest.mark.parametrize(("services", "each"), [(MANY, 1), (MANY // 10, 10), (1, MANY)])
def test_a_reload_orders_what_its_change_needs(director: Host, services: int, each: int) -> None:
    wanted = pools(services, each)
    daemon = Daemon(director, text(wanted))
    daemon.start()
    daemon.wait_for("Startup complete", 120)
    with IpvsTap(director) as tap:
        for needed in changes(wanted):
            logged = len(daemon.log())
            daemon.reload(text(wanted))
            daemon.wait_for(DONE, 120, logged)
            assert tap.orders() == Counter(needed)
    assert sum(map(len, ipvs_table(director).values())) == sum(map(len, wanted))
    assert daemon.stop(120) == 0
    assert ipvs_table(director) == {}


def test_a_stop_that_takes_long_leaves_nothing(director: Host) -> None:
    daemon = Daemon(director, text(pools(4 * MANY, 1), "child_wait_time 1"))
    daemon.start()
    daemon.wait_for("Startup complete", 120)
    assert len(ipvs_table(director)) == 4 * MANY
    assert daemon.stop(120) == 0
    assert ipvs_table(director) == {}
    assert "forcing termination" not in daemon.log()
