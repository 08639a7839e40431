"""The marks of virtual server groups in the real kernel: the tables are keepalived's, and packets get their marks."""

import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.daemon.ipvs_marks import IpvsMarks
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.kernel.packet_marks import LinuxPacketMarks
from pykeepalived.units import SECOND
from tests.config.reading import read
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not
from tests.support import nft
from tests.support.fakes_vrrp import FakeJournal, FakeReactor

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.skipif(nft.why_not() is not None, reason=str(nft.why_not())),
]

GROUPS = (nft.GOLDEN / "ipvs_groups.conf").read_text("utf-8")


@dataclass
class Bench:
    """Marks in the left of two namespaces, whose ends have addresses of both families."""

    left: Namespace
    right: Namespace
    marks: IpvsMarks
    reactor: FakeReactor
    journal: FakeJournal

    def take(self, text: str) -> dict[str, int]:
        configuration = parsed(text)
        found = self.left.call(lambda: self.marks.take(configuration))
        self.left.call(self.marks.mark)
        return {f"{service.name}/{service.protocol}": mark for service, mark in found.items()}

    def nft(self, *words: str) -> str:
        command = ["ip", "netns", "exec", self.left.name, "nft", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def listed(self) -> list[Any]:
        return nft.listed(self.nft("-j", "list", "ruleset"))

    def hear(self) -> None:
        for callback in list(self.reactor.watched.values()):
            self.left.call(callback)
        self.left.call(lambda: self.reactor.run_for(0))

    def count(self, mark: int) -> int:
        """How many packets with the mark have come in."""
        rows = json.loads(self.nft("-j", "list", "counters"))["nftables"]
        return sum(row["counter"]["packets"] for row in rows if row.get("counter", {}).get("name") == f"m{mark}")


def parsed(text: str) -> Configuration:
    loaded = read(text)
    assert not loaded.fatal
    return loaded.configuration


@pytest.fixture
def bench() -> Iterator[Bench]:
    with veth_pair() as (left, right):
        for number, namespace in enumerate((left, right), 1):
            namespace.ip(f"addr add 10.9.0.{number}/24 dev eth0")
            namespace.ip(f"addr add fd00::a{number}/64 dev eth0 nodad")
        reactor, journal = FakeReactor(), FakeJournal()
        marks = IpvsMarks(cast("Any", reactor), journal, LinuxPacketMarks, Keepsake())
        yield Bench(left, right, marks, reactor, journal)
        marks.close(release=True)


@pytest.mark.keyword("global_defs.nftables_ipvs", "global_defs.nftables_ipvs_start_fwmark")
def test_the_tables_are_those_that_keepalived_makes(bench: Bench) -> None:
    assert bench.take(GROUPS) == {"G1/6": 1000, "G1/17": 1001, "G2/6": 1002, "G3/132": 1003}
    assert by_name(bench.listed()) == by_name(nft.golden("ipvs_groups"))
    bench.marks.close(release=True)
    assert bench.listed() == []
    assert bench.journal.texts() == []


def by_name(rows: list[Any]) -> list[str]:
    """Nft lists maps and rules of a table in the order in which they came to be; that order says nothing here."""
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.keyword("global_defs.nftables_ipvs_priority")
def test_name_priority_and_first_mark_are_the_file_s(bench: Bench) -> None:
    options = "nftables_ipvs mine\nnftables_ipvs_priority -150\nnftables_ipvs_start_fwmark 5000"
    assert set(bench.take(GROUPS.replace("nftables_ipvs\n", f"{options}\n")).values()) == {5000, 5001, 5002, 5003}
    rows = bench.listed()
    assert {row["table"]["name"] for row in rows if "table" in row} == {"mine"}
    assert {row["chain"]["prio"] for row in rows if "chain" in row} == {-150}
    bench.take(GROUPS)
    assert {row["table"]["name"] for row in bench.listed() if "table" in row} == {"keepalived_ipvs"}
    bench.take(GROUPS.replace("nftables_ipvs\n", "\n"))
    assert bench.listed() == []


def test_a_reload_changes_elements_alone_and_marks_stay(bench: Bench) -> None:
    before = bench.take(GROUPS)
    handles = bench.nft("-a", "list", "table", "ip", "keepalived_ipvs").count("# handle")
    generation = bench.nft("-a", "list", "chain", "ip", "keepalived_ipvs", "in")
    assert bench.take(GROUPS) == before
    assert bench.take(GROUPS.replace("10.9.0.105 81", "10.9.0.106-109 81")) == before
    assert bench.nft("-a", "list", "chain", "ip", "keepalived_ipvs", "in") == generation
    assert "10.9.0.106-10.9.0.109 . 81" in bench.nft("list", "table", "ip", "keepalived_ipvs")
    assert "10.9.0.105" not in bench.nft("list", "table", "ip", "keepalived_ipvs")
    assert bench.nft("-a", "list", "table", "ip", "keepalived_ipvs").count("# handle") == handles


def test_a_table_that_another_program_flushes_is_made_again(bench: Bench) -> None:
    bench.take(GROUPS)
    before = by_name(bench.listed())
    bench.nft("flush", "ruleset")
    bench.hear()
    assert by_name(bench.listed()) == before
    lines = sorted(bench.journal.texts())
    assert len(lines) == 2
    assert lines[0].startswith("The nftables table ip keepalived_ipvs is made again: nft[")
    bench.nft("delete", "table", "ip6", "keepalived_ipvs")
    bench.hear()
    assert len(bench.listed()) < len(before)
    bench.left.call(lambda: bench.reactor.run_for(2 * SECOND))
    assert by_name(bench.listed()) == before


def test_a_table_that_a_crashed_daemon_left_is_taken_over(bench: Bench) -> None:
    bench.take(GROUPS)
    before = by_name(bench.listed())
    other = IpvsMarks(cast("Any", FakeReactor()), FakeJournal(), LinuxPacketMarks, Keepsake())
    bench.left.call(lambda: other.take(parsed(GROUPS)))
    bench.left.call(other.mark)
    assert by_name(bench.listed()) == before
    other.close(release=True)
    assert bench.listed() == []


@pytest.mark.parametrize(("family", "at"), [(AF_INET, "10.9.0.1"), (AF_INET6, "fd00::a1")])
def test_packets_get_the_mark_of_their_group(bench: Bench, family: int, at: str) -> None:
    """Ports win over all ports, the first group over later ones, and other packets have no mark."""
    groups = {"PORT": f"{at} 7000", "WHOLE": at, "LATE": f"{at} 7000\n{at} 7001"}
    text = "global_defs {\nnftables_ipvs\n}\n"
    real = "10.8.0.1 80" if family == AF_INET else "fd00:8::1 80"
    for name, lines in groups.items():
        text += f"virtual_server_group {name} {{\n{lines}\n}}\nvirtual_server group {name} {{\nprotocol UDP\n"
        text += f"lvs_sched rr\nlvs_method NAT\nreal_server {real} {{\n}}\n}}\n"
    assert set(bench.take(text).values()) == {1000, 1001, 1002}
    for mark in (0, 1000, 1001, 1002):
        bench.nft("add", "table", "inet", "probe")
        bench.nft("add", "counter", "inet", "probe", f"m{mark}")
    bench.nft("add chain inet probe in { type filter hook input priority 10 ; }")
    for mark in (0, 1000, 1001, 1002):
        bench.nft(f"add rule inet probe in udp dport 7000-7009 meta mark {mark} counter name m{mark}")

    def send() -> None:
        with contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as sender:
            for port in (7000, 7000, 7000, 7001, 7001, 7002):
                with contextlib.suppress(OSError):
                    sender.sendto(b"x", (at, port))

    bench.right.call(send)
    for _ in range(100):
        if sum(bench.count(mark) for mark in (0, 1000, 1001, 1002)) == 6:
            break
    assert [bench.count(mark) for mark in (0, 1000, 1001, 1002)] == [0, 3, 1, 2]
