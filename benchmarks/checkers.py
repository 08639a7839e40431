"""Processor time of a TCP or HTTP check: ``python -m benchmarks.checkers``.

Real servers on the loopback are checked once a second; the acceptor counts the connections, so a daemon that checks
less often is not cheaper. `late` are checks that came more than 1.1 s after the one before, in percent, `longest` is
the longest time between two; both are of the whole machine, acceptor and all. Where the kernel has no IPVS keepalived
would refuse to run; it is then started with a small library that answers its IPVS requests (`no_ipvs.c`, compiled
here), pykeepalived as it is. Such requests are no part of the window: nothing changes in it.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.acceptor import FORMAT
from benchmarks.side_by_side import arguments, chosen, cpu_nanoseconds, median, pss_kib, ratio, table
from tests.support.director import CHECKOUT, Director, Make
from tests.support.netns import Network

PORT = 8000


@dataclass(frozen=True, slots=True)
class Measurement:
    """One window of one daemon."""

    microseconds_per_check: float
    checks_per_second: float
    cpu_percent: float
    late_percent: float
    longest: float
    mib: float


CHECKS = {
    "tcp": ["        TCP_CHECK {", "            connect_timeout 3", "        }"],
    "http": [
        "        HTTP_GET {",
        "            url {",
        "                path /",
        "                status_code 200",
        "            }",
        "            connect_timeout 3",
        "        }",
    ],
}


def config(servers: int, delay_loop: int, kind: str = "tcp") -> str:
    """One virtual server with so many real ones."""
    text = ["virtual_server 10.99.0.1 80 {", f"    delay_loop {delay_loop}", "    lvs_sched rr", "    lvs_method NAT"]
    text += ["    protocol TCP"]
    for number in range(servers):
        text += [
            f"    real_server 127.1.{number // 250}.{number % 250 + 1} {PORT} {{",
            "        weight 1",
            *CHECKS[kind],
            "    }",
        ]
    return "\n".join([*text, "}", ""])


def without_ipvs(make: Make, folder: Path) -> Make:
    """The make as it can run on any kernel."""
    if make.name != "keepalived" or Path("/proc/net/ip_vs").exists():
        return make
    library = folder / "no_ipvs.so"
    source = Path(__file__).with_name("no_ipvs.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
    return replace(make, environment=_preloaded(make.environment, library))


def _preloaded(environment: Mapping[str, str], library: Path) -> dict[str, str]:
    return {**environment, "LD_PRELOAD": str(library)}


def measure(make: Make, servers: int, delay_loop: int, seconds: float, kind: str) -> Measurement:
    """Run one daemon for a window."""
    with (
        tempfile.TemporaryDirectory(prefix="pyk-checkers-") as name,
        Network() as network,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(name)
        host = network.host("checker")
        host.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_max_syn_backlog=8192")
        counter = folder / "counter"
        argv = [
            sys.executable,
            "-m",
            "benchmarks.acceptor",
            str(PORT),
            str(counter),
            *(["http"] if kind == "http" else []),
        ]
        acceptor = stack.enter_context(host.popen(argv, stdout=subprocess.PIPE, cwd=CHECKOUT))
        stack.callback(acceptor.kill)
        assert acceptor.stdout is not None
        assert acceptor.stdout.readline() == b"ready\n"

        def accepted() -> int:
            return int(FORMAT.unpack(counter.read_bytes())[0])

        text = config(servers, delay_loop, kind)
        director = stack.enter_context(
            Director(host, without_ipvs(make, folder), folder / "daemon", text, options=["-C"])
        )
        director.start()
        end = time.monotonic() + 120
        while accepted() < 2 * servers:
            if time.monotonic() > end:
                raise AssertionError(f"only {accepted()} checks\n{director.story()}")
            time.sleep(0.1)
        pids = director.pids()
        with counter.open("r+b") as file:
            file.seek(8)
            file.write(bytes(16))
        started, before, checks = time.monotonic(), cpu_nanoseconds(pids), accepted()
        time.sleep(seconds)
        used, done, took = cpu_nanoseconds(pids) - before, accepted() - checks, time.monotonic() - started
        _, longest, late = FORMAT.unpack(counter.read_bytes())
        cost, rate, share = used / done / 1e3, done / took, used / took / 1e7
        return Measurement(cost, rate, share, 100 * late / done, longest / 1e9, pss_kib(pids) / 1024)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=3)
    parser.add_argument("--servers", type=int, nargs="+", default=[1000])
    parser.add_argument("--delay-loop", type=int, default=1, help="seconds between two checks of a server (1)")
    parser.add_argument("--kind", nargs="+", choices=sorted(CHECKS), default=["tcp"], help="which checks (tcp)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a window (8)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    rows = []
    for kind, servers in ((kind, servers) for kind in options.kind for servers in options.servers):
        seen: dict[str, list[Measurement]] = {name: [] for name in makes}
        for _ in range(options.repeat):
            for name, make in makes.items():
                seen[name].append(measure(make, servers, options.delay_loop, options.seconds, kind))
        medians = {name: median([one.microseconds_per_check for one in many]) for name, many in seen.items()}
        for name, many in seen.items():
            rows.append(
                [
                    f"{servers} {kind}",
                    name,
                    f"{medians[name]:.1f}",
                    ratio(medians) if name == "pykeepalived" else "",
                    f"{median([one.checks_per_second for one in many]):.0f}",
                    f"{median([one.cpu_percent for one in many]):.1f}",
                    f"{median([one.late_percent for one in many]):.2f}",
                    f"{median([one.longest for one in many]):.2f}",
                    f"{median([one.mib for one in many]):.1f}",
                ]
            )
    heading = [
        "servers",
        "daemon",
        "us a check",
        "ratio",
        "checks/s",
        "% of a core",
        "late %",
        "longest s",
        "MiB (PSS)",
    ]
    table(heading, rows)


if __name__ == "__main__":
    main()
