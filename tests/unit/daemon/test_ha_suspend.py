"""ha_suspend: checkers wait while this machine has none of the virtual server's addresses. Groups are served too."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.checker_process import CheckerService
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import HostAddress, HostListener, HostTable, Interface, ReceiveBuffer
from pykeepalived.units import SECOND
from tests.unit.daemon.test_checker_process import TIMING, VS, Director, Trouble, WebServer, name, real, virtual

WEB = Service("group", None, 0, 6, 0, 2, "web")


class FakeHost:
    """Addresses of a machine with the interfaces 1 and 2; what is told is told when it is drained."""

    def __init__(self, listener: HostListener, addresses: set[tuple[int, str]]) -> None:
        self.listener = listener
        self.buffers: list[tuple[ReceiveBuffer, ReceiveBuffer]] = []
        self.known = set(addresses)
        self.wanted = addresses
        self.closed = False
        self.broken = False
        self._told, self._tell = socket.socketpair()

    def fileno(self) -> int:
        return self._told.fileno()

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._told.recv(100, socket.MSG_DONTWAIT)
        if self.broken:
            raise KernelError("listen to netlink", errno.ENOBUFS)
        for address in sorted(self.wanted - self.known):
            self.listener.address_added(row(*address))
        for address in sorted(self.known - self.wanted):
            self.listener.address_removed(row(*address))
        self.known = set(self.wanted)

    def changed(self) -> None:
        self._tell.send(b"!")

    def set_receive_buffers(self, orders: ReceiveBuffer, monitor: ReceiveBuffer) -> None:
        self.buffers.append((orders, monitor))

    def interfaces(self) -> Sequence[Interface]:
        return [Interface(number, f"eth{number}", True, b"", 1500, True, True, False) for number in (1, 2)]

    def addresses(self, interface: int) -> Sequence[HostAddress]:
        return [row(*each) for each in sorted(self.known) if each[0] == interface]

    def close(self) -> None:
        self.closed = True
        self._told.close()
        self._tell.close()


def row(interface: int, address: str) -> HostAddress:
    return HostAddress(interface, ip_address(address), 24, 0, False, False)


class Machine(Director):
    """A checker process on a machine with addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[tuple[int, str]] = set()
        self.hosts: list[FakeHost] = []
        self.deaf = False
        self.groups: tuple[VirtualServerGroup, ...] = ()

    def make_host(self, listener: HostListener) -> HostTable:
        if self.deaf:
            raise KernelError("open a netlink socket", errno.EMFILE)
        host = FakeHost(listener, self.addresses)
        self.hosts.append(host)
        return host

    def service_of(self, *arguments: Any) -> CheckerService:
        context, part, kernel, draw = arguments
        return CheckerService(context, part, kernel, draw, self.make_host)

    def part(self, *blocks: Any, **defs: Any) -> Configuration:
        return replace(super().part(*blocks, **defs), virtual_server_group=self.groups)

    def add(self, *addresses: tuple[int, str]) -> None:
        self.addresses.update(addresses)
        self._tell()

    def remove(self, *addresses: tuple[int, str]) -> None:
        self.addresses.difference_update(addresses)
        self._tell()

    def _tell(self) -> None:
        self.hosts[-1].changed()
        self.reactor.run_for(0)


@pytest.fixture
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    if machine.service is not None and not machine.finished:
        machine.stop()
    for server in machine.servers:
        server.close()
    assert all(host.closed for host in machine.hosts)
    machine.reactor.close()


def said(what: str, server: WebServer, service: str = VS) -> str:
    return f"{what} healthchecker for service {name(server)} for VS {service}"


@pytest.mark.keyword("virtual_server.ha_suspend")
def test_checks_wait_for_the_address(machine: Machine) -> None:
    web = machine.web()
    machine.start(virtual(real(web.port), ha_suspend=True))
    assert machine.lines()[1] == said("Deactivating", web)
    assert machine.pool() == {f"127.0.0.1:{web.port}": 1}  # it counts as up, as without a check
    machine.reactor.run_for(100 * SECOND)
    assert web.accepted == 0
    machine.add((1, "10.9.0.100"))
    assert machine.lines() == [said("Activating", web)]
    machine.reactor.run_for(13 * SECOND)  # half the warm-up, one loop
    assert web.accepted == 2
    machine.lines()
    machine.remove((1, "10.9.0.100"))
    assert machine.lines() == [said("Suspending", web)]
    machine.reactor.run_for(100 * SECOND)
    assert web.accepted == 2


def test_a_machine_that_has_the_address_checks_at_once(machine: Machine) -> None:
    web = machine.web()
    machine.addresses.add((2, "10.9.0.100"))
    machine.start(virtual(real(web.port), ha_suspend=True))
    assert machine.lines()[1] == said("Activating", web)
    machine.reactor.run_for(5 * SECOND)
    assert web.accepted == 1


def test_what_was_believed_is_kept_meanwhile(machine: Machine) -> None:
    web, other = machine.web(), machine.web()
    machine.addresses.add((1, "10.9.0.100"))
    machine.start(virtual(real(web.port), real(other.port), ha_suspend=True))
    web.close()
    machine.reactor.run_for(20 * SECOND)
    assert machine.pool() == {f"127.0.0.1:{other.port}": 1}
    machine.remove((1, "10.9.0.100"))
    web.reopen()
    machine.reactor.run_for(60 * SECOND)
    assert machine.pool() == {f"127.0.0.1:{other.port}": 1}
    machine.add((1, "10.9.0.100"))
    machine.reactor.run_for(5 * SECOND)
    assert machine.pool() == {f"127.0.0.1:{each.port}": 1 for each in (web, other)}


def test_an_address_on_two_interfaces_is_here_until_it_is_on_none(machine: Machine) -> None:
    web = machine.web()
    machine.addresses.add((1, "10.9.0.100"))
    machine.start(virtual(real(web.port), ha_suspend=True))
    machine.lines()
    machine.add((2, "10.9.0.100"))
    machine.remove((1, "10.9.0.100"))
    assert machine.lines() == []
    machine.remove((2, "10.9.0.100"))
    assert machine.lines() == [said("Suspending", web)]


def test_addresses_of_others_and_virtual_servers_without_it_are_left_alone(machine: Machine) -> None:
    web = machine.web()
    machine.start(virtual(real(web.port), ha_suspend=True), virtual(real(web.port), last=101))
    machine.lines()
    machine.add((1, "10.9.0.101"), (1, "10.9.0.5"))
    assert machine.lines() == []


def test_a_reload_switches_it(machine: Machine) -> None:
    web = machine.web()
    plain, waiting = virtual(real(web.port)), virtual(real(web.port), ha_suspend=True)
    machine.start(plain)
    assert machine.hosts == []  # nobody asks the kernel for nothing
    machine.reactor.run_for(5 * SECOND)
    machine.lines()
    machine.reload(waiting)
    assert said("Suspending", web) in machine.lines()
    machine.reload(waiting)
    assert said("Suspending", web) not in machine.lines()
    machine.reload(plain)
    assert said("Activating", web) in machine.lines()
    assert machine.hosts[0].closed
    accepted = web.accepted
    machine.reactor.run_for(20 * SECOND)
    assert web.accepted > accepted


def test_a_reload_while_checks_wait(machine: Machine) -> None:
    web, other = machine.web(), machine.web()
    machine.start(virtual(real(web.port), ha_suspend=True))
    machine.lines()
    timing = replace(TIMING, delay_loop=5 * SECOND)
    machine.reload(virtual(real(web.port, timing=timing), real(other.port), ha_suspend=True))
    assert machine.lines()[1:] == [said("Deactivating", web), said("Deactivating", other)]
    machine.reactor.run_for(60 * SECOND)
    assert web.accepted == other.accepted == 0
    machine.add((1, "10.9.0.100"))
    machine.reactor.run_for(8 * SECOND)
    assert web.accepted > 0 < other.accepted


@pytest.mark.parametrize("first", [False, True])
def test_a_reload_that_fails_amid_a_suspension_doubles_no_check(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    """Nor does it end one: a further reload has all wait, or all go on."""
    webs = [machine.web(), machine.web()]
    before, after = (virtual(*(real(web.port) for web in webs), ha_suspend=each) for each in (first, not first))
    service = machine.start(before)
    trouble = Trouble(monkeypatch, service._checkers, "_wait_or_go_on", first=2)
    with pytest.raises(ZeroDivisionError):
        machine.reload(after)
    trouble.end()
    for block in (after, before, after):
        machine.reload(block)
        machine.reactor.run_for(20 * SECOND)
        accepted = [web.accepted for web in webs]
        machine.reactor.run_for(20 * SECOND)
        assert [web.accepted - count for web, count in zip(webs, accepted, strict=True)] == (
            [0, 0] if block.ha_suspend else [2, 2]
        )


def test_a_group_is_here_with_any_of_its_addresses(machine: Machine) -> None:
    web = machine.web()
    entries = (GroupEntry(ip_address("10.9.0.1"), ip_address("10.9.0.3"), 80, family=2), GroupEntry(fwmark=7))
    machine.groups = (VirtualServerGroup("web", entries),)
    block = replace(virtual(real(web.port), ha_suspend=True), service=WEB)
    machine.start(block)
    assert machine.lines()[1] == said("Deactivating", web, "[web]:0")
    machine.add((1, "10.9.0.2"), (1, "10.9.0.3"))
    assert machine.lines() == [said("Activating", web, "[web]:0")]
    machine.remove((1, "10.9.0.2"))
    assert machine.lines() == []
    # the line that named the last one goes
    machine.groups = (VirtualServerGroup("web", (replace(entries[0], last=ip_address("10.9.0.2")),)),)
    machine.reload(block)
    assert machine.lines()[-1] == said("Suspending", web, "[web]:0")


def test_what_is_known_by_marks_alone_is_never_away(machine: Machine) -> None:
    web = machine.web()
    machine.groups = (VirtualServerGroup("web", (GroupEntry(fwmark=7),)),)
    machine.start(replace(virtual(real(web.port), ha_suspend=True), service=WEB))
    assert machine.lines()[1] == said("Activating", web, "[web]:0")


def test_without_an_answer_of_the_kernel_no_check_waits(machine: Machine) -> None:
    web = machine.web()
    machine.deaf = True
    machine.start(virtual(real(web.port), ha_suspend=True))
    assert machine.lines()[1:3] == [
        f"ha_suspend: the kernel does not tell of addresses: {os.strerror(errno.EMFILE)}",
        said("Activating", web),
    ]
    machine.reactor.run_for(5 * SECOND)
    assert web.accepted == 1


def test_checks_wait_when_the_kernel_answers_at_last(machine: Machine) -> None:
    """Addresses that come and go, as at a failover, may keep a list of them from being read."""
    web, other = machine.web(), machine.web()
    machine.deaf = True
    machine.addresses.add((1, "10.9.0.101"))
    machine.start(virtual(real(web.port), ha_suspend=True), virtual(real(other.port), last=101, ha_suspend=True))
    machine.reactor.run_for(20 * SECOND)
    assert len([line for line in machine.lines() if line.startswith("ha_suspend")]) == 1
    machine.deaf = False
    machine.reactor.run_for(SECOND)
    assert machine.lines() == [said("Suspending", web)]
    machine.add((1, "10.9.0.100"))
    assert machine.lines() == [said("Activating", web)]
    machine.remove((1, "10.9.0.101"))
    assert machine.lines() == [said("Suspending", other, "[10.9.0.101]:tcp:80")]


def test_netlink_that_breaks_is_said_and_read_again(machine: Machine) -> None:
    web = machine.web()
    machine.start(virtual(real(web.port), ha_suspend=True))
    machine.lines()
    machine.hosts[0].broken = True
    machine.add((1, "10.9.0.100"))
    assert machine.lines() == [f"ha_suspend: the kernel does not tell of addresses: {os.strerror(errno.ENOBUFS)}"]
    machine.reactor.run_for(5 * SECOND)
    assert machine.lines() == []  # once
    machine.hosts[0].broken = False
    machine.reactor.run_for(SECOND)  # and nobody tells that there is something to hear
    assert machine.lines() == [said("Activating", web)]


@pytest.mark.keyword("global_defs.lvs_netlink_cmd_rcv_bufs")
@pytest.mark.keyword("global_defs.lvs_netlink_cmd_rcv_bufs_force")
@pytest.mark.keyword("global_defs.lvs_netlink_monitor_rcv_bufs")
@pytest.mark.keyword("global_defs.lvs_netlink_monitor_rcv_bufs_force")
def test_buffers_of_the_sockets(machine: Machine) -> None:
    web = machine.web()
    machine.start(
        virtual(real(web.port), ha_suspend=True),
        lvs_netlink_cmd_rcv_bufs=8192,
        lvs_netlink_cmd_rcv_bufs_force=True,
        lvs_netlink_monitor_rcv_bufs=4096,
    )
    machine.reload(virtual(real(web.port), ha_suspend=True))
    assert machine.hosts[0].buffers == [
        (ReceiveBuffer(8192, True), ReceiveBuffer(4096, False)),
        (ReceiveBuffer(0, False), ReceiveBuffer(0, False)),
    ]
