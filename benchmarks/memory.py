"""Memory of all processes of a daemon together: ``python -m benchmarks.memory``.

The proportional set size: a page shared by several processes counts once. Read when every instance is MASTER and the
first announcements are out, and again at the end of `--settle` seconds; the later figure is told. With `--servers` it
is that of checkers: so many real servers, each with a TCP check once a minute.
"""

import tempfile
import time
from pathlib import Path

from benchmarks import checkers
from benchmarks.cpu import config
from benchmarks.side_by_side import arguments, chosen, median, pss_kib, ratio, table
from tests.support.director import Director, Make
from tests.support.netns import Network


def measure(make: Make, instances: int, settle: float) -> tuple[float, int]:
    """The memory in MiB and the number of processes."""
    with tempfile.TemporaryDirectory(prefix="pyk-memory-") as folder, Network() as network:
        segment = network.segment()
        host = network.host("measured")
        host.attach(segment, ["10.77.0.1/16"])
        with Director(host, make, Path(folder, "measured"), config(instances, 100, "0.1"), options=["-P"]) as director:
            director.start()
            director.wait_log("Entering MASTER STATE", count=instances, within=120)
            time.sleep(settle)
            pids = director.pids()
            return pss_kib(pids) / 1024, len(pids)


def measure_checkers(make: Make, servers: int, settle: float) -> tuple[float, int]:
    """The same of a daemon that checks so many servers."""
    with tempfile.TemporaryDirectory(prefix="pyk-memory-") as name, Network() as network:
        folder = Path(name)
        text = checkers.config(servers, 60)
        host = network.host("measured")
        with Director(host, checkers.without_ipvs(make, folder), folder / "daemon", text, options=["-C"]) as director:
            director.start()
            director.wait_log("Startup complete", within=120)
            director.wait_log("Activating healthchecker", count=servers, within=120)
            time.sleep(settle)
            pids = director.pids()
            return pss_kib(pids) / 1024, len(pids)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=3)
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 50, 255])
    parser.add_argument("--servers", type=int, nargs="+", default=[], help="checked servers in place of instances")
    parser.add_argument("--settle", type=float, default=3.0, help="seconds after the last became MASTER (3)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    rows = []
    what, sizes = (measure_checkers, options.servers) if options.servers else (measure, options.instances)
    for instances in sizes:
        seen: dict[str, list[tuple[float, int]]] = {name: [] for name in makes}
        for _ in range(options.repeat):
            for name, make in makes.items():
                seen[name].append(what(make, instances, options.settle))
        medians = {name: median([size for size, _ in many]) for name, many in seen.items()}
        for name, many in seen.items():
            share = ratio(medians) if name == "pykeepalived" else ""
            rows.append([instances, name, f"{medians[name]:.1f}", many[0][1], share])
    table(["servers" if options.servers else "instances", "daemon", "MiB (PSS)", "processes", "ratio"], rows)


if __name__ == "__main__":
    main()
