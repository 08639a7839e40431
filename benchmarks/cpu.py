"""Processor time and punctuality of many virtual routers: ``python -m benchmarks.cpu``.

As MASTER a daemon sends an advert for each instance every interval; lateness is what lies between two adverts of one
instance on the wire beyond the interval. As BACKUP it hears as many from keepalived; instances that became MASTER in
the meantime are counted, for a daemon that does not keep up is not cheap but wrong. (Both also rise when the machine is
busy with other things: keepalived itself then falls silent for longer than three intervals of 10 ms.)

Processor time and lateness are measured one after the other, since a capture costs the sender time.
"""

import argparse
import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.side_by_side import MAKES, arguments, chosen, cpu_nanoseconds, median, percentile, ratio, table
from tests.support.capture import Capture
from tests.support.director import Director, Make
from tests.support.netns import Network, Segment

VRID_OFFSET = 14 + 20 + 1
PRIORITY_OFFSET = VRID_OFFSET + 1
VRIDS = 255  # on one interface


@dataclass(frozen=True, slots=True)
class Measurement:
    """One window of one daemon."""

    cpu_percent: float
    adverts_per_second: float
    lateness_ms: list[float]
    masters: int


def config(instances: int, priority: int, interval: str) -> str:
    """So many virtual routers, one address each; 255 on an interface."""
    text = []
    for number in range(instances):
        link, place = divmod(number, VRIDS)
        text += [
            f"vrrp_instance V{number + 1} {{",
            "    state BACKUP",
            f"    interface eth{link}",
            "    version 3",
            f"    virtual_router_id {place + 1}",
            f"    priority {priority}",
            f"    advert_int {interval}",
            "    garp_master_repeat 1",
            "    garp_master_delay 0",
            "    virtual_ipaddress {",
            f"        10.{77 + link}.1.{place + 1}/32",
            "    }",
            "}",
        ]
    return "\n".join([*text, ""])


def _adverts(captures: Sequence[Capture], sender: str) -> dict[tuple[int, int], list[int]]:
    """The instants of a sender's living adverts, by link and virtual router."""
    times: dict[tuple[int, int], list[int]] = defaultdict(list)
    for link, capture in enumerate(captures):
        for frame in capture.frames():
            octets = frame.octets
            if frame.sender == sender and octets[12:14] == b"\x08\x00" and octets[PRIORITY_OFFSET] != 0:
                times[link, octets[VRID_OFFSET]].append(frame.at)
    return times


def _watch(segments: Sequence[Segment], seconds: float, buffer: int) -> tuple[list[Capture], int]:
    """What goes over all links for so long, and how long that really was."""
    with contextlib.ExitStack() as stack:
        captures = [stack.enter_context(Capture(each, deferred=True, buffer=buffer)) for each in segments]
        started = time.monotonic_ns()
        time.sleep(seconds)
        took = time.monotonic_ns() - started
        for capture in captures:
            capture.stop()
        return captures, took


def _all_masters(
    director: Director, segments: Sequence[Segment], instances: int, interval: float, within: float = 180.0
) -> None:
    """Wait until a director advertises every instance, and has for a while."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        captures, _ = _watch(segments, max(0.5, 1.2 * interval), 64 << 20)
        if len(_adverts(captures, director.host.name)) == instances:
            time.sleep(1)
            return
    raise AssertionError(f"not master of all {instances}\n{director.story()}")


def measure(make: Make, instances: int, role: str, interval: str, seconds: float) -> Measurement:
    """Run one daemon in one role for a window."""
    with (
        tempfile.TemporaryDirectory(prefix="pyk-cpu-") as folder,
        Network() as network,
        contextlib.ExitStack() as stack,
    ):
        segments = [network.segment() for _ in range(0, instances, VRIDS)]
        names = ("measured", "other") if role == "BACKUP" else ("measured",)  # frames to nobody cost nothing to receive
        hosts = [network.host(name) for name in names]
        for number, host in enumerate(hosts, 1):
            for link, segment in enumerate(segments):
                host.attach(segment, [f"10.{77 + link}.0.{number}/16"], device=f"eth{link}")
        measured = stack.enter_context(
            Director(hosts[0], make, Path(folder, "measured"), config(instances, 100, interval), options=["-P"])
        )
        sender = measured
        if role == "BACKUP":
            text = config(instances, 200, interval)
            sender = stack.enter_context(
                Director(hosts[1], MAKES["keepalived"](), Path(folder, "other"), text, options=["-P"])
            )
            sender.start()
            _all_masters(sender, segments, instances, float(interval))
        measured.start()
        if role == "BACKUP":
            measured.wait_log("STATE (init)", count=instances, within=180)
            time.sleep(2)
        else:
            _all_masters(measured, segments, instances, float(interval))
        pids = measured.pids()
        mark = measured.mark()
        started, before = time.monotonic_ns(), cpu_nanoseconds(pids)
        time.sleep(seconds)
        used, took = cpu_nanoseconds(pids) - before, time.monotonic_ns() - started
        masters = sum("Entering MASTER STATE" in line for line in measured.log()[mark:])
        captures, captured = _watch(segments, seconds, 512 << 20)
        times = _adverts(captures, sender.host.name)
        step = float(interval) * 1e3
        lateness = [
            (later - earlier) / 1e6 - step for instants in times.values() for earlier, later in pairwise(instants)
        ]
        return Measurement(
            cpu_percent=used / took * 100,
            adverts_per_second=sum(map(len, times.values())) / captured * 1e9,
            lateness_ms=lateness,
            masters=masters,
        )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=3)
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 50, 255])
    parser.add_argument("--role", nargs="+", choices=["MASTER", "BACKUP"], default=["MASTER", "BACKUP"])
    parser.add_argument("--interval", default="0.01", help="advert_int in seconds (0.01)")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a window (4)")
    options: argparse.Namespace = parser.parse_args()
    makes = chosen(options.daemon)
    rows = []
    for role in options.role:
        for instances in options.instances:
            seen: dict[str, list[Measurement]] = {name: [] for name in makes}
            for _ in range(options.repeat):
                for name, make in makes.items():
                    seen[name].append(measure(make, instances, role, options.interval, options.seconds))
            cpu = {name: median([one.cpu_percent for one in many]) for name, many in seen.items()}
            for name, many in seen.items():
                lateness = [late for one in many for late in one.lateness_ms]
                rows.append(
                    [
                        f"{role} x {instances}",
                        name,
                        f"{cpu[name]:.2f}",
                        ratio(cpu) if name == "pykeepalived" else "",
                        f"{median([one.adverts_per_second for one in many]):.0f}",
                        *(f"{percentile(lateness, percent):.3f}" for percent in (50, 99, 100) if role == "MASTER"),
                        *("" for _ in range(3) if role == "BACKUP"),
                        sum(one.masters for one in many) if role == "BACKUP" else "",
                    ]
                )
    table(
        ["instances", "daemon", "% of a core", "ratio", "adverts/s", "late ms p50", "p99", "worst", "became MASTER"],
        rows,
    )


if __name__ == "__main__":
    main()
