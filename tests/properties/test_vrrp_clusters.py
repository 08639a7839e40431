"""Random histories of clusters: one MASTER in a connected part, no address left behind, no transition without cause.

python -m tests.properties.test_vrrp_clusters 1000000     the deep profile
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from pykeepalived.vrrp import carried, replacement
from pykeepalived.vrrp.authentication import Ah, Hmac
from pykeepalived.vrrp.effects import BlockAddresses, Effect, RemoveAddresses, RemoveRoutes, UnblockAddresses
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.statics import Statics
from pykeepalived.wire import vrrp as wire
from pykeepalived.wire.vrrp import Advert
from tests.support.cluster import Cluster, Host, InvariantError

_AT_ONCE = 500


def play(seeds: range) -> tuple[list[str], int, int]:
    """What was broken, and how many events and transitions there were."""
    broken: list[str] = []
    events = transitions = 0
    for seed in seeds:
        cluster = Cluster(seed)
        try:
            cluster.play()
        except Exception as error:  # noqa: BLE001 - the seed is what helps
            broken.append(f"seed {seed}: {type(error).__name__}: {error}")
        events += cluster.events
        transitions += cluster.transitions
    return broken, events, transitions


def play_many(count: int) -> tuple[list[str], int, int]:
    """The histories of so many seeds, on all processors."""
    parts = [range(start, min(start + _AT_ONCE, count)) for start in range(0, count, _AT_ONCE)]
    broken: list[str] = []
    events = transitions = 0
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for found, more_events, more_transitions in pool.imap_unordered(play, parts):
            broken += found
            events += more_events
            transitions += more_transitions
    return broken, events, transitions


def test_ten_thousand_histories() -> None:
    broken, events, transitions = play_many(10_000)
    assert broken == []
    assert events > 500_000
    assert transitions > 50_000


@pytest.mark.long
def test_a_hundred_thousand_histories() -> None:
    broken, _, _ = play_many(100_000)
    assert broken == []


def test_a_stranger_changes_no_history() -> None:
    told = refused = 0
    for seed in range(150):
        logs = []
        for stranger in (True, False):
            cluster = Cluster(seed, stranger=stranger)
            cluster.play()
            logs.append((cluster.now, cluster.transitions, [_outcome(host) for host in cluster.hosts]))
            told += cluster.intrusions
            refused += sum(_refused(host) for host in cluster.hosts) * (1 if stranger else -1)
        assert logs[0] == logs[1]
    assert told > 300
    assert refused > told // 3  # the others came to a host in FAULT, or to one that has restarted since


def _outcome(host: Host) -> list[tuple[str, int, int | None, int]]:
    routers = host.routers.routers.values()
    return [
        (router.state.name, router.priority, router.deadline, router.statistics.become_master) for router in routers
    ]


def _refused(host: Host) -> int:
    return sum(sum(router.statistics.errors.values()) for router in host.routers.routers.values())


# --- mutants: each breaks the core in one way, and an invariant must notice -------------------------------------------


def stays_master(self: VirtualRouter, *_: Any, **__: Any) -> None:
    """A MASTER that does not yield."""
    del self


def forgets(*kinds: type) -> Callable[..., None]:
    """Gives all back but what is removed by these orders."""

    def give_back(instance: Any, effects: list[Effect], *keep: Any, **more: Any) -> None:
        made: list[Effect] = []
        GIVE_BACK(instance, made, *keep, **more)
        effects += [effect for effect in made if not isinstance(effect, kinds)]

    return give_back


def takes_back_the_other_way(instance: Any, effects: list[Effect], *keep: Any, **more: Any) -> None:
    """Accepts packets for an address that is still there."""
    made: list[Effect] = []
    GIVE_BACK(instance, made, *keep, **more)
    effects += sorted(made, key=lambda effect: not isinstance(effect, UnblockAddresses))


def takes_the_other_way(instance: Any, effects: list[Effect]) -> None:
    """Has addresses before packets for them are dropped."""
    made: list[Effect] = []
    TAKE(instance, made)
    effects += sorted(made, key=lambda effect: isinstance(effect, BlockAddresses))


def removes_what_is_static(instance: Any, effects: list[Effect], *keep: Any, static: Any = None) -> None:
    """Does not care who else needs it."""
    del static
    GIVE_BACK(instance, effects, *keep[:1])


def takes_anything(self: VirtualRouter, state: Any, advert: Advert, source: bytes, now: int, effects: Any) -> None:
    """A BACKUP that holds whatever it hears for its master."""
    del advert, source, effects
    state.master_down_at = self.deadline = now + 60_000_000_000


def accepts(self: Any, packet: Any, message: bytes, trailer: bytes, wall: int) -> str:
    """Proves nothing."""
    del self, packet, message, trailer, wall
    return ""


def accepts_old(self: Any, *_: Any) -> None:
    """Remembers nothing."""
    del self


def says_nothing(*_: Any) -> str:
    """No cause."""
    return ""


def nothing(*_: Any, **__: Any) -> None:
    """Does nothing."""


GIVE_BACK, TAKE = carried.give_back, carried.take


@pytest.mark.parametrize(
    ("where", "name", "mutant", "found"),
    [
        (VirtualRouter, "_become_backup", stays_master, "stays MASTER"),
        (carried, "give_back", forgets(RemoveAddresses), " holds "),
        (carried, "give_back", forgets(RemoveRoutes), " has routes "),
        (carried, "give_back", forgets(UnblockAddresses), " blocks "),
        (carried, "give_back", takes_back_the_other_way, "blocked no longer"),
        (carried, "give_back", removes_what_is_static, " has routes "),
        (carried, "take", takes_the_other_way, "before they are blocked"),
        (replacement, "_unblock", nothing, " blocks "),
        (replacement, "_block", nothing, " blocks "),
        (Statics, "interface_up", nothing, " has routes "),
        (Statics, "removed", nothing, " holds "),
        (VirtualRouter, "_heard_as_backup", takes_anything, "although"),
        (Ah, "verify", accepts, "heeds a stranger"),
        (Hmac, "verify", accepts, "heeds a stranger"),
        (Hmac, "_note", accepts_old, "heeds a stranger"),
        (wire, "_authenticate", nothing, "heeds a stranger"),
        (wire, "_sums_up", lambda *_: True, "heeds a stranger"),
        (Reception, "_meant_for_us", lambda *_: True, "heeds a stranger"),
        ("pykeepalived.vrrp.causes", "silence", says_nothing, "by ''"),
    ],
)
def test_a_core_that_is_wrong_is_noticed(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, mutant: Callable[..., Any], found: str
) -> None:
    if isinstance(where, str):
        where = sys.modules[where]
    monkeypatch.setattr(where, name, mutant)
    broken: list[str] = []
    for start in range(0, 1000, 50):
        broken += play(range(start, start + 50))[0]
        if any(InvariantError.__name__ in line and found in line for line in broken):
            return
    pytest.fail(f"not noticed; instead: {broken[:3]}")


if __name__ == "__main__":
    began = time.monotonic()
    wrong, happened, moved = play_many(int(sys.argv[1]))
    sys.stdout.write("".join(f"{line}\n" for line in wrong[:50]))
    took = time.monotonic() - began
    sys.stdout.write(
        f"{sys.argv[1]} histories, {happened} events, {moved} transitions, {len(wrong)} broken: {took:.0f} s\n"
    )
    sys.exit(bool(wrong))
