"""The unit under a real systemd and journald: start, fields, reload, restart, watchdog, kill, stop."""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import CHECKOUT, daemon_command
from tests.support.lab_network import Network, NetworkError, has_ipvs, run, wait_until
from tests.support.lab_services import WebServer

pytestmark = pytest.mark.lab(init="systemd", timeout=600)

UNIT = "pykeepalived.service"
CONFIGURATION = Path("/etc/keepalived/keepalived.conf")
COMMAND = Path("/usr/local/sbin/pykeepalived")
VIRTUAL_ADDRESS = "10.9.0.100"
OTHER = os.environ.get("LAB_DAEMON")

SOUND = """
global_defs {
    router_id lab
}
vrrp_instance VI_1 {
    interface lan0
    virtual_router_id 51
    priority 200
    advert_int 1
    virtual_ipaddress {
        10.9.0.100/24
    }
}
virtual_server 10.9.0.100 80 {
    protocol TCP
    lvs_sched rr
    lvs_method NAT
    delay_loop 1
    connect_timeout 1
    retry 1
    delay_before_retry 0.5
    warmup 0
    real_server 10.9.0.11 80 {
        TCP_CHECK {
        }
    }
}
"""
LARGER = SOUND.replace("10.9.0.100/24\n", "10.9.0.100/24\n        10.9.0.101/24\n")
BROKEN = LARGER.replace("priority 200", "priorty 200").replace("10.9.0.100/24\n", "")


def show(name: str) -> str:
    """One property of the unit."""
    return run("systemctl", "show", UNIT, "-p", name, "--value").strip()


def entries(*matches: str) -> list[dict[str, str]]:
    """The journal's entries of the unit."""
    lines = run("journalctl", "-u", UNIT, "-o", "json", "--no-pager", *matches).splitlines()
    return [json.loads(line) for line in lines]


def addresses() -> set[str]:
    """The addresses on the interface."""
    lines = run("ip", "-o", "-4", "address", "show", "dev", "lan0").splitlines()
    return {line.split()[3].partition("/")[0] for line in lines}


def await_address(address: str = VIRTUAL_ADDRESS, seconds: float = 120) -> None:
    """Wait until a virtual address is there."""
    try:
        wait_until(lambda: address in addresses(), seconds, f"{address} on lan0")
    except NetworkError as error:
        raise NetworkError(f"{error}\n{run('journalctl', '-u', UNIT, '--no-pager', '-n', '60')}") from error


def processes() -> set[int]:
    """The processes of the unit."""
    group = Path("/sys/fs/cgroup") / (show("ControlGroup") or "none").lstrip("/") / "cgroup.procs"
    return {int(line) for line in group.read_text(encoding="ascii").split()} if group.exists() else set()


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    """The machine as a director on a network with one web server; the unit installed as script/install does."""
    assert has_ipvs()
    with Network("service-") as network:
        network.switch("lan")
        host = network.host("web1")
        host.attach("lan", "eth0", "10.9.0.11/24")
        switch = network.switches.namespace
        run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "director", "netns", switch)
        network.switches.ip("link", "set", "director", "master", "lan", "up")
        run("ip", "address", "add", "10.9.0.1/24", "dev", "lan0")
        run("ip", "link", "set", "lan0", "up")
        server = WebServer(host)
        server.start()
        CONFIGURATION.parent.mkdir(exist_ok=True)
        command = shlex.join([OTHER] if OTHER else daemon_command())
        COMMAND.write_text(f'#!/bin/sh\nexport PYTHONPATH={CHECKOUT}\nexec {command} "$@"\n', encoding="utf-8")
        COMMAND.chmod(0o755)
        unit = (CHECKOUT / "systemd" / UNIT).read_text(encoding="utf-8")
        Path("/etc/systemd/system", UNIT).write_text(unit, encoding="utf-8")
        Path("/etc/default").mkdir(exist_ok=True)
        Path("/etc/default/keepalived").write_text('DAEMON_ARGS="-D -i lab"\n', encoding="utf-8")
        run("systemctl", "daemon-reload")
        yield server


@pytest.fixture
def service(web: WebServer) -> WebServer:
    """The service, running on the sound file and MASTER."""
    CONFIGURATION.write_text(SOUND, encoding="utf-8")
    if show("LoadState") == "loaded" and show("ActiveState") == "failed":
        run("systemctl", "reset-failed", UNIT)
    if show("ActiveState") != "active" or addresses() != {"10.9.0.1", VIRTUAL_ADDRESS}:
        run("systemctl", "restart", UNIT)
    await_address()
    return web


def test_the_unit_is_sound(web: WebServer) -> None:  # noqa: ARG001 - installs it
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", UNIT],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )

    assert [line for line in (done.stdout + done.stderr).splitlines() if UNIT in line or str(COMMAND) in line] == []


def test_it_starts_and_says_so(service: WebServer) -> None:  # noqa: ARG001 - starts it
    assert (show("ActiveState"), show("SubState"), show("Type")) == ("active", "running", "notify")
    words = Path(f"/proc/{show('MainPID')}/cmdline").read_bytes().split(b"\0")
    assert b"-D" in words, "the options of /etc/default/keepalived were given"
    if not OTHER:
        assert show("StatusText")


@pytest.mark.skipif(OTHER is not None, reason="fields are ours")
def test_transitions_carry_fields(service: WebServer) -> None:
    run("systemctl", "restart", UNIT)
    await_address()
    wait_until(lambda: entries("VRRP_INSTANCE=VI_1", "VRRP_STATE=MASTER"), 60, "an entry of the transition")
    entry = entries("VRRP_INSTANCE=VI_1", "VRRP_STATE=MASTER")[-1]
    assert entry["VRRP_PREVIOUS_STATE"] == "BACKUP"
    assert entry["CAUSE"]
    assert len(entry["MESSAGE_ID"]) == 32
    assert "Entering MASTER STATE" in entry["MESSAGE"]

    service.kill()
    real_server = "REAL_SERVER=[10.9.0.11]:tcp:80"

    def told(text: str) -> list[dict[str, str]]:
        matching = entries(real_server, "VIRTUAL_SERVER=[10.9.0.100]:tcp:80")
        return [entry for entry in matching if text in entry["MESSAGE"]]

    wait_until(lambda: told("Removing service"), 60, "an entry of the server's removal")
    removed = told("Removing service")[-1]
    assert len(removed["MESSAGE_ID"]) == 32
    assert removed["MESSAGE_ID"] != entry["MESSAGE_ID"]
    service.start()
    wait_until(lambda: told("Adding service"), 60, "an entry of its return")


def test_a_sound_file_is_reloaded_without_a_flap(service: WebServer) -> None:  # noqa: ARG001 - starts it
    main = show("MainPID")
    monitor = subprocess.Popen(["ip", "monitor", "address"], stdout=subprocess.PIPE, text=True)
    CONFIGURATION.write_text(LARGER, encoding="utf-8")
    run("systemctl", "reload", UNIT)
    await_address("10.9.0.101")
    monitor.terminate()
    seen, _ = monitor.communicate()

    assert "10.9.0.101" in seen
    assert "10.9.0.100" not in seen, "the address that stays was not touched"
    wait_until(lambda: show("ActiveState") == "active", 60, "the end of the reload")
    assert show("MainPID") == main


@pytest.mark.skipif(OTHER is not None, reason="keepalived applies what is left of a broken file")
def test_a_broken_file_is_refused_and_said_so(service: WebServer) -> None:  # noqa: ARG001 - starts it
    main = show("MainPID")
    before = addresses()
    CONFIGURATION.write_text(BROKEN, encoding="utf-8")
    run("systemctl", "reload", UNIT)

    wait_until(lambda: any("priorty" in entry["MESSAGE"] for entry in entries()), 60, "the reason in the journal")
    wait_until(lambda: show("ActiveState") == "active", 60, "the end of the reload")
    assert show("MainPID") == main
    assert addresses() == before


def test_a_restart_is_a_new_process_with_the_address(service: WebServer) -> None:  # noqa: ARG001 - starts it
    before = processes()
    run("systemctl", "restart", UNIT)

    await_address()
    assert not before & processes()


def test_a_killed_main_process_is_replaced(service: WebServer) -> None:  # noqa: ARG001 - starts it
    before = processes()
    os.kill(int(show("MainPID")), signal.SIGKILL)

    wait_until(lambda: processes() and not before & processes(), 60, "new processes alone")
    wait_until(lambda: show("ActiveState") == "active", 60, "a running service")
    await_address()
    assert int(show("NRestarts")) == 1


@pytest.mark.skipif(OTHER is not None, reason="Debian's keepalived has no watchdog")
def test_a_hanging_main_process_is_replaced(service: WebServer) -> None:  # noqa: ARG001 - starts it
    folder = Path("/run/systemd/system", f"{UNIT}.d")
    folder.mkdir(parents=True)
    # a machine that is slow may miss a beat and start once more: that is no reason to give up
    settings = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nWatchdogSec=8\n"
    (folder / "watchdog.conf").write_text(settings, encoding="utf-8")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT)
    await_address()
    main = show("MainPID")
    with pytest.raises(NetworkError, match="not within"):  # a process that lives is left alone
        wait_until(lambda: show("MainPID") != main, 10, "another main process")

    os.kill(int(main), signal.SIGSTOP)

    wait_until(
        lambda: show("MainPID") not in {main, "0"} and show("ActiveState") == "active", 120, "another main process"
    )
    await_address()
    (folder / "watchdog.conf").unlink()
    folder.rmdir()
    run("systemctl", "daemon-reload")


def test_a_stop_leaves_nothing(service: WebServer) -> None:  # noqa: ARG001 - starts it
    run("systemctl", "stop", UNIT)

    assert (show("ActiveState"), show("Result")) == ("inactive", "success")
    assert addresses() == {"10.9.0.1"}
    assert processes() == set()
    assert "10.9.0.100" not in run("ipvsadm", "-Ln")
