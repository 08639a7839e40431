"""One daemon with everything that VRRP has at once: what a reload without a change touches, and what stays behind."""

import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.namespaces.daemon_machine import MARKS, Machine, ip, machine, soon

pytestmark = [*MARKS, pytest.mark.long]
__all__ = ["machine"]

EVERYTHING = """
global_defs {
    router_id everything
    enable_script_security
    script_user root
    vrrp_rt_priority 10
    vrrp_garp_master_refresh 60
    vrrp_notify_fifo FOLDER/fifo
    nftables
}
linkbeat_interfaces {
    left
}
interface_up_down_delays {
    right 0.5 1
}
garp_group {
    garp_interval 0.01
    interfaces {
        left
    }
}
track_group SG {
    group {
        VI_3
    }
}
static_ipaddress {
    10.95.0.1/24 dev right track_group SG
}
static_routes {
    10.96.0.0/24 via 10.91.2.2 dev right
    fd96::/64 dev right
}
static_rules {
    from 10.97.0.0/24 table 100 preference 1000
}
track_file tf {
    file FOLDER/tf
    weight 1
    init_file 0
}
vrrp_track_process tp {
    process pykeepalived
    weight 2
}
vrrp_script ts {
    script "/bin/true"
    interval 1
    weight 3
}
vrrp_sync_group G1 {
    group {
        VI_1
        VI_2
    }
}
vrrp_instance VI_1 {
    interface left
    use_vmac vrrp.51
    vmac_xmit_base
    virtual_router_id 51
    priority 150
    advert_int 1
    no_accept
    virtual_ipaddress {
        10.91.1.100/24
    }
    virtual_routes {
        10.98.0.0/24 via 10.91.1.2 dev left
    }
    virtual_rules {
        from 10.99.0.0/24 table 100 preference 2000
    }
    track_interface {
        right
    }
}
vrrp_instance VI_2 {
    interface left
    use_vmac vrrp6.51
    virtual_router_id 51
    priority 150
    advert_int 1
    virtual_ipaddress {
        fe80::51
        fd91:1::100/64
    }
}
vrrp_instance VI_3 {
    interface right
    virtual_router_id 53
    version 2
    priority 100
    advert_int 1
    promote_secondaries
    authentication {
        auth_type AH
        auth_pass secret
    }
    virtual_ipaddress {
        10.91.2.103/24
    }
    track_script {
        ts
    }
    track_file {
        tf
    }
    track_process {
        tp
    }
}
vrrp_instance VI_4 {
    interface right
    virtual_router_id 54
    version 3
    priority 100
    advert_int 1
    auth_hmac {
        key 1 hex:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
        active_key 1
    }
    unicast_src_ip 10.91.2.1
    unicast_peer {
        10.91.2.2
    }
    virtual_ipaddress {
        10.91.2.104/24
    }
}
"""
SHOWN = """
ip -o link | sed 's/^[0-9]*: //'; ip -o addr | sed 's/^[0-9]*: //; s/tentative//; s/valid_lft.*//'
ip route show table all | grep -v 'table local'; ip -6 route show table all | grep -v 'table local\\|^fe80'
ip rule; ip -6 rule; nft list ruleset
cd /proc/sys/net/ipv4/conf; grep . */arp_ignore */arp_filter */rp_filter */promote_secondaries
"""


def shown(machine: Machine) -> str:
    command = ["ip", "netns", "exec", machine.name, "sh", "-c", SHOWN]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def heard(machine: Machine, seconds: float) -> str:
    """What ``ip monitor`` tells of everything but neighbours."""
    command = ["ip", "-n", machine.name, "monitor", "link", "address", "route", "rule", "netconf"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as monitor:
        assert monitor.stdout is not None
        try:
            time.sleep(0.5)
            machine.send(signal.SIGHUP)
            machine.until("New configuration applied")
            time.sleep(seconds)
        finally:
            monitor.kill()
        return monitor.stdout.read().decode() if select.select([monitor.stdout], [], [], 0)[0] else ""


def begun(machine: Machine) -> None:
    machine.conf.write_text(EVERYTHING.replace("FOLDER", str(machine.folder)))
    machine.start()
    machine.until("Entering MASTER STATE", 4)


def test_a_reload_touches_nothing_and_a_stop_leaves_nothing(machine: Machine) -> None:
    assert soon(lambda: ip(f"-n {machine.name} -o addr show tentative") == "")
    before = shown(machine)
    begun(machine)
    assert heard(machine, 1) == ""
    assert "computed for" not in machine.text

    descriptors = Path(f"/proc/{machine.pid('vrrp_pid')}/fd")
    count = len(list(descriptors.iterdir()))
    for number in range(1, 6):
        ip(f"-n {machine.name} link del vrrp.51")
        machine.until("Success creating VMAC interface vrrp.51", number + 1)
        machine.until(r"\(VI_1\) Entering MASTER STATE", number + 1)
        assert soon(lambda: machine.has("10.91.1.100"))
    relays = ["ip", "netns", "exec", machine.name, "nft", "list", "map", "ip", "keepalived", "vmac_map"]
    assert '"vrrp.51" : "left"' in subprocess.run(relays, capture_output=True, text=True, check=True).stdout
    assert len(list(descriptors.iterdir())) <= count + 2

    ip(f"-n {machine.name} -4 addr flush dev right")
    ip(f"-n {machine.name} addr add 10.91.2.1/24 dev right")
    assert soon(lambda: "10.96.0.0/24" in ip(f"-n {machine.name} route show proto 18"))

    assert machine.end() == 0
    assert sorted(shown(machine).splitlines()) == sorted(before.splitlines())
    assert not (machine.folder / "fifo").exists()


def test_after_a_violent_end_the_next_start_finds_everything_again(machine: Machine) -> None:
    begun(machine)
    link = ip(f"-n {machine.name} -o link show vrrp.51").split(":")[0]
    assert machine.process is not None
    child = machine.pid("vrrp_pid")
    machine.process.kill()
    os.kill(child, signal.SIGKILL)  # before it leaves in good order
    machine.process.wait()
    assert soon(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text())
    assert machine.process.stderr is not None
    machine.process.stderr.close()
    begun(machine)
    assert "daemon is already running" not in machine.text
    assert ip(f"-n {machine.name} -o link show vrrp.51").split(":")[0] == link
    assert machine.end() == 0
    left = shown(machine)
    assert "vrrp" not in left
    assert "keepalived" not in left
    assert "left/arp_ignore:1" not in left
