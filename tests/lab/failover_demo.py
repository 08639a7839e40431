"""The demonstration: two directors, three web servers, a client that never stops asking, and what goes wrong.

    python3 -m tests.lab.failover_demo          on this kernel, as root
    python3 -m tests.lab.failover_demo --lab    in a User-Mode-Linux guest, as anybody

The directors run on etc/keepalived.conf.example. The exit code is 0 only if every step came out as
it must. DEMO_DAEMON names another program with keepalived's options to run instead, for comparison.
"""

import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.support import lab
from tests.support.lab_network import Host, Network, NetworkError, has_ipvs, wait_until
from tests.support.lab_services import Daemon, WebServer, ipvs_table

VIRTUAL_ADDRESS = "10.9.0.100"
SERVICE = f"TCP {VIRTUAL_ADDRESS}:80"
EXAMPLE = lab.CHECKOUT / "etc/keepalived.conf.example"
PRIORITIES = {"director1": 150, "director2": 100}
ADVERT_INT = 1.0
SKEW = (256 - PRIORITIES["director2"]) / 256
"""Seconds the backup waits beyond the missed adverts, or after the master's farewell (RFC 3768, Skew_Time)."""
REQUESTS_PER_SECOND = 30
PATIENCE = 0.5
"""Seconds after which a request without an answer has failed."""
TOLERANCE = 0.8
"""Seconds a takeover may exceed the protocol's own time; the lab has one slow CPU for eight machines."""

INTERESTING = re.compile(
    r"Entering (MASTER|BACKUP|FAULT) STATE|(Adding|Removing|Enabling|Disabling) service|[Ll]ost quorum|Gained quorum"
    r"|HTTP_CHECK|TCP_CHECK|Stopping|priority \d+ advert|with (higher|lower) priority|\) cause: "
)
STAMP = re.compile(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ")
ADVERT = re.compile(r"^(\d+\.\d+) IP (\S+) > 224\.0\.0\.18: .*prio (\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it was made and which server answered, `-` for none in time."""

    at: float
    page: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the closing table."""

    step: str
    answered: int
    failed: int
    gap: float
    theory: float | None


class Timeline:
    """What is told to the reader, each line with its time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.failures: list[str] = []

    def say(self, who: str, text: str) -> None:
        """Something happened."""
        with self._lock:
            print(f"  {time.monotonic() - self._began:5.1f} s  {who:<10} {text}", flush=True)

    def title(self, text: str) -> None:
        """A step begins."""
        with self._lock:
            print(f"\n== {text}", flush=True)

    def show(self, text: str) -> None:
        """A table or the like, indented."""
        with self._lock:
            print("\n".join(f"           {line.rstrip()}" for line in text.splitlines()), flush=True)

    def check(self, held: bool, claim: str) -> None:
        """A claim that must hold for the demonstration to succeed."""
        if not held:
            self.failures.append(claim)
        self.say("ok" if held else "NOT SO", claim)


class Watcher(threading.Thread):
    """Passes the telling lines of growing logs on to the timeline."""

    def __init__(self, timeline: Timeline, logs: dict[str, Path]) -> None:
        super().__init__(daemon=True)
        self._timeline = timeline
        self._logs = logs
        self._files: dict[str, TextIO] = {}

    def run(self) -> None:
        """Follow until the program ends."""
        while True:
            for name, path in self._logs.items():
                if name not in self._files and path.exists():
                    self._files[name] = path.open(encoding="utf-8", errors="replace")
                if name in self._files:
                    for line in self._files[name]:
                        if INTERESTING.search(line):
                            self._timeline.say(name, STAMP.sub("", line.strip()))
            time.sleep(0.1)


class Demonstration:
    """The whole story, step by step."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.timeline = Timeline()
        self.rows: list[Row] = []
        self.folder = Path(tempfile.mkdtemp(prefix="failover-demo-"))
        self.requests = self.folder / "requests"
        self.adverts = self.folder / "adverts"
        self.directors: dict[str, Daemon] = {}
        self.up: set[str] = set()
        self.web: dict[str, WebServer] = {}

    def play(self) -> bool:
        """Build everything, go through the steps; whether all held."""
        print("Two directors share 10.9.0.100 and balance three web servers (IPVS, direct routing).", flush=True)
        self.build()
        self.first_election()
        self.web_server_dies()
        self.web_server_returns()
        self.master_loses_power()
        self.master_returns()
        self.master_stops()
        self.summary()
        return not self.timeline.failures

    # Building

    def build(self) -> None:
        """Hosts, web servers, directors, client and a listener for adverts."""
        self.timeline.title("Set-up: a client, two directors, three web servers on one network")
        self.network.switch("lan")
        for number in (1, 2, 3):
            host = self.network.host(f"web{number}")
            host.sysctl("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
            host.attach("lan", "eth0", f"10.9.0.{10 + number}/24")
            host.ip("address", "add", f"{VIRTUAL_ADDRESS}/32", "dev", "lo")
            self.web[host.name] = WebServer(host)
            self.web[host.name].start()
        self.client = self.network.host("client")
        self.client.attach("lan", "eth0", "10.9.0.200/24")
        tcpdump = lab.required("tcpdump")
        with self.adverts.open("wb") as file:
            command = [tcpdump, "-Z", "root", "-l", "-n", "-tt", "--immediate-mode", "-i", "lan", "vrrp"]
            self.network.switches.start(command, file)
        for number, name in enumerate(PRIORITIES, 1):
            self.directors[name] = Daemon(self.director_host(name, number), configuration(name))
        Watcher(self.timeline, {name: daemon.log_file for name, daemon in self.directors.items()}).start()

    def director_host(self, name: str, number: int) -> Host:
        """The machine of a director, just switched on."""
        host = self.network.host(name)
        host.attach("lan", "eth0", f"10.9.0.{number}/24")
        return host

    def first_election(self) -> None:
        """Both directors start; the one with the higher priority gets the address."""
        self.timeline.title("Both directors start")
        for name, daemon in self.directors.items():
            daemon.start()
            self.up.add(name)
        self.await_master("director1")
        self.wait(lambda: all(len(self.pool(name)) == 3 for name in self.directors), 30, "three servers in each pool")
        with self.requests.open("wb") as file:
            program = lab.CHECKOUT / "tests/support/steady_requests.py"
            arguments = [VIRTUAL_ADDRESS, "80", str(REQUESTS_PER_SECOND), str(PATIENCE)]
            self.client.start([sys.executable, "-I", str(program), *arguments], file)
        self.wait(self.answers, 20, "the first answer")
        began = time.monotonic()
        time.sleep(3)
        self.show_table("director1")
        row = self.account("steady traffic", began)
        self.timeline.check(row.failed == 0, "every request was answered")
        pages = {answer.page for answer in self.answers() if answer.at > began}
        self.timeline.check(pages == set(self.web), "all three web servers took part")

    # Steps

    def web_server_dies(self) -> None:
        """A web server is killed: it must leave both pools, and then no request fails."""
        self.timeline.title("A web server is killed")
        began = time.monotonic()
        self.web["web2"].kill()
        self.timeline.say("web2", "killed")
        self.wait(lambda: self.pooled() == {2}, 15, "web2 leaves the pool of both directors")
        settled = time.monotonic()
        time.sleep(2)
        self.show_table("director1")
        self.timeline.check("10.9.0.12:80" not in self.pool("director1"), "web2 left the pool")
        self.account("web server killed", began)
        late = [answer for answer in self.answers() if answer.at > settled and answer.page == "-"]
        self.timeline.check(not late, "from then on every request was answered")

    def web_server_returns(self) -> None:
        """It comes back: it must return to the pools and answer again."""
        self.timeline.title("The web server comes back")
        began = time.monotonic()
        self.web["web2"].start()
        self.timeline.say("web2", "started")
        self.wait(lambda: self.pooled() == {3}, 20, "web2 returns to the pool of both directors")
        back = time.monotonic()
        time.sleep(1.5)
        self.show_table("director1")
        row = self.account("web server back", began)
        self.timeline.check(row.failed == 0, "every request was answered")
        again = any(answer.page == "web2" for answer in self.answers() if answer.at > back)
        self.timeline.check(again, "web2 answers again")

    def master_loses_power(self) -> None:
        """The master dies with all its processes: the other takes over after three missed adverts."""
        self.timeline.title("The master loses its power (kill -9 of all its processes, cable dead)")
        began = time.monotonic()
        self.up.remove("director1")
        self.network.hosts["director1"].lose_power()
        self.timeline.say("director1", "dead")
        self.await_master("director2")
        self.settle(began)
        self.show_table("director2")
        last = max((at for at, source, _ in self.heard() if source == "10.9.0.1"), default=began)
        row = self.account("master dead", began, promise=last + 3 * ADVERT_INT + SKEW)
        self.judge_takeover(row)

    def master_returns(self) -> None:
        """The machine boots again: with its higher priority it takes the address back, hardly noticed."""
        self.timeline.title("The dead director boots again")
        began = time.monotonic()
        daemon = self.directors["director1"]
        daemon.host = self.director_host("director1", 1)
        daemon.start()
        self.up.add("director1")
        self.await_master("director1")
        self.settle(began)
        self.show_table("director1")
        row = self.account("master back", began)
        self.timeline.check(row.failed <= 3, f"at most the requests in flight were lost ({row.failed})")
        self.timeline.check(self.holds_address("director2") is False, "director2 gave the address up")

    def master_stops(self) -> None:
        """The master is stopped as an operator does: it says so, and the other comes after its skew time."""
        self.timeline.title("The master is stopped cleanly (SIGTERM)")
        began = time.monotonic()
        self.up.remove("director1")
        code = self.directors["director1"].stop()
        self.timeline.say("director1", f"ended with exit code {code}")
        self.await_master("director2")
        self.settle(began)
        self.show_table("director2")
        farewells = [at for at, source, priority in self.heard() if source == "10.9.0.1" and priority == 0]
        self.timeline.check(bool(farewells), "it said farewell with an advert of priority 0")
        row = self.account("master stopped", began, promise=max(farewells, default=began) + SKEW)
        self.judge_takeover(row)
        self.timeline.check(code == 0, "it ended with exit code 0")
        self.timeline.check(not self.holds_address("director1"), "it took its address with it")
        self.timeline.check(not ipvs_table(self.directors["director1"].host), "it emptied its IPVS table")

    # Looking

    def wait(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for something that must come; the story ends if it does not."""

        def came() -> object:
            for name in self.up:
                if self.directors[name].ended():
                    raise NetworkError(f"{name} ended by itself")
            return condition()

        try:
            took = wait_until(came, seconds, what)
        except NetworkError as error:
            logs = "\n".join(f"--- log of {name}\n{daemon.log()[-3000:]}" for name, daemon in self.directors.items())
            raise NetworkError(f"{error}\n{logs}") from error
        self.timeline.say("", f"{what} ({took:.1f} s)")

    def await_master(self, name: str) -> None:
        """Wait until a director holds the address."""
        self.wait(lambda: self.holds_address(name), 40, f"{name} is MASTER and holds {VIRTUAL_ADDRESS}")

    def settle(self, began: float) -> None:
        """Wait for answers after a takeover, and a little longer."""
        self.wait(
            lambda: any(answer.page != "-" and answer.at > began + 0.5 for answer in self.answers()[-20:]),
            15,
            "requests are answered",
        )
        time.sleep(2)

    def holds_address(self, name: str) -> bool:
        """Whether a director has the virtual address."""
        return VIRTUAL_ADDRESS in self.directors[name].host.addresses()

    def pool(self, name: str) -> set[str]:
        """The servers that get requests from a director."""
        destinations = ipvs_table(self.directors[name].host).get(SERVICE, {})
        return {server for server, destination in destinations.items() if destination.weight}

    def pooled(self) -> set[int]:
        """How many servers the pools of both directors have."""
        return {len(self.pool(name)) for name in self.directors}

    def show_table(self, name: str) -> None:
        """Print a director's IPVS table."""
        self.timeline.say(name, "IPVS table:")
        self.timeline.show(self.directors[name].host.run(lab.required("ipvsadm"), "-Ln"))

    def answers(self) -> list[Answer]:
        """All requests that have ended."""
        lines = self.requests.read_text(encoding="utf-8").split("\n")[:-1]
        return [Answer(float(at), page) for at, page in (line.split(" ", 1) for line in lines)]

    def heard(self) -> list[tuple[float, str, int]]:
        """All adverts on the network: moment (monotonic), sender, priority."""
        shift = time.time() - time.monotonic()
        found = (ADVERT.match(line) for line in self.adverts.read_text(encoding="utf-8").splitlines())
        return [(float(match[1]) - shift, match[2], int(match[3])) for match in found if match]

    # Judging

    def account(self, step: str, began: float, promise: float | None = None) -> Row:
        """Count the requests since a step began and find its longest outage.

        `promise` is the moment from which the protocol owes an answer again.
        """
        answers = sorted(self.answers(), key=lambda answer: answer.at)
        recent = [answer for answer in answers if answer.at > began]
        gap, start = longest_outage([answer for answer in answers if answer.at > began - 1])
        failed = sum(answer.page == "-" for answer in recent)
        row = Row(step, len(recent) - failed, failed, gap, promise - start if promise and gap else None)
        self.rows.append(row)
        self.timeline.say("client", f"{row.answered} requests answered, {failed} failed, longest outage {shown(gap)}")
        return row

    def judge_takeover(self, row: Row) -> None:
        """A takeover must not last longer than the protocol says, but for the tolerance."""
        held = row.theory is not None and row.theory - 0.1 < row.gap < row.theory + TOLERANCE
        self.timeline.check(held, f"outage {shown(row.gap)}, in theory {shown(row.theory)}")

    def summary(self) -> None:
        """The closing table."""
        self.timeline.title("Summary")
        print(f"  {'step':<20}{'answered':>10}{'failed':>8}{'outage':>10}{'in theory':>12}")
        for row in self.rows:
            theory = "" if row.theory is None else shown(row.theory)
            print(f"  {row.step:<20}{row.answered:>10}{row.failed:>8}{shown(row.gap):>10}{theory:>12}")
        print()
        for claim in self.timeline.failures:
            print(f"  NOT SO: {claim}")
        print("  All of it held." if not self.timeline.failures else "  The demonstration FAILED.", flush=True)


def longest_outage(answers: list[Answer]) -> tuple[float, float]:
    """The longest time between two answered requests with none but failed ones in between, and its start."""
    outages = [(0.0, 0.0)]
    last = None
    failed = False
    for answer in answers:
        if answer.page == "-":
            failed = True
            continue
        if failed and last is not None:
            outages.append((answer.at - last, last))
        last, failed = answer.at, False
    if failed and last is not None:
        outages.append((answers[-1].at - last, last))
    return max(outages)


def shown(seconds: float | None) -> str:
    """A time for the reader."""
    return f"{seconds * 1000:.0f} ms" if seconds else "none"


def configuration(name: str) -> str:
    """The example file as it stands on a director: two lines differ."""
    text = EXAMPLE.read_text(encoding="utf-8")
    mine = text.replace("router_id director1 ", f"router_id {name} ").replace(
        "priority 150 ", f"priority {PRIORITIES[name]} "
    )
    if (mine == text) != (name == "director1"):
        raise ValueError(f"{EXAMPLE} has changed its shape")
    return mine


def here() -> int:
    """Play on this kernel."""
    if os.getuid() != 0 or not has_ipvs():
        print("this kernel has no IPVS, or we are not root; try --lab", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        network = stack.enter_context(Network(f"demo{os.getpid()}-"))
        try:
            return 0 if Demonstration(network).play() else 1
        except NetworkError as error:
            print(f"\n  The demonstration FAILED: {error}", flush=True)
            return 1


def in_lab() -> int:
    """Play in a guest."""
    reason = lab.missing()
    if reason is not None:
        print(reason, file=sys.stderr)
        return 2
    passed = {name: os.environ[name] for name in ("LAB_DAEMON",) if name in os.environ}
    job = 'exec "$PYTHON" -m tests.lab.failover_demo'
    try:
        return lab.run(job, timeout=240, environment=passed, echo=sys.stdout).exit_code
    except lab.LabError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    if "DEMO_DAEMON" in os.environ:
        os.environ["LAB_DAEMON"] = os.environ["DEMO_DAEMON"]
    sys.exit(in_lab() if "--lab" in sys.argv[1:] else here())
