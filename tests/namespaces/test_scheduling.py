"""How the kernel schedules the processes of a running daemon, and that its scripts are ordinary processes."""

import os
import time
from pathlib import Path

import pytest

from tests.support import pykeepalived
from tests.support.director import Director
from tests.support.netns import Network, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

CONFIG = """
global_defs {
    script_user root
    %s
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    version 3
    advert_int 0.1
    priority 200
    notify_master %s
    virtual_ipaddress {
        10.77.0.100/24
    }
}
"""
SCRIPT = """#!/bin/sh
cut -d' ' -f19,40,41 /proc/self/stat > {told}.new
grep VmLck /proc/self/status >> {told}.new
mv {told}.new {told}
"""


def rank(pid: int) -> tuple[int, int, int, bool]:
    """Niceness, real-time priority, policy, and whether memory is locked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    locked = Path(f"/proc/{pid}/status").read_text().partition("VmLck:")[2].split()[0]
    return int(fields[16]), int(fields[37]), int(fields[38]), locked != "0"


def real_time_is_granted() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError:
        return False
    return True


@pytest.mark.keyword("global_defs.vrrp_rt_priority")
@pytest.mark.skipif(os.geteuid() != 0 or not real_time_is_granted(), reason="needs real-time scheduling")
def test_as_configured_also_after_a_reload_and_not_for_scripts(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script, told = tmp_path / "script", tmp_path / "told"
    script.write_text(SCRIPT.format(told=told))
    script.chmod(0o755)
    first = "vrrp_rt_priority 10\n vrrp_no_swap\n vrrp_cpu_affinity 0\n vrrp_rlimit_rttime 100000"
    with Network() as network:
        host = network.host("left")
        host.attach(network.segment(), ("10.77.0.1/24",), mac="02:00:00:00:00:01")
        with Director(host, pykeepalived.make(), tmp_path / "run", CONFIG % (first, script)) as director:
            director.start()
            director.wait_log("(VI_1) Entering MASTER STATE")
            parent, vrrp = director.pid, int((tmp_path / "run" / "vrrp.pid").read_text())
            assert rank(vrrp) == (0, 10, os.SCHED_RR, True)
            assert os.sched_getaffinity(vrrp) == {0}
            assert rank(parent) == (0, 0, os.SCHED_OTHER, False)
            end = time.monotonic() + 60
            while not told.exists() and time.monotonic() < end:
                time.sleep(0.02)
            assert told.read_text().split() == ["0", "0", "0", "VmLck:", "0", "kB"]

            mark = director.mark()
            director.reload(CONFIG % ("vrrp_priority -4", script))
            director.wait_log("New configuration applied", since=mark)
            assert rank(vrrp) == (-4, 0, os.SCHED_OTHER, False)
            assert os.sched_getaffinity(vrrp) == os.sched_getaffinity(parent)
            mark = director.mark()
            director.reload(CONFIG % ("vrrp_rt_priority 7", script))
            director.wait_log("New configuration applied", since=mark)
            assert rank(vrrp) == (0, 7, os.SCHED_RR, False)
            assert not director.logged("has no effect")
            assert director.stop() == 0
