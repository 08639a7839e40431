"""The pair most operators have: HAProxy on two nodes, one virtual address, a director that follows HAProxy's health.

HAProxy is Debian's, unpacked and never installed. Both nodes are namespaces of one machine, where a process is told
from its neighbour's by its parameters alone.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.interop.wires import INSTANCE, Wire
from tests.support.capture import Capture, now
from tests.support.director import CHECKOUT, Director, Make
from tests.support.netns import Host, Network, Outside, pair

WIRE = Wire(3, "1", 4, "multicast")
HIGH, LOW = 150, 100
PORT = 8080
SCRIPT_INTERVAL, SCRIPT_TIMEOUT, SCRIPT_FALL = 1, 1, 2
TERMINATE_DELAY = 1.0
REQUESTS_PER_SECOND = 20
PATIENCE = 1.0
"""Seconds after which a client's request without an answer has failed."""

HAPROXY = """
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend web
    bind *:{port}
    http-request return status 200 content-type text/plain string {name}
"""
TRACKED = {
    "script": """
vrrp_script haproxy {{
    script "/usr/bin/curl -sf -o /dev/null http://127.0.0.1:{port}/"
    interval {interval}
    timeout {timeout}
    fall {fall}
}}
""",
    "process": """
vrrp_track_process haproxy {{
    process {command}
    terminate_delay {delay}
}}
""",
}


@cache
def binary() -> Path | None:
    """The program behind the script that starts it, or None."""
    for place in (CHECKOUT / ".lab/bin/haproxy", Path("/usr/sbin/haproxy")):
        if place.exists():
            return place
    return None


@cache
def why_not() -> str | None:
    """Why HAProxy cannot run here, or None when it can."""
    place = binary()
    if place is None:
        return "needs HAProxy: run script/test, which unpacks it"
    done = subprocess.run([place, "-v"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{place} does not start: {done.stderr.strip()}"


@dataclass(slots=True)
class Balancer:
    """HAProxy on one node."""

    host: Host
    file: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def parameters(self) -> list[str]:
        """What tells it from its neighbour."""
        return ["-db", "-f", str(self.file)]

    def start(self) -> None:
        """Start it, and wait until it answers here."""
        self.process = self.host.popen([str(binary()), *self.parameters], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while ask(self.host, "127.0.0.1") is None:
            assert time.monotonic() < end, "HAProxy does not answer"
            time.sleep(0.05)

    def command(self) -> str:
        """Its command line as the kernel has it."""
        assert self.process is not None
        return " ".join(Path(f"/proc/{self.process.pid}/cmdline").read_text().rstrip("\0").split("\0"))

    def send(self, number: signal.Signals) -> None:
        """Stop, continue or kill it."""
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    def end(self) -> None:
        """End it, whatever its state."""
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGKILL)


@dataclass(slots=True)
class Client:
    """A third machine that asks the virtual address for a page again and again, as clients do."""

    host: Host
    file: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to ask."""
        words = [str(CHECKOUT / "tests/support/steady_requests.py"), WIRE.address, str(PORT)]
        words += [str(REQUESTS_PER_SECOND), str(PATIENCE)]
        with self.file.open("wb") as output:
            self.process = self.host.popen([sys.executable, "-I", *words], stdout=output)

    def end(self) -> None:
        """Ask no more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def wait_page(self, page: str, since: float) -> None:
        """Wait until it got this page for a request that it made after an instant (monotonic, seconds)."""
        end = time.monotonic() + 60
        while page not in self._pages(since, float("inf")):
            assert time.monotonic() < end, f"no client is answered by {page}"
            time.sleep(0.1)

    def pages(self, since: float, until: float) -> list[str]:
        """What each request got that was made between two instants (monotonic, seconds); ``-`` for no answer."""
        time.sleep(max(0.0, until + 2 * PATIENCE - time.monotonic()))
        return self._pages(since, until)

    def _pages(self, since: float, until: float) -> list[str]:
        lines = [line.split() for line in self.file.read_text().splitlines()]
        ended = [(float(words[0]), words[1]) for words in lines if len(words) == 2]
        return [page for began, page in sorted(ended) if since <= began < until]


def ask(host: Host, address: str) -> str | None:
    """What HAProxy behind an address answers to a client on a node."""
    with contextlib.suppress(RuntimeError):
        return host.run("curl", "-sf", "-m", "1", f"http://{address}:{PORT}/").strip()
    return None


@dataclass(slots=True)
class Pair:
    """Two nodes with a balancer and a director each, and a client."""

    capture: Capture
    balancers: list[Balancer]
    client: Client
    directors: list[Director] = field(default_factory=list)

    def master(self, name: str, *, since: int = 0) -> int:
        """Wait until a node speaks as MASTER; the instant."""
        return self.capture.wait_advert(name, priority=HIGH if name == "left" else LOW, since=since, within=60).at

    def served_by(self, name: str, client: Host) -> bool:
        """Whether the virtual address is answered by that node, in the end."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if ask(client, WIRE.address) == name:
                return True
            time.sleep(0.1)
        return False

    def settle(self) -> None:
        """The better node is MASTER and alone."""
        since = now()
        self.master("left", since=since)
        self.capture.wait_advert("left", since=now(), count=3, within=60)

    def takeover(self, number: signal.Signals) -> tuple[float, float]:
        """Strike HAProxy on the better node: seconds until the other speaks, and from the resignation on."""
        since = now()
        self.balancers[0].send(number)
        taken = self.master("right", since=since)
        resigned = next(each.at for each in self.capture.adverts("left", since=since) if each.priority == 0)
        return (taken - since) / 1e9, (taken - resigned) / 1e9


@contextlib.contextmanager
def haproxy_pair(make: Make, tracker: str) -> Iterator[Pair]:
    """Both nodes up; the daemons are started outside, where the kernel tells of processes."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyk-haproxy-")))
        segment, *hosts = stack.enter_context(pair())
        third = stack.enter_context(Network()).host("client")
        third.attach(segment, ["10.77.0.3/24"])
        capture = stack.enter_context(Capture(segment))
        client = Client(third, folder / "requests")
        nodes = Pair(capture, [Balancer(host, folder / f"{host.name}.cfg") for host in hosts], client)
        for number, balancer in enumerate(nodes.balancers, 1):
            host = balancer.host
            balancer.file.write_text(HAPROXY.format(port=PORT, name=host.name))
            stack.callback(balancer.end)
            balancer.start()
            tracked = TRACKED[tracker].format(
                port=PORT,
                interval=SCRIPT_INTERVAL,
                timeout=SCRIPT_TIMEOUT,
                fall=SCRIPT_FALL,
                command=balancer.command(),
                delay=TERMINATE_DELAY,
            )
            top = f"net_namespace {host.namespace}\nglobal_defs {{\n    script_user root\n}}\n"
            follow = f"track_{tracker} {{\n    haproxy\n}}"
            config = top + tracked + WIRE.config(number, HIGH if number == 1 else LOW, follow)
            outside = Outside(host.name, host.namespace, host.cables)
            director = stack.enter_context(Director(outside, make, folder / host.name, config))
            nodes.directors.append(director)
            director.start()
        try:
            nodes.settle()
            stack.callback(client.end)
            client.start()
            yield nodes
        except AssertionError as failure:
            for director in nodes.directors:
                failure.add_note(director.story())
            raise


__all__ = ["INSTANCE", "Pair", "haproxy_pair", "why_not"]
