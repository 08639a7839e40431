"""What a tracker's state means: weights, faults, reverse, unknown."""

import pytest

from pykeepalived.vrrp.tracking import (
    BFD,
    FILE,
    INTERFACE,
    PROCESS,
    SCRIPT,
    Tracked,
    TrackedNumber,
    effective_priority,
    followed,
    tracked_by,
)
from tests.support.scenario import make_configuration, make_instance

CHK = (SCRIPT, "chk")


@pytest.mark.parametrize(
    ("weight", "reverse", "up", "contribution", "fault"),
    [
        (0, False, True, 0, False),
        (0, False, False, 0, True),
        (0, True, True, 0, True),
        (0, True, False, 0, False),
        (0, False, None, 0, False),
        (0, True, None, 0, False),
        (10, False, True, 10, False),
        (10, False, False, 0, False),
        # keepalived 2.2.7: the sign turns, the state that counts does not
        (10, True, True, -10, False),
        (10, True, False, 0, False),
        (10, False, None, 0, False),
        (-10, False, True, 0, False),
        (-10, False, False, -10, False),
        (-10, True, True, 0, False),
        (-10, True, False, 10, False),
        (-10, True, None, 0, False),
    ],
)
def test_what_a_state_means(weight: int, reverse: bool, up: bool | None, contribution: int, fault: bool) -> None:
    tracked = Tracked(CHK, weight, reverse)
    assert tracked.contribution(up) == contribution
    assert tracked.faulty(up) is fault


@pytest.mark.keyword("vrrp_instance.track_file", "track_file.weight")
@pytest.mark.parametrize(
    ("weight", "reverse", "number", "contribution", "fault"),
    [
        (1, False, 50, 50, False),
        (1, False, -50, -50, False),
        (2, True, 7, -14, False),
        (-3, False, 20, -60, False),
        (1, False, 500, 253, False),  # at most
        (1, False, 254, 253, False),
        (1, False, -253, -253, False),
        (1, False, -254, 0, True),
        (2, True, 127, 0, True),
        (2, True, -127, 253, False),
        (254, False, -2147483648, 0, True),
        (0, False, 0, 0, False),
        (0, False, -1, 0, True),
        (0, False, 1, 0, True),
        (0, True, 1, 0, False),  # reversed: 0, or no file, is the fault
        (0, True, 0, 0, True),
    ],
)
def test_what_a_number_means(weight: int, reverse: bool, number: int, contribution: int, fault: bool) -> None:
    tracked = TrackedNumber((FILE, "load"), weight, reverse)
    assert tracked.contribution(number) == contribution
    assert tracked.faulty(number) is fault


@pytest.mark.parametrize(
    ("base", "sum_", "effective"), [(100, 0, 100), (100, 200, 254), (100, -200, 1), (255, -200, 255), (254, 1, 254)]
)
def test_effective_priority(base: int, sum_: int, effective: int) -> None:
    assert effective_priority(base, sum_) == effective


def test_own_interfaces_are_followed_once_each() -> None:
    instance = make_instance(
        "VI_1", virtual_ipaddress="10.0.0.1/24,10.0.0.2/24@eth1", virtual_ipaddress_excluded="10.0.0.3/24@eth1"
    )
    assert tracked_by(instance, None) == (Tracked((INTERFACE, "eth0")), Tracked((INTERFACE, "eth1")))


def test_dont_track_primary_leaves_the_named_ones() -> None:
    instance = make_instance("VI_1", dont_track_primary="", track_interface="eth2")
    assert tracked_by(instance, None) == (Tracked((INTERFACE, "eth2")),)


def test_a_group_s_trackers_are_its_members() -> None:
    configuration = make_configuration(
        "vrrp_script chk",
        "instance VI_1 track_script=chk",
        "group G group=VI_1 track_script=chk:5 track_interface=eth9",
    )
    found = tracked_by(configuration.vrrp_instance[0], configuration.vrrp_sync_group[0])
    assert found == (
        Tracked((INTERFACE, "eth0")),
        Tracked(CHK),
        Tracked((INTERFACE, "eth9")),
        Tracked(CHK, 5),
    )


def test_what_is_followed_by_instances_and_groups() -> None:
    configuration = make_configuration(
        "instance VI_1 track_file=load:2 track_process=haproxy track_bfd=peer",
        "group G group=VI_1 track_file=drain:0 track_process=bird:5:reverse",
    )
    assert followed(configuration, FILE) == {"load", "drain"}
    assert followed(configuration, PROCESS) == {"haproxy", "bird"}
    assert followed(configuration, BFD) == {"peer"}
    assert followed(configuration, SCRIPT) == frozenset()
    assert tracked_by(configuration.vrrp_instance[0], configuration.vrrp_sync_group[0])[1:] == (
        TrackedNumber((FILE, "load"), 2),
        Tracked((PROCESS, "haproxy")),
        Tracked((BFD, "peer")),
        TrackedNumber((FILE, "drain")),
        Tracked((PROCESS, "bird"), 5, reverse=True),
    )
