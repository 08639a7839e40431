"""Checkers that weigh: lines, clamping, and a quorum won or lost by weight alone. The numbers are keepalived's own."""

from pykeepalived.lvs.effects import TableChanged
from pykeepalived.lvs.events import CheckerJudged, CheckerWeighed
from pykeepalived.lvs.virtual_server import VirtualServer
from tests.support.pool import INT_MAX, VS, block, brief, key, rs, server, table


def started(*weights: int, **keywords: object) -> VirtualServer:
    """A pool of servers 11, 12, ... of these weights."""
    core = VirtualServer(block(*(server(11 + n, weight=weight) for n, weight in enumerate(weights)), **keywords))  # type: ignore[arg-type]
    core.start()
    return core


def weigh(core: VirtualServer, number: int, change: int, *, silent: bool = False) -> list[str]:
    return brief(core.handle(CheckerWeighed(key(number), change, silent)))


def judge(core: VirtualServer, number: int, *, up: bool) -> list[str]:
    return brief(core.handle(CheckerJudged(key(number), up=up, changed=True)))


def changing(before: int, after: int, number: int, *, active: bool = True) -> str:
    return (
        f"Changing weight from {before} to {after} for {'' if active else 'in'}active service {rs(number)} of VS {VS}"
    )


def test_a_weight_changes_in_place() -> None:
    core = started(2, 1)
    assert weigh(core, 11, 8) == [changing(2, 10, 11), "table"]
    assert table(core) == {11: 10, 12: 1}


def test_only_the_row_of_the_server_is_touched() -> None:
    core = started(2, 1)
    (effect,) = (each for each in core.handle(CheckerWeighed(key(11), 1)) if isinstance(each, TableChanged))
    assert effect.servers == frozenset((key(11),))


def test_observed_quorum_lost_and_gained_by_weight() -> None:
    core = started(2, 1, quorum=2, sorry=99)
    weigh(core, 11, 8)
    assert weigh(core, 11, -10) == [
        changing(10, 0, 11),
        "table",
        f"Lost quorum 2-0=2 > 1 for VS {VS}",
        f"Adding sorry server {rs(99)} to VS {VS}",
        f"Removing alive servers from the pool for VS {VS}",
        f"fifo VS {VS} DOWN",
    ]
    assert table(core) == {99: 1}
    assert weigh(core, 12, 4) == [
        changing(1, 5, 12),
        "table",
        f"Gained quorum 2+0=2 <= 5 for VS {VS}",
        f"Removing sorry server {rs(99)} from VS {VS}",
        f"Adding alive servers to the pool for VS {VS}",
        f"fifo VS {VS} UP",
    ]
    assert table(core) == {11: 0, 12: 5}


def test_a_server_that_is_down_is_weighed_in_the_books() -> None:
    core = started(2, 1)
    judge(core, 11, up=False)
    assert weigh(core, 11, 3) == [changing(2, 5, 11, active=False), "table"]
    assert table(core) == {12: 1}
    judge(core, 11, up=True)
    assert table(core) == {11: 5, 12: 1}


def test_observed_weights_below_nothing_are_0_and_add_up() -> None:
    """A file of weight -3 beside a weight of 5: 1, 2, and 100 in it."""
    core = started(5, 2)
    assert weigh(core, 11, -3) == [changing(5, 2, 11), "table"]
    assert weigh(core, 11, -3) == [changing(2, 0, 11), "table"]
    assert weigh(core, 11, -294) == []
    assert weigh(core, 11, 295) == []
    assert weigh(core, 11, 5) == [changing(0, 5, 11), "table"]
    assert table(core) == {11: 5, 12: 2}


def test_weights_end_at_the_kernels_largest() -> None:
    core = started(5)
    assert weigh(core, 11, 2**40) == [changing(5, INT_MAX, 11), "table"]
    assert table(core) == {11: INT_MAX}
    assert weigh(core, 11, -(2**40)) == [changing(INT_MAX, 5, 11), "table"]


def test_what_matters_to_nobody_is_done_in_silence() -> None:
    core = started(5, 1)
    judge(core, 11, up=False)
    assert weigh(core, 11, 4, silent=True) == ["table"]
    judge(core, 11, up=True)
    assert table(core) == {11: 9, 12: 1}


def test_several_checkers_of_a_server_add_up() -> None:
    core = started(1)
    weigh(core, 11, 5)
    weigh(core, 11, 7)
    weigh(core, 11, -5)
    assert table(core) == {11: 8}


def test_a_reload_keeps_what_checkers_add() -> None:
    core = started(2, 1)
    weigh(core, 11, 5)
    new = block(server(11, weight=5), server(12))
    assert brief(core.reload(new, {key(11): 0}, {key(11): 5})) == [changing(7, 10, 11), "table"]
    assert table(core) == {11: 10, 12: 1}
    assert brief(core.reload(new, {key(11): 0})) == [changing(10, 5, 11), "table"]


def test_a_reload_of_other_things_keeps_what_checkers_add() -> None:
    core = started(2, 1)
    weigh(core, 11, 5)
    assert brief(core.reload(block(server(11, weight=2), server(12), lvs_sched="rr"), {})) == ["table"]
    assert table(core) == {11: 7, 12: 1}
