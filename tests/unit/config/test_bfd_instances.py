"""bfd_instance: neighbours, families, hops, and who is told."""

import pytest

from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.kinds_trackers import Weight
from pykeepalived.units import MICROSECOND, MILLISECOND, SECOND
from tests.config.reading import instance_text, messages, read, server_text, sound


def session(text: str, neighbor: str = "10.0.0.9") -> BfdInstance:
    (found,) = sound(f"bfd_instance b {{\nneighbor_ip {neighbor}\n{text}\n}}").configuration.bfd_instance
    return found


def test_defaults() -> None:
    found = session("")
    assert (found.min_rx, found.min_tx, found.idle_tx) == (10 * MILLISECOND, 10 * MILLISECOND, SECOND)
    assert (found.multiplier, found.ttl, found.max_hops, found.passive, found.multihop) == (5, 255, 0, False, False)
    assert (found.vrrp, found.checker, found.weight, found.source_ip) == (True, True, Weight(0), None)
    assert session("", "2001:db8::9").ttl == 64


def test_values() -> None:
    found = session("min_rx 1.234\nmin_tx 50\nidle_tx 2000\nhoplimit 20\nmax_hops 20\nmultihop\nweight -7 reverse")
    assert (found.min_rx, found.min_tx, found.idle_tx) == (1234 * MICROSECOND, 50 * MILLISECOND, 2 * SECOND)
    assert (found.ttl, found.max_hops, found.multihop, found.weight) == (20, 20, True, Weight(-7, reverse=True))
    assert str(session("source_ip 10.0.0.1").source_ip) == "10.0.0.1"
    (british,) = sound("bfd_instance b {\nneighbour_ip 10.0.0.9/24\n}").configuration.bfd_instance
    assert str(british.neighbor_ip) == "10.0.0.9"  # what follows the address is cut off


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:14 BFD instance b has no neighbor address set, disabling instance"),
        ("source_ip 10.0.0.1", "1:14 BFD instance b has no neighbor address set, disabling instance"),
        ("neighbor_ip nowhere", "2:13 neighbor_ip: invalid IP address 'nowhere'"),
        ("neighbor_ip 10.0.0.9\nsource_ip fe80::1", "3:11 BFD instance b source address fe80::1 and neighbor"),
    ],
)
def test_sessions_that_cannot_be(text: str, message: str) -> None:
    loaded = read(f"bfd_instance b {{\n{text}\n}}")
    assert loaded.exit_code == 5
    (said,) = messages(loaded)
    assert said.startswith(message)
    assert loaded.configuration.bfd_instance == ()


def test_names() -> None:
    assert read("bfd_instance {\nneighbor_ip 10.0.0.9\n}").exit_code == 2
    assert read(f"bfd_instance {'b' * 31} {{\nneighbor_ip 10.0.0.9\n}}").exit_code == 0
    loaded = read(f"bfd_instance {'b' * 32} {{\nneighbor_ip 10.0.0.9\n}}")
    assert (loaded.exit_code, loaded.configuration.bfd_instance) == (5, ())
    assert read("bfd_instance a b {\nneighbor_ip 10.0.0.9\n}").exit_code == 0
    twice = read("bfd_instance b {\nneighbor_ip 10.0.0.9\n}\nbfd_instance b {\nneighbor_ip 10.0.0.8\n}")
    assert messages(twice) == ["4:14 bfd_instance 'b' is defined already on line 1 - skipping"]


@pytest.mark.parametrize(
    ("one", "other", "sessions"),
    [
        ("", "", 1),
        ("", "source_ip 10.0.0.1", 1),
        ("source_ip 10.0.0.1", "", 1),
        ("source_ip 10.0.0.1", "source_ip 10.0.0.1", 1),
        ("source_ip 10.0.0.1", "source_ip 10.0.0.2", 2),
        ("multihop", "", 2),
    ],
)
def test_a_neighbour_twice(one: str, other: str, sessions: int) -> None:
    loaded = read(
        f"bfd_instance a {{\nneighbor_ip 10.0.0.9\n{one}\n}}\nbfd_instance b {{\nneighbor_ip 10.0.0.9\n{other}\n}}"
    )
    assert len(loaded.configuration.bfd_instance) == sessions
    wanted = ["6:13 BFD instance b has duplicate neighbor address 10.0.0.9, ignoring instance"]
    assert messages(loaded) == (wanted if sessions == 1 else [])


@pytest.mark.parametrize(
    ("text", "hops", "exit_code"),
    [
        ("max_hops -1", -1, 0),
        ("ttl 5\nmax_hops -1", 5, 5),
        ("ttl 10\nmax_hops 20", 10, 5),
        ("max_hops 20\nttl 10", 10, 5),
        ("max_hops 255", 255, 0),
    ],
)
def test_hops_are_at_most_the_ttl(text: str, hops: int, exit_code: int) -> None:
    loaded = read(f"bfd_instance b {{\nneighbor_ip 10.0.0.9\n{text}\n}}")
    assert (loaded.configuration.bfd_instance[0].max_hops, loaded.exit_code) == (hops, exit_code)


def test_long_intervals_are_said_and_do_not_count() -> None:
    loaded = sound("bfd_instance b {\nneighbor_ip 10.0.0.9\nmin_rx 10001\n}")
    assert [each.message for each in loaded.diagnostics] == ["BFD instance b: min_rx is longer than 10000 ms"]
    assert sound("bfd_instance b {\nneighbor_ip 10.0.0.9\nmin_rx 10000\n}").diagnostics == ()


@pytest.mark.parametrize(("told", "vrrp", "checker"), [("vrrp", 0, 5), ("checker", 5, 0), ("vrrp\nchecker", 0, 0)])
def test_who_is_told(told: str, vrrp: int, checker: int) -> None:
    text = f"bfd_instance b {{\nneighbor_ip 10.0.0.9\n{told}\n}}\n"
    assert read(instance_text("track_bfd {\nb\n}", text)).exit_code == vrrp
    assert read(server_text("", "BFD_CHECK {\nname b\n}", text)).exit_code == checker
    (found,) = read(text).configuration.bfd_instance
    assert (found.vrrp, found.checker) == ("vrrp" in told, "checker" in told)


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [("weight 253", 0), ("weight 254", 5), ("weight", 2), ("weight 5 foo", 5), ("weight 3\nweight 4", 0)],
)
def test_weights(text: str, exit_code: int) -> None:
    assert read(f"bfd_instance b {{\nneighbor_ip 10.0.0.9\n{text}\n}}").exit_code == exit_code
