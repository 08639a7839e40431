"""MISC_CHECK, FILE_CHECK and their notifications beside keepalived's: the same steps, the same words in the same order.

Both run at the same time, each with its own files. keepalived needs IPVS, so a library answers for the kernel; the
programs and files are real.
"""

import contextlib
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.checkers import without_ipvs
from tests.support import keepalived, pykeepalived
from tests.support.director import Director
from tests.support.netns import Network, why_not

pytestmark = [
    pytest.mark.root,
    pytest.mark.long,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.skipif(keepalived.why_not() is not None, reason=str(keepalived.why_not())),
]

PATIENCE = 60.0
LEAST = "-2147483648"

CONFIG = """
global_defs {{
    script_user root
    lvs_notify_fifo {folder}/fifo
}}
track_file f {{
    file {folder}/f
    weight 3
}}
track_file g {{
    file {folder}/g
    weight 0
}}
virtual_server 10.9.0.1 80 {{
    delay_loop 1
    protocol TCP
    lvs_sched wrr
    lvs_method DR
    quorum 31
    warmup 0
    quorum_up "{folder}/notify quorum_up 'a b'"
    quorum_down "{folder}/notify quorum_down c"
    real_server 127.0.0.1 80 {{
        weight 10
        notify_up "{folder}/notify up 1"
        notify_down "{folder}/notify down 1"
        MISC_CHECK {{
            misc_path "{folder}/check one"
            misc_dynamic
            retry 2
            delay_before_retry 0.4
            log_all_failures
        }}
    }}
    real_server 127.0.0.2 80 {{
        weight 20
        MISC_CHECK {{
            misc_path "{folder}/check two 'b c'"
            misc_timeout 1
        }}
    }}
    real_server 127.0.0.3 80 {{
        weight 10
        notify_up "{folder}/notify up 3"
        notify_down "{folder}/notify down 3"
        FILE_CHECK {{
            track_file f
        }}
    }}
    real_server 127.0.0.4 80 {{
        weight 1
        FILE_CHECK {{
            track_file g
        }}
        FILE_CHECK {{
            track_file f
            weight 2 reverse
        }}
    }}
}}
"""

CHECK = """#!/bin/sh
read order < {folder}/$1
case $order in hang) exec sleep 60;; die) kill -9 $$;; esac
exit $order
"""
# one write a line, for several run at once
NOTIFY = """#!/bin/sh
echo "$# $*|$(id -u)|$(readlink /proc/self/fd/0)|$(readlink /proc/$$/fd/2)|$(pwd)" >> {folder}/told
"""

STEPS: tuple[tuple[str, str], ...] = (
    ("one", "1"),
    ("one", "0"),
    ("two", "2"),
    ("two", "0"),
    ("f", "2"),
    ("f", "-7"),
    ("f", LEAST),
    ("f", "5"),
    ("f", "words"),
    ("g", "-3"),
    ("g", "0"),
    ("one", "9"),
    ("one", "0"),  # 2.2.7 would count wrongly after a signal
    ("one", "die"),
    ("one", "5"),
    ("two", "hang"),
    ("two", "0"),
    ("f", LEAST),
    ("f", "0"),
)

_WORTH = re.compile(r"Misc check|Changing weight|Adding|Removing|quorum|tracked file")
_SERVER = re.compile(r"127\.0\.0\.\d")


class Teller:
    """One daemon with its files."""

    def __init__(self, director: Director) -> None:
        self.director = director
        self.folder = director.folder
        self.fifo: list[str] = []

    @classmethod
    def prepare(cls, folder: Path) -> str:
        """Programs and files; the configuration."""
        folder.mkdir(parents=True)
        for name, text in (("check", CHECK), ("notify", NOTIFY)):
            (folder / name).write_text(text.format(folder=folder))
            (folder / name).chmod(0o755)
        for name, text in (("one", "7"), ("two", "0"), ("f", "1"), ("g", "0"), ("told", "")):
            (folder / name).write_text(f"{text}\n" if text else "")
        os.mkfifo(folder / "fifo")
        return CONFIG.format(folder=folder)

    def put(self, name: str, text: str) -> None:
        other = self.folder / "other"
        other.write_text(f"{text}\n")
        other.rename(self.folder / name)

    def lines(self) -> dict[str, list[str]]:
        """What was said of each server and of the quorum."""
        said: dict[str, list[str]] = defaultdict(list)
        for line in self.director.log_file.read_text().splitlines():
            text = line.partition(f"{time.gmtime().tm_year}: ")[2].replace(str(self.folder), "")
            if _WORTH.search(text):
                found = _SERVER.search(text)
                said[found[0] if found else "quorum"].append(text)
        return dict(said)

    def told(self) -> dict[str, list[str]]:
        """What the scripts were given, script by script: they run beside each other."""
        found: dict[str, list[str]] = defaultdict(list)
        for line in (self.folder / "told").read_text().splitlines():
            found[line.partition("|")[0]].append(line.replace(str(self.folder), ""))
        return dict(found)

    def listen(self) -> None:
        """Read its FIFO as long as it is there."""

        def read() -> None:
            descriptor = os.open(self.folder / "fifo", os.O_RDWR)  # one writer always, so that it has no end
            with os.fdopen(descriptor, encoding="utf-8") as fifo:
                for line in fifo:
                    self.fifo.append(line)

        threading.Thread(target=read, daemon=True).start()


@contextlib.contextmanager
def both(folder: Path) -> Iterator[list[Teller]]:
    """Two daemons, running: keepalived and pykeepalived."""
    makes = (without_ipvs(keepalived.make(), folder), pykeepalived.make())
    with Network() as network, contextlib.ExitStack() as stack:
        tellers = []
        for make in makes:
            config = Teller.prepare(folder / make.name)
            director = Director(network.host(make.name), make, folder / make.name, config, options=("-C", "-D"))
            teller = Teller(stack.enter_context(director))
            teller.listen()
            tellers.append(teller)
        for teller in tellers:
            teller.director.start()
        yield tellers
        for teller in tellers:
            teller.director.stop()


def agree(tellers: Sequence[Teller], before: int) -> int:
    """Wait until both have said more, and the same; how much that is."""
    end = time.monotonic() + PATIENCE
    while True:
        said = [teller.lines() for teller in tellers]
        count = sum(len(lines) for lines in said[0].values())
        if said[0] == said[1] and count > before:
            time.sleep(1.5)  # nothing may follow that is not the same
            if [teller.lines() for teller in tellers] == said:
                return count
        if time.monotonic() > end:
            assert said[1] == said[0]
            raise AssertionError("nothing more was said")
        time.sleep(0.1)


def test_both_say_the_same(tmp_path: Path) -> None:
    """A program that always succeeded, a file that was never read or a line in another order would be seen."""
    with both(tmp_path) as (theirs, ours):
        count = agree((theirs, ours), 0)
        for name, text in STEPS:
            for teller in (theirs, ours):
                teller.put(name, text)
            count = agree((theirs, ours), count)
        assert count > 50
        told = theirs.told()
        assert ours.told() == told
        assert set(told) >= {"2 up 1", "2 down 1", "2 up 3", "2 down 3", "2 quorum_up a b", "2 quorum_down c"}
        assert ours.fifo == theirs.fifo
        assert sum(line.startswith("RS ") for line in ours.fifo) > 10
