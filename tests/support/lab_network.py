"""Hosts as network namespaces, joined by switches: the machines of a lab test or of the demonstration.

Works in a guest and on any kernel, as root. Names start with a prefix, and `Network` takes away what it made.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class NetworkError(Exception):
    """A command in a host failed, or something awaited did not come."""


def run(*command: str, timeout: float = 60) -> str:
    """Run a command to its end; its output, or NetworkError with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        raise NetworkError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_until(condition: Callable[[], object], seconds: float, what: str, pause: float = 0.1) -> float:
    """Wait for a condition; the seconds it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise NetworkError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
    return time.monotonic() - began


class Network:
    """A set of hosts and the switches between them."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.hosts: dict[str, Host] = {}
        self.switches = Host(self, "switch")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in (*self.hosts.values(), self.switches):
            host.end()

    def switch(self, name: str) -> None:
        """A new switch that hosts can be attached to."""
        self.switches.ip("link", "add", name, "type", "bridge", "mcast_snooping", "0")
        self.switches.ip("link", "set", name, "up")

    def host(self, name: str) -> "Host":
        """A new host with a loopback only."""
        host = self.hosts[name] = Host(self, name)
        return host


class Host:
    """One machine: a network namespace and the processes in it."""

    def __init__(self, network: Network, name: str) -> None:
        self.network = network
        self.name = name
        self.namespace = network.prefix + name
        self._ports: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        run("ip", "netns", "add", self.namespace)
        self.ip("link", "set", "lo", "up")
        self.sysctl("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")

    def ip(self, *words: str) -> str:
        """The command `ip` in this host."""
        return run("ip", "-n", self.namespace, *words)

    def run(self, *command: str, timeout: float = 60) -> str:
        """Run a command in this host."""
        return run("ip", "netns", "exec", self.namespace, *command, timeout=timeout)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Be this host for a moment: sockets and processes made in the block are its own, and stay so."""
        with Path("/proc/self/ns/net").open("rb") as home, Path("/run/netns", self.namespace).open("rb") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def sysctl(self, *settings: str) -> None:
        """Set kernel parameters of this host, as `name=value`."""
        self.run("sysctl", "-eqw", *settings)

    def attach(self, switch: str, interface: str, *addresses: str) -> None:
        """Plug a new interface into a switch and give it addresses."""
        port = f"{self.name}-{interface}"
        switches = self.network.switches
        switches.ip("link", "add", port, "type", "veth", "peer", "name", interface, "netns", self.namespace)
        switches.ip("link", "set", port, "master", switch, "up")
        self._ports.append(port)
        for address in addresses:
            self.ip("address", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))
        self.ip("link", "set", interface, "up")

    def cable(self, *, plugged: bool) -> None:
        """Pull its cables out of the switches, or put them back: it is not heard, and nobody is told."""
        for port in self._ports:
            self.network.switches.ip("link", "set", port, "up" if plugged else "down")

    def start(self, command: Sequence[str], log: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a process in this host; it ends with the host at the latest."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def addresses(self) -> set[str]:
        """All addresses of this host, without lengths."""
        lines = self.ip("-o", "address", "show").splitlines()
        return {line.split()[3].partition("/")[0] for line in lines}

    def lose_power(self) -> None:
        """End as a machine does that loses its power: every process at once, and the cable with them."""
        self._kill()
        for port in self._ports:
            self.network.switches.ip("link", "set", port, "down")
        self.end()

    def end(self) -> None:
        """End every process and the namespace with its interfaces."""
        self._kill()
        for process in self._processes:
            process.wait()
        self._processes.clear()
        with contextlib.suppress(NetworkError):
            for port in self._ports:
                self.network.switches.ip("link", "delete", port)
            run("ip", "netns", "delete", self.namespace)
        self._ports.clear()

    def _kill(self) -> None:
        """Kill every process, none noticing another's end: all are stopped first."""
        with contextlib.suppress(NetworkError):
            pids = run("ip", "netns", "pids", self.namespace).split()
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), number)


def _enter(namespace: int) -> None:
    """setns(2)."""
    if _LIBC.setns(namespace, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise NetworkError(f"setns: {os.strerror(number)}")


def has_ipvs() -> bool:
    """Whether this kernel has IPVS, perhaps as a module not loaded yet."""
    if Path("/proc/net/ip_vs").exists():
        return True
    with contextlib.suppress(NetworkError, FileNotFoundError):
        run("modprobe", "ip_vs")
    return Path("/proc/net/ip_vs").exists()
