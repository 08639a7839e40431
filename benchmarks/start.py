"""From exec to the first advert of an address owner: ``python -m benchmarks.start``.

Priority 255 does not wait for anybody, so this is the time a start takes: interpreter, libraries, file, sockets.
"""

import tempfile
from pathlib import Path

from benchmarks.side_by_side import arguments, chosen, median, ratio, table
from tests.interop.wires import Wire
from tests.support.capture import Capture
from tests.support.director import Director
from tests.support.netns import Network

OWNER = 255


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, repeat=15).parse_args()
    makes = chosen(options.daemon)
    # Without a `state` an owner starts as MASTER.
    config = Wire(3, "1", 4, "multicast").config(1, OWNER).replace("    state BACKUP\n", "")
    took: dict[str, list[float]] = {name: [] for name in makes}
    with tempfile.TemporaryDirectory(prefix="pyk-start-") as folder, Network() as network:
        segment = network.segment()
        host = network.host("owner")
        host.attach(segment, ["10.77.0.1/24"])
        with Capture(segment) as capture:
            for number in range(options.repeat):
                for name, make in makes.items():
                    place = Path(folder, f"{name}-{number}")
                    with Director(host, make, place, config, options=["-P"]) as director:
                        started_at = director.start()
                        first = capture.wait_advert("owner", priority=OWNER, since=started_at, within=60)
                        took[name].append((first.at - started_at) / 1e6)
                        director.stop()
    medians = {name: median(times) for name, times in took.items()}
    rows = [
        [name, f"{medians[name]:.0f}", f"{min(times):.0f}", f"{max(times):.0f}", len(times)]
        for name, times in took.items()
    ]
    table(["exec to first advert, ms", "median", "least", "most", "n"], rows)
    print(f"ratio {ratio(medians)}")


if __name__ == "__main__":
    main()
