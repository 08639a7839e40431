"""Hosts and Ethernet segments made of network namespaces, and gone again when the test ends.

A `Network` owns everything. A `Segment` is a namespace with one bridge; every cable is a veth pair with one end in a
host and the other on the bridge, where it can be pulled (`Cable.pull`: the host loses its carrier), or quietly
partitioned (`Cable.isolate`: the carrier stays, the frames do not arrive). Names carry our process id, so that two test
runs never meet. What runs inside the hosts is not known here.
"""

import contextlib
import ctypes
import ipaddress
import itertools
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

CLONE_NEWNET = 0x40000000
NETNS_FOLDER = Path("/run/netns")
T = TypeVar("T")

_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str | None:
    """Why namespaces cannot be made here, or None when they can."""
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    for tool in ("ip", "bridge", "nsenter"):
        if shutil.which(tool) is None:
            return f"needs the command {tool}"
    return None


def _call(*argv: str) -> str:
    """Run a command to its end and give its output; its complaint is part of the exception."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _enter(namespace: str) -> None:
    """Move the calling thread into a namespace (os.setns comes with Python 3.12)."""
    with (NETNS_FOLDER / namespace).open("rb") as door:
        if _libc.setns(door.fileno(), CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), namespace)


def inside(namespace: str, action: Callable[[], T]) -> T:
    """Do something in a namespace: on a thread of its own, since a namespace belongs to a thread.

    Sockets made there stay there.
    """
    outcome: list[T] = []
    trouble: list[BaseException] = []

    def work() -> None:
        try:
            _enter(namespace)
            outcome.append(action())
        except BaseException as exception:  # noqa: BLE001  carried over to the caller's thread
            trouble.append(exception)

    thread = threading.Thread(target=work, name=f"in {namespace}")
    thread.start()
    thread.join()
    if trouble:
        raise trouble[0]
    return outcome[0]


@dataclass(slots=True)
class Cable:
    """One veth pair: `device` in the host, `port` on the segment's bridge."""

    segment: "Segment"
    host: "Host"
    device: str
    port: str

    def pull(self) -> None:
        """Take the far end down: the host's device stays up but loses its carrier."""
        _call("ip", "-n", self.segment.namespace, "link", "set", self.port, "down")

    def plug(self) -> None:
        """Bring the far end up again."""
        _call("ip", "-n", self.segment.namespace, "link", "set", self.port, "up")

    def isolate(self) -> None:
        """Let no frame pass to other isolated ports; nobody's carrier changes."""
        self._isolated("on")

    def join(self) -> None:
        """The opposite of isolate."""
        self._isolated("off")

    def _isolated(self, word: str) -> None:
        _call("bridge", "-n", self.segment.namespace, "link", "set", "dev", self.port, "isolated", word)

    @property
    def mac(self) -> str:
        """The Ethernet address of the host's end."""
        return str(self.host.links()[self.device]["address"])


@dataclass(slots=True)
class Segment:
    """One Ethernet: a bridge without spanning tree or snooping in a namespace of its own."""

    name: str
    namespace: str
    cables: list[Cable] = field(default_factory=list)


@dataclass(slots=True)
class Host:
    """One machine: a network namespace."""

    name: str
    namespace: str
    cables: dict[str, Cable] = field(default_factory=dict)

    def attach(
        self, segment: Segment, addresses: Sequence[str] = (), *, device: str = "eth0", mac: str | None = None
    ) -> Cable:
        """Lay a cable to a segment; addresses are written with their prefix length and are usable at once."""
        port = f"{self.name}-{device}"[:15]
        made = f"v{os.getpid() % 1_000_000}x{next(_numbers)}"
        _call("ip", "-n", segment.namespace, "link", "add", made, "type", "veth", "peer", "name", f"{made}p")
        _call("ip", "-n", segment.namespace, "link", "set", f"{made}p", "netns", self.namespace, "name", device)
        port_orders = [f"link set {made} name {port}", f"link set {port} master switch", f"link set {port} up"]
        _batch(segment.namespace, port_orders)
        orders = [f"link set {device} address {mac}"] if mac else []
        orders.append(f"link set {device} up")
        for address in addresses:
            nodad = " nodad" if ipaddress.ip_interface(address).version == 6 else ""
            orders.append(f"addr add {address} dev {device}{nodad}")
        _batch(self.namespace, orders)
        cable = Cable(segment, self, device, port)
        segment.cables.append(cable)
        self.cables[device] = cable
        return cable

    def command(self, *argv: str) -> list[str]:
        """The argument vector that runs `argv` in this host; the process becomes `argv` itself by exec."""
        return ["nsenter", f"--net={NETNS_FOLDER / self.namespace}", "--", *argv]

    def run(self, *argv: str) -> str:
        """Run a command here to its end and give its output."""
        return _call(*self.command(*argv))

    def ip(self, *orders: str) -> None:
        """Several ``ip`` commands here, in one process."""
        _batch(self.namespace, orders)

    def popen(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process here."""
        return subprocess.Popen(self.command(*argv), **options)

    def inside(self, action: Callable[[], T]) -> T:
        """Call a function here."""
        return inside(self.namespace, action)

    def links(self) -> dict[str, dict[str, Any]]:
        """The devices by name, as ``ip -j link`` tells them."""
        return {link["ifname"]: link for link in json.loads(_call("ip", "-n", self.namespace, "-j", "link"))}

    def address_entries(self, device: str = "eth0") -> list[dict[str, Any]]:
        """The addresses of a device, as ``ip -j addr`` tells them."""
        told = json.loads(_call("ip", "-n", self.namespace, "-j", "addr", "show", "dev", device))
        return [entry for link in told for entry in link.get("addr_info", [])]

    def addresses(self, device: str = "eth0") -> set[str]:
        """The addresses of a device, with their prefix lengths."""
        return {f"{entry['local']}/{entry['prefixlen']}" for entry in self.address_entries(device)}

    def has(self, address: str, device: str = "eth0") -> bool:
        """Whether a device carries an address, whatever its prefix length."""
        return any(entry["local"] == address for entry in self.address_entries(device))


class Outside(Host):
    """A host whose processes are started outside of it: they enter it by themselves (``net_namespace``)."""

    def popen(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process outside."""
        return subprocess.Popen(argv, **options)


def _batch(namespace: str, orders: Sequence[str]) -> None:
    """Several ``ip`` commands in one process."""
    done = subprocess.run(
        ["ip", "-n", namespace, "-batch", "-"], input="\n".join(orders), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{orders}: {done.stderr.strip()}")


class Network:
    """All the segments and hosts of one test; leaving the context removes every one."""

    def __init__(self) -> None:
        self._namespaces: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        for namespace in reversed(self._namespaces):
            with contextlib.suppress(RuntimeError):
                _call("ip", "netns", "delete", namespace)

    def _namespace(self, name: str) -> str:
        namespace = f"pyk{os.getpid()}-{next(_numbers)}-{name}"
        _call("ip", "netns", "add", namespace)
        self._namespaces.append(namespace)
        # Link-local addresses come from the Ethernet address, and are usable at once.
        for setting in ("all", "default"):
            _sysctl(namespace, f"net/ipv6/conf/{setting}/accept_dad", "0")
        return namespace

    def segment(self, name: str = "lan") -> Segment:
        """A new Ethernet."""
        segment = Segment(name, self._namespace(name))
        _sysctl(segment.namespace, "net/ipv6/conf/default/disable_ipv6", "1")
        _batch(
            segment.namespace,
            ["link add switch type bridge stp_state 0 mcast_snooping 0 forward_delay 0", "link set switch up"],
        )
        return segment

    def host(self, name: str) -> Host:
        """A new machine with nothing but its loopback."""
        host = Host(name, self._namespace(name))
        _batch(host.namespace, ["link set lo up"])
        return host


def _sysctl(namespace: str, path: str, value: str) -> None:
    """Write one of a namespace's own settings; a kernel without IPv6 has none of them."""

    def write() -> None:
        setting = Path("/proc/sys") / path
        if setting.exists():
            setting.write_text(value)

    inside(namespace, write)


@contextlib.contextmanager
def pair(
    addresses: Sequence[Sequence[str]] = (("10.77.0.1/24", "fd77::1/64"), ("10.77.0.2/24", "fd77::2/64")),
) -> Iterator[tuple[Segment, Host, Host]]:
    """Two hosts on one segment, the usual stage of an election."""
    with Network() as network:
        segment = network.segment()
        left, right = network.host("left"), network.host("right")
        left.attach(segment, addresses[0], mac="02:00:00:00:00:01")
        right.attach(segment, addresses[1], mac="02:00:00:00:00:02")
        yield segment, left, right


def packet_socket(namespace: str) -> socket.socket:
    """A socket that sees every frame of every device of a namespace."""
    everything = 3  # ETH_P_ALL
    return inside(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(everything)))
