"""FRR's vrrpd, a peer that shares no line with keepalived: zebra and vrrpd in one host, never installed.

FRR wants what an installed package has made: its user and groups, which it has here in a mount namespace of its own.
The virtual addresses are on a macvlan with the router's Ethernet address, made before; vrrpd takes it up and down.
"""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.director import CHECKOUT
from tests.support.netns import Host

PASSWD = "root:x:0:0:root:/root:/bin/sh\nfrr:x:{user}:{user}::/nonexistent:/bin/false\n"
GROUP = "root:x:0:\nfrr:x:{user}:\nfrrvty:x:64997:frr\n"
USER = 64996
GATHERED = "mount --bind {folder}/passwd /etc/passwd; mount --bind {folder}/group /etc/group; "


@cache
def program(name: str) -> Path | None:
    """Where a program of FRR is: unpacked in the checkout, or the system's."""
    for place in (CHECKOUT / ".lab/bin" / name, Path("/usr/lib/frr") / name):
        if place.exists():
            return place
    return None


def why_not() -> str | None:
    """Why FRR cannot be a peer here, or None when it can."""
    if not all(program(name) for name in ("zebra", "vrrpd")):
        return "needs FRR: run script/test, which unpacks it"
    return None


def version() -> str:
    """Such as ``8.4.4``."""
    done = subprocess.run([str(program("vrrpd")), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[2]


class Frr:
    """zebra and vrrpd with one virtual router on eth0."""

    def __init__(self, host: Host, folder: Path, *, vrid: int, version: int, addresses: Sequence[str]) -> None:
        self.host = host
        self.folder = folder
        self.vrid = vrid
        self.version = version
        self.addresses = tuple(addresses)
        self.family = 6 if ":" in addresses[0] else 4
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        for name, text in (("passwd", PASSWD), ("group", GROUP)):
            (self.folder / name).write_text(text.format(user=USER))
        os.chown(self.folder, USER, USER)
        for parent in (self.folder, *self.folder.parents[:1]):
            parent.chmod(0o755)
        length = 24 if self.family == 4 else 64
        mac = f"00:00:5e:00:0{1 if self.family == 4 else 2}:{self.vrid:02x}"
        run = self.host.run
        run("ip", "link", "add", "vrrp", "link", "eth0", "type", "macvlan", "mode", "bridge")
        run("ip", "link", "set", "vrrp", "address", mac)
        for address in self.addresses:
            nodad = ["nodad"] if self.family == 6 else []
            run("ip", "addr", "add", f"{address}/{length}", "dev", "vrrp", *nodad)
        run("ip", "link", "set", "vrrp", "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, priority: int, interval: int) -> None:
        """Both daemons; the router is configured when they answer. The interval is in nanoseconds."""
        family = "ip" if self.family == 4 else "ipv6"
        lines = [
            "interface eth0",
            f" vrrp {self.vrid} version {self.version}",
            f" vrrp {self.vrid} priority {priority}",
        ]
        lines.append(f" vrrp {self.vrid} advertisement-interval {interval // 1_000_000}")
        lines += [f" vrrp {self.vrid} {family} {address}" for address in self.addresses]
        for name, text in (("zebra", ""), ("vrrpd", "\n".join([*lines, ""]))):
            file = self.folder / f"{name}.conf"
            file.write_text(text)
            self._start(name, file)

    def _start(self, name: str, file: Path) -> None:
        words = ["-f", file, "-i", self.folder / f"{name}.pid", "-z", self.folder / "zserv.api"]
        words += ["--vty_socket", self.folder, "-P", "0", "--log", f"file:{self.folder}/{name}.log"]
        command = GATHERED.format(folder=self.folder) + 'exec "$@"'
        argv = ["unshare", "--mount", "sh", "-euc", command, "sh", program(name), *words]
        with (self.folder / f"{name}.out").open("wb") as output:
            self._processes.append(
                self.host.popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            )
        end = time.monotonic() + 30
        while not (self.folder / f"{name}.vty").exists():
            assert time.monotonic() < end, f"{name} does not answer: {(self.folder / f'{name}.out').read_text()}"
            time.sleep(0.05)

    def stop(self) -> None:
        """A clean end: vrrpd says that it gives up."""
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            if process.poll() is None:
                process.kill()
                process.wait()
        self._processes.clear()
        for file in (*self.folder.glob("*.vty"), *self.folder.glob("*.pid"), *self.folder.glob("*.api")):
            file.unlink(missing_ok=True)

    def shown(self) -> dict[str, Any]:
        """What it shows of the router of its family."""
        for router in json.loads(self._ask("show vrrp json") or "[]"):
            return dict(router[f"v{self.family}"])
        return {}

    def _ask(self, question: str) -> str:
        """As vtysh asks: a line and a NUL; the answer ends in three NULs and a status. vtysh itself wants PAM."""
        place = self.folder / "vrrpd.vty"
        if not place.exists():
            return ""
        answer = b""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(20)
            with contextlib.suppress(ConnectionError):
                door.connect(str(place))
                for line in ("enable", question):
                    door.sendall(line.encode() + b"\0")
                    answer = b""
                    while answer[-4:-1] != bytes(3):
                        if not (more := door.recv(0x10000)):
                            return ""
                        answer += more
        return answer[:-4].decode()

    def state(self) -> str:
        """``MASTER``, ``BACKUP``, or what else it shows."""
        return str(self.shown().get("status", "")).upper()

    def story(self) -> str:
        """What it wrote, for a failure's message."""
        files = [*self.folder.glob("*.out"), *self.folder.glob("*.log")]
        return "\n".join(f"--- {file.name}\n{file.read_text()[-1500:]}" for file in files)
