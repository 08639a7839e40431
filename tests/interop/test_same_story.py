"""One story told by both daemons: the same log lines about the instance, and the same calls of the notify scripts.

Each plays the left part against keepalived on the right, on a stage of its own; what they wrote is then compared line
by line. People search logs for these words and scripts depend on these arguments.
"""

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.interop.stage import stage
from tests.interop.wires import INSTANCE, Wire
from tests.support.capture import now

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

PRIORITY, BETTER, WORSE = 150, 200, 50
TIME = re.compile(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ")

# Said by keepalived 2.4 and by us but not by 2.2.7, or by us alone: why.
MORE = re.compile(r"\) (master (set|changed)|cause: |leaving MASTER STATE: )")


def _story(wire: Wire, make: str, folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Play the left part through all its states; give the log, the general and the particular notify calls."""
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("any", "particular"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "$@" >> {folder / name}.calls\n')
        script.chmod(0o755)
        (folder / f"{name}.calls").touch()
    notify = [f'notify "{folder / "any"}"']
    notify += [
        f'notify_{state} "{folder / "particular"} {state} argument"' for state in ("master", "backup", "fault", "stop")
    ]
    top = "global_defs {\n    script_user root\n}\n"
    extra = "\n".join(["garp_master_repeat 2", *notify])
    vips = "virtual_ipaddress_excluded {\n    10.77.0.200/24\n    fd77::200/64\n}" if wire.family == 4 else ""
    left = top + wire.config(1, PRIORITY, f"{extra}\n{vips}")
    with stage(wire, (make, "keepalived"), left, wire.config(2, BETTER)) as on:

        def second_burst(mark: int) -> None:
            sending = "gratuitous ARPs" if wire.family == 4 else "Unsolicited Neighbour Adverts"
            line = f"Sending/queueing {sending} on eth0 for {wire.addresses[0]}"
            on.left.wait_log(line, since=mark, count=2)
            on.keeps_advertising(on.left, count=3)

        on.left.start()
        first = on.becomes_master(on.left, since=0, mark=0, priority=PRIORITY)
        second_burst(0)

        on.right.start()
        on.becomes_master(on.right, since=first.at, mark=0, priority=BETTER)
        on.becomes_backup(on.left, mark=0)

        mark, since = on.left.mark(), now()
        on.right.stop()
        on.becomes_master(on.left, since=since, mark=mark, priority=PRIORITY)
        second_burst(mark)

        mark, since = on.left.mark(), now()
        on.left.host.run("ip", "addr", "del", f"{wire.address}/{24 if wire.family == 4 else 64}", "dev", "eth0")
        farewell = on.capture.wait_advert("left", priority=0, since=since)
        on.becomes_master(on.left, since=farewell.at + 1, mark=mark, priority=PRIORITY)
        second_burst(mark)

        mark = on.left.mark()
        on.left.host.cables["eth0"].pull()
        on.left.wait_log(f"({INSTANCE}) Entering FAULT STATE", since=mark)
        on.left.wait_address(wire.address, present=False)
        mark, since = on.left.mark(), now()
        on.left.host.cables["eth0"].plug()
        on.becomes_master(on.left, since=since, mark=mark, priority=PRIORITY)
        second_burst(mark)

        on.right.write(wire.config(2, WORSE))
        on.right.start()
        on.right.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)")
        on.keeps_advertising(on.left, count=4)
        assert on.left.stop() == 0
        log = [TIME.sub("", line) for line in on.left.log()]
        about = [
            line for line in log if line.startswith((f"({INSTANCE})", f"{INSTANCE}:", "Sending", "Netlink", "VRRP_"))
        ]
    calls = [(folder / f"{name}.calls").read_text().splitlines() for name in ("any", "particular")]
    return [line for line in about if not MORE.search(line)], calls[0], calls[1]


@pytest.mark.parametrize(
    "wire",
    [
        Wire(3, "0.5", 4, "multicast"),
        pytest.param(Wire(2, "1", 4, "unicast", "sesame42"), marks=pytest.mark.long),
        pytest.param(Wire(3, "0.5", 6, "multicast"), marks=pytest.mark.long),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", ["ours", pytest.param("keepalived", marks=pytest.mark.long)])
def test_both_tell_the_same_story(wire: Wire, make: str) -> None:
    """Log lines and notify calls from start to stop, in their order."""
    with tempfile.TemporaryDirectory(prefix="pyk-story-") as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        folder.chmod(0o755)
        told = pool.submit(_story, wire, "keepalived", folder / "told")
        ours = pool.submit(_story, wire, make, folder / "ours")
        their_log, their_any, their_particular = told.result()
        our_log, our_any, our_particular = ours.result()
    prefix = str(folder)
    assert len(their_log) > 30
    # A burst's first packets are logged between its announcements by one, after them by the other: nobody asks.
    for packets in (False, True):
        theirs, mine = ([line for line in log if line.startswith("Sending") is packets] for log in (their_log, our_log))
        difference = "\n".join(unified_diff(theirs, mine, "keepalived", make, lineterm="", n=2))
        assert not difference, difference
    # keepalived waits for no script: on a busy machine a later one may write first
    assert sorted(line.replace(prefix, "") for line in our_any) == sorted(
        line.replace(prefix, "") for line in their_any
    )
    assert sorted(our_particular) == sorted(their_particular)
    assert len(their_any) >= 7
