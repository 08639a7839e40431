"""LinuxRouting against the real kernel: what it orders, what it hears, and what it is spared."""

import select
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import ENETUNREACH, ENODEV, errorcode

import pytest

from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.routing import LinuxRouting
from tests.config.machine import Machine
from tests.config.reading import sound
from tests.namespaces.test_host import Heard
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]


@dataclass
class Lost:
    """A listener that writes down what is gone."""

    entries: list[str] = field(default_factory=list)

    def route_removed(self, entry: RouteEntry) -> None:
        self.entries.append(str(entry))

    def rule_removed(self, entry: RuleEntry) -> None:
        self.entries.append(str(entry))

    def take(self) -> list[str]:
        entries, self.entries = self.entries, []
        return entries


@dataclass
class Bench:
    """Routing in the left of two namespaces, with 10.9.0.1/24 on eth0."""

    namespace: Namespace
    lost: Lost
    host: LinuxHost
    routing: LinuxRouting

    def hears(self) -> list[str]:
        """What it tells by now; orders of others are carried out when their command ends."""
        self.routing.drain()
        return self.lost.take()

    def silent(self) -> bool:
        return not select.select([self.routing.fileno()], [], [], 0)[0]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with veth_pair() as (left, _):
        left.ip("addr add 10.9.0.1/24 dev eth0")
        left.ip("addr add fd09::1/64 dev eth0 nodad")
        lost = Lost()
        host = left.call(lambda: LinuxHost(Heard()))
        routing = left.call(lambda: LinuxRouting(lost, host.interface))
        yield Bench(left, lost, host, routing)
        routing.close()
        host.close()


def routes(*lines: str) -> tuple[RouteEntry, ...]:
    text = "\n".join(lines)
    return sound(f"static_routes {{\n{text}\n}}\n", Machine(interfaces=("eth0",))).configuration.static_routes


def rules(*lines: str) -> tuple[RuleEntry, ...]:
    text = "\n".join(lines)
    return sound(f"static_rules {{\n{text}\n}}\n", Machine(interfaces=("eth0",))).configuration.static_rules


TRACKED = (
    "10.20.0.0/24 dev eth0",
    "10.20.1.0/24 via 10.9.0.2 dev eth0 metric 7 tos 0x10",
    "10.20.2.0/24 dev eth0 table 1000 scope link",
    "fd20::/64 dev eth0",
    "fd20:1::/64 via fd09::2 dev eth0 metric 9 table 1000",
    "default via fd09::2 dev eth0",
    "fd20:2::/64 dev eth0 encap ip6 dst fd09::9",
)
RULES = (
    "from 10.0.0.0/8 table 100 preference 5",
    "from fd00::/8 iif eth0 table 1000 preference 6 not",
    "table 100 preference 7 fwmark 5 ipproto tcp dport 5-9 uidrange 1-2 suppress_prefixlength 8",
    "goto 99 preference 8 tos 4",
    "table 100 preference 9 realms 1/2 tunnel-id 4 oif eth0",
    "blackhole preference 10",
)


@pytest.mark.parametrize("line", TRACKED)
def test_a_route_that_others_remove_is_heard(bench: Bench, line: str) -> None:
    entries = routes(line)
    assert bench.routing.add_routes(entries) == []
    assert bench.routing.add_routes(entries) == []  # it is there already
    assert bench.hears() == []
    family = "-6 " if entries[0].family == 10 else ""
    table = f"table {entries[0].table}"
    assert bench.namespace.ip(f"{family}route show {table} proto 18")
    bench.namespace.ip(f"{family}route flush {table} proto 18")
    assert bench.hears() == [str(entries[0])]
    bench.routing.add_routes(entries)
    assert bench.routing.remove_routes(entries) == []
    assert bench.hears() == []
    assert not bench.namespace.ip(f"{family}route show {table} proto 18")
    assert bench.routing.remove_routes(entries) == []  # it is gone already


@pytest.mark.parametrize("line", RULES)
def test_a_rule_that_others_remove_is_heard(bench: Bench, line: str) -> None:
    entries = rules(line)
    assert bench.routing.add_rules(entries) == []
    assert bench.routing.add_rules(entries) == []
    assert bench.hears() == []
    family = "-6 " if entries[0].family == 10 else ""
    bench.namespace.ip(f"{family}rule del preference {entries[0].preference}")
    assert bench.hears() == [str(entries[0])]
    bench.routing.add_rules(entries)
    assert bench.routing.remove_rules(entries) == []
    assert bench.hears() == []
    assert f"\n{entries[0].preference}:" not in bench.namespace.ip(f"{family}rule show")


def test_a_route_takes_the_place_of_another(bench: Bench) -> None:
    (old,) = routes("10.20.0.0/24 via 10.9.0.2 dev eth0")
    (new,) = routes("10.20.0.0/24 via 10.9.0.3 dev eth0 mtu 1400")
    bench.routing.add_routes([old])
    assert bench.routing.add_routes([new], replace=True) == []
    assert bench.hears() == []
    shown = bench.namespace.ip("route show proto 18").splitlines()
    assert [line.split()[:3] for line in shown] == [["10.20.0.0/24", "via", "10.9.0.3"]]


def test_what_the_kernel_refuses_is_told_with_its_words(bench: Bench) -> None:
    good, bad, last = routes("10.20.0.0/24 dev eth0", "10.20.1.0/24 via 172.16.0.1 dev eth0", "10.20.2.0/24 dev eth0")
    (failure,) = bench.routing.add_routes([good, bad, last])
    assert (failure.index, errorcode[failure.errno]) == (1, errorcode[ENETUNREACH])
    assert failure.words == "Nexthop has invalid gateway"
    bench.namespace.ip("link del eth0")
    bench.host.drain()
    assert [each.errno for each in bench.routing.add_routes([good])] == [ENODEV]
    assert bench.routing.remove_routes([good]) == []


def test_nothing_is_heard_before_something_matters(bench: Bench) -> None:
    bench.routing.add_routes(routes("10.20.0.0/24 dev eth0 no_track", "10.20.1.0/24 via 10.9.0.2"))
    bench.routing.add_rules(rules("table 100 preference 5 no_track"))
    bench.namespace.ip("route flush proto 18")
    bench.namespace.ip("rule del preference 5")
    assert bench.silent()
    bench.routing.add_routes(routes(TRACKED[0]))
    bench.namespace.ip("rule add preference 5 table 9")
    bench.namespace.ip("rule del preference 5")
    assert bench.silent()


def _flap(bench: Bench, count: int) -> None:
    for verb in ("add", "del"):
        lines = "\n".join(
            f"route {verb} 10.{100 + n // 65536}.{n // 256 % 256}.{n % 256}/32 dev eth0 proto bgp" for n in range(count)
        )
        subprocess.run(["ip", "-n", bench.namespace.name, "-batch", "-"], input=lines, text=True, check=True)


@pytest.mark.parametrize("count", [2000, pytest.param(100_000, marks=pytest.mark.long)])
def test_the_routes_of_others_do_not_reach_us(bench: Bench, count: int) -> None:
    """Not one message of them is queued, so none can delay an advert or fill the socket."""
    (ours,) = routes(TRACKED[0])
    bench.routing.add_routes([ours])
    _flap(bench, count)
    assert bench.silent()
    bench.namespace.ip("route del 10.20.0.0/24")
    assert bench.hears() == [str(ours)]


def test_an_overrun_is_mended(bench: Bench) -> None:
    """More removals than the socket holds: what is still there is asked for, of our routes alone.

    Without an overrun one drain tells no more than a turn's worth.
    """
    many = routes(*(f"10.{20 + n // 256}.{n % 256}.0/24 dev eth0" for n in range(4000)), *TRACKED[2:5])
    assert bench.routing.add_routes(many) == []
    assert bench.routing.add_rules(rules(*RULES)) == []
    bench.namespace.ip("route add 10.99.0.0/24 dev eth0 proto bgp")
    bench.namespace.ip("route flush table main proto 18")
    bench.namespace.ip("rule del preference 5")
    lost = bench.hears()
    assert sorted(lost) == sorted([*map(str, many[:4000]), str(rules(RULES[0])[0])])
    assert bench.silent()
