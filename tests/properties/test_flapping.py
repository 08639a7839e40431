"""Thousands of flapping servers through simulated hours: after every event the kernel's table is a function of the
states, no server stands there twice, sum and quorum agree, and the sorry server answers only when the quorum is lost.

Each event is judged by what it may touch alone; all of it is compared now and then, and whenever a quorum turns.
"""

import heapq
import random
import re
import time
from ipaddress import ip_address

import pytest

from pykeepalived.config.blocks.virtual_server import LvsMethod, RealServer, Service, SorryServer
from pykeepalived.config.blocks.virtual_server import VirtualServer as Block
from pykeepalived.ipvs_table import ServerKey
from pykeepalived.lvs.rows import key_of
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeIpvs
from tests.support.pool import Pool, fresh, server

HOUR = 3600 * SECOND
UP, DOWN, OUTAGE = 1800 * SECOND, 300 * SECOND, 4 * HOUR
"""How long a server stays up, and down; and how often a whole pool fails at once."""
_LINE = re.compile(r"(Gained|Lost) quorum (\d+)([+-])(\d+)=(\d+) (?:<=|>) (\d+) for VS")


def pool_block(number: int, size: int, chance: random.Random) -> Block:
    """A virtual server of any kind."""
    servers = tuple(
        server(
            256 + place,
            weight=chance.choice([1, 1, 1, 2, 10]),
            lvs_method=chance.choice([LvsMethod(), LvsMethod("DR")]),
            inhibit_on_failure=chance.random() < 0.3,
            alpha=chance.random() < 0.2,
        )
        for place in range(size)
    )
    total = sum(each.weight for each in servers)
    quorum = chance.choice([1, max(1, total // 2), max(1, total * 9 // 10)])
    twin = chance.random() < 0.2
    address = servers[0].address if twin else ip_address("10.8.0.1")
    inhibit = servers[0].inhibit_on_failure if twin else chance.random() < 0.5
    sorry = SorryServer(address=address, port=80, inhibit=inhibit)
    return Block(
        service=Service("address", ip_address(0x0A630000 + number), 80, 6, 0, 2),
        real_server=servers,
        quorum=quorum,
        hysteresis=chance.randrange(max(1, min(quorum, total - quorum + 1))),
        sorry_server=sorry if chance.random() < 0.7 else None,
    )


class Site:
    """Pools on one kernel, flapping."""

    def __init__(self, sizes: list[int], seed: int) -> None:
        self.chance = random.Random(seed)
        self.kernel = FakeIpvs()
        self.pools: list[Pool] = []
        self.sums: list[int] = []
        self.due: list[tuple[int, int, int, RealServer | None]] = []
        self.events = self.turns = self.orders = 0
        for number, size in enumerate(sizes):
            pool = Pool(pool_block(number, size, self.chance), kernel=FakeIpvs())
            pool.settle()
            self.pools.append(pool)
            self.sums.append(pool.model.sum)
            for each in pool.model.block.real_server:
                self._plan(0, UP, number, each)
            self._plan(0, OUTAGE, number, None)

    def run(self, length: int, *, look: int) -> None:
        """Let that much time pass; every ``look`` a pool is compared whole."""
        next_look = 0
        while self.due[0][0] <= length:
            now, _, number, who = heapq.heappop(self.due)
            if now >= next_look:
                next_look += look
                self._compare(self.chance.randrange(len(self.pools)))
            if who is None:
                self._outage(now, number)
            elif self.chance.random() < 0.1:
                self._weighed(number, who)
                self._plan(now, DOWN, number, who)
            else:
                self._flips(number, who)
                state = self.pools[number].model.states[key_of(who)]
                self._plan(now, UP if state.up else DOWN, number, who)
        for number in range(len(self.pools)):
            self._compare(number)

    def _plan(self, now: int, mean: int, number: int, who: RealServer | None) -> None:
        wait = int(self.chance.expovariate(1 / mean))
        heapq.heappush(self.due, (now + wait, len(self.due) + self.events * 100_000, number, who))

    def _outage(self, now: int, number: int) -> None:
        for each in self.pools[number].model.block.real_server:
            if self.pools[number].model.states[key_of(each)].up:
                self._flips(number, each)
        self._plan(now, OUTAGE, number, None)

    def _flips(self, number: int, who: RealServer) -> None:
        pool, where = self.pools[number], key_of(who)
        state = pool.model.states[where]
        before = state.weight if state.up else 0
        lines = pool.flip(where)
        self._judge(number, where, before, lines)

    def _weighed(self, number: int, who: RealServer) -> None:
        pool, where = self.pools[number], key_of(who)
        state = pool.model.states[where]
        before = state.weight if state.up else 0
        change = -state.offset or self.chance.choice([-20, -1, 1, 5, 250])
        lines = pool.weigh(where, change)
        self._judge(number, where, before, lines)

    def _judge(self, number: int, where: ServerKey, before: int, lines: list[str]) -> None:
        pool = self.pools[number]
        model = pool.model
        state = model.states[where]
        self.events += 1
        self.sums[number] += (state.weight if state.up else 0) - before
        turned = model.judge(self.sums[number])
        orders = pool.settle()
        self.orders += len(orders)
        assert pool.core.quorum_up is model.quorum_up
        said = [found for line in lines if (found := _LINE.match(line))]
        assert len(said) == turned
        if turned:
            self.turns += 1
            assert (said[0][1] == "Gained") is model.quorum_up
            assert int(said[0][6]) == self.sums[number]
        if turned and model.block.sorry_server is not None:
            self._compare(number)
        else:
            assert len(orders) <= 1
            row = self._row(pool, where)
            there = pool.kernel.services[model.block.service].destinations.get(where)
            assert (None if there is None else there.weight) == row

    @staticmethod
    def _row(pool: Pool, where: ServerKey) -> int | None:
        """The weight with which a server stands there, by the book."""
        model = pool.model
        state, sorry = model.states[where], model.block.sorry_server
        if sorry is not None and not model.quorum_up:
            if key_of(sorry) == where:
                return 1
        elif state.up:
            return state.weight
        if state.block.inhibit_on_failure:
            return 0
        return 0 if sorry is not None and sorry.inhibit and key_of(sorry) == where else None

    def _compare(self, number: int) -> None:
        pool = self.pools[number]
        pool.check()
        assert self.sums[number] == pool.model.sum
        sorry = pool.model.block.sorry_server
        if sorry is not None and key_of(sorry) not in pool.model.states:
            there = pool.kernel.services[pool.model.block.service].destinations.get(key_of(sorry))
            assert (there is not None and there.weight == 1) is not pool.model.quorum_up

    def finish(self) -> None:
        """Every pool is as a fresh one with its states."""
        for pool in self.pools:
            anew = fresh(pool.model)
            if anew.quorum_up is pool.core.quorum_up:
                assert anew.tables == pool.core.tables


def test_an_hour_of_some_hundred_servers() -> None:
    site = Site([120, 60, 40, 20, *[1] * 40, *[3] * 20], seed=1)
    site.run(HOUR, look=60 * SECOND)
    site.finish()
    assert site.events > 700
    assert site.turns > 20


@pytest.mark.long
def test_a_day_of_five_thousand_servers() -> None:
    sizes = [2000, 500, *[100] * 10, *[10] * 100, *[1] * 500]
    assert sum(sizes) == 5000
    began = time.process_time()
    site = Site(sizes, seed=2)
    site.run(24 * HOUR, look=30 * SECOND)
    site.finish()
    took = time.process_time() - began
    print(f"{site.events} events, {site.turns} turns of a quorum, {site.orders} orders in {took:.0f} s of CPU")
    assert site.events > 400_000
    assert site.turns > 5000
