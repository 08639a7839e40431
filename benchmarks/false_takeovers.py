"""Takeovers without a reason, on a machine that is busy with other things: ``python -m benchmarks.false_takeovers``.

A pair of each daemon runs at the same time, adverts every 10 ms, VRRP with real-time priority 50, beside processes that
do nothing but compute. No master ever fails, so whenever a backup becomes MASTER that is wrong.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.side_by_side import arguments, chosen, percentile, table
from tests.support.capture import Capture
from tests.support.director import Director, Make
from tests.support.netns import Network, Segment

CONFIG = """\
global_defs {{
    vrrp_rt_priority 50
}}
vrrp_instance V {{
    state BACKUP
    interface eth0
    version 3
    virtual_router_id 51
    priority {priority}
    advert_int {interval}
    virtual_ipaddress {{
        10.77.1.51/32
    }}
}}
"""


class Pair:
    """A master and its backup on a link of their own."""

    def __init__(self, name: str, make: Make, network: Network, folder: Path, interval: str) -> None:
        self.name = name
        self.segment: Segment = network.segment()
        self.directors: list[Director] = []
        for number, priority in ((1, 200), (2, 100)):
            host = network.host(f"{name[:4]}{number}")
            host.attach(self.segment, [f"10.77.0.{number}/16"])
            text = CONFIG.format(priority=priority, interval=interval)
            self.directors.append(Director(host, make, Path(folder, f"{name}{number}"), text, options=["-P"]))

    def settle(self) -> None:
        """Start the master, then the backup."""
        master, backup = self.directors
        master.start()
        master.wait_log("Entering MASTER STATE", within=60)
        backup.start()
        backup.wait_log("Entering BACKUP STATE", within=60)

    def takeovers(self, since: int) -> int:
        """How often the backup has become MASTER since a line of its log."""
        return sum("Entering MASTER STATE" in line for line in self.directors[1].log()[since:])


def _gaps(capture: Capture, sender: str) -> list[float]:
    """Milliseconds between the adverts of a host."""
    instants = [frame.at for frame in capture.frames() if frame.sender == sender and frame.octets[23] == 112]
    return [(later - earlier) / 1e6 for earlier, later in pairwise(instants)]


def main() -> None:
    """Run all pairs at once, count, print."""
    parser = arguments(__doc__, repeat=1)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (600)")
    parser.add_argument("--busy", type=int, default=4, help="computing processes (4)")
    parser.add_argument("--interval", default="0.01", help="advert_int in seconds (0.01)")
    options: argparse.Namespace = parser.parse_args()
    rows = []
    makes = chosen(options.daemon)
    for _ in range(options.repeat):
        with (
            tempfile.TemporaryDirectory(prefix="pyk-false-") as folder,
            Network() as network,
            contextlib.ExitStack() as stack,
        ):
            pairs = [Pair(name, make, network, Path(folder), options.interval) for name, make in makes.items()]
            for pair in pairs:
                for director in pair.directors:
                    stack.enter_context(director)
                pair.settle()
            time.sleep(2)
            for _ in range(options.busy):
                busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                stack.callback(busy.wait)
                stack.callback(busy.kill)
            marks = [pair.directors[1].mark() for pair in pairs]
            captures = [stack.enter_context(Capture(pair.segment, deferred=True)) for pair in pairs]
            time.sleep(min(options.seconds, 10))
            for each in captures:
                each.stop()
            gaps = [_gaps(each, pair.directors[0].host.name) for each, pair in zip(captures, pairs, strict=True)]
            time.sleep(max(0, options.seconds - 10))
            for pair, mark, between in zip(pairs, marks, gaps, strict=True):
                worst = f"{max(between):.1f}" if between else "-"
                p99 = f"{percentile(between, 99):.1f}" if between else "-"
                rows.append([pair.name, f"{options.seconds:.0f}", pair.takeovers(mark), p99, worst])
    print(f"{options.busy} computing processes on {os.cpu_count()} processors, advert_int {options.interval} s")
    table(["daemon", "seconds", "false takeovers", "gap between adverts ms p99", "worst, first 10 s"], rows)


if __name__ == "__main__":
    main()
