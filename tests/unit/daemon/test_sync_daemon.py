"""The IPVS sync daemons: which run when, what is said, what others do to them."""

import errno
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any, cast

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_ipvs import SyncDaemon
from pykeepalived.daemon.sync_daemon import BOTH, SyncDaemons
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import SyncDaemonRow, SyncState
from pykeepalived.kernel.ports import IpvsDaemons
from pykeepalived.units import SECOND
from tests.config.reading import instance_text, read
from tests.support.fakes_lvs import FakeSyncDaemons
from tests.support.fakes_vrrp import Bench as VrrpBench
from tests.support.fakes_vrrp import FakeJournal, FakeReactor
from tests.support.scenario import make_configuration

MASTER, BACKUP = SyncState.MASTER, SyncState.BACKUP
DAEMON = SyncDaemon("eth0", syncid=5)


@dataclass
class Bench:
    """Daemons between fakes."""

    kernel: FakeSyncDaemons = field(default_factory=FakeSyncDaemons)
    reactor: FakeReactor = field(default_factory=FakeReactor)
    journal: FakeJournal = field(default_factory=FakeJournal)
    missing: int = 0
    interfaces: dict[str, int] = field(default_factory=lambda: {"eth0": 2})

    def __post_init__(self) -> None:
        self.daemons = SyncDaemons(self._open, cast("Any", self.reactor), self.journal, index_of=self._index_of)

    def _index_of(self, name: str) -> int:
        if name not in self.interfaces:
            raise OSError(errno.ENODEV, "")
        return self.interfaces[name]

    def _open(self) -> IpvsDaemons:
        if self.missing:
            raise KernelError("look for IPVS in the kernel", self.missing)
        return self.kernel

    def want(self, daemon: SyncDaemon | None, *states: SyncState) -> list[tuple[str, str]]:
        self.daemons.want(daemon, states)
        self.reactor.run_for(0)
        return self.kernel.cut()

    def said(self) -> list[str]:
        texts = [line.message for line in self.journal.lines if not line.detail]
        self.journal.lines.clear()
        return texts


def test_one_is_stopped_before_the_other_starts() -> None:
    bench = Bench()
    assert bench.want(DAEMON, BACKUP) == [("start", "backup")]
    assert bench.want(DAEMON, MASTER) == [("stop", "backup"), ("start", "master")]
    assert bench.want(DAEMON, MASTER) == []
    bench.reactor.run_for(61 * SECOND)
    bench.daemons.close()
    assert bench.kernel.cut() == [("stop", "master")]
    assert bench.kernel.running == {}
    assert bench.said() == []


def test_what_runs_already_as_wanted_stays_and_everything_else_is_stopped() -> None:
    bench = Bench()
    bench.kernel.start_daemon(SyncDaemonRow(MASTER, "eth0", 5, port=8850))
    bench.kernel.start_daemon(SyncDaemonRow(BACKUP, "eth0", 77))
    bench.kernel.cut()
    assert bench.want(DAEMON, *BOTH) == [("stop", "backup"), ("start", "backup")]
    assert bench.kernel.running[MASTER].port == 8850


@pytest.mark.parametrize(
    "other",
    [
        SyncDaemon("eth1", syncid=5),
        SyncDaemon("eth0", syncid=6),
        SyncDaemon("eth0", syncid=5, maxlen=1000),
        SyncDaemon("eth0", syncid=5, port=8850),
        SyncDaemon("eth0", syncid=5, ttl=3),
        SyncDaemon("eth0", syncid=5, group=IPv4Address("224.0.0.99")),
    ],
    ids=str,
)
def test_a_reload_that_changes_it_starts_it_anew(other: SyncDaemon) -> None:
    bench = Bench()
    bench.want(DAEMON, BACKUP)
    assert bench.want(other, BACKUP) == [("stop", "backup"), ("start", "backup")]
    assert bench.want(None) == [("stop", "backup")]


@pytest.mark.parametrize(
    ("daemon", "lengths"),
    [
        (replace(DAEMON, maxlen=500), {MASTER: 500, BACKUP: 1024}),
        (replace(DAEMON, maxlen=65507), {MASTER: 65507, BACKUP: 65507}),
        (replace(DAEMON, maxlen=65507, group=IPv6Address("ff05::81")), {MASTER: 65487, BACKUP: 65487}),
    ],
)
def test_one_that_the_kernel_gives_another_length_runs_as_wanted(
    daemon: SyncDaemon, lengths: dict[SyncState, int]
) -> None:
    bench = Bench()
    bench.want(daemon, *BOTH)
    bench.reactor.run_for(300 * SECOND)
    assert {state: row.maxlen for state, row in bench.kernel.running.items()} == lengths
    assert bench.kernel.cut() == []
    assert bench.said() == []


def test_without_a_wish_nobody_is_touched() -> None:
    bench = Bench()
    bench.kernel.start_daemon(SyncDaemonRow(MASTER, "eth0", 5))
    bench.kernel.cut()
    assert bench.want(None) == []
    bench.reactor.run_for(300 * SECOND)
    bench.daemons.close()
    assert bench.kernel.cut() == []


def test_without_ipvs_it_is_said_once_and_started_when_it_comes() -> None:
    bench = Bench(missing=errno.ENOENT)
    assert bench.want(DAEMON, BACKUP) == []
    bench.reactor.run_for(600 * SECOND)
    (line,) = bench.said()
    assert line.startswith("IPVS sync daemon: Can't initialize ipvs")
    bench.missing = 0
    bench.reactor.run_for(61 * SECOND)
    assert bench.kernel.cut() == [("start", "backup")]
    assert bench.said() == []


def test_a_missing_interface_is_said_once_and_tried_again() -> None:
    bench = Bench()
    bench.kernel.refuse["start"] = errno.ENODEV
    bench.want(DAEMON, BACKUP)
    bench.reactor.run_for(600 * SECOND)
    (line,) = bench.said()
    assert line.startswith(
        "IPVS cmd NEW_DAEMON(9) error: No such device(19) for the sync daemon (backup) - there is no"
    )
    del bench.kernel.refuse["start"]
    bench.reactor.run_for(61 * SECOND)
    assert bench.kernel.cut() == [("start", "backup")]


def test_one_that_is_wanted_no_more_is_stopped_though_the_kernel_is_silent_at_first() -> None:
    """Else this router goes on sending beside the one that took over."""
    bench = Bench()
    bench.want(DAEMON, MASTER)
    bench.kernel.refuse["list"] = errno.ENOBUFS
    assert bench.want(None) == []
    assert bench.said() == []
    del bench.kernel.refuse["list"]
    bench.reactor.run_for(2 * SECOND)
    assert bench.kernel.cut() == [("stop", "master")]


def test_at_the_end_one_that_could_not_be_stopped_yet_is_tried_again() -> None:
    bench = Bench()
    bench.want(DAEMON, MASTER)
    bench.kernel.refuse["stop"] = errno.ENOMEM
    assert bench.want(None) == []
    del bench.kernel.refuse["stop"]
    bench.daemons.close()
    assert bench.kernel.cut() == [("stop", "master")]


def test_one_process_takes_them_over_from_another() -> None:
    """Whichever of the two hears of the reload first."""
    bench = Bench()
    former = SyncDaemons(bench._open, cast("Any", bench.reactor), bench.journal)
    former.want(DAEMON, BOTH)
    bench.reactor.run_for(300 * SECOND)
    bench.want(replace(DAEMON, instance="VI_1"), BACKUP)
    former.want(None, ())
    bench.reactor.run_for(3 * SECOND)
    assert list(bench.kernel.running) == [BACKUP]
    assert bench.said() == []


def test_what_somebody_else_does_to_them_is_put_right_and_said() -> None:
    bench = Bench()
    bench.want(DAEMON, BACKUP)
    bench.reactor.run_for(3 * SECOND)
    bench.kernel.cut()
    bench.kernel.running.clear()
    bench.reactor.run_for(61 * SECOND)
    assert bench.kernel.cut() == [("start", "backup")]
    assert bench.said() == ["IPVS sync daemon (backup) was stopped by somebody else: it is started again"]
    bench.kernel.running.clear()
    bench.kernel.refuse["start"] = errno.ENODEV
    bench.reactor.run_for(600 * SECOND)
    assert len(bench.said()) == 2  # what has become of it, and why it cannot be put right
    del bench.kernel.refuse["start"]
    bench.reactor.run_for(61 * SECOND)
    bench.kernel.start_daemon(SyncDaemonRow(MASTER, "eth9", 1))
    bench.reactor.run_for(61 * SECOND)
    assert bench.said() == ["IPVS sync daemon (master) was started otherwise by somebody else: it is put right"]
    assert list(bench.kernel.running) == [BACKUP]
    bench.kernel.running[BACKUP] = SyncDaemonRow(BACKUP, "eth0", 77)
    bench.reactor.run_for(61 * SECOND)
    assert bench.said() == ["IPVS sync daemon (backup) was started otherwise by somebody else: it is put right"]


def test_one_whose_interface_was_made_anew_is_started_again() -> None:
    """As by `ip link del` and `add` of a VLAN: the kernel's thread stays with the former one, and hears nothing."""
    bench = Bench()
    bench.want(DAEMON, BACKUP)
    bench.reactor.run_for(100 * SECOND)
    bench.kernel.cut()
    bench.interfaces.clear()
    bench.reactor.run_for(100 * SECOND)
    assert bench.kernel.cut() == []
    bench.interfaces["eth0"] = 7
    bench.reactor.run_for(100 * SECOND)
    assert bench.kernel.cut() == [("stop", "backup"), ("start", "backup")]
    assert bench.said() == ["IPVS sync daemon (backup) has lost eth0, which was made anew: it is started again"]


def following(daemon: SyncDaemon | None = None) -> tuple[VrrpBench, VrrpService]:
    bench = VrrpBench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    service = VrrpService(bench.context, part(daemon), bench.kernel)
    service.start()
    bench.reactor.run_for(0)
    return bench, service


def part(daemon: SyncDaemon | None) -> Configuration:
    configuration = make_configuration("instance VI_1 priority=100")
    return replace(configuration, global_defs=replace(configuration.global_defs, lvs_sync_daemon=daemon))


FOLLOWER = SyncDaemon("eth0", "VI_1", 51)


@pytest.mark.keyword("global_defs.lvs_sync_daemon")
def test_it_follows_its_instance() -> None:
    bench, service = following(FOLLOWER)
    assert bench.kernel.sync.cut() == [("start", "backup")]
    bench.reactor.run_for(4 * SECOND)
    assert bench.kernel.sync.cut() == [("stop", "backup"), ("start", "master")]
    bench.kernel.set_link("eth0", up=False)
    bench.told()
    bench.reactor.run_for(0)
    assert bench.kernel.sync.cut() == [("stop", "master"), ("start", "backup")]
    service.stop(lambda: None)
    bench.reactor.run_for(2 * SECOND)
    assert bench.kernel.sync.cut() == [("stop", "backup")]


def test_a_crashed_process_comes_back_as_backup_and_finds_the_daemon_of_a_master() -> None:
    bench = VrrpBench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    bench.kernel.sync.start_daemon(SyncDaemonRow(MASTER, "eth0", 51))
    bench.kernel.sync.cut()
    VrrpService(bench.context, part(FOLLOWER), bench.kernel).start()
    bench.reactor.run_for(0)
    assert bench.kernel.sync.cut() == [("stop", "master"), ("start", "backup")]


def test_a_reload_changes_by_difference() -> None:
    bench, service = following(FOLLOWER)
    bench.reactor.run_for(4 * SECOND)
    bench.kernel.sync.cut()
    service.reload(part(FOLLOWER))
    bench.reactor.run_for(0)
    assert bench.kernel.sync.cut() == []
    service.reload(part(replace(FOLLOWER, syncid=6)))
    bench.reactor.run_for(0)
    assert bench.kernel.sync.cut() == [("stop", "master"), ("start", "master")]
    service.reload(part(None))
    bench.reactor.run_for(0)
    assert bench.kernel.sync.cut() == [("stop", "master")]


@pytest.mark.parametrize("daemon", [None, replace(FOLLOWER, instance=None), replace(FOLLOWER, instance="VI_9")])
def test_a_vrrp_process_that_follows_nobody_asks_nothing_of_ipvs(daemon: SyncDaemon | None) -> None:
    bench, service = following(daemon)
    bench.kernel.sync.refuse = {"list": errno.EPERM, "start": errno.EPERM, "stop": errno.EPERM}
    bench.reactor.run_for(70 * SECOND)
    service.stop(lambda: None)
    bench.reactor.run_for(2 * SECOND)
    assert not [line for line in bench.journal.texts() if "IPVS" in line]


@pytest.mark.keyword("vrrp_instance.lvs_sync_daemon_interface")
@pytest.mark.parametrize(
    ("before", "daemon"),
    [
        ("", SyncDaemon("eth0", "VI_1", 51)),
        ("global_defs {\nlvs_sync_daemon eth1\n}", SyncDaemon("eth1", syncid=0)),
    ],
)
def test_the_former_keyword_names_the_interface_and_the_instance(before: str, daemon: SyncDaemon) -> None:
    loaded = read(instance_text("lvs_sync_daemon_interface eth0", before))
    assert loaded.configuration.global_defs.lvs_sync_daemon == daemon
