"""Routes, rules and static objects of a whole daemon, in the kernel: from the start over reloads to the end."""

import signal

from tests.namespaces.daemon_machine import HEAD, MARKS, OWNER, Machine, ip, machine, soon

pytestmark = MARKS
__all__ = ["machine"]

STATIC = """
static_ipaddress {
    10.95.0.1/24 dev right
}
static_routes {
    10.96.0.0/24 via 10.91.2.2 dev right
    fd96::/64 dev right
}
static_rules {
    from 10.97.0.0/24 table 100 preference 1000
}
"""
ROUTES = """
    virtual_routes {
        10.98.0.0/24 via 10.91.1.2 dev left %s
    }
    virtual_rules {
        from 10.99.0.0/24 table 100 preference 2000
    }
"""


def shown(machine: Machine) -> set[str]:
    """The first word of every route and the number of every rule of keepalived's protocol."""
    name = machine.name
    lines = ip(f"-n {name} route show proto 18") + ip(f"-n {name} -6 route show proto 18")
    numbers = [line.partition(":")[0] for line in ip(f"-n {name} -d rule show").splitlines() if "keepalived" in line]
    return {line.split()[0] for line in lines.splitlines()} | set(numbers)


ALL = {"10.96.0.0/24", "fd96::/64", "1000", "10.98.0.0/24", "2000"}


def test_they_come_stay_change_and_go(machine: Machine) -> None:
    machine.conf.write_text(HEAD + OWNER % "")
    machine.start()
    machine.until("Entering MASTER STATE")
    assert shown(machine) == set()

    # the first ones come with a reload: the process has made no such message before
    machine.conf.write_text(HEAD + STATIC + OWNER % (ROUTES % ""))
    machine.send(signal.SIGHUP)
    assert soon(lambda: shown(machine) == ALL), shown(machine)
    assert machine.has("10.95.0.1")

    ip(f"-n {machine.name} route del 10.96.0.0/24")
    ip(f"-n {machine.name} addr del 10.95.0.1/24 dev right")
    machine.until("Restoring deleted static route 10.96.0.0/24 via 10.91.2.2 dev right")
    machine.until("Restoring deleted static address 10.95.0.1/24 dev right scope global")
    assert soon(lambda: shown(machine) == ALL and machine.has("10.95.0.1"))

    ip(f"-n {machine.name} link set right down")
    assert soon(lambda: "10.96.0.0/24" not in shown(machine))
    ip(f"-n {machine.name} link set right up")
    assert soon(lambda: shown(machine) == ALL), shown(machine)

    machine.conf.write_text(HEAD + STATIC + OWNER % (ROUTES % "mtu 1400"))
    machine.send(signal.SIGHUP)
    assert soon(lambda: "mtu 1400" in ip(f"-n {machine.name} route show proto 18"))
    assert shown(machine) == ALL
    assert machine.text.count("Entering BACKUP STATE") == 0

    ip(f"-n {machine.name} route del 10.98.0.0/24")
    machine.until(r"\(VI_1\) cause: somebody removed route 10.98.0.0/24 via 10.91.1.2 dev left mtu 1400")
    machine.until("Entering MASTER STATE", 2)
    assert soon(lambda: shown(machine) == ALL), shown(machine)

    assert machine.end() == 0
    assert shown(machine) == set()
    assert not machine.has("10.95.0.1")
