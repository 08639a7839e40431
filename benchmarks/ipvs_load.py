"""Time to fill the kernel's IPVS table at the start: ``python -m benchmarks.ipvs_load``.

Runs in a User-Mode-Linux guest, since most kernels at hand have no IPVS. A hundred virtual servers share the real ones
evenly; nothing is checked. `load` is the time from the first entry in the table to the last, `start` the time from
exec to the last. The table is read every few hundredths of a second, which costs both daemons the same.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side import median, ratio, table
from tests.support import lab
from tests.support.lab_network import has_ipvs, run

VIRTUAL_SERVERS = 100
TABLE = Path("/proc/net/ip_vs")
PATIENCE = 120
"""Seconds that a daemon may take."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One start of one daemon, in seconds."""

    load: float
    start: float
    cpu: float


def configuration(servers: int) -> str:
    """So many real servers, evenly under the virtual ones."""
    lines = []
    for number in range(VIRTUAL_SERVERS):
        lines += [f"virtual_server 10.9.{number}.1 80 {{", "protocol TCP", "lvs_sched rr", "lvs_method NAT"]
        for server in range(servers // VIRTUAL_SERVERS):
            lines.append(f"real_server 10.{100 + server // 250}.{number}.{server % 250 + 1} 80 {{\nweight 1\n}}")
        lines.append("}")
    return "\n".join(lines) + "\n"


def entries() -> int:
    """How many real servers the kernel has: the listing's own first arrow is a heading."""
    return TABLE.read_bytes().count(b"\n  ->") - 1


def cpu_seconds(group: int) -> float:
    """Processor time used so far by the processes of a group."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = stat.read_text(encoding="ascii", errors="replace").rpartition(") ")[2].split()
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(command: list[str], file: Path, servers: int) -> Measurement:
    """Start a daemon on an empty table, wait until all is there, stop it."""
    run(lab.required("ipvsadm"), "-C")
    pids = [f"{option}{file.parent}/{option[1:]}.pid" for option in ("-p", "-r", "-c")]
    with (file.parent / "log").open("wb") as log:
        began = time.monotonic()
        daemon = subprocess.Popen(
            [*command, "-n", "-l", "-C", "-f", str(file), *pids],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        first = 0.0
        while (seen := entries()) < servers:
            now = time.monotonic()
            if now > began + PATIENCE or daemon.poll() is not None:
                raise SystemExit(f"{seen} of {servers} after {now - began:.0f} s\n{(file.parent / 'log').read_text()}")
            first = first or (now if seen > 0 else 0.0)
            time.sleep(0.03)
        last = time.monotonic()
        cpu = cpu_seconds(daemon.pid)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(PATIENCE)
    return Measurement(last - (first or last), last - began, cpu)


def compare(servers: int, repeat: int) -> None:
    """Both daemons in turn, and the table of both."""
    if not has_ipvs():
        raise SystemExit("this kernel has no IPVS")
    daemons = {"keepalived": [lab.required("keepalived")], "pykeepalived": lab.daemon_command()}
    seen: dict[str, list[Measurement]] = {name: [] for name in daemons}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keepalived.conf"
        file.write_text(configuration(servers), encoding="utf-8")
        for _ in range(repeat):
            for name, command in daemons.items():
                seen[name].append(measure(command, file, servers))
    rows = []
    loads = {name: median([one.load for one in many]) for name, many in seen.items()}
    starts = {name: median([one.start for one in many]) for name, many in seen.items()}
    for name, many in seen.items():
        ours = name == "pykeepalived"
        cells = [name, f"{loads[name]:.2f}", ratio(loads) if ours else "", f"{starts[name]:.2f}"]
        rows.append([*cells, ratio(starts) if ours else "", f"{median([one.cpu for one in many]):.2f}"])
    table([f"{servers} real servers", "load s", "ratio", "start s", "ratio", "CPU s"], rows)


def main() -> None:
    """Measure in a guest and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=5000, help="real servers, a multiple of 100 (5000)")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of each measurement (3)")
    parser.add_argument("--here", action="store_true", help="on this kernel, whose IPVS table is emptied; needs root")
    options = parser.parse_args()
    if options.here:
        compare(options.servers, options.repeat)
        return
    if (reason := lab.missing()) is not None:
        raise SystemExit(reason)
    job = f'cd {lab.CHECKOUT}; exec "$PYTHON" -m benchmarks.ipvs_load --here'
    job += f" --servers {options.servers} --repeat {options.repeat}"
    sys.exit(lab.run(job, timeout=900, echo=sys.stdout).exit_code)


if __name__ == "__main__":
    main()
