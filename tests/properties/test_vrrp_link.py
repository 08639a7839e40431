"""A simulated link: one MASTER a link, whatever is lost, late, cut off or paused. Chance has fixed seeds."""

import time
from functools import partial

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.link import Hop, Link
from tests.support.scenario import make_configuration

NAME = "VI_1"


def configuration(priority: int, *options: str) -> Configuration:
    return make_configuration(f"instance {NAME} priority={priority} {' '.join(options)}")


def cluster(*priorities: int, seed: int = 0, hop: Hop | None = None, options: tuple[str, ...] = ()) -> Link:
    """Routers r1, r2 and so on, with addresses 10.0.0.1, 10.0.0.2 and so on."""
    link = Link(seed, hop)
    for number, priority in enumerate(priorities, 1):
        link.add(f"r{number}", configuration(priority, *options), f"10.0.0.{number}/24")
    link.start()
    return link


def test_an_hour_of_three_routers_takes_no_time() -> None:
    began = time.process_time()
    link = cluster(150, 100, 50)
    link.run(3600 * SECOND)
    assert time.process_time() - began < 2
    assert link.masters(NAME) == {"r1"}
    assert link.longest(NAME, 2) == 0
    assert link.hosts["r1"].sent == 3597  # 3 414 062 500 ns of waiting, then one a second
    assert [host.holds for host in link.hosts.values()] == [{"10.0.0.100"}, set(), set()]


def test_an_hour_in_which_everything_happens() -> None:
    began = time.process_time()
    link = cluster(150, 100, 50)
    for round_ in range(36):
        at = link.now + (10 + 100 * round_) * SECOND
        victim = ("r1", "r2", "r3")[round_ % 3]
        link.at(at, partial(link.interface, victim, "eth0", up=False))
        link.at(at + 20 * SECOND, partial(link.interface, victim, "eth0", up=True))
        link.at(at + 50 * SECOND, partial(link.pause, victim, 15 * SECOND))
    link.run(3600 * SECOND)
    assert time.process_time() - began < 4
    assert link.masters(NAME) == {"r1"}
    # a paused master goes on until it hears of the other: no time at all once it runs
    assert link.longest(NAME, 2) <= 15 * SECOND
    assert len(link.spans[NAME]) > 36


@pytest.mark.parametrize("seed", range(10))
def test_without_loss_never_two_masters_beyond_an_interval(seed: int) -> None:
    """Starts, stops, crashes and faults at random times; delays up to a millisecond."""
    link = cluster(200, 150, 150, 100, seed=seed, hop=Hop(delay=(10_000, MILLISECOND)))
    chance = link.random
    down: set[str] = set()
    for _ in range(60):
        link.run(chance.randint(1, 8 * SECOND))
        name = chance.choice(list(link.hosts))
        if name in down:
            down.discard(name)
            link.interface(name, "eth0", up=True)
        elif len(down) < 3:
            down.add(name)
            link.interface(name, "eth0", up=False)
    for name in sorted(down):
        link.interface(name, "eth0", up=True)
    link.run(20 * SECOND)
    assert link.masters(NAME) == {"r1"}
    assert link.longest(NAME, 2) <= SECOND


@pytest.mark.parametrize("seed", range(20))
def test_with_loss_never_beyond_the_first_delivered_advert_of_the_higher(seed: int) -> None:
    link = cluster(150, 100, 50, seed=seed, hop=Hop(loss=0.1, delay=(10_000, 2 * MILLISECOND)))
    rank = {"r1": 1, "r2": 2, "r3": 3}
    violations: list[tuple[int, str, str]] = []
    delivered = 0
    taken_over = 0

    def watch(now: int, sender: str, receiver: str, priority: int) -> None:
        nonlocal delivered
        if priority and rank[sender] < rank[receiver]:
            delivered += 1
            pending.append((now, sender, receiver))

    pending: list[tuple[int, str, str]] = []
    link.delivered = watch
    for _ in range(600):
        link.run(SECOND)
        # at rest: whoever got an advert of a higher one in this second, and sent none since, is no MASTER
        masters = link.masters(NAME)
        taken_over += len(masters) > 1
        for now, sender, receiver in pending:
            entered = [at for at in link.hosts[receiver].said("Entering MASTER STATE") if at <= now]
            left = [at for at in link.hosts[receiver].said("Entering BACKUP STATE") if at <= now]
            if entered and (not left or entered[-1] > left[-1]):
                violations.append((now, sender, receiver))
        pending.clear()
    assert violations == []
    assert delivered > 1000
    assert "r1" in link.masters(NAME)


def test_heavy_loss_does_make_two_masters_for_a_while() -> None:
    """The neighbour of the test above: it can see two masters when there are two."""
    link = cluster(150, 100, seed=3, hop=Hop(loss=0.6))
    link.run(300 * SECOND)
    assert link.longest(NAME, 2) > 0


def test_a_partition_has_two_masters_and_one_after() -> None:
    link = cluster(150, 100)
    link.run(10 * SECOND)
    link.separate("r1", "r2")
    link.run(10 * SECOND)
    assert link.masters(NAME) == {"r1", "r2"}
    link.join("r1", "r2")
    link.run(SECOND + MILLISECOND)
    assert link.masters(NAME) == {"r1"}
    assert link.longest(NAME, 2) <= 8 * SECOND


@pytest.mark.parametrize("version", [2, 3])
def test_a_crash_is_noticed_after_three_intervals_and_the_skew(version: int) -> None:
    link = cluster(150, 100, options=(f"version={version}",))
    link.run(10 * SECOND + 100 * MILLISECOND)
    last = 9 * SECOND + 414_062_500 + 50_000  # the last advert, and its way
    link.kill("r1")
    began = link.now
    link.run(10 * SECOND)
    (at,) = link.hosts["r2"].said("Entering MASTER STATE")
    assert at == began - 10 * SECOND - 100 * MILLISECOND + last + 3_609_375_000


def test_a_clean_stop_is_followed_after_the_skew() -> None:
    link = cluster(150, 100)
    link.run(10 * SECOND)
    link.stop("r1")
    began = link.now
    link.run(10 * SECOND)
    (at,) = link.hosts["r2"].said("Entering MASTER STATE")
    assert at == began + 50_000 + 609_375_000
    assert link.longest(NAME, 2) == 0
    assert link.hosts["r1"].holds == set()


def test_a_paused_backup_reads_before_it_judges() -> None:
    """A stall of our own, longer than the master-down interval, is no failover."""
    link = cluster(150, 100)
    link.run(10 * SECOND)
    link.pause("r2", 30 * SECOND)
    link.run(60 * SECOND)
    assert link.hosts["r2"].said("Entering MASTER STATE") == []
    assert link.masters(NAME) == {"r1"}


def test_a_paused_master_yields_no_later_than_it_hears() -> None:
    link = cluster(150, 100)
    link.run(10 * SECOND)
    link.pause("r1", 10 * SECOND)
    link.run(9 * SECOND)
    assert "r2" in link.masters(NAME)
    link.run(3 * SECOND)
    assert link.masters(NAME) == {"r1"}
    assert any("was frozen" in line.message for _, line in link.hosts["r1"].log)


def test_unicast_and_ipv6_elect_as_well() -> None:
    for options, address in (
        ("unicast_peer=10.0.0.1,10.0.0.2,10.0.0.3", "10.0.0.{}/24"),
        ("virtual_ipaddress=fe80::100/64", "fe80::{}/64"),
    ):
        link = Link()
        for number, priority in enumerate((100, 100, 100), 1):
            link.add(f"r{number}", configuration(priority, options), address.format(number))
        link.start()
        link.run(30 * SECOND)
        assert link.masters(NAME) == {"r3"}
        link.kill("r3")
        link.run(30 * SECOND)
        assert link.masters(NAME) == {"r2"}


def test_groups_move_together() -> None:
    link = Link()
    for number, (first, second) in enumerate(((150, 100), (100, 150)), 1):
        link.add(
            f"r{number}",
            make_configuration(
                f"instance A priority={first}",
                f"instance B priority={second} virtual_router_id=52 virtual_ipaddress=10.0.0.102/24",
                "group G group=A,B",
            ),
            f"10.0.0.{number}/24",
        )
    link.start()
    link.run(60 * SECOND)
    for _ in range(5):
        for name in ("r1", "r2"):
            link.interface(name, "eth0", up=False)
            link.run(10 * SECOND)
            link.interface(name, "eth0", up=True)
            link.run(10 * SECOND)
            assert link.masters("A") == link.masters("B")
            assert len(link.masters("A")) == 1


@pytest.mark.parametrize("seed", range(5))
def test_reloads_never_flap(seed: int) -> None:
    link = cluster(150, 100, seed=seed)
    link.run(10 * SECOND)
    before = {name: len(host.said("Entering")) for name, host in link.hosts.items()}
    for _ in range(40):
        link.run(link.random.randint(1, SECOND))
        extra = "".join(f",10.0.0.{link.random.randint(110, 120)}/24" for _ in range(link.random.randint(0, 3)))
        addresses = ",".join(dict.fromkeys(f"10.0.0.100/24{extra}".split(",")))
        for name, priority in (("r1", 150), ("r2", 100)):
            link.reload(name, configuration(priority, f"virtual_ipaddress={addresses}"))
        assert link.hosts["r1"].holds == {address.partition("/")[0] for address in addresses.split(",")}
    assert {name: len(host.said("Entering")) for name, host in link.hosts.items()} == before
    assert link.masters(NAME) == {"r1"}


@pytest.mark.parametrize("transition", ["becoming MASTER", "going to FAULT", "stepping down", "stopping"])
def test_a_process_that_dies_amid_a_transition_is_made_good(transition: str) -> None:
    """Interrupted after each effect: the other takes over, the new process removes what was left and settles."""
    interrupted = 0
    for after in range(14):
        link = cluster(150, 100)
        if transition == "becoming MASTER":
            link.run(3 * SECOND)
            link.crash("r1", after)
            link.run(SECOND)
        else:
            link.run(10 * SECOND)
            link.crash("r1", after)
            if transition == "going to FAULT":
                link.interface("r1", "eth0", up=False)
                link.hosts["r1"].up = True
            elif transition == "stepping down":
                link.reload("r2", configuration(200))
                link.run(4 * SECOND)
            else:
                link.stop("r1")
        interrupted += not link.hosts["r1"].running
        link.hosts["r1"].running = False
        link.run(5 * SECOND)
        assert link.masters(NAME) == {"r2"}
        link.restart("r1", configuration(150))
        assert link.hosts["r1"].holds == set()
        link.reload("r2", configuration(100))
        link.run(10 * SECOND)
        assert link.masters(NAME) == {"r1"}
        assert [host.holds for host in link.hosts.values()] == [{"10.0.0.100"}, set()]
    assert interrupted >= 5
