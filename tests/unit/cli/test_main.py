"""What the command prints and exits with before any daemon comes into it."""

import subprocess
import sys
from pathlib import Path

import pytest

from pykeepalived.cli.main import main

SOUND = "global_defs {\n    router_id here\n}\n"
BROKEN = "global_defs {\n    no_such_keyword 1\n}\n"


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-h"]) == 0
    assert "Usage: pykeepalived" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pykeepalived ")


def test_an_unknown_option_is_an_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-such"]) == 1
    captured = capsys.readouterr()
    assert "unknown option '--no-such'" in captured.err
    assert "--help" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(("name", "number"), [("RELOAD", 1), ("STOP", 15), ("JSON", 36), ("STATS_CLEAR", 63)])
def test_signum(name: str, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--signum={name}"]) == 0
    assert capsys.readouterr().out == f"{number}\n"


def test_an_unknown_signum(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--signum=NONE"]) == 1
    assert capsys.readouterr().err == "Unknown sigfunc NONE\n"


def test_config_test_of_a_sound_file_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sound.conf"
    file.write_text(SOUND)
    assert main(["-t", "-f", str(file)]) == 0
    assert capsys.readouterr().err == ""


def test_config_test_names_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.conf"
    file.write_text(BROKEN)
    assert main(["-t", "-f", str(file)]) == 5
    error = capsys.readouterr().err
    assert f"{file}:2:5: error: Unknown keyword 'no_such_keyword'" in error
    assert "^" in error


def test_the_report_of_a_config_test_is_appended_to_a_file(tmp_path: Path) -> None:
    file, report = tmp_path / "broken.conf", tmp_path / "report"
    file.write_text(BROKEN)
    report.write_text("before\n")
    assert main([f"-t={report}", "-f", str(file)]) == 5
    lines = report.read_text().splitlines()
    assert lines[0] == "before"
    assert "no_such_keyword" in report.read_text()


def test_a_report_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sound.conf"
    file.write_text(SOUND)
    assert main([f"-t{tmp_path}/none/report", "-f", str(file)]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_a_config_test_needs_neither_scapy_nor_the_protocols(tmp_path: Path) -> None:
    file = tmp_path / "sound.conf"
    file.write_text(SOUND)
    program = (
        "import sys\nfrom pykeepalived.cli.main import main\n"
        f"assert main(['-t', '-f', {str(file)!r}]) == 0\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('scapy', 'asyncio', 'pyroute2')]\n"
        "assert not bad, bad\nassert 'pykeepalived.config.load' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
