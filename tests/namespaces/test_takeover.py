"""Takeovers of many addresses and of many virtual routers: all is announced, in order, and nothing else suffers."""

import contextlib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support import netns, pykeepalived
from tests.support.capture import SECOND, Capture, Frame, now
from tests.support.director import Director
from tests.support.many import MANY, ONE_616, ROUNDS, Load, announced
from tests.support.netns import Host, Network, Segment

pytestmark = [pytest.mark.root, pytest.mark.long]

BESIDE = """vrrp_instance BESIDE {
state MASTER
interface eth0
version 3
virtual_router_id 255
priority 255
advert_int 0.1
garp_master_delay 0
virtual_ipaddress {
10.77.9.9/32
}
}
"""
VRID_PLACE = 14 + 20 + 1


def stage(network: Network, load: Load) -> tuple[Host, list[Segment]]:
    if missing := netns.why_not():
        pytest.skip(missing)
    host = network.host("host")
    segments = [network.segment() for _ in range(load.interfaces)]
    for number, segment in enumerate(segments):
        host.attach(segment, [f"10.{77 + number}.0.1/24", f"fd77:{number}::1/64"], device=f"eth{number}")
    return host, segments


def frames_of(host: Host, segments: list[Segment], folder: Path, config: str, announcements: int) -> list[Frame]:
    """Everything until so many announcements have come on each link, by its time. At the end all is given back."""
    with (
        contextlib.ExitStack() as stack,
        Director(host, pykeepalived.make(), folder, config, options=["-P"]) as director,
    ):
        captures = [stack.enter_context(Capture(segment, buffer=64 << 20)) for segment in segments]
        director.start()
        for capture in captures:
            capture.wait_until(lambda seen: len(seen.announcements()) >= announcements, "announcements", within=240)
        since = now()
        for capture in captures:
            capture.wait_until(lambda seen: len(seen.adverts(since=since)) > 10, "adverts", within=60)
        assert director.stop(within=120) == 0
        for number in range(len(segments)):
            assert not any(address.startswith(("10.88.", "fd88:")) for address in host.addresses(f"eth{number}"))
    return sorted((frame for capture in captures for frame in capture.frames()), key=lambda frame: frame.at)


def test_616_addresses_of_both_families_and_the_adverts_of_another(tmp_path: Path) -> None:
    with Network() as network:
        host, segments = stage(network, ONE_616)
        expected = ROUNDS * (ONE_616.addresses + 1)
        seen = frames_of(host, segments, tmp_path, BESIDE + ONE_616.config(), expected)
        order = [address for _, address in announced(seen) if address != "10.77.9.9"]
        assert Counter(Counter(order).values()) == {ROUNDS: ONE_616.addresses}
        rounds = [order[at : at + ONE_616.addresses] for at in range(0, len(order), ONE_616.addresses)]
        assert all(each == rounds[0] for each in rounds), "round by round, each in the order of the file"
        adverts = [frame.at for frame in seen if frame.octets[12:14] == b"\x08\x00" and frame.octets[VRID_PLACE] == 255]
        burst = [at for at, address in announced(seen) if address != "10.77.9.9"]
        around = [at for at in adverts if burst[0] - SECOND < at < burst[-1] + SECOND]
        assert max(later - at for at, later in pairwise(around)) < SECOND, "the other one's adverts go on"


def test_a_thousand_virtual_routers(tmp_path: Path) -> None:
    with Network() as network:
        host, segments = stage(network, MANY)
        expected = ROUNDS * MANY.addresses // MANY.interfaces
        seen = frames_of(host, segments, tmp_path, MANY.config(), expected)
        order = [address for _, address in announced(seen)]
        assert Counter(Counter(order).values()) == {ROUNDS: MANY.addresses}
