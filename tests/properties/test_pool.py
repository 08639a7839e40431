"""A pool under any history of verdicts, weights and reloads: its table is that of a fresh pool with the same states."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service, SorryServer
from pykeepalived.config.blocks.virtual_server import VirtualServer as Block
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.lvs.fronts import Front, front_of
from tests.support.pool import SERVICE, Pool, fresh, server

NUMBERS = range(11, 17)
METHODS = [LvsMethod(), LvsMethod("DR"), LvsMethod("TUN"), LvsMethod("TUN", "gue", 6080)]
GROUP = Service("group", None, 0, 6, 0, 2, "g")
ENTRIES = [
    GroupEntry(ip_address("10.9.1.1"), ip_address("10.9.1.3"), 80, family=2),
    GroupEntry(ip_address("10.9.1.3"), ip_address("10.9.1.4"), 80, family=2),
    GroupEntry(ip_address("10.9.2.1"), ip_address("10.9.2.1"), 81, family=2),
    GroupEntry(fwmark=7),
    GroupEntry(fwmark=8),
]

SERVERS = st.lists(
    st.builds(
        server,
        st.sampled_from(NUMBERS),
        alpha=st.booleans(),
        checkers=st.integers(0, 3),
        weight=st.sampled_from([0, 1, 2, 5]),
        lvs_method=st.sampled_from(METHODS),
        inhibit_on_failure=st.booleans(),
        uthreshold=st.sampled_from([0, 10]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.address,
)
SORRY_SERVERS = st.none() | st.builds(
    SorryServer,
    address=st.sampled_from([11, 12, 98, 99]).map(lambda number: ip_address(f"10.9.0.{number}")),
    port=st.just(80),
    lvs_method=st.sampled_from(METHODS),
    inhibit=st.booleans(),
)


def blocks(service: Service) -> st.SearchStrategy[Block]:
    return st.builds(
        Block,
        service=st.just(service),
        real_server=SERVERS.map(tuple),
        sorry_server=SORRY_SERVERS,
        quorum=st.integers(1, 6),
        hysteresis=st.integers(0, 2),
        lvs_sched=st.sampled_from(["rr", "wlc"]),
        persistence_timeout=st.sampled_from([None, 30]),
    )


GROUPS = st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=4).map(
    lambda entries: front_of(GROUP, VirtualServerGroup("g", tuple(entries)))
)


class Histories(RuleBasedStateMachine):
    """One pool; the kernel is brought up to date now and then, in batches of any size."""

    service = SERVICE
    fronts: st.SearchStrategy[Front] = st.just(front_of(SERVICE))

    def __init__(self) -> None:
        super().__init__()
        self.pool: Pool | None = None

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.pool = Pool(data.draw(blocks(self.service)), data.draw(self.fronts))

    @rule(data=st.data())
    def a_checker_changes_its_mind(self, data: st.DataObject) -> None:
        pool, checked = self._pool(), [k for k, each in self._pool().model.states.items() if each.block.checkers]
        if not checked:
            return
        pool.flip(data.draw(st.sampled_from(checked)))
        pool.model.judge()

    @rule(data=st.data(), change=st.sampled_from([-100, -3, -1, 1, 2, 100, 2**33]))
    def a_checker_weighs(self, data: st.DataObject, change: int) -> None:
        pool = self._pool()
        where = data.draw(st.sampled_from(list(pool.model.states)))
        if pool.model.states[where].offset:
            change = -pool.model.states[where].offset
        pool.weigh(where, change)
        pool.model.judge()

    @rule(data=st.data())
    def a_reload_changes_everything(self, data: st.DataObject) -> None:
        self._reload(data.draw(blocks(self.service)), data.draw(self.fronts))

    @rule(data=st.data())
    def a_reload_changes_a_little(self, data: st.DataObject) -> None:
        pool = self._pool()
        other = data.draw(blocks(self.service))
        mixed = {each.address: each for each in (*pool.model.block.real_server, *other.real_server)}
        field = data.draw(st.sampled_from(["quorum", "hysteresis", "sorry_server", "lvs_sched", "real_server"]))
        value = tuple(mixed.values()) if field == "real_server" else getattr(other, field)
        self._reload(replaced(pool.model.block, **{field: value}), pool.model.front)

    @rule(limit=st.sampled_from([1, 2, 64]), batches=st.integers(1, 4))
    def the_kernel_comes_a_little_way(self, limit: int, batches: int) -> None:
        self._pool().settle(limit, batches)

    @rule(limit=st.sampled_from([1, 3, 64]))
    def the_kernel_is_as_the_model_says(self, limit: int) -> None:
        self._pool().settle(limit)
        self._pool().check()

    @invariant()
    def it_is_as_a_fresh_one(self) -> None:
        if self.pool is None:
            return
        core, anew = self.pool.core, fresh(self.pool.model)
        assert core.quorum_up is self.pool.model.quorum_up
        if anew.quorum_up is core.quorum_up:
            assert core.tables == anew.tables
            assert (core.servers_up, core.name) == (anew.servers_up, anew.name)
        else:  # by verdicts alone this quorum could not be had: a reload has kept it
            assert core.block.quorum + core.block.hysteresis > self.pool.model.sum

    def teardown(self) -> None:
        if self.pool is not None:
            self.pool.settle()
            self.pool.check()

    def _pool(self) -> Pool:
        assert self.pool is not None
        return self.pool

    def _reload(self, new: Block, front: Front) -> None:
        pool = self._pool()
        pool.settle()
        kept = _keys_everywhere(pool)
        pool.reload(new, front)
        orders = pool.settle(64)
        pool.check()
        stayed = kept & _keys_everywhere(pool)
        for order in orders:
            if order.destination is not None and order.verb != "edit-server":
                place = (order.service.service, order.destination.address.packed, order.destination.port)
                assert place not in stayed, "a server that is kept was taken out or put in"


class GroupHistories(Histories):
    """The same for a group, whose entries come and go."""

    service = GROUP
    fronts = GROUPS


def replaced(old: Block, **fields: object) -> Block:
    return replace(old, **fields)  # type: ignore[arg-type]


def _keys_everywhere(pool: Pool) -> set[tuple[Service, bytes, int]]:
    return {(service, *where) for service, there in pool.kernel.services.items() for where in there.destinations}


SHORT = settings(
    max_examples=40, stateful_step_count=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
LONG = settings(SHORT, max_examples=400, stateful_step_count=60)


@pytest.mark.parametrize("machine", [Histories, GroupHistories])
def test_any_history_ends_as_a_fresh_pool(machine: type[Histories]) -> None:
    run_state_machine_as_test(machine, settings=SHORT)


@pytest.mark.long
@pytest.mark.parametrize("machine", [Histories, GroupHistories])
def test_many_long_histories_end_as_a_fresh_pool(machine: type[Histories]) -> None:
    run_state_machine_as_test(machine, settings=LONG)
