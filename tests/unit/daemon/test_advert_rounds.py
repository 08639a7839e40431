"""Many MASTERs' adverts are due at the same instants: none is lost, whatever one of them does meanwhile."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from errno import ENETUNREACH
from functools import partial
from ipaddress import IPv4Address

import pytest

from pykeepalived.daemon.advert_rounds import AdvertRounds
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.fakes_vrrp import Bench, FakeSender
from tests.support.scenario import make_configuration
from tests.unit.daemon.test_vrrp_process import advert

MANY = 200  # more than go out in one turn, in few phases


def lines(count: int = MANY, first: int = 1) -> list[str]:
    return [f"instance V{vrid} virtual_router_id={vrid} priority=100" for vrid in range(first, first + count)]


def masters(*options: str) -> tuple[Bench, VrrpService]:
    """All of them are MASTER, and have been for a while."""
    bench = Bench("eth0", "eth1")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    service = VrrpService(bench.context, make_configuration(*(options or lines())), bench.kernel)
    service.start()
    bench.reactor.run_for(20 * SECOND)
    assert {router.state.name for router in service._routers.routers.values()} == {"MASTER"}
    bench.kernel.sent.clear()
    return bench, service


def adverts(bench: Bench) -> Counter[int]:
    """How often each VRID was advertised since the last look."""
    sent = Counter(pdu[1] for _, _, pdu in bench.kernel.sent)
    bench.kernel.sent.clear()
    return sent


def each(count: int, times: int) -> Counter[int]:
    return Counter(dict.fromkeys(range(1, count + 1), times))


def test_each_goes_out_once_an_interval_and_few_alarms_ring_for_all() -> None:
    bench, _ = masters()
    before = bench.reactor.turns
    bench.reactor.run_for(100 * SECOND)
    assert adverts(bench) == each(MANY, 100)
    assert bench.reactor.turns - before < 100 * 30


def test_one_that_gives_way_says_no_more_and_comes_back() -> None:
    bench, service = masters()
    bench.hear(advert(200, virtual_router_id="7"))
    bench.reactor.run_for(3 * SECOND)
    sent = adverts(bench)
    assert service._routers.routers["V7"].state.name == "BACKUP"
    assert sent == each(MANY, 3) - Counter({7: 3})
    bench.reactor.run_for(10 * SECOND)
    assert service._routers.routers["V7"].state.name == "MASTER"
    adverts(bench)
    bench.reactor.run_for(5 * SECOND)
    assert adverts(bench) == each(MANY, 5)


def test_a_reload_takes_some_away_and_changes_an_interval() -> None:
    bench, service = masters()
    slower = [f"{line} advert_int=2" if "V9 " in line else line for line in lines(100)]
    service.reload(make_configuration(*slower))
    bench.reactor.run_for(5 * SECOND)
    adverts(bench)
    bench.reactor.run_for(20 * SECOND)
    assert adverts(bench) == each(100, 20) - Counter({9: 10})
    service.reload(make_configuration(*lines(3)))  # so few that each has its own instants
    adverts(bench)
    bench.reactor.run_for(10 * SECOND)
    assert adverts(bench) == each(3, 10)


def test_a_fault_of_one_is_not_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, service = masters()
    sender = service._ports["V5"].sender
    assert isinstance(sender, FakeSender)
    whole = FakeSender.send

    def fail(self: FakeSender, source: bytes, destination: bytes, pdu: bytes) -> int:
        if self is sender:
            raise RuntimeError("no advert today")
        return whole(self, source, destination, pdu)

    monkeypatch.setattr(FakeSender, "send", fail)
    with pytest.raises(RuntimeError):
        bench.reactor.run_for(SECOND)
    monkeypatch.setattr(FakeSender, "send", whole)
    bench.reactor.run_for(4 * SECOND)
    sent = adverts(bench)
    assert sent[5] >= 2
    del sent[5]
    assert set(sent) == set(range(1, MANY + 1)) - {5}
    assert all(times >= 4 for times in sent.values())


def test_a_stop_during_a_round_sends_nothing_after_the_resignations() -> None:
    bench, service = masters()
    service.stop(lambda: None)
    bench.reactor.run_for(5 * SECOND)
    assert Counter(pdu[1] for _, _, pdu in bench.kernel.sent if pdu[2] == 0) == each(MANY, 1)
    assert all(pdu[2] == 0 for _, _, pdu in bench.kernel.sent)


ACTS = ["hear", "hear", "hear", "silence", "silence", "link", "address", "reload", "refuse", "freeze"]


def a_life(seed: int) -> tuple[dict[int, list[tuple[int, int]]], list[tuple[int, str]], int]:
    """What goes out of each instance and when, and what is said, in a life that ``seed`` decides."""
    chance = random.Random(seed)
    kinds = [chance.choice(("", "advert_int=2", "garp_master_refresh=3", "version=2", "nopreempt")) for _ in range(30)]
    start = [f"{line} track_interface=eth1:-20 {kind}" for line, kind in zip(lines(30), kinds, strict=True)]
    bench, service = masters(*start)
    sent: dict[int, list[tuple[int, int]]] = defaultdict(list)
    said: list[tuple[int, str]] = []

    def look(act: Callable[[], None]) -> None:
        """Do something, and note what it and the turns until now gave."""
        act()
        for _, _, pdu in bench.kernel.sent:
            sent[pdu[1]].append((bench.reactor.time, pdu[2]))
        bench.kernel.sent.clear()
        said.extend(
            (bench.reactor.time, f"{link} announces {address}") for link, address in sorted(bench.kernel.frames)
        )
        bench.kernel.frames.clear()
        said.extend(sorted((bench.reactor.time, line.message) for line in bench.journal.lines))
        bench.journal.lines.clear()

    running = start
    for _ in range(60):
        what, vrid = chance.choice(ACTS), str(chance.randint(1, 30))
        if what == "hear":
            one = advert(chance.choice((0, 50, 100, 150)), f"10.0.0.{chance.choice((0, 7))}", virtual_router_id=vrid)
            look(partial(bench.hear, one))
        elif what == "link":
            name = chance.choice(("eth0", "eth1"))
            look(partial(bench.kernel.set_link, name, up=not bench.kernel.links[name].up))
            look(bench.told)
        elif what == "address":
            if held := sorted(place for place in bench.kernel.held if place[1] != "10.0.0.1"):
                look(partial(bench.kernel.take, *chance.choice(held)))
                look(bench.told)
        elif what == "reload":
            running = [line for line in start if chance.random() < 0.9]
            look(partial(service.reload, make_configuration(*running)))
        elif what == "freeze":
            bench.reactor.time += chance.choice((200 * MILLISECOND, 5 * SECOND))
            look(partial(bench.reactor.run_for, 0))
        elif what == "refuse":
            bench.kernel.send_errno = ENETUNREACH - bench.kernel.send_errno
        end = bench.reactor.time + chance.choice((MILLISECOND, 400 * MILLISECOND, SECOND, 3 * SECOND))
        while bench.reactor.time < end:
            look(partial(bench.reactor.run_for, 25 * MILLISECOND))
    rounds = len(bench.kernel.bundles)
    service._catch_up()
    counted = sum(router.statistics.advert_sent for router in service._routers.routers.values())
    look(lambda: service.stop(lambda: None))
    look(partial(bench.reactor.run_for, SECOND))
    said.append((counted, "adverts"))
    return sent, said, rounds


@pytest.mark.parametrize(
    "seed", [*range(40), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(40, 1000))]
)
def test_with_and_without_rounds_the_same_goes_out_and_is_said(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, said, rounds = a_life(seed)
    assert rounds > 5
    monkeypatch.setattr(AdvertRounds, "join", lambda *_: False)
    alone, said_alone, none = a_life(seed)
    assert none == 0
    assert sent == alone
    assert said == said_alone
