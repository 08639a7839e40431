"""Lines: cleaned, counted when lost, in the form each way out wants."""

import os
import re
import select
import socket
import time
import uuid
from pathlib import Path

import pytest

from pykeepalived.daemon import journal
from pykeepalived.daemon.journal import ConsoleSink, JournaldSink, Lines, SyslogSink, choose, harmless
from pykeepalived.effects import Kind, Level, Log


class Memory:
    """A way out that can be shut."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.open = True

    def __call__(self, line: Log, ident: str) -> bool:
        if self.open:
            self.lines.append((ident, line.message))
        return self.open


def receiver(path: Path) -> socket.socket:
    there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    there.bind(str(path))
    there.settimeout(1)
    return there


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("two\nlines", "two\\x0alines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("grün", "grün"),
        ("\x9b1m\u2028", "\\x9b1m\\x2028"),
        ("\udcff", "\\xdcff"),
        ("\0", "\\x00"),
    ],
)
def test_text_is_made_harmless(text: str, clean: str) -> None:
    assert harmless(text) == clean


def test_a_line_has_a_bound() -> None:
    assert len(harmless("\n" * 100_000)) <= 4000


def test_detail_only_when_asked() -> None:
    quiet, loud = Memory(), Memory()
    for sink, detail in ((quiet, 0), (loud, 1)):
        lines = Lines(sink, "I", detail)
        lines.log(Log("always"))
        lines.log(Log("detail", detail=True))
    assert [text for _, text in quiet.lines] == ["always"]
    assert [text for _, text in loud.lines] == ["always", "detail"]


def test_lost_lines_are_counted_and_said() -> None:
    sink = Memory()
    lines = Lines(sink, "I")
    sink.open = False
    lines.log(Log("one"))
    lines.log(Log("two"))
    sink.open = True
    lines.log(Log("three"))
    lines.log(Log("four"))
    assert [text for _, text in sink.lines] == ["2 log lines were lost: their reader was too slow", "three", "four"]


def test_the_journal_gets_fields(tmp_path: Path) -> None:
    with receiver(tmp_path / "socket") as there:
        sink = JournaldSink(str(tmp_path / "socket"))
        lines = Lines(sink, "Keepalived_vrrp")
        fields = (("VRRP_INSTANCE", "VI_1"), ("CAUSE", "peer said\nMESSAGE=forged"))
        lines.log(Log("(VI_1) Entering MASTER STATE", Level.NOTICE, Kind.VRRP_TRANSITION, fields=fields))
        sink.close()
        entry = dict(line.partition("=")[::2] for line in there.recv(9999).decode().splitlines())
    assert entry == {
        "MESSAGE": "(VI_1) Entering MASTER STATE",
        "PRIORITY": "5",
        "SYSLOG_IDENTIFIER": "Keepalived_vrrp",
        "SYSLOG_PID": str(os.getpid()),
        "MESSAGE_ID": journal.MESSAGE_IDS[Kind.VRRP_TRANSITION],
        "VRRP_INSTANCE": "VI_1",
        "CAUSE": "peer said\\x0aMESSAGE=forged",
    }


def test_a_journal_that_does_not_read_costs_no_time(tmp_path: Path) -> None:
    with receiver(tmp_path / "socket") as there:
        sink = JournaldSink(str(tmp_path / "socket"))
        lines = Lines(sink, "I")
        begin = time.monotonic()
        for _ in range(5000):
            lines.log(Log("x" * 1000))
        assert time.monotonic() - begin < 2
        there.setblocking(False)
        try:
            while there.recv(9999):
                pass
        except BlockingIOError:
            pass
        lines.log(Log("after"))
        sink.close()
        assert b"log lines were lost" in there.recv(9999)


def test_every_kind_has_its_own_message_id() -> None:
    assert set(journal.MESSAGE_IDS) == set(Kind)
    assert len(set(journal.MESSAGE_IDS.values())) == len(Kind)
    for text in journal.MESSAGE_IDS.values():
        assert uuid.UUID(text).hex == text


def test_syslog_form(tmp_path: Path) -> None:
    with receiver(tmp_path / "log") as there:
        sink = SyslogSink(23, str(tmp_path / "log"))
        assert sink(Log("text", Level.WARNING), "Keepalived")
        sink.close()
        data = there.recv(999).decode()
    assert re.fullmatch(rf"<188>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d Keepalived\[{os.getpid()}\]: text", data)


def test_console_form() -> None:
    reader, writer = os.pipe()
    assert ConsoleSink(writer)(Log("text"), "Keepalived")
    line = os.read(reader, 999).decode()
    assert re.fullmatch(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}: text\n", line)
    os.close(reader)
    assert not ConsoleSink(writer)(Log("text"), "Keepalived")  # nobody reads any more
    os.close(writer)


def test_lines_of_long_work_go_to_the_console_together(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    lines = Lines(ConsoleSink(writer), "Keepalived")
    writes: list[int] = []
    write = os.write

    def counted(fd: int, text: bytes) -> int:
        writes.append(len(text))
        return write(fd, text)

    monkeypatch.setattr(os, "write", counted)
    with lines.together():
        for number in range(300):
            lines.log(Log(f"line {number}"))
        assert writes, "they are not kept to the end"
    lines.log(Log("line 300"))
    found = os.read(reader, 1 << 16).decode().splitlines()
    assert [line.partition(": ")[2] for line in found] == [f"line {number}" for number in range(301)]
    assert len(writes) < 10
    assert max(writes) <= select.PIPE_BUF
    os.close(reader)
    os.close(writer)


def test_lines_of_long_work_that_a_console_does_not_take_are_counted() -> None:
    reader, writer = os.pipe()
    lines = Lines(ConsoleSink(writer), "Keepalived")
    with lines.together():
        for _ in range(3000):
            lines.log(Log("x" * 100))
    whole = os.read(reader, 1 << 20).decode().splitlines()
    assert len(whole) < 3000
    lines.log(Log("after"))
    said = os.read(reader, 1 << 16).decode().splitlines()
    assert f"{3000 - len(whole)} log lines were lost" in said[0]
    assert said[1].endswith("after")
    os.close(reader)
    os.close(writer)


def test_a_full_console_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    sink = ConsoleSink(writer)
    written = 0
    while sink(Log("x" * 3000), "I") and written < 1000:
        written += 1
    assert 1 < written < 1000
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("console", "no_syslog", "dont_fork", "journald", "syslog", "kind"),
    [
        (True, False, True, True, True, "ConsoleSink"),
        (True, True, True, True, True, "ConsoleSink"),
        (True, False, False, True, True, "JournaldSink"),  # a daemon has no console
        (False, False, True, True, True, "JournaldSink"),
        (False, False, True, False, True, "SyslogSink"),
        (False, False, True, False, False, "ConsoleSink"),
        (False, False, False, False, False, "SyslogSink"),
        (False, True, True, True, True, "function"),
    ],
)
def test_the_way_out_an_operator_expects(
    tmp_path: Path, console: bool, no_syslog: bool, dont_fork: bool, journald: bool, syslog: bool, kind: str
) -> None:
    for there, name in ((journald, "journal"), (syslog, "log")):
        if there:
            (tmp_path / name).touch()
    sink = choose(
        log_console=console,
        no_syslog=no_syslog,
        dont_fork=dont_fork,
        facility=3,
        environment={},
        journal_socket=str(tmp_path / "journal"),
        syslog_socket=str(tmp_path / "log"),
    )
    if isinstance(sink, JournaldSink | SyslogSink):
        sink.close()
    assert type(sink).__name__ == kind


def test_a_console_that_is_the_journal_gets_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "journal").touch()
    with (tmp_path / "stderr").open("w") as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        there = os.fstat(stderr.fileno())
        kinds = []
        for stream in (f"{there.st_dev}:{there.st_ino}", "1:2", ""):
            sink = choose(
                log_console=True,
                no_syslog=False,
                dont_fork=True,
                facility=3,
                environment={"JOURNAL_STREAM": stream},
                journal_socket=str(tmp_path / "journal"),
            )
            kinds.append(type(sink).__name__)
            if isinstance(sink, JournaldSink):
                sink.close()
    assert kinds == ["JournaldSink", "ConsoleSink", "ConsoleSink"]
