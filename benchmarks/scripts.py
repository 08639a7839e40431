"""What a script costs: ``python -m benchmarks.scripts``.

So many MISC_CHECKs run /usr/bin/true once a second. Told is the processor time of the daemon's processes, and of the
scripts they have waited for, which begin as copies of whoever starts them.
"""

import os
import tempfile
import time
from pathlib import Path

from benchmarks.checkers import without_ipvs
from benchmarks.side_by_side import arguments, chosen, cpu_nanoseconds, median, pss_kib, ratio, table
from tests.support.director import Director, Make
from tests.support.netns import Network

_TICKS = os.sysconf("SC_CLK_TCK")
_CHILDREN_TIME = slice(13, 15)  # cutime and cstime of proc(5)'s stat, counted from behind the name


def config(scripts: int) -> str:
    """One virtual server whose servers are each checked by a program."""
    text = ["global_defs {", "script_user root", "enable_script_security", "}"]
    text += ["virtual_server 10.99.0.1 80 {", "delay_loop 1", "lvs_sched rr", "lvs_method NAT", "protocol TCP"]
    for number in range(scripts):
        text += [f"real_server 127.1.{number // 250}.{number % 250 + 1} 80 {{", "weight 1", "MISC_CHECK {"]
        text += [f'misc_path "/usr/bin/true {number}"', "}", "}"]
    return "\n".join([*text, "}", ""])


def waited_for(pid: int) -> float:
    """Microseconds of the children that a process has waited for."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, words[_CHILDREN_TIME])) * 1e6 / _TICKS


def measure(make: Make, scripts: int, seconds: float) -> tuple[float, float, float]:
    """One window: microseconds a script of the daemon's own and of the scripts, and memory of the daemon in MiB."""
    with tempfile.TemporaryDirectory(prefix="pyk-scripts-") as name, Network() as network:
        folder = Path(name)
        host = network.host("measured")
        text = config(scripts)
        with Director(host, without_ipvs(make, folder), folder / "daemon", text, options=["-C"]) as director:
            director.start()
            time.sleep(5)  # the first of all servers are over
            pids = set(director.pids())
            time.sleep(0.5)  # no script lives so long
            pids &= set(director.pids())
            own, others = cpu_nanoseconds(pids), sum(map(waited_for, pids))
            time.sleep(seconds)
            runs = scripts * seconds
            own, others = cpu_nanoseconds(pids) - own, sum(map(waited_for, pids)) - others
            return own / 1e3 / runs, others / runs, pss_kib(pids) / 1024


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, repeat=3)
    parser.add_argument("--scripts", type=int, nargs="+", default=[100])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a window (10)")
    options = parser.parse_args()
    makes = chosen(options.daemon)
    rows: list[list[object]] = []
    for scripts in options.scripts:
        seen: dict[str, list[tuple[float, float, float]]] = {name: [] for name in makes}
        for _ in range(options.repeat):
            for name, make in makes.items():
                seen[name].append(measure(make, scripts, options.seconds))
        totals = {name: median([own + others for own, others, _ in many]) for name, many in seen.items()}
        for name, many in seen.items():
            own, others, mib = (f"{median(values):.1f}" for values in zip(*many, strict=True))
            share = ratio(totals) if name == "pykeepalived" else ""
            rows.append([scripts, name, own, others, f"{totals[name]:.0f}", share, mib])
    table(["scripts", "daemon", "us of the daemon", "us of the script", "together", "ratio", "MiB (PSS)"], rows)


if __name__ == "__main__":
    main()
