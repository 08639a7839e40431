"""Time to fill, change and empty the kernel's IPVS table: ``python -m benchmarks.ipvs_load``.

Runs in a User-Mode-Linux guest, since most kernels at hand have no IPVS. The real servers are shared out in three
shapes: a service each, ten a service, one service of all. `load` is the time from exec to the whole table, `reload`
from HUP to the change in the table when one real server was added or taken out, `stop` from TERM to the end of the
daemon, whose table is empty then. The table is asked by getsockopt, which costs next to nothing.
"""

import argparse
import contextlib
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from benchmarks.side_by_side import median, ratio, table
from tests.support import lab
from tests.support.lab_network import NetworkError, has_ipvs, run

TABLE = Path("/proc/net/ip_vs")
PATIENCE = 120
"""Seconds that a daemon may take."""
POLL = 0.004
"""Seconds between two looks at the table."""
MEASURES = ("load", "reload", "stop")

_IPPROTO_IP = 0
_GET_INFO, _GET_SERVICE = 1153, 1155  # linux/ip_vs.h: IP_VS_SO_GET_*
_INFO = struct.Struct("=III")
_SERVICE = struct.Struct("=HxxIHxxI16sIII I56x")
_getsockopt = ctypes.CDLL(None, use_errno=True).getsockopt


@dataclass(frozen=True, slots=True)
class Shape:
    """So many services of so many real servers each."""

    services: int
    each: int

    def __str__(self) -> str:
        return f"{self.services} x {self.each}"


class KernelTable:
    """What the kernel has, by its older interface: two small calls."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def services(self) -> int:
        """How many there are."""
        return int(_INFO.unpack(self._ask(_GET_INFO, bytes(_INFO.size)))[2])

    def servers(self, service: int) -> int:
        """How many real servers the service of that number has; 0 without the service."""
        address = int.from_bytes(_address(service).packed, sys.byteorder)
        asked = _SERVICE.pack(socket.IPPROTO_TCP, address, socket.htons(80), 0, b"", 0, 0, 0, 0)
        with contextlib.suppress(OSError):
            return int(_SERVICE.unpack(self._ask(_GET_SERVICE, asked))[8])
        return 0

    def _ask(self, option: int, asked: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(asked, len(asked))
        length = ctypes.c_uint32(len(asked))
        if _getsockopt(self._socket.fileno(), _IPPROTO_IP, option, buffer, ctypes.byref(length)):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return buffer.raw


def _address(service: int) -> IPv4Address:
    return IPv4Address("10.9.0.1") + service


def configuration(shape: Shape, *, more: int = 0, check: bool = False) -> str:
    """The file; ``more`` real servers stand at the end of the last service."""
    lines = []
    first = IPv4Address("10.100.0.1")
    for number in range(shape.services):
        lines += [f"virtual_server {_address(number)} 80 {{", "    delay_loop 60", "    protocol TCP"]
        lines += ["    lvs_sched rr", "    lvs_method NAT"]
        for server in range(shape.each + (more if number == shape.services - 1 else 0)):
            lines += [f"    real_server {first + number * shape.each + server} 80 {{", "        weight 1"]
            lines += ["        TCP_CHECK {", "            connect_timeout 3", "        }"] if check else []
            lines.append("    }")
        lines.append("}")
    return "\n".join(lines) + "\n"


def entries() -> int:
    """How many real servers the kernel has: the listing's own first arrow is a heading."""
    return TABLE.read_bytes().count(b"\n  ->") - 1


def until(what: str, condition: Callable[[], bool], daemon: "subprocess.Popen[bytes]", log: Path) -> float:
    """Wait for it; the seconds it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + PATIENCE or daemon.poll() is not None:
            raise SystemExit(f"{what}: not after {time.monotonic() - began:.0f} s\n{log.read_text()[-3000:]}")
        time.sleep(POLL)
    return time.monotonic() - began


def _forget_former_servers() -> None:
    """Empty the table. What was removed stays in a list for minutes, which each new server is looked for in: with the
    module it goes, where that can be unloaded.
    """
    run(lab.required("ipvsadm"), "-C")
    for words in (("-r", "ip_vs_rr"), ("-r", "ip_vs"), ("ip_vs",), ("ip_vs_rr",)):
        with contextlib.suppress(NetworkError):
            run("modprobe", *words)


@contextlib.contextmanager
def running(command: list[str], file: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """The daemon on an empty table."""
    _forget_former_servers()
    pids = [f"{option}{file.parent}/{option[1:]}.pid" for option in ("-p", "-r", "-c")]
    with (file.parent / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [*command, "-n", "-l", "-G", "-C", "-f", str(file), *pids],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield daemon
        finally:
            if daemon.poll() is None:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()


def measure(command: list[str], file: Path, shape: Shape, reloads: int, *, check: bool) -> dict[str, list[float]]:
    """One life of one daemon, in seconds."""
    kernel = KernelTable()
    log = file.parent / "log"
    last = shape.services - 1
    file.write_text(configuration(shape, check=check), encoding="ascii")

    def whole() -> bool:
        return kernel.services() == shape.services and kernel.servers(last) == shape.each

    found: dict[str, list[float]] = {name: [] for name in MEASURES}
    with running(command, file) as daemon:
        found["load"].append(until("load", whole, daemon, log))
        if (seen := entries()) != shape.services * shape.each:
            raise SystemExit(f"{seen} real servers in the table\n{log.read_text()[-3000:]}")
        time.sleep(1.0)
        for number in range(reloads):
            wanted = shape.each + (number + 1) % 2
            file.write_text(configuration(shape, more=(number + 1) % 2, check=check), encoding="ascii")
            daemon.send_signal(signal.SIGHUP)
            found["reload"].append(until("reload", lambda: kernel.servers(last) == wanted, daemon, log))  # noqa: B023
            time.sleep(1.0)
        began = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(PATIENCE)
        found["stop"].append(time.monotonic() - began)
        if left := kernel.services():
            print(f"{command[0]} {shape}: {left} services are left after the stop", file=sys.stderr, flush=True)
    return found


def shapes(servers: int) -> list[Shape]:
    """The three shapes of so many real servers."""
    return [Shape(servers, 1), Shape(servers // 10, 10), Shape(1, servers)]


def compare(options: argparse.Namespace) -> None:
    """Both daemons in turn, and the table of both."""
    if not has_ipvs():
        raise SystemExit("this kernel has no IPVS")
    daemons = {"keepalived": [lab.required("keepalived")], "pykeepalived": lab.daemon_command()}
    daemons = {name: daemons[name] for name in options.daemon}
    rows = []
    for shape in (shape for servers in options.servers for shape in shapes(servers)):
        seen: dict[str, dict[str, list[float]]] = {name: {each: [] for each in MEASURES} for name in daemons}
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(options.repeat):
                for name, command in daemons.items():
                    file = Path(folder) / "keepalived.conf"
                    for key, values in measure(command, file, shape, options.reloads, check=options.check).items():
                        seen[name][key] += values
        medians = {key: {name: median(many[key]) for name, many in seen.items()} for key in MEASURES}
        for name in daemons:
            cells: list[object] = [shape, name]
            for key in MEASURES:
                cells += [f"{medians[key][name]:.2f}", ratio(medians[key]) if name == "pykeepalived" else ""]
            rows.append(cells)
            print(*cells, file=sys.stderr, flush=True)
    table(["services x servers", "daemon", "load s", "ratio", "reload s", "ratio", "stop s", "ratio"], rows)


def main() -> None:
    """Measure in a guest and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["keepalived", "pykeepalived"]
    parser.add_argument("--daemon", nargs="+", choices=names, default=names, help="which to run; both by default")
    parser.add_argument("--servers", type=int, nargs="+", default=[1000, 5000, 10000], help="real servers (10000)")
    parser.add_argument("--repeat", type=int, default=3, help="lives of each daemon (3)")
    parser.add_argument("--reloads", type=int, default=2, help="reloads in each life (2)")
    parser.add_argument("--check", action="store_true", help="each real server has a TCP_CHECK, every 60 s")
    parser.add_argument("--here", action="store_true", help="on this kernel, whose IPVS table is emptied; needs root")
    options = parser.parse_args()
    if options.here:
        compare(options)
        return
    if (reason := lab.missing()) is not None:
        raise SystemExit(reason)
    words = [word for word in sys.argv[1:] if word != "--here"]
    job = f'ip link set lo up; cd {lab.CHECKOUT}; exec "$PYTHON" -m benchmarks.ipvs_load --here {" ".join(words)}'
    sys.exit(lab.run(job, timeout=3000, echo=sys.stdout).exit_code)


if __name__ == "__main__":
    main()
