"""What happens thousands of times a second: an unchanged advert heard, an advert sent when due, adverts of many."""

from ipaddress import IPv4Address
from itertools import pairwise

import pytest

from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.vrrp.effects import SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged, TrackScriptChanged
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Backup, Master
from tests.support.scenario import make_configuration
from tests.unit.vrrp.test_router import DOWN, NOW, heard, only, started


def test_an_accepted_advert_is_accepted_again_with_nothing_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    host = started()
    host.handle(heard(150), NOW + SECOND)

    def never(*_: object) -> None:
        raise AssertionError("judged")

    monkeypatch.setattr(Reception, "judge", never)
    for second in (2, 3, 4):
        assert host.handle(heard(150), NOW + second * SECOND) == []
    router = only(host)
    assert isinstance(router.state, Backup)
    assert (router.state.heard_at, router.deadline) == (NOW + 4 * SECOND, NOW + 4 * SECOND + DOWN)
    assert router.statistics.advert_rcvd == 4


def test_a_refused_advert_is_refused_however_often_it_comes() -> None:
    """It stands behind an accepted one, and must not pass for it."""
    host = started("instance VI_1 priority=100 version=2 auth_type=PASS auth_pass=secret")
    host.handle(heard(150, version="2", auth_type="PASS", auth_pass="secret"), NOW)
    for second in (1, 2, 3):
        host.handle(heard(150, version="2", auth_type="PASS", auth_pass="wrong"), NOW + second * SECOND)
    assert only(host).deadline == NOW + DOWN


def test_after_the_deadline_an_unchanged_advert_is_judged() -> None:
    host = started()
    host.handle(heard(150), NOW + SECOND)
    effects = host.handle(heard(150), NOW + SECOND + DOWN + 2 * SECOND)
    assert any("was frozen" in getattr(effect, "message", "") for effect in effects)
    assert isinstance(only(host).state, Backup)


def test_another_priority_of_ours_ends_it() -> None:
    host = started("instance VI_1 priority=100 track_script=s:100")
    host.handle(TrackScriptChanged("s", up=False), NOW)
    host.handle(heard(150), NOW + SECOND)
    host.handle(TrackScriptChanged("s", up=True), NOW + SECOND)  # 200 now
    effects = host.handle(heard(150), NOW + 2 * SECOND)
    assert any("discarding" in getattr(effect, "message", "") for effect in effects)


def test_a_password_that_is_checked_once_is_enough_and_a_sequence_is_not() -> None:
    host = started("instance VI_1 priority=100 version=2 auth_type=PASS auth_pass=secret")
    event = heard(150, version="2", auth_type="PASS", auth_pass="secret")
    host.handle(event, NOW + SECOND)
    assert only(host).repeatable
    inbox = host.inboxes[event.receiver]
    assert list(inbox.accepted.values()) == [only(host)]
    host.handle(heard(160, version="2", auth_type="PASS", auth_pass="secret"), NOW + SECOND)
    assert len(inbox.accepted) == 1  # one packet a router, whatever comes


def many(count: int) -> Routers:
    lines = [f"instance V{number} priority=255 virtual_router_id={number}" for number in range(1, count + 1)]
    host = Routers(make_configuration(*lines))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
    host.start(NOW)
    for number, router in enumerate(host.routers.values()):
        host.tick(router, NOW + 7_000_000 * number + 2000)
    return host


def due_times(router: VirtualRouter, count: int) -> list[int]:
    times = []
    for _ in range(count):
        at = router.deadline
        assert at is not None
        assert isinstance(router.due_advert(at), SendAdvert)
        times.append(at)
    return times


def test_adverts_of_many_instances_go_out_together_and_keep_their_interval() -> None:
    host = many(100)
    groups = set()
    for number, router in enumerate(host.routers.values()):
        assert isinstance(router.state, Master)
        became = NOW + 7_000_000 * number + 2000
        router.state.duties_at = None  # announcements are no matter here
        router.deadline = router.state.advert_at
        times = due_times(router, 3)
        assert SECOND * 7 // 8 < times[0] - became <= SECOND
        assert [later - before for before, later in pairwise(times)] == [SECOND, SECOND]
        groups.add(times[0])
    assert len(groups) <= 8


def test_a_few_instances_keep_their_own_time() -> None:
    host = many(8)
    for number, router in enumerate(host.routers.values()):
        assert isinstance(router.state, Master)
        assert router.state.advert_at == NOW + 7_000_000 * number + 2000 + SECOND


def test_a_late_advert_is_no_matter_of_the_short_way() -> None:
    host = many(1)
    router = only(host)
    at = router.deadline
    assert at is not None
    assert router.due_advert(at - 1) is None
    assert router.due_advert(at + 2 * SECOND) is None
    assert any(isinstance(effect, SendAdvert) for effect in host.handle(Tick(), at + 2 * SECOND))


def test_a_packet_at_another_socket_is_not_the_same() -> None:
    lines = [f"instance {name} priority=100 interface={name}" for name in ("eth0", "eth1")]
    host = Routers(make_configuration(*lines))
    for name in ("eth0", "eth1"):
        host.handle(InterfaceChanged(name, up=True), NOW)
        host.handle(AddressAdded(name, IPv4Address("10.0.0.1"), 24), NOW)
    host.start(NOW)
    event = heard(150)
    host.handle(event, NOW + SECOND)
    host.handle(AdvertReceived(event.receiver._replace(interface="eth1"), event.packet), NOW + 2 * SECOND)
    assert [router.deadline for router in host.routers.values()] == [NOW + SECOND + DOWN, NOW + 2 * SECOND + DOWN]


def test_a_refused_packet_is_refused_again_and_again() -> None:
    """It comes right behind an accepted one, and must not be taken for that one's repetition."""
    host = started()
    host.handle(heard(150), NOW + SECOND)
    wrong = heard(150, version="3")
    for number in range(5):
        host.handle(wrong, NOW + SECOND + number + 1)
    router = only(host)
    assert router.deadline == NOW + SECOND + DOWN
    assert router.statistics.advert_rcvd == 1
    assert sum(router.statistics.errors.values()) == 5
    host.handle(heard(150), NOW + 2 * SECOND)
    assert router.deadline == NOW + 2 * SECOND + DOWN
