"""Two network namespaces joined by one veth pair, for tests of a single process's sockets."""

import contextlib
import ctypes
import itertools
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str | None:
    """What is missing for namespaces, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if subprocess.run(["ip", "netns", "list"], capture_output=True, check=False).returncode != 0:
        return "needs the command ip with network namespaces"
    return None


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace; its end of the pair is called ``eth0``."""

    name: str

    def ip(self, words: str) -> str:
        """Run ``ip`` in it."""
        done = subprocess.run(["ip", "-n", self.name, *words.split()], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"ip {words}: {done.stderr.strip()}")
        return done.stdout

    def wait_for(self, flag: str) -> None:
        """Until ``eth0`` has a flag and its operational state says so too: the kernel sets it a little later."""
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            told = self.ip("link show eth0")
            if flag in told and "state UP" in told:
                return
            time.sleep(0.01)
        raise RuntimeError(f"eth0 of {self.name} has no {flag}")

    def call(self, action: Callable[[], T]) -> T:
        """Do something in it; sockets made there stay there."""
        outcome: list[T] = []
        trouble: list[BaseException] = []

        def work() -> None:
            try:
                with Path("/run/netns", self.name).open("rb") as door:
                    if _libc.setns(door.fileno(), _CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")  # noqa: TRY301
                outcome.append(action())
            except BaseException as exception:  # noqa: BLE001 - carried over to the caller's thread
                trouble.append(exception)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if trouble:
            raise trouble[0]
        return outcome[0]


@contextlib.contextmanager
def veth_pair() -> Iterator[tuple[Namespace, Namespace]]:
    """Both ends up, without addresses but their own link-local ones (usable at once)."""
    stem = f"kd{os.getpid()}-{next(_numbers)}"
    left, right = Namespace(f"{stem}l"), Namespace(f"{stem}r")
    made: list[Namespace] = []
    try:
        for namespace in (left, right):
            subprocess.run(["ip", "netns", "add", namespace.name], check=True)
            made.append(namespace)
            settings = "net.ipv6.conf.default.accept_dad=0"
            subprocess.run(["ip", "netns", "exec", namespace.name, "sysctl", "-qw", settings], check=True)
            namespace.ip("link set lo up")
        left.ip(f"link add name eth0 type veth peer name eth0 netns {right.name}")
        for namespace in (left, right):
            namespace.ip("link set eth0 up")
        for namespace in (left, right):
            namespace.wait_for("LOWER_UP")
        yield left, right
    finally:
        for namespace in made:
            subprocess.run(["ip", "netns", "del", namespace.name], check=False)
