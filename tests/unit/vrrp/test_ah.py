"""auth_type AH among routers: one sequence for all, replays and forgeries refused, and what happens at its end."""

from dataclasses import replace as changed
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.authentication import Ah
from pykeepalived.vrrp.effects import Effect, SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of, receivers_of
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire import ah
from pykeepalived.wire.vrrp import Reason
from tests.config.reading import instance
from tests.support.link import Link, Received, received

NOW = 1_000_000_000_000
DOWN = 3_609_375_000
AH = "authentication {\nauth_type AH\nauth_pass sesame42\n}"
PEER = IPv4Address("10.0.0.2").packed


def of_priority(priority: int, lines: str = "") -> VrrpInstance:
    return instance(f"priority {priority}\n{AH}\n{lines}")


def configuration(priority: int, lines: str = "") -> Configuration:
    return Configuration(vrrp_instance=(of_priority(priority, lines),))


def started(priority: int = 100, lines: str = "") -> Routers:
    host = Routers(configuration(priority, lines))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.8"), 24), NOW)
    host.start(NOW)
    return host


def only(host: Routers) -> VirtualRouter:
    (router,) = host.routers.values()
    return router


def sequence_of(host: Routers) -> Ah:
    found = only(host).reception.authentication
    assert isinstance(found, Ah)
    return found


def advert(priority: int, sequence: int, lines: str = "") -> Received:
    of_peer = of_priority(priority, lines)
    ((destination, data),) = messages(of_peer, priority, PEER, sequence=sequence)
    return received(of_peer, PEER, destination, data)


def hear(host: Routers, packet: Received, at: int) -> list[Effect]:
    return host.handle(AdvertReceived(receiver_of(only(host).instance), packet), at)


def said(effects: list[Effect]) -> list[str]:
    return [effect.message for effect in effects if isinstance(effect, Log)]


def sent(effects: list[Effect]) -> list[int]:
    return [effect.sequence for effect in effects if isinstance(effect, SendAdvert)]


def test_a_takeover_goes_on_from_the_number_of_the_former_master() -> None:
    link = Link(keep_effects=True)
    link.add("a", configuration(150), "10.0.0.8/24")
    link.add("b", configuration(100), "10.0.0.2/24")
    link.start()
    link.run(8 * SECOND)
    assert link.masters("VI_1") == {"a"}
    link.kill("a")
    link.run(6 * SECOND)
    assert link.masters("VI_1") == {"b"}
    numbers = {name: sent([each for _, each in host.effects]) for name, host in link.hosts.items()}
    assert numbers["a"] == list(range(1, len(numbers["a"]) + 1))
    assert len(numbers["a"]) >= 5
    first = numbers["a"][-1] + 1
    assert numbers["b"] == list(range(first, first + len(numbers["b"])))


def test_a_better_router_that_comes_back_learns_the_number_first() -> None:
    link = Link(keep_effects=True)
    link.add("a", configuration(150), "10.0.0.8/24")
    link.add("b", configuration(100), "10.0.0.2/24")
    link.start("b")
    link.run(60 * SECOND)
    before = sent([each for _, each in link.hosts["b"].effects])[-1]
    link.start("a")
    link.run(10 * SECOND)
    assert link.masters("VI_1") == {"a"}
    assert sent([each for _, each in link.hosts["a"].effects])[0] > before
    assert link.longest("VI_1", 2) < SECOND


@pytest.mark.keyword("vrrp_instance.authentication.auth_type")
def test_a_replayed_advert_is_refused_and_moves_no_timer() -> None:
    host = started()
    hear(host, advert(150, 7), NOW + SECOND)
    deadline = only(host).deadline
    effects = hear(host, advert(150, 7), NOW + 2 * SECOND)
    line, cause = said(effects)
    assert line == "(VI_1) IPSEC-AH : sequence number 7 from 10.0.0.2 already processed. Packet dropped. Local(7)"
    assert "recorded adverts" in cause
    assert hear(host, advert(150, 6), NOW + 2 * SECOND) == []
    assert only(host).deadline == deadline
    assert only(host).statistics.errors == {Reason.SEQUENCE: 2}
    assert only(host).statistics.auth_failure == 2
    assert hear(host, advert(150, 8), NOW + 2 * SECOND) == []
    assert only(host).deadline != deadline


def test_forged_adverts_are_refused_whatever_they_forge() -> None:
    host = started()
    hear(host, advert(150, 1), NOW + SECOND)
    good = advert(150, 9)
    state = only(host).state
    forged = [
        changed(good, data=good.data[:2] + b"\xff" + good.data[3:]),  # a priority
        changed(good, headers=good.headers[:31] + b"\x63" + good.headers[32:]),  # a sequence
        changed(good, headers=good.headers[:24] + b"\x0a\0\0\x03" + good.headers[28:]),  # an SPI
        changed(good, headers=good.headers[:4] + b"\xff" + good.headers[5:]),  # the identification
        changed(good, headers=b"\x46" + good.headers[1:20] + bytes(4) + good.headers[20:]),  # IP options
        advert(150, 9, AH.replace("sesame42", "another1")),
    ]
    lines = [line for packet in forged for line in said(hear(host, packet, NOW + 2 * SECOND))]
    assert lines == [
        "(VI_1) IPSEC-AH : invalid IPSEC HMAC-MD5 value from 10.0.0.2. Due to fields mutation or bad password !",
        "(VI_1) cause: peer 10.0.0.2 signs with another auth_pass than this file has: make them equal",
    ]
    assert only(host).state is state
    assert only(host).statistics.errors == {Reason.PASSWORD: len(forged)}
    assert sequence_of(host).sequence == 1


def test_the_spi_is_the_source() -> None:
    """A router with the password that speaks in another's name."""
    host = started()
    of_peer = of_priority(150)
    ((destination, data),) = messages(of_peer, 150, IPv4Address("10.0.0.3").packed, sequence=5)
    packet = received(of_peer, PEER, destination, data)
    assert (
        said(hear(host, packet, NOW + SECOND))[0] == "(VI_1) IPSEC-AH : invalid IPSEC SPI value 10.0.0.3 from 10.0.0.2"
    )
    assert only(host).statistics.advert_rcvd == 0


def test_a_master_takes_the_number_of_a_lower_advert_for_its_answer() -> None:
    host = started()
    host.handle(Tick(), NOW + DOWN)
    effects = hear(host, advert(50, 500), NOW + 4 * SECOND)
    assert sent(effects) == [501]


def test_adverts_without_the_header_are_named() -> None:
    host = started()
    plain = instance("priority 150\nauthentication {\nauth_type PASS\nauth_pass sesame42\n}")
    own, other = receivers_of(only(host).instance)
    assert (own.protocol, other.protocol) == (51, 112)
    assert receiver_of(plain) == other
    ((destination, data),) = messages(plain, 150, PEER)
    effects = host.handle(AdvertReceived(other, Received(PEER, destination, 255, data, len(data))), NOW + SECOND)
    assert said(effects) == [
        "(VI_1) received no authentication header from 10.0.0.2, expecting one!",
        "(VI_1) cause: peer 10.0.0.2 has auth_type PASS, this file auth_type AH: make them equal",
    ]
    assert only(host).statistics.errors == {Reason.AUTH_TYPE: 1}


def test_a_repetition_is_proved_and_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    host = started()
    hear(host, advert(150, 1), NOW + 1)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("pykeepalived.vrrp.reception.decode", never)
    assert hear(host, advert(150, 2), NOW + SECOND) == []
    assert only(host).statistics.advert_rcvd == 2
    assert "already processed" in said(hear(host, advert(150, 2), NOW + SECOND))[0]
    with pytest.raises(AssertionError):
        hear(host, advert(151, 3), NOW + SECOND)


def test_a_reload_keeps_the_number_and_takes_the_password() -> None:
    host = started()
    host.handle(Tick(), NOW + DOWN)
    before = sequence_of(host).sequence
    effects = replace(host, configuration(100, AH.replace("sesame42", "another1")), NOW + 4 * SECOND)
    assert sent(effects) == [before + 1, before + 2]
    assert hear(host, advert(150, 900), NOW + 5 * SECOND) != []
    assert only(host).state.name == "MASTER"
    hear(host, advert(150, 900, AH.replace("sesame42", "another1")), NOW + 5 * SECOND)
    assert only(host).state.name == "BACKUP"


def test_at_the_end_of_the_numbers_a_master_gives_up_and_the_next_begins_anew() -> None:
    link = Link()
    link.add("a", configuration(150), "10.0.0.8/24")
    link.add("b", configuration(100), "10.0.0.2/24")
    link.start()
    link.run(8 * SECOND)
    sequence_of(link.hosts["a"].routers).sequence = ah.LAST_SEQUENCE - 1
    link.run(3 * SECOND)
    (at,) = link.hosts["a"].said("cause: the sequence numbers of AH are used up")
    link.run(7 * SECOND)
    assert link.masters("VI_1") == {"a"}
    assert sequence_of(link.hosts["a"].routers).sequence < 10
    assert sequence_of(link.hosts["b"].routers).sequence == sequence_of(link.hosts["a"].routers).sequence
    assert link.longest("VI_1", 2) < SECOND // 100  # one yields to the other, after a delay of the link
    assert at


def test_ah_is_for_state_backup() -> None:
    assert of_priority(100, "").state == "BACKUP"
    assert only(started()).state.name == "BACKUP"


def test_the_greatest_number_is_none_too_great() -> None:
    host = started()
    host.tick_all(NOW + DOWN)
    (number,) = sent(hear(host, advert(50, ah.GREATEST_SEQUENCE), NOW + DOWN + SECOND // 2))
    assert number == ah.GREATEST_SEQUENCE
    assert advert(100, number).headers


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_equals_that_take_over_at_one_moment_are_one_master_soon(names: str) -> None:
    link = Link()
    for number, name in enumerate(names, 1):
        link.add(name, configuration(100), f"10.0.0.{10 + number}/24")
    link.start()
    link.run(DOWN + 2 * SECOND)
    assert [host.state("VI_1") for host in link.hosts.values()] == ["BACKUP"] * (len(names) - 1) + ["MASTER"]


def test_the_number_given_last_is_heard_from_another_once_and_never_from_oneself() -> None:
    host = started()
    (number,) = sent(host.tick_all(NOW + DOWN))
    own = of_priority(100)
    ((destination, data),) = messages(own, 100, IPv4Address("10.0.0.8").packed, sequence=number)
    reflected = received(own, IPv4Address("10.0.0.8").packed, destination, data)
    counted = only(host).statistics
    hear(host, reflected, NOW + DOWN + 1)
    assert counted.errors == {Reason.SEQUENCE: 1}
    hear(host, advert(150, number), NOW + DOWN + 2)
    assert only(host).state.name == "BACKUP"
    for packet in (advert(150, number), reflected):
        hear(host, packet, NOW + DOWN + 3)
    assert counted.errors == {Reason.SEQUENCE: 3}
