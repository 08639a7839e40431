"""What a process asks of the kernel for itself, each in a child that is thrown away."""

import os
import signal
import time
from pathlib import Path

import pytest

from pykeepalived.kernel import processes
from tests.unit.kernel.forked import in_child


def test_the_name_is_what_ps_shows() -> None:
    def work() -> str:
        processes.set_name("keepalived_healthcheckers")
        return Path("/proc/self/comm").read_text(encoding="utf-8").strip()

    assert in_child(work) == "keepalived_heal"


def test_a_child_dies_with_its_parent() -> None:
    ready, told = os.pipe()
    parent = os.fork()
    if parent == 0:
        own = os.getpid()
        if os.fork() == 0:
            processes.die_with_parent(own)
            os.write(told, str(os.getpid()).encode())
            time.sleep(30)
            os._exit(0)
        time.sleep(30)
        os._exit(0)
    grandchild = int(os.read(ready, 20))
    os.close(told)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert os.read(ready, 1) == b""  # its end of the pipe closes when it is gone, within the test's patience
    os.close(ready)
    assert not Path(f"/proc/{grandchild}/cmdline").exists() or Path(f"/proc/{grandchild}/cmdline").read_bytes() == b""


def test_a_parent_that_ended_before_is_noticed() -> None:
    child = os.fork()
    if child == 0:
        processes.die_with_parent(os.getpid() + 1)
        time.sleep(5)
        os._exit(0)
    _, code = os.waitpid(child, 0)
    assert os.WTERMSIG(code) == signal.SIGTERM


def test_timer_slack() -> None:
    def work() -> str:
        processes.set_timer_slack(1000)
        return Path("/proc/self/timerslack_ns").read_text(encoding="ascii").strip()

    assert in_child(work) == "1000"


@pytest.mark.parametrize(
    ("name", "refusal"), [("", "EINVAL"), ("..", "EINVAL"), ("../x", "EINVAL"), ("kd-no-such-namespace", "ENOENT")]
)
def test_network_namespaces_that_are_none(name: str, refusal: str) -> None:
    assert in_child(lambda: processes.enter_network_namespace(name)) == refusal
