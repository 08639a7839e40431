"""RFC 3768 (VRRP version 2) where it differs from version 3 and no other test shows it."""

from dataclasses import replace

import pytest

from pykeepalived.units import SECOND
from pykeepalived.wire.vrrp import Reason
from tests.conformance.virtual_router import Bench, adverts, changed, lines

V2 = "version=2 priority=100"
DOWN = 3 * SECOND + 156 * SECOND // 256


def test_a_sound_advert_is_accepted() -> None:
    bench = Bench(V2)
    assert lines(bench.hears(bench.packet(150), SECOND)) == []
    assert bench.waits == SECOND + DOWN


@pytest.mark.parametrize("version", [0, 1, 3, 4])
def test_other_versions_are_discarded(version: int) -> None:
    bench = Bench(V2)
    bench.hears(changed(bench.packet(150), 0, version << 4 | 1), SECOND)
    assert (bench.waits, bench.router.statistics.errors) == (DOWN, {Reason.VERSION: 1})


def test_a_packet_that_is_cut_is_discarded() -> None:
    """Also one without the eight bytes of authentication."""
    bench = Bench(V2)
    whole = bench.packet(150)
    for length in range(len(whole.data)):
        assert bench.refusal(replace(whole, data=whole.data[:length], length=length)) == Reason.LENGTH


def test_authentication_data_without_authentication_is_ignored() -> None:
    bench = Bench(V2)
    sound = bench.packet(150)
    assert sound.data[-8:] == bytes(8)
    bench.hears(changed(sound, len(sound.data) - 1, 7), SECOND)
    assert (bench.waits, bench.router.statistics.errors) == (SECOND + DOWN, {})


def test_another_interval_is_discarded_and_said() -> None:
    bench = Bench(V2)
    (line,) = lines(bench.hears(bench.packet(150, advert_int="2"), SECOND))
    assert "advertisement interval mismatch" in line
    assert (bench.waits, bench.router.statistics.errors) == (DOWN, {Reason.INTERVAL: 1})


def test_an_owner_that_ignores_adverts_does() -> None:
    bench = Bench("version=2 priority=255 owner_ignore_adverts")
    since = bench.master()
    assert bench.hears(bench.packet(150), since) == []
    assert bench.router.statistics.advert_rcvd == 0


def test_an_owner_answers_adverts_unless_told_otherwise() -> None:
    bench = Bench("version=2 priority=255")
    since = bench.master()
    assert adverts(bench.hears(bench.packet(150), since)) == [255]


def test_a_losing_advert_is_discarded_without_a_word_under_lower_prio_no_advert() -> None:
    bench = Bench(f"{V2} lower_prio_no_advert")
    since = bench.master()
    assert adverts(bench.hears(bench.packet(99), since + 1)) == []
    assert (bench.state, bench.waits) == ("MASTER", since + SECOND)


def test_a_losing_advert_is_answered_unless_told_otherwise() -> None:
    bench = Bench(V2)
    since = bench.master()
    assert adverts(bench.hears(bench.packet(99), since + 1)) == [100]
    assert bench.state == "MASTER"


def test_the_skew_is_of_a_second_whatever_the_interval() -> None:
    bench = Bench(f"{V2} advert_int=10")
    assert bench.waits == 30 * SECOND + 156 * SECOND // 256


def test_another_list_of_addresses_is_said_and_accepted() -> None:
    bench = Bench(V2)
    (line,) = lines(bench.hears(bench.packet(150, virtual_ipaddress="10.0.0.7/24"), SECOND))
    assert line == "(VI_1) ip address associated with VRID 51 not present in advert from 10.0.0.30: 10.0.0.100"
    assert bench.waits == SECOND + DOWN
