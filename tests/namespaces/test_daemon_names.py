"""A daemon that goes into a network namespace by itself, and several beside each other: pid files, places, stops."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pykeepalived import __version__
from tests.namespaces.daemon_machine import (
    HEAD,
    MARKS,
    OWNER,
    PATIENCE,
    ROOT,
    SERVERS,
    Machine,
    alive,
    ip,
    machine,
    soon,
)

pytestmark = MARKS
__all__ = ["machine"]

RUN = Path("/run/keepalived")


class Outside(Machine):
    """A daemon started outside the namespace it is to run in, without names for its pid files."""

    def __init__(self, inside: Machine) -> None:
        super().__init__(inside.name, inside.folder)
        self.options: tuple[str, ...] = ()

    def command(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "pykeepalived", "-f", self.conf_word, *self.options, *options]

    def running(self, name: str) -> int:
        return int((RUN / name).read_text())


@pytest.fixture
def outside(machine: Machine) -> Iterator[Outside]:
    daemon = Outside(machine)
    yield daemon
    if daemon.process is not None:
        assert daemon.process.stderr is not None
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()
        daemon.process.stderr.close()


def namespace_of(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


def left_behind(name: str) -> list[str]:
    return [path.name for path in RUN.iterdir() if name in path.name]


@pytest.mark.parametrize("way", ["option", "keyword"])
def test_in_a_network_namespace(outside: Outside, way: str) -> None:
    name = outside.name
    said = outside.folder / "said"
    notify = outside.folder / "notify"
    notify.write_text(f'#!/bin/sh\necho "$3 $(readlink /proc/self/ns/net)" >> {said}\n')
    notify.chmod(0o755)
    text = HEAD + (OWNER % f"    notify {notify}") + SERVERS
    if way == "option":
        outside.options = ("-s", name)
    else:
        text = f"net_namespace {name}\n" + text
    outside.conf.write_text(text.replace("    enable_script_security\n", ""))
    outside.start()
    outside.until(r"\(VI_1\) Entering MASTER STATE")
    outside.until("Startup complete")
    there = Path(f"/run/netns/{name}").stat().st_ino
    pids = {key: outside.running(f"{key}_{name}.pid") for key in ("keepalived", "vrrp", "checkers")}
    assert {namespace_of(pid) for pid in pids.values()} == {there}
    assert namespace_of(os.getpid()) != there
    assert soon(lambda: outside.has("10.91.1.100"))
    assert soon(said.exists)
    assert said.read_text() == f"MASTER net:[{there}]\n"

    second = outside.run("-n", "-l")
    assert second.returncode == 0
    assert "daemon is already running" in second.stderr

    outside.conf.write_text(outside.conf.read_text().replace("1.100", "1.101"))
    outside.send(signal.SIGHUP)
    assert soon(lambda: outside.has("10.91.1.101"))
    if way == "keyword":
        neighbour = name[:-1] + "b"
        outside.conf.write_text(outside.conf.read_text().replace(f"net_namespace {name}", f"net_namespace {neighbour}"))
        outside.send(signal.SIGHUP)
        outside.until("Cannot change net_namespace at a reload - please restart keepalived")
        assert {namespace_of(pid) for pid in pids.values()} == {there}
    os.kill(pids["vrrp"], signal.SIGKILL)
    outside.until(r"\(VI_1\) Entering MASTER STATE", 2)
    assert namespace_of(outside.running(f"vrrp_{name}.pid")) == there
    assert outside.end() == 0
    assert not outside.has("10.91.1.101")
    assert left_behind(name) == []
    assert "Program error" not in outside.text


@pytest.mark.keyword("net_namespace_ipvs")
def test_the_namespace_of_ipvs_is_made_anew(machine: Machine) -> None:
    """The checker process goes there; VRRP goes on."""
    name = f"{machine.name}i"
    machine.conf.write_text(f"net_namespace_ipvs {name}\n" + HEAD + OWNER % "" + SERVERS)
    machine.start()
    machine.until(f"{name}: No such file or directory - IPVS is not used until there is one")
    machine.until("Startup complete")
    vrrp, checkers = machine.pid("vrrp_pid"), machine.pid("checkers_pid")
    ip(f"netns add {name}")
    try:
        machine.until("it is there now: the process begins anew in it")
        machine.until("Initializing ipvs", 2)  # after it went there
        ip(f"netns del {name}")
        machine.until(f"{name}: No such file or directory - IPVS is used where that name has led to")
        ip(f"netns add {name}")
        machine.until("another network namespace has this name now: the process begins anew in it")
        machine.until("Initializing ipvs", 3)
        ip(f"netns del {name}")  # where it is now
        machine.until("IPVS is used where that name has led to", 2)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
    assert (machine.pid("vrrp_pid") == vrrp, machine.pid("checkers_pid") == checkers) == (True, False)
    assert machine.has("10.91.1.100")
    assert machine.end() == 0
    assert machine.text.count("begins anew") == 2
    assert machine.text.count("Entering MASTER STATE") == 1
    assert not any(word in machine.text for word in ("Program error", "died", "forcing"))


def test_a_namespace_that_does_not_exist(outside: Outside) -> None:
    outside.conf.write_text(HEAD + OWNER % "")
    outside.options = ("-s", "nowhere")
    done = outside.run("-n", "-l")
    assert done.returncode == 1
    assert "Cannot enter network namespace nowhere" in done.stderr
    assert "No such file" in done.stderr


def test_instances_beside_each_other(machine: Machine, outside: Outside) -> None:
    """Two daemons of one host, told apart by their instance names alone."""
    one, two = f"{machine.name}x", f"{machine.name}y"
    outside.conf.write_text(f"instance {one}\nnet_namespace {machine.name}\n" + HEAD + OWNER % "")
    outside.start()
    outside.until("Startup complete")
    other = outside.folder / "other.conf"
    other.write_text(
        f"instance {two}\nuse_pid_dir\n"
        + HEAD
        + (OWNER % "").replace("left", "right").replace("10.91.1.100", "10.91.2.100").replace("51", "52")
    )
    command = ["ip", "netns", "exec", machine.name, sys.executable, "-m", "pykeepalived", "-f", str(other)]
    started = subprocess.run(command, cwd=ROOT, timeout=PATIENCE, check=False, capture_output=True)
    assert (started.returncode, started.stdout, started.stderr) == (0, b"", b"")
    assert soon((RUN / f"vrrp_{two}.pid").exists)
    pid = outside.running(f"keepalived_{two}.pid")
    try:
        assert soon(lambda: machine.has("10.91.1.100") and machine.has("10.91.2.100"))
        assert (RUN / f"keepalived_{machine.name}_{one}.pid").exists()
        outside.conf.write_text(outside.conf.read_text().replace(f"instance {one}", "instance renamed"))
        outside.send(signal.SIGHUP)
        outside.until("Cannot change instance at a reload - please restart keepalived")
        outside.until("Reload complete")
        assert outside.end() == 0
        assert soon(lambda: not machine.has("10.91.1.100"))
        assert machine.has("10.91.2.100")
    finally:
        os.kill(pid, signal.SIGTERM)
    assert soon(lambda: not alive(pid))
    assert not machine.has("10.91.2.100")
    assert left_behind(machine.name) == []
    assert __version__ in outside.text
