"""Reading a configuration, as `-t` does: ``python -m benchmarks.config``.

Processor time and memory of whole processes, ours beside keepalived's, and ours without what an empty file costs
(interpreter, imports). The files: 10,000 real servers in 64,000 lines, in three shapes, and 255 instances.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.side_by_side import arguments, chosen, median, ratio, table
from tests.support.director import Make

INSIDE = "PYKEEPALIVED_BENCHMARK_INSIDE"


def _servers(services: int, each: int) -> Iterator[str]:
    """Some virtual servers of some real servers."""
    for service in range(services):
        yield f"virtual_server 10.{service // 250}.{service % 250}.1 80 {{"
        yield from ("    delay_loop 6", "    lvs_sched rr", "    lvs_method NAT", "    protocol TCP")
        for number in range(each):
            yield f"    real_server 192.{number // 62500 + 168}.{number // 250 % 250}.{number % 250 + 1} 80 {{"
            yield from (
                "        weight 1",
                "        TCP_CHECK {",
                "            connect_timeout 3",
                "        }",
                "    }",
            )
        yield "}"


def _different(services: int, each: int) -> Iterator[str]:
    """The same, no two real servers alike."""
    count = 0
    for line in _servers(services, each):
        count += "weight" in line
        yield line.replace("weight 1", f"weight {count}").replace("timeout 3", f"timeout 3.{count:05d}")


def _instances(count: int) -> Iterator[str]:
    for number in range(1, count + 1):
        yield f"vrrp_instance VI_{number} {{"
        yield "    state BACKUP"
        yield "    interface eth0"
        yield f"    virtual_router_id {number}"
        yield f"    priority {100 + number % 100}"
        yield "    advert_int 1"
        yield "    authentication {"
        yield "        auth_type PASS"
        yield f"        auth_pass pw{number}"
        yield "    }"
        yield "    virtual_ipaddress {"
        yield f"        10.10.{number}.1/16 dev eth0 label eth0:{number}"
        yield f"        10.10.{number}.2/16"
        yield "    }"
        yield "}"


FILES: dict[str, Callable[[], Iterator[str]]] = {
    "empty": lambda: iter(["global_defs {", "}"]),
    "1,000 x 10 real servers": lambda: _servers(1000, 10),
    "10 x 1,000 real servers": lambda: _servers(10, 1000),
    "10 x 1,000, none alike": lambda: _different(10, 1000),
    "255 instances": lambda: _instances(255),
}


def _run(make: Make, file: Path) -> tuple[float, float, float]:
    """Processor time and wall clock of a test of the file, in ms, and the most memory, in MiB."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*make.argv, "-t", "-f", str(file)], env={**os.environ, **make.environment}, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise SystemExit(f"{make.name} refuses {file.name}: {said.decode()[:500]}")
    return (used.ru_utime + used.ru_stime) * 1000, wall * 1000, used.ru_maxrss / 1024


def _enter_namespace() -> None:
    """Run this program again in a network namespace of its own, with the interface that the files name."""
    os.environ[INSIDE] = "yes"
    shell = "ip link set lo up; ip link add eth0 type veth peer name peer0; ip link set eth0 up; ip link set peer0 up"
    this = [sys.executable, "-m", "benchmarks.config", *sys.argv[1:]]
    os.execvp("unshare", ["unshare", "-n", "sh", "-c", f'{shell}; exec "$@"', "sh", *this])


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, repeat=11).parse_args()
    makes = chosen(options.daemon)
    if INSIDE not in os.environ:
        _enter_namespace()
    rows = []
    base: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="pyk-config-") as folder:
        for number, (title, text) in enumerate(FILES.items()):
            file = Path(folder, f"{number}.conf")
            file.write_text("\n".join(text()) + "\n")
            runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in makes}
            for _ in range(options.repeat):
                for name, make in makes.items():
                    runs[name].append(_run(make, file))
            cpu = {name: median([run[0] for run in found]) for name, found in runs.items()}
            base = base or cpu
            net = dict(cpu)
            if "pykeepalived" in net:
                net["pykeepalived"] -= base["pykeepalived"]
            rows += [
                [
                    title,
                    name,
                    f"{cpu[name]:.0f}",
                    f"{net[name]:.0f}",
                    *(f"{median([run[k] for run in found]):.0f}" for k in (1, 2)),
                ]
                for name, found in runs.items()
            ]
            rows.append([title, "ratio", ratio(cpu), ratio(net), "", ""])
    table(["file", "daemon", "CPU, ms", "beyond empty", "wall, ms", "memory, MiB"], rows)


if __name__ == "__main__":
    main()
