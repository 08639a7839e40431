"""A VRRP process that was killed as MASTER: what is left of it when the daemon stops or reloads before the next one."""

import os
import signal

import pytest

from tests.namespaces.daemon_machine import HEAD, MARKS, OWNER, Machine, ip, machine, soon

pytestmark = MARKS
__all__ = ["machine"]

FIRST = OWNER % ""
SECOND = """
static_ipaddress {
    10.95.0.1/24 dev right
}
vrrp_instance VI_2 {
    interface right
    use_vmac vrrp.52
    virtual_router_id 52
    version 3
    priority 200
    advert_int 0.1
    no_accept
    virtual_ipaddress {
        10.91.2.100/24
    }
    virtual_routes {
        10.98.0.0/24 via 10.91.2.2 dev right
    }
    virtual_rules {
        from 10.99.0.0/24 table 100 preference 2000
    }
}
"""
OF_SECOND = ["10.95.0.1", "vrrp.52", "10.91.2.100", "10.98.0.0/24", "10.99.0.0/24", "table ip keepalived"]
ALL = ["10.91.1.100", *OF_SECOND]


def standing(machine: Machine) -> list[str]:
    """What the daemon has made of addresses, links, routes, rules and tables of the packet filter."""
    name = machine.name
    shown = ip(f"-n {name} addr show") + ip(f"-n {name} route show") + ip(f"-n {name} rule show")
    shown += ip(f"netns exec {name} nft list tables")
    return [word for word in ALL if word in shown]


def dies(machine: Machine) -> None:
    """For the second time, so that the VRRP process is dead for a second."""
    for count in (1, 2):
        machine.until(r"\(VI_1\) Entering MASTER STATE", count)
        machine.until(r"\(VI_2\) Entering MASTER STATE", count)
        assert soon(lambda: standing(machine) == ALL)
        os.kill(machine.pid("vrrp_pid"), signal.SIGKILL)
    machine.until("Restart of VRRP process delayed 1 seconds")


@pytest.mark.parametrize("option", ["-P", "--dont-release-vrrp"])
def test_a_stop_leaves_nothing_unless_it_is_to(machine: Machine, option: str) -> None:
    """One comes once more, only to take it away."""
    machine.conf.write_text(HEAD + FIRST + SECOND)
    machine.start(option)
    dies(machine)
    assert machine.end() == 0
    released = option == "-P"
    assert machine.text.count("Started only to take away") == released
    assert standing(machine) == ([] if released else ALL)
    assert machine.text.count("Entering MASTER STATE") == 4
    assert "0 priority" not in machine.text


def test_a_reload_leaves_nothing_of_what_it_removes(machine: Machine) -> None:
    machine.conf.write_text(HEAD + FIRST + SECOND)
    machine.start()
    dies(machine)
    machine.conf.write_text(HEAD + FIRST)
    machine.send(signal.SIGHUP)
    machine.until("New configuration applied")
    machine.until(r"\(VI_1\) Entering MASTER STATE", 3)
    left = ["10.91.1.100", "table ip keepalived"]  # a table that was made stays until the end, with nothing in it
    assert soon(lambda: standing(machine) == left)
    assert machine.text.count("(VI_2) Entering MASTER STATE") == 2
    assert machine.end() == 0
    assert standing(machine) == []


def test_a_reload_that_removes_all_leaves_nothing(machine: Machine) -> None:
    machine.conf.write_text(HEAD + FIRST + SECOND)
    machine.start()
    dies(machine)
    machine.conf.write_text(HEAD)
    machine.send(signal.SIGHUP)
    machine.until("New configuration applied")
    assert standing(machine) == []
    assert not (machine.folder / "vrrp_pid").exists()
    assert machine.end() == 0


@pytest.mark.parametrize("reload", [False, True])
def test_one_that_hangs_leaves_nothing_either(machine: Machine, reload: bool) -> None:
    """It is killed, and one comes once more."""
    conf = "child_wait_time 1\n" + HEAD
    machine.conf.write_text(conf + FIRST + SECOND)
    machine.start()
    machine.until(r"\(VI_2\) Entering MASTER STATE")
    assert soon(lambda: standing(machine) == ALL)
    os.kill(machine.pid("vrrp_pid"), signal.SIGSTOP)
    if reload:
        machine.conf.write_text(conf)
        machine.send(signal.SIGHUP)
        machine.until("Started only to take away")
        assert soon(lambda: standing(machine) == [])
    assert machine.end() == 0
    assert standing(machine) == []
    assert "VRRP process failed to die" in machine.text
    assert "0 priority" not in machine.text
