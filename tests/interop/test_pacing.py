"""The time between announcements: the same file given to keepalived and to us, the wire as judge.

A daemon that ignored the times would send all at once, one that knew only the interfaces would not space a group's two
links, and one that spaced everything would hold back the family of which nothing is said.
"""

import contextlib
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest

from tests.interop.stage import MAKES
from tests.support.capture import SECOND, Announcement, Capture
from tests.support.director import Director
from tests.support.netns import Network

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

FOURS = ("10.77.1.1", "10.77.1.2", "10.77.1.3")
FURTHER = ("10.78.1.1", "10.78.1.2")
SIXES = ("fe80::77", "fd77::1:1", "fd77::1:2")
GLOBAL = "global_defs {\nvrrp_garp_interval 0.2\nvrrp_gna_interval 0.3\n}\n"
GROUP = "garp_group {\ngarp_interval 0.2\ninterfaces {\neth0\neth1\n}\n}\n"
CASES = ("interface", "group")


def config(case: str) -> str:
    """Three addresses of each family on eth0, two more on eth1, twice each."""
    text = GLOBAL if case == "interface" else GLOBAL + GROUP
    lists = (
        [f"{each}/32" for each in FOURS] + [f"{each}/32 dev eth1" for each in FURTHER],
        [f"{s}/128" for s in SIXES],
    )
    for vrid, addresses in enumerate(lists, 1):
        text += f"vrrp_instance V{vrid} {{\nstate BACKUP\ninterface eth0\nversion 3\nvirtual_router_id {vrid}\n"
        text += "priority 200\nadvert_int 0.2\ngarp_master_repeat 2\ngarp_master_delay 0\nvirtual_ipaddress {\n"
        text += "\n".join(addresses) + "\n}\n}\n"
    return text


def gaps(told: list[Announcement]) -> list[int]:
    return [later.at - before.at for before, later in pairwise(sorted(told, key=lambda each: each.at))]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("make", [pytest.param("ours"), pytest.param("keepalived", marks=pytest.mark.long)])
def test_messages_are_spaced(make: str, case: str) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="pyk-pacing-") as folder,
        Network() as network,
        contextlib.ExitStack() as stack,
    ):
        host = network.host("host")
        segments = [network.segment(), network.segment()]
        for number, segment in enumerate(segments):
            host.attach(segment, [f"10.{77 + number}.0.1/16", f"fd{77 + number}::1/64"], device=f"eth{number}")
        own, further = [stack.enter_context(Capture(segment)) for segment in segments]
        director = stack.enter_context(Director(host, MAKES[make](), Path(folder), config(case)))
        director.start()
        for capture, addresses in ((own, (*FOURS, *SIXES)), (further, FURTHER)):
            for address in addresses:
                capture.wait_announcement("host", address, within=60)
        fours = [told for told in own.announcements() if told.kind == "GARP"]
        sixes = [told for told in own.announcements() if told.kind == "NA"]
        step = SECOND // 5  # half of it will do: the stamps are of the wire, the times of the sender
        assert min(gaps(fours)) > step // 2
        if case == "interface":
            assert min(gaps(further.announcements())) > step // 2
            assert min(gaps(sixes)) > 3 * step // 4
            assert len(fours) <= 4, "what is asked for again while it waits is sent once"
        else:
            assert min(gaps(fours + further.announcements())) > step // 2
            assert [told.address for told in sixes] == [*SIXES, *SIXES], "its group says nothing of them"
