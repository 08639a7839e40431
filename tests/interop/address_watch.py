"""What happened to a host's addresses while nobody looked: ``ip monitor``, kept in a file, with the kernel's order."""

import contextlib
import datetime as dt
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.netns import Host

_LINE = re.compile(r"\[(?P<at>[^]]+)\]\s*(?P<deleted>Deleted )?\d+: (?P<device>\S+)\s+inet6? (?P<address>[0-9a-f.:]+)/")


@dataclass(frozen=True, slots=True)
class AddressChange:
    """One address that came or went."""

    at: int
    address: str
    device: str
    deleted: bool


class AddressWatch:
    """The changes so far."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def changes(self, address: str) -> list[AddressChange]:
        """All that happened to one address."""
        found = []
        for line in self._file.read_text().splitlines():
            if (seen := _LINE.search(line)) and seen["address"] == address:
                told = dt.datetime.fromisoformat(seen["at"]).astimezone()
                at = int(told.timestamp()) * 1_000_000_000 + told.microsecond * 1000
                found.append(AddressChange(at, seen["address"], seen["device"], seen["deleted"] is not None))
        return found

    def deletions(self, address: str) -> list[AddressChange]:
        """When one address went."""
        return [change for change in self.changes(address) if change.deleted]


@contextlib.contextmanager
def address_watch(host: Host, folder: Path) -> Iterator[AddressWatch]:
    """Watch a host's addresses; a probe address on the loopback shows that the watch stands before anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "addresses"
    with file.open("wb") as log:
        process = host.popen(["ip", "-o", "-ts", "monitor", "address"], stdout=log, stderr=subprocess.DEVNULL)
    try:
        watch = AddressWatch(file)
        for number in range(1, 200):
            host.run("ip", "addr", "add", f"127.9.9.{number}/8", "dev", "lo")
            if watch.changes(f"127.9.9.{number}"):
                break
            time.sleep(0.02)
        yield watch
    finally:
        process.kill()
        process.wait()
