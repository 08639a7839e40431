"""Two MASTERs on a link: an alarm after what a handover takes, bounded, and over when the other is heard no more."""

from pykeepalived.effects import Level, Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Master
from pykeepalived.wire.vrrp import Reason
from tests.unit.vrrp.test_router import DOWN, NOW, heard, only, started


def alarms(effects: list[Effect]) -> list[str]:
    return [each.message for each in effects if isinstance(each, Log) and each.level <= Level.NOTICE]


def master() -> Routers:
    host = started("instance VI_1 priority=150 garp_lower_prio_repeat=0 garp_master_delay=0")
    host.handle(Tick(), NOW + DOWN)
    assert isinstance(only(host).state, Master)
    return host


def test_a_handover_is_no_alarm() -> None:
    host = master()
    said: list[str] = []
    for second in range(1, 4):
        said += alarms(host.handle(heard(100), NOW + DOWN + second * SECOND))
    assert said == []
    for second in range(4, 60):
        host.handle(Tick(), NOW + DOWN + second * SECOND)
    for second in range(60, 63):
        said += alarms(host.handle(heard(100), NOW + DOWN + second * SECOND))
    assert said == []


def test_who_goes_on_is_named_once_a_minute_until_it_stops() -> None:
    host = master()
    told: dict[int, list[str]] = {}
    for second in range(1, 71):
        at = NOW + DOWN + second * SECOND
        if said := alarms(host.handle(heard(100), at)):
            told[second] = said
        host.handle(Tick(), at + SECOND // 2)
    assert list(told) == [4, 64]
    assert told[4] == [
        (
            "(VI_1) two MASTERs on the link: 10.0.0.2 beside 10.0.0.1 (this host) - compare version, authentication,"
            " interface and firewall of both, and whether the link carries multicast"
        )
    ]
    assert only(host).statistics.errors[Reason.TWO_MASTERS] == 70
    over = [alarms(host.handle(Tick(), NOW + DOWN + second * SECOND)) for second in range(71, 80)]
    assert [said for said in over if said] == [["(VI_1) 10.0.0.2 is no longer MASTER beside others"]]


def test_a_third_router_tells_of_both() -> None:
    host = started("instance VI_1 priority=50")
    said: list[str] = []
    for second in range(1, 6):
        for source, priority in (("10.0.0.2", 150), ("10.0.0.3", 100)):
            said += alarms(host.handle(heard(priority, source), NOW + second * SECOND))
    assert len(said) == 1
    assert "two MASTERs on the link: 10.0.0.3 beside 10.0.0.2 - " in said[0] or "10.0.0.2 beside 10.0.0.3" in said[0]


def test_a_change_of_master_is_no_alarm() -> None:
    host = started("instance VI_1 priority=50")
    said: list[str] = []
    for second in range(1, 20):
        source = "10.0.0.2" if second < 10 else "10.0.0.3"
        said += alarms(host.handle(heard(150, source), NOW + second * SECOND))
    assert said == []


def test_a_master_whose_adverts_are_refused_is_one_too() -> None:
    """Neither yields to the other: each refuses what the other sends."""
    host = master()
    at = NOW + DOWN + SECOND
    other = {"auth_type": "PASS", "auth_pass": "another"}
    goes = alarms(host.handle(heard(0, **other), at))
    assert not [words for words in goes if "two MASTERs" in words], "it gives up"
    assert alarms(host.handle(heard(100, **other), at)) == [
        "(VI_1) two MASTERs on the link: 10.0.0.2 beside 10.0.0.1 (this host), as long as its adverts are refused"
    ]
    assert [alarms(host.handle(heard(100, **other), at + number)) for number in range(1, 9)] == [[]] * 8
    backup = started("instance VI_1 priority=150")
    assert not [words for words in alarms(backup.handle(heard(100, **other), NOW + SECOND)) if "two MASTERs" in words]
