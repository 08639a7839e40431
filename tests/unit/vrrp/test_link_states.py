"""Interfaces that count later than they change, and interfaces whose link is polled."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, LinkbeatInterface
from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp import replacement
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.events import AddressAdded, InterfaceChanged, LinkbeatChanged
from pykeepalived.vrrp.link_states import polled
from pykeepalived.vrrp.routers import Routers
from tests.support.scenario import make_configuration

NOW = 1_000_000_000_000
UP, DOWN = 0x11043, 0x1003


def configuration(*lines: str, down: int = 0, up: int = 0, polls: bool = False) -> Configuration:
    made = make_configuration(*(lines or ("instance VI_1 priority=100",)))
    delays = (InterfaceUpDownDelay("eth0", down, up),)
    beats = (LinkbeatInterface("eth0"),) if polls else ()
    return replace(made, interface_up_down_delays=delays, linkbeat_interfaces=beats)


class Host:
    """A host with eth0, and its clock."""

    def __init__(self, config: Configuration, *, up: bool = True) -> None:
        self.now = NOW
        self.routers = Routers(config)
        self.said: list[str] = []
        self.hear(self.routers.handle(InterfaceChanged("eth0", up, flags=UP if up else DOWN), NOW))
        self.hear(self.routers.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW))
        self.hear(self.routers.start(NOW))
        self.said.clear()

    def hear(self, effects: list[Effect]) -> None:
        self.said += [effect.message for effect in effects if isinstance(effect, Log) and not effect.detail]

    def wait(self, length: int) -> None:
        end = self.now + length
        while (at := self.routers.next_deadline()) is not None and at <= end:
            self.now = max(at, self.now)
            self.hear(self.routers.handle(Tick(), self.now))
        self.now = end

    def link(self, up: bool, present: bool = True) -> None:
        flags = UP if up else DOWN
        self.hear(self.routers.handle(InterfaceChanged("eth0", up, present, flags), self.now))

    def beat(self, up: bool) -> None:
        self.hear(self.routers.handle(LinkbeatChanged("eth0", up), self.now))

    @property
    def state(self) -> str:
        return self.routers.routers["VI_1"].state.name


@pytest.mark.keyword("interface_up_down_delays")
def test_a_change_counts_when_it_has_lasted() -> None:
    host = Host(configuration(down=2 * SECOND, up=3 * SECOND))
    host.link(up=False)
    assert host.said == ["eth0: Adding flags change from 0x11043 to 0x1003 delay by 2000000"]
    host.wait(2 * SECOND - 1)
    assert host.state == "BACKUP"
    host.wait(1)
    assert host.state == "FAULT"
    assert "Netlink reports eth0 down" in host.said
    host.link(up=True)
    host.wait(3 * SECOND - 1)
    assert host.state == "FAULT"
    host.wait(1)
    assert host.state == "BACKUP"


def test_an_interface_that_returns_in_time_was_never_away() -> None:
    host = Host(configuration(down=2 * SECOND))
    host.wait(5 * SECOND)
    assert host.state == "MASTER"
    host.said.clear()
    host.link(up=False)
    host.wait(1999 * MILLISECOND)
    host.link(up=True)
    host.wait(60 * SECOND)
    assert host.state == "MASTER"
    assert host.said == ["eth0: Adding flags change from 0x11043 to 0x1003 delay by 2000000"]


def test_what_repeats_itself_does_not_begin_anew() -> None:
    host = Host(configuration(down=2 * SECOND))
    host.link(up=False)
    host.wait(1500 * MILLISECOND)
    host.link(up=False)
    host.wait(500 * MILLISECOND)
    assert host.state == "FAULT"


def test_what_stands_at_the_start_counts_at_once() -> None:
    assert Host(configuration(down=2 * SECOND, up=2 * SECOND)).state == "BACKUP"
    assert Host(configuration(down=2 * SECOND, up=2 * SECOND), up=False).state == "FAULT"


def test_an_interface_that_vanishes_is_not_waited_for() -> None:
    host = Host(configuration(down=2 * SECOND, up=SECOND))
    host.link(up=False)
    host.link(up=False, present=False)
    assert host.state == "FAULT"
    host.wait(10 * SECOND)
    assert host.said.count("Netlink reports eth0 down") == 1


def test_names_that_come_and_go_are_forgotten() -> None:
    host = Host(configuration(down=SECOND))
    links = host.routers._links
    for number in range(100):
        for present in (True, False):
            host.routers.handle(InterfaceChanged(f"veth{number}", present, present), NOW)
    assert set(links.up) == {"eth0"}
    assert host.said == []


def test_a_reload_during_a_delay_changes_nothing_about_it() -> None:
    host = Host(configuration(down=2 * SECOND))
    host.link(up=False)
    host.wait(SECOND)
    host.hear(replacement.replace(host.routers, configuration(down=2 * SECOND), host.now))
    host.wait(SECOND - 1)
    assert host.state == "BACKUP"
    host.wait(1)
    assert host.state == "FAULT"


@pytest.mark.keyword("linkbeat_interfaces")
def test_of_a_polled_interface_the_linkbeat_alone_decides_and_at_once() -> None:
    host = Host(configuration(down=2 * SECOND, polls=True))
    host.beat(up=True)
    host.link(up=False)
    host.wait(10 * SECOND)
    assert host.state == "MASTER"
    host.said.clear()
    host.beat(up=False)
    assert host.said[0] == "Linkbeat reports eth0 down"
    assert host.state == "FAULT"
    host.link(up=True)
    assert host.state == "FAULT"
    host.beat(up=True)
    assert host.state == "BACKUP"


def test_a_polled_interface_that_vanishes_is_down_and_comes_back_with_its_link() -> None:
    host = Host(configuration(polls=True))
    host.beat(up=True)
    host.link(up=False, present=False)
    assert host.state == "FAULT"
    host.link(up=True)
    host.hear(host.routers.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), host.now))
    assert host.state == "FAULT"
    host.beat(up=True)
    assert host.state == "BACKUP"


def test_a_reload_that_ends_the_polling_goes_back_to_netlink() -> None:
    host = Host(configuration(polls=True))
    host.beat(up=False)
    assert host.state == "FAULT"
    host.hear(replacement.replace(host.routers, configuration(), host.now))
    assert host.state == "BACKUP"


def test_a_beat_of_what_is_not_polled_is_nothing() -> None:
    host = Host(configuration())
    host.beat(up=False)
    assert (host.state, host.said) == ("BACKUP", [])


INSTANCES = (
    "instance VI_1 interface=eth0 track_interface=eth2",
    "instance VI_2 interface=eth1 virtual_router_id=52 virtual_ipaddress=10.1.0.1/24@eth3",
)


@pytest.mark.keyword("linkbeat_use_polling")
@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (INSTANCES, set()),
        (("global_defs linkbeat_use_polling=yes", *INSTANCES), {"eth0", "eth1", "eth2", "eth3"}),
        ((f"{INSTANCES[0]} linkbeat_use_polling=yes", INSTANCES[1]), {"eth0"}),
    ],
)
def test_which_interfaces_are_polled(lines: tuple[str, ...], names: set[str]) -> None:
    assert set(polled(make_configuration(*lines))) == names


def test_linkbeat_interfaces_says_how() -> None:
    made = make_configuration("global_defs linkbeat_use_polling=yes", INSTANCES[0])
    made = replace(made, linkbeat_interfaces=(LinkbeatInterface("eth2", "MII"), LinkbeatInterface("eth9")))
    assert polled(made) == {"eth0": "", "eth2": "MII", "eth9": ""}
