"""The time between gratuitous messages: lanes, their queues, and a reload."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.units import MILLISECOND
from pykeepalived.vrrp.pacing import Message, Pacing

NOW = 1_000_000_000_000
STEP = 200 * MILLISECOND


def configured(*groups: GarpGroup, garp: int = STEP, gna: int = 0) -> Configuration:
    settings = replace(Configuration().global_defs, vrrp_garp_interval=garp, vrrp_gna_interval=gna)
    return Configuration(global_defs=settings, garp_group=groups)


def paced(*groups: GarpGroup, garp: int = STEP, gna: int = 0) -> Pacing:
    return Pacing(configured(*groups, garp=garp, gna=gna), str)


def message(address: str, instance: str = "A", interface: str = "eth0") -> Message:
    return Message(instance, interface, ip_address(address))


def told(pacing: Pacing, until: int) -> list[tuple[int, str]]:
    """Everything that goes until then, with its time after NOW in milliseconds."""
    found = []
    while (deadline := pacing.deadline) is not None and deadline <= until:
        while (each := pacing.due(deadline)) is not None:
            found.append(((deadline - NOW) // MILLISECOND, str(each.address)))
    return found


def test_nothing_is_spaced_unless_it_is_said() -> None:
    pacing = paced(garp=0)
    assert [pacing.offer(message("10.0.0.1"), NOW) for _ in range(3)] == [True] * 3
    assert pacing.deadline is None


@pytest.mark.keyword("global_defs.vrrp_garp_interval")
def test_one_goes_in_an_interval_and_each_waits_once() -> None:
    pacing = paced()
    went = [pacing.offer(message(f"10.0.0.{last}"), NOW) for _ in range(3) for last in (1, 2)]
    assert went == [True, False, False, False, False, False]
    assert told(pacing, NOW + 10 * STEP) == [(200, "10.0.0.2"), (400, "10.0.0.1")]
    assert pacing.deadline is None
    assert not pacing.offer(message("10.0.0.1"), NOW + 3 * STEP - 1)
    assert told(pacing, NOW + 10 * STEP) == [(600, "10.0.0.1")]


@pytest.mark.keyword("global_defs.vrrp_gna_interval")
def test_families_and_interfaces_have_their_own_time() -> None:
    pacing = paced(gna=2 * STEP)
    assert pacing.offer(message("10.0.0.1"), NOW)
    assert pacing.offer(message("fd00::1"), NOW)
    assert pacing.offer(message("10.0.0.1", interface="eth1"), NOW)
    assert not pacing.offer(message("fd00::2"), NOW)
    assert not pacing.offer(message("10.0.0.2"), NOW)
    assert told(pacing, NOW + 10 * STEP) == [(200, "10.0.0.2"), (400, "fd00::2")]


@pytest.mark.keyword("garp_group")
@pytest.mark.keyword("garp_group.garp_interval")
@pytest.mark.keyword("garp_group.gna_interval")
@pytest.mark.keyword("garp_group.interface")
@pytest.mark.keyword("garp_group.interfaces")
def test_a_group_shares_its_time_and_has_no_other() -> None:
    pacing = paced(GarpGroup(garp_interval=STEP, interfaces=("eth0", "eth1")), garp=7 * STEP, gna=STEP)
    assert pacing.offer(message("10.0.0.1"), NOW)
    assert not pacing.offer(message("10.0.0.2", interface="eth1"), NOW)
    assert all(pacing.offer(message(f"fd00::{last}"), NOW) for last in range(3)), "the group says nothing of NA"
    assert pacing.offer(message("10.0.0.3", interface="eth2"), NOW)
    assert not pacing.offer(message("10.0.0.4", interface="eth2"), NOW)
    assert told(pacing, NOW + 10 * STEP) == [(200, "10.0.0.2"), (1400, "10.0.0.4")]


def test_a_vmac_shares_the_time_of_its_base() -> None:
    pacing = Pacing(configured(), {"vrrp.51": "eth0", "eth0": "eth0"}.__getitem__)
    assert pacing.offer(message("10.0.0.1", interface="vrrp.51"), NOW)
    assert not pacing.offer(message("10.0.0.2"), NOW)


def test_nobody_is_overtaken() -> None:
    """A is asked for again and again, faster than the lane lets go: B has its turn all the same."""
    pacing = paced()
    seen = []
    for number in range(20):
        now = NOW + number * STEP // 2
        while (due := pacing.due(now)) is not None:
            seen.append(due.instance)
        seen += [instance for instance in "ABC" if pacing.offer(message("10.0.0.1", instance), now)]
    assert seen == ["A", "B", "C"] * 3 + ["A"]


def test_the_queue_is_never_longer_than_the_addresses() -> None:
    pacing = paced()
    for number in range(1000):
        pacing.offer(message(f"10.0.0.{number % 7 + 1}"), NOW + number)
        assert pacing.behind(message("10.0.0.3")) or number < 2
    assert len(told(pacing, NOW + 1000 * STEP)) == 7


def test_what_is_cancelled_does_not_go() -> None:
    pacing = paced()
    for last in (1, 2, 3):
        pacing.offer(message(f"10.0.0.{last}"), NOW)
        pacing.offer(message(f"10.0.1.{last}", "B"), NOW)
    pacing.cancel("A")
    pacing.cancel("unheard of")
    assert told(pacing, NOW + 10 * STEP) == [(200, "10.0.1.1"), (400, "10.0.1.2"), (600, "10.0.1.3")]


def test_a_lane_that_was_cancelled_empty_keeps_its_time() -> None:
    pacing = paced()
    for last in (1, 2):
        pacing.offer(message(f"10.0.0.{last}"), NOW)
    pacing.cancel("A")
    assert pacing.offer(message("10.0.0.3", "B"), NOW + STEP)
    assert not pacing.offer(message("10.0.0.4", "B"), NOW + STEP)
    assert pacing.due(NOW + STEP) is None
    assert told(pacing, NOW + 10 * STEP) == [(400, "10.0.0.4")]


def test_a_reload_renames_and_keeps_the_time() -> None:
    former = paced()
    for last in (1, 2, 3):
        former.offer(message(f"10.0.0.{last}"), NOW)
    same = Pacing(configured(), str)
    assert same.inherit(former, {"A": "Z"}, NOW + 1) == []
    assert same.behind(message("10.0.0.2", "Z"))
    assert told(same, NOW + 10 * STEP) == [(200, "10.0.0.2"), (400, "10.0.0.3")]


def test_a_reload_without_spacing_lets_all_go() -> None:
    former = paced()
    for last in (1, 2, 3):
        former.offer(message(f"10.0.0.{last}"), NOW)
    left = paced(garp=0).inherit(former, {}, NOW + 1)
    assert [str(each.address) for each in left] == ["10.0.0.2", "10.0.0.3"]


def test_a_reload_to_a_shorter_time_does_not_wait_the_longer_one() -> None:
    former = paced(garp=100 * STEP)
    for last in (1, 2):
        former.offer(message(f"10.0.0.{last}"), NOW)
    later = paced()
    assert later.inherit(former, {}, NOW + STEP) == []
    assert told(later, NOW + 10 * STEP) == [(400, "10.0.0.2")]
