"""Where lines go: systemd's journal with fields, syslog, or the console in keepalived's form.

A line is never worth an advert: every way out is non-blocking, and what could not be written is counted and said later.
systemd-python's ``sendv`` waits for a journald that does not read, so the journal's native datagram (fields as
``NAME=value`` lines) is written here. Text that came from the network or a file is made harmless: one line, no escapes.
"""

import contextlib
import os
import re
import select
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pykeepalived.effects import Kind, Level, Log

PARENT_IDENT = "Keepalived"

JOURNAL_SOCKET = "/run/systemd/journal/socket"
SYSLOG_SOCKET = "/dev/log"

# journalctl MESSAGE_ID=... finds all entries of a kind; these never change
MESSAGE_IDS: dict[Kind, str] = {
    Kind.VRRP_TRANSITION: "1fb0dcdeeb8f4fe59b88541522e9516a",
    Kind.VRRP_PACKET: "7545d0ad40eb400588f7e83321a787d9",
    Kind.VRRP_PRIORITY: "e21bf5a7f3c6498b8ce85949a444f533",
    Kind.TRACKER: "c9d3c342f71c497fb87ad1ee9f9e2bcb",
    Kind.REAL_SERVER: "7f837bd7be374d7eb09c37938daa9314",
    Kind.QUORUM: "56a6bb7ad8fc460186e31edf42258f64",
    Kind.CHECK: "beb43eb0598f4664b36af3f188f14321",
    Kind.IPVS: "207cbe6a2e4e4ed8b1a7f605b4c00a3c",
    Kind.SCRIPT: "f7e88efdc5554faba44050b3d5b5f5d0",
    Kind.CONFIGURATION: "90a0f7395f66420e980a128b8613422d",
    Kind.PROCESS: "df187b09a95b475c98bd501f44274e80",
    Kind.STALL: "04c5107391fb4d9682403445ca253c0d",
}

_LONGEST = 4000  # a line; with its time below PIPE_BUF, so that a console pipe takes it whole or not at all
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Sink = Callable[[Log, str], bool]


def harmless(text: str) -> str:
    """``text`` as one line without control characters, of bounded length."""
    if _is_harmless(text):
        return text
    text = text[:_LONGEST]
    return _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)[:_LONGEST]


def _is_clean(line: Log) -> bool:
    """Whether all of it is harmless."""
    if not _is_harmless(line.message):
        return False
    for _, value in line.fields:  # noqa: SIM110 - there are thousands at a start
        if not _is_harmless(value):
            return False
    return True


def _is_harmless(text: str) -> bool:
    return len(text) <= _LONGEST and text.isascii() and text.isprintable()


class Lines:
    """The Journal of one process: drops detail nobody asked for, cleans text, counts what could not be written."""

    def __init__(self, sink: Sink, ident: str, log_detail: int = 0) -> None:
        self._sink = sink
        self._log_detail = log_detail
        self._lost = 0
        self.ident = ident

    def log(self, line: Log) -> None:
        """Write one line."""
        if line.detail and not self._log_detail:
            return
        clean = line
        if not _is_clean(line):
            fields = tuple((name, harmless(value)) for name, value in line.fields)
            clean = replace(line, message=harmless(line.message), fields=fields)
        if self._lost:
            said = Log(f"{self._lost} log lines were lost: their reader was too slow", Level.WARNING, Kind.PROCESS)
            if not self._sink(said, self.ident):
                self._lost += 1
                return
            self._lost = 0
        if not self._sink(clean, self.ident):
            self._lost += 1

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Long work that may have thousands of lines to say: a console gets them by the page, the last at its end."""
        console = self._sink if isinstance(self._sink, ConsoleSink) else None
        if console is not None:
            console.hold()
        try:
            yield
        finally:
            if console is not None:
                self._lost += console.let_go()

    def named(self, ident: str) -> "Lines":
        """The same way out under another name: a child's own."""
        return Lines(self._sink, ident, self._log_detail)


class JournaldSink:
    """systemd's journal, by its native protocol."""

    def __init__(self, path: str = JOURNAL_SOCKET) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def __call__(self, line: Log, ident: str) -> bool:
        """Send one entry."""
        entry = [f"MESSAGE={line.message}", f"PRIORITY={int(line.level)}", f"SYSLOG_IDENTIFIER={ident}"]
        entry.append(f"SYSLOG_PID={os.getpid()}")
        if line.kind is not None:
            entry.append(f"MESSAGE_ID={MESSAGE_IDS[line.kind]}")
        entry.extend(f"{name}={value}" for name, value in line.fields)
        entry.append("")
        return _send(self._socket, "\n".join(entry), self._path)


class SyslogSink:
    """syslogd by /dev/log, RFC 3164 as everybody writes it."""

    def __init__(self, facility: int, path: str = SYSLOG_SOCKET) -> None:
        self._facility = facility
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def __call__(self, line: Log, ident: str) -> bool:
        """Send one line."""
        priority = self._facility * 8 + line.level
        now = time.strftime("%b %e %H:%M:%S")
        return _send(self._socket, f"<{priority}>{now} {ident}[{os.getpid()}]: {line.message}", self._path)


class ConsoleSink:
    """Standard error, as keepalived writes it: ``Sun Nov 22 09:12:17 2026: message``."""

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd
        self._held: list[bytes] | None = None
        self._held_bytes = 0
        self._lost = 0  # of those that were held
        self._poll: select.poll | None = None
        if not _is_file(fd):  # which never makes anybody wait
            self._poll = select.poll()
            self._poll.register(fd, select.POLLOUT)

    def __call__(self, line: Log, ident: str) -> bool:  # noqa: ARG002 - keepalived's form has no name
        """Write one line, if that does not block."""
        text = f"{time.ctime()}: {line.message}\n".encode(errors="replace")
        if self._held is None:
            return self._write(text) == len(text)
        if self._held_bytes + len(text) > select.PIPE_BUF:
            self._write_held(self._held)
        self._held.append(text)
        self._held_bytes += len(text)
        return True

    def hold(self) -> None:
        """Write a page at a time from now on."""
        self._held = []

    def let_go(self) -> int:
        """Write what is left, and each line by itself again; how many were lost meanwhile."""
        if self._held is not None:
            self._write_held(self._held)
            self._held = None
        lost, self._lost = self._lost, 0
        return lost

    def _write_held(self, held: list[bytes]) -> None:
        page = b"".join(held)
        self._lost += page.count(b"\n", self._write(page))
        held.clear()
        self._held_bytes = 0

    def _write(self, text: bytes) -> int:
        """How many bytes could be written without waiting. A pipe takes up to PIPE_BUF whole or not at all."""
        try:
            if self._poll is not None and not self._poll.poll(0):
                return 0
            return os.write(self._fd, text)
        except OSError:
            return 0


def _is_file(fd: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        return False


def nowhere(line: Log, ident: str) -> bool:  # noqa: ARG001 - a Sink
    """The sink of ``--no-syslog`` without a console."""
    return True


def choose(
    *,
    log_console: bool,
    no_syslog: bool,
    dont_fork: bool,
    facility: int,
    environment: Mapping[str, str],
    journal_socket: str = JOURNAL_SOCKET,
    syslog_socket: str = SYSLOG_SOCKET,
) -> Sink:
    """The way out an operator expects.

    A console in the foreground gets the lines, unless that console is the journal itself: then they go there with their
    fields. Otherwise the journal, then syslog; a foreground process on a host with neither writes to the console.
    """
    journald = Path(journal_socket).exists()
    if log_console and dont_fork:
        if journald and not no_syslog and _stderr_is_the_journal(environment):
            return JournaldSink(journal_socket)
        return ConsoleSink()
    if no_syslog:
        return nowhere
    if journald:
        return JournaldSink(journal_socket)
    if Path(syslog_socket).exists() or not dont_fork:
        return SyslogSink(facility, syslog_socket)
    return ConsoleSink()


def _stderr_is_the_journal(environment: Mapping[str, str]) -> bool:
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        there = os.fstat(sys.stderr.fileno() if sys.stderr else 2)
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(there.st_dev), str(there.st_ino))


def _send(sender: socket.socket, text: str, path: str) -> bool:
    try:
        sender.sendto(text.encode(errors="replace"), path)
    except OSError:
        return False
    return True
