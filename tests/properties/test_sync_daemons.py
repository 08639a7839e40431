"""The sync daemon of an instance under any history: in the end that one runs which the instance wants, and none other;
and none is left at a stop.
"""

import errno
import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pykeepalived.config.kinds_ipvs import SyncDaemon
from pykeepalived.daemon.sync_daemon import InstanceSync, SyncDaemons
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import SyncState
from pykeepalived.kernel.ports import IpvsDaemons
from pykeepalived.units import SECOND
from pykeepalived.vrrp.effects import Word
from tests.support.fakes_lvs import FakeJournal, FakeSyncDaemons, SimulatedReactor

DAEMONS = (
    None,
    SyncDaemon("eth0", instance="A", syncid=1),
    SyncDaemon("eth0", instance="B", syncid=2),
    SyncDaemon("eth1", instance="A", syncid=1, ttl=3),
)
WORDS = (Word.MASTER, Word.BACKUP, Word.FAULT)


class Life:
    """What happens to it is drawn."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.reactor = SimulatedReactor()
        self.kernel = FakeSyncDaemons()
        self.missing = False
        self.masters = dict.fromkeys("AB", False)
        self.daemon: SyncDaemon | None = None
        self.sync = InstanceSync(SyncDaemons(self._open, self.reactor, FakeJournal()))
        self.reload()

    def _open(self) -> IpvsDaemons:
        if self.missing:
            raise KernelError("look for IPVS in the kernel", errno.ENOENT)
        return self.kernel

    def reload(self) -> None:
        self.daemon = self.draw.choice(DAEMONS)
        there = [SimpleNamespace(name=name) for name in "AB" if self.draw.random() < 0.8]
        part = SimpleNamespace(global_defs=SimpleNamespace(lvs_sync_daemon=self.daemon), vrrp_instance=there)
        self.sync.configure(cast("Any", part), master=self.masters.__getitem__)

    def happen(self) -> None:
        draw = self.draw
        match draw.randrange(7):
            case 0:
                self.reload()
            case 1 | 2:
                name, word = draw.choice("AB"), draw.choice(WORDS)
                self.masters[name] = word is Word.MASTER
                if name == self.sync.instance:
                    self.sync.entered(word)
            case 3:
                self.kernel.refuse = {draw.choice(("list", "start", "stop")): draw.choice((errno.ENODEV, errno.ENOMEM))}
            case 4:
                self.kernel.refuse = {}
            case 5 if self.kernel.running:
                del self.kernel.running[draw.choice(list(self.kernel.running))]
            case _:
                self.missing = draw.random() < 0.2
                if self.missing:
                    self.kernel.running.clear()
        self.reactor.run_for(draw.choice((0, SECOND, 30 * SECOND)))


def live(seed: int) -> None:
    life = Life(seed)
    for _ in range(40):
        life.happen()
        if life.missing:
            life.kernel.running.clear()
    life.kernel.refuse = {}
    life.missing = False
    life.reactor.run_for(200 * SECOND)
    wanted: dict[SyncState, str] = {}
    if life.sync.instance and life.daemon is not None:
        state = SyncState.MASTER if life.masters[life.sync.instance] else SyncState.BACKUP
        wanted[state] = life.daemon.interface
    assert {state: row.interface for state, row in life.kernel.running.items()} == wanted
    life.sync.close()
    assert life.kernel.running == {}
    life.reactor.close()


def test_what_the_instance_wants_runs_in_the_end() -> None:
    for seed in range(150):
        live(seed)


@pytest.mark.long
def test_what_the_instance_wants_runs_in_the_end_of_many_lives() -> None:
    for seed in range(150, 3000):
        live(seed)
