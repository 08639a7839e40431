"""The whole daemon as an operator starts it, in a network namespace of its own with two links to a neighbour."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.namespaces.daemon_machine import (
    HEAD,
    MARKS,
    OWNER,
    PATIENCE,
    ROOT,
    SECOND,
    SERVERS,
    Machine,
    alive,
    machine,
    soon,
)

pytestmark = MARKS
__all__ = ["machine"]


def test_start_reload_stop(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    machine.start()
    machine.until(r"\(VI_1\) Entering MASTER STATE")
    machine.until("Startup complete")
    assert soon(lambda: machine.has("10.91.1.100"))
    vrrp = machine.pid("vrrp_pid")
    assert Path(f"/proc/{vrrp}/comm").read_text() == "keepalived_vrrp\n"
    assert not (machine.folder / "checkers_pid").exists()

    machine.conf.write_text(HEAD + OWNER % "" + "vrrp_instance VI_2 {\n    interfase right\n}\n")
    machine.send(signal.SIGHUP)
    machine.until(r"Unknown keyword 'interfase'")
    machine.until(r"New configuration refused, the running configuration stays: (1 error|\d+ errors, the first): ")
    assert machine.has("10.91.1.100")

    machine.conf.write_text(HEAD + OWNER % "" + SECOND)
    machine.send(signal.SIGHUP)
    machine.until("Reload complete")
    machine.until(r"\(VI_2\) Entering MASTER STATE")
    assert soon(lambda: machine.has("10.91.2.100"))
    assert machine.pid("vrrp_pid") == vrrp
    assert len(re.findall(r"\(VI_1\) Entering", machine.text)) == 1  # nothing flapped

    assert machine.end() == 0
    assert "(VI_1) sent 0 priority" in machine.text
    assert not machine.has("10.91.1.100")
    assert not machine.has("10.91.2.100")
    assert not alive(vrrp)
    assert [path.name for path in machine.folder.iterdir()] == ["keepalived.conf"]


def test_a_second_start_says_so_and_harms_nothing(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    machine.start()
    machine.until("Startup complete")
    before = machine.pid("pid")
    second = machine.run("-n", "-l")
    assert second.returncode == 0
    assert "daemon is already running" in second.stderr
    assert "Starting VRRP child" not in second.stderr
    assert machine.pid("pid") == before
    assert soon(lambda: machine.has("10.91.1.100"))
    assert machine.end() == 0


def test_a_reload_asked_for_during_the_start_is_not_lost(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    machine.start()
    machine.until("Configuration file")
    machine.send(signal.SIGHUP)
    machine.until("Startup complete")
    machine.until("Reload complete")
    assert machine.end() == 0


def test_every_process_when_told_so_even_with_nothing_to_do(machine: Machine) -> None:
    machine.conf.write_text(HEAD)
    machine.start()
    machine.until("keepalived has no configuration to run")
    assert not (machine.folder / "vrrp_pid").exists()
    assert machine.end() == 0
    machine.start("--all")
    machine.until("Startup complete")
    assert {"vrrp_pid", "checkers_pid"} <= {path.name for path in machine.folder.iterdir()}
    assert machine.end() == 0
    assert "died" not in machine.text


def test_a_killed_vrrp_process_comes_back(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    machine.start()
    machine.until(r"\(VI_1\) Entering MASTER STATE")
    machine.until("Startup complete")
    vrrp = machine.pid("vrrp_pid")
    os.kill(vrrp, signal.SIGKILL)
    machine.until(rf"VRRP child process\({vrrp}\) died: Respawning")
    machine.until(r"\(VI_1\) Entering MASTER STATE", 2)
    assert machine.pid("vrrp_pid") != vrrp
    assert soon(lambda: machine.has("10.91.1.100"))
    assert machine.end() == 0
    assert not machine.has("10.91.1.100")


def test_nothing_is_left_when_the_parent_is_killed(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    machine.start()
    machine.until("Startup complete")
    assert soon(lambda: machine.has("10.91.1.100"))
    vrrp = machine.pid("vrrp_pid")
    machine.end(signal.SIGKILL)
    assert soon(lambda: not alive(vrrp))
    assert not machine.has("10.91.1.100")
    # its stale pid file is no obstacle
    machine.start()
    machine.until("Startup complete")
    assert machine.end() == 0


def test_in_the_background(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    machine.conf_word = os.path.relpath(machine.conf, ROOT)  # it leaves this folder, and still finds its file
    done = machine.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert soon((machine.folder / "vrrp_pid").exists)
    assert soon(lambda: machine.has("10.91.1.100"))
    pid = machine.pid("pid")
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    assert machine.run().returncode == 0  # already running
    assert machine.pid("pid") == pid
    machine.conf.write_text(HEAD + (OWNER % "").replace("1.100", "1.101"))
    os.kill(pid, signal.SIGHUP)
    assert soon(lambda: machine.has("10.91.1.101"))
    assert not machine.has("10.91.1.100")
    os.kill(pid, signal.SIGTERM)
    assert soon(lambda: not alive(pid))
    assert not machine.has("10.91.1.101")
    assert not machine.has("10.91.1.100")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (HEAD + OWNER % "", 0, ""),
        ("", 0, ""),
        ("nonsense\n", 5, "keepalived.conf:1:1: error: Unknown keyword 'nonsense'"),
        (HEAD + (OWNER % "").replace("left", "nowhere"), 5, "nowhere"),
        (HEAD + (OWNER % "").replace("priority 255", "priority 300"), 5, "300"),
    ],
)
def test_the_verdict_of_the_test_mode(machine: Machine, text: str, code: int, said: str) -> None:
    machine.conf.write_text(text)
    done = machine.run("-t")
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert bool(done.stderr) == bool(said)
    assert not machine.has("10.91.1.100")
    assert not (machine.folder / "pid").exists()


def test_a_fatal_mistake_refuses_the_start(machine: Machine) -> None:
    machine.conf.write_text(HEAD + (OWNER % "").replace("    virtual_router_id 51\n", ""))
    done = machine.run("-n", "-l")
    assert done.returncode == 2, done.stderr
    assert "Starting VRRP child" not in done.stderr
    machine.conf.unlink()
    done = machine.run("-n", "-l")
    assert done.returncode == 6, done.stderr


def test_scripts_run_as_their_user_and_end_in_time(machine: Machine) -> None:
    said = machine.folder / "said"
    said.touch()
    said.chmod(0o666)
    notify = machine.folder / "notify"
    notify.write_text(f'#!/bin/sh\necho "$(id -u):$(id -g) $* [$IFS_TEST$LD_LIBRARY_PATH]" >> {said}\n')
    slow = machine.folder / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    for script in (notify, slow):
        script.chmod(0o755)
    checker = f'vrrp_script slow {{\n    script "{slow}"\n    interval 1\n    timeout 1\n    weight -10\n}}\n'
    wishes = f'    notify "{notify} with words" nobody nogroup\n    track_script {{\n        slow\n    }}\n'
    text = HEAD + checker + (OWNER % wishes).replace("priority 255", "priority 200")
    machine.conf.write_text(text.replace("    enable_script_security\n", ""))
    machine.start()
    machine.until(r"VRRP_Script\(slow\) timed_out")
    machine.until(r"\(VI_1\) Changing effective priority from 200 to 190")
    machine.until(r"\(VI_1\) Entering MASTER STATE")
    assert soon(lambda: "MASTER" in said.read_text())
    assert machine.end() == 0
    lines = said.read_text().splitlines()
    nobody = [line for line in lines if line.startswith("65534:65534 with words INSTANCE VI_1 ")]
    assert len(nobody) == len(lines) >= 3, lines
    assert any(" STOP " in line for line in lines)


def test_checkers_run_beside_vrrp_with_or_without_ipvs(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "" + SERVERS)
    machine.start()
    machine.until("Starting Healthcheck child process")
    machine.until("Startup complete")
    assert machine.pid("checkers_pid") != machine.pid("vrrp_pid")
    assert soon(lambda: machine.has("10.91.1.100"))
    assert machine.end() == 0
    assert "died" not in machine.text


def test_only_one_of_them_when_told_so(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "" + SERVERS)
    machine.start("-P")
    machine.until("Startup complete")
    assert not (machine.folder / "checkers_pid").exists()
    assert (machine.folder / "vrrp_pid").exists()
    assert machine.end() == 0


def test_systemctl_status_tells_states(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "" + SECOND)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(machine.folder / "notify"))
        systemd.settimeout(PATIENCE)
        machine.start(NOTIFY_SOCKET=str(machine.folder / "notify"))
        heard: list[str] = []
        while not heard or "VRRP: 2 MASTER" not in heard[-1]:
            heard.append(systemd.recv(4096).decode())
        assert sum("READY=1" in each for each in heard) == 1
        assert any("VRRP: 1 BACKUP, 1 MASTER" in each for each in heard)
        assert machine.end() == 0


FORBIDDEN = re.compile(r"/(pyparsing|scapy|asyncio)/|_asyncio\.cpython|_ssl\.cpython")


def test_memory_and_what_is_loaded(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.conf.write_text(HEAD + OWNER % "" + SERVERS)
    machine.start()
    machine.until("Startup complete")
    total = 0
    for word in ("pid", "vrrp_pid", "checkers_pid"):
        pid = machine.pid(word)
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[0])
        assert not FORBIDDEN.search(Path(f"/proc/{pid}/maps").read_text())
    with capsys.disabled():
        print(f"\nPSS of all processes: {total / 1024:.1f} MiB")
    assert total < 44 * 1024  # 37 where nobody else runs this Python
    assert machine.end() == 0


def test_the_first_advert_comes_soon(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    neighbour = machine.name[:-1] + "b"
    program = (
        "import socket, time\n"
        "s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))\n"
        "s.bind(('left', 0x0800))\nprint('listening', flush=True)\n"
        "while True:\n    data = s.recv(2048)\n    if data[9] == 112:\n        print(time.monotonic_ns(), flush=True)\n"
        "        break\n"
    )
    command = ["ip", "netns", "exec", neighbour, sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == "listening\n"
        begin = time.monotonic_ns()
        machine.start()
        heard = int(listener.stdout.readline())
    with capsys.disabled():
        print(f"\nexec to first advert: {(heard - begin) / 1e6:.0f} ms")
    assert heard - begin < 5e9  # 0.5 s on a machine that has nothing else to do
    machine.until("Startup complete")
    assert machine.end() == 0
