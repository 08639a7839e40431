"""A MASTER and its BACKUP under a flood of packets that are not for them: ``python -m benchmarks.flood``.

For as long as the flood lasts: processor time of either daemon, the longest pause between two adverts of the MASTER on
the wire (the interval is 1 s), how often anybody changed its state, and how many lines were logged. What the flood
reached is told as well: on a small machine sender, kernel and daemons share the processors.
"""

import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.side_by_side import arguments, chosen, cpu_nanoseconds, median, ratio, table
from tests.support import flood
from tests.support.capture import Capture, now
from tests.support.director import Director, Make
from tests.support.netns import Network

RATES = {"foreign": 100_000, "malformed": 100_000, "unauthenticated": 20_000}
ROUTERS = 3


@dataclass(frozen=True, slots=True)
class Measurement:
    """One flood of one daemon."""

    rate: float
    master_percent: float
    backup_percent: float
    longest_pause: float
    transitions: int
    lines: int


def measure(make: Make, program: Path, kind: str, rate: int, seconds: float) -> Measurement:
    """Flood a pair of one make."""
    with tempfile.TemporaryDirectory(prefix="pyk-flood-") as folder, Network() as network:
        segment = network.segment()
        hosts = [network.host(name) for name in ("master", "backup", "attacker")]
        for number, host in enumerate(hosts, 1):
            host.attach(segment, [f"10.77.0.{number}/24"], mac=f"02:00:00:00:00:0{number}")
        files = [flood.config(1, 200), flood.config(2, 100)]
        with (
            Director(hosts[0], make, Path(folder, "master"), files[0], options=["-P"]) as master,
            Director(hosts[1], make, Path(folder, "backup"), files[1], options=["-P"]) as backup,
            Capture(segment, senders=hosts[:2]) as capture,
        ):
            master.start()
            master.wait_log("Entering MASTER STATE", count=ROUTERS, within=60)
            backup.start()
            backup.wait_log("Entering BACKUP STATE", count=ROUTERS, within=60)
            time.sleep(2)
            marks = [master.mark(), backup.mark()]
            pids = [master.pids(), backup.pids()]
            began, before = now(), [cpu_nanoseconds(each) for each in pids]
            victims = [(f"10.77.0.{number}", f"02:00:00:00:00:0{number}") for number in (1, 2)]
            attack = flood.start(program, hosts[2], flood.frames(kind, victims), rate, seconds)
            reached = flood.reached(attack)
            took = now() - began
            used = [cpu_nanoseconds(each) - was for each, was in zip(pids, before, strict=True)]
            time.sleep(2)  # what waits in a socket is still to be judged
            log = [master.log()[marks[0] :], backup.log()[marks[1] :]]
            instants: dict[int, list[int]] = defaultdict(list)
            for advert in capture.adverts("master", since=began - 1_500_000_000):
                instants[advert.vrid].append(advert.at)
            assert len(instants) == ROUTERS, capture.story()
            return Measurement(
                rate=reached,
                master_percent=used[0] / took * 100,
                backup_percent=used[1] / took * 100,
                longest_pause=max(later - at for each in instants.values() for at, later in pairwise(each)) / 1e9,
                transitions=sum("Entering" in line for lines in log for line in lines),
                lines=sum(map(len, log)),
            )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=1)
    parser.add_argument("--kind", nargs="+", choices=flood.KINDS, default=flood.KINDS)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long a flood lasts (30)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    rows = []
    with tempfile.TemporaryDirectory(prefix="pyk-flood-program-") as folder:
        program = flood.build(Path(folder))
        for kind in options.kind:
            seen: dict[str, list[Measurement]] = {name: [] for name in makes}
            for _ in range(options.repeat):
                for name, make in makes.items():
                    seen[name].append(measure(make, program, kind, RATES[kind], options.seconds))
            master = {name: median([one.master_percent for one in many]) for name, many in seen.items()}
            backup = {name: median([one.backup_percent for one in many]) for name, many in seen.items()}
            for name, many in seen.items():
                ours = name == "pykeepalived"
                rows.append(
                    [
                        kind,
                        name,
                        f"{median([one.rate for one in many]):.0f}",
                        f"{master[name]:.1f}",
                        ratio(master) if ours else "",
                        f"{backup[name]:.1f}",
                        ratio(backup) if ours else "",
                        f"{max(one.longest_pause for one in many):.3f}",
                        sum(one.transitions for one in many),
                        max(one.lines for one in many),
                    ]
                )
    heading = ["flood", "daemon", "packets/s", "MASTER %", "ratio", "BACKUP %", "ratio", "longest pause s"]
    table([*heading, "transitions", "lines"], rows)


if __name__ == "__main__":
    main()
