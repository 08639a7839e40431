"""How much later than the protocol's own wait a backup takes over: ``python -m benchmarks.failover``.

Three causes: every process of the master killed (kill -9), a clean stop (SIGTERM), the master's cable pulled. The wait
the protocol demands is counted on the wire: from the last advert heard, three intervals and the skew time; from a
priority-0 advert, the skew time alone. What the new master's first advert comes later than that is the excess.

All arenas (daemon x cause x copies) start and settle together; only when all are quiet are their masters struck, one
after the other, so that no daemon's start disturbs another's measurement.
"""

import contextlib
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.side_by_side import arguments, chosen, median, percentile, table
from tests.interop.wires import Wire
from tests.support.capture import Capture, now
from tests.support.director import Director, Make
from tests.support.netns import Network

CAUSES = ("kill -9", "TERM", "link down")
HIGH, LOW = 200, 100


@dataclass(slots=True)
class Arena:
    """Two directors of one make on a segment of their own, and one way to strike the master."""

    make: str
    cause: str
    wire: Wire
    capture: Capture
    master: Director
    backup: Director
    excesses: list[int] = field(default_factory=list)
    failure: BaseException | None = None

    def settle(self) -> None:
        """The better one is master again, the other quiet."""
        if self.cause == "link down" and self.master.running:
            self.master.host.cables["eth0"].plug()
        for director in (self.backup, self.master):
            if not director.running:
                director.start()
        self.capture.wait_advert("master", priority=HIGH, since=now(), within=60)
        since = now()
        self.capture.wait_advert("master", since=since, count=3, within=60)
        assert not self.capture.adverts("backup", since=since), self.capture.story()

    def strike(self) -> None:
        """Take the master away and see when the backup speaks."""
        since = now()
        if self.cause == "kill -9":
            self.master.crash()
        elif self.cause == "TERM":
            self.master.stop()
        else:
            self.master.host.cables["eth0"].pull()
        first = self.capture.wait_advert("backup", since=since, within=60)
        heard = [one for one in self.capture.adverts("master") if one.at < first.at]
        last = heard[-1]
        farewells = [one for one in heard if one.priority == 0 and one.at >= since]
        if self.cause == "TERM":
            due = farewells[0].at + self.wire.skew(LOW)
        else:
            assert not farewells, f"{self.cause} leaves no time for a farewell"
            due = last.at + self.wire.master_down(LOW)
        self.excesses.append(first.at - due)

    def run(self, repeat: int, number: int, barrier: threading.Barrier) -> None:
        """All repetitions, in step with the other arenas."""
        try:
            for _ in range(repeat):
                self.settle()
                barrier.wait(300)
                time.sleep(number * 0.037)
                self.strike()
                barrier.wait(300)
        except BaseException as failure:  # noqa: BLE001  told by the main thread
            self.failure = failure
            barrier.abort()


def arenas(stack: contextlib.ExitStack, makes: dict[str, Make], wire: Wire, copies: int) -> list[Arena]:
    """Every make with every cause, on segments of their own."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyk-failover-")))
    network = stack.enter_context(Network())
    made = []
    for copy in range(copies):
        for cause in CAUSES:
            for name, make in makes.items():
                segment = network.segment()
                directors = []
                for number, role in enumerate(("master", "backup"), 1):
                    host = network.host(role)
                    host.attach(segment, [f"10.77.0.{number}/24"])
                    config = wire.config(number, HIGH if role == "master" else LOW)
                    place = folder / f"{name}-{cause.replace(' ', '')}-{copy}-{role}"
                    directors.append(stack.enter_context(Director(host, make, place, config, options=["-P"])))
                capture = stack.enter_context(Capture(segment))
                made.append(Arena(name, cause, wire, capture, directors[0], directors[1]))
    return made


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=7)
    parser.add_argument("--copies", type=int, default=3, help="arenas of each kind at once (3)")
    parser.add_argument("--interval", nargs="+", default=["1", "0.1"], help="advert_int in seconds (1 and 0.1)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    rows = []
    for interval in options.interval:
        wire = Wire(3, interval, 4, "multicast")
        with contextlib.ExitStack() as stack:
            made = arenas(stack, makes, wire, options.copies)
            barrier = threading.Barrier(len(made))
            threads = [
                threading.Thread(target=arena.run, args=(options.repeat, number, barrier))
                for number, arena in enumerate(made)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for arena in made:
                if arena.failure is not None and not isinstance(arena.failure, threading.BrokenBarrierError):
                    arena.failure.add_note(arena.master.story() + "\n" + arena.backup.story())
                    raise arena.failure
        for cause in CAUSES:
            row: list[object] = [f"{interval} s, {cause}"]
            for name in makes:
                excesses = [
                    excess / 1e6
                    for arena in made
                    if (arena.make, arena.cause) == (name, cause)
                    for excess in arena.excesses
                ]
                row += [f"{median(excesses):.2f}", f"{percentile(excesses, 99):.2f}", len(excesses)]
            rows.append(row)
    heading = ["excess over theory, ms"]
    for name in makes:
        heading += [f"{name} median", "p99", "n"]
    table(heading, rows)


if __name__ == "__main__":
    main()
