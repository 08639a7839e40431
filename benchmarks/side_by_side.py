"""What the comparisons share: which daemons, what a process costs, and a table of both with their ratio.

Every benchmark interleaves the daemons within one run on one machine, repeats, and prints medians: the ratio is the
result, the figures depend on the machine.
"""

import argparse
import contextlib
import signal
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.support import keepalived, netns, pykeepalived
from tests.support.director import Make

MAKES: Mapping[str, Callable[[], Make]] = {"keepalived": keepalived.make, "pykeepalived": pykeepalived.make}


def arguments(doc: str | None, *, repeat: int) -> argparse.ArgumentParser:
    """A parser with what every comparison understands."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--daemon", nargs="+", choices=sorted(MAKES), default=sorted(MAKES), help="which to run; both by default"
    )
    parser.add_argument("--repeat", type=int, default=repeat, help=f"repetitions of each measurement ({repeat})")
    return parser


def chosen(names: Iterable[str]) -> dict[str, Make]:
    """The makes to compare, or an exit that says what is missing."""
    # A polite end, as by timeout(1), must still remove namespaces and daemons.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    names = list(names)
    if missing := netns.why_not() or (keepalived.why_not() if "keepalived" in names else None):
        raise SystemExit(missing)
    return {name: MAKES[name]() for name in names}


def cpu_nanoseconds(pids: Iterable[int]) -> int:
    """Processor time that living processes have used so far, of all their threads, to the nanosecond."""
    total = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    return total


def pss_kib(pids: Iterable[int]) -> int:
    """Memory of processes together, each shared page counted once among its sharers, in KiB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    """The middle value; not a number when there is none."""
    return statistics.median(values) if values else float("nan")


def ratio(values: Mapping[str, float]) -> str:
    """Ours over theirs, when both were measured."""
    with contextlib.suppress(KeyError, ZeroDivisionError):
        return f"{values['pykeepalived'] / values['keepalived']:.2f}"
    return "-"


def table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns: the first to the left, the others to the right."""
    lines = [list(map(str, heading)), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    for number, line in enumerate(lines):
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print(flush=True)
