"""Processor time and punctuality of checks: ``python -m benchmarks.checkers --kind tcp http udp dns ping``.

Real servers on the loopback are checked once a second; who answers counts the checks, so a daemon that checks less
often is not cheaper. Of TCP and HTTP, `late` are checks that came more than 1.1 s after the one before, in percent,
`longest` is the longest time between two; both are of the whole machine, acceptor and all. Where the kernel has no IPVS
keepalived would refuse to run; it is then started with a small library that answers its IPVS requests (`no_ipvs.c`,
compiled here), pykeepalived as it is. Such requests are no part of the window: nothing changes in it.
"""

import contextlib
import itertools
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.acceptor import FORMAT
from benchmarks.side_by_side import arguments, chosen, cpu_nanoseconds, median, pss_kib, ratio, table
from tests.support.director import CHECKOUT, Director, Make
from tests.support.netns import Host, Network

PORT = 8000
CHECKS = {
    "tcp": ["TCP_CHECK {"],
    "http": ["HTTP_GET {", "url {", "path /", "status_code 200", "}"],
    "udp": ["UDP_CHECK {", "require_reply 6b656570"],
    "udp-silent": ["UDP_CHECK {"],
    "dns": ["DNS_CHECK {", "name example.org", "type A"],
    "ping": ["PING_CHECK {"],
    "ping-raw": ["PING_CHECK {"],
}
"""What each kind of check is in the file. The group of the daemon may use datagram sockets for `ping`, not for
`ping-raw` (keepalived helps itself by the sysctl).
"""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One window of one daemon."""

    microseconds_per_check: float
    checks_per_second: float
    cpu_percent: float
    late_percent: float | None  # nobody knows for datagrams
    longest: float | None
    mib: float


def config(servers: int, delay_loop: int, kind: str = "tcp") -> str:
    """One virtual server with so many real ones."""
    timeout = delay_loop if kind == "udp-silent" else 3
    text = ["virtual_server 10.99.0.1 80 {", f"    delay_loop {delay_loop}", "    lvs_sched rr", "    lvs_method NAT"]
    text += ["    protocol TCP"]
    for number in range(servers):
        text += [
            f"    real_server 127.1.{number // 250}.{number % 250 + 1} {PORT} {{",
            "        weight 1",
            *CHECKS[kind],
            f"            connect_timeout {timeout}",
            "        }",
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


class Counter:
    """How many checks there were, as those who answer have counted them."""

    def __init__(self, count: Callable[[], int], file: Path | None = None) -> None:
        self.count = count
        self._file = file

    def begin(self) -> None:
        """Only what comes from now on may be late."""
        if self._file is not None:
            with self._file.open("r+b") as file:
                file.seek(8)
                file.write(bytes(16))

    def lateness(self) -> tuple[int, float] | None:
        """How many were late, and the longest time between two, in seconds."""
        if self._file is None:
            return None
        _, longest, late = FORMAT.unpack(self._file.read_bytes())
        return late, longest / 1e9


@contextlib.contextmanager
def answering(host: Host, kind: str, folder: Path) -> Iterator[Counter]:
    """Who answers the checks; gives how many there were."""
    if kind.startswith("ping"):
        host.run("sysctl", "-qw", f"net.ipv4.ping_group_range={'0 0' if kind == 'ping' else '1 0'}")
        yield Counter(lambda: host.inside(_echo_requests))
        return
    counter = folder / "counter"
    streams = kind in {"tcp", "http"}
    module = "acceptor" if streams else "answerer"
    argv = [sys.executable, "-m", f"benchmarks.{module}", *([] if streams else [kind.removeprefix("udp-")])]
    argv += [str(PORT), str(counter), *(["http"] if kind == "http" else [])]
    with host.popen(argv, stdout=subprocess.PIPE, cwd=CHECKOUT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            count = lambda: int(struct.unpack_from("=Q", counter.read_bytes())[0])  # noqa: E731
            yield Counter(count, counter if streams else None)
        finally:
            process.kill()


def _echo_requests() -> int:
    """Those that the kernel has received, in the namespace of the calling thread."""
    names, values = (
        line.split() for line in Path("/proc/thread-self/net/snmp").read_text().splitlines() if line.startswith("Icmp:")
    )
    return int(values[names.index("InEchos")])


def measure(make: Make, servers: int, delay_loop: int, seconds: float, kind: str = "tcp") -> Measurement:
    """Run one daemon for a window."""
    with (
        tempfile.TemporaryDirectory(prefix="pyk-checkers-") as name,
        Network() as network,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(name)
        host = network.host("checker")
        host.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_max_syn_backlog=8192")
        counter = stack.enter_context(answering(host, kind, folder))
        accepted = counter.count
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
        counter.begin()
        started, before, checks = time.monotonic(), cpu_nanoseconds(pids), accepted()
        time.sleep(seconds)
        used, done, took = cpu_nanoseconds(pids) - before, accepted() - checks, time.monotonic() - started
        late, longest = counter.lateness() or (None, None)
        return Measurement(
            microseconds_per_check=used / done / 1e3,
            checks_per_second=done / took,
            cpu_percent=used / took / 1e7,
            late_percent=None if late is None else 100 * late / done,
            longest=longest,
            mib=pss_kib(pids) / 1024,
        )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=3)
    parser.add_argument("--kind", nargs="+", default=["tcp"], choices=list(CHECKS), help="which checks (tcp)")
    parser.add_argument("--servers", type=int, nargs="+", default=[1000])
    parser.add_argument("--delay-loop", type=int, default=1, help="seconds between two checks of a server (1)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a window (8)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    rows = []
    for kind, servers in itertools.product(options.kind, options.servers):
        seen: dict[str, list[Measurement]] = {name: [] for name in makes}
        for _ in range(options.repeat):
            for name, make in makes.items():
                seen[name].append(measure(make, servers, options.delay_loop, options.seconds, kind))
        medians = {name: median([one.microseconds_per_check for one in many]) for name, many in seen.items()}
        for name, many in seen.items():
            rows.append(
                [
                    kind,
                    servers,
                    name,
                    f"{medians[name]:.1f}",
                    ratio(medians) if name == "pykeepalived" else "",
                    f"{median([one.checks_per_second for one in many]):.0f}",
                    f"{median([one.cpu_percent for one in many]):.1f}",
                    *(_middle([one.late_percent for one in many]), _middle([one.longest for one in many])),
                    f"{median([one.mib for one in many]):.1f}",
                ]
            )
    heading = ["check", "servers", "daemon", "us a check", "ratio", "checks/s", "% of a core", "late %", "longest s"]
    table([*heading, "MiB (PSS)"], rows)


def _middle(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.2f}" if known else ""


if __name__ == "__main__":
    main()
