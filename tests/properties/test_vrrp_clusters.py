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

from pykeepalived.vrrp import carried
from pykeepalived.vrrp.effects import Effect, RemoveAddresses
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.wire.vrrp import Advert
from tests.support.cluster import Cluster, InvariantError

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


def stays_master(self: VirtualRouter, *_: Any, **__: Any) -> None:
    """A MASTER that does not yield."""
    del self


def keeps_addresses(instance: Any, effects: list[Effect], keep: Any = frozenset()) -> None:
    """Orders all but the removal of addresses."""
    made: list[Effect] = []
    GIVE_BACK(instance, made, keep)
    effects += [effect for effect in made if not isinstance(effect, RemoveAddresses)]


def takes_anything(self: VirtualRouter, state: Any, advert: Advert, source: bytes, now: int, effects: Any) -> None:
    """A BACKUP that holds whatever it hears for its master."""
    del advert, source, effects
    state.master_down_at = self.deadline = now + 60_000_000_000


def says_nothing(*_: Any) -> str:
    """No cause."""
    return ""


GIVE_BACK = carried.give_back


@pytest.mark.parametrize(
    ("where", "name", "mutant", "found"),
    [
        (VirtualRouter, "leave_master", stays_master, "stays MASTER"),
        (carried, "give_back", keeps_addresses, "holds"),
        (VirtualRouter, "_heard_as_backup", takes_anything, "although"),
        ("pykeepalived.vrrp.causes", "silence", says_nothing, "by ''"),
    ],
)
def test_a_core_that_is_wrong_is_noticed(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, mutant: Callable[..., Any], found: str
) -> None:
    if isinstance(where, str):
        where = sys.modules[where]
    monkeypatch.setattr(where, name, mutant)
    broken, _, _ = play(range(200))
    assert any(InvariantError.__name__ in line and found in line for line in broken), broken[:3]


if __name__ == "__main__":
    began = time.monotonic()
    wrong, happened, moved = play_many(int(sys.argv[1]))
    sys.stdout.write("".join(f"{line}\n" for line in wrong[:50]))
    took = time.monotonic() - began
    sys.stdout.write(
        f"{sys.argv[1]} histories, {happened} events, {moved} transitions, {len(wrong)} broken: {took:.0f} s\n"
    )
    sys.exit(bool(wrong))
