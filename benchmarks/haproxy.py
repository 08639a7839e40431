"""How long clients wait when HAProxy is killed or hangs on the node with the address: ``python -m benchmarks.haproxy``.

Two nodes, followed by ``track_script`` (a curl once a second, fall 2) or ``track_process`` (terminate_delay 1 s).
Beside the time from the blow to the other node's first advert stands what the configuration demands: the script's falls
or the delay, and the skew time of the other node (0.61 s).
"""

import contextlib
import random
import signal
import time

from benchmarks.side_by_side import arguments, chosen, median, table
from tests.support import haproxy
from tests.support.capture import now
from tests.support.haproxy import Pair, haproxy_pair

BLOWS = (
    # what, tracker, signal, the least and the most that it may take before the resignation
    ("killed, script", "script", signal.SIGKILL, 1.0, 2.0),
    ("hung, script", "script", signal.SIGSTOP, 2.0, 3.0),
    ("killed, process", "process", signal.SIGKILL, haproxy.TERMINATE_DELAY, haproxy.TERMINATE_DELAY),
)


def recover(nodes: Pair, number: signal.Signals) -> None:
    """HAProxy works again on the better node, which is MASTER again."""
    since = now()
    if number == signal.SIGSTOP:
        nodes.balancers[0].send(signal.SIGCONT)
    else:
        nodes.balancers[0].start()
    nodes.master("left", since=since)
    nodes.settle()
    time.sleep(random.random())  # the blow falls anywhere between two runs of the script


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, repeat=5).parse_args()
    if missing := haproxy.why_not():
        raise SystemExit(missing)
    makes = chosen(options.daemon)
    skew = haproxy.WIRE.skew(haproxy.LOW) / 1e9
    rows = []
    for what, tracker, number, least, most in BLOWS:
        row: list[object] = [what, f"{least + skew:.2f} to {most + skew:.2f}" if most > least else f"{most + skew:.3f}"]
        for make in makes.values():
            taken = []
            with contextlib.ExitStack() as stack:
                nodes = stack.enter_context(haproxy_pair(make, tracker))
                for _ in range(options.repeat):
                    taken.append(nodes.takeover(number)[0])
                    recover(nodes, number)
            row += [f"{min(taken):.3f}", f"{median(taken):.3f}", f"{max(taken):.3f}"]
        rows.append(row)
    heading = ["HAProxy", "theory, s"]
    for name in makes:
        heading += [f"{name} least", "median", "most"]
    table(heading, rows)


if __name__ == "__main__":
    main()
