"""The checker process with a real kernel's table; ipvsadm says what the kernel holds."""

import gc
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address

import pytest

from pykeepalived.config.blocks.checkers import CheckTiming, Target, TcpCheck
from pykeepalived.config.blocks.virtual_server import LvsMethod, RealServer, Service, SorryServer, VirtualServer
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.checker_process import CheckerService
from pykeepalived.daemon.child import ChildContext, ChildOptions
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.ipvs_table import IpvsOrder
from pykeepalived.kernel.frames import FrameTemplates, Template
from pykeepalived.kernel.ipvs import LinuxIpvs
from pykeepalived.kernel.ports import Failure
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeJournal, FakeScripts

pytestmark = pytest.mark.lab(timeout=300)

NO_FRAMES = FrameTemplates(Template(b"", (), ()), Template(b"", (), ()), 0, 0)


class Watched(LinuxIpvs):
    """The kernel's table, and the verbs it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.verbs: list[str] = []

    def apply(self, orders: Sequence[IpvsOrder]) -> list[Failure]:
        self.verbs += [str(order.verb) for order in orders]
        return super().apply(orders)


class Director:
    """A checker process on the guest's kernel."""

    def __init__(self, *blocks: VirtualServer) -> None:
        self.kernel = Watched()
        self.errors: list[Exception] = []
        self.reactor = Reactor(self.errors.append)
        self.journal = FakeJournal()
        context = ChildContext(
            reactor=self.reactor,
            journal=self.journal,
            scripts=FakeScripts(),
            options=ChildOptions(),
            frames=NO_FRAMES,
            ready=self.reactor.stop,
        )
        self.service = CheckerService(context, Configuration(virtual_server=blocks), self.kernel)
        self.service.start()
        self.reactor.run()
        assert self.errors == []

    def reload(self, *blocks: VirtualServer) -> None:
        self.service.reload(Configuration(virtual_server=blocks))
        self.run_until(lambda: not self.service._table.pending)

    def stop(self) -> None:
        self.service.stop(self.reactor.stop)
        self.close()

    def close(self) -> None:
        """As a process that ends: the table stays."""
        self.reactor.close()
        self.kernel.close()

    def run_until(self, condition: Callable[[], bool], seconds: int = 20) -> None:
        end = self.reactor.now() + seconds * SECOND
        beat = self.reactor.alarm(lambda: beat.set(self.reactor.now() + SECOND // 20))
        beat.set(self.reactor.now())
        while not condition() and self.reactor.now() < end:
            self.reactor.turn()
        beat.set(None)
        assert condition()
        assert self.errors == []


@pytest.fixture(autouse=True)
def kernel() -> Iterator[LinuxIpvs]:
    for module in ("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_wlc"):
        subprocess.run(["modprobe", module], check=False)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    table = LinuxIpvs()
    table.flush()
    yield table
    table.flush()
    table.close()


def saved() -> list[str]:
    told = subprocess.run(["ipvsadm", "-S", "-n"], capture_output=True, text=True, check=True).stdout
    return [" ".join(line.split()) for line in told.splitlines()]


def block(last: int, *servers: RealServer, version: int = 4) -> VirtualServer:
    address = ip_address(f"10.9.0.{last}" if version == 4 else f"2001:db8::{last}")
    service = Service("address", address, 80, 6, 0, 2 if version == 4 else 10)
    return VirtualServer(service=service, real_server=servers, lvs_sched="rr")


def many(services: int, servers: int) -> list[VirtualServer]:
    dr = LvsMethod("DR")
    return [
        block(
            last,
            *(
                RealServer(address=ip_address(f"10.{last}.{n // 250}.{n % 250 + 1}"), port=80, lvs_method=dr)
                for n in range(servers)
            ),
        )
        for last in range(1, services + 1)
    ]


def test_every_row_comes_back_as_it_was_ordered() -> None:
    """A restart orders nothing: what the kernel tells equals what is wanted, whatever the options."""
    methods = [
        LvsMethod("NAT"),
        LvsMethod("DR"),
        LvsMethod("TUN"),
        LvsMethod("TUN", "gue", 6080, "csum"),
        LvsMethod("TUN", "gre", 0, "csum"),
    ]
    servers = tuple(
        RealServer(address=ip_address(f"10.0.0.{n}"), port=80, lvs_method=method, uthreshold=9, lthreshold=3, weight=n)
        for n, method in enumerate(methods, 1)
    )
    servers6 = tuple(replace(each, address=ip_address(f"2001:db8::{n}")) for n, each in enumerate(servers, 1))
    granularity = ip_address("255.255.255.0")
    assert granularity.version == 4
    blocks = [
        block(1, *servers),
        replace(block(2, *servers), persistence_timeout=30, persistence_granularity=granularity, sched_1=True),
        block(3, *servers6, version=6),
        replace(block(4, *servers6, version=6), persistence_timeout=360, persistence_granularity=64),
        replace(block(5, *servers), service=Service("fwmark", None, 0, 0, 7, 2)),
        replace(block(6, *servers6), service=Service("fwmark", None, 0, 0, 8, 10)),
        replace(block(7, *servers), service=Service("address", ip_address("10.9.0.7"), 53, 17, 0, 2), ops=True),
    ]
    first = Director(*blocks)
    assert [entry.message for entry in first.journal.entries if "error" in entry.message] == []
    assert len(first.kernel.verbs) == len(blocks) * 6
    first.close()
    again = Director(*blocks)
    assert again.kernel.verbs == []
    again.stop()
    assert saved() == []


def test_servers_leave_and_return_in_the_kernel() -> None:
    timing = CheckTiming(retry=0, delay_loop=SECOND // 5, warmup=0)
    dead = RealServer(
        address=ip_address("127.0.0.1"), port=9, checkers=(TcpCheck(Target(ip_address("127.0.0.1"), 9), timing),)
    )
    sorry = SorryServer(address=ip_address("10.0.0.9"), port=80)
    director = Director(replace(block(1, dead), sorry_server=sorry))
    assert saved()[1:] == ["-a -t 10.9.0.1:80 -r 127.0.0.1:9 -m -w 1"]
    director.run_until(lambda: "10.0.0.9" in saved()[-1])
    assert saved()[1:] == ["-a -t 10.9.0.1:80 -r 10.0.0.9:80 -m -w 1"]
    assert director.kernel.verbs[-2:] == ["add-server", "delete-server"]
    director.reload(replace(block(1, replace(dead, checkers=(), weight=4)), sorry_server=sorry, lvs_sched="wlc"))
    assert saved() == ["-A -t 10.9.0.1:80 -s wlc", "-a -t 10.9.0.1:80 -r 127.0.0.1:9 -m -w 4"]
    assert director.kernel.verbs[-3:] == ["edit-service", "add-server", "delete-server"]
    director.stop()


def test_five_thousand_real_servers() -> None:
    blocks = many(50, 100)
    gc.collect()
    began, used = time.monotonic(), time.process_time()
    director = Director(*blocks)
    took, used = time.monotonic() - began, time.process_time() - used
    assert len(saved()) == 5050
    began = time.monotonic()
    again = Director(*blocks)
    compared = time.monotonic() - began
    assert again.kernel.verbs == []
    inspected = time.process_time()
    services = [row for part in again.kernel.walk_services() for row in part]
    assert sum(len(part) for row in services for part in again.kernel.walk_servers(row)) == 5000
    inspected = time.process_time() - inspected
    again.close()
    print(f"inspected in {inspected:.2f} s of CPU")
    print(f"5,000 real servers: loaded in {took:.2f} s ({used:.2f} s of CPU), compared in {compared:.2f} s")
    director.stop()
    assert saved() == []
    assert len([verb for verb in director.kernel.verbs if verb == "delete-service"]) == 50
    assert took < 10
