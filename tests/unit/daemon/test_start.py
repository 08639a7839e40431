"""The start of the daemon, under whatever started it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_one_whose_starter_ignores_the_end_of_children_starts(tmp_path: Path) -> None:
    """A disposition that is inherited: a kernel that was told so tells nobody how a child ended."""
    conf = tmp_path / "conf"
    conf.write_text("")
    command = [sys.executable, "-m", "pykeepalived", "-n", "-l", "-f", str(conf), "-p", str(tmp_path / "pid")]
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    daemon = subprocess.Popen([sys.executable, "-c", ignoring, *command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert daemon.stderr is not None
    try:
        said = []
        for line in daemon.stderr:
            said.append(line)
            if "Startup complete" in line:
                break
        assert "Startup complete" in said[-1], said
        daemon.terminate()
        assert daemon.wait(30) == 0
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stderr.close()
