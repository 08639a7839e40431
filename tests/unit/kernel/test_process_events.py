"""The process events connector: the filter by a small machine of our own, the rest by the real kernel."""

import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from pykeepalived.errors import KernelError
from pykeepalived.kernel import process_events, process_table
from pykeepalived.kernel.netlink import Overrun
from pykeepalived.kernel.process_events import Kind, ProcessEvents, open_socket
from pykeepalived.kernel.socket_filter import Instruction
from tests.support.netns import inside


def why_not() -> str | None:
    try:
        with open_socket() as sock:
            ProcessEvents(sock, names=True).close()
    except KernelError as error:
        return f"needs a kernel that tells of processes here: {error}"
    return None


REAL = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=why_not() or "")]


def message(what: int, *numbers: int) -> bytes:
    return bytes(36) + struct.pack("=I12x", what) + struct.pack(f"={len(numbers)}I", *numbers) + bytes(24)


def passes(program: tuple[Instruction, ...], data: bytes) -> bool:
    """Run a filter as the kernel does."""
    accumulator = index = place = 0
    while True:
        code, equal, other, operand = program[place]
        place += 1
        if code == 0x20:
            accumulator = int.from_bytes(data[operand : operand + 4], "big")
        elif code == 0x07:
            index = accumulator
        elif code in (0x15, 0x1D):
            place += equal if accumulator == (operand if code == 0x15 else index) else other
        else:
            assert code == 0x06
            return operand > 0


@pytest.mark.parametrize("names", [True, False])
def test_the_filter_passes_whole_processes_only(names: bool) -> None:
    program = process_events._program(names=names)
    wanted = {Kind.FORK: True, Kind.EXEC: True, Kind.EXIT: True, Kind.COMM: names}
    for kind, passed in wanted.items():
        parent = (7, 7) if kind is Kind.FORK else ()
        thread = (7, 9) if kind is Kind.FORK else ()
        assert passes(program, message(kind, *parent, 41, 41)) is passed, kind
        assert passes(program, message(kind, *thread, 41, 41)) is passed, kind
        assert not passes(program, message(kind, *parent, 42, 41)), kind
    for other in (0x4, 0x40, 0x80, 0x100, 0x40000000):  # UID, GID, SID, PTRACE, COREDUMP
        assert not passes(program, message(other, 41, 41, 41, 41))
    assert passes(program, message(0, 0))


@pytest.fixture
def events() -> Iterator[ProcessEvents]:
    sock = open_socket()
    listener = ProcessEvents(sock, names=True)
    yield listener
    listener.close()
    sock.close()


class TestTheRealOne:
    """With processes of this machine."""

    pytestmark = REAL

    def collect(self, events: ProcessEvents, pid: int) -> list[int]:
        found: list[int] = []
        deadline = time.monotonic() + 20
        while Kind.EXIT not in found:
            assert time.monotonic() < deadline, found
            select.select([events.fileno()], [], [], 1)
            found += [what for what, each, _ in events.events() if each == pid]
        return found

    def test_a_life_is_told(self, events: ProcessEvents) -> None:
        code = "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()"
        script = f"echo -n other > /proc/self/comm; exec {sys.executable} -c '{code}'"
        child = subprocess.Popen(["/bin/sh", "-c", script])
        child.wait()
        kinds = self.collect(events, child.pid)
        assert kinds[:2] == [Kind.FORK, Kind.EXEC]
        assert kinds[2:] == [Kind.COMM, Kind.EXEC, Kind.EXIT]  # and nothing of its thread

    def test_a_fork_tells_its_parent(self, events: ProcessEvents) -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        found: list[tuple[int, int, int]] = []
        deadline = time.monotonic() + 20
        while (Kind.FORK, pid, os.getpid()) not in found:
            assert time.monotonic() < deadline, found
            select.select([events.fileno()], [], [], 1)
            found += events.events()

    def test_it_listens_again_on_the_same_socket(self, events: ProcessEvents) -> None:
        events.close()
        again = ProcessEvents(events._socket, names=False)
        child = subprocess.Popen(["/bin/true"])
        child.wait()
        assert self.collect(again, child.pid)[-1] == Kind.EXIT

    def test_an_overrun_is_told(self, events: ProcessEvents) -> None:
        events.configure(names=True, receive_bytes=4096, force=False)
        for _ in range(60):
            subprocess.run(["/bin/true"], check=True)
        with pytest.raises(Overrun):
            list(events.events())

    def test_in_another_network_namespace_there_is_none(self) -> None:
        name = f"pkp{os.getpid()}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        try:

            def attempt() -> None:
                with open_socket() as sock:
                    ProcessEvents(sock, names=True)

            with pytest.raises(KernelError):
                inside(name, attempt)
        finally:
            subprocess.run(["ip", "netns", "del", name], check=True)

    def test_a_socket_from_the_first_namespace_works_in_another(self) -> None:
        name = f"pkp{os.getpid()}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        sock: socket.socket = open_socket()
        try:
            inside(name, lambda: ProcessEvents(sock, names=True)).close()
        finally:
            sock.close()
            subprocess.run(["ip", "netns", "del", name], check=True)


def test_the_table() -> None:
    child = subprocess.Popen(["/bin/sleep", "60"])
    try:
        deadline = time.monotonic() + 20
        while process_table.name(child.pid) != b"sleep":  # it forks before it executes
            assert time.monotonic() < deadline
        assert child.pid in process_table.pids()
        assert process_table.command_line(child.pid) == b"/bin/sleep\x0060\x00"
        assert not process_table.has_ended(child.pid)
        child.kill()
        while not process_table.has_ended(child.pid):
            assert time.monotonic() < deadline
    finally:
        child.kill()
        child.wait()
    assert process_table.has_ended(child.pid)
    assert (process_table.name(child.pid), process_table.command_line(child.pid)) == (b"", b"")
