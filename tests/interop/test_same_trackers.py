"""What files and processes do to a router, told by both daemons: the same states, priorities, FIFO lines and log lines.

Both are started outside, and enter their host by ``net_namespace``: only outside does the kernel tell of processes.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.stage import MAKES
from tests.support.director import Director
from tests.support.netns import Outside, pair

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent, pytest.mark.long]

TOP = """net_namespace {namespace}
global_defs {{
    script_user root
    vrrp_notify_fifo {folder}/fifo
    vrrp_notify_priority_changes
}}
"""
INSTANCE = """vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    version 3
    advert_int 0.3
    priority 100
    virtual_ipaddress {{
        10.77.0.{vrid}/24
    }}
{tracks}
}}
"""
FILES = """
track_file load {{
    file {folder}/load
    weight -2
}}
track_file drain {{
    file {folder}/drain
    weight 0
}}
track_file made {{
    file {folder}/made
    init_file 5
}}
vrrp_track_file reversed {{
    file {folder}/reversed
    weight 3 reverse
}}
"""
PROCESSES = """
vrrp_track_process any {{
    process {program}
    weight 10
}}
vrrp_track_process two {{
    process {program}
    quorum 2
    weight -20
}}
vrrp_track_process turned {{
    process {program}
    weight 5 reverse
    terminate_delay 0.7
}}
vrrp_track_process none {{
    process {program}
    quorum_max 0
    weight 3
}}
vrrp_track_process apart {{
    process {path} 77
}}
vrrp_track_process first {{
    process {path} 77
    param_match partial
    weight 1
}}
"""
TOLD = re.compile(r"effective priority from|Entering|tracked file|Quorum|entering FAULT")
OTHERWISE = re.compile(r"cause: |[Ee]ntering FAULT (state|STATE \(init\))$")  # a start in FAULT has another line
TIME = re.compile(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ")


class Story:
    """One daemon, what it is told by files and processes, and what it tells."""

    def __init__(self, director: Director, folder: Path, fifo: int) -> None:
        self.director = director
        self.folder = folder
        self._fifo = fifo
        self._said = ""

    def lines(self) -> list[str]:
        """What came through the FIFO."""
        with contextlib.suppress(BlockingIOError):
            self._said += os.read(self._fifo, 65536).decode()
        return self._said.splitlines()

    def until(self, line: str, count: int = 1) -> None:
        """Wait for a line in the FIFO."""
        end = time.monotonic() + 30
        while self.lines().count(line) < count:
            assert time.monotonic() < end, f"{line!r} x{count} not in {self.lines()}\n{self.director.story()}"
            time.sleep(0.02)

    def write(self, name: str, text: str) -> None:
        """A tracked file gets other content."""
        (self.folder / name).write_text(text)

    def told(self) -> tuple[list[str], list[str]]:
        """The log's lines about trackers and states, and the FIFO's."""
        log = [TIME.sub("", line) for line in self.director.log()]
        about = [line for line in log if TOLD.search(line) and not OTHERWISE.search(line)]
        return [line.replace(str(self.folder), "") for line in by_instance(about)], by_instance(self.lines())


def by_instance(lines: list[str]) -> list[str]:
    """What concerns the second instance comes last: at the start one tells of each in turn, the other step by step."""
    return sorted(lines, key=lambda line: "VI_2" in line)


@contextlib.contextmanager
def playing(make: str, folder: Path, definitions: str, *instances: str) -> Iterator[Story]:
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    fifo = os.open(folder / "fifo", os.O_RDWR | os.O_NONBLOCK)
    try:
        with pair() as (_, one, _two):
            config = (TOP + definitions).format(
                namespace=one.namespace, folder=folder, program=folder.name, path=folder / folder.name
            )
            with Director(
                Outside(one.name, one.namespace, one.cables), MAKES[make](), folder / "run", config + "".join(instances)
            ) as director:
                director.start()
                try:
                    yield Story(director, folder, fifo)
                except AssertionError as failure:
                    failure.add_note(director.story())
                    raise
    finally:
        os.close(fifo)


def files(make: str, folder: Path) -> tuple[list[str], list[str]]:
    tracks = "    track_file {\n        load\n        drain\n        made\n        reversed\n    }"
    with playing(make, folder, FILES, INSTANCE.format(name="VI_1", vrid=51, tracks=tracks)) as story:
        story.until('INSTANCE "VI_1" MASTER 105')
        assert (folder / "made").read_text() == "5\n"
        for text, priority in (
            ("10", 85),
            ("-10", 125),
            ("0x10", 73),
            ("010", 89),
            ("12abc", 81),
            (" 20", 65),
            ("abc", 105),
            ("+1", 103),
            ("1000000\n", 0),  # -2 times that is a fault
        ):
            story.write("load", text)
            story.until(f'INSTANCE "VI_1" MASTER_PRIORITY {priority}' if priority else 'INSTANCE "VI_1" FAULT 103')
        story.write("load", "1")
        story.until('INSTANCE "VI_1" BACKUP 103')
        story.until('INSTANCE "VI_1" MASTER 103')
        story.write("reversed", "-4")
        story.until('INSTANCE "VI_1" MASTER_PRIORITY 115')
        story.write("drain", "-1")
        story.until('INSTANCE "VI_1" FAULT 115')
        story.write("load", "7")
        story.until('INSTANCE "VI_1" BACKUP_PRIORITY 103')
        story.write("drain", "0")
        story.until('INSTANCE "VI_1" BACKUP 103')
        story.until('INSTANCE "VI_1" MASTER 103', 2)
        (folder / "load").unlink()
        story.until('INSTANCE "VI_1" MASTER_PRIORITY 117')
        story.write("new", "100")
        (folder / "new").rename(folder / "load")
        story.until('INSTANCE "VI_1" MASTER_PRIORITY 1')
        (folder / "load").rename(folder / "away")
        story.until('INSTANCE "VI_1" MASTER_PRIORITY 117', 2)
        story.write("reversed", "-1000")
        story.until('INSTANCE "VI_1" MASTER_PRIORITY 254')
        story.director.stop()
        story.until('INSTANCE "VI_1" STOP 254')
        return story.told()


def processes(make: str, folder: Path) -> tuple[list[str], list[str]]:
    weighted = "    track_process {\n        any\n        two\n        turned\n        none\n        first\n    }"
    apart = "    track_process {\n        apart\n    }"
    one = INSTANCE.format(name="VI_1", vrid=51, tracks=weighted)
    two = INSTANCE.format(name="VI_2", vrid=52, tracks=apart)
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen([str(folder / folder.name), *words]))
        return running[-1]

    def end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    with playing(make, folder, PROCESSES, one, two) as story:
        shutil.copy("/bin/sleep", folder / folder.name)
        try:
            story.until('INSTANCE "VI_1" MASTER 83')
            first = start("1000")
            story.until('INSTANCE "VI_1" MASTER_PRIORITY 85')
            second = start("1000")
            story.until('INSTANCE "VI_1" MASTER_PRIORITY 105')
            third = start("77")
            story.until('INSTANCE "VI_1" MASTER_PRIORITY 106')
            story.until('INSTANCE "VI_2" MASTER 100')
            fourth = start("77", "more")
            end(third)
            story.until('INSTANCE "VI_2" FAULT 100', 2)
            end(fourth)
            story.until('INSTANCE "VI_1" MASTER_PRIORITY 105', 2)
            end(second)
            story.until('INSTANCE "VI_1" MASTER_PRIORITY 85', 2)
            end(first)
            story.until('INSTANCE "VI_1" MASTER_PRIORITY 83')
            again = start("1000")
            story.until('INSTANCE "VI_1" MASTER_PRIORITY 85', 3)
            end(again)
            time.sleep(0.2)
            again = start("1000")  # within the delay of `turned`
            time.sleep(1.5)
            story.director.stop()
            story.until('INSTANCE "VI_2" STOP 100')
        finally:
            for process in running:
                end(process)
        return story.told()


@pytest.mark.parametrize("story", [files, processes])
@pytest.mark.parametrize("make", ["ours", "keepalived"])
def test_both_tell_the_same(make: str, story: Callable[[str, Path], tuple[list[str], list[str]]]) -> None:
    """Log lines and FIFO lines from start to stop, each in their order."""
    with tempfile.TemporaryDirectory(prefix="pyk-story-") as name, ThreadPoolExecutor(2) as pool:
        suffix = name[-8:]  # other tests are played at the same time
        told = pool.submit(story, "keepalived", Path(name, f"told{suffix}"))
        ours = pool.submit(story, make, Path(name, f"ours{suffix}"))
        their_log, their_fifo = told.result()
        our_log, our_fifo = ours.result()
    assert our_fifo == their_fifo
    assert our_log == their_log
    assert len(our_fifo) > 15
