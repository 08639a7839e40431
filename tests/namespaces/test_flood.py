"""Floods of packets that are not for us: no state changes, no advert is missed, and little is said of them.

The judge is the wire, and the flood's own sender says how much of it there was. A daemon that accepted one packet of it
would lose mastership at once (each is of priority 255), one that did not read fast enough would as a BACKUP miss the
MASTER's adverts, and one that logged each packet would fill the log.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support import flood, netns, pykeepalived
from tests.support.capture import Capture, now
from tests.support.director import Director
from tests.support.netns import Network

pytestmark = [pytest.mark.root, pytest.mark.long]

RATES = {"foreign": 100_000, "malformed": 100_000, "unauthenticated": 20_000}
ROUTERS = 3
SECONDS = 30
KINDS_OF_FAULT = 12
"""Of a virtual router, each is said once; a little more than there are."""


@pytest.fixture(scope="module")
def program() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pyk-flood-") as folder:
        yield flood.build(Path(folder))


@pytest.mark.parametrize("kind", flood.KINDS)
def test_a_flood_changes_nothing(kind: str, program: Path, tmp_path: Path) -> None:
    if missing := netns.why_not():
        pytest.skip(missing)
    with Network() as network:
        segment = network.segment()
        hosts = [network.host(name) for name in ("master", "backup", "attacker")]
        victims = [(f"10.77.0.{number}", f"02:00:00:00:00:0{number}") for number in (1, 2, 3)]
        for host, (address, mac) in zip(hosts, victims, strict=True):
            host.attach(segment, [f"{address}/24"], mac=mac)
        make = pykeepalived.make()
        with (
            Director(hosts[0], make, tmp_path / "master", flood.config(1, 200), options=["-P"]) as master,
            Director(hosts[1], make, tmp_path / "backup", flood.config(2, 100), options=["-P"]) as backup,
            Capture(segment, senders=hosts[:2]) as capture,
        ):
            master.start()
            master.wait_log("Entering MASTER STATE", count=ROUTERS, within=60)
            backup.start()
            backup.wait_log("Entering BACKUP STATE", count=ROUTERS, within=60)
            capture.wait_advert("master", since=now(), count=2 * ROUTERS)
            marks = [master.mark(), backup.mark()]
            since = now()
            attack = flood.start(program, hosts[2], flood.frames(kind, victims[:2]), RATES[kind], SECONDS)
            assert flood.reached(attack) > 1000
            capture.wait_advert("master", since=now(), count=2 * ROUTERS)
            logs = [master.log()[marks[0] :], backup.log()[marks[1] :]]
            for lines in logs:
                assert not [line for line in lines if "Entering" in line or "stood still" in line]
                assert len(lines) <= ROUTERS * KINDS_OF_FAULT, "\n".join(lines)
            if kind != "foreign":
                assert all(logs), "the packets came, and each kind of fault was said"
            assert {advert.sender for advert in capture.adverts(since=since)} == {"master"}
            instants: dict[int, list[int]] = defaultdict(list)
            for advert in capture.adverts("master", since=since):
                instants[advert.vrid].append(advert.at)
            assert len(instants) == ROUTERS
            for each in instants.values():
                assert len(each) >= SECONDS
                assert max(later - at for at, later in pairwise(each)) < 2_900_000_000, "adverts are missing"
