"""What runs on the hosts of the lab: web servers, the daemon under test, and what IPVS says there."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.lab import daemon_command, required
from tests.support.lab_network import Host, NetworkError, wait_until

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_timeout 0;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 80; listen [::]:80 ipv6only=on; location / {{ return 200 "{name}\\n"; }} }}
}}
"""


class WebServer:
    """nginx on a host; every page is the host's name."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._folder = Path(tempfile.mkdtemp(prefix=f"{host.name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        file = self._folder / "nginx.conf"
        file.write_text(NGINX.format(folder=self._folder, name=self.host.name), encoding="utf-8")
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


class Daemon:
    """pykeepalived on a host, or another program that takes the same options (LAB_DAEMON)."""

    def __init__(self, host: Host, configuration: str) -> None:
        self.host = host
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
        command = [*([other] if other else daemon_command()), "-n", "-l", "-D", "-f", str(self.file)]
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
    for line in host.run(required("ipvsadm"), "-Ln", *options).splitlines():
        words = line.split()
        if words and words[0] in {"TCP", "UDP", "SCTP", "FWM", "->"} and words[1] != "RemoteAddress:Port":
            yield words


def pages(client: Host, address: str, count: int, *, seconds: float = 2) -> list[str]:
    """Ask an address for its page several times, one connection each; an empty string where none came."""
    url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
    answers = []
    for _ in range(count):
        try:
            answers.append(client.run("curl", "-sS", "-g", "-m", str(seconds), url).strip())
        except NetworkError:
            answers.append("")
    return answers
