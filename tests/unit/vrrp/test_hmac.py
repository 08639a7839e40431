"""auth_hmac among routers: modes, keys and their rotation, clocks, and what is remembered against replays."""

from dataclasses import replace as changed
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Level, Log
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.authentication import Stamps
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire.hmac_trailer import sequence_at
from pykeepalived.wire.vrrp import Reason
from tests.config.reading import instance
from tests.support.link import Link, Received, received

NOW = 1_000_000_000_000
WALL = 1_700_000_000 * SECOND
OFFSET = WALL - NOW
KEYS = {1: "A" * 32, 2: "B" * 40, 9: "C" * 64}
UNICAST = "unicast_src_ip 10.0.0.%d\nunicast_peer {\n10.0.0.%d\n}"


def block(lines: str = "", keys: tuple[int, ...] = (1, 2), active: int = 1) -> str:
    known = "\n".join(f"key {number} {KEYS[number]}" for number in keys)
    return f"auth_hmac {{\n{known}\nactive_key {active}\n{lines}\n}}"


def made(priority: int, hmac: str, lines: str = "version 3") -> VrrpInstance:
    return instance(f"priority {priority}\n{lines}\n{hmac}")


def started(hmac: str = block(), lines: str = "version 3") -> Routers:
    host = Routers(Configuration(vrrp_instance=(made(100, hmac, lines),)))
    host.clock.offset = OFFSET
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.8"), 24), NOW)
    host.start(NOW)
    return host


def only(host: Routers) -> VirtualRouter:
    (router,) = host.routers.values()
    return router


def advert(
    wall: int, hmac: str = block(), *, priority: int = 150, source: str = "10.0.0.2", lines: str = "version 3"
) -> Received:
    of_peer = made(priority, hmac, lines)
    packed = IPv4Address(source).packed
    ((destination, data),) = messages(of_peer, priority, packed, sequence=sequence_at(wall))
    return received(of_peer, packed, destination, data)


def hear(host: Routers, packet: Received, at: int = NOW + SECOND) -> list[str]:
    effects: list[Effect] = host.handle(AdvertReceived(receiver_of(only(host).instance), packet), at)
    return [effect.message for effect in effects if isinstance(effect, Log) and not effect.detail]


def errors(host: Routers) -> dict[Reason, int]:
    """What was refused; several senders are also several MASTERs."""
    found = only(host).statistics.errors
    return {reason: count for reason, count in found.items() if reason is not Reason.TWO_MASTERS}


@pytest.mark.parametrize("lines", ["version 2", "version 3"])
def test_a_pair_that_signs(lines: str) -> None:
    link = Link()
    for name, priority in (("a", 150), ("b", 100)):
        configuration = Configuration(vrrp_instance=(made(priority, block(), lines),))
        link.add(name, configuration, f"10.0.0.{priority}/24").routers.clock.offset = OFFSET
    link.start()
    link.run(20 * SECOND)
    assert link.masters("VI_1") == {"a"}
    router = only(link.hosts["b"].routers)
    assert router.statistics.advert_rcvd > 10
    assert router.statistics.errors == {}
    link.kill("a")
    link.run(4 * SECOND)
    assert link.masters("VI_1") == {"b"}


@pytest.mark.keyword("vrrp_instance.auth_hmac.mode")
@pytest.mark.parametrize(
    ("mode", "unsigned", "signs"), [("enforce", False, True), ("permissive", True, True), ("receive-only", True, False)]
)
def test_modes(mode: str, unsigned: bool, signs: bool) -> None:
    host = started(block(f"mode {mode}"))
    assert hear(host, advert(WALL, block("mode receive-only")))[:1] == (
        [] if unsigned else ["(VI_1) received no auth_hmac trailer from 10.0.0.2, expecting one!"]
    )
    assert only(host).statistics.advert_rcvd == unsigned
    assert errors(host) == ({} if unsigned else {Reason.HMAC_MISSING: 1})
    assert hear(host, advert(WALL + SECOND)) == []
    forged = advert(WALL + 2 * SECOND)
    hear(host, changed(forged, data=forged.data[:-1] + bytes((forged.data[-1] ^ 1,))))
    assert errors(host)[Reason.HMAC] == 1
    assert only(host).statistics.advert_rcvd == 1 + unsigned
    ((_, data),) = messages(only(host).instance, 100, IPv4Address("10.0.0.8").packed, sequence=5)
    assert len(data) == 12 + 28 * signs


def test_a_signed_advert_is_too_long_for_those_without_auth_hmac() -> None:
    host = started("")
    assert hear(host, advert(WALL)) == [
        "(VI_1) vrrp packet from 10.0.0.2 too long, length 60 and expect 32",
        "(VI_1) cause: peer 10.0.0.2 signs its adverts, this file has no auth_hmac: add the block, or remove it there",
    ]


@pytest.mark.keyword("vrrp_instance.auth_hmac.active_key")
def test_every_key_is_believed_and_the_active_one_signs() -> None:
    host = started(block(active=2))
    for number, key in enumerate((1, 2, 1)):
        assert hear(host, advert(WALL + number * SECOND, block(active=key))) == []
    ((_, data),) = messages(only(host).instance, 100, IPv4Address("10.0.0.8").packed, sequence=5)
    assert data[-27] == 2
    line, cause = hear(host, advert(WALL + 3 * SECOND, block(keys=(9,), active=9)))
    assert line == "(VI_1) received an advert signed with unknown key 9 from 10.0.0.2!"
    assert cause.endswith("signs with key 9, this file has 1, 2: add that key here before it is active there")
    assert errors(host) == {Reason.HMAC_KEY: 1}


@pytest.mark.keyword("vrrp_instance.auth_hmac.key")
def test_keys_are_rotated_by_reloads_and_what_was_heard_stays_known() -> None:
    host = started(block(keys=(1,)))
    old = advert(WALL, block(keys=(1,)))
    hear(host, old)
    for keys, active in (((1, 9), 1), ((1, 9), 9), ((9,), 9)):
        hmac = block(keys=keys, active=active)
        replace(host, Configuration(vrrp_instance=(made(100, hmac),)), NOW + SECOND)
        assert only(host).state.name == "BACKUP"
        if 1 in keys:
            assert "replayed" in hear(host, old)[0]
        only(host).reception.forget()
    assert "unknown key 1" in hear(host, advert(WALL + SECOND, block(keys=(1,))))[0]
    assert hear(host, advert(WALL + SECOND, block(keys=(9,), active=9))) == []


@pytest.mark.keyword("vrrp_instance.auth_hmac.time_window")
@pytest.mark.parametrize("window", [5, 60])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_outside_the_window_is_stale_and_what_is_near_is_told(window: int, sign: int) -> None:
    hmac = block(f"time_window {window}")
    for apart, fate in (
        (0, ""),
        (window // 2, ""),
        (window // 2 + 1, "warned"),
        (window, "warned"),
        (window + 1, "stale"),
    ):
        host = started(hmac)
        lines = hear(host, advert(WALL + SECOND + sign * apart * SECOND, hmac))
        direction = "ahead of" if sign > 0 else "behind"
        if fate == "stale":
            assert lines[0] == f"(VI_1) received a stale advert from 10.0.0.2, {apart} s {direction} ours"
            assert errors(host) == {Reason.HMAC_STALE: 1}
        elif fate == "warned":
            assert lines[0] == f"(VI_1) the clock of 10.0.0.2 is {apart} s {direction} ours"
            assert len(lines) == 2
            later = advert(WALL + SECOND + sign * apart * SECOND + 1_000_000, hmac)
            assert hear(host, later, NOW + SECOND + 1_000_000) == []  # once
        else:
            assert lines == []


@pytest.mark.keyword("vrrp_instance.auth_hmac.anti_replay")
def test_monotonic_knows_no_clock_but_the_order() -> None:
    hmac = block("anti_replay monotonic")
    host = started(hmac)
    assert hear(host, advert(WALL - 10_000 * SECOND, hmac)) == []
    assert hear(host, advert(WALL + 10_000 * SECOND, hmac)) == []
    assert "replayed" in hear(host, advert(WALL, hmac))[0]
    assert errors(host) == {Reason.HMAC_REPLAY: 1}


def test_a_replay_moves_no_timer() -> None:
    host = started()
    packet = advert(WALL)
    hear(host, packet)
    deadline = only(host).deadline
    line, cause = hear(host, packet, NOW + 2 * SECOND)
    assert line == "(VI_1) received a replayed advert from 10.0.0.2!"
    assert "recorded adverts" in cause
    assert only(host).deadline == deadline


def test_of_a_group_four_senders_are_known() -> None:
    host = started(block("time_window 300"))
    packets = [advert(WALL, block("time_window 300"), source=f"10.0.0.{last}") for last in range(2, 7)]
    for packet in packets[:4]:
        hear(host, packet)
    hear(host, advert(WALL + SECOND, block("time_window 300"), source="10.0.0.2"))  # the latest of the four
    assert only(host).statistics.advert_rcvd == 5
    hear(host, packets[4])  # 10.0.0.3 is forgotten for it
    for place in (0, 2, 3, 4, 1):
        hear(host, packets[place])
    assert errors(host) == {Reason.HMAC_REPLAY: 4}
    assert only(host).statistics.advert_rcvd == 7


def test_unicast_knows_its_peers_and_nobody_else() -> None:
    host = started(block(), f"version 3\n{UNICAST % (8, 2)}")
    theirs = advert(WALL, lines=f"version 3\n{UNICAST % (2, 8)}")
    assert hear(host, theirs) == []
    assert "replayed" in hear(host, theirs)[0]
    stranger = advert(WALL, source="10.0.0.9", lines=f"version 3\n{UNICAST % (9, 8)}")
    assert hear(host, stranger)[0] == "(VI_1) unicast source address 10.0.0.9 not a unicast peer"
    assert errors(host) == {Reason.HMAC_REPLAY: 1, Reason.UNICAST_SOURCE: 1}


def test_one_signature_for_all_peers() -> None:
    peers = "version 3\nunicast_src_ip 10.0.0.8\nunicast_peer {\n10.0.0.2\n10.0.0.3\n}"
    (_, first), (_, second) = messages(made(100, block(), peers), 100, IPv4Address("10.0.0.8").packed, sequence=5)
    assert first[-28:] == second[-28:]
    assert first[6:8] != second[6:8]


def test_the_order_of_the_refusals() -> None:
    """Each packet has a fault and all that come after it."""
    host = started(block(keys=(1,)))
    sound = advert(WALL, block(keys=(1,)))
    hear(host, sound)
    head, trailer = sound.data[:-28], sound.data[-28:]
    stale = b"\0\0\0\0"
    cases = [
        (head, Reason.HMAC_MISSING),
        (head + b"\2" + b"\7\0\0" + stale + trailer[8:-1] + b"x", Reason.HMAC_MALFORMED),
        (head + b"\1\7\0\0" + stale + trailer[8:-1] + b"x", Reason.HMAC_STALE),
        (head + b"\1\7\0\0" + trailer[4:-1] + b"x", Reason.HMAC_KEY),
        (head + trailer[:-1] + b"x", Reason.HMAC),
        (head + trailer, Reason.HMAC_REPLAY),
    ]
    for data, reason in cases:
        before = errors(host)
        broken = data[:6] + b"\0\0" + data[8:]  # the checksum comes later, and is not signed
        hear(host, changed(sound, data=broken, length=len(broken)))
        assert errors(host) == before | {reason: 1}
    # what comes before: length, TTL, version
    for packet, reason in (
        (changed(sound, data=sound.data + b"x"), Reason.LENGTH),
        (changed(sound, ttl=7), Reason.TTL),
        (changed(sound, data=b"\x41" + sound.data[1:]), Reason.VERSION),
    ):
        before = errors(host)
        hear(host, packet)
        assert errors(host) == before | {reason: 1}
    # what comes after: the type is wrong though its signature is right
    other = advert(WALL + SECOND, block(keys=(1,)))
    hear(host, changed(other, data=other.data[:6] + b"\0\0" + other.data[8:]))
    assert errors(host)[Reason.CHECKSUM] == 1
    assert only(host).statistics.advert_rcvd == 1


def test_a_repetition_is_proved_and_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    host = started()
    hear(host, advert(WALL))

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("pykeepalived.vrrp.reception.decode", never)
    assert hear(host, advert(WALL + SECOND)) == []
    assert only(host).statistics.advert_rcvd == 2
    with pytest.raises(AssertionError):
        hear(host, advert(WALL + 2 * SECOND, priority=151))


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    host = started()
    hear(host, advert(WALL))
    host.clock.offset -= 3600 * SECOND  # both clocks were an hour ahead
    assert hear(host, advert(WALL - 3600 * SECOND)) == []
    assert "replayed" in hear(host, advert(WALL - 3600 * SECOND))[0]


def test_numbers_rise_with_the_clock_and_without_it() -> None:
    stamps, rules = Stamps(), AuthHmac(active_key=1, time_window=5 * SECOND)
    first = stamps.next(rules, WALL)
    assert first == sequence_at(WALL)
    assert stamps.next(rules, WALL) == first + 1
    assert stamps.next(rules, WALL - 4 * SECOND) == first + 2
    assert stamps.next(rules, WALL + SECOND) == sequence_at(WALL + SECOND)
    # set back by more than the window: the others would call it stale
    assert stamps.next(rules, WALL - 60 * SECOND) == sequence_at(WALL - 60 * SECOND)
    monotonic = changed(rules, anti_replay="monotonic")
    last = stamps.next(monotonic, WALL)
    assert stamps.next(monotonic, WALL - 60 * SECOND) == last + 1


def test_the_warning_of_a_clock_is_one() -> None:
    host = started()
    effects = host.handle(AdvertReceived(receiver_of(only(host).instance), advert(WALL + 5 * SECOND)), NOW + SECOND)
    (line, *_) = [effect for effect in effects if isinstance(effect, Log) and "the clock" in effect.message]
    assert line.level is Level.WARNING
