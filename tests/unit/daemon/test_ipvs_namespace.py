"""The network namespace of net_namespace_ipvs vanishes, comes back, and is made anew."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pykeepalived.config.kinds_ipvs import SyncDaemon
from pykeepalived.daemon.checker_process import CheckerService
from pykeepalived.daemon.child import ChildContext
from pykeepalived.errors import KernelError
from pykeepalived.units import SECOND
from tests.support.fakes_lvs import FakeIpvs
from tests.unit.daemon.test_checker_process import VS, Director, real, virtual

NAME = "net_namespace_ipvs director"
AWAY = f"{NAME}: cannot find the network namespace director: No such file or directory"


class FakeNamespace:
    """The name, and which namespace has it."""

    def __init__(self) -> None:
        self.name = "director"
        self.first: int | None = 1
        self.now: int | None = 1
        self.looks = 0
        self.refusal = errno.ENOENT

    @property
    def opened(self) -> bool:
        return self.first is not None

    def is_another(self) -> bool:
        self.looks += 1
        if self.now is None:
            raise KernelError(f"find the network namespace {self.name}", self.refusal)
        return self.now != self.first


class Elsewhere(Director):
    """A checker process whose IPVS table is in a network namespace that has a name."""

    def __init__(self) -> None:
        super().__init__()
        self.namespace = FakeNamespace()
        self.begun_anew = 0

    def service_of(self, context: ChildContext, *arguments: Any) -> CheckerService:
        namespace: Any = self.namespace
        return CheckerService(replace(context, ipvs_namespace=namespace, begin_anew=self._anew), *arguments)

    def _anew(self) -> None:
        self.begun_anew += 1

    def begin(self, **defs: Any) -> None:
        self.start(virtual(real(80, checkers=()), real(81, checkers=())), **defs)
        self.lines()


@pytest.fixture
def director() -> Iterator[Elsewhere]:
    director = Elsewhere()
    yield director
    director.reactor.close()


@pytest.mark.keyword("net_namespace_ipvs")
def test_one_that_is_made_anew_is_noticed_and_gets_the_whole_table(director: Elsewhere) -> None:
    director.begin()
    former = director.kernel
    director.namespace.now = 2
    director.reactor.run_for(SECOND)
    assert director.lines() == [
        f"{NAME}: another network namespace has this name now: the process begins anew in it",
    ]
    director.reactor.run_for(100 * SECOND)
    assert (director.lines(), director.begun_anew) == ([], 1)
    director.stop()  # as the parent does
    assert former.weights() == {}
    director.kernel, director.namespace = FakeIpvs(), FakeNamespace()
    director.begin()
    assert director.pool() == {"127.0.0.1:80": 1, "127.0.0.1:81": 1}


def test_while_it_is_away_all_goes_on_and_it_is_said_once(director: Elsewhere) -> None:
    director.begin()
    director.namespace.now = None
    director.reactor.run_for(100 * SECOND)
    assert director.lines() == [f"{AWAY} - IPVS is used where that name has led to"]
    assert list(director.kernel.weights()) == [VS]
    director.namespace.now = 1
    director.reactor.run_for(SECOND)
    assert (director.lines(), director.begun_anew) == ([f"{NAME}: the name is there again"], 0)
    director.namespace.now = None
    director.reactor.run_for(SECOND)
    assert len(director.lines()) == 1
    director.namespace.now = 2
    director.reactor.run_for(SECOND)
    assert (len(director.lines()), director.begun_anew) == (1, 1)


def test_a_name_that_may_not_be_followed_is_said_once(director: Elsewhere) -> None:
    director.begin()
    director.namespace.now, director.namespace.refusal = None, errno.EACCES
    director.reactor.run_for(100 * SECOND)
    (line,) = director.lines()
    assert line.endswith(": Permission denied - another one would not be noticed")


def test_one_that_was_not_there_at_the_start_is_waited_for(director: Elsewhere) -> None:
    director.kernel.missing = True
    director.namespace.first = director.namespace.now = None
    director.begin()
    director.reactor.run_for(100 * SECOND)
    assert director.lines() == []
    director.namespace.now = 2
    director.reactor.run_for(SECOND)
    assert director.lines() == [f"{NAME}: it is there now: the process begins anew in it"]
    assert director.begun_anew == 1


def test_the_sync_daemon_of_an_instance_stays_behind_and_that_is_said(director: Elsewhere) -> None:
    director.begin(lvs_sync_daemon=SyncDaemon("eth0", "VI_1"))
    director.namespace.now = 2
    director.reactor.run_for(SECOND)
    (line,) = director.lines()
    assert line.endswith("anew in it; the sync daemon of VI_1 does when the daemon is started again")


def test_nobody_looks_after_the_end(director: Elsewhere) -> None:
    director.begin()
    director.stop()
    director.reactor.run_for(10 * SECOND)
    assert director.namespace.looks == 0
