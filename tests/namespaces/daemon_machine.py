"""A daemon as an operator starts it, in a network namespace of its own with two links to a neighbour."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.open_folder import open_folder

ROOT = Path(__file__).parents[2]
PATIENCE = 10.0

HEAD = "global_defs {\n    router_id test\n    enable_script_security\n    script_user root\n}\n"
OWNER = """
vrrp_instance VI_1 {
    interface left
    virtual_router_id 51
    priority 255
    advert_int 1
    virtual_ipaddress {
        10.91.1.100/24
    }
%s
}
"""
SECOND = """
vrrp_instance VI_2 {
    interface right
    virtual_router_id 52
    priority 100
    advert_int 1
    virtual_ipaddress {
        10.91.2.100/24
    }
}
"""
SERVERS = """
virtual_server 10.91.1.100 80 {
    delay_loop 1
    lvs_sched rr
    lvs_method NAT
    protocol TCP
    real_server 10.91.1.2 80 {
        TCP_CHECK {
            connect_timeout 1
        }
    }
}
"""


def why_not() -> str | None:
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if subprocess.run(["ip", "netns", "list"], capture_output=True, check=False).returncode != 0:
        return "needs the command ip with network namespaces"
    return None


MARKS = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=why_not() or "")]


def ip(words: str) -> str:
    return subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=True).stdout


class Machine:
    """A namespace, a folder for its files, and at most one daemon."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.conf = folder / "keepalived.conf"
        self.conf_word = str(self.conf)
        self.process: subprocess.Popen[bytes] | None = None
        self.text = ""

    def command(self, *options: str) -> list[str]:
        files = [f"--{word}={self.folder}/{word}" for word in ("pid", "vrrp_pid", "checkers_pid")]
        python = [sys.executable, "-m", "pykeepalived"]
        return ["ip", "netns", "exec", self.name, *python, "-f", self.conf_word, *files, *options]

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*options)
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE, check=False)

    def start(self, *options: str, **environment: str) -> None:
        self.text = ""
        self.process = subprocess.Popen(
            self.command("-n", "-l", "-D", *options),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env=os.environ | environment,
        )

    def until(self, pattern: str, count: int = 1) -> re.Match[str]:
        assert self.process is not None
        assert self.process.stderr is not None
        deadline = time.monotonic() + PATIENCE
        while True:
            found = list(re.finditer(pattern, self.text))
            if len(found) >= count:
                return found[count - 1]
            ready, _, _ = select.select([self.process.stderr], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self.process.stderr.fileno(), 65536) if ready else b""
            assert data, f"{pattern!r} was not said {count} times:\n{self.text}"
            self.text += data.decode()

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        assert self.process.stderr is not None
        self.send(number)
        code = self.process.wait(PATIENCE)
        self.text += self.process.stderr.read().decode()
        self.process.stderr.close()
        return code

    def pid(self, word: str) -> int:
        return int((self.folder / word).read_text())

    def has(self, address: str) -> bool:
        return f" {address}/" in ip(f"-n {self.name} -o addr show")


@pytest.fixture
def machine() -> Iterator[Machine]:
    name, neighbour = f"pkd{os.getpid()}a", f"pkd{os.getpid()}b"
    for each in (name, neighbour):
        ip(f"netns add {each}")
    try:
        for number, link in ((1, "left"), (2, "right")):
            ip(f"link add {link} netns {name} type veth peer name {link} netns {neighbour}")
            for host, each in ((1, name), (2, neighbour)):
                ip(f"-n {each} addr add 10.91.{number}.{host}/24 dev {link}")
                ip(f"-n {each} link set {link} up")
        ip(f"-n {name} link set lo up")
        with open_folder() as folder:
            machine = Machine(name, folder)
            yield machine
            if machine.process is not None:
                assert machine.process.stderr is not None
                if machine.process.poll() is None:
                    machine.process.kill()
                    machine.process.wait()
                machine.process.stderr.close()
    finally:
        for each in (name, neighbour):
            ip(f"netns del {each}")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon(condition: object) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())
