"""What runs on the hosts of the lab: servers of every kind, the daemon under test, and what IPVS says there."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from tests.support import nsd
from tests.support.lab import CHECKOUT, daemon_command, required
from tests.support.lab_network import Host, NetworkError, run, wait_until
from tests.support.lab_sockets import page

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_timeout 0;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    types {{ }} default_type application/octet-stream;
    server {{
        listen 80; listen [::]:80 ipv6only=on;
        location / {{ return 200 "{name}\\n"; }}
        location /files/ {{
            if (-f {folder}/broken) {{ return 500; }}
            root {folder}; limit_rate_after 64k; limit_rate {rate};
        }}
    }}
}}
"""
HEALTH = "/files/health"
"""The page that a checker asks a web server for."""


class WebServer:
    """nginx on a host; every page is the host's name, but for its `files`, sent at a `rate` (bytes a second)."""

    def __init__(self, host: Host, rate: str = "0") -> None:
        self.host = host
        self._folder = Path(tempfile.mkdtemp(prefix=f"{host.name}-"))
        self.files = self._folder / "files"
        self.files.mkdir()
        self.break_health(wrong_text=False)
        self._rate = rate
        self._process: subprocess.Popen[bytes] | None = None

    def break_health(self, *, error: bool = False, wrong_text: bool = False) -> None:
        """From now on the page of health is an error 500, or another text than it should; or neither."""
        broken = self._folder / "broken"
        if error:
            broken.touch()
        else:
            broken.unlink(missing_ok=True)
        (self.files / "health").write_text("ill" if wrong_text else "well")

    def start(self) -> None:
        """Start it and wait until it listens."""
        file = self._folder / "nginx.conf"
        file.write_text(NGINX.format(folder=self._folder, name=self.host.name, rate=self._rate), encoding="utf-8")
        with (self._folder / "log").open("ab") as log:
            self._process = self.host.start(
                [required("nginx"), "-e", str(self._folder / "error.log"), "-p", str(self._folder), "-c", str(file)],
                log,
            )
        wait_until((self._folder / "nginx.pid").exists, 20, f"nginx on {self.host.name}")

    def kill(self) -> None:
        """End it without ado."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "nginx.pid").unlink()


class Server:
    """A program on a host that is there once a client of that host reaches its TCP port."""

    def __init__(self, host: Host, command: Sequence[str], address: str, port: int) -> None:
        self.host = host
        self._command = command
        self._place = (address, port)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = self.host.start(self._command)
        wait_until(self.listens, 30, f"{self._command[0]} on {self.host.name}")

    def listens(self) -> bool:
        """Whether it takes connections."""
        with contextlib.suppress(OSError), self.host.inside(), socket.create_connection(self._place, 2):
            return True
        return False

    def kill(self) -> None:
        """End it without ado, with all its processes."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class EchoServer(Server):
    """Answers over TCP, UDP and SCTP with its host's name; see lab_echo."""

    def __init__(self, host: Host, port: int, *addresses: str) -> None:
        program = str(CHECKOUT / "tests/support/lab_echo.py")
        command = [sys.executable, "-I", "-S", program, host.name, str(port), *addresses]
        super().__init__(host, command, addresses[0], port)


class DnsServer(Server):
    """NSD, the master of example.org."""

    def __init__(self, host: Host, address: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix=f"{host.name}-"))
        super().__init__(host, [required("nsd"), *nsd.write(folder, [address])], address, 53)


class SmtpServer(Server):
    """msmtpd: takes any mail and throws it away."""

    def __init__(self, host: Host, address: str, port: int = 25) -> None:
        command = [required("msmtpd"), f"--interface={address}", f"--port={port}", "--command=cat > /dev/null; :"]
        super().__init__(host, command, address, port)
        etc = Path("/etc/netns", host.namespace)  # `ip netns exec` lays it over /etc
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "nsswitch.conf").write_text("hosts: files\n")  # it looks its clients up, and nobody answers


@dataclass(frozen=True, slots=True)
class Request:
    """When a request began (monotonic clock, seconds), and the page it got, or `-`."""

    began: float
    page: str


class Requests:
    """A process on the client that asks a web server at a steady pace; see steady_requests."""

    def __init__(self, client: Host, address: str, per_second: float, patience: float) -> None:
        self._file = Path(tempfile.mkdtemp(prefix="requests-")) / "requests"
        self._patience = patience
        program = str(CHECKOUT / "tests/support/steady_requests.py")
        with self._file.open("wb") as output:
            command = [sys.executable, "-I", "-S", program, address, "80", str(per_second), str(patience)]
            self._process = client.start(command, output)

    def so_far(self) -> list[Request]:
        """The requests that have ended, in the order of their beginnings."""
        lines = [line.split() for line in self._file.read_text().splitlines()]
        return sorted((Request(float(line[0]), line[1]) for line in lines if len(line) == 2), key=lambda one: one.began)

    def end(self) -> list[Request]:
        """Wait for those that are under way, and ask no more."""
        time.sleep(self._patience + 0.5)
        self._process.kill()
        self._process.wait()
        return self.so_far()


class Daemon:
    """pykeepalived on a host, or another program that takes the same options (LAB_DAEMON)."""

    def __init__(self, host: Host, configuration: str, *options: str) -> None:
        self.host = host
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix=f"{host.name}-"))
        self.file = self.folder / "keepalived.conf"
        self.log_file = self.folder / "log"
        self.configure(configuration)
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self, configuration: str) -> None:
        """Write the configuration file."""
        self.file.write_text(configuration, encoding="utf-8")

    def start(self) -> None:
        """Start it in the foreground, logging to a file in full detail."""
        other = os.environ.get("LAB_DAEMON")
        command = [*([other] if other else daemon_command()), "-n", "-l", "-D", "-f", str(self.file), *self._options]
        for option, name in (("-p", "parent"), ("-r", "vrrp"), ("-c", "checkers")):
            command += [option, str(self.folder / f"{name}.pid")]
        with self.log_file.open("ab") as log:
            self.process = self.host.start(command, log)

    def signal(self, number: int) -> None:
        """Send a signal to its main process."""
        if self.process is None:
            raise NetworkError("not started")
        self.process.send_signal(number)

    def reload(self, configuration: str) -> None:
        """Give it another configuration."""
        self.configure(configuration)
        self.signal(signal.SIGHUP)

    def stop(self, seconds: float = 20) -> int:
        """Stop it as an operator does; its exit code."""
        self.signal(signal.SIGTERM)
        if self.process is None:
            raise NetworkError("not started")
        return self.process.wait(seconds)

    def checker_pid(self) -> int:
        """The process of the checkers, or 0."""
        try:
            return int((self.folder / "checkers.pid").read_text())
        except (OSError, ValueError):
            return 0

    def ended(self) -> bool:
        """Whether it was started and is gone."""
        return self.process is not None and self.process.poll() is not None

    def log(self) -> str:
        """Everything it logged."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def wait_for(self, text: str, seconds: float = 30, after: int = 0) -> None:
        """Wait until the log, from a position on, holds a text."""
        try:
            wait_until(lambda: text in self.log()[after:], seconds, f"{text!r} in the log")
        except NetworkError as error:
            raise NetworkError(f"{error}\n--- log of {self.host.name}\n{self.log()[-6000:]}") from error


@dataclass(frozen=True, slots=True)
class Destination:
    """One real server as the kernel has it."""

    forward: str
    weight: int
    active: int
    inactive: int


def ipvs_table(host: Host) -> dict[str, dict[str, Destination]]:
    """The kernel's table of a host: `TCP 10.9.0.100:80` -> `10.9.0.11:80` -> Destination."""
    table: dict[str, dict[str, Destination]] = {}
    service: dict[str, Destination] = {}
    for words in _rows(host):
        if words[0] == "->":
            service[words[1]] = Destination(words[2], int(words[3]), int(words[4]), int(words[5]))
        else:
            service = table[f"{words[0]} {words[1]}"] = {}
    return table


def pool(host: Host) -> set[str]:
    """The addresses that the kernel of a host gives connections to, of all services: read at once, without ipvsadm."""
    with host.inside():
        rows = [line.split() for line in Path("/proc/net/ip_vs").read_text().splitlines()]
    servers = [row for row in rows if row[0] == "->" and row[3].isdecimal() and int(row[3])]
    return {_address(row[1].rpartition(":")[0]) for row in servers}


def _address(text: str) -> str:
    """An address as /proc/net/ip_vs has it."""
    return str(ip_address(text.strip("[]") if ":" in text else int(text, 16)))


def connections(host: Host) -> dict[str, dict[str, int]]:
    """How many connections each real server was ever given: `TCP 10.9.0.100:80` -> `10.9.0.11:80` -> count."""
    table: dict[str, dict[str, int]] = {}
    service: dict[str, int] = {}
    for words in _rows(host, "--stats", "--exact"):
        if words[0] == "->":
            service[words[1]] = int(words[2])
        else:
            service = table[f"{words[0]} {words[1]}"] = {}
    return table


def _rows(host: Host, *options: str) -> Iterator[list[str]]:
    """The words of the lines of ipvsadm's listing that tell of services and destinations."""
    for line in ipvsadm(host, "-Ln", *options).splitlines():
        words = line.split()
        if words and words[0] in {"TCP", "UDP", "SCTP", "FWM", "->"} and words[1] != "RemoteAddress:Port":
            yield words


def ipvsadm(host: Host, *words: str) -> str:
    """What ipvsadm says on a host."""
    with host.inside():
        return run(required("ipvsadm"), *words)


def pages(client: Host, address: str, count: int, *, seconds: float = 2) -> list[str]:
    """Ask an address for its page several times, one connection each; an empty string where none came."""
    return [page(client, address, seconds=seconds) for _ in range(count)]
