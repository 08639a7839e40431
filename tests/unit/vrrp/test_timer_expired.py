"""timer_expired_backup: a MASTER that stood still for too long does not come back as one."""

from ipaddress import IPv4Address

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Log
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.effects import SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from tests.config.reading import instance
from tests.support.link import Link, Received

NOW = 1_000_000_000_000
ASKED = "nopreempt\ntimer_expired_backup 200"
AFTER = 3 * SECOND + 56 * SECOND // 256  # since the last advert: three intervals, and the skew of priority 200


def master(lines: str) -> tuple[Routers, VirtualRouter, int]:
    """A MASTER, and when its last advert went out."""
    host = Routers(Configuration(vrrp_instance=(instance(f"version 3\npriority 100\n{lines}"),)))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.8"), 24), NOW)
    host.start(NOW)
    (router,) = host.routers.values()
    at = router.deadline
    assert at is not None
    host.tick_all(at)
    assert router.state.name == "MASTER"
    return host, router, at


@pytest.mark.keyword("vrrp_instance.timer_expired_backup")
@pytest.mark.parametrize(
    ("lines", "late", "state"),
    [
        (ASKED, AFTER, "MASTER"),
        (ASKED, AFTER + 1, "BACKUP"),
        (ASKED, 60 * SECOND, "BACKUP"),
        ("nopreempt\ntimer_expired_backup", 3 * SECOND + 2 * SECOND // 256, "MASTER"),  # 254
        ("nopreempt\ntimer_expired_backup", 3 * SECOND + 2 * SECOND // 256 + 1, "BACKUP"),
        ("nopreempt", 60 * SECOND, "MASTER"),
        ("timer_expired_backup 200", 60 * SECOND, "MASTER"),  # it goes with nopreempt
    ],
)
def test_when_it_is_late_enough(lines: str, late: int, state: str) -> None:
    host, router, at = master(lines)
    effects = host.tick_all(at + late)
    assert router.state.name == state
    sent = [effect.priority for effect in effects if isinstance(effect, SendAdvert)]
    assert sent == ([100] if state == "MASTER" else [])
    said = [effect.message for effect in effects if isinstance(effect, Log)]
    expired = [line for line in said if "expired" in line]
    assert bool(expired) == (state == "BACKUP")
    if expired:
        seconds, micro = divmod((late - SECOND) // 1000, 1_000_000)
        assert expired[0] == f"VRRP thread timer expired {seconds}.{micro:06} seconds ago"
        assert router.deadline == at + late + 3 * SECOND + 156 * SECOND // 256


def test_what_was_heard_meanwhile_is_judged_as_a_backup() -> None:
    """The sockets are read first: the new MASTER of lower priority is left alone."""
    host, router, at = master(ASKED)
    peer = instance("version 3\npriority 50")
    source = IPv4Address("10.0.0.2").packed
    ((destination, data),) = messages(peer, 50, source)
    event = AdvertReceived(receiver_of(peer), Received(source, destination, 255, data, len(data)))
    effects = host.handle(event, at + 5 * SECOND)
    assert router.state.name == "BACKUP"
    assert not [effect for effect in effects if isinstance(effect, SendAdvert)]
    assert not [effect for effect in effects if isinstance(effect, Log) and "forcing" in effect.message]
    assert router.deadline == at + 5 * SECOND + 3 * SECOND + 156 * SECOND // 256


def test_two_routers_of_which_one_is_frozen() -> None:
    for lines, masters in ((ASKED, {"b"}), ("nopreempt", {"a"})):
        link = Link()
        for name, priority in (("a", 150), ("b", 100)):
            own = instance(f"version 3\npriority {priority}\n{lines}")
            link.add(name, Configuration(vrrp_instance=(own,)), f"10.0.0.{priority}/24")
        link.start()
        link.run(6 * SECOND)
        assert link.masters("VI_1") == {"a"}
        link.pause("a", 10 * SECOND)
        link.run(20 * SECOND)
        assert link.masters("VI_1") == masters
