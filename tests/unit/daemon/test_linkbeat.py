"""The linkbeat at a fake driver: which way it asks, how often, and what it tells."""

from errno import EMFILE
from typing import Any, cast

from pykeepalived.config.blocks.interfaces import METHODS, Method
from pykeepalived.daemon.linkbeat import Linkbeat
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.events import LinkbeatChanged
from tests.support.fakes_vrrp import FakeJournal, FakeReactor


class FakeDrivers:
    """What each interface answers, by the ways it answers to."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, Method], bool] = {}
        self.asked: list[tuple[str, Method]] = []
        self.closed = False

    def link(self, name: str, method: Method) -> bool | None:
        self.asked.append((name, method))
        return self.answers.get((name, method))

    def give(self, name: str, *methods: Method, up: bool = True) -> None:
        self.answers |= {(name, method): up for method in methods}

    def close(self) -> None:
        self.closed = True


class Bench:
    """A linkbeat, what it polls, and what it told."""

    def __init__(self) -> None:
        self.drivers = FakeDrivers()
        self.reactor = FakeReactor()
        self.journal = FakeJournal()
        self.told: list[LinkbeatChanged] = []
        self.linkbeat = Linkbeat(lambda: self.drivers, cast("Any", self.reactor), self.journal, self.told.append)

    def cut(self) -> list[tuple[str, bool]]:
        told = [(each.interface, each.up) for each in self.told]
        self.told.clear()
        return told


def test_changes_are_told_within_a_second() -> None:
    bench = Bench()
    bench.drivers.give("eth0", *METHODS)
    bench.linkbeat.replace({"eth0": ""})
    assert bench.cut() == [("eth0", True)]
    bench.reactor.run_for(3 * SECOND)
    assert bench.cut() == []
    bench.drivers.give("eth0", *METHODS, up=False)
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("eth0", False)]


def test_the_first_way_that_works_is_taken_and_kept() -> None:
    bench = Bench()
    bench.drivers.give("eth0", "ETHTOOL", "IOCTL")
    bench.linkbeat.replace({"eth0": ""})
    assert bench.drivers.asked == [("eth0", "MII"), ("eth0", "ETHTOOL"), ("eth0", "ETHTOOL")]
    bench.drivers.asked.clear()
    bench.reactor.run_for(2 * SECOND)
    assert bench.drivers.asked == [("eth0", "ETHTOOL")] * 2
    assert bench.journal.texts() == []


def test_what_asks_may_come_later() -> None:
    bench = Bench()
    bench.drivers.give("eth0", "MII")
    full = [OSError(EMFILE, "Too many open files")] * 3

    def opened() -> FakeDrivers:
        if full:
            raise full.pop()
        return bench.drivers

    bench.linkbeat = Linkbeat(opened, cast("Any", bench.reactor), bench.journal, bench.told.append)
    bench.linkbeat.replace({"eth0": ""})
    bench.reactor.run_for(2 * SECOND)
    assert bench.cut() == []
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("eth0", True)]
    assert bench.journal.texts() == ["Linkbeat: no link can be asked for yet: Too many open files"]


def test_a_driver_that_answers_no_more_is_not_believed_for_ever() -> None:
    bench = Bench()
    bench.drivers.give("eth0", "MII", "IOCTL")
    bench.linkbeat.replace({"eth0": ""})
    assert bench.cut() == [("eth0", True)]
    del bench.drivers.answers["eth0", "MII"]
    bench.drivers.give("eth0", "IOCTL", up=False)
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("eth0", False)]
    bench.drivers.give("eth0", "MII", "IOCTL")
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("eth0", True)]
    bench.drivers.answers.clear()  # it is gone: netlink tells that
    bench.reactor.run_for(SECOND)
    assert bench.cut() == []


def test_a_configured_way_that_does_not_work_is_said() -> None:
    bench = Bench()
    bench.drivers.give("eth0", "ETHTOOL", "IOCTL")
    bench.linkbeat.replace({"eth0": "MII"})
    bench.reactor.run_for(3 * SECOND)
    assert bench.journal.texts() == ["(eth0): Configured linkbeat type MII not supported, using ETHTOOL"]


def test_many_interfaces_are_asked_one_after_the_other() -> None:
    bench = Bench()
    names = [f"eth{number}" for number in range(10)]
    for name in names:
        bench.drivers.give(name, "IOCTL")
    bench.linkbeat.replace(dict.fromkeys(names, "IOCTL"))
    bench.drivers.asked.clear()
    for _ in range(10):
        bench.reactor.run_for(100 * MILLISECOND)
        assert len(bench.drivers.asked) == 1
        bench.drivers.asked.clear()


def test_an_interface_that_comes_later_and_one_that_was_replaced() -> None:
    bench = Bench()
    bench.linkbeat.replace({"eth0": ""})
    bench.reactor.run_for(2 * SECOND)
    assert bench.cut() == []
    bench.drivers.give("eth0", "MII")
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("eth0", True)]
    bench.drivers.answers.clear()
    bench.drivers.give("eth0", "IOCTL")
    bench.linkbeat.forget("eth0")
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("eth0", True)]


def test_what_is_polled_no_more_is_not_asked_and_nothing_stays_open() -> None:
    bench = Bench()
    bench.linkbeat.replace({})
    bench.reactor.run_for(2 * SECOND)
    assert bench.drivers.asked == []
    bench.drivers.give("eth0", "MII")
    bench.linkbeat.replace({"eth0": ""})
    bench.linkbeat.replace({})
    bench.drivers.asked.clear()
    bench.reactor.run_for(2 * SECOND)
    assert bench.drivers.asked == []
    bench.linkbeat.close()
    assert bench.drivers.closed
