"""How long a takeover of many addresses takes: ``python -m benchmarks.takeover``.

Nobody is MASTER when a daemon starts, so its timers expire as they do when a MASTER dies. From the first advert on the
wire are counted: until every address was announced once (from then on the hosts on the link can reach it), and until
the last message of the first burst. The start is from exec to the first advert, less the wait of the protocol.
"""

import contextlib
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side import arguments, chosen, cpu_nanoseconds, median, ratio, table
from tests.support.capture import SECOND, Capture
from tests.support.director import Director, Make
from tests.support.many import INTERVAL, MANY, ONE_255, ONE_616, ROUNDS, Load, announced, first_advert
from tests.support.netns import Network

PRIORITY = 100
DOWN = int(float(INTERVAL) * SECOND) * (3 * 256 + 256 - PRIORITY) // 256


@dataclass(frozen=True, slots=True)
class Measurement:
    """One takeover, in milliseconds, and the processor time of it all in seconds."""

    start: float
    reachable: float
    burst: float
    cpu: float


def measure(make: Make, load: Load, settle: float) -> Measurement:
    """Start one daemon and see it take over."""
    with (
        tempfile.TemporaryDirectory(prefix="pyk-takeover-") as folder,
        Network() as network,
        contextlib.ExitStack() as stack,
    ):
        host = network.host("measured")
        captures = []
        for number in range(load.interfaces):
            segment = network.segment()
            host.attach(segment, [f"10.{77 + number}.0.1/24", f"fd77:{number}::1/64"], device=f"eth{number}")
            captures.append(stack.enter_context(Capture(segment, deferred=True, buffer=256 << 20)))
        with Director(host, make, Path(folder), load.config(PRIORITY), options=["-P"]) as director:
            began = director.start()
            director.wait_log("Entering MASTER STATE", count=load.instances, within=120)
            time.sleep(settle)
            used = cpu_nanoseconds(director.pids())
            for capture in captures:
                capture.stop()
            frames = [frame for capture in captures for frame in capture.frames()]
            first = first_advert(frames)
            told = announced(frames)
            times = Counter(address for _, address in told)
            assert len(times) == load.addresses, f"{len(times)} of {load.addresses} were announced"
            assert set(times.values()) == {ROUNDS}, times.most_common(3)
            once: dict[str, int] = {}
            for at, address in sorted(told):
                once.setdefault(address, at)
            return Measurement(
                start=(first - began - DOWN) / 1e6,
                reachable=(max(once.values()) - first) / 1e6,
                burst=(max(at for at, _ in told) - first) / 1e6,
                cpu=used / SECOND,
            )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=5)
    parser.add_argument("--settle", type=float, default=3.0, help="seconds for the burst after the last MASTER (3)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    rows = []
    for load in (ONE_255, ONE_616, MANY):
        seen: dict[str, list[Measurement]] = {name: [] for name in makes}
        for _ in range(options.repeat):
            for name, make in makes.items():
                seen[name].append(measure(make, load, options.settle))
        cells: dict[str, list[str]] = {name: [] for name in makes}
        for field in ("reachable", "burst", "start", "cpu"):
            medians = {name: median([getattr(one, field) for one in many]) for name, many in seen.items()}
            for name in makes:
                cells[name] += [f"{medians[name]:.2f}", ratio(medians) if name == "pykeepalived" else ""]
        rows += [[load.name, name, *cells[name]] for name in makes]
    heading = [
        "takeover",
        "daemon",
        "reachable ms",
        "ratio",
        "burst ms",
        "ratio",
        "start ms",
        "ratio",
        "CPU s",
        "ratio",
    ]
    table(heading, rows)


if __name__ == "__main__":
    main()
