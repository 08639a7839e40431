"""Time from a real server's death to its removal: ``python -m benchmarks.removal``.

Real servers on the loopback are checked once a second. One after the other some of them become unreachable, by a route
of the checking host; the removal is the daemon's line about it in the log, which both write at the change of the table.
"""

import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.acceptor import FORMAT
from benchmarks.checkers import PORT, config, without_ipvs
from benchmarks.side_by_side import arguments, chosen, median, percentile, table
from tests.support.director import CHECKOUT, Director, Make
from tests.support.netns import Network

POLL = 0.002
PATIENCE = 20.0


def measure(make: Make, servers: int, deaths: int) -> list[float]:
    """Seconds from each death to the removal."""
    with (
        tempfile.TemporaryDirectory(prefix="pyk-removal-") as name,
        Network() as network,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(name)
        host = network.host("checker")
        host.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_max_syn_backlog=8192")
        counter = folder / "counter"
        argv = [sys.executable, "-m", "benchmarks.acceptor", str(PORT), str(counter)]
        acceptor = stack.enter_context(host.popen(argv, stdout=subprocess.PIPE, cwd=CHECKOUT))
        stack.callback(acceptor.kill)
        assert acceptor.stdout is not None
        assert acceptor.stdout.readline() == b"ready\n"
        text = config(servers, 1)
        director = stack.enter_context(
            Director(host, without_ipvs(make, folder), folder / "daemon", text, options=["-C"])
        )
        director.start()
        end = time.monotonic() + 120
        while FORMAT.unpack(counter.read_bytes())[0] < 3 * servers:
            if time.monotonic() > end:
                raise SystemExit(director.story())
            time.sleep(0.1)
        died: dict[str, float] = {}
        took: list[float] = []

        def look() -> None:
            story = director.log_file.read_text(errors="replace")
            gone = [each for each in died if f"Removing service [{each}]:tcp:{PORT} from VS" in story]
            took.extend(time.monotonic() - died.pop(each) for each in gone)

        for number in random.Random(1).sample(range(servers), deaths):
            address = f"127.1.{number // 250}.{number % 250 + 1}"
            died[address] = time.monotonic()
            host.run("ip", "route", "add", "unreachable", f"{address}/32", "table", "local")
            _until(time.monotonic() + 0.137, look)
        end = time.monotonic() + PATIENCE
        while died and time.monotonic() < end:
            look()
            time.sleep(POLL)
        if died:
            print(f"{make.name}: never removed: {', '.join(sorted(died))}", file=sys.stderr)
        return took


def _until(end: float, look: Callable[[], None]) -> None:
    while time.monotonic() < end:
        look()
        time.sleep(POLL)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=2)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--deaths", type=int, default=40, help="servers that die in each run (40)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    seen: dict[str, list[float]] = {name: [] for name in makes}
    for _ in range(options.repeat):
        for name, make in makes.items():
            seen[name] += measure(make, options.servers, options.deaths)
    rows = [
        [name, len(many), f"{median(many):.3f}", f"{percentile(many, 99):.3f}", f"{max(many):.3f}"]
        for name, many in seen.items()
    ]
    table(["daemon", "deaths", "p50 s", "p99 s", "longest s"], rows)


if __name__ == "__main__":
    main()
