"""What clients see when HAProxy is killed, hangs or is restarted: ``python -m benchmarks.haproxy``.

Two nodes whose HAProxy is followed by ``track_script`` (a curl once a second, timeout 1 s, fall 2) or ``track_process``
(terminate_delay 1 s); a client asks twenty times a second through the virtual address. Beside the seconds from the blow
to the other node's first advert stands what the configuration demands: the script's falls or the delay, and the skew
time of the other node (0.61 s). A request has failed when it is refused or has no answer after a second: at the blow,
and when the better node takes the address back. A restart is over in time, and moves nothing.
"""

import contextlib
import random
import signal
import time
from dataclasses import dataclass, field

from benchmarks.side_by_side import arguments, chosen, median, table
from tests.support import haproxy
from tests.support.capture import now
from tests.support.director import Make
from tests.support.haproxy import Pair, haproxy_pair

WATCHED = 3.0
"""Seconds after a restart in which the address could move."""


@dataclass(frozen=True, slots=True)
class Blow:
    """What is done to HAProxy, who follows it, and the least and the most seconds until its node resigns."""

    what: str
    tracker: str
    signal: signal.Signals
    least: float
    most: float
    restarted: bool = False

    def theory(self, skew: float) -> str:
        """Until the other node speaks."""
        if self.restarted:
            return "none"
        least, most = self.least + skew, self.most + skew
        return f"{least:.2f} to {most:.2f}" if most > least else f"{most:.2f}"


BLOWS = (
    Blow("killed, script", "script", signal.SIGKILL, 1.0, 2.0),
    Blow("hung, script", "script", signal.SIGSTOP, 2.0, 3.0),
    Blow("restarted, script", "script", signal.SIGKILL, 0.0, 0.0, restarted=True),
    Blow("killed, process", "process", signal.SIGKILL, haproxy.TERMINATE_DELAY, haproxy.TERMINATE_DELAY),
    Blow("restarted, process", "process", signal.SIGKILL, 0.0, 0.0, restarted=True),
)


@dataclass(slots=True)
class Figures:
    """What one daemon's rounds of one blow took, in seconds and failed requests."""

    taken: list[float] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    failed_on_return: list[int] = field(default_factory=list)


def round_of(nodes: Pair, blow: Blow, figures: Figures) -> None:
    """One blow, and everything as it was."""
    time.sleep(random.random())  # the blow falls anywhere between two runs of the script
    struck = time.monotonic()
    if blow.restarted:
        since = now()
        nodes.balancers[0].send(blow.signal)
        nodes.balancers[0].start()
        time.sleep(WATCHED)
        if others := nodes.capture.adverts("right", since=since):
            figures.taken.append((others[0].at - since) / 1e9)
            nodes.settle()
        figures.failed.append(nodes.client.pages(struck, time.monotonic()).count("-"))
        return
    figures.taken.append(nodes.takeover(blow.signal)[0])
    time.sleep(0.5)
    mending = time.monotonic()
    since = now()
    if blow.signal == signal.SIGSTOP:
        nodes.balancers[0].send(signal.SIGCONT)
    else:
        nodes.balancers[0].start()
    nodes.master("left", since=since)
    nodes.settle()
    figures.failed_on_return.append(nodes.client.pages(mending, time.monotonic()).count("-"))
    figures.failed.append(nodes.client.pages(struck, mending).count("-"))


def measured(make: Make, blow: Blow, repeat: int) -> Figures:
    """All rounds of one blow."""
    figures = Figures()
    with contextlib.ExitStack() as stack:
        nodes = stack.enter_context(haproxy_pair(make, blow.tracker))
        for _ in range(repeat):
            round_of(nodes, blow, figures)
    return figures


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, repeat=5).parse_args()
    if missing := haproxy.why_not():
        raise SystemExit(missing)
    makes = chosen(options.daemon)
    skew = haproxy.WIRE.skew(haproxy.LOW) / 1e9
    rows = []
    for blow in BLOWS:
        for name, make in makes.items():
            figures = measured(make, blow, options.repeat)
            taken = figures.taken
            times = [f"{one(taken):.3f}" if taken else "none" for one in (min, median, max)]
            failures = [f"{median(each):.0f}" if each else "-" for each in (figures.failed, figures.failed_on_return)]
            rows.append([blow.what, blow.theory(skew), name, *times, *failures])
    table(["HAProxy", "theory, s", "daemon", "least", "median", "most", "failed requests", "on return"], rows)


if __name__ == "__main__":
    main()
